/* See sampler_random.h. */
#include "text/sampler_random.h"

#include <sys/random.h>

static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

void den_random_init(struct den_random *random, uint64_t seed)
{
    int i;

    for (i = 0; i < 4; i++)
        random->state[i] = split_mix(&seed);
    random->drawn = 0;
}

uint64_t den_random_next(struct den_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    random->drawn++;
    return result;
}

void den_random_skip(struct den_random *random, uint64_t count)
{
    while (random->drawn < count)
        den_random_next(random);
}

double den_random_uniform(struct den_random *random)
{
    return (double)(den_random_next(random) >> 11) * 0x1p-53;
}

enum den_status den_random_seed(uint64_t *out_seed, struct den_error *err)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return den_fail_errno(err, DEN_IO, "sampler: no random seed from the kernel");
    *out_seed = bits >> 11;
    return DEN_OK;
}
