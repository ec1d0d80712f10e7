/* Vectors, scalar: the oracle. Each function is its formula, summed and evaluated in double and
 * rounded once, so that what the instruction sets lose in f32 shows against it. */
#include "kernels/vector.h"

#include <math.h>

#include "tensor/type.h"

static void rms_norm(const float *input, const float *weight, float epsilon, size_t width,
                     float *output)
{
    double squares = 0, scale;
    size_t i;

    for (i = 0; i < width; i++)
        squares += (double)input[i] * input[i];
    scale = 1 / sqrt(squares / (double)width + (double)epsilon);
    for (i = 0; i < width; i++)
        output[i] = (float)(input[i] * scale * (double)weight[i]);
}

static void layer_norm(const float *input, const float *weight, const float *bias, float epsilon,
                       size_t width, float *output)
{
    double sum = 0, squares = 0, mean, scale;
    size_t i;

    for (i = 0; i < width; i++)
        sum += input[i];
    mean = sum / (double)width;
    for (i = 0; i < width; i++)
        squares += (input[i] - mean) * (input[i] - mean);
    scale = 1 / sqrt(squares / (double)width + (double)epsilon);
    for (i = 0; i < width; i++)
        output[i] = (float)((input[i] - mean) * scale * (double)weight[i] + (double)bias[i]);
}

static void gate_silu(const float *gate, const float *up, size_t width, float *output)
{
    size_t i;

    for (i = 0; i < width; i++)
        output[i] = (float)(gate[i] / (1 + exp(-(double)gate[i])) * (double)up[i]);
}

static double gelu_tanh_of(double x)
{
    const double root = 0.79788456080286535588; /* sqrt(2 / pi) */

    return x / 2 * (1 + tanh(root * (x + 0.044715 * x * x * x)));
}

static double gelu_erf_of(double x)
{
    const double root = 0.70710678118654752440; /* 1 / sqrt(2) */

    return x / 2 * erfc(-x * root);
}

static void gate_gelu_tanh(const float *gate, const float *up, size_t width, float *output)
{
    size_t i;

    for (i = 0; i < width; i++)
        output[i] = (float)(gelu_tanh_of(gate[i]) * (double)up[i]);
}

static void gate_gelu_erf(const float *gate, const float *up, size_t width, float *output)
{
    size_t i;

    for (i = 0; i < width; i++)
        output[i] = (float)(gelu_erf_of(gate[i]) * (double)up[i]);
}

static void gelu_tanh(const float *input, size_t width, float *output)
{
    size_t i;

    for (i = 0; i < width; i++)
        output[i] = (float)gelu_tanh_of(input[i]);
}

static void gelu_erf(const float *input, size_t width, float *output)
{
    size_t i;

    for (i = 0; i < width; i++)
        output[i] = (float)gelu_erf_of(input[i]);
}

static void softcap(float *values, size_t count, float cap)
{
    size_t i;

    for (i = 0; i < count; i++)
        values[i] = (float)(cap * tanh((double)values[i] / (double)cap));
}

static void scale_row(const float *input, float scale, size_t count, float *output)
{
    size_t i;

    for (i = 0; i < count; i++)
        output[i] = scale * input[i];
}

static void add_scaled(const float *input, float scale, size_t count, float *output)
{
    size_t i;

    for (i = 0; i < count; i++)
        output[i] += scale * input[i];
}

static void rotate(float *first, float *second, float cosine, float sine)
{
    float a = *first, b = *second;

    *first = a * cosine - b * sine;
    *second = a * sine + b * cosine;
}

static void rotate_split(float *head, const float *cosine, const float *sine, size_t half)
{
    size_t i;

    for (i = 0; i < half; i++)
        rotate(&head[i], &head[i + half], cosine[i], sine[i]);
}

static void rotate_interleaved(float *head, const float *cosine, const float *sine, size_t half)
{
    size_t i;

    for (i = 0; i < half; i++)
        rotate(&head[2 * i], &head[2 * i + 1], cosine[i], sine[i]);
}

static void to_f16(const float *input, size_t count, uint16_t *output)
{
    size_t i;

    for (i = 0; i < count; i++)
        output[i] = den_f32_to_f16(input[i]);
}

static void from_f16(const uint16_t *input, size_t count, float *output)
{
    size_t i;

    for (i = 0; i < count; i++)
        output[i] = den_f16_to_f32(input[i]);
}

void den_vector_kernels_ref(struct den_vector_kernels *table)
{
    *table = (struct den_vector_kernels){
        .rms_norm = rms_norm,
        .layer_norm = layer_norm,
        .gate_silu = gate_silu,
        .gate_gelu_tanh = gate_gelu_tanh,
        .gate_gelu_erf = gate_gelu_erf,
        .gelu_tanh = gelu_tanh,
        .gelu_erf = gelu_erf,
        .softcap = softcap,
        .scale = scale_row,
        .add_scaled = add_scaled,
        .rotate_split = rotate_split,
        .rotate_interleaved = rotate_interleaved,
        .to_f16 = to_f16,
        .from_f16 = from_f16,
    };
}
