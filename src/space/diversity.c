/* Diversity: maximal marginal relevance.
 *
 * The next hit is the one with the highest (1 - d) relevance - d likeness. Relevance is the fused
 * score brought to [0, 1] over the pool. Likeness is that to the nearest of the hits chosen before:
 * 0 up to a cosine of LIKE, 1 for a copy. So that of five copies of one paragraph the first is
 * shown and the others give way to what says something else. Passages on one matter are not
 * copies: the plain cosine, which counts them as such, makes lists worse (docs/internals/space.md).
 */
#include "space/search_parts.h"

#include <math.h>

#define LIKE 0.97

/* Likeness to what was chosen; 0 where either has no vector. */
static double likeness(const struct den_search *search, size_t chosen,
                       const struct den_found *found)
{
    const struct den_scan_kernels *scan = &search->space->kernels.scan;
    const struct den_pool *pool = &search->pool;
    double most = 0;
    size_t i;

    for (i = 0; i < chosen && found->has_vector; i++)
        if (pool->found[i].has_vector)
            most = fmax(most, (double)scan->dot_f32_f16(den_pool_vector(pool, found),
                                                        den_pool_halves(pool, &pool->found[i]),
                                                        pool->width));
    return fmin(1, fmax(0, (most - LIKE) / (1 - LIKE)));
}

void den_search_diversify(struct den_search *search, size_t count, double diversity)
{
    struct den_pool *pool = &search->pool;
    double top, least;
    size_t chosen, i;

    if (diversity <= 0 || pool->count < 2)
        return;
    top = pool->found[0].fused;
    least = pool->found[pool->count - 1].fused;
    for (chosen = 1; chosen < count && chosen < pool->count; chosen++) {
        double best = -INFINITY;
        size_t best_at = chosen;
        struct den_found taken;

        for (i = chosen; i < pool->count; i++) {
            const struct den_found *found = &pool->found[i];
            double relevance = top > least ? (found->fused - least) / (top - least) : 1;
            double value = (1 - diversity) * relevance;

            if (value <= best) /* sorted: the others are not better even without likeness */
                break;
            value -= diversity * likeness(search, chosen, found);
            if (value > best) {
                best = value;
                best_at = i;
            }
        }
        taken = pool->found[best_at];
        for (i = best_at; i > chosen; i--)
            pool->found[i] = pool->found[i - 1];
        pool->found[chosen] = taken;
    }
}
