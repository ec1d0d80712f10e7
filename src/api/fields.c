/* See fields.h. */
#include "api/fields.h"

#include <string.h>

/* --- tables --- */

static enum den_status read_container(const json_t *object, const struct den_field *field,
                                      const json_t **out, struct den_error *err)
{
    const json_t *value = json_object_get(object, field->key);
    const bool is_array = field->kind == DEN_FIELD_ARRAY;

    if (!value || json_is_null(value))
        return DEN_OK;
    if (is_array ? !json_is_array(value) : !json_is_object(value))
        return den_fail(err, DEN_INVALID, "'%s' must be %s", field->key,
                        is_array ? "a list" : "an object");
    *out = value;
    return DEN_OK;
}

static enum den_status read_field(const json_t *object, const struct den_field *field, char *out,
                                  struct den_error *err)
{
    const bool is_bounded = field->minimum != 0 || field->maximum != 0;
    void *place = out + field->offset;

    switch (field->kind) {
    case DEN_FIELD_NUMBER:
        return den_json_get_number(object, field->key, is_bounded ? field->minimum : -1e300,
                                   is_bounded ? field->maximum : 1e300, place, err);
    case DEN_FIELD_INTEGER:
        return den_json_get_integer(object, field->key,
                                    is_bounded ? (int64_t)field->minimum : INT64_MIN,
                                    is_bounded ? (int64_t)field->maximum : INT64_MAX, place, err);
    case DEN_FIELD_BOOL:
        return den_json_get_bool(object, field->key, place, err);
    case DEN_FIELD_TEXT:
        return den_json_get_text(object, field->key, place, err);
    case DEN_FIELD_OBJECT:
    case DEN_FIELD_ARRAY:
        return read_container(object, field, place, err);
    }
    return DEN_OK;
}

enum den_status den_fields_read(const json_t *object, const struct den_field *fields, size_t count,
                                void *out, struct den_error *err)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (read_field(object, &fields[i], out, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

enum den_status den_json_get_object(const json_t *object, const char *key, const json_t **out,
                                    struct den_error *err)
{
    const struct den_field field = { .key = key, .kind = DEN_FIELD_OBJECT };

    *out = NULL;
    return read_container(object, &field, out, err);
}

/* --- what needs more than a range --- */

static enum den_status add_stop(struct den_call_options *options, const char *key,
                                const json_t *value, struct den_error *err)
{
    if (!json_is_string(value))
        return den_fail(err, DEN_INVALID, "'%s' must be a string or a list of strings", key);
    if (json_string_length(value) != strlen(json_string_value(value)))
        return den_fail(err, DEN_INVALID, "'%s' strings can't hold the character U+0000", key);
    if (json_string_length(value) == 0 || json_string_length(value) > DEN_STOP_STRING_BYTES_MAX)
        return den_fail(err, DEN_INVALID,
                        "'%s' has a string of %zu bytes; it must have between 1 and %d", key,
                        json_string_length(value), DEN_STOP_STRING_BYTES_MAX);
    options->stops[options->request.stop_count++] = json_string_value(value);
    return DEN_OK;
}

enum den_status den_stops_read(const json_t *object, const char *key,
                               struct den_call_options *options, struct den_error *err)
{
    const json_t *stop = json_object_get(object, key);
    size_t i;

    if (!stop || json_is_null(stop))
        return DEN_OK;
    if (!json_is_array(stop))
        return add_stop(options, key, stop, err);
    if (json_array_size(stop) > DEN_STOP_STRINGS_MAX)
        return den_fail(err, DEN_INVALID, "'%s' has %zu strings; at most %d are possible", key,
                        json_array_size(stop), DEN_STOP_STRINGS_MAX);
    for (i = 0; i < json_array_size(stop); i++)
        if (add_stop(options, key, json_array_get(stop, i), err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

enum den_status den_seed_read(const json_t *object, const char *key,
                              struct den_worker_request *request, struct den_error *err)
{
    const json_t *seed = json_object_get(object, key);

    if (den_json_get_integer(object, key, INT64_MIN, INT64_MAX, &request->seed, err) != DEN_OK)
        return err->status;
    if (seed && !json_is_null(seed))
        request->seed &= INT64_MAX;
    return DEN_OK;
}

#define PLACE(member) offsetof(struct den_worker_request, member)

enum den_status den_extras_read(const json_t *object, struct den_worker_request *request,
                                struct den_error *err)
{
    static const struct den_field fields[] = {
        { "top_k", DEN_FIELD_INTEGER, PLACE(top_k), 0, DEN_VOCABULARY_MAX },
        { "min_p", DEN_FIELD_NUMBER, PLACE(min_p), 0, 1 },
        { "typical_p", DEN_FIELD_NUMBER, PLACE(typical_p), 0, 1 },
        { "repeat_penalty", DEN_FIELD_NUMBER, PLACE(repeat_penalty), 0.01, 100 },
        { "repeat_last_n", DEN_FIELD_INTEGER, PLACE(repeat_last_n), -1, DEN_CONTEXT_TOKENS_MAX },
        { "top_n_sigma", DEN_FIELD_NUMBER, PLACE(top_n_sigma), -1, 100 },
        { "xtc_probability", DEN_FIELD_NUMBER, PLACE(xtc_probability), 0, 1 },
        { "xtc_threshold", DEN_FIELD_NUMBER, PLACE(xtc_threshold), 0, 1 },
        { "dry_multiplier", DEN_FIELD_NUMBER, PLACE(dry_multiplier), 0, 100 },
        { "dry_base", DEN_FIELD_NUMBER, PLACE(dry_base), 1, 100 },
        { "ignore_eos", DEN_FIELD_BOOL, PLACE(ignore_end), 0, 0 },
    };

    return den_fields_read(object, fields, sizeof fields / sizeof fields[0], request, err);
}

/* --- templates --- */

enum den_status den_template_variable_set(struct den_call_options *options, const char *name,
                                          json_t *value, struct den_error *err)
{
    static const char key[] = "chat_template_kwargs";
    json_t *variables = json_object_get(options->body, key);

    if (!json_is_object(variables)) {
        variables = json_object();
        if (json_object_set_new(options->body, key, variables) != 0)
            variables = NULL;
    }
    if (json_object_set_new(variables, name, value) != 0)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    options->request.template_variables = variables;
    return DEN_OK;
}

enum den_status den_effort_read(const json_t *object, const char *key,
                                struct den_call_options *options, struct den_error *err)
{
    static const char *const efforts[] = { "none", "minimal", "low", "medium", "high", "xhigh" };
    const char *effort = NULL;
    size_t i;

    if (den_json_get_text(object, key, &effort, err) != DEN_OK || !effort)
        return err->status;
    for (i = 0; i < sizeof efforts / sizeof efforts[0]; i++)
        if (strcmp(effort, efforts[i]) == 0)
            break;
    if (i == sizeof efforts / sizeof efforts[0])
        return den_fail(err, DEN_INVALID,
                        "'%s' is '%.40s'; it must be one of 'none', 'minimal', 'low', 'medium', "
                        "'high' and 'xhigh'",
                        key, effort);
    if (den_template_variable_set(options, "enable_thinking", json_boolean(i >= 2), err) != DEN_OK)
        return err->status;
    return den_template_variable_set(options, "reasoning_effort", json_string(effort), err);
}

/* --- structured output --- */

static enum den_status set_schema(struct den_call_options *options, const json_t *holder,
                                  const char *name, struct den_error *err)
{
    const json_t *schema = json_object_get(holder, "schema");

    if (!json_is_object(schema) && !json_is_true(schema))
        return den_fail(err, DEN_INVALID, "'%s' needs a 'schema' that is an object", name);
    options->request.schema = schema;
    return DEN_OK;
}

enum den_status den_body_keep(struct den_call_options *options, const char *key, json_t *value,
                              struct den_error *err)
{
    if (json_object_set_new(options->body, key, value) != 0)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    return DEN_OK;
}

enum den_status den_any_object_set(struct den_call_options *options, struct den_error *err)
{
    json_t *any = json_pack("{s:s}", "type", "object");

    if (den_body_keep(options, "den_any_object", any, err) == DEN_OK)
        options->request.schema = any;
    return err->status;
}

enum den_status den_texts_check_count(const json_t *texts, const char *key, struct den_error *err)
{
    if (json_array_size(texts) > DEN_EMBEDDING_INPUTS_MAX)
        return den_fail(err, DEN_INVALID, "'%s' has %zu texts; at most %d are possible", key,
                        json_array_size(texts), DEN_EMBEDDING_INPUTS_MAX);
    return DEN_OK;
}

enum den_status den_format_read(struct den_call_options *options, const json_t *format,
                                const char *name, struct den_error *err)
{
    const char *type = json_string_value(json_object_get(format, "type"));
    const json_t *inner = json_object_get(format, "json_schema");

    if (type && strcmp(type, "text") == 0)
        return DEN_OK;
    if (type && strcmp(type, "json_schema") == 0)
        return set_schema(options, inner ? inner : format, name, err);
    if (!type || strcmp(type, "json_object") != 0)
        return den_fail(err, DEN_INVALID,
                        "'%s' must have the type 'text', 'json_object' or 'json_schema'", name);
    if (json_is_object(json_object_get(format, "schema"))) /* llama-server's json_object */
        return set_schema(options, format, name, err);
    return den_any_object_set(options, err);
}
