/* Random: the sampler's own generator, so that a seed means the same tokens on every machine.
 *
 * xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018): 256
 * bits of state, period 2^256 - 1, a few shifts a number. Its state is filled by SplitMix64 from
 * the 64-bit seed, as its authors advise, so that neighbouring seeds start far apart. Nothing here
 * is fit for secrets: tokens and keys come from the kernel. */
#ifndef DEN_TEXT_SAMPLER_RANDOM_H
#define DEN_TEXT_SAMPLER_RANDOM_H

#include <stdint.h>

#include "base/status.h"

struct den_random {
    uint64_t state[4];
    uint64_t drawn; /* numbers so far */
};

void den_random_init(struct den_random *random, uint64_t seed);
uint64_t den_random_next(struct den_random *random);
/* In [0, 1), with 53 random bits. */
double den_random_uniform(struct den_random *random);
/* Draws until `count` numbers have been drawn in all. */
void den_random_skip(struct den_random *random, uint64_t count);
/* A seed from the kernel, below 2^53 so that it survives as a number in JSON. */
enum den_status den_random_seed(uint64_t *out_seed, struct den_error *err);

#endif
