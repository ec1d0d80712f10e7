/* Late scoring: how likely a language model finds a question once it has read a passage. */
#ifndef DEN_DESK_RERANK_LATE_H
#define DEN_DESK_RERANK_LATE_H

#include <stddef.h>

#include "base/status.h"

struct den_worker;

/* out_scores (count): the logarithm of the likelihood of `query` a byte; *out_tokens are those that
 * were read. */
enum den_status den_rerank_late(struct den_worker *worker, const char *query,
                                const char *const *texts, size_t count, double *out_scores,
                                size_t *out_tokens, struct den_error *err);

#endif
