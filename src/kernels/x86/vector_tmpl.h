/* Vectors for one x86 instruction set; the contract is kernels/vector.h. Included by vector_avx2.c
 * and vector_avx512.c after their lanes, with FILL naming the function that fills the table.
 *
 * Each row is walked in whole vectors with one partial vector at the end, so that any width goes.
 */
#include "kernels/vector.h"

#include <math.h>

#include "kernels/x86/functions_tmpl.h"

static float sum_of_squares(const float *input, size_t width, lanes mean)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i = 0, j;

    for (; i + 4 * LANES <= width; i += 4 * LANES)
        for (j = 0; j < 4; j++) {
            lanes x = subtract(load(input + i + j * LANES), mean);

            sums[j] = fused(x, x, sums[j]);
        }
    for (; i + LANES <= width; i += LANES) {
        lanes x = subtract(load(input + i), mean);

        sums[0] = fused(x, x, sums[0]);
    }
    if (i < width) {
        lanes x = subtract(load_some(input + i, width - i, mean), mean);

        sums[1] = fused(x, x, sums[1]);
    }
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

static float sum(const float *input, size_t width)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i = 0, j;

    for (; i + 4 * LANES <= width; i += 4 * LANES)
        for (j = 0; j < 4; j++)
            sums[j] = add(sums[j], load(input + i + j * LANES));
    for (; i + LANES <= width; i += LANES)
        sums[0] = add(sums[0], load(input + i));
    if (i < width)
        sums[1] = add(sums[1], load_some(input + i, width - i, all_of(0)));
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

static void rms_norm(const float *input, const float *weight, float epsilon, size_t width,
                     float *output)
{
    float squares = sum_of_squares(input, width, all_of(0));
    lanes scale = all_of(1 / sqrtf(squares / (float)width + epsilon));
    size_t i;

    for (i = 0; i + LANES <= width; i += LANES)
        store(output + i, multiply(multiply(load(input + i), scale), load(weight + i)));
    if (i < width)
        store_some(output + i, width - i,
                   multiply(multiply(load_some(input + i, width - i, scale), scale),
                            load_some(weight + i, width - i, scale)));
}

static void layer_norm(const float *input, const float *weight, const float *bias, float epsilon,
                       size_t width, float *output)
{
    lanes mean = all_of(sum(input, width) / (float)width);
    float squares = sum_of_squares(input, width, mean);
    lanes scale = all_of(1 / sqrtf(squares / (float)width + epsilon));
    size_t i;

    for (i = 0; i + LANES <= width; i += LANES)
        store(output + i, fused(multiply(subtract(load(input + i), mean), scale), load(weight + i),
                                load(bias + i)));
    if (i < width) {
        size_t rest = width - i;
        lanes x = multiply(subtract(load_some(input + i, rest, mean), mean), scale);

        store_some(output + i, rest,
                   fused(x, load_some(weight + i, rest, mean), load_some(bias + i, rest, mean)));
    }
}

static inline lanes silu_lanes(lanes x)
{
    return divide(x, add(all_of(1), exp_lanes(subtract(all_of(0), x))));
}

/* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)), without the cancellation */
static inline lanes gelu_tanh_lanes(lanes x)
{
    const lanes root = all_of(-1.5957691216f), cubic = all_of(-0.0713548163f); /* -2 sqrt(2/pi) */
    lanes twice = multiply(x, fused(cubic, multiply(x, x), root));

    return divide(x, add(all_of(1), exp_lanes(twice)));
}

static inline lanes gelu_erf_lanes(lanes x)
{
    lanes tail = multiply(all_of(0.5f), erfc_lanes(multiply(magnitude_of(x), all_of(0.70710678f))));

    return multiply(x, if_less(x, all_of(0), tail, subtract(all_of(1), tail)));
}

#define DEFINE_GATE(function)                                                                      \
    static void gate_##function(const float *gate, const float *up, size_t width, float *output)   \
    {                                                                                              \
        size_t i;                                                                                  \
                                                                                                   \
        for (i = 0; i + LANES <= width; i += LANES)                                                \
            store(output + i, multiply(function##_lanes(load(gate + i)), load(up + i)));           \
        if (i < width) {                                                                           \
            lanes x = function##_lanes(load_some(gate + i, width - i, all_of(0)));                 \
                                                                                                   \
            store_some(output + i, width - i, multiply(x, load_some(up + i, width - i, x)));       \
        }                                                                                          \
    }

DEFINE_GATE(silu)
DEFINE_GATE(gelu_tanh)
DEFINE_GATE(gelu_erf)

#define DEFINE_ACTIVATION(function)                                                                \
    static void function(const float *input, size_t width, float *output)                          \
    {                                                                                              \
        size_t i;                                                                                  \
                                                                                                   \
        for (i = 0; i + LANES <= width; i += LANES)                                                \
            store(output + i, function##_lanes(load(input + i)));                                  \
        if (i < width)                                                                             \
            store_some(output + i, width - i,                                                      \
                       function##_lanes(load_some(input + i, width - i, all_of(0))));              \
    }

DEFINE_ACTIVATION(gelu_tanh)
DEFINE_ACTIVATION(gelu_erf)

static void softcap(float *values, size_t count, float cap)
{
    lanes limit = all_of(cap), inverse = all_of(1 / cap);
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES)
        store(values + i, multiply(limit, tanh_lanes(multiply(load(values + i), inverse))));
    if (i < count) {
        lanes x = load_some(values + i, count - i, limit);

        store_some(values + i, count - i, multiply(limit, tanh_lanes(multiply(x, inverse))));
    }
}

static void scale_row(const float *input, float scale, size_t count, float *output)
{
    lanes factor = all_of(scale);
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES)
        store(output + i, multiply(load(input + i), factor));
    if (i < count)
        store_some(output + i, count - i,
                   multiply(load_some(input + i, count - i, factor), factor));
}

static void add_scaled(const float *input, float scale, size_t count, float *output)
{
    lanes factor = all_of(scale);
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES)
        store(output + i, fused(load(input + i), factor, load(output + i)));
    if (i < count) {
        lanes before = load_some(output + i, count - i, factor);

        store_some(output + i, count - i,
                   fused(load_some(input + i, count - i, factor), factor, before));
    }
}

static inline void rotate(lanes *a, lanes *b, lanes cosine, lanes sine)
{
    lanes first = *a, second = *b;

    *a = fused_minus(second, sine, multiply(first, cosine));
    *b = fused(second, cosine, multiply(first, sine));
}

static void rotate_split(float *head, const float *cosine, const float *sine, size_t half)
{
    lanes a, b, zero = all_of(0);
    size_t i, rest;

    for (i = 0; i + LANES <= half; i += LANES) {
        a = load(head + i);
        b = load(head + half + i);
        rotate(&a, &b, load(cosine + i), load(sine + i));
        store(head + i, a);
        store(head + half + i, b);
    }
    if (i == half)
        return;
    rest = half - i;
    a = load_some(head + i, rest, zero);
    b = load_some(head + half + i, rest, zero);
    rotate(&a, &b, load_some(cosine + i, rest, zero), load_some(sine + i, rest, zero));
    store_some(head + i, rest, a);
    store_some(head + half + i, rest, b);
}

static void rotate_interleaved(float *head, const float *cosine, const float *sine, size_t half)
{
    float copy[2 * LANES] = { 0 };
    lanes a, b, zero = all_of(0);
    size_t i, j;

    for (i = 0; i + LANES <= half; i += LANES) {
        split_pairs(head + 2 * i, &a, &b);
        rotate(&a, &b, load(cosine + i), load(sine + i));
        join_pairs(head + 2 * i, a, b);
    }
    if (i == half)
        return;
    for (j = 2 * i; j < 2 * half; j++)
        copy[j - 2 * i] = head[j];
    split_pairs(copy, &a, &b);
    rotate(&a, &b, load_some(cosine + i, half - i, zero), load_some(sine + i, half - i, zero));
    join_pairs(copy, a, b);
    for (j = 2 * i; j < 2 * half; j++)
        head[j] = copy[j - 2 * i];
}

static void to_f16(const float *input, size_t count, uint16_t *output)
{
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES)
        store_half(output + i, load(input + i));
    if (i < count)
        store_half_some(output + i, count - i, load_some(input + i, count - i, all_of(0)));
}

static void from_f16(const uint16_t *input, size_t count, float *output)
{
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES)
        store(output + i, load_half(input + i));
    if (i < count)
        store_some(output + i, count - i, load_half_some(input + i, count - i));
}

void FILL(struct den_vector_kernels *table)
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
