/* den_jinja_sort() of jinja_value.h: merge sort, bottom up, because comparisons can fail and
 * must stop at once, and because Python's order of equal items is that of the input. */
#include "text/jinja_compare.h"

#include <string.h>

#include "text/jinja_run.h"

/* Merges [low, middle) and [middle, high) of `from` into `to`. */
static bool merge(struct den_jinja_run *run, const struct den_jinja_value *keys, const size_t *from,
                  size_t *to, const size_t bounds[3])
{
    size_t left = bounds[0];
    size_t right = bounds[1];
    size_t i;

    for (i = bounds[0]; i < bounds[2]; i++) {
        int order = 0;

        if (left < bounds[1] && right < bounds[2] &&
            (!den_jinja_spend(run, 1) ||
             !den_jinja_compare(run, keys[from[right]], keys[from[left]], "<", &order)))
            return false;
        if (right >= bounds[2] || (left < bounds[1] && order != -1))
            to[i] = from[left++];
        else
            to[i] = from[right++];
    }
    return true;
}

static bool sort_indexes(struct den_jinja_run *run, const struct den_jinja_value *keys,
                         size_t count, size_t **indexes, size_t *spare)
{
    size_t width;
    size_t low;

    for (width = 1; width < count; width *= 2) {
        size_t *sorted = spare;

        for (low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = low + 2 * width < count ? low + 2 * width : count;
            const size_t bounds[3] = { low, middle, high };

            if (!merge(run, keys, *indexes, sorted, bounds))
                return false;
        }
        spare = *indexes;
        *indexes = sorted;
    }
    return true;
}

static bool permute(struct den_jinja_run *run, struct den_jinja_value *items, const size_t *indexes,
                    size_t count)
{
    struct den_jinja_value *copy = den_jinja_alloc(run, count, sizeof *copy);
    size_t i;

    if (!copy)
        return false;
    memcpy(copy, items, count * sizeof *copy);
    for (i = 0; i < count; i++)
        items[i] = copy[indexes[i]];
    return true;
}

bool den_jinja_sort(struct den_jinja_run *run, struct den_jinja_list *list,
                    struct den_jinja_list *keys, bool is_reversed)
{
    size_t count = list->count;
    size_t *indexes;
    size_t *spare;
    size_t i;

    if (count < 2)
        return true;
    indexes = den_jinja_alloc(run, count, sizeof *indexes);
    spare = den_jinja_alloc(run, count, sizeof *spare);
    if (!indexes || !spare)
        return false;
    /* reversed means: equal items keep their order, so sort the mirror image and mirror it back */
    for (i = 0; i < count; i++)
        indexes[i] = is_reversed ? count - 1 - i : i;
    if (!sort_indexes(run, keys ? keys->items : list->items, count, &indexes, spare))
        return false;
    for (i = 0; is_reversed && i < count / 2; i++) {
        size_t swapped = indexes[i];

        indexes[i] = indexes[count - 1 - i];
        indexes[count - 1 - i] = swapped;
    }
    return (!keys || permute(run, keys->items, indexes, count)) &&
           permute(run, list->items, indexes, count);
}
