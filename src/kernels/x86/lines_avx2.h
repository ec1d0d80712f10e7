/* Packed lines and integers of AVX2, shared by dots_avx2.h and dots_avxvnni.h. */
#ifndef DEN_KERNELS_X86_LINES_AVX2_H
#define DEN_KERNELS_X86_LINES_AVX2_H

#include <string.h>

#include "kernels/x86/lanes_avx2.h"

typedef __m256i integers; /* LANES i32 */
typedef __m256i partial;  /* sums of nibble products, perhaps not yet widened */
typedef __m256i codes;    /* 4 k of LANES outputs */

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

static inline integers all_of_i32(int32_t value)
{
    return _mm256_set1_epi32(value);
}

static inline integers add_i32(integers a, integers b)
{
    return _mm256_add_epi32(a, b);
}

static inline integers times_256(integers a)
{
    return _mm256_slli_epi32(a, 8);
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
