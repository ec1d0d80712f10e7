/* See chat_messages.h. Errors name the index and the field, because clients show them to people. */
#include "text/chat_messages.h"

#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

static enum den_status check_part(const json_t *part, size_t index, size_t place,
                                  struct den_error *err)
{
    const char *type = json_string_value(json_object_get(part, "type"));

    if (!json_is_object(part) || !type)
        return den_fail(err, DEN_INVALID,
                        "messages[%zu].content[%zu] must be an object with a type", index, place);
    if (strcmp(type, "text") == 0 && !json_is_string(json_object_get(part, "text")))
        return den_fail(err, DEN_INVALID, "messages[%zu].content[%zu].text must be a string", index,
                        place);
    return DEN_OK;
}

static enum den_status check_content(const json_t *message, size_t index, struct den_error *err)
{
    const json_t *content = json_object_get(message, "content");
    const json_t *part;
    size_t place;

    if (json_is_string(content))
        return DEN_OK;
    if (!content || json_is_null(content)) {
        if (json_is_array(json_object_get(message, "tool_calls")))
            return DEN_OK;
        return den_fail(err, DEN_INVALID, "messages[%zu].content is missing", index);
    }
    if (!json_is_array(content))
        return den_fail(err, DEN_INVALID,
                        "messages[%zu].content must be a string or a list of parts", index);
    json_array_foreach((json_t *)(uintptr_t)content, place,
                       part) if (check_part(part, index, place, err) != DEN_OK) return err->status;
    return DEN_OK;
}

static enum den_status check_message(const json_t *message, size_t index, struct den_error *err)
{
    if (!json_is_object(message))
        return den_fail(err, DEN_INVALID,
                        "messages[%zu]: a message must be an object with role and content", index);
    if (!json_is_string(json_object_get(message, "role")))
        return den_fail(err, DEN_INVALID,
                        "messages[%zu].role must be a string such as user, assistant or system",
                        index);
    return check_content(message, index, err);
}

/* The text of a list of parts, one after another; NULL when a part is no text or memory runs out.
 */
static json_t *joined(const json_t *parts)
{
    struct den_buffer text;
    const json_t *part;
    json_t *value = NULL;
    size_t i;

    den_buffer_init(&text, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    json_array_foreach((json_t *)(uintptr_t)parts, i, part)
    {
        const json_t *piece = json_object_get(part, "text");

        if (!json_is_string(piece))
            goto done;
        den_buffer_append(&text, json_string_value(piece), json_string_length(piece));
    }
    if (text.status == DEN_OK)
        value = json_stringn(text.data, text.length);
done:
    den_buffer_deinit(&text);
    return value;
}

/* Replaces function.arguments that are JSON text by what the text says; text that is no JSON stays
 * as it is. */
static void parse_arguments(json_t *message)
{
    json_t *call;
    size_t i;

    json_array_foreach(json_object_get(message, "tool_calls"), i, call)
    {
        json_t *function = json_object_get(call, "function");
        const json_t *arguments = json_object_get(function, "arguments");
        struct den_error ignored = { 0 };
        json_t *parsed;

        if (json_is_string(arguments) &&
            den_json_parse(json_string_value(arguments), json_string_length(arguments), "arguments",
                           &parsed, &ignored) == DEN_OK)
            json_object_set_new(function, "arguments", parsed);
    }
}

static json_t *prepare(const json_t *message, bool join_parts)
{
    bool has_calls = json_is_array(json_object_get(message, "tool_calls"));
    json_t *copy = has_calls ? json_deep_copy(message) : json_copy((json_t *)(uintptr_t)message);
    json_t *text;

    if (!copy)
        return NULL;
    if (has_calls)
        parse_arguments(copy);
    if (join_parts && json_is_array(json_object_get(copy, "content")) &&
        (text = joined(json_object_get(copy, "content"))) != NULL)
        json_object_set_new(copy, "content", text);
    return copy;
}

enum den_status den_chat_messages_read(const json_t *messages, bool join_parts, json_t **out,
                                       struct den_error *err)
{
    json_t *list;
    size_t i;

    if (!json_is_array(messages))
        return den_fail(err, DEN_INVALID, "messages must be a list of messages");
    if (json_array_size(messages) > DEN_MESSAGES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "messages: %zu given; at most %d are possible",
                        json_array_size(messages), DEN_MESSAGES_MAX);
    list = json_array();
    for (i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);

        if (check_message(message, i, err) != DEN_OK)
            goto fail;
        if (json_array_append_new(list, prepare(message, join_parts)) != 0) {
            den_fail(err, DEN_NO_MEMORY, "messages: out of memory");
            goto fail;
        }
    }
    *out = list;
    return DEN_OK;
fail:
    json_decref(list);
    return err->status;
}

static bool has_role(const json_t *message, const char *role)
{
    const char *value = json_string_value(json_object_get(message, "role"));

    return value && strcmp(value, role) == 0;
}

json_t *den_chat_messages_without_system(const json_t *messages)
{
    const json_t *system = json_array_get(messages, 0);
    const json_t *user = json_array_get(messages, 1);
    const char *before = json_string_value(json_object_get(system, "content"));
    const char *after = json_string_value(json_object_get(user, "content"));
    json_t *list;
    json_t *merged;

    if (!has_role(system, "system") || !has_role(user, "user") || !before || !after)
        return NULL;
    list = json_copy((json_t *)(uintptr_t)messages);
    merged = json_copy((json_t *)(uintptr_t)user);
    json_object_set_new(merged, "content", json_sprintf("%s\n\n%s", before, after));
    json_array_remove(list, 0);
    json_array_set_new(list, 0, merged);
    return list;
}
