/* What an encoder of the BERT family is, as data: read from a Hugging Face folder (config.json and
 * what sentence-transformers puts beside it) or from GGUF keys, and checked. All sizes are bounded
 * and not zero, widths divide, when den_bert_description_read() succeeds; that tensors have them is
 * bert.c's business. */
#ifndef DEN_MODEL_BERT_DESCRIPTION_H
#define DEN_MODEL_BERT_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "device/device.h"
#include "tensor/weights.h"

/* How a text's token vectors become one. */
enum den_pooling {
    DEN_POOLING_MEAN,
    DEN_POOLING_FIRST, /* the vector of [CLS] */
    DEN_POOLING_MAX,   /* the largest of each component */
    DEN_POOLING_LAST
};

struct den_bert_description {
    char architecture[32]; /* "bert", "roberta", "xlm-roberta" */
    char name[128];        /* general.name or the folder's */
    size_t layers;
    size_t width;
    size_t heads;
    size_t ffn_width;
    size_t vocabulary;
    size_t positions;       /* rows of the position table */
    size_t position_offset; /* the first token's row: 0, or behind RoBERTa's padding */
    size_t token_types;     /* 0: the file has no table of them */
    size_t context_tokens;  /* of one text, special tokens included */
    size_t parameters;
    float epsilon;
    enum den_activation activation; /* GELU_ERF or GELU_TANH */
    enum den_pooling pooling;
    bool ranks; /* a head scores a pair of texts (model/bert_head.h); there is no pooling */
};

/* DEN_UNSUPPORTED, naming what is there, where the model is of another family or uses something of
 * its own that would change the vectors. */
enum den_status den_bert_description_read(const struct den_weights *weights,
                                          struct den_bert_description *out, struct den_error *err);

#endif
