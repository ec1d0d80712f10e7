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

#include "kernels/x86/lanes_avx2.h"

/* gcc 12 turns a chain of integer additions into a tree, which needs more registers than there are
 * and runs at half the speed; an empty statement that may change the sum prevents that. */
#define KEEP_ORDER(sum) __asm__("" : "+x"(sum))

enum {
    DOT_BYTES_BIAS = 0, /* dot_bytes() multiplies by q, not by q + 128 */
    ROWS_MAX = 6,       /* rows in registers at a time */
};

typedef __m256i integers; /* LANES i32 */
typedef __m256i partial;  /* sums of nibble products, not yet widened */
typedef __m256i codes;    /* 4 k of LANES outputs */
typedef struct {
    __m256i magnitude;
    __m256i value;
} signed_codes;

static inline codes load_codes(const void *from)
{
    return _mm256_loadu_si256(from);
}

static inline codes low_nibbles(codes line)
{
    return _mm256_and_si256(line, _mm256_set1_epi8(15));
}

static inline codes high_nibbles(codes line)
{
    return _mm256_and_si256(_mm256_srli_epi16(line, 4), _mm256_set1_epi8(15));
}

/* Four activations, for every lane. */
static inline codes four_of(const int8_t *values)
{
    int32_t four;

    memcpy(&four, values, sizeof four);
    return _mm256_set1_epi32(four);
}

static inline partial no_partial(void)
{
    return _mm256_setzero_si256();
}

static inline partial dot_nibbles(partial sum, codes weights, codes values)
{
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(weights, values));
    KEEP_ORDER(sum);
    return sum;
}

static inline integers widen_partial(partial sum)
{
    return _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
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

static inline integers all_of_i32(int32_t value)
{
    return _mm256_set1_epi32(value);
}

static inline integers add_i32(integers a, integers b)
{
    return _mm256_add_epi32(a, b);
}

static inline lanes floats_of(integers a)
{
    return _mm256_cvtepi32_ps(a);
}

static inline lanes load_u8(const unsigned char *from)
{
    int64_t eight;

    memcpy(&eight, from, sizeof eight);
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(eight)));
}

static inline lanes load_i8(const unsigned char *from)
{
    int64_t eight;

    memcpy(&eight, from, sizeof eight);
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(eight)));
}

static inline lanes load_brain(const uint16_t *from)
{
    __m128i half = _mm_loadu_si128((const __m128i *)(const void *)from);

    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

#endif
