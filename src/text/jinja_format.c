/* The two format languages; see jinja_format.h. Layout is in jinja_layout.c. */
#include "text/jinja_format.h"

#include <string.h>

#include "base/utf8.h"
#include "text/jinja_eval.h"
#include "text/jinja_literal.h"
#include "text/jinja_print.h"

enum { NUMBER_MAX = 1 << 30 };

/* --- "%..." % values --- */

struct percent {
    struct den_jinja_run *run;
    const char *at;
    const char *end;
    struct den_jinja_value values;
    size_t next;
};

static bool next_value(struct percent *state, struct den_jinja_value *out)
{
    if (state->values.kind == JINJA_TUPLE) {
        if (state->next >= state->values.list->count)
            return den_jinja_fail(state->run, "not enough arguments for format string");
        *out = state->values.list->items[state->next++];
        return true;
    }
    if (state->next++ > 0)
        return den_jinja_fail(state->run, "not enough arguments for format string");
    *out = state->values;
    return true;
}

/* Digits, or '*' for the next value. */
static bool read_size(struct percent *state, int64_t *out)
{
    struct den_jinja_value value;

    if (state->at < state->end && *state->at == '*') {
        state->at++;
        if (!next_value(state, &value))
            return false;
        if (!den_jinja_as_integer(value, out))
            return den_jinja_fail(state->run, "format: * wants an integer");
        if (*out > NUMBER_MAX)
            *out = NUMBER_MAX;
        return true;
    }
    *out = 0;
    while (state->at < state->end && *state->at >= '0' && *state->at <= '9') {
        *out = *out * 10 + (*state->at++ - '0');
        if (*out > NUMBER_MAX)
            *out = NUMBER_MAX;
    }
    return true;
}

static bool read_key(struct percent *state, struct den_jinja_value *out)
{
    const char *close = memchr(state->at, ')', (size_t)(state->end - state->at));
    const struct den_jinja_value *found;
    struct den_jinja_value key;

    if (!close)
        return den_jinja_fail(state->run, "format: '%%(' without ')'");
    if (state->values.kind != JINJA_DICT)
        return den_jinja_fail(state->run, "format requires a mapping for %%(name)s");
    if (!den_jinja_text_view(state->run, state->at, (size_t)(close - state->at), &key) ||
        !den_jinja_dict_find(state->run, state->values.dict, key, &found))
        return false;
    if (!found)
        return den_jinja_fail(state->run, "format: no value named '%.*s'", (int)key.text->length,
                              key.text->bytes);
    *out = *found;
    state->at = close + 1;
    return true;
}

static bool percent_text(struct den_jinja_run *run, struct den_jinja_value value,
                         const struct den_jinja_layout *layout, struct den_buffer *out)
{
    struct den_buffer buffer;
    struct den_jinja_value text;
    struct den_jinja_layout laid = *layout;
    bool is_done = layout->type == 's';

    if (laid.align == 0)
        laid.align = '>';
    if (is_done)
        return den_jinja_to_text(run, value, &text) &&
               den_jinja_format_text(run, text.text, &laid, out);
    den_jinja_buffer_init(&buffer);
    if (!den_jinja_print_repr(run, value, &buffer)) {
        den_buffer_deinit(&buffer);
        return false;
    }
    return den_jinja_buffer_finish(run, &buffer, &text) &&
           den_jinja_format_text(run, text.text, &laid, out);
}

static bool percent_character(struct den_jinja_run *run, struct den_jinja_value value,
                              const struct den_jinja_layout *layout, struct den_buffer *out)
{
    struct den_jinja_value text = value;
    struct den_jinja_layout laid = *layout;
    int64_t code;
    char bytes[4];

    if (den_jinja_as_integer(value, &code)) {
        if (code < 0 || code > 0x10FFFF)
            return den_jinja_fail(run, "format: %%c wants a code point below 0x110000");
        if (!den_jinja_text(run, bytes, den_utf8_encode((uint32_t)code, bytes), &text))
            return false;
    } else if (value.kind != JINJA_TEXT || value.text->count != 1) {
        return den_jinja_fail(run, "format: %%c wants an integer or one character");
    }
    if (laid.align == 0)
        laid.align = '>';
    laid.precision = -1;
    return den_jinja_format_text(run, text.text, &laid, out);
}

static bool percent_value(struct den_jinja_run *run, struct den_jinja_value value,
                          struct den_jinja_layout *layout, struct den_buffer *out)
{
    if (value.kind == JINJA_UNDEFINED && layout->type != 's' && layout->type != 'r')
        return den_jinja_undefined_fail(run, value);
    switch (layout->type) {
    case 's':
    case 'r':
    case 'a':
        return percent_text(run, value, layout, out);
    case 'c':
        return percent_character(run, value, layout, out);
    case 'i':
    case 'u':
    case 'd':
    case 'x':
    case 'X':
    case 'o':
        if (!den_jinja_is_number(value) ||
            (value.kind == JINJA_FLOAT && !strchr("diu", layout->type)))
            return den_jinja_fail(run, "format: %%%c wants a number, not %s", layout->type,
                                  den_jinja_type_name(value));
        if (value.kind == JINJA_FLOAT) {
            if (!(value.number > -9.2e18 && value.number < 9.2e18))
                return den_jinja_fail(run, "format: the number does not fit in 64 bits");
            value = den_jinja_integer((int64_t)value.number);
        }
        layout->type = strchr("iu", layout->type) ? 'd' : layout->type;
        return den_jinja_format_number(run, value, layout, out);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        if (!den_jinja_is_number(value))
            return den_jinja_fail(run, "format: %%%c wants a number, not %s", layout->type,
                                  den_jinja_type_name(value));
        return den_jinja_format_number(run, value, layout, out);
    default:
        return den_jinja_fail(run, "format: unsupported format character '%c'", layout->type);
    }
}

static void read_flags(struct percent *state, struct den_jinja_layout *layout)
{
    for (; state->at < state->end; state->at++) {
        if (*state->at == '-')
            layout->align = '<';
        else if (*state->at == '+')
            layout->sign = '+';
        else if (*state->at == ' ')
            layout->sign = layout->sign == '+' ? '+' : ' ';
        else if (*state->at == '0')
            layout->has_zeros = true;
        else if (*state->at == '#')
            layout->has_prefix = true;
        else
            return;
    }
}

/* After a '%': one directive. */
static bool percent_directive(struct percent *state, struct den_buffer *out)
{
    struct den_jinja_layout layout = { .precision = -1, .sign = '-' };
    struct den_jinja_value value = JINJA_VALUE_MISSING;

    if (state->at < state->end && *state->at == '(') {
        state->at++;
        if (!read_key(state, &value))
            return false;
    }
    read_flags(state, &layout);
    if (!read_size(state, &layout.width))
        return false;
    if (layout.width < 0) {
        layout.align = '<';
        layout.width = -layout.width;
    }
    if (state->at < state->end && *state->at == '.') {
        state->at++;
        if (!read_size(state, &layout.precision))
            return false;
        if (layout.precision < 0)
            layout.precision = 0;
    }
    while (state->at < state->end && strchr("hlL", *state->at))
        state->at++;
    if (state->at >= state->end)
        return den_jinja_fail(state->run, "format: incomplete format");
    layout.type = *state->at++;
    if (layout.type == '%')
        return den_buffer_append_byte(out, '%') || true;
    if (value.kind == JINJA_MISSING && !next_value(state, &value))
        return false;
    return percent_value(state->run, value, &layout, out);
}

bool den_jinja_format_percent(struct den_jinja_run *run, const struct den_jinja_text *format,
                              struct den_jinja_value values, struct den_jinja_value *out)
{
    struct percent state = {
        .run = run, .at = format->bytes, .end = format->bytes + format->length, .values = values
    };
    struct den_buffer buffer;
    bool is_done = true;
    bool is_unused;

    den_jinja_buffer_init(&buffer);
    while (is_done && state.at < state.end) {
        const char *mark = memchr(state.at, '%', (size_t)(state.end - state.at));
        const char *to = mark ? mark : state.end;

        den_buffer_append(&buffer, state.at, (size_t)(to - state.at));
        state.at = mark ? mark + 1 : to;
        is_done = den_jinja_spend(run, 1) && (!mark || percent_directive(&state, &buffer));
    }
    is_unused = values.kind == JINJA_TUPLE
                    ? state.next < values.list->count
                    : state.next == 0 && values.kind != JINJA_DICT && values.kind != JINJA_LIST &&
                          values.kind != JINJA_UNDEFINED && values.kind != JINJA_RANGE;
    if (is_done && is_unused)
        is_done = den_jinja_fail(run, "not all arguments converted during string formatting");
    if (is_done)
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

/* --- "{}".format(...) --- */

struct braces {
    struct den_jinja_run *run;
    const struct den_jinja_arguments *arguments;
    size_t next;      /* automatic numbering */
    bool is_numbered; /* a field named its argument by number */
};

static bool find_keyword(struct braces *state, const char *name, size_t length,
                         struct den_jinja_value *out)
{
    size_t i;

    for (i = 0; i < state->arguments->keyword_count; i++) {
        const struct den_jinja_keyword *keyword = &state->arguments->keywords[i];

        if (keyword->name->length == length && memcmp(keyword->name->bytes, name, length) == 0) {
            *out = keyword->value;
            return true;
        }
    }
    return den_jinja_fail(state->run, "format: no argument named '%.*s'",
                          (int)(length < 100 ? length : 100), name);
}

static bool find_argument(struct braces *state, const char *name, size_t length,
                          struct den_jinja_value *out)
{
    int64_t index;
    bool overflow;

    if (length == 0)
        index = (int64_t)state->next++;
    else if (*name < '0' || *name > '9' ||
             !den_jinja_parse_integer(name, length, 10, &index, &overflow))
        return find_keyword(state, name, length, out);
    else
        state->is_numbered = true;
    if (state->is_numbered && state->next > 0)
        return den_jinja_fail(state->run, "format: '{}' and '{0}' can't be mixed");
    if ((uint64_t)index >= state->arguments->count)
        return den_jinja_fail(state->run, "format: there is no argument %lld", (long long)index);
    *out = state->arguments->items[index];
    return true;
}

/* "name.attribute[key]" */
static bool find_field(struct braces *state, const char *at, const char *end,
                       struct den_jinja_value *out)
{
    struct den_jinja_run *run = state->run;
    const char *start = at;

    while (at < end && *at != '.' && *at != '[')
        at++;
    if (!find_argument(state, start, (size_t)(at - start), out))
        return false;
    while (at < end) {
        bool is_item = *at++ == '[';
        struct den_jinja_value key;
        int64_t index;
        bool overflow;

        start = at;
        while (at < end && (is_item ? *at != ']' : *at != '.' && *at != '['))
            at++;
        if (at == start || (is_item && at == end))
            return den_jinja_fail(run, "format: malformed field name");
        if (!den_jinja_text_view(run, start, (size_t)(at - start), &key))
            return false;
        if (is_item && *start >= '0' && *start <= '9' &&
            den_jinja_parse_integer(start, (size_t)(at - start), 10, &index, &overflow))
            key = den_jinja_integer(index);
        at += is_item;
        if (is_item ? !den_jinja_get_item(run, *out, key, out)
                    : !den_jinja_get_attribute(run, *out, key.text, out))
            return false;
    }
    return true;
}

static size_t read_layout_number(const char **at, const char *end)
{
    size_t value = 0;

    while (*at < end && **at >= '0' && **at <= '9') {
        value = value * 10 + (size_t)(*(*at)++ - '0');
        if (value > NUMBER_MAX)
            value = NUMBER_MAX;
    }
    return value;
}

/* [[fill]align][sign][#][0][width][grouping][.precision][type] */
static bool read_layout(struct den_jinja_run *run, const char *at, const char *end,
                        struct den_jinja_layout *layout)
{
    uint32_t code;
    size_t first = at < end ? den_utf8_decode(at, (size_t)(end - at), &code) : 0;

    *layout = (struct den_jinja_layout){ .precision = -1, .sign = '-' };
    if (at + first < end && first > 0 && at[first] && strchr("<>=^", at[first])) {
        memcpy(layout->fill, at, first);
        layout->fill_length = first;
        layout->align = at[first];
        at += first + 1;
    } else if (at < end && *at && strchr("<>=^", *at)) {
        layout->align = *at++;
        layout->fill[0] = ' ';
        layout->fill_length = 1;
    }
    if (at < end && *at && strchr("+- ", *at))
        layout->sign = *at++;
    if (at < end && *at == '#') {
        layout->has_prefix = true;
        at++;
    }
    if (at < end && *at == '0') {
        layout->has_zeros = true;
        if (layout->fill_length == 0 || layout->align == 0) {
            layout->fill[0] = '0';
            layout->fill_length = 1;
        }
        at++;
    }
    layout->width = (int64_t)read_layout_number(&at, end);
    if (at < end && (*at == ',' || *at == '_'))
        layout->grouping = *at++;
    if (at < end && *at == '.') {
        at++;
        if (at >= end || *at < '0' || *at > '9')
            return den_jinja_fail(run, "format: the precision is missing after '.'");
        layout->precision = (int64_t)read_layout_number(&at, end);
    }
    if (at < end)
        layout->type = *at++;
    if (at < end)
        return den_jinja_fail(run, "format: invalid format specification");
    return true;
}

static bool format_value(struct den_jinja_run *run, struct den_jinja_value value, const char *spec,
                         size_t length, struct den_buffer *out)
{
    struct den_jinja_layout layout;
    struct den_jinja_value text;
    bool is_number = den_jinja_is_number(value);

    if (length == 0)
        return den_jinja_print(run, value, out);
    if (!read_layout(run, spec, spec + length, &layout))
        return false;
    if (value.kind == JINJA_BOOL && layout.type == 0) {
        value =
            den_jinja_integer(value.boolean); /* bool formats as an integer once a spec is given */
    }
    if (value.kind == JINJA_TEXT) {
        if (layout.type && layout.type != 's')
            return den_jinja_fail(run, "format: unknown format code '%c' for a string",
                                  layout.type);
        if (layout.align == '=' || layout.grouping || layout.sign != '-' || layout.has_prefix)
            return den_jinja_fail(run, "format: '=', signs, '#' and ',' are for numbers");
        return den_jinja_to_text(run, value, &text) &&
               den_jinja_format_text(run, text.text, &layout, out);
    }
    if (!is_number)
        return den_jinja_fail(run, "format: a %s takes no format specification",
                              den_jinja_type_name(value));
    if (layout.type == 'n')
        layout.type = value.kind == JINJA_FLOAT ? 'g' : 'd';
    if (layout.type == 'c')
        return percent_character(run, value, &layout, out);
    if (layout.type && !strchr(value.kind == JINJA_FLOAT ? "eEfFgG%" : "bdoxXeEfFgG%", layout.type))
        return den_jinja_fail(run, "format: unknown format code '%c' for a number", layout.type);
    if (value.kind != JINJA_FLOAT && layout.precision >= 0 &&
        (layout.type == 0 || strchr("bdoxX", layout.type)))
        return den_jinja_fail(run, "format: precision not allowed for integers");
    return den_jinja_format_number(run, value, &layout, out);
}

static bool expand(struct braces *state, const char *at, const char *end, unsigned depth,
                   struct den_buffer *out);

/* The inside of a replacement field. */
static bool expand_field(struct braces *state, const char *at, const char *end, unsigned depth,
                         struct den_buffer *out)
{
    struct den_jinja_run *run = state->run;
    const char *name_end = at;
    struct den_buffer spec;
    struct den_jinja_value value;
    char conversion = 0;
    bool is_done;

    while (name_end < end && *name_end != '!' && *name_end != ':') {
        if (*name_end == '[') {
            const char *close = memchr(name_end, ']', (size_t)(end - name_end));

            name_end = close ? close : name_end;
        }
        name_end++;
    }
    if (!find_field(state, at, name_end, &value))
        return false;
    at = name_end;
    if (at < end && *at == '!') {
        if (at + 1 >= end || (at + 2 < end && at[2] != ':'))
            return den_jinja_fail(run, "format: expected ':' after the conversion specifier");
        conversion = at[1];
        at += 2;
    }
    den_buffer_init(&spec, 4096);
    is_done = at >= end || expand(state, at + 1, end, depth + 1, &spec);
    if (is_done && conversion) {
        struct den_buffer text;

        den_jinja_buffer_init(&text);
        is_done = conversion == 's' ? den_jinja_print(run, value, &text)
                  : conversion == 'r' || conversion == 'a'
                      ? den_jinja_print_repr(run, value, &text)
                      : den_jinja_fail(run, "format: unknown conversion '%c'", conversion);
        if (is_done)
            is_done = den_jinja_buffer_finish(run, &text, &value);
        else
            den_buffer_deinit(&text);
    }
    if (is_done && spec.status != DEN_OK)
        is_done = den_jinja_fail_bound(run, "format: the specification is too long");
    if (is_done)
        is_done = format_value(run, value, spec.data, spec.length, out);
    den_buffer_deinit(&spec);
    return is_done;
}

static const char *find_close(const char *at, const char *end)
{
    unsigned open = 1;

    for (; at < end; at++) {
        open += *at == '{';
        open -= *at == '}';
        if (open == 0)
            return at;
    }
    return NULL;
}

static bool expand(struct braces *state, const char *at, const char *end, unsigned depth,
                   struct den_buffer *out)
{
    if (depth > 2)
        return den_jinja_fail(state->run, "format: fields are nested too deep");
    while (at < end) {
        const char *close;

        if ((*at == '{' || *at == '}') && at + 1 < end && at[1] == *at && depth == 0) {
            den_buffer_append_byte(out, *at);
            at += 2;
            continue;
        }
        if (*at == '}')
            return den_jinja_fail(state->run, "format: single '}' encountered");
        if (*at != '{') {
            den_buffer_append_byte(out, *at++);
            continue;
        }
        close = find_close(at + 1, end);
        if (!close)
            return den_jinja_fail(state->run, "format: single '{' encountered");
        if (!den_jinja_spend(state->run, 1) || !expand_field(state, at + 1, close, depth, out))
            return false;
        at = close + 1;
    }
    return true;
}

bool den_jinja_format_braces(struct den_jinja_run *run, const struct den_jinja_text *format,
                             const struct den_jinja_arguments *arguments,
                             struct den_jinja_value *out)
{
    struct braces state = { .run = run, .arguments = arguments };
    struct den_buffer buffer;

    den_jinja_buffer_init(&buffer);
    if (expand(&state, format->bytes, format->bytes + format->length, 0, &buffer))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}
