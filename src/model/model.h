/* Model: a decoder's weights on a device and its forward pass.
 *
 * One description covers the whole decoder family (llama, mistral, SmolLM, qwen 2 and 3, gemma 2
 * and 3, phi-3, mixtral, qwen3-moe): what differs between them is data (which norms, which biases,
 * RoPE kind, windows, caps, experts), read from GGUF keys or from config.json by
 * model/description.c. A model is read-only after loading and is shared by all sessions. */
#ifndef DEN_MODEL_MODEL_H
#define DEN_MODEL_MODEL_H

#include "device/device.h"
#include "model/description.h"
#include "tensor/weights.h"

struct den_model;

/* Packs the weights for `device`, which must outlive the model; `weights` may be closed
 * afterwards. No sequence will be longer than `context_tokens` (longrope has other frequencies for
 * long ones). */
enum den_status den_model_create(const struct den_weights *weights, struct den_device *device,
                                 enum den_precision precision, size_t context_tokens,
                                 struct den_model **out, struct den_error *err);
void den_model_destroy(struct den_model *model);
const struct den_description *den_model_description(const struct den_model *model);
enum den_precision den_model_precision(const struct den_model *model);
/* Bytes of weights that one token reads: the numerator of achieved bandwidth. */
size_t den_model_bytes_per_token(const struct den_model *model);

/* Scratch memory of forward passes of up to `rows` rows; one per thread that drives the device. */
struct den_forward;
enum den_status den_forward_create(const struct den_model *model, size_t rows, size_t logit_rows,
                                   struct den_forward **out, struct den_error *err);
void den_forward_destroy(struct den_forward *forward);

struct den_batch {
    struct den_rows where;
    const int32_t *tokens;     /* (rows) */
    const int32_t *logit_rows; /* (logit_count) rows whose logits are wanted, rising */
    size_t logit_count;
    const atomic_bool *cancel; /* looked at between layers; NULL: none */
};
/* Runs the batch, fills the cache, and leaves logits (logit_count, vocabulary) in *out_logits,
 * valid until the next run. When the batch's `cancel` is set, the run ends with DEN_CANCELLED; the
 * cache then holds rubbish at the batch's positions, which the caller must not count as filled. */
enum den_status den_model_run(const struct den_model *model, struct den_forward *forward,
                              struct den_kv_pool *pool, const struct den_batch *batch,
                              const float **out_logits, struct den_error *err);

#endif
