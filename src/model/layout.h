/* Layout: which tensor of a model file plays which part, and whether it has the size described.
 *
 * GGUF files and Hugging Face folders name the same matrices differently ("blk.3.attn_q.weight",
 * "model.layers.3.self_attn.q_proj.weight"), store experts as one tensor or as many, and fuse some
 * (phi-3). The names are a table in layout.c; the rest of the room asks for parts. */
#ifndef DEN_MODEL_LAYOUT_H
#define DEN_MODEL_LAYOUT_H

#include "model/description.h"

enum den_part {
    DEN_PART_EMBEDDING,
    DEN_PART_HEAD,
    DEN_PART_FINAL_NORM,
    DEN_PART_ATTENTION_NORM,
    DEN_PART_QKV, /* fused: queries, keys, values */
    DEN_PART_QUERY,
    DEN_PART_KEY,
    DEN_PART_VALUE,
    DEN_PART_OUTPUT,
    DEN_PART_QUERY_NORM,
    DEN_PART_KEY_NORM,
    DEN_PART_POST_ATTENTION_NORM,
    DEN_PART_FFN_NORM,
    DEN_PART_POST_FFN_NORM,
    DEN_PART_GATE,
    DEN_PART_UP,
    DEN_PART_GATE_UP, /* fused: gate, up */
    DEN_PART_DOWN,
    DEN_PART_ROUTER,
    DEN_PARTS
};

struct den_layout {
    const struct den_weights *weights;
    const struct den_description *description;
    const char *prefix; /* before "layers." and "embed_tokens" in a folder; NULL: a GGUF file */
};

void den_layout_init(struct den_layout *layout, const struct den_weights *weights,
                     const struct den_description *description);

/* The part's weight or bias; NULL where the file has none. `layer` is ignored by the parts outside
 * the layers. */
const struct den_tensor *den_layout_find(const struct den_layout *layout, enum den_part part,
                                         size_t layer, bool bias);
/* As above; its absence is DEN_BAD_FILE with the name it should have, as is a size other than
 * (in, out), in the order of tensor.h. A vector has out = 1. */
enum den_status den_layout_need(const struct den_layout *layout, enum den_part part, size_t layer,
                                const size_t size[2], const struct den_tensor **out,
                                struct den_error *err);
enum den_status den_layout_check(const struct den_tensor *tensor, size_t in, size_t out_size,
                                 struct den_error *err);

/* The matrix of one expert: DEN_PART_GATE, UP or DOWN (or GATE_UP where the file fuses the two:
 * DEN_NOT_FOUND, silently, where it does not). A slice of a stacked tensor, or its own tensor. */
enum den_status den_layout_expert(const struct den_layout *layout, enum den_part part, size_t layer,
                                  size_t expert, struct den_tensor *out, struct den_error *err);

#endif
