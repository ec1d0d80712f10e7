/* Description: all that distinguishes one decoder from another, as data. */
#ifndef DEN_MODEL_DESCRIPTION_H
#define DEN_MODEL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"
#include "tensor/weights.h"

struct den_description {
    char architecture[32]; /* "llama", "qwen3", "gemma3" ... GGUF's name for it */
    char name[128];        /* general.name or the folder's */
    size_t layers;
    size_t width;
    size_t heads;
    size_t kv_heads;
    size_t head_width;
    size_t value_width;
    size_t ffn_width;
    size_t vocabulary;
    size_t context_tokens; /* trained with */
    size_t parameters;
    float norm_epsilon;
    float embed_scale;     /* gemma: sqrt(width); else 1 */
    float attention_scale; /* 1 / sqrt(head_width) but for gemma */
    float attention_softcap;
    float logit_softcap;
    float logit_scale;
    enum den_activation activation;
    bool tied_embeddings;
    bool norm_plus_one;  /* weights stored without gemma's + 1 (Hugging Face folders) */
    bool post_norms;     /* gemma: norms after attention and after the feed-forward */
    bool head_norms;     /* qwen3, gemma 3: RMSNorm of each query and key head */
    bool attention_bias; /* qwen2 */
    /* RoPE */
    bool rope_interleaved;
    size_t rotary_width;
    double rope_base;
    double rope_base_local; /* gemma 3's windowed layers; 0: the same */
    /* windows: layer l attends to `window` positions unless (l + 1) % window_period == 0; period 0:
     * all layers windowed */
    size_t window;
    size_t window_period;
    /* experts */
    size_t experts;
    size_t experts_used;
    size_t expert_width;
    bool expert_renormalise; /* softmax over the chosen ones (mixtral; qwen3 with norm_topk_prob) */
};

/* Reads and checks everything (GGUF keys or config.json); DEN_UNSUPPORTED names the architecture
 * and those there are. */
enum den_status den_description_read(const struct den_weights *weights, struct den_description *out,
                                     struct den_error *err);
/* (rotary_width / 2) inverse frequencies of `layer` with the model's scaling (linear, llama3, yarn,
 * longrope) applied. */
enum den_status den_description_rope(const struct den_weights *weights,
                                     const struct den_description *description, size_t layer,
                                     float *out_inverse_frequency, float *out_magnitude,
                                     struct den_error *err);

#endif
