/* Quantization of activations: the scalar oracle (matmul.h has the contract). */
#include <math.h>

#include "kernels/ref/kernels_ref.h"

static const float SMALLEST = 1e-30f; /* 127 / amax stays far from overflow */
static const float FINE_STEPS = 256;

/* The code of what rounding left, -0.5 .. 0.5. */
static int8_t fine_of(float rest)
{
    return (int8_t)fmaxf(-127, fminf(127, rintf(rest * FINE_STEPS)));
}

static float largest_magnitude(const float *input, size_t count)
{
    float amax = 0;
    size_t k;

    for (k = 0; k < count; k++)
        amax = fmaxf(amax, fabsf(input[k]));
    return amax;
}

/* `count` of 32 values; the others count as zeros. `fine`: its fine codes are not zero. */
static void quantize_group(const float *input, size_t count, const struct den_activations *out,
                           size_t row, size_t group, bool fine)
{
    size_t at = group * out->rows + row;
    int8_t *values = out->values + at * DEN_GROUP;
    int32_t sums[2] = { 0, 0 };
    float amax = largest_magnitude(input, count), step;
    float inverse = amax < SMALLEST ? 0 : 127.0f / amax;
    size_t k;

    for (k = 0; k < DEN_GROUP; k++) {
        float scaled = k < count && inverse > 0 ? input[k] * inverse : 0;

        values[k] = (int8_t)rintf(scaled);
        sums[k / DEN_HALF_GROUP] += out->fine ? 256 * values[k] : values[k];
        if (!out->fine)
            continue;
        out->fine[at * DEN_GROUP + k] = fine ? fine_of(scaled - rintf(scaled)) : 0;
        sums[k / DEN_HALF_GROUP] += out->fine[at * DEN_GROUP + k];
    }
    if (out->fine)
        out->has_fine[at] = fine;
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
                       (column + k) / DEN_GROUP, true);
}

/* f(input) of one row, f being a product with a factor and, if there is one, a weight. */
struct normed {
    const float *input;
    const float *weight; /* or NULL: no norm */
    float factor;
};

/* Values [k, k + 32), cut at `width`; returns how many. */
static size_t norm_group(const struct normed *normed, size_t width, size_t k, float *out)
{
    size_t count = width - k < DEN_GROUP ? width - k : (size_t)DEN_GROUP, i;

    for (i = 0; i < count; i++)
        out[i] = normed->weight ? normed->input[k + i] * normed->factor * normed->weight[k + i]
                                : normed->input[k + i];
    return count;
}

static void quantize_normed(const struct normed *normed, size_t width,
                            const struct den_activations *out, size_t row)
{
    size_t groups = (width + DEN_GROUP - 1) / DEN_GROUP, g, count;
    float values[DEN_GROUP], sum = 0;

    for (g = 0; g < groups; g++) {
        count = norm_group(normed, width, g * DEN_GROUP, values);
        sum += largest_magnitude(values, count);
    }
    for (g = 0; g < groups; g++) {
        count = norm_group(normed, width, g * DEN_GROUP, values);
        quantize_group(values, count, out, row, g,
                       largest_magnitude(values, count) * (float)groups > DEN_FINE_ABOVE * sum);
    }
}

static void quantize_row(const float *input, size_t width, const struct den_activations *out,
                         size_t row)
{
    quantize_normed(&(struct normed){ .input = input }, width, out, row);
}

static void norm_quantize_row(const float *input, const float *weight, float epsilon, size_t width,
                              const struct den_activations *out, size_t row)
{
    double sum = 0;
    size_t k;

    for (k = 0; k < width; k++)
        sum += (double)input[k] * (double)input[k];
    quantize_normed(&(struct normed){ input, weight,
                                      (float)(1.0 / sqrt(sum / (double)width + (double)epsilon)) },
                    width, out, row);
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
