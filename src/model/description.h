/* Description: all that distinguishes one decoder from another, as data.
 *
 * The forward pass of forward.c is written once. What differs between llama, qwen, gemma, phi and
 * the mixtures of experts (which norms, which biases, how positions are rotated, which layers look
 * back how far, how many experts) is read from GGUF keys (description_gguf.c) or from config.json
 * (description_config.c) into this struct, and checked (description.c). Nothing here is believed
 * before den_description_check() has passed it: sizes are bounded, widths divide, counts are not
 * zero. That the tensors have the sizes described is layout.c's business. */
#ifndef DEN_MODEL_DESCRIPTION_H
#define DEN_MODEL_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"
#include "tensor/weights.h"

/* How RoPE's frequencies are stretched to contexts longer than the model was first trained with.
 * "dynamic" NTK scaling is NONE: it changes nothing within the trained context, and an engine
 * refuses a longer one. */
enum den_rope_kind {
    DEN_ROPE_NONE,
    DEN_ROPE_LINEAR,
    DEN_ROPE_LLAMA3,
    DEN_ROPE_YARN,
    DEN_ROPE_LONGROPE
};

struct den_rope_scaling {
    enum den_rope_kind kind;
    double factor;
    double low_frequency_factor; /* llama3 */
    double high_frequency_factor;
    double original_context; /* tokens; llama3, YaRN, longrope */
    double beta_fast;        /* YaRN */
    double beta_slow;
    double magnitude; /* of cos and sin, where the file states it; 0: the kind's own formula */
    bool exact_range; /* YaRN: the range of the ramp isn't rounded to whole dimensions */
};

/* What a layer has that its neighbours may not. */
enum den_layer_flag {
    DEN_LAYER_WINDOWED = 1, /* attends to the last `window` positions only */
    DEN_LAYER_NO_ROPE = 2,  /* SmolLM3: every fourth layer */
    DEN_LAYER_DENSE = 4     /* in a mixture of experts: an ordinary feed-forward */
};

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
    double rope_base_local; /* gemma 3's windowed layers, never scaled; 0: as the others */
    struct den_rope_scaling rope;
    size_t window; /* of layers with DEN_LAYER_WINDOWED; 0: no layer has it */
    /* experts */
    size_t experts;
    size_t experts_used;
    size_t expert_width;
    bool expert_renormalise; /* softmax over the chosen ones (mixtral; qwen3 with norm_topk_prob) */
    uint8_t layer_flags[DEN_LAYERS_MAX]; /* of enum den_layer_flag */
};

/* One architecture: its GGUF name, config.json's model_type, and what neither file says. */
struct den_architecture {
    const char *gguf;
    const char *config;
    bool rope_interleaved; /* in GGUF; folders never are */
    bool gemma;            /* GELU, scaled embeddings, folders' norms without + 1, tied head */
    bool post_norms;
    bool head_norms;
    size_t full_period;    /* one layer in so many is not windowed; 0: all are (if any is) */
    size_t no_rope_period; /* one layer in so many has no RoPE */
};

/* Reads and checks everything (GGUF keys or config.json); DEN_UNSUPPORTED names the architecture
 * and those there are. */
enum den_status den_description_read(const struct den_weights *weights, struct den_description *out,
                                     struct den_error *err);
/* Fills the description from one form or the other; called by den_description_read(), which checks
 * the result. `out` comes zeroed but for what `architecture` says. */
enum den_status den_description_read_gguf(const struct den_weights *weights,
                                          const struct den_architecture *architecture,
                                          struct den_description *out, struct den_error *err);
enum den_status den_description_read_config(const struct den_weights *weights,
                                            const struct den_architecture *architecture,
                                            struct den_description *out, struct den_error *err);
/* DEN_BAD_FILE names the first value that can't be. */
enum den_status den_description_check(const struct den_description *description,
                                      struct den_error *err);
/* The window of a layer in tokens; 0: the whole sequence. */
size_t den_description_window(const struct den_description *description, size_t layer);

#endif
