/* Report cut: a long text in pieces that a model can read, and the tree that joins what it wrote.
 *
 * A document is a row of items with known tokens. Pieces are runs of items that stay within a
 * budget, about equally long, so that the last one is no crumb; an item that is longer than the
 * budget alone is read in slices. Texts of one level are joined in groups of at most `fan`, about
 * equally large again, until one is left: as each group of more than one becomes one text, and
 * there is such a group while there are two, that ends. */
#ifndef DEN_DESK_REPORT_CUT_H
#define DEN_DESK_REPORT_CUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_cut_item {
    int64_t ordinal;
    size_t tokens;
};
struct den_cut_piece {
    int64_t first, last;  /* ordinals */
    size_t slice, slices; /* 0 of 1: whole */
};
/* *out_pieces is freed with free(). `budget` > 0. */
enum den_status den_report_cut(const struct den_cut_item *items, size_t count, size_t budget,
                               struct den_cut_piece **out_pieces, size_t *out_count,
                               struct den_error *err);
/* The bytes of slice `slice` of `slices` of a text, between whole characters. */
void den_report_slice(const char *text, size_t length, size_t slice, size_t slices,
                      size_t *out_start, size_t *out_end);

/* How many groups `count` texts make; `fan` >= 2. */
size_t den_report_groups(size_t count, size_t fan);
/* The first text of group `group`; that of `groups` is the count. */
size_t den_report_group_first(size_t count, size_t groups, size_t group);
/* Texts that are made on the way from `count` to one. */
size_t den_report_tree(size_t count, size_t fan);

#endif
