/* Select: which tokens stay in the draw, and the draw.
 *
 * The dense half works on all logits: it finds the largest and gathers candidates. The sparse half
 * cuts candidates away stage by stage. Nothing sorts the vocabulary: top-k keeps a heap and skips
 * blocks of 64 logits whose largest can't enter it; without top-k, thresholds that provably drop
 * only what later stages would drop thin the vocabulary out first; top-p and typical then find
 * their cut by quickselect on accumulated mass. Measured figures are in
 * docs/internals/text-sampling.md. */
#ifndef DEN_TEXT_SAMPLER_SELECT_H
#define DEN_TEXT_SAMPLER_SELECT_H

#include "text/sampler.h"
#include "text/sampler_random.h"

enum {
    DEN_SELECT_BLOCK = 64,     /* logits are padded with -INFINITY to a multiple of it */
    DEN_SELECT_HEAP_MAX = 1024 /* a larger top-k is found by quickselect */
};

struct den_candidate {
    den_token token;
    float logit;
    float key;     /* the order of the running stage: smaller stays longer */
    double weight; /* exp(logit - largest), or 1 while counting */
};

struct den_candidates {
    struct den_candidate *items; /* the most likely one is always among them */
    size_t count;
    float maximum; /* the largest logit of all candidates */
    double total;  /* weights of the set that top-p's share refers to; 0: of the candidates */
};

/* Largest logit; DEN_TOKEN_NONE when all are -INFINITY. The lowest token wins a tie. */
den_token den_select_greedy(const float *logits, size_t padded);
/* Room that `items` needs for these options. */
size_t den_select_capacity(const struct den_sampler_options *options, size_t vocabulary);
/* Top-n-sigma and top-k on the padded logits, and the gathering. */
void den_select_gather(const struct den_sampler_options *options, const float *logits,
                       size_t padded, struct den_candidates *out);
void den_select_typical(struct den_candidates *candidates, float p, size_t min_keep);
void den_select_top_p(struct den_candidates *candidates, float p, size_t min_keep);
void den_select_min_p(struct den_candidates *candidates, float p, size_t min_keep);
/* Drops all but the least likely of the candidates with a share of at least `threshold`. */
void den_select_xtc(struct den_candidates *candidates, float threshold, size_t min_keep);
den_token den_select_draw(struct den_candidates *candidates, float temperature,
                          struct den_random *random);

#endif
