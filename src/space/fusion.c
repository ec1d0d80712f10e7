/* Fusion: one score from two.
 *
 * A cosine and a BM25 have no common scale, so each is brought to [-1, 1]: the best of the pool
 * becomes 1, the hundredth 0. Unlike the reciprocal rank fusion that this took the place of, the
 * distances within a list count: a passage that has all the rare words of a question stands far
 * above the next, and that is worth more than one rank. docs/internals/space.md has the figures. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH = 100 };

#define COSINE_SHARE 0.5

/* How a list of values is brought to scale. */
struct scale {
    double top, zero;
};

static int descending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a < b) - (a > b);
}

static double value_of(const struct den_found *found, bool by_words)
{
    return by_words ? found->bm25 : found->cosine;
}

static struct scale scale_of(const struct den_pool *pool, bool by_words, double *scratch)
{
    struct scale scale = { 0 };
    size_t count = 0, i;

    for (i = 0; i < pool->count; i++)
        if (!isnan(value_of(&pool->found[i], by_words)))
            scratch[count++] = value_of(&pool->found[i], by_words);
    if (count == 0)
        return scale;
    qsort(scratch, count, sizeof *scratch, descending);
    scale.top = scratch[0];
    scale.zero = scratch[count < DEPTH ? count - 1 : DEPTH - 1];
    return scale;
}

static double scaled(const struct scale *scale, double value)
{
    if (isnan(value))
        return 0;
    if (scale->top <= scale->zero)
        return scale->top > 0 ? 1 : 0;
    return fmax(-1, (value - scale->zero) / (scale->top - scale->zero));
}

enum den_status den_search_fuse(struct den_search *search, struct den_error *err)
{
    struct den_pool *pool = &search->pool;
    double *scratch = malloc((pool->count + 1) * sizeof *scratch);
    struct scale cosines, words;
    size_t i;

    if (!scratch)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    cosines = scale_of(pool, false, scratch);
    words = scale_of(pool, true, scratch);
    free(scratch);
    for (i = 0; i < pool->count; i++) {
        struct den_found *found = &pool->found[i];

        found->fused = COSINE_SHARE * scaled(&cosines, found->cosine) +
                       (1 - COSINE_SHARE) * scaled(&words, found->bm25);
    }
    den_pool_sort(pool);
    return DEN_OK;
}
