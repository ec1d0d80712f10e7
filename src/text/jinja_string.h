/* Operations on texts: indexes count code points, as in Python. Each is O(length) and charged to
 * the run; false means that den_jinja_fail() has been called. */
#ifndef DEN_TEXT_JINJA_STRING_H
#define DEN_TEXT_JINJA_STRING_H

#include "text/jinja_value.h"

enum den_jinja_side { JINJA_LEFT = 1, JINJA_RIGHT = 2, JINJA_BOTH = 3 };
enum den_jinja_casing { JINJA_UPPER, JINJA_LOWER, JINJA_TITLE, JINJA_CAPITALIZE, JINJA_SWAPCASE };

/* Byte offset of code point `index` (at most count). */
size_t den_jinja_offset(const struct den_jinja_text *text, size_t index);
/* Code points [from, to), both at most count and in order; shares the bytes. */
bool den_jinja_substring(struct den_jinja_run *run, const struct den_jinja_text *text, size_t from,
                         size_t to, struct den_jinja_value *out);
/* Python's reading of optional slice bounds: negative from the end, then clamped. */
size_t den_jinja_clamp_index(int64_t index, size_t count);
/* *out_index: the first (or last) place of `needle` within [from, to), or -1. */
bool den_jinja_find(struct den_jinja_run *run, const struct den_jinja_text *text,
                    const struct den_jinja_text *needle, const size_t bounds[2], bool from_right,
                    int64_t *out_index);
bool den_jinja_count(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *needle, int64_t *out_count);
/* `limit` below 0: all. */
bool den_jinja_replace(struct den_jinja_run *run, const struct den_jinja_text *text,
                       const struct den_jinja_text *const from_to[2], int64_t limit,
                       struct den_jinja_value *out);
/* `separator` NULL: runs of white space. */
bool den_jinja_split(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *separator, int64_t limit,
                     struct den_jinja_list **out);
bool den_jinja_split_right(struct den_jinja_run *run, const struct den_jinja_text *text,
                           const struct den_jinja_text *separator, int64_t limit,
                           struct den_jinja_list **out);
bool den_jinja_split_lines(struct den_jinja_run *run, const struct den_jinja_text *text,
                           bool keep_ends, struct den_jinja_list **out);
/* `characters` NULL: white space. */
bool den_jinja_strip(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *characters, enum den_jinja_side side,
                     struct den_jinja_value *out);
bool den_jinja_change_case(struct den_jinja_run *run, const struct den_jinja_text *text,
                           enum den_jinja_casing casing, struct den_jinja_value *out);
/* Fills up to `width` code points; `side` is where the fill goes. */
bool den_jinja_pad(struct den_jinja_run *run, const struct den_jinja_text *text, int64_t width,
                   enum den_jinja_side side, const struct den_jinja_text *fill,
                   struct den_jinja_value *out);
bool den_jinja_repeat(struct den_jinja_run *run, const struct den_jinja_text *text, int64_t times,
                      struct den_jinja_value *out);
bool den_jinja_starts_with(const struct den_jinja_text *text, const struct den_jinja_text *prefix);
bool den_jinja_ends_with(const struct den_jinja_text *text, const struct den_jinja_text *suffix);

#endif
