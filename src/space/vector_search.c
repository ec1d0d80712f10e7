/* The search by vectors: the index says which items can be among the best, the database what their
 * products are.
 *
 * The candidates come best first by their upper bounds, so that reading stops where no upper bound
 * reaches the worst of the best that were found. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"

/* Another search may have the team: this one goes alone then. */
static enum den_status scan(const struct den_search *search, const float *vector, size_t count,
                            struct den_index_candidates *out, struct den_error *err)
{
    struct den_space *space = search->space;
    struct den_index_question question = { .vector = vector, .in = search->set, .count = count };
    bool has_team = space->team && pthread_mutex_trylock(&space->team_lock) == 0;

    pthread_rwlock_rdlock(&space->index_lock);
    if (space->index.width == search->query->width)
        den_vector_index_scan(&space->index, &space->kernels, has_team ? space->team : NULL,
                              &question, out, err);
    pthread_rwlock_unlock(&space->index_lock);
    if (has_team)
        pthread_mutex_unlock(&space->team_lock);
    return err->status;
}

static const char vector_sql[] = "SELECT vector FROM vectors WHERE embedder = ? AND item = ?";

static enum den_status multiply(const struct den_search *search, const float *vector, int64_t item,
                                double *out, struct den_error *err)
{
    size_t width = search->query->width;
    struct den_query query;

    *out = NAN;
    den_query_start(&query, search->connection, err, vector_sql, "ii", search->embedder, item);
    if (den_query_next(&query, err) && den_query_bytes(&query, 0) == width * sizeof(uint16_t))
        *out = (double)search->space->kernels.scan.dot_f32_f16(vector, den_query_blob(&query, 0),
                                                               width);
    den_query_end(&query);
    return err->status;
}

/* Keeps `out` sorted, best first; the lists are short. */
static void insert(struct den_vector_hit *out, size_t *count, size_t most, int64_t item,
                   double cosine)
{
    size_t at = *count;

    if (at == most) {
        if (cosine <= out[at - 1].cosine)
            return;
        at--;
    } else {
        (*count)++;
    }
    for (; at > 0 && (out[at - 1].cosine < cosine ||
                      (out[at - 1].cosine == cosine && out[at - 1].item > item));
         at--)
        out[at] = out[at - 1];
    out[at] = (struct den_vector_hit){ item, cosine };
}

enum den_status den_search_vectors(const struct den_search *search, const float *vector,
                                   size_t count, struct den_vector_hit *out, size_t *out_count,
                                   struct den_error *err)
{
    struct den_index_candidates candidates = { 0 };
    size_t found = 0, i;

    if (scan(search, vector, count, &candidates, err) != DEN_OK)
        return err->status;
    for (i = 0; i < candidates.count; i++) {
        double cosine;

        if (found == count && (double)candidates.list[i].high < out[found - 1].cosine)
            break;
        if (multiply(search, vector, candidates.list[i].item, &cosine, err) != DEN_OK)
            break;
        if (!isnan(cosine))
            insert(out, &found, count, candidates.list[i].item, cosine);
    }
    free(candidates.list);
    *out_count = found;
    return err->status;
}

static void take_vector(struct den_search *search, struct den_query *query, struct den_found *found)
{
    struct den_pool *pool = &search->pool;
    float *vector = den_pool_vector(pool, found);
    double cosine = 0;
    size_t i;

    memcpy(den_pool_halves(pool, found), den_query_blob(query, 0), pool->width * sizeof(uint16_t));
    search->space->kernels.vector.from_f16(den_pool_halves(pool, found), pool->width, vector);
    found->has_vector = true;
    for (i = 0; i < pool->width && isnan(found->cosine); i++)
        cosine += (double)vector[i] * (double)search->query->vector[i];
    if (isnan(found->cosine))
        found->cosine = cosine;
}

enum den_status den_search_read_vectors(struct den_search *search, struct den_error *err)
{
    struct den_pool *pool = &search->pool;
    struct den_query query;
    size_t i;

    for (i = 0; i < pool->count && pool->width > 0 && search->embedder; i++) {
        den_query_start(&query, search->connection, err, vector_sql, "ii", search->embedder,
                        pool->found[i].item);
        if (den_query_next(&query, err) &&
            den_query_bytes(&query, 0) == pool->width * sizeof(uint16_t))
            take_vector(search, &query, &pool->found[i]);
        den_query_end(&query);
        if (err->status != DEN_OK)
            break;
    }
    return err->status;
}
