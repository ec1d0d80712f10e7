/* Upper, lower, title case and capitals of texts (jinja_string.h), with the one rule of Unicode
 * that looks at neighbours: a capital sigma at the end of a word becomes a final sigma. */
#include "text/jinja_string.h"

#include "base/utf8.h"
#include "text/jinja_run.h"
#include "text/jinja_unicode.h"

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2 };

/* The nearest character before (or from) `at` that is not ignorable: is it a letter with case? */
static bool is_cased_before(const struct den_jinja_text *text, size_t at)
{
    while (at > 0) {
        uint32_t code;

        at--;
        while (at > 0 && ((unsigned char)text->bytes[at] & 0xC0) == 0x80)
            at--;
        den_utf8_decode(text->bytes + at, text->length - at, &code);
        if (!den_jinja_char_is(code, JINJA_IS_IGNORABLE))
            return den_jinja_char_is_cased(code);
    }
    return false;
}

static bool is_cased_after(const struct den_jinja_text *text, size_t at)
{
    while (at < text->length) {
        uint32_t code;

        at += den_utf8_decode(text->bytes + at, text->length - at, &code);
        if (!den_jinja_char_is(code, JINJA_IS_IGNORABLE))
            return den_jinja_char_is_cased(code);
    }
    return false;
}

static enum den_jinja_case case_of(enum den_jinja_casing casing, uint32_t code, size_t index,
                                   bool is_after_cased)
{
    switch (casing) {
    case JINJA_UPPER:
        return JINJA_TO_UPPER;
    case JINJA_LOWER:
        return JINJA_TO_LOWER;
    case JINJA_TITLE:
        return is_after_cased ? JINJA_TO_LOWER : JINJA_TO_TITLE;
    case JINJA_CAPITALIZE:
        return index == 0 ? JINJA_TO_TITLE : JINJA_TO_LOWER;
    default:
        return den_jinja_char_is(code, JINJA_IS_UPPER) ? JINJA_TO_LOWER : JINJA_TO_UPPER;
    }
}

bool den_jinja_change_case(struct den_jinja_run *run, const struct den_jinja_text *text,
                           enum den_jinja_casing casing, struct den_jinja_value *out)
{
    struct den_buffer buffer;
    bool is_after_cased = false;
    size_t at = 0;
    size_t index;

    if (!den_jinja_spend_bytes(run, text->length))
        return false;
    den_jinja_buffer_init(&buffer);
    for (index = 0; at < text->length; index++) {
        uint32_t code;
        uint32_t changed[3];
        size_t used = den_utf8_decode(text->bytes + at, text->length - at, &code);
        enum den_jinja_case wanted = case_of(casing, code, index, is_after_cased);
        size_t count = den_jinja_char_case(code, wanted, changed);
        size_t i;

        if (code == CAPITAL_SIGMA && wanted == JINJA_TO_LOWER)
            changed[0] = is_cased_before(text, at) && !is_cased_after(text, at + used)
                             ? FINAL_SIGMA
                             : SMALL_SIGMA;
        for (i = 0; i < count; i++) {
            char bytes[4];

            den_buffer_append(&buffer, bytes, den_utf8_encode(changed[i], bytes));
        }
        is_after_cased = den_jinja_char_is_cased(code);
        at += used;
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}
