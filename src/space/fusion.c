/* Fusion: one score from two lists.
 *
 * Reciprocal rank fusion: a hit at rank r of a list is worth 1 / (60 + r), and the lists add up. */
#include "space/search_parts.h"

#include <stdlib.h>

#define RANK_DAMPING 60.0

static double worth(int rank)
{
    return rank > 0 ? 1 / (RANK_DAMPING + rank) : 0;
}

static int compare(const void *left, const void *right)
{
    const struct den_found *a = left, *b = right;

    if (a->fused != b->fused)
        return a->fused < b->fused ? 1 : -1;
    return (a->item > b->item) - (a->item < b->item);
}

void den_search_fuse(struct den_search *search)
{
    struct den_pool *pool = &search->pool;
    size_t i;

    for (i = 0; i < pool->count; i++)
        pool->found[i].fused = worth(pool->found[i].word_rank) + worth(pool->found[i].vector_rank);
    if (pool->count > 0)
        qsort(pool->found, pool->count, sizeof *pool->found, compare);
}
