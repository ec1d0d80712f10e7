/* Feedback: passages that say much the same should stand near each other.
 *
 * A passage may answer a question in words that neither list understands; those next to it in the
 * space of meanings, which do share the question's words, vouch for it. Of the best of the pool
 * each looks at the NEIGHBOURS nearest others, with weights w = cosine^8, and its score becomes
 *     (1 - s) score + s (their mean by w),  s = W / (ALONE + W) but SHARE_MAX at most,
 * W being the sum of the weights. A passage that stands alone (cosines below 0.5) thus keeps what
 * it has: the one page with the account number is not voted down by a chapter about accounts. It
 * is the question's own answers that feed back, as in Rocchio's method, but the question is not
 * moved: nothing is searched again, and no passage enters that was not found. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH = 100, NEIGHBOURS = 8 };

#define SHARE_MAX 0.6
#define ALONE     0.2

struct neighbour {
    size_t at;
    double weight;
};

static double weight_of(float cosine)
{
    double square = cosine > 0 ? (double)cosine * (double)cosine : 0;

    square *= square;
    return square * square;
}

static void note(struct neighbour *nearest, size_t *count, size_t at, double weight)
{
    size_t place = *count;

    if (place == NEIGHBOURS) {
        if (weight <= nearest[place - 1].weight)
            return;
        place--;
    } else {
        (*count)++;
    }
    for (; place > 0 && nearest[place - 1].weight < weight; place--)
        nearest[place] = nearest[place - 1];
    nearest[place] = (struct neighbour){ at, weight };
}

/* The score of one with what its neighbours say. */
static double smoothed(const struct den_search *search, const float *cosines, size_t count,
                       size_t of)
{
    const struct den_pool *pool = &search->pool;
    struct neighbour nearest[NEIGHBOURS];
    size_t known = 0, i;
    double sum = 0, weights = 0, share;

    for (i = 0; i < count; i++)
        if (i != of)
            note(nearest, &known, i, weight_of(cosines[of * count + i]));
    for (i = 0; i < known; i++) {
        sum += nearest[i].weight * pool->found[nearest[i].at].fused;
        weights += nearest[i].weight;
    }
    if (weights < 1e-9)
        return pool->found[of].fused;
    share = fmin(weights / (ALONE + weights), SHARE_MAX);
    return (1 - share) * pool->found[of].fused + share * sum / weights;
}

static void compare_all(const struct den_search *search, size_t count, float *cosines)
{
    const struct den_scan_kernels *scan = &search->space->kernels.scan;
    const struct den_pool *pool = &search->pool;
    size_t i, j;

    for (i = 0; i < count; i++)
        for (j = 0; j < i; j++) {
            float cosine = 0;

            if (pool->found[i].has_vector && pool->found[j].has_vector)
                cosine = scan->dot_f32_f16(den_pool_vector(pool, &pool->found[i]),
                                           den_pool_halves(pool, &pool->found[j]), pool->width);
            cosines[i * count + j] = cosines[j * count + i] = cosine;
        }
}

enum den_status den_search_smooth(struct den_search *search, struct den_error *err)
{
    struct den_pool *pool = &search->pool;
    size_t count = pool->count < DEPTH ? pool->count : DEPTH, i;
    float *cosines;
    double *scores;

    if (count < 2 || pool->width == 0)
        return DEN_OK;
    cosines = calloc(count * count, sizeof *cosines);
    scores = malloc(count * sizeof *scores);
    if (!cosines || !scores) {
        den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
        goto end;
    }
    compare_all(search, count, cosines);
    for (i = 0; i < count; i++)
        scores[i] = smoothed(search, cosines, count, i);
    for (i = 0; i < count; i++)
        pool->found[i].fused = scores[i];
    for (i = count; i < pool->count; i++) /* stay behind those that were looked at */
        pool->found[i].fused -= 2;
    den_pool_sort(pool);
end:
    free(cosines);
    free(scores);
    return err->status;
}
