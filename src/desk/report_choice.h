/* Report choice: the sentences that a value is most likely to stand in.
 *
 * What a search finds are passages of a page's length. Their sentences are compared with what a
 * column describes, by words and, where there is an embedding model, by meaning. That tells two
 * things: whether the document says it at all (a passage alone is too long for that: invoices are
 * like each other whatever is asked of them), and which few lines a small model should read. With
 * MiniLM the best sentence of documents that say it had cosines of 0.46 to 0.86 in eleven trials,
 * of those that don't -0.02 to 0.41 in sixteen of seventeen. */
#ifndef DEN_DESK_REPORT_CHOICE_H
#define DEN_DESK_REPORT_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "desk/retrieval.h"

enum { DEN_CHOICE_MAX = 96 };

struct den_chosen {
    char *text;
    size_t passage; /* index of the hit that it is from */
    double words;   /* of the description's words, the share that it has */
    double cosine;  /* NAN: there is none */
    double score;   /* 0 to 1: of both */
};
struct den_choice {
    struct den_chosen sentences[DEN_CHOICE_MAX]; /* the best first */
    size_t count;
    bool found; /* the document says it */
};
enum den_status den_report_choose(struct den_retrieval *retrieval, const struct den_found *found,
                                  const char *description, struct den_choice *out,
                                  struct den_error *err);
void den_choice_deinit(struct den_choice *choice);

#endif
