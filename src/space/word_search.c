/* The search by words: BM25 over items_text, of the items that pass the filter.
 *
 * All rows that match are walked through, and a heap keeps the best: FTS5's own LIMIT would come
 * before the filter. A heading that has the word counts more than a text that has it.
 *
 * A walk takes a microsecond a row, so in a large space common words are dear, and they say little:
 * words are taken from the rarest on until they are in WALK_MAX items together. The most common
 * ones are left out then; the rarest is always asked for. */
#include "space/search_parts.h"

#include <math.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "store/query.h"

enum { WALK_MAX = 50000 };

struct hit {
    int64_t item;
    double bm25;
};

/* FTS5's bm25() is lower for better, with k1 = 1.2 and b = 0.75. */
static const char words_sql[] = "SELECT rowid, -bm25(items_text, 2.0, 1.0) FROM items_text "
                                "WHERE items_text MATCH ?";

/* Which of two is worse; of equals the later one. */
static bool is_worse(const struct hit *a, const struct hit *b)
{
    return a->bm25 < b->bm25 || (a->bm25 == b->bm25 && a->item > b->item);
}

static void sink(struct hit *heap, size_t count, size_t at)
{
    struct hit hit = heap[at];

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

static void offer(struct hit *heap, size_t *count, size_t most, const struct hit *hit)
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
    const struct hit *a = left, *b = right;

    return is_worse(a, b) ? 1 : is_worse(b, a) ? -1 : 0;
}

/* --- how common words are --- */

static const char count_sql[] =
    "SELECT count(*) FROM (SELECT 1 FROM items_text WHERE items_text MATCH ? LIMIT ?)";

static enum den_status count_items(struct den_search *search, struct den_word *word,
                                   struct den_error *err)
{
    struct den_buffer quoted;
    struct den_query query = { 0 };

    den_buffer_init(&quoted, 4 * DEN_SPACE_WORD_BYTES_MAX);
    den_words_quote(word, &quoted);
    if (den_buffer_status(&quoted, "space", err) == DEN_OK)
        den_query_start(&query, search->connection, err, count_sql, "ti", quoted.data,
                        (int64_t)WALK_MAX + 1);
    if (err->status == DEN_OK && den_query_next(&query, err))
        word->items = (size_t)den_query_integer(&query, 0);
    den_query_end(&query);
    den_buffer_deinit(&quoted);
    return err->status;
}

static int compare_rarity(const void *left, const void *right)
{
    const struct den_word *a = left, *b = right;

    return (a->items > b->items) - (a->items < b->items);
}

/* Sorts the words, rarest first, and drops the commonest where they are too many. Rarity is as
 * bm25() has it. */
static enum den_status weigh_words(struct den_search *search, struct den_error *err)
{
    struct den_words *words = &search->words;
    size_t walked = 0, i;

    for (i = 0; i < words->count; i++) {
        struct den_word *word = &words->word[i];

        if (count_items(search, word, err) != DEN_OK)
            return err->status;
        word->rarity = log(((double)search->all_count - (double)word->items + 0.5) /
                           ((double)word->items + 0.5));
        word->rarity = fmax(word->rarity, 1e-6);
        search->rarity += word->rarity;
    }
    qsort(words->word, words->count, sizeof *words->word, compare_rarity);
    for (i = 0; i < words->count; i++) {
        walked += words->word[i].items;
        if (i > 0 && walked > WALK_MAX)
            break;
    }
    words->count = i;
    return DEN_OK;
}

/* --- the walk --- */

static char *expression_of(const struct den_words *words)
{
    struct den_buffer expression;
    char *text;
    size_t i;

    den_buffer_init(&expression, sizeof *words * 4);
    for (i = 0; i < words->count; i++) {
        if (i > 0)
            den_buffer_append_text(&expression, " OR ");
        den_words_quote(&words->word[i], &expression);
    }
    text = den_buffer_take(&expression);
    den_buffer_deinit(&expression);
    return text;
}

static size_t walk(struct den_search *search, const char *expression, struct hit *heap,
                   struct den_error *err)
{
    struct den_query query;
    size_t count = 0;

    den_query_start(&query, search->connection, err, words_sql, "t", expression);
    while (den_query_next(&query, err)) {
        struct hit hit = { .item = den_query_integer(&query, 0) };
        struct den_found *found;

        if (search->set && !den_item_set_has(search->set, hit.item))
            continue;
        hit.bm25 = den_query_real(&query, 1);
        found = den_pool_find(&search->pool, hit.item);
        if (found)
            found->bm25 = hit.bm25;
        offer(heap, &count, search->candidates, &hit);
    }
    den_query_end(&query);
    return count;
}

enum den_status den_search_words(struct den_search *search, struct den_error *err)
{
    char *expression = NULL;
    struct hit *hits;
    size_t count, i;

    if (search->words.count == 0)
        return DEN_OK;
    if (weigh_words(search, err) != DEN_OK)
        return err->status;
    hits = malloc(search->candidates * sizeof *hits);
    expression = expression_of(&search->words);
    if (!hits || !expression) {
        den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
        goto end;
    }
    count = walk(search, expression, hits, err);
    if (err->status != DEN_OK || count == 0)
        goto end;
    qsort(hits, count, sizeof *hits, compare);
    for (i = 0; i < count; i++) {
        struct den_found *found = den_pool_add(&search->pool, hits[i].item);

        found->word_rank = (int)i + 1;
        found->bm25 = hits[i].bm25;
    }
end:
    free(expression);
    free(hits);
    return err->status;
}
