/* Vectors: norms, gated activations, rotation and conversion of rows of f32, the arithmetic between
 * the matrix products.
 *
 * Each function works on one row, touches nothing else and may be called from any thread. Rows need
 * no alignment and may have any width. `output` may be the same row as an input, never an
 * overlapping one. The result of a row does not depend on how many other rows there are.
 *
 * Accuracy. ref/ computes in double where a sum or a function is involved. The x86 sets compute in
 * f32: sums run in 16 (AVX2: 32) partial sums, exp and its kin are polynomials with a relative
 * error below 1e-6 (tests/unit/kernels/test_vector.c holds them to it). */
#ifndef DEN_KERNELS_VECTOR_H
#define DEN_KERNELS_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* output[i] = f(gate[i]) * up[i] */
typedef void (*den_gate_kernel)(const float *gate, const float *up, size_t width, float *output);

struct den_vector_kernels {
    /* output[i] = input[i] / sqrt(mean(input^2) + epsilon) * weight[i] */
    void (*rms_norm)(const float *input, const float *weight, float epsilon, size_t width,
                     float *output);
    /* output[i] = (input[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i] */
    void (*layer_norm)(const float *input, const float *weight, const float *bias, float epsilon,
                       size_t width, float *output);

    den_gate_kernel gate_silu;      /* x / (1 + exp(-x)) */
    den_gate_kernel gate_gelu_tanh; /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) */
    den_gate_kernel gate_gelu_erf;  /* x / 2 * (1 + erf(x / sqrt(2))) */

    /* the same two without a gate: output[i] = f(input[i]) */
    void (*gelu_tanh)(const float *input, size_t width, float *output);
    void (*gelu_erf)(const float *input, size_t width, float *output);

    /* values[i] = cap * tanh(values[i] / cap), cap > 0 */
    void (*softcap)(float *values, size_t count, float cap);
    /* output[i] = scale * input[i] */
    void (*scale)(const float *input, float scale, size_t count, float *output);
    /* output[i] += scale * input[i] */
    void (*add_scaled)(const float *input, float scale, size_t count, float *output);

    /* Rotates `half` pairs of a head by angles given as cosine and sine: pairs (i, i + half), or
     * (2i, 2i + 1) where the model interleaves them. */
    void (*rotate_split)(float *head, const float *cosine, const float *sine, size_t half);
    void (*rotate_interleaved)(float *head, const float *cosine, const float *sine, size_t half);

    /* IEEE half precision, round to nearest even; overflow becomes infinity */
    void (*to_f16)(const float *input, size_t count, uint16_t *output);
    void (*from_f16)(const uint16_t *input, size_t count, float *output);
};

/* Each fills all members. The x86 ones may be called only where the processor has the set
 * (kernels/dispatch.c sees to that). */
void den_vector_kernels_ref(struct den_vector_kernels *table);
void den_vector_kernels_avx2(struct den_vector_kernels *table);
void den_vector_kernels_avx512(struct den_vector_kernels *table);

#endif
