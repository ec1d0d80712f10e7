/* Values as text: Python's str() and repr(), JSON as json.dumps() writes it, and pprint. Append
 * to a buffer; false means that den_jinja_fail() has been called. */
#ifndef DEN_TEXT_JINJA_PRINT_H
#define DEN_TEXT_JINJA_PRINT_H

#include "base/buffer.h"
#include "text/jinja_value.h"

enum { JINJA_FLOAT_BYTES = 48 };

bool den_jinja_print(struct den_jinja_run *run, struct den_jinja_value value,
                     struct den_buffer *out);
bool den_jinja_print_repr(struct den_jinja_run *run, struct den_jinja_value value,
                          struct den_buffer *out);
/* str(value) as a value; texts are returned as they are. */
bool den_jinja_to_text(struct den_jinja_run *run, struct den_jinja_value value,
                       struct den_jinja_value *out);
/* The shortest text that reads back as `number`, written as Python does: "1.0", "1e-07", "inf". */
void den_jinja_print_float(double number, char out[JINJA_FLOAT_BYTES]);

struct den_jinja_json_options {
    bool is_ascii;                       /* escape what is not ASCII */
    bool is_sorted;                      /* by key */
    const struct den_jinja_text *indent; /* one level's white space; NULL: one line */
    const struct den_jinja_text *item_separator;
    const struct den_jinja_text *key_separator;
};
bool den_jinja_print_json(struct den_jinja_run *run, struct den_jinja_value value,
                          const struct den_jinja_json_options *options, struct den_buffer *out);
bool den_jinja_print_pretty(struct den_jinja_run *run, struct den_jinja_value value,
                            struct den_buffer *out);

#endif
