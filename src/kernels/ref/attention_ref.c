/* Attention, scalar: the oracle. */
#include "kernels/attention.h"

#include <math.h>

#include "tensor/type.h"

static float right_value(const struct den_small_product *product, size_t index, int half)
{
    if (half)
        return den_f16_to_f32(((const uint16_t *)product->right)[index]);
    return ((const float *)product->right)[index];
}

static void multiply(const struct den_small_product *product, int half)
{
    size_t query, column, k;

    for (query = 0; query < product->queries; query++) {
        const float *left = product->left + query * product->left_stride;
        float *output = product->output + query * product->output_stride;

        for (column = 0; column < product->columns; column++) {
            float sum = product->accumulate ? output[column] : 0;

            for (k = 0; k < product->depth; k++)
                sum += left[k] * right_value(product, k * product->right_stride + column, half);
            output[column] = sum;
        }
    }
}

static void multiply_f16(const struct den_small_product *product)
{
    multiply(product, 1);
}

static void multiply_f32(const struct den_small_product *product)
{
    multiply(product, 0);
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
        .softmax = softmax,
    };
}
