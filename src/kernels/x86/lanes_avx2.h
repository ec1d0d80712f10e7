/* Lanes: the few vector operations that the templates of this folder are written in, for AVX2 with
 * FMA and F16C. The same names over AVX-512: lanes_avx512.h. */
#ifndef DEN_KERNELS_X86_LANES_AVX2_H
#define DEN_KERNELS_X86_LANES_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8 };
typedef __m256 lanes;

static inline __m256i first_lanes(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline lanes all_of(float value)
{
    return _mm256_set1_ps(value);
}

static inline lanes load(const float *from)
{
    return _mm256_loadu_ps(from);
}

static inline void store(float *to, lanes value)
{
    _mm256_storeu_ps(to, value);
}

/* The first `count` < LANES; the others are `rest`. */
static inline lanes load_some(const float *from, size_t count, lanes rest)
{
    __m256i mask = first_lanes(count);

    return _mm256_blendv_ps(rest, _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask));
}

static inline void store_some(float *to, size_t count, lanes value)
{
    _mm256_maskstore_ps(to, first_lanes(count), value);
}

static inline lanes load_half(const uint16_t *from)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)from));
}

static inline lanes load_half_some(const uint16_t *from, size_t count)
{
    uint16_t copy[LANES] = { 0 };

    memcpy(copy, from, count * sizeof *from);
    return load_half(copy);
}

static inline lanes load_bytes(const int8_t *from)
{
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from)));
}

static inline lanes load_bytes_some(const int8_t *from, size_t count)
{
    int8_t copy[LANES] = { 0 };

    memcpy(copy, from, count);
    return load_bytes(copy);
}

static inline void store_half(uint16_t *to, lanes value)
{
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
}

static inline void store_half_some(uint16_t *to, size_t count, lanes value)
{
    uint16_t copy[LANES];

    store_half(copy, value);
    memcpy(to, copy, count * sizeof *to);
}

static inline lanes add(lanes a, lanes b)
{
    return _mm256_add_ps(a, b);
}

static inline lanes subtract(lanes a, lanes b)
{
    return _mm256_sub_ps(a, b);
}

static inline lanes multiply(lanes a, lanes b)
{
    return _mm256_mul_ps(a, b);
}

static inline lanes divide(lanes a, lanes b)
{
    return _mm256_div_ps(a, b);
}

/* a * b + c */
static inline lanes fused(lanes a, lanes b, lanes c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* c - a * b */
static inline lanes fused_minus(lanes a, lanes b, lanes c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

static inline lanes larger_of(lanes a, lanes b)
{
    return _mm256_max_ps(a, b);
}

static inline lanes smaller_of(lanes a, lanes b)
{
    return _mm256_min_ps(a, b);
}

static inline lanes rounded(lanes a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a * 2^power, power whole and in -126 .. 127 */
static inline lanes times_power(lanes a, lanes power)
{
    __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(power), _mm256_set1_epi32(127));

    return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

static inline lanes magnitude_of(lanes a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

/* |a| with the sign of b */
static inline lanes with_sign(lanes a, lanes b)
{
    const lanes sign = _mm256_set1_ps(-0.0f);

    return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b));
}

/* a < b ? yes : no */
static inline lanes if_less(lanes a, lanes b, lanes yes, lanes no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

static inline float sum_of(lanes a)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

static inline float largest_of(lanes a)
{
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

/* (x0 y0 x1 y1 ...): the even and odd elements of 2 * LANES floats, and back. The order of elements
 * inside `even` and `odd` is that of the pairs. */
static inline void split_pairs(const float *from, lanes *even, lanes *odd)
{
    lanes a = load(from), b = load(from + LANES);
    lanes low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);

    *even = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0));
    *odd = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1));
}

static inline void join_pairs(float *to, lanes even, lanes odd)
{
    lanes low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);

    store(to, _mm256_permute2f128_ps(low, high, 0x20));
    store(to + LANES, _mm256_permute2f128_ps(low, high, 0x31));
}

#endif
