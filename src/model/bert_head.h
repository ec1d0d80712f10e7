/* The head of a cross-encoder: one number that says how well a text answers another.
 *
 * The encoder reads both texts at once; of what comes out the first token's vector x is taken:
 *
 *     score = output . tanh(dense x + dense bias) + output bias       or, without a dense layer,
 *     score = output . x + output bias
 *
 * BERT calls the dense layer its pooler, RoBERTa keeps it in its classifier; in GGUF files it is
 * "cls" and the last product "cls.output" (llama.cpp's "rank" pooling). */
#ifndef DEN_MODEL_BERT_HEAD_H
#define DEN_MODEL_BERT_HEAD_H

#include "model/bert_description.h"

struct den_bert_head;

/* A copy in f32 of its own: `weights` need not outlive it. DEN_BAD_FILE where there is no head. */
enum den_status den_bert_head_create(const struct den_weights *weights,
                                     const struct den_bert_description *description,
                                     struct den_bert_head **out, struct den_error *err);
void den_bert_head_destroy(struct den_bert_head *head);

/* The logit: any number, higher is better. `first` (width) is the first token's vector. */
double den_bert_head_score(const struct den_bert_head *head, const float *first);

#endif
