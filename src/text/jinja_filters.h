/* The filters, in two tables: those of texts and numbers, and those of sequences. */
#ifndef DEN_TEXT_JINJA_FILTERS_H
#define DEN_TEXT_JINJA_FILTERS_H

#include "text/jinja_call.h"

const struct den_jinja_builtin *den_jinja_text_filter_find(const struct den_jinja_text *name);
const struct den_jinja_builtin *den_jinja_list_filter_find(const struct den_jinja_text *name);
const struct den_jinja_builtin *den_jinja_markup_filter_find(const struct den_jinja_text *name);

/* Follows "a.b.0" from `item`, as the attribute arguments of filters do; a missing step becomes
 * `fallback` unless that is MISSING. An attribute of kind MISSING or none gives the item itself. */
bool den_jinja_follow(struct den_jinja_run *run, struct den_jinja_value item,
                      struct den_jinja_value attribute, struct den_jinja_value fallback,
                      struct den_jinja_value *out);

#endif
