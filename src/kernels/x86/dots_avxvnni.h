/* Dots for AVX-VNNI, which is vpdpbusd on 32 bytes with the old encoding: processors for desktops
 * and laptops since 2021 have it where they have no AVX-512. The arithmetic is that of
 * dots_avx512vnni.h, four u8 times four s8 added to an i32 with no saturation on the way; bytes are
 * used as stored, q + 128. Lines and integers are those of dots_avx2.h. */
#ifndef DEN_KERNELS_X86_DOTS_AVXVNNI_H
#define DEN_KERNELS_X86_DOTS_AVXVNNI_H

#include "kernels/x86/lines_avx2.h"

/* Rows in registers at a time: 6 float sums, 6 integer sums, two lines of 16 registers. */
enum { DOT_BYTES_BIAS = 1, ROWS_MAX = 4 };

typedef __m256i signed_codes; /* as stored */

static inline partial partial_on(integers sum)
{
    return sum;
}

static inline partial dot_nibbles(partial sum, codes weights, codes values)
{
    return _mm256_dpbusd_avx_epi32(sum, weights, values);
}

/* `times` is 1, or 256 and the sum was zero. */
static inline integers sum_of_partial(integers sum, partial part, const int times)
{
    (void)sum;
    return times == 1 ? part : times_256(part);
}

static inline signed_codes signed_of(codes line)
{
    return line;
}

static inline integers dot_bytes(integers sum, signed_codes weights, codes values)
{
    return _mm256_dpbusd_avx_epi32(sum, weights, values);
}

#endif
