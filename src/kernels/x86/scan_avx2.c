/* Scans with AVX2; the contract is kernels/scan.h.
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs into 16 bits: with the magnitudes of
 * one side and the other side given its signs the pair is 2 * 127 * 127 at most, which fits. Two
 * rows go at a time, so that the query's bytes are loaded once for both. */
#include "kernels/x86/lanes_avx2.h"

#include "kernels/scan.h"
#include "kernels/x86/scan_tmpl.h"

static inline __m256i load_codes(const int8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static inline int32_t sum_of_i32(__m256i sums)
{
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));

    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
}

static inline __m256i add_products(__m256i sums, __m256i query, __m256i row)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(query), _mm256_sign_epi8(row, query));

    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static void dot_i8(const int8_t *query, const int8_t *rows, size_t count, size_t stride,
                   int32_t *out)
{
    size_t r = 0, i;

    for (; r + 2 <= count; r += 2) {
        const int8_t *first = rows + r * stride, *second = first + stride;
        __m256i a = _mm256_setzero_si256(), b = a;

        for (i = 0; i < stride; i += 32) {
            __m256i q = load_codes(query + i);

            a = add_products(a, q, load_codes(first + i));
            b = add_products(b, q, load_codes(second + i));
        }
        out[r] = sum_of_i32(a);
        out[r + 1] = sum_of_i32(b);
    }
    for (; r < count; r++) {
        __m256i a = _mm256_setzero_si256();

        for (i = 0; i < stride; i += 32)
            a = add_products(a, load_codes(query + i), load_codes(rows + r * stride + i));
        out[r] = sum_of_i32(a);
    }
}

void den_scan_kernels_avx2(struct den_scan_kernels *table)
{
    *table = (struct den_scan_kernels){ dot_i8, dot_f32_i8, dot_f32_f16 };
}
