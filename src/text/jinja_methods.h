/* What methods share with filters and tests. */
#ifndef DEN_TEXT_JINJA_METHODS_H
#define DEN_TEXT_JINJA_METHODS_H

#include "text/jinja_call.h"

/* str.isupper() and str.islower(). */
bool den_jinja_has_case(const struct den_jinja_text *text, bool is_upper);
/* str.join(items); the items must be texts unless `converts`. */
bool den_jinja_join(struct den_jinja_run *run, const struct den_jinja_text *separator,
                    const struct den_jinja_list *items, bool converts, struct den_jinja_value *out);

#endif
