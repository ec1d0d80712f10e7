/* Character properties and case, as Python's str methods define them (generated tables, O(log n) a
 * character; ASCII is answered directly). */
#ifndef DEN_TEXT_JINJA_UNICODE_H
#define DEN_TEXT_JINJA_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum den_jinja_property {
    JINJA_IS_ALPHA,
    JINJA_IS_DECIMAL,
    JINJA_IS_DIGIT,
    JINJA_IS_NUMERIC,
    JINJA_IS_SPACE,
    JINJA_IS_UPPER,
    JINJA_IS_LOWER,
    JINJA_IS_TITLE,
    JINJA_IS_HIDDEN,   /* repr() escapes it */
    JINJA_IS_IGNORABLE /* does not end a word when a final sigma is sought */
};

enum den_jinja_case { JINJA_TO_UPPER, JINJA_TO_LOWER, JINJA_TO_TITLE };

bool den_jinja_char_is(uint32_t code, enum den_jinja_property property);
bool den_jinja_char_is_alnum(uint32_t code);
bool den_jinja_char_is_cased(uint32_t code);
/* Writes 1 to 3 code points; returns how many. */
size_t den_jinja_char_case(uint32_t code, enum den_jinja_case wanted, uint32_t out[3]);

#endif
