/* Scans with AVX-512 and VNNI; the contract is kernels/scan.h.
 *
 * vpdpbusd multiplies unsigned by signed bytes: the rows get 128 added by flipping their highest
 * bit, which adds 128 times the query's sum to each product, and is taken off again. Four rows go
 * at a time: a product takes five cycles, and the query's bytes are loaded once for all four. */
#include "kernels/x86/lanes_avx512.h"

#include "kernels/scan.h"

enum { ROWS = 4 };

static inline __m512i load_codes(const int8_t *from)
{
    return _mm512_loadu_si512((const void *)from);
}

static int32_t sum_of_codes(const int8_t *codes, size_t stride)
{
    __m512i sums = _mm512_setzero_si512();
    size_t i;

    for (i = 0; i < stride; i += 64)
        sums = _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1), load_codes(codes + i));
    return _mm512_reduce_add_epi32(sums);
}

static inline __m512i add_products(__m512i sums, __m512i query, __m512i row)
{
    return _mm512_dpbusd_epi32(sums, _mm512_xor_si512(row, _mm512_set1_epi8(-128)), query);
}

static void dot_i8(const int8_t *query, const int8_t *rows, size_t count, size_t stride,
                   int32_t *out)
{
    int32_t bias = 128 * sum_of_codes(query, stride);
    size_t r = 0, i;

    for (; r + ROWS <= count; r += ROWS) {
        const int8_t *row = rows + r * stride;
        __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

        for (i = 0; i < stride; i += 64) {
            __m512i q = load_codes(query + i);

            a = add_products(a, q, load_codes(row + i));
            b = add_products(b, q, load_codes(row + stride + i));
            c = add_products(c, q, load_codes(row + 2 * stride + i));
            d = add_products(d, q, load_codes(row + 3 * stride + i));
        }
        out[r] = _mm512_reduce_add_epi32(a) - bias;
        out[r + 1] = _mm512_reduce_add_epi32(b) - bias;
        out[r + 2] = _mm512_reduce_add_epi32(c) - bias;
        out[r + 3] = _mm512_reduce_add_epi32(d) - bias;
    }
    for (; r < count; r++) {
        __m512i a = _mm512_setzero_si512();

        for (i = 0; i < stride; i += 64)
            a = add_products(a, load_codes(query + i), load_codes(rows + r * stride + i));
        out[r] = _mm512_reduce_add_epi32(a) - bias;
    }
}

void den_scan_kernels_avx512vnni(struct den_scan_kernels *table)
{
    table->dot_i8 = dot_i8;
}
