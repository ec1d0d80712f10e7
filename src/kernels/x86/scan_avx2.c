/* Scans with AVX2; the contract is kernels/scan.h.
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs into 16 bits: with the magnitudes of
 * one side and the other side given its signs the pair is 2 * 127 * 127 at most, which fits. Two
 * rows go at a time, so that the query's bytes are loaded once for both. */
#include "kernels/x86/lanes_avx2.h"

#include "kernels/scan.h"

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

static float dot_f32_i8(const float *query, const int8_t *codes, size_t stride)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i, j;

    for (i = 0; i < stride; i += 4 * LANES)
        for (j = 0; j < 4; j++) {
            __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(codes + i + j * LANES));
            lanes row = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));

            sums[j] = fused(load(query + i + j * LANES), row, sums[j]);
        }
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

static float dot_f32_f16(const float *query, const uint16_t *row, size_t width)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i = 0, j;

    for (; i + 4 * LANES <= width; i += 4 * LANES)
        for (j = 0; j < 4; j++)
            sums[j] = fused(load(query + i + j * LANES), load_half(row + i + j * LANES), sums[j]);
    for (; i + LANES <= width; i += LANES)
        sums[0] = fused(load(query + i), load_half(row + i), sums[0]);
    if (i < width)
        sums[1] = fused(load_some(query + i, width - i, all_of(0)),
                        load_half_some(row + i, width - i), sums[1]);
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

/* Bits of each byte by a table of 16, as AVX2 has no count of its own. */
static inline __m256i count_bits(__m256i bytes)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i below = _mm256_shuffle_epi8(table, _mm256_and_si256(bytes, low));
    __m256i above = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low));

    return _mm256_sad_epu8(_mm256_add_epi8(below, above), _mm256_setzero_si256());
}

static inline __m256i load_words(const uint64_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static void hamming(const uint64_t *query, const uint64_t *rows, size_t count, size_t words,
                    uint32_t *out)
{
    size_t r, i;

    for (r = 0; r < count; r++) {
        const uint64_t *row = rows + r * words;
        __m256i sums = _mm256_setzero_si256();
        uint32_t rest = 0;

        for (i = 0; i + 4 <= words; i += 4)
            sums = _mm256_add_epi64(
                sums, count_bits(_mm256_xor_si256(load_words(query + i), load_words(row + i))));
        for (; i < words; i++)
            rest += (uint32_t)__builtin_popcountll(query[i] ^ row[i]);
        out[r] = rest + (uint32_t)sum_of_i32(sums);
    }
}

void den_scan_kernels_avx2(struct den_scan_kernels *table)
{
    *table = (struct den_scan_kernels){ dot_i8, hamming, dot_f32_i8, dot_f32_f16 };
}
