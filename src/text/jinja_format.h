/* Python's two ways to format: "%s has %d" % values, and "{} has {:>5}".format(...). */
#ifndef DEN_TEXT_JINJA_FORMAT_H
#define DEN_TEXT_JINJA_FORMAT_H

#include "text/jinja_call.h"

/* `values`: a tuple, a dict for %(name)s, or a single value. */
bool den_jinja_format_percent(struct den_jinja_run *run, const struct den_jinja_text *format,
                              struct den_jinja_value values, struct den_jinja_value *out);
bool den_jinja_format_braces(struct den_jinja_run *run, const struct den_jinja_text *format,
                             const struct den_jinja_arguments *arguments,
                             struct den_jinja_value *out);

/* How one value is laid out; shared by both. */
struct den_jinja_layout {
    char type;     /* 's', 'r', 'd', 'x', 'X', 'o', 'b', 'c', 'e', 'E', 'f', 'F', 'g', 'G', '%'; 0:
                       by the value's kind */
    char align;    /* '<', '>', '^', '=', or 0 */
    char sign;     /* '-', '+' or ' ' */
    char grouping; /* ',' or '_', or 0 */
    bool has_prefix; /* '#': 0x and the like */
    bool has_zeros;  /* '0': fill with zeros after the sign */
    int64_t width;
    int64_t precision; /* negative: none */
    char fill[4];
    size_t fill_length; /* 0: a space */
};
bool den_jinja_format_number(struct den_jinja_run *run, struct den_jinja_value value,
                             const struct den_jinja_layout *layout, struct den_buffer *out);
bool den_jinja_format_text(struct den_jinja_run *run, const struct den_jinja_text *text,
                           const struct den_jinja_layout *layout, struct den_buffer *out);

#endif
