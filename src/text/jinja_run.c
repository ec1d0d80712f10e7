/* See jinja_run.h. */
#include "text/jinja_run.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_call.h"

enum { SCOPE_CAPACITY_MIN = 8 };

static bool fail_with(struct den_jinja_run *run, enum den_status status, const char *format,
                      va_list arguments)
{
    char message[DEN_ERROR_BYTES_MAX];

    vsnprintf(message, sizeof message, format, arguments);
    den_fail(run->err, status, "template: line %u: %s", run->line, message);
    return false;
}

bool den_jinja_fail(struct den_jinja_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail_with(run, DEN_INVALID, format, arguments);
    va_end(arguments);
    return false;
}

bool den_jinja_fail_bound(struct den_jinja_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail_with(run, DEN_TOO_LARGE, format, arguments);
    va_end(arguments);
    return false;
}

bool den_jinja_spend(struct den_jinja_run *run, size_t count)
{
    if (count > run->steps_left)
        return den_jinja_fail_bound(
            run, "the template takes more than %zu steps; does a loop run away?", run->steps_max);
    run->steps_left -= count;
    return true;
}

bool den_jinja_spend_bytes(struct den_jinja_run *run, size_t bytes)
{
    return den_jinja_spend(run, bytes / 16);
}

bool den_jinja_enter(struct den_jinja_run *run)
{
    if (!den_jinja_spend(run, 1))
        return false;
    if (run->depth >= DEN_TEMPLATE_DEPTH_MAX)
        return den_jinja_fail_bound(run, "calls or values nested deeper than %d levels",
                                    DEN_TEMPLATE_DEPTH_MAX);
    run->depth++;
    return true;
}

void *den_jinja_alloc(struct den_jinja_run *run, size_t count, size_t size)
{
    void *memory = den_arena_array(run->arena, count, size);

    if (!memory)
        den_jinja_fail_bound(run, "the template's values take more than %zu MiB of memory",
                             run->memory_bytes_max >> 20);
    return memory;
}

bool den_jinja_emit(struct den_jinja_run *run, const char *bytes, size_t length)
{
    if (run->is_capturing) {
        if (length > run->memory_bytes_max - run->captured_bytes)
            return den_jinja_fail_bound(run, "macros produce more than %zu MiB of text",
                                        run->memory_bytes_max >> 20);
        run->captured_bytes += length;
    }
    if (den_buffer_append(run->out, bytes, length))
        return true;
    if (run->out->status == DEN_NO_MEMORY)
        return den_jinja_fail_bound(run, "out of memory");
    return den_jinja_fail_bound(run, "the output is longer than %u MiB",
                                DEN_TEMPLATE_OUTPUT_BYTES_MAX >> 20);
}

void den_jinja_buffer_init(struct den_buffer *buffer)
{
    den_buffer_init(buffer, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
}

bool den_jinja_buffer_finish(struct den_jinja_run *run, struct den_buffer *buffer,
                             struct den_jinja_value *out)
{
    bool is_done;

    if (buffer->status != DEN_OK)
        is_done = den_jinja_fail_bound(run, "a text is longer than %u MiB",
                                       DEN_TEMPLATE_OUTPUT_BYTES_MAX >> 20);
    else
        is_done = den_jinja_text(run, buffer->data, buffer->length, out);
    den_buffer_deinit(buffer);
    return is_done;
}

struct den_jinja_scope *den_jinja_scope_new(struct den_jinja_run *run,
                                            struct den_jinja_scope *parent)
{
    struct den_jinja_scope *scope = den_jinja_alloc(run, 1, sizeof *scope);

    if (scope)
        scope->parent = parent;
    return scope;
}

bool den_jinja_scope_set(struct den_jinja_run *run, struct den_jinja_scope *scope,
                         const struct den_jinja_text *name, struct den_jinja_value value)
{
    size_t i;

    for (i = 0; i < scope->count; i++)
        if (scope->variables[i].name == name) {
            scope->variables[i].value = value;
            return true;
        }
    if (scope->count == scope->capacity) {
        size_t capacity = scope->capacity ? scope->capacity * 2 : SCOPE_CAPACITY_MIN;
        struct den_jinja_variable *grown = den_jinja_alloc(run, capacity, sizeof *grown);

        if (!grown)
            return false;
        if (scope->count > 0)
            memcpy(grown, scope->variables, scope->count * sizeof *grown);
        scope->variables = grown;
        scope->capacity = capacity;
    }
    scope->variables[scope->count++] = (struct den_jinja_variable){ .name = name, .value = value };
    return true;
}

/* The caller's variables are converted when first read and then stay in the root scope. */
static bool read_root(struct den_jinja_run *run, const struct den_jinja_text *name,
                      struct den_jinja_value *out)
{
    const json_t *json = NULL;

    if (run->variables && !memchr(name->bytes, 0, name->length))
        json = json_object_getn(run->variables, name->bytes, name->length);
    if (json)
        return den_jinja_from_json(run, json, out) &&
               den_jinja_scope_set(run, run->root, name, *out);
    if (den_jinja_global_find(name, out))
        return true;
    return den_jinja_undefined_name(run, name, out);
}

bool den_jinja_scope_get(struct den_jinja_run *run, const struct den_jinja_text *name,
                         struct den_jinja_value *out)
{
    const struct den_jinja_scope *scope;

    for (scope = run->scope; scope; scope = scope->parent) {
        size_t i;

        for (i = 0; i < scope->count; i++)
            if (scope->variables[i].name == name) {
                *out = scope->variables[i].value;
                return true;
            }
    }
    return read_root(run, name, out);
}

static bool list_from_json(struct den_jinja_run *run, const json_t *json,
                           struct den_jinja_value *out)
{
    size_t count = json_array_size(json);
    struct den_jinja_list *list = den_jinja_list_new(run, count);
    size_t i;

    if (!list)
        return false;
    for (i = 0; i < count; i++) {
        struct den_jinja_value item;

        if (!den_jinja_from_json(run, json_array_get(json, i), &item) ||
            !den_jinja_list_add(run, list, item))
            return false;
    }
    *out = den_jinja_of_list(list, JINJA_LIST);
    return true;
}

static bool dict_from_json(struct den_jinja_run *run, const json_t *json,
                           struct den_jinja_value *out)
{
    struct den_jinja_dict *dict = den_jinja_dict_new(run);
    json_t *object = (json_t *)json; /* jansson's iterators want it mutable; nothing is changed */
    void *entry;

    if (!dict)
        return false;
    for (entry = json_object_iter(object); entry; entry = json_object_iter_next(object, entry)) {
        struct den_jinja_value key;
        struct den_jinja_value item;

        if (!den_jinja_text_view(run, json_object_iter_key(entry), json_object_iter_key_len(entry),
                                 &key) ||
            !den_jinja_from_json(run, json_object_iter_value(entry), &item) ||
            !den_jinja_dict_set(run, dict, key, item))
            return false;
    }
    *out = (struct den_jinja_value){ .kind = JINJA_DICT, .dict = dict };
    return true;
}

static bool convert(struct den_jinja_run *run, const json_t *json, struct den_jinja_value *out)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return dict_from_json(run, json, out);
    case JSON_ARRAY:
        return list_from_json(run, json, out);
    case JSON_STRING:
        return den_jinja_text_view(run, json_string_value(json), json_string_length(json), out);
    case JSON_INTEGER:
        *out = den_jinja_integer((int64_t)json_integer_value(json));
        return true;
    case JSON_REAL:
        *out = den_jinja_number(json_real_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = den_jinja_bool(json_is_true(json));
        return true;
    default:
        *out = JINJA_VALUE_NONE;
        return true;
    }
}

bool den_jinja_from_json(struct den_jinja_run *run, const json_t *json, struct den_jinja_value *out)
{
    bool is_done;

    if (!den_jinja_enter(run))
        return false;
    is_done = convert(run, json, out);
    den_jinja_leave(run);
    return is_done;
}
