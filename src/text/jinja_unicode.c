/* See jinja_unicode.h. The tables hold runs in rising order, searched by bisection. */
#include "text/jinja_unicode.h"

struct run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
};

struct map_run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t delta;
};

struct expansion {
    uint32_t code;
    uint32_t first;
    uint32_t second;
    uint32_t third; /* 0: none */
};

#include "text/jinja_unicode_tables.inc"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool in_runs(const struct run *runs, size_t count, uint32_t code)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (code > runs[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && code >= runs[low].first && (code - runs[low].first) % runs[low].step == 0;
}

bool den_jinja_char_is(uint32_t code, enum den_jinja_property property)
{
    static const struct {
        const struct run *runs;
        size_t count;
    } sets[] = {
        [JINJA_IS_ALPHA] = { alpha_runs, COUNT(alpha_runs) },
        [JINJA_IS_DECIMAL] = { decimal_runs, COUNT(decimal_runs) },
        [JINJA_IS_DIGIT] = { digit_runs, COUNT(digit_runs) },
        [JINJA_IS_NUMERIC] = { numeric_runs, COUNT(numeric_runs) },
        [JINJA_IS_SPACE] = { space_runs, COUNT(space_runs) },
        [JINJA_IS_UPPER] = { upper_runs, COUNT(upper_runs) },
        [JINJA_IS_LOWER] = { lower_runs, COUNT(lower_runs) },
        [JINJA_IS_TITLE] = { title_runs, COUNT(title_runs) },
        [JINJA_IS_HIDDEN] = { hidden_runs, COUNT(hidden_runs) },
        [JINJA_IS_IGNORABLE] = { ignorable_runs, COUNT(ignorable_runs) },
    };

    /* letters and spaces of ASCII are most of all text */
    if (code < 0x80 && property == JINJA_IS_SPACE)
        return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
    if (code >= 'a' && code <= 'z')
        return property == JINJA_IS_ALPHA || property == JINJA_IS_LOWER;
    return in_runs(sets[property].runs, sets[property].count, code);
}

bool den_jinja_char_is_alnum(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_ALPHA) || den_jinja_char_is(code, JINJA_IS_DECIMAL) ||
           den_jinja_char_is(code, JINJA_IS_DIGIT) || den_jinja_char_is(code, JINJA_IS_NUMERIC);
}

bool den_jinja_char_is_cased(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_LOWER) || den_jinja_char_is(code, JINJA_IS_UPPER) ||
           den_jinja_char_is(code, JINJA_IS_TITLE);
}

/* False, and *out untouched, where the map does not speak of `code`. */
static bool apply_map(const struct map_run *runs, size_t count, uint32_t code, uint32_t *out)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (code > runs[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= count || code < runs[low].first || (code - runs[low].first) % runs[low].step != 0)
        return false;
    *out = (uint32_t)((int32_t)code + runs[low].delta);
    return true;
}

static size_t expand(const struct expansion *table, size_t count, uint32_t code, uint32_t out[3])
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (table[i].code != code)
            continue;
        out[0] = table[i].first;
        out[1] = table[i].second;
        out[2] = table[i].third;
        return out[2] ? 3 : 2;
    }
    return 0;
}

size_t den_jinja_char_case(uint32_t code, enum den_jinja_case wanted, uint32_t out[3])
{
    size_t count = 0;

    if (code < 0x80) {
        bool is_lower = code >= 'a' && code <= 'z';
        bool is_upper = code >= 'A' && code <= 'Z';

        out[0] = code;
        if (wanted == JINJA_TO_LOWER ? is_upper : is_lower)
            out[0] = code ^ 0x20;
        return 1;
    }
    if (wanted == JINJA_TO_UPPER)
        count = expand(upper_long, COUNT(upper_long), code, out);
    else if (wanted == JINJA_TO_LOWER)
        count = expand(lower_long, COUNT(lower_long), code, out);
    else
        count = expand(title_long, COUNT(title_long), code, out);
    if (count > 0)
        return count;
    out[0] = code;
    if (wanted == JINJA_TO_LOWER)
        apply_map(to_lower, COUNT(to_lower), code, out);
    else if (wanted == JINJA_TO_UPPER || !apply_map(to_title, COUNT(to_title), code, out))
        apply_map(to_upper, COUNT(to_upper), code, out);
    return 1;
}
