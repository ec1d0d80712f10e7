/* Reranking: the best of what a search found, looked at once more by a model that reads question
 * and passage together.
 *
 * Two kinds of model can do it. A cross-encoder (encode/embedder.h) was trained for nothing else.
 * Where none is installed a language model can: a passage is the better the likelier it makes the
 * question ("late scoring": Sachan et al. 2022, arXiv:2204.07496), at the cost of reading every
 * passage with a model that is many times as large; what it is worth is in
 * docs/internals/space.md.
 *
 * No model's word is the last one: its scores are mixed with those of the search, each brought to
 * [0, 1] over the candidates, so that a passage that both words and meaning put first does not
 * fall to the end by one number. */
#ifndef DEN_DESK_RERANK_H
#define DEN_DESK_RERANK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_roster;

enum den_rerank_way {
    DEN_RERANK_AUTO, /* by a cross-encoder where one is installed */
    DEN_RERANK_OFF,
    DEN_RERANK_CROSS_ENCODER,
    DEN_RERANK_LANGUAGE_MODEL
};
/* "auto", "off", "cross_encoder", "language_model". */
enum den_status den_rerank_way_read(const char *text, enum den_rerank_way *out,
                                    struct den_error *err);

enum {
    DEN_RERANK_CANDIDATES = 30,     /* of a search that are read again */
    DEN_RERANK_MODEL_BYTES = 128,   /* of a model's name */
    DEN_RERANK_LATE_CANDIDATES = 20 /* ... by a language model, which takes its time */
};
size_t den_rerank_candidates(enum den_rerank_way way);

/* What is to be scored. */
struct den_rerank_question {
    enum den_rerank_way way; /* not OFF */
    const char *model;       /* NULL: the role's own */
    const char *query;
    const char *const *texts; /* (count) */
    size_t count;
};
struct den_rerank_scores {
    double *scores; /* (count), the caller's: a cross-encoder's logits, or the logarithm of the
                       question's likelihood a byte; higher is better */
    size_t tokens;  /* read */
    enum den_rerank_way way; /* that it came to: one of the last two */
    char model[DEN_RERANK_MODEL_BYTES];
};

/* What scores; tests put one of their own here. */
struct den_rerank_source {
    void *context;
    /* DEN_NOT_FOUND: no model of the kind is installed. */
    enum den_status (*score)(void *context, const struct den_rerank_question *question,
                             struct den_rerank_scores *out, struct den_error *err);
    /* Whether score() would find a model. NULL: never. */
    bool (*can)(void *context, enum den_rerank_way way);
};
struct den_rerank_source den_rerank_source_of(struct den_roster *roster);

/* Where each candidate ends up: `order` (count) are indices, best first. `before` (count) are the
 * search's scores, higher is better; equals keep their order. */
void den_rerank_order(enum den_rerank_way way, const double *before, const double *scores,
                      size_t count, size_t *order);

#endif
