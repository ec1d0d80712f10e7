/* Tools for models whose template knows none: they are described in the system message, in the
 * words below, and calls and results in the history are written as text, in the notation that the
 * answer will be read with. Small models follow such a description badly; the grammar of the plan
 * (answer_format_plan.c) is what makes their calls well-formed. */
#include <string.h>

#include "base/json.h"
#include "text/answer_format_table.h"
#include "text/answer_format_write.h"

void den_answer_format_write_call(const struct den_answer_format *format, const char *name,
                                  const char *arguments, struct den_buffer *out)
{
    const struct den_answer_syntax *syntax = format->syntax;

    den_buffer_append_text(out, syntax->call);
    den_buffer_append_text(out, name);
    den_buffer_append_text(out, syntax->middle);
    den_buffer_append_text(out, arguments);
    den_buffer_append_text(out, syntax->close);
}

/* A parameter in tags, with its value as bare text. */
static void write_member(const char *key, const json_t *value, struct den_buffer *out)
{
    struct den_error trouble = { 0 };

    den_buffer_appendf(out, "<parameter=%s>\n", key);
    if (json_is_string(value))
        den_buffer_append(out, json_string_value(value), json_string_length(value));
    else
        den_json_write(value, out, &trouble);
    den_buffer_append_text(out, "\n</parameter>\n");
}

/* Arguments as a call of this format holds them. */
static void write_arguments(const struct den_answer_format *format, const json_t *arguments,
                            struct den_buffer *out)
{
    struct den_error trouble = { 0 };
    json_t *parsed = NULL;
    const json_t *value = arguments;
    const char *key;
    json_t *member;

    if (json_is_string(arguments) &&
        den_json_parse(json_string_value(arguments), json_string_length(arguments), "arguments",
                       &parsed, &trouble) == DEN_OK)
        value = parsed;
    if (format->syntax->shape == DEN_ANSWER_XML && json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member) write_member(key, member, out);
    } else if (json_is_string(value)) {
        den_buffer_append(out, json_string_value(value), json_string_length(value));
    } else if (value) {
        den_json_write(value, out, &trouble);
    } else {
        den_buffer_append_text(out, "{}");
    }
    json_decref(parsed);
}

static void write_calls(const struct den_answer_format *format, const json_t *calls,
                        struct den_buffer *out)
{
    size_t i;

    den_buffer_append_text(out, format->syntax->open);
    for (i = 0; i < json_array_size(calls); i++) {
        const json_t *function = json_object_get(json_array_get(calls, i), "function");
        const char *name = json_string_value(json_object_get(function, "name"));
        struct den_buffer arguments;

        den_buffer_init(&arguments, out->length_max);
        write_arguments(format, json_object_get(function, "arguments"), &arguments);
        if (i > 0)
            den_buffer_append_text(out, format->syntax->between);
        den_answer_format_write_call(format, name ? name : "", arguments.data, out);
        den_buffer_deinit(&arguments);
    }
    den_buffer_append_text(out, format->syntax->shut);
}

static void write_description(const struct den_answer_format *format, const json_t *tools,
                              struct den_buffer *out)
{
    struct den_error trouble = { 0 };
    size_t i;

    den_buffer_append_text(out, "# Tools\n\nThese functions can be called to help the user. Their "
                                "signatures:\n\n<tools>\n");
    for (i = 0; i < json_array_size(tools); i++) {
        den_json_write(json_array_get(tools, i), out, &trouble);
        den_buffer_append_byte(out, '\n');
    }
    den_buffer_append_text(out, "</tools>\n\nTo call one, write nothing but its name and its "
                                "arguments in this form:\n");
    den_buffer_append_text(out, format->syntax->open);
    den_answer_format_write_call(format, "FUNCTION-NAME",
                                 format->syntax->shape == DEN_ANSWER_XML
                                     ? "<parameter=ARGUMENT-NAME>\nVALUE\n</parameter>\n"
                                     : "{\"ARGUMENT-NAME\": VALUE}",
                                 out);
    den_buffer_append_text(out, format->syntax->shut);
    den_buffer_append_text(out, "\nThe result then comes within <tool_response></tool_response>. "
                                "Without need for a function, answer as usual.");
}

/* Text of a content: a text, or the texts of its parts. */
static void write_content(const json_t *content, struct den_buffer *out)
{
    size_t i;

    den_buffer_append(out, json_string_value(content), json_string_length(content));
    for (i = 0; i < json_array_size(content); i++) {
        const json_t *text = json_object_get(json_array_get(content, i), "text");

        if (i > 0)
            den_buffer_append_byte(out, '\n');
        den_buffer_append(out, json_string_value(text), json_string_length(text));
    }
}

static bool has_role(const json_t *message, const char *role)
{
    const char *value = json_string_value(json_object_get(message, "role"));

    return value && strcmp(value, role) == 0;
}

static bool is_result(const json_t *message)
{
    return has_role(message, "tool") || has_role(message, "function");
}

static bool set_content(json_t *message, const struct den_buffer *text)
{
    return text->status == DEN_OK &&
           json_object_set_new(message, "content", json_stringn(text->data, text->length)) == 0;
}

/* A message of calls, or a result, as text; `text` is empty. A result joins `last`, the message
 * before it, if that was made of a result, too: many templates want the roles to alternate. */
static bool rewrite(const struct den_answer_format *format, json_t *message, json_t *last,
                    struct den_buffer *text)
{
    const json_t *calls = json_object_get(message, "tool_calls");

    if (is_result(message)) {
        if (last) {
            write_content(json_object_get(last, "content"), text);
            den_buffer_append_byte(text, '\n');
        }
        den_buffer_append_text(text, "<tool_response>\n");
        write_content(json_object_get(message, "content"), text);
        den_buffer_append_text(text, "\n</tool_response>");
        if (last)
            return set_content(last, text);
        return json_object_set_new(message, "role", json_string("user")) == 0 &&
               set_content(message, text);
    }
    if (json_array_size(calls) == 0)
        return true;
    write_content(json_object_get(message, "content"), text);
    if (text->length > 0)
        den_buffer_append_byte(text, '\n');
    write_calls(format, calls, text);
    return set_content(message, text) && json_object_del(message, "tool_calls") == 0;
}

/* Appends to the system message, or makes one. */
static bool describe(const struct den_answer_format *format, json_t *messages, const json_t *tools,
                     struct den_buffer *text)
{
    json_t *first = json_array_get(messages, 0);

    if (!has_role(first, "system") && !has_role(first, "developer")) {
        write_description(format, tools, text);
        return text->status == DEN_OK &&
               json_array_insert_new(messages, 0,
                                     json_pack("{s:s, s:s%}", "role", "system", "content",
                                               text->data, text->length)) == 0;
    }
    write_content(json_object_get(first, "content"), text);
    den_buffer_append_text(text, "\n\n");
    write_description(format, tools, text);
    return set_content(first, text);
}

enum den_status den_answer_format_describe_tools(const struct den_answer_format *format,
                                                 const json_t *messages, const json_t *tools,
                                                 json_t **out_messages, struct den_error *err)
{
    json_t *copy = json_array();
    json_t *last_result = NULL;
    struct den_buffer text;
    bool is_well = copy != NULL;
    size_t i;

    den_buffer_init(&text, 4 * (size_t)DEN_HTTP_BODY_BYTES_MAX);
    for (i = 0; i < json_array_size(messages) && is_well; i++) {
        json_t *message = json_deep_copy(json_array_get(messages, i));
        bool was_result = is_result(message);

        den_buffer_clear(&text);
        is_well = message && rewrite(format, message, was_result ? last_result : NULL, &text) &&
                  (was_result && last_result ? true : json_array_append(copy, message) == 0);
        if (!was_result || !last_result)
            last_result = was_result ? message : NULL; /* `copy` holds it */
        json_decref(message);
    }
    den_buffer_clear(&text);
    if (is_well && json_array_size(tools) > 0)
        is_well = describe(format, copy, tools, &text);
    den_buffer_deinit(&text);
    if (!is_well) {
        json_decref(copy);
        return den_fail(err, DEN_NO_MEMORY, "tools: out of memory, or a text that is not UTF-8");
    }
    *out_messages = copy;
    return DEN_OK;
}
