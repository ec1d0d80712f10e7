/* JSON as Python's json.dumps() writes it (jinja_print.h), which is what chat templates were
 * written against: ", " and ": " between items, floats by repr, NaN and Infinity as such words. */
#include "text/jinja_print.h"

#include <math.h>

#include "base/utf8.h"
#include "text/jinja_call.h"
#include "text/jinja_compare.h"
#include "text/jinja_run.h"

static void write_escaped(uint32_t code, struct den_buffer *out)
{
    if (code < 0x10000) {
        den_buffer_appendf(out, "\\u%04x", code);
        return;
    }
    code -= 0x10000;
    den_buffer_appendf(out, "\\u%04x\\u%04x", 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF));
}

static void write_text(const struct den_jinja_text *text, bool is_ascii, struct den_buffer *out)
{
    static const char from[] = "\"\\\n\r\t\f\b";
    static const char to[] = "\"\\nrtfb";
    size_t at = 0;

    den_buffer_append_byte(out, '"');
    while (at < text->length) {
        uint32_t code;
        size_t used = den_utf8_decode(text->bytes + at, text->length - at, &code);
        size_t i = 0;

        while (from[i] && (unsigned char)from[i] != code)
            i++;
        if (from[i])
            den_buffer_appendf(out, "\\%c", to[i]);
        else if (code < 0x20 || (is_ascii && code > 0x7E))
            write_escaped(code, out);
        else
            den_buffer_append(out, text->bytes + at, used);
        at += used;
    }
    den_buffer_append_byte(out, '"');
}

static void write_float(double number, struct den_buffer *out)
{
    char text[JINJA_FLOAT_BYTES];

    den_jinja_print_float(number, text);
    if (isnan(number))
        den_buffer_append_text(out, "NaN");
    else if (isinf(number))
        den_buffer_append_text(out, number > 0 ? "Infinity" : "-Infinity");
    else
        den_buffer_append_text(out, text);
}

static void write_line(const struct den_jinja_json_options *options, unsigned level,
                       struct den_buffer *out)
{
    if (!options->indent)
        return;
    den_buffer_append_byte(out, '\n');
    while (level-- > 0)
        den_buffer_append(out, options->indent->bytes, options->indent->length);
}

static bool write_value(struct den_jinja_run *run, struct den_jinja_value value,
                        const struct den_jinja_json_options *options, unsigned level,
                        struct den_buffer *out);

static bool write_list(struct den_jinja_run *run, const struct den_jinja_list *list,
                       const struct den_jinja_json_options *options, unsigned level,
                       struct den_buffer *out)
{
    size_t i;

    if (list->count == 0)
        return den_buffer_append_text(out, "[]") || true;
    den_buffer_append_byte(out, '[');
    for (i = 0; i < list->count; i++) {
        if (i > 0)
            den_buffer_append(out, options->item_separator->bytes, options->item_separator->length);
        write_line(options, level + 1, out);
        if (!write_value(run, list->items[i], options, level + 1, out))
            return false;
    }
    write_line(options, level, out);
    den_buffer_append_byte(out, ']');
    return true;
}

static bool write_key(struct den_jinja_run *run, struct den_jinja_value key, bool is_ascii,
                      struct den_buffer *out)
{
    if (key.kind == JINJA_TEXT) {
        write_text(key.text, is_ascii, out);
        return true;
    }
    if (!den_jinja_is_number(key) && key.kind != JINJA_NONE)
        return den_jinja_fail(run, "tojson: keys must be str, int, float, bool or None, not %s",
                              den_jinja_type_name(key));
    den_buffer_append_byte(out, '"');
    if (key.kind == JINJA_FLOAT)
        write_float(key.number, out);
    else if (key.kind == JINJA_BOOL)
        den_buffer_append_text(out, key.boolean ? "true" : "false");
    else if (key.kind == JINJA_NONE)
        den_buffer_append_text(out, "null");
    else
        den_buffer_appendf(out, "%lld", (long long)key.integer);
    den_buffer_append_byte(out, '"');
    return true;
}

static bool write_dict(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                       const struct den_jinja_json_options *options, unsigned level,
                       struct den_buffer *out)
{
    struct den_jinja_value keys = { .kind = JINJA_LIST };
    size_t i;

    if (dict->count == 0)
        return den_buffer_append_text(out, "{}") || true;
    keys.list = den_jinja_list_new(run, dict->count);
    if (!keys.list)
        return false;
    for (i = 0; i < dict->count; i++)
        if (!den_jinja_list_add(run, keys.list, dict->entries[i].key))
            return false;
    if (options->is_sorted && !den_jinja_sort(run, keys.list, NULL, false))
        return false;
    den_buffer_append_byte(out, '{');
    for (i = 0; i < dict->count; i++) {
        const struct den_jinja_value *value;

        if (i > 0)
            den_buffer_append(out, options->item_separator->bytes, options->item_separator->length);
        write_line(options, level + 1, out);
        if (!write_key(run, keys.list->items[i], options->is_ascii, out))
            return false;
        den_buffer_append(out, options->key_separator->bytes, options->key_separator->length);
        if (!den_jinja_dict_find(run, dict, keys.list->items[i], &value))
            return false;
        if (!value) /* NaN is not equal to itself */
            return den_jinja_fail(run, "tojson: NaN can't be a key");
        if (!write_value(run, *value, options, level + 1, out))
            return false;
    }
    write_line(options, level, out);
    den_buffer_append_byte(out, '}');
    return true;
}

static bool write_compound(struct den_jinja_run *run, struct den_jinja_value value,
                           const struct den_jinja_json_options *options, unsigned level,
                           struct den_buffer *out)
{
    bool is_done;

    if (!den_jinja_enter(run))
        return false;
    is_done = value.kind == JINJA_DICT ? write_dict(run, value.dict, options, level, out)
                                       : write_list(run, value.list, options, level, out);
    den_jinja_leave(run);
    return is_done;
}

static bool write_value(struct den_jinja_run *run, struct den_jinja_value value,
                        const struct den_jinja_json_options *options, unsigned level,
                        struct den_buffer *out)
{
    switch (value.kind) {
    case JINJA_NONE:
        den_buffer_append_text(out, "null");
        break;
    case JINJA_BOOL:
        den_buffer_append_text(out, value.boolean ? "true" : "false");
        break;
    case JINJA_INTEGER:
        den_buffer_appendf(out, "%lld", (long long)value.integer);
        break;
    case JINJA_FLOAT:
        write_float(value.number, out);
        break;
    case JINJA_TEXT:
        write_text(value.text, options->is_ascii, out);
        break;
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_DICT:
        if (!write_compound(run, value, options, level, out))
            return false;
        break;
    default:
        return den_jinja_fail(run, "tojson: a value of type %s can't be written as JSON",
                              den_jinja_type_name(value));
    }
    return out->status == DEN_OK ||
           den_jinja_fail_bound(run, "tojson: a text is longer than %u MiB",
                                DEN_TEMPLATE_OUTPUT_BYTES_MAX >> 20);
}

bool den_jinja_print_json(struct den_jinja_run *run, struct den_jinja_value value,
                          const struct den_jinja_json_options *options, struct den_buffer *out)
{
    return write_value(run, value, options, 0, out);
}
