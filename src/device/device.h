/* Device: where arithmetic runs. A model's forward pass is written once against these operations;
 * each device (cpu/, later cuda/, npu/, cim/) implements them. Operations are coarse and fused,
 * because what costs is memory traffic and barriers: a norm is folded into the product that reads
 * it, an activation into the product that consumes it, a residual into the product that adds to it.
 * All activations are f32 rows in device memory; rows are tokens of one batch.
 *
 * Operations run in the order given and are complete when a call returns. They do not fail:
 * everything that can is checked at creation. Nothing here allocates after den_device_workspace().
 */
#ifndef DEN_DEVICE_DEVICE_H
#define DEN_DEVICE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "device/kv_pool.h" /* IWYU pragma: export */
#include "tensor/tensor.h"

struct den_packed_store; /* tensor/packed_store.h */
struct den_weights;
struct den_device;
struct den_matrix; /* weights packed for this device */

enum den_precision {
    DEN_PRECISION_INT8, /* quantized weights meet int8 activations; f16 KV cache: the default */
    DEN_PRECISION_FP32, /* everything in f32: the reference mode */
    DEN_PRECISION_INT16 /* weights of any type and activations as 13-bit codes: encoders */
};

struct den_device_options {
    int threads; /* 0: one for each core that this process may use */
    const char *
        cpu_features; /* "avx2,fma,f16c" masks what the CPU has; NULL: all it has; "scalar": none */
    struct den_packed_store *packed; /* where weights are kept packed; NULL: nowhere. The caller's,
                                        and outlives the device */
};

enum den_status den_device_create(const struct den_device_options *options, struct den_device **out,
                                  struct den_error *err);
void den_device_destroy(struct den_device *device);
int den_device_threads(const struct den_device *device);
const char *den_device_features(
    const struct den_device *device); /* the instruction sets in use, comma-separated */
/* Makes room for operations on up to `rows` rows of inputs up to `width_max` wide (in, of any
 * matrix), with up to `heads` query heads of keys and values up to `head_width` wide. What there is
 * room for already stays. */
enum den_status den_device_workspace(struct den_device *device, size_t rows, size_t width_max,
                                     size_t heads, size_t head_width, struct den_error *err);

/* --- weights --- */

/* Around the loading of a model: what is packed between the two is looked for in the device's
 * packed store, or put there. Loading works the same without them, and without a store. */
void den_device_begin_weights(struct den_device *device, const struct den_weights *weights,
                              enum den_precision precision);
void den_device_end_weights(struct den_device *device);

/* Packs `count` tensors with equal size[0], stacked along the outputs in order (Q, K, V become one
 * product). Where their types differ they are kept as parts of one matrix. */
enum den_status den_matrix_create(struct den_device *device,
                                  const struct den_tensor *const *tensors, int count,
                                  enum den_precision precision, struct den_matrix **out,
                                  struct den_error *err);
void den_matrix_destroy(struct den_matrix *matrix);
size_t den_matrix_in(const struct den_matrix *matrix);
size_t den_matrix_out(const struct den_matrix *matrix);
size_t den_matrix_bytes(
    const struct den_matrix *matrix); /* read once per product: the roofline's numerator */

/* --- operations --- */

enum den_activation {
    DEN_ACTIVATION_NONE,
    DEN_ACTIVATION_SILU,
    DEN_ACTIVATION_GELU_TANH,
    DEN_ACTIVATION_GELU_ERF
};

struct den_norm {
    const float *weight; /* (width); NULL: no normalisation */
    const float *bias;   /* (width); not NULL: LayerNorm (subtracts the mean); NULL: RMSNorm */
    float epsilon;
};

/* output[r] = [output[r] +] scale[r] * (W · f(input[r]) + bias), where f is a norm, or a gated
 * activation gate(input[r][0 .. in)) * input[r][in .. 2 in), or an activation without a gate
 * (GELU_TANH, GELU_ERF), or nothing. */
struct den_linear {
    const struct den_matrix *matrix;
    size_t rows;
    const float *input; /* (rows, input_stride) */
    size_t input_stride;
    struct den_norm norm;
    enum den_activation gate; /* not NONE: input rows are (gate, up), each `in` wide */
    enum den_activation activation;
    bool fine;         /* where f(input) is to be int8: 15 bits instead, for twice the arithmetic */
    const float *bias; /* (out) or NULL */
    float *output;     /* (rows, output_stride) */
    size_t output_stride;
    bool accumulate; /* add to the output: the residual */
    /* mixture of experts; each NULL or (rows): which input row feeds r, which output row receives
     * it, times what */
    const int32_t *input_rows;
    const int32_t *output_rows;
    const float *scales;
};
void den_device_linear(struct den_device *device, const struct den_linear *op);

/* output[r] = scale * row tokens[r] of the matrix (packed from token_embd.weight). */
struct den_embed {
    const struct den_matrix *matrix;
    const int32_t *tokens; /* (rows) */
    size_t rows;
    float scale;
    float *output; /* (rows, output_stride) */
    size_t output_stride;
};
void den_device_embed(struct den_device *device, const struct den_embed *op);

/* output[r] = [output[r] +] norm(input[r]); input and output may be the same when not accumulating.
 */
struct den_normalize {
    struct den_norm norm;
    const float *input; /* (rows, width) */
    size_t rows;
    size_t width;
    float *output; /* (rows, width) */
    bool accumulate;
};
void den_device_norm(struct den_device *device, const struct den_normalize *op);

/* logits = cap * tanh(logits / cap) over (rows, width). */
void den_device_softcap(struct den_device *device, float *values, size_t rows, size_t width,
                        float cap);

/* --- key/value cache (kv_pool.h) --- */

/* Where each row of a batch lives. Rows of one sequence are contiguous and in rising positions. */
struct den_rows {
    size_t rows;
    const int32_t *position; /* (rows) position in its sequence */
    const int32_t *sequence; /* (rows) index into `pages` */
    const int32_t *const
        *pages; /* (sequences) page table: page of position p is pages[s][p / page_tokens] */
};

/* Rotates queries and keys, normalising each head first where the model does, and writes keys and
 * values to the cache. */
struct den_rope {
    const struct den_rows *where;
    float *
        qkv; /* (rows, stride): query heads, key heads, value heads; queries are rotated in place */
    size_t stride;
    size_t heads;
    size_t kv_heads;
    size_t head_width;
    size_t value_width;
    const float *query_norm; /* (head_width) or NULL; RMSNorm per head */
    const float *key_norm;
    float norm_epsilon;
    size_t rotary_width; /* rotated elements of a head; 0: no RoPE in this layer */
    bool interleaved; /* pairs (2i, 2i+1), as llama's GGUF has them; else (i, i + rotary_width/2) */
    const float *inverse_frequency; /* (rotary_width / 2), scaling already applied */
    float magnitude;                /* multiplies cos and sin (YaRN, longrope); 1 else */
    struct den_kv_pool *pool;
    size_t layer;
};
void den_device_rope(struct den_device *device, const struct den_rope *op);

/* Causal attention of every row over its own sequence, its own position included. */
struct den_attention {
    const struct den_rows *where;
    const float *queries; /* (rows, stride), rotated */
    size_t stride;
    size_t heads;
    float scale;   /* of the scores */
    float softcap; /* 0: none */
    size_t window; /* 0: whole sequence; else the last `window` positions */
    const struct den_kv_pool *pool;
    size_t layer;
    float *output; /* (rows, heads * value_width) */
};
void den_device_attention(struct den_device *device, const struct den_attention *op);

#endif
