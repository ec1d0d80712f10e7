/* Confidence: how far to believe that anything here answers the question.
 *
 * A logistic function of two things that do not depend on how much there is to search: the highest
 * cosine, and of all that the question's words can earn by BM25 the share that the best item has
 * (a rare word that is nowhere takes the most away). Its coefficients come from judged questions:
 * docs/internals/space.md says which, and how well they tell apart what they were not fitted to. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH = 100 };

/* bm25() gives a word rarity * (k1 + 1) at most. */
#define WORD_MOST 2.2

#define AT_ZERO   -7.5
#define BY_COSINE 16.2
#define BY_WORDS  4.2

static double words_share(const struct den_search *search)
{
    const struct den_pool *pool = &search->pool;
    double best = 0;
    size_t i;

    for (i = 0; i < pool->count; i++)
        best = fmax(best, pool->found[i].bm25);
    return search->rarity > 0 ? fmin(1, best / (WORD_MOST * search->rarity)) : 0;
}

static void read_cosines(const struct den_search *search, struct den_space_result *out)
{
    const struct den_pool *pool = &search->pool;
    int last = 0;
    size_t i;

    for (i = 0; i < pool->count; i++) {
        const struct den_found *found = &pool->found[i];

        if (found->vector_rank == 1)
            out->cosine_top = found->cosine;
        if (found->vector_rank > last && found->vector_rank <= DEPTH) {
            last = found->vector_rank;
            out->cosine_tail = found->cosine;
        }
    }
}

void den_search_judge(const struct den_search *search, struct den_space_result *out)
{
    double cosine;

    read_cosines(search, out);
    cosine = search->query->vector ? den_search_cosine_home(search, out->cosine_top) : 0;
    out->words_share = words_share(search);
    if (search->pool.count > 0)
        out->confidence =
            1 / (1 + exp(-(AT_ZERO + BY_COSINE * cosine + BY_WORDS * out->words_share)));
}
