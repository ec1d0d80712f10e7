/* BERT: an encoder. Each token's vector is computed from all tokens of its text, in both
 * directions; there is no cache and nothing to generate.
 *
 * Texts of a batch lie one behind the other without padding, so that a batch of short and long
 * texts costs no more than its tokens. A token's vector does not depend on the other texts of the
 * batch. Weights are rounded to 13-bit codes at loading (DEN_PRECISION_INT16) or kept in f32. */
#ifndef DEN_MODEL_BERT_H
#define DEN_MODEL_BERT_H

#include "model/bert_description.h"

struct den_bert;

/* For batches of up to `rows_max` tokens. `weights` and `device` outlive the model: the table of
 * words, half of a small model, is read where the file is mapped. */
enum den_status den_bert_create(const struct den_weights *weights, struct den_device *device,
                                enum den_precision precision, size_t rows_max,
                                struct den_bert **out, struct den_error *err);
void den_bert_destroy(struct den_bert *bert);
const struct den_bert_description *den_bert_description(const struct den_bert *bert);

struct den_bert_batch {
    const int32_t *tokens; /* (rows), each within the vocabulary */
    const size_t *begin;   /* (texts + 1): text t is rows [begin[t], begin[t + 1]), none empty */
    size_t texts;          /* at least 1 */
    const size_t *second;  /* (texts): the row where a pair's second text, of token type 1, begins;
                              begin[t + 1] where there is none. NULL: no text is a pair */
};
/* The last layer's vectors, (rows, width), the model's own memory until the next run. */
const float *den_bert_run(struct den_bert *bert, const struct den_bert_batch *batch);

/* The same vectors to the bit, computed by one thread alone: inside den_device_share(), `member`
 * being the calling one. For batches of up to den_bert_alone_rows() tokens, which is 0 where the
 * model's precision is not INT16. The vectors are the member's until its next run. */
size_t den_bert_alone_rows(const struct den_bert *bert);
const float *den_bert_run_alone(struct den_bert *bert, const struct den_bert_batch *batch,
                                int member);

#endif
