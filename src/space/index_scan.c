/* The scan of a vector index (vector_index.h), in two steps before the exact one of its caller.
 *
 * 1. The question in 8 bits as well, against all codes: whole numbers, as fast as memory gives
 *    them. With t the norm of what the question's code leaves out, and s c the row as coded,
 *        |q x - s s' (c' c)| <= r |q'| + t |x|, |q'| <= 1 + t, |x| <= 1.
 *    Of the lower bounds the k best so far are in a heap; a row whose upper bound is below its
 *    least can't be among the best k.
 * 2. Those that are left, some hundreds, again with the question in f32: only r is left of the
 *    error, and few rows remain.
 *
 * A team shares the blocks out; each member has a heap and a list of its own, so that nobody waits.
 * A bound that one has found is not known to the others: their lists are a bit longer, and are cut
 * when they are joined. */
#include "space/vector_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/team.h"
#include "kernels/kernels.h"

enum { LIST_MIN = 1024, SMALL_SHARE = 8, CODE_MAX = 127 };

/* What the bounds above do not know of: a sum of n products in f32, in any order, is off by
 * n * 2^-24 at most where they sum to 1; and a row rounded to f16 may be a little longer than 1. */
#define ROUNDING(width) ((float)(width)*0x1p-24f + 1e-6f)
#define LENGTH_MAX      1.001f

struct coded {
    float *vector; /* (stride) */
    int8_t *codes; /* (stride) */
    float scale;
    float norm, left; /* of the question itself, and of what its code leaves out */
};

/* What one member has found. */
struct finder {
    float *heap; /* (k) the least first */
    size_t heap_count, k;
    struct den_index_candidate *list;
    size_t count, capacity;
    bool is_failed; /* out of memory */
};

struct scan {
    const struct den_vector_index *index;
    const struct den_scan_kernels *kernels;
    const struct den_item_set *in;
    struct coded coded;
    float rounding;
    struct finder *finders; /* (members) */
    size_t members;
};

/* --- the best k lower bounds --- */

static void sink(float *heap, size_t count)
{
    float value = heap[0];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            break;
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

static float least(const struct finder *finder)
{
    return finder->heap_count == finder->k ? finder->heap[0] : -INFINITY;
}

static void note_low(struct finder *finder, float low)
{
    float *heap = finder->heap;
    size_t at;

    if (finder->heap_count == finder->k) {
        if (low > heap[0]) {
            heap[0] = low;
            sink(heap, finder->k);
        }
        return;
    }
    for (at = finder->heap_count++; at > 0 && heap[(at - 1) / 2] > low; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = low;
}

/* --- the list of those that may be --- */

static void cut(struct finder *finder, float bound)
{
    size_t i, kept = 0;

    for (i = 0; i < finder->count; i++)
        if (finder->list[i].high >= bound)
            finder->list[kept++] = finder->list[i];
    finder->count = kept;
}

static void note(struct finder *finder, int64_t item, float low, float high)
{
    note_low(finder, low);
    if (finder->count == finder->capacity) {
        cut(finder, least(finder));
        if (2 * finder->count > finder->capacity || finder->capacity == 0) {
            size_t capacity = finder->capacity ? 2 * finder->capacity : LIST_MIN;
            struct den_index_candidate *list =
                realloc(finder->list, capacity * sizeof *finder->list);

            if (!list) {
                finder->is_failed = true;
                return;
            }
            finder->list = list;
            finder->capacity = capacity;
        }
    }
    finder->list[finder->count++] =
        (struct den_index_candidate){ .item = item, .low = low, .high = high };
}

static void judge(const struct scan *scan, struct finder *finder,
                  const struct den_index_block *block, size_t place, int32_t sum)
{
    const struct coded *coded = &scan->coded;
    float value = (float)sum * (block->scale[place] * coded->scale);
    float error = block->remainder[place] * (coded->norm + coded->left) + coded->left * LENGTH_MAX +
                  scan->rounding;

    if (!block->item[place] || value + error < least(finder))
        return;
    if (scan->in && !den_item_set_has(scan->in, block->item[place]))
        return;
    note(finder, block->item[place], value - error, value + error);
}

/* --- one member's share --- */

static void scan_block(const struct scan *scan, struct finder *finder, size_t number)
{
    const struct den_vector_index *index = scan->index;
    const struct den_index_block *block = index->blocks[number];
    size_t rows = index->rows - number * DEN_INDEX_BLOCK_ROWS, i;
    int32_t sums[DEN_INDEX_BLOCK_ROWS];

    if (rows > DEN_INDEX_BLOCK_ROWS)
        rows = DEN_INDEX_BLOCK_ROWS;
    scan->kernels->dot_i8(scan->coded.codes, block->codes, rows, index->stride, sums);
    for (i = 0; i < rows; i++)
        judge(scan, finder, block, i, sums[i]);
}

static void scan_share(void *context, struct den_team *team, int member)
{
    struct scan *scan = context;
    size_t number;

    while ((number = den_team_claim(team, 1)) < scan->index->block_count)
        scan_block(scan, &scan->finders[member], number);
}

/* A set that holds few of the rows: only they are read. */
static void scan_items(const struct scan *scan, struct finder *finder)
{
    const struct den_vector_index *index = scan->index;
    size_t i;

    for (i = 0; i < scan->in->count; i++) {
        int64_t row = den_vector_index_find(index, scan->in->items[i]);
        const struct den_index_block *block;
        size_t place;
        int32_t sum;

        if (row < 0)
            continue;
        block = index->blocks[(size_t)row / DEN_INDEX_BLOCK_ROWS];
        place = (size_t)row % DEN_INDEX_BLOCK_ROWS;
        scan->kernels->dot_i8(scan->coded.codes, block->codes + place * index->stride, 1,
                              index->stride, &sum);
        judge(scan, finder, block, place, sum);
    }
}

/* --- the question --- */

static enum den_status code_question(const struct den_vector_index *index, const float *vector,
                                     struct coded *out, struct den_error *err)
{
    double norm = 0, left = 0;
    float largest = 0;
    size_t i;

    out->vector = calloc(index->stride, sizeof *out->vector);
    out->codes = calloc(index->stride, 1);
    if (!out->vector || !out->codes)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a question");
    for (i = 0; i < index->width; i++)
        largest = fmaxf(largest, fabsf(vector[i]));
    out->scale = largest > 0 ? largest / CODE_MAX : 1;
    for (i = 0; i < index->width; i++) {
        double off;

        out->vector[i] = vector[i];
        out->codes[i] = (int8_t)lrintf(fminf(fmaxf(vector[i] / out->scale, -CODE_MAX), CODE_MAX));
        off = (double)vector[i] - (double)out->scale * out->codes[i];
        left += off * off;
        norm += (double)vector[i] * (double)vector[i];
    }
    out->norm = (float)(sqrt(norm) * (1 + 1e-6));
    out->left = (float)(sqrt(left) * (1 + 1e-6));
    return DEN_OK;
}

/* --- joining what the members found --- */

static enum den_status join(struct scan *scan, struct den_error *err)
{
    struct finder *first = &scan->finders[0];
    size_t i, j;

    for (i = 0; i < scan->members; i++)
        if (scan->finders[i].is_failed)
            return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    for (i = 1; i < scan->members; i++) {
        struct finder *other = &scan->finders[i];

        cut(other, least(first));
        for (j = 0; j < other->count; j++)
            note(first, other->list[j].item, other->list[j].low, other->list[j].high);
        if (first->is_failed)
            return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    }
    cut(first, least(first));
    return DEN_OK;
}

/* The second step: bounds from the question in f32. */
static void narrow(const struct scan *scan, struct finder *finder)
{
    const struct den_vector_index *index = scan->index;
    size_t i;

    finder->heap_count = 0;
    for (i = 0; i < finder->count; i++) {
        struct den_index_candidate *candidate = &finder->list[i];
        size_t row = (size_t)den_vector_index_find(index, candidate->item);
        const struct den_index_block *block = index->blocks[row / DEN_INDEX_BLOCK_ROWS];
        size_t place = row % DEN_INDEX_BLOCK_ROWS;
        float error = block->remainder[place] * scan->coded.norm + scan->rounding;
        float value = block->scale[place] *
                      scan->kernels->dot_f32_i8(
                          scan->coded.vector, block->codes + place * index->stride, index->stride);

        candidate->low = value - error;
        candidate->high = value + error;
        note_low(finder, candidate->low);
    }
    cut(finder, least(finder));
}

static int compare_high(const void *left, const void *right)
{
    const struct den_index_candidate *a = left, *b = right;

    if (a->high != b->high)
        return a->high < b->high ? 1 : -1;
    return (a->item > b->item) - (a->item < b->item);
}

static enum den_status create_finders(struct scan *scan, size_t members, size_t k,
                                      struct den_error *err)
{
    size_t i;

    scan->finders = calloc(members, sizeof *scan->finders);
    if (!scan->finders)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    scan->members = members;
    for (i = 0; i < members; i++) {
        scan->finders[i].k = k;
        scan->finders[i].heap = malloc(k * sizeof(float));
        if (!scan->finders[i].heap)
            return den_fail(err, DEN_NO_MEMORY, "space: no memory for a search");
    }
    return DEN_OK;
}

static void free_scan(struct scan *scan)
{
    size_t i;

    for (i = 0; i < scan->members; i++) {
        free(scan->finders[i].heap);
        free(scan->finders[i].list);
    }
    free(scan->finders);
    free(scan->coded.vector);
    free(scan->coded.codes);
}

static void run(struct scan *scan, struct den_team *team)
{
    const struct den_vector_index *index = scan->index;
    size_t number;

    if (scan->in && scan->in->count < index->rows / SMALL_SHARE)
        scan_items(scan, &scan->finders[0]);
    else if (team)
        den_team_share(team, scan_share, scan);
    else
        for (number = 0; number < index->block_count; number++)
            scan_block(scan, &scan->finders[0], number);
}

enum den_status den_vector_index_scan(const struct den_vector_index *index,
                                      const struct den_kernels *kernels, struct den_team *team,
                                      const struct den_index_question *question,
                                      struct den_index_candidates *out, struct den_error *err)
{
    struct scan scan = { .index = index,
                         .kernels = &kernels->scan,
                         .in = question->in,
                         .rounding = ROUNDING(index->width) };
    size_t members = team ? (size_t)den_team_size(team) : 1;
    struct finder *first;

    if (code_question(index, question->vector, &scan.coded, err) != DEN_OK ||
        create_finders(&scan, members, question->count, err) != DEN_OK)
        goto end;
    run(&scan, team);
    if (join(&scan, err) != DEN_OK)
        goto end;
    first = &scan.finders[0];
    narrow(&scan, first);
    if (first->count > 0)
        qsort(first->list, first->count, sizeof *first->list, compare_high);
    *out = (struct den_index_candidates){ first->list, first->count };
    first->list = NULL;
end:
    free_scan(&scan);
    return err->status;
}
