/* How Jinja values compare, as Python defines it: equality, order, hashes, membership, sorting. A
 * false result means that den_jinja_fail() has been called. */
#ifndef DEN_TEXT_JINJA_COMPARE_H
#define DEN_TEXT_JINJA_COMPARE_H

#include "text/jinja_value.h"

bool den_jinja_equal(struct den_jinja_run *run, struct den_jinja_value a, struct den_jinja_value b,
                     bool *out);
/* out_order: -1, 0, 1, or 2 where NaN makes every comparison false. Fails for kinds without an
 * order between them. `sign` names the operator in the message. */
bool den_jinja_compare(struct den_jinja_run *run, struct den_jinja_value a,
                       struct den_jinja_value b, const char *sign, int *out_order);
/* False in *out_hashable, without failing, for lists and dicts. */
bool den_jinja_hash(struct den_jinja_run *run, struct den_jinja_value value, uint64_t *out_hash,
                    bool *out_hashable);
bool den_jinja_contains(struct den_jinja_run *run, struct den_jinja_value container,
                        struct den_jinja_value item, bool *out);

/* Sorts by < in place, stable, n log n comparisons. `keys` (or NULL: the items themselves) are what
 * is compared, in step with the items; they move along. */
bool den_jinja_sort(struct den_jinja_run *run, struct den_jinja_list *list,
                    struct den_jinja_list *keys, bool is_reversed);

#endif
