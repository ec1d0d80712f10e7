/* Dots for AVX-512 (F, BW, VL, DQ) without VNNI; see dots_avx2.h for the arithmetic. There is no
 * vpsignb of 64 bytes: the sign of weights is kept as a mask, and activations are negated under
 * it. */
#ifndef DEN_KERNELS_X86_DOTS_AVX512_H
#define DEN_KERNELS_X86_DOTS_AVX512_H

#include "kernels/x86/lines_avx512.h"

/* gcc 12 turns a chain of integer additions into a tree, which needs more registers than there are
 * and runs at half the speed; an empty statement that may change the sum prevents that. */
#define KEEP_ORDER(sum) __asm__("" : "+v"(sum))

enum { DOT_BYTES_BIAS = 0, ROWS_MAX = 8 };

typedef struct {
    __m512i magnitude;
    __mmask64 negative;
} signed_codes;

/* A partial sum that sum_of_partial() adds to `sum`, perhaps 256 times. */
static inline partial partial_on(integers sum)
{
    (void)sum;
    return _mm512_setzero_si512();
}

static inline partial dot_nibbles(partial sum, codes weights, codes values)
{
    sum = _mm512_add_epi16(sum, _mm512_maddubs_epi16(weights, values));
    KEEP_ORDER(sum);
    return sum;
}

/* `times` is 1 or 256. */
static inline integers sum_of_partial(integers sum, partial part, const int times)
{
    return _mm512_add_epi32(sum, _mm512_madd_epi16(part, _mm512_set1_epi16((short)times)));
}

static inline signed_codes signed_of(codes line)
{
    __m512i value = _mm512_xor_si512(line, _mm512_set1_epi8(-128));

    return (signed_codes){ _mm512_abs_epi8(value), _mm512_movepi8_mask(value) };
}

static inline integers dot_bytes(integers sum, signed_codes weights, codes values)
{
    __m512i turned = _mm512_mask_sub_epi8(values, weights.negative, _mm512_setzero_si512(), values);
    __m512i pairs = _mm512_maddubs_epi16(weights.magnitude, turned);

    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
    KEEP_ORDER(sum);
    return sum;
}

#endif
