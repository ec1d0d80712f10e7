/* Attention, scalar: the oracle. */
#include "kernels/attention.h"

#include <math.h>

#include "tensor/type.h"

enum kind { IS_F16, IS_F32, IS_I8 };

static float right_value(const struct den_small_product *product, size_t index, enum kind kind)
{
    if (kind == IS_F16)
        return den_f16_to_f32(((const uint16_t *)product->right)[index]);
    return kind == IS_F32 ? ((const float *)product->right)[index]
                          : ((const int8_t *)product->right)[index];
}

static void multiply(const struct den_small_product *product, enum kind kind)
{
    size_t query, column, k;

    for (query = 0; query < product->queries; query++) {
        const float *left = product->left + query * product->left_stride;
        float *output = product->output + query * product->output_stride;

        for (column = 0; column < product->columns; column++) {
            float sum = product->accumulate ? output[column] : 0;

            for (k = 0; k < product->depth; k++)
                sum += left[k] * right_value(product, k * product->right_stride + column, kind);
            output[column] = sum;
        }
    }
}

static void multiply_f16(const struct den_small_product *product)
{
    multiply(product, IS_F16);
}

static void multiply_f32(const struct den_small_product *product)
{
    multiply(product, IS_F32);
}

static void multiply_i8(const struct den_small_product *product)
{
    multiply(product, IS_I8);
}

static void scale_columns(float *values, size_t stride, size_t rows, size_t columns,
                          const float *scale)
{
    size_t row, column;

    for (row = 0; row < rows; row++)
        for (column = 0; column < columns; column++)
            values[row * stride + column] *= scale[column];
}

static float quantize(const float *values, size_t count, int8_t *codes)
{
    float largest = 0, inverse;
    size_t i;

    for (i = 0; i < count; i++)
        largest = fabsf(values[i]) > largest ? fabsf(values[i]) : largest;
    inverse = largest > DEN_CODES_LARGEST_MIN ? 127 / largest : 0;
    for (i = 0; i < count; i++)
        codes[i] = (int8_t)nearbyintf(values[i] * inverse);
    return largest / 127;
}

static float softmax(float *scores, size_t count, float scale, float softcap,
                     struct den_softmax *state)
{
    float maximum = state->maximum, shrink;
    double sum = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        scores[i] *= scale;
        if (softcap > 0)
            scores[i] = (float)(softcap * tanh((double)scores[i] / (double)softcap));
        if (scores[i] > maximum)
            maximum = scores[i];
    }
    for (i = 0; i < count; i++) {
        scores[i] = (float)exp((double)scores[i] - (double)maximum);
        sum += scores[i];
    }
    shrink = (float)exp((double)state->maximum - (double)maximum);
    state->sum = (float)(state->sum * (double)shrink + sum);
    state->maximum = maximum;
    return shrink;
}

void den_attention_kernels_ref(struct den_attention_kernels *table)
{
    *table = (struct den_attention_kernels){
        .multiply_f16 = multiply_f16,
        .multiply_f32 = multiply_f32,
        .multiply_i8 = multiply_i8,
        .scale_columns = scale_columns,
        .quantize = quantize,
        .softmax = softmax,
    };
}
