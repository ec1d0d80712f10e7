/* A search, from the question to its hits. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/query.h"

enum { CANDIDATES_DEFAULT = 100, COUNT_DEFAULT = 10 };

#define DIVERSITY_DEFAULT 0.3

/* --- the two lists --- */

static enum den_status ask_words(struct den_search *search, struct den_error *err)
{
    if (search->query->words)
        den_words_split(search->query->words, &search->words);
    return den_search_words(search, err);
}

static enum den_status ask_vectors(struct den_search *search, struct den_error *err)
{
    struct den_vector_hit *hits;
    size_t count = 0, i;

    if (!search->query->vector || !search->embedder)
        return DEN_OK;
    hits = malloc(search->candidates * sizeof *hits);
    if (!hits)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    den_search_vectors(search, search->query->vector, search->candidates, hits, &count, err);
    for (i = 0; i < count; i++) {
        struct den_found *found = den_pool_add(&search->pool, hits[i].item);

        found->vector_rank = (int)i + 1;
        found->cosine = hits[i].cosine;
    }
    free(hits);
    return err->status;
}

/* --- the hits --- */

static enum den_status find_documents(struct den_search *search, struct den_error *err)
{
    struct den_query query;
    size_t i;

    for (i = 0; i < search->pool.count && err->status == DEN_OK; i++) {
        struct den_found *found = &search->pool.found[i];

        den_query_start(&query, search->connection, err, "SELECT document FROM items WHERE row = ?",
                        "i", found->item);
        if (den_query_next(&query, err))
            found->document = den_query_integer(&query, 0);
        den_query_end(&query);
    }
    return err->status;
}

static enum den_status copy_hits(const struct den_search *search, size_t count,
                                 struct den_space_result *out, struct den_error *err)
{
    size_t i;

    out->count = count < search->pool.count ? count : search->pool.count;
    out->hits = calloc(out->count + 1, sizeof *out->hits);
    if (!out->hits)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    for (i = 0; i < out->count; i++) {
        const struct den_found *found = &search->pool.found[i];

        out->hits[i] = (struct den_space_hit){
            .item = found->item,
            .document = found->document,
            .word_rank = found->word_rank,
            .bm25 = found->bm25,
            .vector_rank = found->vector_rank,
            .cosine = found->cosine,
            .fused = found->fused,
        };
    }
    return DEN_OK;
}

/* --- all of it --- */

static enum den_status check(const struct den_search *search, size_t count, struct den_error *err)
{
    const struct den_space_query *query = search->query;
    size_t i;

    if (search->candidates > DEN_SPACE_CANDIDATES_MAX || count > DEN_SPACE_COUNT_MAX)
        return den_fail(err, DEN_INVALID, "space: %d candidates and %d hits are the most",
                        DEN_SPACE_CANDIDATES_MAX, DEN_SPACE_COUNT_MAX);
    if (query->vector && (query->width == 0 || query->width > DEN_SPACE_WIDTH_MAX))
        return den_fail(err, DEN_INVALID, "space: a question's vector has 1 to %d dimensions",
                        DEN_SPACE_WIDTH_MAX);
    for (i = 0; query->vector && i < query->width; i++)
        if (!isfinite(query->vector[i]))
            return den_fail(err, DEN_INVALID, "space: the question's vector is no direction");
    return DEN_OK;
}

static enum den_status find_embedder(struct den_search *search, struct den_error *err)
{
    struct den_space_embedder current;

    if (den_space_read_current(search->connection, &current, err) != DEN_OK)
        return err->status;
    if (search->query->vector && current.row && current.width != search->query->width)
        return den_fail(err, DEN_INVALID,
                        "space: the question has %zu dimensions, the vectors of '%s' %zu",
                        search->query->width, current.name, current.width);
    search->embedder = current.row;
    search->unrelated = current.unrelated;
    search->related = current.related;
    return DEN_OK;
}

static enum den_status ask(struct den_search *search, size_t count, struct den_space_result *out,
                           struct den_error *err)
{
    double diversity =
        isnan(search->query->diversity) ? DIVERSITY_DEFAULT : search->query->diversity;
    double start = den_clock_seconds(), vectors, words;

    if (find_embedder(search, err) != DEN_OK ||
        den_pool_init(&search->pool, 2 * search->candidates,
                      search->query->vector ? search->query->width : 0, err) != DEN_OK ||
        den_space_sync(search->space, search->connection, err) != DEN_OK ||
        ask_vectors(search, err) != DEN_OK)
        return err->status;
    vectors = den_clock_seconds();
    if (ask_words(search, err) != DEN_OK)
        return err->status;
    words = den_clock_seconds();
    if (den_search_read_vectors(search, err) != DEN_OK || den_search_fuse(search, err) != DEN_OK)
        return err->status;
    if (!search->query->no_feedback && den_search_smooth(search, err) != DEN_OK)
        return err->status;
    den_search_judge(search, out);
    den_search_diversify(search, count, diversity);
    if (find_documents(search, err) != DEN_OK || copy_hits(search, count, out, err) != DEN_OK)
        return err->status;
    out->searched = search->item_count;
    out->vectors_seconds = vectors - start;
    out->words_seconds = words - vectors;
    out->fuse_seconds = den_clock_seconds() - words;
    return DEN_OK;
}

enum den_status den_space_search(struct den_space *space, const struct den_space_query *query,
                                 struct den_space_result *out, struct den_error *err)
{
    struct den_search search = {
        .space = space,
        .query = query,
        .candidates = query->candidates ? query->candidates : CANDIDATES_DEFAULT,
    };
    size_t count = query->count ? query->count : COUNT_DEFAULT;
    struct den_space_result result = { 0 };
    struct den_item_set *set = NULL;

    if (search.candidates < count)
        search.candidates = count;
    if (check(&search, count, err) != DEN_OK ||
        den_database_read(space->database, &search.connection, err) != DEN_OK)
        return err->status;
    if (den_space_take_set(space, search.connection, &query->filter, &set, &search.all_count,
                           err) == DEN_OK) {
        search.set = set;
        search.item_count = set ? set->count : search.all_count;
        ask(&search, count, &result, err);
    }
    den_space_return_set(space, set);
    den_pool_deinit(&search.pool);
    if (den_connection_end(search.connection, err) != DEN_OK) {
        den_space_result_free(&result);
        return err->status;
    }
    *out = result;
    return DEN_OK;
}

void den_space_result_free(struct den_space_result *result)
{
    free(result->hits);
    *result = (struct den_space_result){ 0 };
}
