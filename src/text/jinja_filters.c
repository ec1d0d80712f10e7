/* Filters of texts and numbers; see jinja_filters.h. */
#include "text/jinja_filters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_eval.h"
#include "text/jinja_format.h"
#include "text/jinja_literal.h"
#include "text/jinja_methods.h"
#include "text/jinja_print.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

static bool as_text(struct den_jinja_run *run, const struct den_jinja_call *call, size_t index,
                    const struct den_jinja_text **out)
{
    struct den_jinja_value text;

    if (!den_jinja_to_text(run, call->values[index], &text))
        return false;
    *out = text.text;
    return true;
}

#define CASE_FILTER(name, casing)                                                                  \
    static bool name(struct den_jinja_run *run, const struct den_jinja_call *call,                 \
                     struct den_jinja_value *out)                                                  \
    {                                                                                              \
        const struct den_jinja_text *text;                                                         \
                                                                                                   \
        return as_text(run, call, 0, &text) && den_jinja_change_case(run, text, casing, out);      \
    }

CASE_FILTER(upper, JINJA_UPPER)
CASE_FILTER(lower, JINJA_LOWER)
CASE_FILTER(capitalize, JINJA_CAPITALIZE)

static bool to_string(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    return den_jinja_to_text(run, call->values[0], out);
}

static bool is_title_break(uint32_t code)
{
    return code == '-' || code == '(' || code == '{' || code == '[' || code == '<' ||
           den_jinja_char_is(code, JINJA_IS_SPACE);
}

/* Jinja's own title case: words end at white space, '-' and opening brackets only. */
static bool title(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    struct den_buffer buffer;
    bool is_start = true;
    size_t at = 0;

    if (!as_text(run, call, 0, &text) || !den_jinja_spend_bytes(run, text->length))
        return false;
    den_jinja_buffer_init(&buffer);
    while (at < text->length) {
        uint32_t code;
        uint32_t changed[3];
        size_t used = den_utf8_decode(text->bytes + at, text->length - at, &code);
        bool is_break = is_title_break(code);
        size_t count = den_jinja_char_case(
            code, is_start && !is_break ? JINJA_TO_UPPER : JINJA_TO_LOWER, changed);
        size_t i;

        for (i = 0; i < count; i++) {
            char bytes[4];

            den_buffer_append(&buffer, bytes, den_utf8_encode(changed[i], bytes));
        }
        is_start = is_break;
        at += used;
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool trim(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    const struct den_jinja_text *characters;

    return as_text(run, call, 0, &text) && den_jinja_argument_text(run, call, 1, &characters) &&
           den_jinja_strip(run, text, characters, JINJA_BOTH, out);
}

static bool replace(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    const struct den_jinja_text *from_to[2];
    int64_t limit;

    return as_text(run, call, 0, &text) && as_text(run, call, 1, &from_to[0]) &&
           as_text(run, call, 2, &from_to[1]) &&
           den_jinja_argument_integer(run, call, 3, -1, &limit) &&
           den_jinja_replace(run, text, from_to, limit, out);
}

static bool center(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    static const struct den_jinja_text space = { .bytes = " ", .length = 1, .count = 1 };
    const struct den_jinja_text *text;
    int64_t width;

    return as_text(run, call, 0, &text) && den_jinja_argument_integer(run, call, 1, 80, &width) &&
           den_jinja_pad(run, text, width, JINJA_BOTH, &space, out);
}

static bool format(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    struct den_jinja_list *list = den_jinja_list_new(run, call->rest.count);
    struct den_jinja_dict *dict = den_jinja_dict_new(run);
    size_t i;

    if (!list || !dict || !as_text(run, call, 0, &text))
        return false;
    if (call->rest.count > 0 && call->rest.keyword_count > 0)
        return den_jinja_fail(run, "format: positional and keyword arguments can't be mixed");
    for (i = 0; i < call->rest.count; i++)
        if (!den_jinja_list_add(run, list, call->rest.items[i]))
            return false;
    for (i = 0; i < call->rest.keyword_count; i++)
        if (!den_jinja_dict_set(
                run, dict,
                (struct den_jinja_value){ .kind = JINJA_TEXT, .text = call->rest.keywords[i].name },
                call->rest.keywords[i].value))
            return false;
    if (call->rest.keyword_count > 0)
        return den_jinja_format_percent(
            run, text, (struct den_jinja_value){ .kind = JINJA_DICT, .dict = dict }, out);
    return den_jinja_format_percent(run, text, den_jinja_of_list(list, JINJA_TUPLE), out);
}

static bool indent(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    static const struct den_jinja_text space = { .bytes = " ", .length = 1, .count = 1 };
    struct den_jinja_value width = call->values[1];
    struct den_jinja_value indention = width;
    struct den_jinja_list *lines;
    struct den_buffer buffer;
    const struct den_jinja_text *text;
    int64_t spaces;
    size_t i;

    if (call->values[0].kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, call->values[0]);
    if (call->values[0].kind != JINJA_TEXT)
        return den_jinja_fail(run, "indent: a string was expected, not %s",
                              den_jinja_type_name(call->values[0]));
    text = call->values[0].text;
    if (width.kind != JINJA_TEXT && (!den_jinja_argument_integer(run, call, 1, 4, &spaces) ||
                                     !den_jinja_repeat(run, &space, spaces, &indention)))
        return false;
    if (!den_jinja_split_lines(run, text, false, &lines))
        return false;
    /* "a\n" has the lines "a" and "": Jinja adds a newline before it splits */
    if (text->length == 0 || text->bytes[text->length - 1] == '\n') {
        struct den_jinja_value empty;

        if (!den_jinja_text_view(run, "", 0, &empty) || !den_jinja_list_add(run, lines, empty))
            return false;
    }
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < lines->count; i++) {
        const struct den_jinja_text *line = lines->items[i].text;
        bool is_indented = i == 0 ? den_jinja_argument_flag(call, 2)
                                  : line->length > 0 || den_jinja_argument_flag(call, 3);

        if (i > 0)
            den_buffer_append_byte(&buffer, '\n');
        if (is_indented)
            den_buffer_append(&buffer, indention.text->bytes, indention.text->length);
        den_buffer_append(&buffer, line->bytes, line->length);
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool truncate_text(struct den_jinja_run *run, const struct den_jinja_call *call,
                          struct den_jinja_value *out)
{
    static const struct den_jinja_text dots = { .bytes = "...", .length = 3, .count = 3 };
    const struct den_jinja_text *end;
    const struct den_jinja_text *text = call->values[0].text;
    struct den_jinja_value part;
    struct den_buffer buffer;
    const char *space;
    int64_t length;
    int64_t leeway;
    bool has_length;
    size_t count;
    size_t kept;

    if (!den_jinja_argument_integer(run, call, 1, 255, &length) ||
        !den_jinja_argument_text(run, call, 3, &end) ||
        !den_jinja_argument_integer(run, call, 4, 5, &leeway))
        return false;
    end = end ? end : &dots;
    if (length < (int64_t)end->count || leeway < 0)
        return den_jinja_fail(run,
                              "truncate: the length must be at least %zu and the leeway not "
                              "negative",
                              end->count);
    den_jinja_length(call->values[0], &count, &has_length);
    if (has_length && ((int64_t)count <= length || (int64_t)count - length <= leeway)) {
        *out = call->values[0]; /* whatever it is: only what is cut must be a text */
        return true;
    }
    if (call->values[0].kind != JINJA_TEXT)
        return den_jinja_fail(run, "truncate: a string was expected, not %s",
                              den_jinja_type_name(call->values[0]));
    if (!den_jinja_substring(run, text, 0, (size_t)length - end->count, &part))
        return false;
    kept = part.text->length;
    if (!den_jinja_argument_flag(call, 2) && kept > 0) {
        space = memrchr(part.text->bytes, ' ', kept);
        kept = space ? (size_t)(space - part.text->bytes) : kept;
    }
    den_jinja_buffer_init(&buffer);
    den_buffer_append(&buffer, part.text->bytes, kept);
    den_buffer_append(&buffer, end->bytes, end->length);
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool wordcount(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    bool is_inside = false;
    int64_t count = 0;
    size_t at = 0;

    if (!as_text(run, call, 0, &text) || !den_jinja_spend_bytes(run, text->length))
        return false;
    while (at < text->length) {
        uint32_t code;
        bool is_word;

        at += den_utf8_decode(text->bytes + at, text->length - at, &code);
        is_word = code == '_' || den_jinja_char_is_alnum(code);
        count += is_word && !is_inside;
        is_inside = is_word;
    }
    *out = den_jinja_integer(count);
    return true;
}

/* --- numbers --- */

static bool absolute(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    int64_t integer;

    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (!den_jinja_is_number(value))
        return den_jinja_fail(run, "abs: a number was expected, not %s",
                              den_jinja_type_name(value));
    if (den_jinja_as_integer(value, &integer)) {
        if (integer == INT64_MIN)
            return den_jinja_fail(run, "abs: the result does not fit in a 64-bit integer");
        *out = den_jinja_integer(integer < 0 ? -integer : integer);
        return true;
    }
    *out = den_jinja_number(fabs(value.number));
    return true;
}

static bool from_float(struct den_jinja_run *run, double number, struct den_jinja_value fallback,
                       struct den_jinja_value *out)
{
    if (isnan(number) || isinf(number)) {
        *out = fallback;
        return true;
    }
    if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0))
        return den_jinja_fail(run, "int: the number does not fit in a 64-bit integer");
    *out = den_jinja_integer((int64_t)number);
    return true;
}

static bool to_integer(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    struct den_jinja_value fallback = call->values[1];
    int64_t integer;
    int64_t base;
    double number;
    bool overflow = false;

    if (fallback.kind == JINJA_MISSING)
        fallback = den_jinja_integer(0);
    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (!den_jinja_argument_integer(run, call, 2, 10, &base))
        return false;
    if (den_jinja_as_integer(value, &integer)) {
        *out = den_jinja_integer(integer);
        return true;
    }
    if (value.kind == JINJA_FLOAT && isinf(value.number))
        return den_jinja_fail(run, "int: an infinite number has no integer");
    if (value.kind == JINJA_FLOAT)
        return from_float(run, value.number, fallback, out);
    *out = fallback;
    if (value.kind != JINJA_TEXT)
        return true;
    if (base == 0 || (base >= 2 && base <= 36)) {
        if (den_jinja_parse_integer(value.text->bytes, value.text->length, (int)base, &integer,
                                    &overflow)) {
            *out = den_jinja_integer(integer);
            return true;
        }
        if (overflow)
            return den_jinja_fail(run, "int: the number does not fit in a 64-bit integer");
    }
    if (den_jinja_parse_float(value.text->bytes, value.text->length, &number))
        return from_float(run, number, fallback, out);
    return true;
}

static bool to_float(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    double number;

    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (den_jinja_is_number(value))
        *out = den_jinja_number(den_jinja_as_number(value));
    else if (value.kind == JINJA_TEXT &&
             den_jinja_parse_float(value.text->bytes, value.text->length, &number))
        *out = den_jinja_number(number);
    else
        *out = call->values[1].kind == JINJA_MISSING ? den_jinja_number(0) : call->values[1];
    return true;
}

/* Half to even on the exact binary value, which is what the C library's printing does. */
static double round_digits(double number, int64_t digits)
{
    char text[1024];

    if (isnan(number) || isinf(number) || digits > 320)
        return number;
    if (digits < -310)
        return copysign(0.0, number);
    if (digits >= 0) {
        snprintf(text, sizeof text, "%.*f", (int)digits, number);
        return strtod(text, NULL);
    }
    number = nearbyint(number / pow(10, (double)-digits));
    return number * pow(10, (double)-digits);
}

static bool round_integer(struct den_jinja_run *run, int64_t integer, int64_t digits,
                          struct den_jinja_value *out)
{
    int64_t unit = 1;
    int64_t rest;

    for (; digits < 0; digits++)
        if (__builtin_mul_overflow(unit, 10, &unit)) {
            *out = den_jinja_integer(0);
            return true;
        }
    rest = integer % unit;
    integer -= rest;
    if (rest < 0) {
        rest += unit;
        if (__builtin_sub_overflow(integer, unit, &integer))
            return den_jinja_fail(run, "round: the result does not fit in a 64-bit integer");
    }
    if (rest > unit - rest || (rest == unit - rest && (integer / unit) % 2 != 0))
        if (__builtin_add_overflow(integer, unit, &integer))
            return den_jinja_fail(run, "round: the result does not fit in a 64-bit integer");
    *out = den_jinja_integer(integer);
    return true;
}

static bool round_number(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    struct den_jinja_value method = call->values[2];
    int64_t digits;
    int64_t integer;
    double unit;
    double scaled;

    if (!den_jinja_argument_integer(run, call, 1, 0, &digits))
        return false;
    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (!den_jinja_is_number(value))
        return den_jinja_fail(run, "round: a number was expected, not %s",
                              den_jinja_type_name(value));
    if (method.kind == JINJA_MISSING || den_jinja_text_is(method, "common")) {
        if (den_jinja_as_integer(value, &integer))
            return round_integer(run, integer, digits, out);
        *out = den_jinja_number(round_digits(value.number, digits));
        return true;
    }
    if (!den_jinja_text_is(method, "ceil") && !den_jinja_text_is(method, "floor"))
        return den_jinja_fail(run, "round: the method must be common, ceil or floor");
    unit = pow(10, (double)digits);
    scaled = den_jinja_as_number(value) * unit;
    if (isnan(scaled) || isinf(scaled) || unit == 0 || isinf(unit))
        return den_jinja_fail(run, "round: the number is too large");
    *out =
        den_jinja_number((den_jinja_text_is(method, "ceil") ? ceil(scaled) : floor(scaled)) / unit);
    return true;
}

static bool filesizeformat(struct den_jinja_run *run, const struct den_jinja_call *call,
                           struct den_jinja_value *out)
{
    static const char *const prefixes[] = { "k", "M", "G", "T", "P", "E", "Z", "Y" };
    bool is_binary = den_jinja_argument_flag(call, 1);
    struct den_jinja_value number;
    char text[64];
    double base = is_binary ? 1024 : 1000;
    double unit = base * base;
    size_t i;

    if (!to_float(run, call, &number))
        return false;
    if (number.number == 1)
        return den_jinja_text(run, "1 Byte", 6, out);
    if (number.number < base) {
        snprintf(text, sizeof text, "%d Bytes", (int)fmax(number.number, -1e9));
        return den_jinja_text(run, text, strlen(text), out);
    }
    for (i = 0; i < 7 && number.number >= unit; i++)
        unit *= base;
    snprintf(text, sizeof text, "%.1f %s%s", fmin(base * number.number / unit, 1e30),
             is_binary && i == 0 ? "K" : prefixes[i], is_binary ? "iB" : "B");
    return den_jinja_text(run, text, strlen(text), out);
}

/* --- values --- */

static bool default_value(struct den_jinja_run *run, const struct den_jinja_call *call,
                          struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];

    *out = value;
    if (value.kind != JINJA_UNDEFINED &&
        !(den_jinja_argument_flag(call, 2) && !den_jinja_is_true(value)))
        return true;
    *out = call->values[1];
    return out->kind != JINJA_MISSING || den_jinja_text_view(run, "", 0, out);
}

static bool attr(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    struct den_jinja_value object = call->values[0];
    const struct den_jinja_text *name;

    if (!den_jinja_argument_text(run, call, 1, &name))
        return false;
    if (!name)
        return den_jinja_fail(run, "attr: the name must be a string");
    if (object.kind == JINJA_DICT) { /* attributes only, no items: an empty dict has the same */
        object.dict = den_jinja_dict_new(run);
        if (!object.dict)
            return false;
        if (!den_jinja_get_attribute(run, object, name, out))
            return false;
        if (out->kind == JINJA_METHOD)
            return den_jinja_get_attribute(run, call->values[0], name, out);
        return true;
    }
    return den_jinja_get_attribute(run, object, name, out);
}

static bool json_separators(struct den_jinja_run *run, struct den_jinja_value value,
                            struct den_jinja_json_options *options)
{
    struct den_jinja_list *pair;

    if (value.kind == JINJA_MISSING || value.kind == JINJA_NONE)
        return true;
    if (!den_jinja_items(run, value, &pair))
        return false;
    if (pair->count != 2 || pair->items[0].kind != JINJA_TEXT || pair->items[1].kind != JINJA_TEXT)
        return den_jinja_fail(run, "tojson: separators must be two strings, as in (',', ':')");
    options->item_separator = pair->items[0].text;
    options->key_separator = pair->items[1].text;
    return true;
}

static bool tojson(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    static const struct den_jinja_text space = { .bytes = " ", .length = 1, .count = 1 };
    static const struct den_jinja_text comma = { .bytes = ", ", .length = 2, .count = 2 };
    static const struct den_jinja_text bare_comma = { .bytes = ",", .length = 1, .count = 1 };
    static const struct den_jinja_text colon = { .bytes = ": ", .length = 2, .count = 2 };
    struct den_jinja_json_options options = { .is_ascii = den_jinja_argument_flag(call, 1),
                                              .is_sorted = den_jinja_argument_flag(call, 4),
                                              .item_separator = &comma,
                                              .key_separator = &colon };
    struct den_jinja_value indention = call->values[2];
    struct den_buffer buffer;
    int64_t spaces;

    if (indention.kind != JINJA_MISSING && indention.kind != JINJA_NONE) {
        if (indention.kind != JINJA_TEXT &&
            (!den_jinja_argument_integer(run, call, 2, 0, &spaces) ||
             !den_jinja_repeat(run, &space, spaces, &indention)))
            return false;
        options.indent = indention.text;
        options.item_separator = &bare_comma;
    }
    if (!json_separators(run, call->values[3], &options))
        return false;
    den_jinja_buffer_init(&buffer);
    if (den_jinja_print_json(run, call->values[0], &options, &buffer))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

static bool pprint(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    struct den_buffer buffer;

    den_jinja_buffer_init(&buffer);
    if (den_jinja_print_pretty(run, call->values[0], &buffer))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

const struct den_jinja_builtin *den_jinja_text_filter_find(const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin filters[] = {
        { "tojson", "value ensure_ascii? indent? separators? sort_keys?", tojson },
        { "trim", "value chars?", trim },
        { "default", "value default_value? boolean?", default_value },
        { "d", "value default_value? boolean?", default_value },
        { "string", "value", to_string },
        { "safe", "value", to_string },
        { "upper", "value", upper },
        { "lower", "value", lower },
        { "capitalize", "value", capitalize },
        { "title", "value", title },
        { "replace", "value old new count?", replace },
        { "indent", "value width? first? blank?", indent },
        { "int", "value default? base?", to_integer },
        { "float", "value default?", to_float },
        { "round", "value precision? method?", round_number },
        { "abs", "value", absolute },
        { "attr", "value name", attr },
        { "center", "value width?", center },
        { "format", "value *", format },
        { "truncate", "value length? killwords? end? leeway?", truncate_text },
        { "wordcount", "value", wordcount },
        { "filesizeformat", "value binary?", filesizeformat },
        { "pprint", "value", pprint },
    };

    return den_jinja_builtin_find(filters, sizeof filters / sizeof filters[0], name);
}

const struct den_jinja_builtin *den_jinja_filter_find(const struct den_jinja_text *name)
{
    const struct den_jinja_builtin *found = den_jinja_text_filter_find(name);

    if (!found)
        found = den_jinja_list_filter_find(name);
    return found ? found : den_jinja_markup_filter_find(name);
}
