/* Packed lines and integers of AVX-512, shared by dots_avx512.h and dots_avx512vnni.h. */
#ifndef DEN_KERNELS_X86_LINES_AVX512_H
#define DEN_KERNELS_X86_LINES_AVX512_H

#include <string.h>

#include "kernels/x86/lanes_avx512.h"

typedef __m512i integers; /* LANES i32 */
typedef __m512i partial;  /* sums of nibble products, perhaps not yet widened */
typedef __m512i codes;    /* 4 k of LANES outputs */

static inline codes load_codes(const void *from)
{
    return _mm512_loadu_si512(from);
}

static inline codes low_nibbles(codes line)
{
    return _mm512_and_si512(line, _mm512_set1_epi8(15));
}

static inline codes high_nibbles(codes line)
{
    return _mm512_and_si512(_mm512_srli_epi16(line, 4), _mm512_set1_epi8(15));
}

/* Four activations, for every lane. */
static inline codes four_of(const int8_t *values)
{
    int32_t four;

    memcpy(&four, values, sizeof four);
    return _mm512_set1_epi32(four);
}

static inline integers all_of_i32(int32_t value)
{
    return _mm512_set1_epi32(value);
}

static inline integers add_i32(integers a, integers b)
{
    return _mm512_add_epi32(a, b);
}

static inline integers times_256(integers a)
{
    return _mm512_slli_epi32(a, 8);
}

static inline lanes floats_of(integers a)
{
    return _mm512_cvtepi32_ps(a);
}

static inline lanes load_u8(const unsigned char *from)
{
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)from);

    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(sixteen));
}

static inline lanes load_i8(const unsigned char *from)
{
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)from);

    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen));
}

static inline lanes load_brain(const uint16_t *from)
{
    __m256i half = _mm256_loadu_si256((const __m256i *)(const void *)from);

    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

#endif
