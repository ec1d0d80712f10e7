/* Confidence: how far to believe that anything here answers the question. */
#include "space/search_parts.h"

#include <math.h>

double den_search_confidence(const struct den_search *search)
{
    const struct den_pool *pool = &search->pool;
    double cosine = 0;
    size_t i;

    for (i = 0; i < pool->count; i++)
        if (!isnan(pool->found[i].cosine))
            cosine = fmax(cosine, pool->found[i].cosine);
    return pool->count > 0 ? 1 / (1 + exp(-20 * (cosine - 0.4))) : 0;
}
