/* Lanes: the few vector operations that the templates of this folder are written in, for AVX-512.
 * The same names over AVX2: lanes_avx2.h. */
#ifndef DEN_KERNELS_X86_LANES_AVX512_H
#define DEN_KERNELS_X86_LANES_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Without optimisation gcc 12 makes some intrinsics macros, whose masks are written as -1. */
#pragma GCC diagnostic ignored "-Wsign-conversion"

enum { LANES = 16 };
typedef __m512 lanes;

static inline __mmask16 first_lanes(size_t count)
{
    return (__mmask16)((1u << count) - 1);
}

static inline lanes all_of(float value)
{
    return _mm512_set1_ps(value);
}

static inline lanes load(const float *from)
{
    return _mm512_loadu_ps(from);
}

static inline void store(float *to, lanes value)
{
    _mm512_storeu_ps(to, value);
}

/* The first `count` < LANES; the others are `rest`. */
static inline lanes load_some(const float *from, size_t count, lanes rest)
{
    return _mm512_mask_loadu_ps(rest, first_lanes(count), from);
}

static inline void store_some(float *to, size_t count, lanes value)
{
    _mm512_mask_storeu_ps(to, first_lanes(count), value);
}

static inline lanes load_half(const uint16_t *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

static inline lanes load_half_some(const uint16_t *from, size_t count)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(count), from));
}

static inline lanes load_bytes(const int8_t *from)
{
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from)));
}

static inline lanes load_bytes_some(const int8_t *from, size_t count)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_lanes(count), from)));
}

static inline void store_half(uint16_t *to, lanes value)
{
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
}

static inline void store_half_some(uint16_t *to, size_t count, lanes value)
{
    _mm256_mask_storeu_epi16(to, first_lanes(count),
                             _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
}

static inline lanes add(lanes a, lanes b)
{
    return _mm512_add_ps(a, b);
}

static inline lanes subtract(lanes a, lanes b)
{
    return _mm512_sub_ps(a, b);
}

static inline lanes multiply(lanes a, lanes b)
{
    return _mm512_mul_ps(a, b);
}

static inline lanes divide(lanes a, lanes b)
{
    return _mm512_div_ps(a, b);
}

/* a * b + c */
static inline lanes fused(lanes a, lanes b, lanes c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a * b */
static inline lanes fused_minus(lanes a, lanes b, lanes c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

static inline lanes larger_of(lanes a, lanes b)
{
    return _mm512_max_ps(a, b);
}

static inline lanes smaller_of(lanes a, lanes b)
{
    return _mm512_min_ps(a, b);
}

static inline lanes rounded(lanes a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a * 2^power, power whole and in -126 .. 127 */
static inline lanes times_power(lanes a, lanes power)
{
    return _mm512_scalef_ps(a, power);
}

static inline lanes magnitude_of(lanes a)
{
    return _mm512_abs_ps(a);
}

/* |a| with the sign of b */
static inline lanes with_sign(lanes a, lanes b)
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);

    return _mm512_castsi512_ps(_mm512_or_si512(_mm512_andnot_si512(sign, _mm512_castps_si512(a)),
                                               _mm512_and_si512(sign, _mm512_castps_si512(b))));
}

/* a < b ? yes : no */
static inline lanes if_less(lanes a, lanes b, lanes yes, lanes no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}

static inline float sum_of(lanes a)
{
    return _mm512_reduce_add_ps(a);
}

static inline float largest_of(lanes a)
{
    return _mm512_reduce_max_ps(a);
}

/* (x0 y0 x1 y1 ...): the even and odd elements of 2 * LANES floats, and back */
static inline void split_pairs(const float *from, lanes *even, lanes *odd)
{
    const __m512i evens =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odds =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    lanes low = load(from), high = load(from + LANES);

    *even = _mm512_permutex2var_ps(low, evens, high);
    *odd = _mm512_permutex2var_ps(low, odds, high);
}

static inline void join_pairs(float *to, lanes even, lanes odd)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);

    store(to, _mm512_permutex2var_ps(even, low, odd));
    store(to + LANES, _mm512_permutex2var_ps(even, high, odd));
}

#endif
