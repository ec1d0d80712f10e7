/* Late scoring: how likely a language model finds a question once it has read a passage. */
#ifndef DEN_DESK_RERANK_LATE_H
#define DEN_DESK_RERANK_LATE_H

#include "desk/rerank.h"

struct den_worker;

/* Fills in `scores` and `tokens` of `out`. */
enum den_status den_rerank_late(struct den_worker *worker,
                                const struct den_rerank_question *question,
                                struct den_rerank_scores *out, struct den_error *err);

#endif
