/* Vector index: the current embedder's vectors in memory, in 8 bits.
 *
 * A row is a code c of `stride` bytes, a scale s and what that leaves out: the norm r of x - s c,
 * rounded up. For any unit vector q, Cauchy and Schwarz bound the error of its product with a row:
 * |q x - s q c| <= r. So a scan of the codes tells which rows can be among the best k at all, and
 * only those are looked at exactly: the answer is that of exact search, not nearly that.
 *
 * Rows lie in blocks; one that is removed leaves a hole, and holes are closed when there are many.
 * Memory: `stride` + 8 (scale, remainder) + 8 (item) + 8 to 16 (finding a row by its item) bytes a
 * row; 384 dimensions: 408 to 416.
 *
 * The index knows no database and no threads: who changes it holds it alone (space_parts.h). */
#ifndef DEN_SPACE_VECTOR_INDEX_H
#define DEN_SPACE_VECTOR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_kernels;
struct den_team;

enum { DEN_INDEX_BLOCK_ROWS = 1024 };

struct den_index_block {
    int8_t *codes; /* (DEN_INDEX_BLOCK_ROWS, stride) */
    float scale[DEN_INDEX_BLOCK_ROWS];
    float remainder[DEN_INDEX_BLOCK_ROWS];
    int64_t item[DEN_INDEX_BLOCK_ROWS]; /* 0: a hole */
};

struct den_vector_index {
    size_t width, stride;
    struct den_index_block **blocks;
    size_t block_count, block_capacity;
    size_t rows;      /* holes with them */
    size_t holes;     /* among the rows */
    uint32_t *places; /* (place_count) row + 1 by the hash of its item; 0: free */
    size_t place_count;
};

void den_vector_index_init(struct den_vector_index *index, size_t width);
void den_vector_index_deinit(struct den_vector_index *index);

/* Adds the item, or gives it another vector: (width) unit length. */
enum den_status den_vector_index_put(struct den_vector_index *index, int64_t item,
                                     const float *vector, struct den_error *err);
/* Does nothing where it is not there. */
void den_vector_index_remove(struct den_vector_index *index, int64_t item);
/* Closes the holes. */
void den_vector_index_compact(struct den_vector_index *index);
/* -1: not there. */
int64_t den_vector_index_find(const struct den_vector_index *index, int64_t item);

struct den_index_candidate {
    int64_t item;
    float low, high; /* between which the product lies */
};

/* A set of items; `bits` is by their number, `items` ascend. */
struct den_item_set {
    uint64_t *bits;
    int64_t bit_count;
    int64_t *items;
    size_t count;
};
bool den_item_set_has(const struct den_item_set *set, int64_t item);

struct den_index_candidates {
    struct den_index_candidate *list; /* free() it */
    size_t count;
};

struct den_index_question {
    const float *vector;           /* (width) unit length */
    const struct den_item_set *in; /* NULL: everything */
    size_t count;                  /* k: the best that are wanted */
};
/* All that can be among the best `count`, highest `high` first. `team` may be NULL. */
enum den_status den_vector_index_scan(const struct den_vector_index *index,
                                      const struct den_kernels *kernels, struct den_team *team,
                                      const struct den_index_question *question,
                                      struct den_index_candidates *out, struct den_error *err);

#endif
