/* See vector_index.h. Adding, removing, finding; index_scan.c asks. */
#include "space/vector_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kernels/scan.h"

enum { PLACES_MIN = 1024, CODE_MAX = 127 };

void den_vector_index_init(struct den_vector_index *index, size_t width)
{
    *index = (struct den_vector_index){
        .width = width,
        .stride = (width + DEN_SCAN_ALIGNMENT - 1) / DEN_SCAN_ALIGNMENT * DEN_SCAN_ALIGNMENT,
    };
}

static void free_block(struct den_index_block *block)
{
    free(block->codes);
    free(block);
}

void den_vector_index_deinit(struct den_vector_index *index)
{
    size_t i;

    for (i = 0; i < index->block_count; i++)
        free_block(index->blocks[i]);
    free(index->blocks);
    free(index->places);
    den_vector_index_init(index, index->width);
}

/* --- rows by their items: open addressing, one row in two places at most --- */

static size_t hash_of(int64_t item)
{
    return (size_t)((uint64_t)item * 0x9E3779B97F4A7C15u >> 20);
}

static int64_t *item_of(const struct den_vector_index *index, size_t row)
{
    return &index->blocks[row / DEN_INDEX_BLOCK_ROWS]->item[row % DEN_INDEX_BLOCK_ROWS];
}

/* A row that became a hole keeps its place until the next compaction: its item is 0 and matches
 * nothing, and the search goes on past it. */
int64_t den_vector_index_find(const struct den_vector_index *index, int64_t item)
{
    size_t place;

    if (!index->place_count || item <= 0)
        return -1;
    place = hash_of(item) % index->place_count;
    while (index->places[place]) {
        size_t row = index->places[place] - 1;

        if (*item_of(index, row) == item)
            return (int64_t)row;
        place = (place + 1) % index->place_count;
    }
    return -1;
}

static void note_place(struct den_vector_index *index, size_t row)
{
    size_t place = hash_of(*item_of(index, row)) % index->place_count;

    while (index->places[place])
        place = (place + 1) % index->place_count;
    index->places[place] = (uint32_t)row + 1;
}

static void note_places(struct den_vector_index *index)
{
    size_t row;

    memset(index->places, 0, index->place_count * sizeof *index->places);
    for (row = 0; row < index->rows; row++)
        if (*item_of(index, row))
            note_place(index, row);
}

static enum den_status grow_places(struct den_vector_index *index, struct den_error *err)
{
    size_t count = index->place_count ? 2 * index->place_count : PLACES_MIN;
    uint32_t *places = malloc(count * sizeof *places);

    if (!places)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for an index of %zu vectors",
                        index->rows);
    free(index->places);
    index->places = places;
    index->place_count = count;
    note_places(index);
    return DEN_OK;
}

/* --- rows --- */

static enum den_status add_block(struct den_vector_index *index, struct den_error *err)
{
    struct den_index_block *block;

    if (index->block_count == index->block_capacity) {
        size_t capacity = index->block_capacity ? 2 * index->block_capacity : 16;
        struct den_index_block **blocks = realloc(index->blocks, capacity * sizeof(void *));

        if (!blocks)
            return den_fail(err, DEN_NO_MEMORY, "space: no memory for an index of %zu vectors",
                            index->rows);
        index->blocks = blocks;
        index->block_capacity = capacity;
    }
    block = malloc(sizeof *block);
    if (block)
        block->codes = aligned_alloc(DEN_SCAN_ALIGNMENT, DEN_INDEX_BLOCK_ROWS * index->stride);
    if (!block || !block->codes) {
        free(block);
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for an index of %zu vectors",
                        index->rows);
    }
    index->blocks[index->block_count++] = block;
    return DEN_OK;
}

/* The remainder is computed in double and rounded up, so that the bound holds. */
static void write_row(struct den_vector_index *index, size_t row, const float *vector)
{
    struct den_index_block *block = index->blocks[row / DEN_INDEX_BLOCK_ROWS];
    size_t place = row % DEN_INDEX_BLOCK_ROWS, i;
    int8_t *codes = block->codes + place * index->stride;
    float largest = 0, scale;
    double left = 0;

    for (i = 0; i < index->width; i++)
        largest = fmaxf(largest, fabsf(vector[i]));
    scale = largest > 0 ? largest / CODE_MAX : 1;
    for (i = 0; i < index->width; i++) {
        double off;

        codes[i] = (int8_t)lrintf(fminf(fmaxf(vector[i] / scale, -CODE_MAX), CODE_MAX));
        off = (double)vector[i] - (double)scale * codes[i];
        left += off * off;
    }
    memset(codes + index->width, 0, index->stride - index->width);
    block->scale[place] = scale;
    block->remainder[place] = nextafterf((float)(sqrt(left) * (1 + 1e-6)), INFINITY);
}

enum den_status den_vector_index_put(struct den_vector_index *index, int64_t item,
                                     const float *vector, struct den_error *err)
{
    int64_t found = den_vector_index_find(index, item);
    size_t row = index->rows;

    if (item <= 0)
        return den_fail(err, DEN_INVALID, "space: %lld is no item", (long long)item);
    if (found >= 0) {
        write_row(index, (size_t)found, vector);
        return DEN_OK;
    }
    if (row == DEN_SPACE_ITEMS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "space: there are more than %u vectors",
                        DEN_SPACE_ITEMS_MAX);
    if (row == index->block_count * DEN_INDEX_BLOCK_ROWS && add_block(index, err) != DEN_OK)
        return err->status;
    if (2 * (row + 1) > index->place_count && grow_places(index, err) != DEN_OK)
        return err->status;
    index->rows++;
    *item_of(index, row) = item;
    write_row(index, row, vector);
    note_place(index, row);
    return DEN_OK;
}

void den_vector_index_remove(struct den_vector_index *index, int64_t item)
{
    int64_t row = den_vector_index_find(index, item);

    if (row < 0)
        return;
    *item_of(index, (size_t)row) = 0;
    index->holes++;
}

void den_vector_index_compact(struct den_vector_index *index)
{
    size_t from, to = 0, needed;

    for (from = 0; from < index->rows; from++) {
        const struct den_index_block *source = index->blocks[from / DEN_INDEX_BLOCK_ROWS];
        struct den_index_block *target = index->blocks[to / DEN_INDEX_BLOCK_ROWS];
        size_t i = from % DEN_INDEX_BLOCK_ROWS, j = to % DEN_INDEX_BLOCK_ROWS;

        if (!source->item[i])
            continue;
        if (from != to) {
            memcpy(target->codes + j * index->stride, source->codes + i * index->stride,
                   index->stride);
            target->scale[j] = source->scale[i];
            target->remainder[j] = source->remainder[i];
            target->item[j] = source->item[i];
        }
        to++;
    }
    index->rows = to;
    index->holes = 0;
    needed = (to + DEN_INDEX_BLOCK_ROWS - 1) / DEN_INDEX_BLOCK_ROWS;
    while (index->block_count > needed)
        free_block(index->blocks[--index->block_count]);
    if (index->place_count)
        note_places(index);
}

bool den_item_set_has(const struct den_item_set *set, int64_t item)
{
    return item >= 0 && item < set->bit_count &&
           (set->bits[item / 64] >> ((uint64_t)item % 64) & 1) != 0;
}
