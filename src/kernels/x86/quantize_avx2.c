/* Quantization of activations with AVX2 (matmul.h has the contract). A group of 32 is four vectors;
 * AVX-512 would save little here, where a row is microseconds and most of it is latency. */
#include "kernels/x86/lanes_avx2.h"

#include <math.h>

#include "kernels/x86/kernels_x86.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum { VECTORS = DEN_GROUP / LANES };

/* The same as ref/. */
static const float SMALLEST = 1e-30f;
static const float FINE_STEPS = 256;

/* Four vectors of i32 to 32 bytes in order: packing interleaves 128-bit halves, the permutation
 * sorts them. */
static inline __m256i bytes_of(const lanes scaled[VECTORS])
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i low = _mm256_packs_epi32(_mm256_cvtps_epi32(scaled[0]), _mm256_cvtps_epi32(scaled[1]));
    __m256i high = _mm256_packs_epi32(_mm256_cvtps_epi32(scaled[2]), _mm256_cvtps_epi32(scaled[3]));

    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
}

/* What rounding left of four vectors, times 256, at most 127 as vpsignb has no negative of -128. */
static inline __m256i fine_bytes_of(const lanes scaled[VECTORS])
{
    lanes rest[VECTORS];

#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
        rest[v] = multiply(subtract(scaled[v], rounded(scaled[v])), all_of(FINE_STEPS));
    return _mm256_max_epi8(bytes_of(rest), _mm256_set1_epi8(-127));
}

/* Sums of the low and the high 16 of 32 signed bytes. */
static inline void sum_halves(__m256i bytes, int32_t *out_low, int32_t *out_high)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    __m256i eights = _mm256_add_epi32(fours, _mm256_srli_si256(fours, 8));
    __m256i sums = _mm256_add_epi32(eights, _mm256_srli_si256(eights, 4));

    *out_low = _mm256_cvtsi256_si32(sums);
    *out_high = _mm_cvtsi128_si32(_mm256_extracti128_si256(sums, 1));
}

ALWAYS_INLINE float largest_in(const lanes input[VECTORS])
{
    return largest_of(larger_of(larger_of(magnitude_of(input[0]), magnitude_of(input[1])),
                                larger_of(magnitude_of(input[2]), magnitude_of(input[3]))));
}

/* Fine activations, with codes or (`refine` false) with zeros. */
ALWAYS_INLINE void write_fine(const lanes scaled[VECTORS], const struct den_activations *out,
                              size_t at, bool refine, int32_t *out_low, int32_t *out_high)
{
    __m256i bytes = _mm256_setzero_si256();
    int32_t low = 0, high = 0;

    if (refine) {
        bytes = fine_bytes_of(scaled);
        sum_halves(bytes, &low, &high);
    }
    _mm256_storeu_si256((__m256i *)(void *)(out->fine + at * DEN_GROUP), bytes);
    out->has_fine[at] = refine;
    *out_low = 256 * *out_low + low;
    *out_high = 256 * *out_high + high;
}

/* `fine`: of fine activations; `refine`: this group has fine codes. */
ALWAYS_INLINE void quantize_group(const lanes input[VECTORS], const struct den_activations *out,
                                  size_t at, const bool fine, bool refine)
{
    lanes scaled[VECTORS];
    float amax = largest_in(input);
    float scale = amax < SMALLEST ? 0 : amax / 127.0f;
    float inverse = amax < SMALLEST ? 0 : 127.0f / amax;
    __m256i bytes;
    int32_t low, high;

#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
        scaled[v] = multiply(input[v], all_of(inverse));
    bytes = bytes_of(scaled);
    sum_halves(bytes, &low, &high);
    _mm256_storeu_si256((__m256i *)(void *)(out->values + at * DEN_GROUP), bytes);
    if (fine) {
        write_fine(scaled, out, at, refine, &low, &high);
        scale /= FINE_STEPS;
    }
    out->scales[at] = scale;
    out->scaled_sums[at] = scale * (float)(low + high);
    out->biases[2 * at] = -8 * low;
    out->biases[2 * at + 1] = -8 * high;
}

static inline void load_group(const float *input, lanes out[VECTORS])
{
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
        out[v] = load(input + v * LANES);
}

/* The first `count` < 32 values of a group, zeros behind them. */
static void load_rest(const float *input, size_t count, lanes out[VECTORS])
{
    float padded[DEN_GROUP] = { 0 };

    memcpy(padded, input, count * sizeof *input);
    load_group(padded, out);
}

ALWAYS_INLINE void quantize_some(const float *input, size_t count,
                                 const struct den_activations *out, size_t row, size_t column,
                                 const bool fine)
{
    size_t at = column / DEN_GROUP * out->rows + row, k;
    lanes group[VECTORS];

    for (k = 0; k + DEN_GROUP <= count; k += DEN_GROUP, at += out->rows) {
        load_group(input + k, group);
        quantize_group(group, out, at, fine, true);
    }
    if (k == count)
        return;
    load_rest(input + k, count - k, group);
    quantize_group(group, out, at, fine, true);
}

static void quantize_piece(const float *input, size_t count, const struct den_activations *out,
                           size_t row, size_t column)
{
    if (out->fine)
        quantize_some(input, count, out, row, column, true);
    else
        quantize_some(input, count, out, row, column, false);
}

static float sum_of_squares(const float *input, size_t width)
{
    lanes sums[VECTORS] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    lanes group[VECTORS];
    size_t k;

    for (k = 0; k + DEN_GROUP <= width; k += DEN_GROUP)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) {
            lanes x = load(input + k + v * LANES);

            sums[v] = fused(x, x, sums[v]);
        }
    if (k < width) {
        load_rest(input + k, width - k, group);
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++)
            sums[v] = fused(group[v], group[v], sums[v]);
    }
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

/* A row and the norm it gets. */
struct normed {
    const float *input;
    const float *weight; /* or NULL: none */
    float factor;
};

/* Values [k, k + 32) of the row, zeros from `width` on. */
ALWAYS_INLINE void norm_group(const struct normed *normed, size_t width, size_t k,
                              lanes group[VECTORS], const bool norm)
{
    lanes weights[VECTORS];

    if (width - k >= DEN_GROUP)
        load_group(normed->input + k, group);
    else
        load_rest(normed->input + k, width - k, group);
    if (!norm)
        return;
    if (width - k >= DEN_GROUP)
        load_group(normed->weight + k, weights);
    else
        load_rest(normed->weight + k, width - k, weights);
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
        group[v] = multiply(multiply(group[v], all_of(normed->factor)), weights[v]);
}

/* Which groups get fine codes is known when all have been seen, and so there are two passes. */
ALWAYS_INLINE void quantize_normed(const struct normed *normed, size_t width,
                                   const struct den_activations *out, size_t row, const bool norm,
                                   const bool fine)
{
    size_t groups = (width + DEN_GROUP - 1) / DEN_GROUP, g;
    lanes group[VECTORS];
    float sum = 0;

    for (g = 0; fine && g < groups; g++) {
        norm_group(normed, width, g * DEN_GROUP, group, norm);
        sum += largest_in(group);
    }
    for (g = 0; g < groups; g++) {
        norm_group(normed, width, g * DEN_GROUP, group, norm);
        quantize_group(group, out, g * out->rows + row, fine,
                       fine && largest_in(group) * (float)groups > DEN_FINE_ABOVE * sum);
    }
}

static void quantize_row(const float *input, size_t width, const struct den_activations *out,
                         size_t row)
{
    const struct normed normed = { .input = input };

    if (out->fine)
        quantize_normed(&normed, width, out, row, false, true);
    else
        quantize_piece(input, width, out, row, 0);
}

static void norm_quantize_row(const float *input, const float *weight, float epsilon, size_t width,
                              const struct den_activations *out, size_t row)
{
    float squares = sum_of_squares(input, width);
    const struct normed normed = { input, weight, 1.0f / sqrtf(squares / (float)width + epsilon) };

    if (out->fine)
        quantize_normed(&normed, width, out, row, true, true);
    else
        quantize_normed(&normed, width, out, row, true, false);
}

/* Two vectors of f32 to sixteen i16 in order. */
static inline __m256i words_of(lanes low, lanes high)
{
    __m256i packed = _mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high));

    return _mm256_permute4x64_epi64(packed, 0xD8);
}

static inline void add_magnitudes(const lanes group[VECTORS], lanes most[VECTORS])
{
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
        most[v] = larger_of(most[v], magnitude_of(group[v]));
}

/* Whole groups go through registers of their own: shared with the last group, which is padded in
 * memory, gcc 12 would keep all of them there. */
static float largest_magnitude(const float *input, size_t width)
{
    lanes most[VECTORS] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t k;

    for (k = 0; k + DEN_GROUP <= width; k += DEN_GROUP) {
        lanes group[VECTORS];

        load_group(input + k, group);
        add_magnitudes(group, most);
    }
    if (k < width) {
        lanes rest[VECTORS];

        load_rest(input + k, width - k, rest);
        add_magnitudes(rest, most);
    }
    return largest_of(larger_of(larger_of(most[0], most[1]), larger_of(most[2], most[3])));
}

static inline void store_words(const lanes group[VECTORS], lanes inverse, int16_t *values)
{
    _mm256_storeu_si256((__m256i *)(void *)values,
                        words_of(multiply(group[0], inverse), multiply(group[1], inverse)));
    _mm256_storeu_si256((__m256i *)(void *)(values + DEN_HALF_GROUP),
                        words_of(multiply(group[2], inverse), multiply(group[3], inverse)));
}

static void wide_quantize_row(const float *input, size_t width,
                              const struct den_wide_activations *out, size_t row)
{
    float amax = largest_magnitude(input, width);
    lanes inverse = all_of(amax < SMALLEST ? 0 : DEN_WIDE_MAX / amax);
    int16_t *values = out->values + den_wide_row_at(out, row);
    size_t k;

    out->scales[row] = amax < SMALLEST ? 0 : amax / DEN_WIDE_MAX;
    for (k = 0; k + DEN_GROUP <= width; k += DEN_GROUP) {
        lanes group[VECTORS];

        load_group(input + k, group);
        store_words(group, inverse, values);
        values += DEN_WIDE_ROWS * DEN_GROUP;
    }
    if (k < width) {
        lanes rest[VECTORS];

        load_rest(input + k, width - k, rest);
        store_words(rest, inverse, values);
    }
}

void den_quantize_kernels_avx2(struct den_quantize_kernels *table)
{
    *table = (struct den_quantize_kernels){
        .row = quantize_row,
        .norm_row = norm_quantize_row,
        .piece = quantize_piece,
        .wide_row = wide_quantize_row,
    };
}
