/* From what a client may set to what the sampler takes: defaults, then the preset, then each field
 * that was given, all checked. Messages begin with the field's name in quotes. */
#ifndef DEN_WORKER_WORKER_REQUEST_H
#define DEN_WORKER_WORKER_REQUEST_H

#include "schedule/scheduler.h"
#include "worker/worker.h"

/* out->logit_bias is allocated (free() it) when logit_bias_count > 0. */
enum den_status den_worker_sampler(const struct den_worker_request *request, size_t vocabulary,
                                   struct den_sampler_options *out, struct den_error *err);
/* Counts that are out of range, stop strings that are none, both or neither of messages and
 * prompt. */
enum den_status den_worker_check(const struct den_worker_request *request, struct den_error *err);

#endif
