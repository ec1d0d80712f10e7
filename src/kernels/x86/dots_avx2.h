/* Dots: integer products of packed weights with activations, for AVX2. The same names over AVX-512
 * with and without VNNI: dots_avx512.h, dots_avx512vnni.h.
 *
 * vpmaddubsw multiplies u8 by s8 and adds pairs in 16 bits, saturating. Nibbles are at most 15, so
 * that a pair is at most 2 * 15 * 127 = 3810 and a whole group, eight pairs, 30480: it fits, and
 * is widened to 32 bits once. Bytes would saturate as u8; they are taken as magnitude and sign
 * instead, the sign given to the activation, where a pair is at most 2 * 128 * 127 = 32512; each
 * pair is widened at once. */
#ifndef DEN_KERNELS_X86_DOTS_AVX2_H
#define DEN_KERNELS_X86_DOTS_AVX2_H

#include "kernels/x86/lines_avx2.h"

/* gcc 12 turns a chain of integer additions into a tree, which needs more registers than there are
 * and runs at half the speed; an empty statement that may change the sum prevents that. */
#define KEEP_ORDER(sum) __asm__("" : "+x"(sum))

enum {
    DOT_BYTES_BIAS = 0, /* dot_bytes() multiplies by q, not by q + 128 */
    ROWS_MAX = 4,       /* rows in registers at a time */
};

typedef struct {
    __m256i magnitude;
    __m256i value;
} signed_codes;

/* A partial sum that sum_of_partial() adds to `sum`, perhaps 256 times. */
static inline partial partial_on(integers sum)
{
    (void)sum;
    return _mm256_setzero_si256();
}

static inline partial dot_nibbles(partial sum, codes weights, codes values)
{
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(weights, values));
    KEEP_ORDER(sum);
    return sum;
}

/* `times` is 1 or 256. */
static inline integers sum_of_partial(integers sum, partial part, const int times)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(part, _mm256_set1_epi16((short)times)));
}

static inline signed_codes signed_of(codes line)
{
    __m256i value = _mm256_xor_si256(line, _mm256_set1_epi8(-128));

    return (signed_codes){ _mm256_abs_epi8(value), value };
}

static inline integers dot_bytes(integers sum, signed_codes weights, codes values)
{
    __m256i pairs =
        _mm256_maddubs_epi16(weights.magnitude, _mm256_sign_epi8(values, weights.value));

    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    KEEP_ORDER(sum);
    return sum;
}

#endif
