/* See jinja_print.h. */
#include "text/jinja_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_call.h"
#include "text/jinja_run.h"
#include "text/jinja_unicode.h"

/* repr(): positional from 1e-4 to below 1e16, otherwise with an exponent of at least two digits. */
void den_jinja_print_float(double number, char out[JINJA_FLOAT_BYTES])
{
    char digits[32];
    char *exponent_at;
    int precision;
    int exponent;

    if (isnan(number) || isinf(number)) {
        snprintf(out, JINJA_FLOAT_BYTES, "%s", isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
        return;
    }
    for (precision = 0; precision < 17; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    exponent_at = strchr(digits, 'e');
    exponent = (int)strtol(exponent_at + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        *exponent_at = '\0';
        snprintf(out, JINJA_FLOAT_BYTES, "%se%c%02d", digits, exponent < 0 ? '-' : '+',
                 abs(exponent));
        return;
    }
    precision -= exponent;
    snprintf(out, JINJA_FLOAT_BYTES, "%.*f", precision > 1 ? precision : 1, number);
}

/* Quotes as Python chooses them: single, unless the text holds single and no double ones. */
static void repr_text(const struct den_jinja_text *text, struct den_buffer *out)
{
    bool has_single = memchr(text->bytes, '\'', text->length) != NULL;
    bool has_double = memchr(text->bytes, '"', text->length) != NULL;
    char quote = has_single && !has_double ? '"' : '\'';
    size_t at = 0;

    den_buffer_append_byte(out, quote);
    while (at < text->length) {
        uint32_t code;
        size_t used = den_utf8_decode(text->bytes + at, text->length - at, &code);

        if (code == (unsigned char)quote || code == '\\')
            den_buffer_appendf(out, "\\%c", (int)code);
        else if (code == '\n' || code == '\r' || code == '\t')
            den_buffer_append_text(out, code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t");
        else if (!den_jinja_char_is(code, JINJA_IS_HIDDEN))
            den_buffer_append(out, text->bytes + at, used);
        else if (code < 0x100)
            den_buffer_appendf(out, "\\x%02x", code);
        else if (code < 0x10000)
            den_buffer_appendf(out, "\\u%04x", code);
        else
            den_buffer_appendf(out, "\\U%08x", code);
        at += used;
    }
    den_buffer_append_byte(out, quote);
}

static bool repr_items(struct den_jinja_run *run, const struct den_jinja_list *list,
                       const char *brackets, struct den_buffer *out)
{
    size_t i;

    den_buffer_append_byte(out, brackets[0]);
    for (i = 0; i < list->count; i++) {
        if (i > 0)
            den_buffer_append_text(out, ", ");
        if (!den_jinja_print_repr(run, list->items[i], out))
            return false;
    }
    if (brackets[0] == '(' && list->count == 1)
        den_buffer_append_byte(out, ',');
    den_buffer_append_byte(out, brackets[1]);
    return true;
}

static bool repr_dict(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                      struct den_buffer *out)
{
    size_t i;

    den_buffer_append_byte(out, '{');
    for (i = 0; i < dict->count; i++) {
        if (i > 0)
            den_buffer_append_text(out, ", ");
        if (!den_jinja_print_repr(run, dict->entries[i].key, out))
            return false;
        den_buffer_append_text(out, ": ");
        if (!den_jinja_print_repr(run, dict->entries[i].value, out))
            return false;
    }
    den_buffer_append_byte(out, '}');
    return true;
}

static void repr_range(const struct den_jinja_range *range, struct den_buffer *out)
{
    den_buffer_appendf(out, "range(%lld, %lld", (long long)range->start, (long long)range->stop);
    if (range->step != 1)
        den_buffer_appendf(out, ", %lld", (long long)range->step);
    den_buffer_append_byte(out, ')');
}

static bool repr_scalar(struct den_jinja_value value, struct den_buffer *out)
{
    char number[JINJA_FLOAT_BYTES];

    switch (value.kind) {
    case JINJA_UNDEFINED:
        return den_buffer_append_text(out, "Undefined") || true;
    case JINJA_NONE:
        return den_buffer_append_text(out, "None") || true;
    case JINJA_BOOL:
        return den_buffer_append_text(out, value.boolean ? "True" : "False") || true;
    case JINJA_INTEGER:
        return den_buffer_appendf(out, "%lld", (long long)value.integer) || true;
    case JINJA_FLOAT:
        den_jinja_print_float(value.number, number);
        return den_buffer_append_text(out, number) || true;
    case JINJA_TEXT:
        repr_text(value.text, out);
        return true;
    case JINJA_RANGE:
        repr_range(value.range, out);
        return true;
    default:
        return false;
    }
}

static bool repr_compound(struct den_jinja_run *run, struct den_jinja_value value,
                          struct den_buffer *out)
{
    switch (value.kind) {
    case JINJA_LIST:
        return repr_items(run, value.list, "[]", out);
    case JINJA_TUPLE:
        return repr_items(run, value.list, "()", out);
    case JINJA_DICT:
        return repr_dict(run, value.dict, out);
    case JINJA_NAMESPACE:
        den_buffer_append_text(out, "<Namespace ");
        if (!repr_dict(run, value.dict, out))
            return false;
        den_buffer_append_byte(out, '>');
        return true;
    case JINJA_VIEW:
        den_buffer_appendf(out, "%s(", value.list->name);
        if (!repr_items(run, value.list, "[]", out))
            return false;
        den_buffer_append_byte(out, ')');
        return true;
    default: /* Python would print an address */
        den_buffer_appendf(out, "<%s object>", den_jinja_type_name(value));
        return true;
    }
}

bool den_jinja_print_repr(struct den_jinja_run *run, struct den_jinja_value value,
                          struct den_buffer *out)
{
    bool is_done;

    if (repr_scalar(value, out))
        return out->status == DEN_OK || den_jinja_fail_bound(run, "a text is longer than %u MiB",
                                                             DEN_TEMPLATE_OUTPUT_BYTES_MAX >> 20);
    if (!den_jinja_enter(run))
        return false;
    is_done = repr_compound(run, value, out);
    den_jinja_leave(run);
    return is_done;
}

bool den_jinja_print(struct den_jinja_run *run, struct den_jinja_value value,
                     struct den_buffer *out)
{
    if (value.kind == JINJA_UNDEFINED)
        return true;
    if (value.kind != JINJA_TEXT)
        return den_jinja_print_repr(run, value, out);
    den_buffer_append(out, value.text->bytes, value.text->length);
    return true;
}

bool den_jinja_to_text(struct den_jinja_run *run, struct den_jinja_value value,
                       struct den_jinja_value *out)
{
    struct den_buffer buffer;

    if (value.kind == JINJA_TEXT) {
        *out = value;
        return true;
    }
    den_jinja_buffer_init(&buffer);
    if (den_jinja_print(run, value, &buffer))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

/* --- pprint --- */

enum { PRETTY_WIDTH = 80 };

static int compare_keys(const void *a, const void *b)
{
    const struct den_jinja_entry *x = *(const struct den_jinja_entry *const *)a;
    const struct den_jinja_entry *y = *(const struct den_jinja_entry *const *)b;
    size_t shorter;
    int order;

    if (x->key.kind != JINJA_TEXT || y->key.kind != JINJA_TEXT)
        return x < y ? -1 : x > y;
    shorter = x->key.text->length < y->key.text->length ? x->key.text->length : y->key.text->length;
    order = memcmp(x->key.text->bytes, y->key.text->bytes, shorter);
    if (order != 0)
        return order;
    return x->key.text->length < y->key.text->length ? -1
                                                     : x->key.text->length > y->key.text->length;
}

/* A copy of `value` with all dicts sorted by key, which is how pprint shows them. */
static bool sort_dicts(struct den_jinja_run *run, struct den_jinja_value value,
                       struct den_jinja_value *out)
{
    struct den_jinja_dict *sorted;
    const struct den_jinja_entry **order;
    size_t i;

    *out = value;
    if (value.kind != JINJA_DICT || value.dict->count == 0)
        return true;
    sorted = den_jinja_dict_new(run);
    order = den_jinja_alloc(run, value.dict->count, sizeof *order);
    if (!sorted || !order)
        return false;
    for (i = 0; i < value.dict->count; i++)
        order[i] = &value.dict->entries[i];
    qsort(order, value.dict->count, sizeof *order, compare_keys);
    for (i = 0; i < value.dict->count; i++)
        if (!den_jinja_dict_set(run, sorted, order[i]->key, order[i]->value))
            return false;
    out->dict = sorted;
    return true;
}

static bool pretty(struct den_jinja_run *run, struct den_jinja_value value, size_t indent,
                   struct den_buffer *out);

static bool pretty_items(struct den_jinja_run *run, struct den_jinja_value value, size_t indent,
                         struct den_buffer *out)
{
    size_t count = value.kind == JINJA_DICT ? value.dict->count : value.list->count;
    const char *brackets = value.kind == JINJA_DICT ? "{}" : value.kind == JINJA_LIST ? "[]" : "()";
    size_t i;

    den_buffer_append_byte(out, brackets[0]);
    for (i = 0; i < count; i++) {
        size_t start = out->length;

        if (i > 0)
            den_buffer_appendf(out, ",\n%*s", (int)indent + 1, "");
        if (value.kind != JINJA_DICT) {
            if (!pretty(run, value.list->items[i], indent + 1, out))
                return false;
            continue;
        }
        start = out->length;
        if (!den_jinja_print_repr(run, value.dict->entries[i].key, out))
            return false;
        den_buffer_append_text(out, ": ");
        if (!pretty(run, value.dict->entries[i].value, indent + 1 + out->length - start, out))
            return false;
    }
    if (value.kind == JINJA_TUPLE && count == 1)
        den_buffer_append_byte(out, ',');
    den_buffer_append_byte(out, brackets[1]);
    return true;
}

/* On one line where it fits into the width, else one item a line. Long texts are not wrapped. */
static bool pretty(struct den_jinja_run *run, struct den_jinja_value value, size_t indent,
                   struct den_buffer *out)
{
    size_t start = out->length;
    bool is_done;

    if (!sort_dicts(run, value, &value) || !den_jinja_print_repr(run, value, out))
        return false;
    if (indent + out->length - start <= PRETTY_WIDTH ||
        (value.kind != JINJA_DICT && value.kind != JINJA_LIST && value.kind != JINJA_TUPLE))
        return true;
    out->length = start;
    if (indent > 100000 || !den_jinja_enter(run))
        return indent <= 100000 ? false : den_jinja_fail_bound(run, "pprint: indented too far");
    is_done = pretty_items(run, value, indent, out);
    den_jinja_leave(run);
    return is_done;
}

bool den_jinja_print_pretty(struct den_jinja_run *run, struct den_jinja_value value,
                            struct den_buffer *out)
{
    return pretty(run, value, 0, out);
}
