/* Quantization of activations: the scalar oracle (matmul.h has the contract). */
#include <math.h>

#include "kernels/ref/kernels_ref.h"

static const float SMALLEST = 1e-30f; /* 127 / amax stays far from overflow */
static const float FINE_STEPS = 256;

/* Writes and returns the code of what rounding left, -0.5 .. 0.5. */
static int fine_of(float rest, int8_t *out)
{
    *out = (int8_t)fmaxf(-127, fminf(127, rintf(rest * FINE_STEPS)));
    return *out;
}

/* `count` of 32 values; the others count as zeros. */
static void quantize_group(const float *input, size_t count, const struct den_activations *out,
                           size_t row, size_t group)
{
    size_t at = group * out->rows + row;
    int8_t *values = out->values + at * DEN_GROUP;
    int32_t sums[2] = { 0, 0 };
    float amax = 0;
    float inverse, step;
    size_t k;

    for (k = 0; k < count; k++)
        amax = fmaxf(amax, fabsf(input[k]));
    inverse = amax < SMALLEST ? 0 : 127.0f / amax;
    for (k = 0; k < DEN_GROUP; k++) {
        float scaled = k < count && inverse > 0 ? input[k] * inverse : 0;

        values[k] = (int8_t)rintf(scaled);
        sums[k / DEN_HALF_GROUP] += out->fine ? 256 * values[k] : values[k];
        if (out->fine)
            sums[k / DEN_HALF_GROUP] +=
                fine_of(scaled - rintf(scaled), out->fine + at * DEN_GROUP + k);
    }
    step = amax / 127.0f;
    if (out->fine)
        step /= FINE_STEPS;
    out->scales[at] = inverse > 0 ? step : 0;
    out->scaled_sums[at] = out->scales[at] * (float)(sums[0] + sums[1]);
    out->biases[2 * at] = -8 * sums[0];
    out->biases[2 * at + 1] = -8 * sums[1];
}

static void quantize_piece(const float *input, size_t count, const struct den_activations *out,
                           size_t row, size_t column)
{
    size_t k;

    for (k = 0; k < count; k += DEN_GROUP)
        quantize_group(input + k, count - k < DEN_GROUP ? count - k : (size_t)DEN_GROUP, out, row,
                       (column + k) / DEN_GROUP);
}

static void quantize_row(const float *input, size_t width, const struct den_activations *out,
                         size_t row)
{
    quantize_piece(input, width, out, row, 0);
}

static void norm_quantize_row(const float *input, const float *weight, float epsilon, size_t width,
                              const struct den_activations *out, size_t row)
{
    float normed[DEN_GROUP];
    double sum = 0;
    float factor;
    size_t k;

    for (k = 0; k < width; k++)
        sum += (double)input[k] * (double)input[k];
    factor = (float)(1.0 / sqrt(sum / (double)width + (double)epsilon));
    for (k = 0; k < width; k++) {
        normed[k % DEN_GROUP] = input[k] * factor * weight[k];
        if (k % DEN_GROUP == DEN_GROUP - 1 || k + 1 == width)
            quantize_group(normed, k % DEN_GROUP + 1, out, row, k / DEN_GROUP);
    }
}

static void wide_quantize_row(const float *input, size_t width,
                              const struct den_wide_activations *out, size_t row)
{
    int16_t *values = out->values + den_wide_row_at(out, row);
    float amax = 0, inverse;
    size_t k;

    for (k = 0; k < width; k++)
        amax = fmaxf(amax, fabsf(input[k]));
    inverse = amax < SMALLEST ? 0 : DEN_WIDE_MAX / amax;
    out->scales[row] = inverse > 0 ? amax / DEN_WIDE_MAX : 0;
    for (k = 0; k < out->in_padded; k++)
        values[k / DEN_GROUP * DEN_WIDE_ROWS * DEN_GROUP + k % DEN_GROUP] =
            (int16_t)(k < width && inverse > 0 ? rintf(input[k] * inverse) : 0);
}

void den_quantize_kernels_ref(struct den_quantize_kernels *table)
{
    *table = (struct den_quantize_kernels){
        .row = quantize_row,
        .norm_row = norm_quantize_row,
        .piece = quantize_piece,
        .wide_row = wide_quantize_row,
    };
}
