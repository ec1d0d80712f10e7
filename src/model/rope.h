/* RoPE frequencies: how fast each pair of a head's elements turns with position. */
#ifndef DEN_MODEL_ROPE_H
#define DEN_MODEL_ROPE_H

#include "model/description.h"

struct den_rope_frequencies {
    float inverse_frequency[DEN_HEAD_WIDTH_MAX / 2]; /* (rotary_width / 2), scaling applied */
    float magnitude;                                 /* of cos and sin */
};

/* The table of a model's layers; `local`: of gemma 3's windowed ones. Sequences will hold at most
 * `context_tokens` tokens, which decides between longrope's short and long factors. DEN_BAD_FILE:
 * factors missing, of a wrong count, or not positive. */
enum den_status den_rope_frequencies_make(const struct den_weights *weights,
                                          const struct den_description *description,
                                          size_t context_tokens, bool local,
                                          struct den_rope_frequencies *out, struct den_error *err);

#endif
