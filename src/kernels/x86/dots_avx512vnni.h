/* Dots for AVX-512 with VNNI: vpdpbusd multiplies four u8 by four s8 and adds them to an i32, with
 * no saturation on the way. Bytes are used as stored, q + 128; the callers subtract 128 * sum of
 * activations, which is known. */
#ifndef DEN_KERNELS_X86_DOTS_AVX512VNNI_H
#define DEN_KERNELS_X86_DOTS_AVX512VNNI_H

#include "kernels/x86/lines_avx512.h"

enum { DOT_BYTES_BIAS = 1, ROWS_MAX = 12 };

typedef __m512i signed_codes; /* as stored */

static inline partial partial_on(integers sum)
{
    return sum;
}

static inline partial dot_nibbles(partial sum, codes weights, codes values)
{
    return _mm512_dpbusd_epi32(sum, weights, values);
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
    return _mm512_dpbusd_epi32(sum, weights, values);
}

#endif
