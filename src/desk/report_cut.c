/* See report_cut.h. */
#include "desk/report_cut.h"

#include <stdlib.h>

#include "base/checked.h"

/* --- pieces --- */

struct cutter {
    struct den_cut_piece *pieces;
    size_t count, capacity;
};

static enum den_status add(struct cutter *cutter, struct den_cut_piece piece, struct den_error *err)
{
    struct den_cut_piece *grown;
    size_t capacity, bytes;

    if (cutter->count == cutter->capacity) {
        capacity = cutter->capacity ? cutter->capacity * 2 : 64;
        if (!den_checked_multiply(capacity, sizeof *grown, &bytes))
            return den_fail(err, DEN_TOO_LARGE, "reports: the document has too many pieces");
        grown = realloc(cutter->pieces, bytes);
        if (!grown)
            return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
        cutter->pieces = grown;
        cutter->capacity = capacity;
    }
    cutter->pieces[cutter->count++] = piece;
    return DEN_OK;
}

/* Slices are of equal bytes, not of equal tokens: one more than the tokens ask for. */
static enum den_status add_slices(struct cutter *cutter, const struct den_cut_item *item,
                                  size_t budget, struct den_error *err)
{
    const size_t slices = item->tokens / budget + 2;
    size_t i;

    for (i = 0; i < slices && err->status == DEN_OK; i++)
        add(cutter, (struct den_cut_piece){ item->ordinal, item->ordinal, i, slices }, err);
    return err->status;
}

/* What a piece should have, so that all are about equally long. */
static size_t find_target(const struct den_cut_item *items, size_t count, size_t budget)
{
    size_t total = 0, pieces, i;

    for (i = 0; i < count; i++)
        if (items[i].tokens <= budget)
            total += items[i].tokens;
    pieces = total / budget + (total % budget != 0);
    return pieces > 0 ? total / pieces + (total % pieces != 0) : budget;
}

enum den_status den_report_cut(const struct den_cut_item *items, size_t count, size_t budget,
                               struct den_cut_piece **out_pieces, size_t *out_count,
                               struct den_error *err)
{
    const size_t target = find_target(items, count, budget);
    struct cutter cutter = { 0 };
    size_t i, tokens = 0, first = 0;

    for (i = 0; i <= count && err->status == DEN_OK; i++) {
        const size_t next = i < count ? items[i].tokens : 0;

        /* the run from `first` ends before item i */
        if (i > first && (i == count || tokens >= target || next > budget - tokens)) {
            add(&cutter, (struct den_cut_piece){ items[first].ordinal, items[i - 1].ordinal, 0, 1 },
                err);
            first = i;
            tokens = 0;
        }
        if (i < count && next > budget && err->status == DEN_OK) {
            add_slices(&cutter, &items[i], budget, err);
            first = i + 1;
        } else {
            tokens += next;
        }
    }
    if (err->status != DEN_OK) {
        free(cutter.pieces);
        return err->status;
    }
    *out_pieces = cutter.pieces;
    *out_count = cutter.count;
    return DEN_OK;
}

/* Back to the beginning of the character that `at` is in. */
static size_t character_at(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

void den_report_slice(const char *text, size_t length, size_t slice, size_t slices,
                      size_t *out_start, size_t *out_end)
{
    const size_t share = length / slices;

    if (slice >= slices) /* a row that somebody else wrote */
        slice = slices - 1;
    *out_start = character_at(text, slice * share);
    *out_end = slice + 1 == slices ? length : character_at(text, (slice + 1) * share);
}

/* --- the tree --- */

size_t den_report_groups(size_t count, size_t fan)
{
    return count / fan + (count % fan != 0);
}

size_t den_report_group_first(size_t count, size_t groups, size_t group)
{
    const size_t each = count / groups, more = count % groups; /* the first `more` have one more */

    return group * each + (group < more ? group : more);
}

size_t den_report_tree(size_t count, size_t fan)
{
    size_t made = 0;

    while (count > 1) {
        count = den_report_groups(count, fan);
        made += count;
    }
    return made;
}
