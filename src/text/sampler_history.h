/* History: the tokens so far, and what repeating them costs.
 *
 * Two penalties read it. The classic ones (repeat, frequency, presence) look at which tokens occur
 * in the last n and how often. DRY ("don't repeat yourself") looks for the longest ending of the
 * text that has occurred before and makes the token that followed it then less likely, growing
 * exponentially with that length. Breakers (newlines, quotes ...) end a repetition and are never
 * penalised themselves.
 *
 * Counts of the window are kept as tokens come and go, with a list of the distinct ones, so that
 * penalising costs O(distinct tokens), never O(vocabulary). DRY costs O(window), by the Z algorithm
 * on the reversed window. den_history_accept() may grow the arrays; den_history_apply() allocates
 * nothing. What is switched off costs nothing. */
#ifndef DEN_TEXT_SAMPLER_HISTORY_H
#define DEN_TEXT_SAMPLER_HISTORY_H

#include <stdint.h>

#include "text/sampler.h"

struct den_history {
    size_t vocabulary;
    size_t window;     /* tokens the counts cover; SIZE_MAX: all; 0: penalties off */
    size_t dry_window; /* likewise for DRY */
    float repeat_penalty, frequency_penalty, presence_penalty;
    float dry_multiplier, dry_base;
    size_t dry_allowed_length;
    uint8_t *breakers; /* (vocabulary): 1 where a token interrupts a repetition; NULL: none */

    den_token *tokens; /* the newest at [count - 1] */
    size_t count, capacity;
    uint32_t *z;           /* (capacity), scratch of DRY */
    uint32_t *counts;      /* (vocabulary): occurrences in the window */
    uint32_t *places;      /* (vocabulary): index in `distinct` while counts > 0 */
    den_token *distinct;   /* (vocabulary), the first distinct_count used */
    uint32_t *dry_lengths; /* (vocabulary): scratch, zero between calls */
    size_t distinct_count;
};

/* `breakers` ((vocabulary), or NULL) is copied. */
enum den_status den_history_init(struct den_history *history,
                                 const struct den_sampler_options *options, size_t vocabulary,
                                 const uint8_t *breakers, struct den_error *err);
void den_history_deinit(struct den_history *history);
enum den_status den_history_accept(struct den_history *history, den_token token,
                                   struct den_error *err);
/* Lowers `logits` (vocabulary) in place. */
void den_history_apply(struct den_history *history, float *logits);

#endif
