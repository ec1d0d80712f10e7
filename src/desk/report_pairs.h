/* Report pairs: which parts of two documents speak of the same, and what differs between them.
 *
 * Both documents are given as units (sentences, or passages where there are too many of those). Two
 * units are a pair where each is the other's nearest, by words and, where there are vectors, by
 * meaning, and where they are alike enough. What differs in a pair is told without a model where it
 * can be: numbers, dates and negations that one has and the other lacks while the words around them
 * are the same. A unit that is like nothing in the other document stands alone. */
#ifndef DEN_DESK_REPORT_PAIRS_H
#define DEN_DESK_REPORT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "desk/support.h"

struct den_unit {
    const char *text; /* of `length` bytes */
    size_t length;
    size_t passage;      /* the caller's: where it stands */
    const float *vector; /* (width), unit length; NULL: none */
    struct den_terms terms;
    /* of den_report_align() */
    size_t nearest; /* in the other document */
    double score;   /* 0 to 1: how alike the two are */
};

/* In the order in which they are told. */
enum den_pair_kind {
    DEN_PAIR_NUMBERS, /* the same said with other numbers or dates */
    DEN_PAIR_DIFFERS, /* of the same matter, but not the same */
    DEN_PAIR_AGREES,
    DEN_PAIR_ONLY_A,
    DEN_PAIR_ONLY_B,
    DEN_PAIR_KINDS
};
struct den_pair {
    enum den_pair_kind kind;
    size_t a, b; /* units; that of the side which has none is SIZE_MAX */
    double score;
};

/* How much two texts' words have in common, apart from numbers: 0 to 1. */
double den_report_word_share(const struct den_terms *a, const struct den_terms *b);
/* Whether numbers or names of months of one are not in the other. */
bool den_report_numbers_differ(const struct den_unit *a, const struct den_unit *b);

/* Finds each unit's nearest in the other document. `go_on` is asked now and then; its failure ends
 * the work. */
struct den_aligner {
    struct den_unit *a, *b;
    size_t a_count, b_count;
    size_t width; /* of the vectors; 0: none */
    enum den_status (*go_on)(void *context, struct den_error *err);
    void *context;
};
enum den_status den_report_align(const struct den_aligner *aligner, struct den_error *err);
/* What is to be told of aligned documents: numbers first, then kind by kind, each in the order of
 * the first document. *out is freed with free(). */
enum den_status den_report_find_pairs(const struct den_aligner *aligner, struct den_pair **out,
                                      size_t *out_count, struct den_error *err);

#endif
