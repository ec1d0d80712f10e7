/* See json.h. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/file.h"

/* jansson recurses while it parses, up to 2,048 levels; a shallow scan first keeps the depth far
 * below that. */
static bool is_too_deep(const char *text, size_t length)
{
    bool in_text = false;
    unsigned depth = 0;
    size_t i;

    for (i = 0; i < length; i++) {
        char c = text[i];

        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && (c == '[' || c == '{') && ++depth > DEN_JSON_DEPTH_MAX)
            return true;
        else if (!in_text && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return false;
}

enum { INTEGER_DIGITS_MAX = 18 }; /* 64 bits hold every number of so many */

/* Copies `text`, making whole numbers too long for an integer real ones ("1e0"). */
static bool make_long_integers_real(const char *text, size_t length, struct den_buffer *out)
{
    bool in_text = false;
    size_t i, digits;

    for (i = 0; i < length; i += digits ? digits : 1) {
        digits = 0;
        while (!in_text && i + digits < length && text[i + digits] >= '0' &&
               text[i + digits] <= '9')
            digits++;
        den_buffer_append(out, text + i, digits ? digits : 1);
        if (digits > INTEGER_DIGITS_MAX && (i == 0 || !strchr(".eE+", text[i - 1])) &&
            (i + digits == length || !strchr(".eE", text[i + digits])))
            den_buffer_append_text(out, "e0");
        if (in_text && text[i] == '\\' && i + 1 < length)
            den_buffer_append_byte(out, text[++i]);
        else if (digits == 0 && text[i] == '"')
            in_text = !in_text;
    }
    return out->status == DEN_OK;
}

/* jansson refuses integers beyond 64 bits, which every second tokenizer_config.json has: its
 * model_max_length is 10^30 where the author knew none. They are read as real numbers. */
static json_t *load(const char *text, size_t length, json_error_t *trouble)
{
    const size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_t *value = json_loadb(text, length, flags, trouble);
    struct den_buffer copy;

    if (value || json_error_code(trouble) != json_error_numeric_overflow)
        return value;
    den_buffer_init(&copy, length + length / INTEGER_DIGITS_MAX * 2 + 2);
    if (make_long_integers_real(text, length, &copy))
        value = json_loadb(copy.data, copy.length, flags, trouble);
    den_buffer_deinit(&copy);
    return value;
}

enum den_status den_json_parse(const char *text, size_t length, const char *what,
                               json_t **out_value, struct den_error *err)
{
    json_error_t trouble;
    json_t *value;

    if (is_too_deep(text, length))
        return den_fail(err, DEN_INVALID, "%s: JSON nested deeper than %d levels", what,
                        DEN_JSON_DEPTH_MAX);
    value = load(text, length, &trouble);
    if (!value && trouble.text[0] == '\0') /* jansson names every fault but this one */
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", what);
    if (!value)
        return den_fail(err, DEN_INVALID, "%s: malformed JSON at line %d, column %d: %s", what,
                        trouble.line, trouble.column, trouble.text);
    *out_value = value;
    return DEN_OK;
}

enum den_status den_json_read_file(const char *path, json_t **out_value, struct den_error *err)
{
    struct den_buffer text;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (den_file_read(path, &text, err) == DEN_OK)
        den_json_parse(text.data, text.length, path, out_value, err);
    if (err->status == DEN_INVALID) /* the file's fault, not the caller's */
        err->status = DEN_BAD_FILE;
    den_buffer_deinit(&text);
    return err->status;
}

static int append_dump(const char *bytes, size_t length, void *context)
{
    return den_buffer_append(context, bytes, length) ? 0 : -1;
}

static enum den_status write_with(const json_t *value, size_t flags, struct den_buffer *out,
                                  struct den_error *err)
{
    if (json_dump_callback(value, append_dump, out, JSON_COMPACT | JSON_ENCODE_ANY | flags) != 0 &&
        out->status == DEN_OK)
        return den_fail(err, DEN_INTERNAL, "JSON: a value can't be written");
    return den_buffer_status(out, "JSON", err);
}

enum den_status den_json_write(const json_t *value, struct den_buffer *out, struct den_error *err)
{
    return write_with(value, 0, out, err);
}

enum den_status den_json_show(const json_t *value, struct den_buffer *out, struct den_error *err)
{
    return write_with(value, JSON_REAL_PRECISION(15), out, err);
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

/* NULL where the field is absent or null, which leaves defaults in place. */
static const json_t *present(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value) ? value : NULL;
}

static enum den_status wrong_type(const json_t *value, const char *key, const char *wanted,
                                  struct den_error *err)
{
    return den_fail(err, DEN_INVALID, "'%s' must be %s, not %s", key, wanted, type_name(value));
}

enum den_status den_json_get_integer(const json_t *object, const char *key, int64_t minimum,
                                     int64_t maximum, int64_t *out_value, struct den_error *err)
{
    const json_t *value = present(object, key);
    int64_t number;

    if (!value)
        return DEN_OK;
    if (!json_is_integer(value))
        return wrong_type(value, key, "an integer", err);
    number = (int64_t)json_integer_value(value);
    if (number < minimum || number > maximum)
        return den_fail(err, DEN_INVALID, "'%s' is %lld; it must be between %lld and %lld", key,
                        (long long)number, (long long)minimum, (long long)maximum);
    *out_value = number;
    return DEN_OK;
}

enum den_status den_json_get_number(const json_t *object, const char *key, double minimum,
                                    double maximum, double *out_value, struct den_error *err)
{
    const json_t *value = present(object, key);
    double number;

    if (!value)
        return DEN_OK;
    if (!json_is_number(value))
        return wrong_type(value, key, "a number", err);
    number = json_number_value(value);
    if (!isfinite(number) || number < minimum || number > maximum)
        return den_fail(err, DEN_INVALID, "'%s' is %g; it must be between %g and %g", key, number,
                        minimum, maximum);
    *out_value = number;
    return DEN_OK;
}

enum den_status den_json_get_bool(const json_t *object, const char *key, bool *out_value,
                                  struct den_error *err)
{
    const json_t *value = present(object, key);

    if (!value)
        return DEN_OK;
    if (!json_is_boolean(value))
        return wrong_type(value, key, "a boolean", err);
    *out_value = json_is_true(value);
    return DEN_OK;
}

enum den_status den_json_get_text(const json_t *object, const char *key, const char **out_value,
                                  struct den_error *err)
{
    const json_t *value = present(object, key);

    if (!value)
        return DEN_OK;
    if (!json_is_string(value))
        return wrong_type(value, key, "a string", err);
    if (memchr(json_string_value(value), '\0', json_string_length(value)))
        return den_fail(err, DEN_INVALID, "'%s' must not contain U+0000", key);
    *out_value = json_string_value(value);
    return DEN_OK;
}
