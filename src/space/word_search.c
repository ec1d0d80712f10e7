/* The search by words: BM25 over items_text, of the items that pass the filter.
 *
 * All rows that match are walked through, and a heap keeps the best: FTS5's own LIMIT would come
 * before the filter. A heading that has the word counts more than a text that has it. */
#include "space/search_parts.h"

#include <stdlib.h>

#include "store/query.h"

/* FTS5's bm25() is lower for better, with k1 = 1.2 and b = 0.75. */
static const char words_sql[] = "SELECT rowid, -bm25(items_text, 2.0, 1.0) FROM items_text "
                                "WHERE items_text MATCH ?";

/* Which of two is worse; of equals the later one. */
static bool is_worse(const struct den_word_hit *a, const struct den_word_hit *b)
{
    return a->bm25 < b->bm25 || (a->bm25 == b->bm25 && a->item > b->item);
}

static void sink(struct den_word_hit *heap, size_t count, size_t at)
{
    struct den_word_hit hit = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            break;
        if (child + 1 < count && is_worse(&heap[child + 1], &heap[child]))
            child++;
        if (!is_worse(&heap[child], &hit))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = hit;
}

static void offer(struct den_word_hit *heap, size_t *count, size_t most,
                  const struct den_word_hit *hit)
{
    size_t at;

    if (*count == most) {
        if (is_worse(&heap[0], hit)) {
            heap[0] = *hit;
            sink(heap, most, 0);
        }
        return;
    }
    for (at = (*count)++; at > 0 && is_worse(hit, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = *hit;
}

static int compare(const void *left, const void *right)
{
    const struct den_word_hit *a = left, *b = right;

    return is_worse(a, b) ? 1 : is_worse(b, a) ? -1 : 0;
}

enum den_status den_search_words(const struct den_search *search, const char *expression,
                                 size_t count, struct den_word_hit *out, size_t *out_count,
                                 struct den_error *err)
{
    struct den_query query;
    size_t found = 0;

    den_query_start(&query, search->connection, err, words_sql, "t", expression);
    while (den_query_next(&query, err)) {
        struct den_word_hit hit = { .item = den_query_integer(&query, 0) };

        if (search->set && !den_item_set_has(search->set, hit.item))
            continue;
        hit.bm25 = den_query_real(&query, 1);
        offer(out, &found, count, &hit);
    }
    den_query_end(&query);
    if (err->status != DEN_OK)
        return err->status;
    if (found > 0)
        qsort(out, found, sizeof *out, compare);
    *out_count = found;
    return DEN_OK;
}
