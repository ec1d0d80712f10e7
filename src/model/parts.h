/* The inside of a model, shared by the files of this room. */
#ifndef DEN_MODEL_PARTS_H
#define DEN_MODEL_PARTS_H

#include "model/model.h"
#include "model/rope.h"

/* One layer. Vectors are f32 and live in the model's arena; NULL where the model has none. */
struct den_layer {
    const float *attention_norm; /* (width) */
    struct den_matrix *qkv;      /* (width, heads * head_width + kv_heads * (head + value width)) */
    const float *qkv_bias;
    const float *query_norm;   /* (head_width) */
    const float *key_norm;     /* (head_width) */
    struct den_matrix *output; /* (heads * value_width, width) */
    const float *output_bias;
    const float *post_attention_norm; /* (width) */
    const float *ffn_norm;            /* (width) */
    const float *post_ffn_norm;       /* (width) */
    /* a dense feed-forward */
    struct den_matrix *gate_up; /* (width, 2 * ffn_width): all gates, then all ups */
    const float *gate_up_bias;
    struct den_matrix *down; /* (ffn_width, width) */
    const float *down_bias;
    /* or a mixture: `router` not NULL */
    struct den_matrix *router;          /* (width, experts) */
    struct den_matrix **expert_gate_up; /* (experts) of (width, 2 * expert_width) */
    struct den_matrix **expert_down;    /* (experts) of (expert_width, width) */
};

struct den_model {
    struct den_description description;
    struct den_device *device;
    struct den_arena *arena;
    enum den_precision precision;
    size_t bytes_per_token;
    struct den_rope_frequencies rope;
    struct den_rope_frequencies rope_local;
    struct den_matrix *embedding; /* (width, vocabulary) */
    struct den_matrix *head;      /* the same object where the two are tied */
    const float *final_norm;
    struct den_layer *layers; /* (description.layers) */
};

struct den_forward {
    const struct den_model *model;
    size_t rows;
    size_t logit_rows;
    unsigned char *memory; /* one mapping that holds all below */
    size_t memory_bytes;
    float *hidden;         /* (rows, width): the residual stream */
    float *qkv;            /* (rows, queries, keys, values of all heads) */
    float *attention;      /* (rows, heads * value_width) */
    float *up;             /* (rows, 2 * ffn_width), or (rows * experts_used, 2 * expert_width) */
    float *branch;         /* (rows, width): what a post norm or a mixture adds */
    float *logits;         /* (logit_rows, vocabulary) */
    float *router;         /* (rows, experts) */
    int32_t *routed_rows;  /* (rows * experts_used): rows by expert */
    float *routed_scales;  /* (rows * experts_used): what each is multiplied by */
    int32_t *expert_first; /* (experts + 1): where each expert's rows begin */
    int32_t *chosen;       /* (rows, experts_used) */
    float *chosen_scales;  /* (rows, experts_used) */
};

/* Queries, keys and values of one row. */
static inline size_t den_description_qkv(const struct den_description *d)
{
    return d->heads * d->head_width + d->kv_heads * (d->head_width + d->value_width);
}

/* The mixture of one layer: reads `hidden` (normalised by `norm`), adds to `output` (rows, width).
 */
void den_experts_run(const struct den_model *model, struct den_forward *forward,
                     const struct den_layer *layer, const struct den_norm *norm, size_t rows,
                     float *output);

/* Chooses the `used` largest of `logits` (experts), in falling order, with their softmax, taken
 * over the chosen ones where `renormalise`, else over all. */
void den_experts_choose(const float *logits, size_t experts, size_t used, bool renormalise,
                        int32_t *out_chosen, float *out_scales);

#endif
