/* The sampler without a tokenizer: what den_sampler_create() builds on, and what tests drive. */
#ifndef DEN_TEXT_SAMPLER_CORE_H
#define DEN_TEXT_SAMPLER_CORE_H

#include "text/sampler.h"

/* `breakers` ((vocabulary), or NULL): 1 for each token that interrupts a repetition (DRY). */
enum den_status den_sampler_create_core(const struct den_sampler_options *options,
                                        size_t vocabulary, const uint8_t *breakers,
                                        struct den_sampler **out, struct den_error *err);

struct den_candidates;
/* What the last draw chose from: tokens with their weights, which add up to no particular sum. */
const struct den_candidates *den_sampler_candidates(const struct den_sampler *sampler);

#endif
