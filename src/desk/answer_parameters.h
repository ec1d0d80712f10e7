/* Answer parameters: how an answer is to be sampled, as threads store it and the page sends it. */
#ifndef DEN_DESK_ANSWER_PARAMETERS_H
#define DEN_DESK_ANSWER_PARAMETERS_H

#include "worker/request.h"

/* Reads {preset, temperature, top_p, top_k, min_p, max_tokens, seed, repeat_penalty,
 * frequency_penalty, presence_penalty, stop}, all optional or null, into `request`, whose stops
 * come to lie in `stops` (DEN_STOP_STRINGS_MAX places). Texts live as long as `parameters`. Fields
 * that are not known are DEN_INVALID: a mistyped one would otherwise do nothing. */
enum den_status den_answer_parameters_read(const json_t *parameters,
                                           struct den_worker_request *request, const char **stops,
                                           struct den_error *err);
/* Sets what `request` has not set itself: a preset stands against the sampling of `parameters`, one
 * list of stops against the other. `stops` are the request's own places. */
enum den_status den_answer_parameters_fill(const json_t *parameters,
                                           struct den_worker_request *request, const char **stops,
                                           struct den_error *err);
/* Reads them only to see whether they are right. NULL and null are. */
enum den_status den_answer_parameters_check(const json_t *parameters, struct den_error *err);

#endif
