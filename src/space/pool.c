/* The pool of a search: what either list proposed, each item once. It is small (some hundreds) and
 * asked for every row that matches a word, hence the hash. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

enum { PLACES_EACH = 4 };

enum den_status den_pool_init(struct den_pool *pool, size_t capacity, size_t width,
                              struct den_error *err)
{
    *pool = (struct den_pool){ .capacity = capacity, .width = width };
    pool->place_count = PLACES_EACH * capacity + 1;
    pool->found = calloc(capacity, sizeof *pool->found);
    pool->places = calloc(pool->place_count, sizeof *pool->places);
    pool->vectors = calloc(capacity * width + 1, sizeof *pool->vectors);
    pool->halves = calloc(capacity * width + 1, sizeof *pool->halves);
    if (!pool->found || !pool->places || !pool->vectors || !pool->halves)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    return DEN_OK;
}

void den_pool_deinit(struct den_pool *pool)
{
    free(pool->found);
    free(pool->places);
    free(pool->vectors);
    free(pool->halves);
}

/* The place of the item, or the free one that it would get. */
static size_t place_of(const struct den_pool *pool, int64_t item)
{
    size_t place = (size_t)((uint64_t)item * 0x9E3779B97F4A7C15u >> 32) % pool->place_count;

    while (pool->places[place] && pool->found[pool->places[place] - 1].item != item)
        place = (place + 1) % pool->place_count;
    return place;
}

struct den_found *den_pool_find(const struct den_pool *pool, int64_t item)
{
    uint32_t at = pool->places[place_of(pool, item)];

    return at ? &pool->found[at - 1] : NULL;
}

struct den_found *den_pool_add(struct den_pool *pool, int64_t item)
{
    size_t place = place_of(pool, item);
    struct den_found *found;

    if (pool->places[place])
        return &pool->found[pool->places[place] - 1];
    found = &pool->found[pool->count];
    *found = (struct den_found){ .item = item, .cosine = NAN, .slot = pool->count };
    pool->places[place] = (uint32_t)++pool->count;
    return found;
}

static int compare(const void *left, const void *right)
{
    const struct den_found *a = left, *b = right;

    if (a->fused != b->fused)
        return a->fused < b->fused ? 1 : -1;
    return (a->item > b->item) - (a->item < b->item);
}

void den_pool_sort(struct den_pool *pool)
{
    if (pool->count > 0)
        qsort(pool->found, pool->count, sizeof *pool->found, compare);
}
