/* What a conversation must look like before a model sees it: checked here so that an HTTP client is
 * told the field; text/chat_messages.c then gives it the shape that the model's template wants.
 * OpenAI's shape: a list of objects with a role, and content that is a text or a list of parts, of
 * which this desk takes text. An assistant's content may be null beside tool_calls. */
#include "desk/desk.h"

#include <string.h>

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static enum den_status check_part(const json_t *part, size_t index, size_t place,
                                  struct den_error *err)
{
    const json_t *type = json_object_get(part, "type");

    if (!json_is_object(part))
        return den_fail(err, DEN_INVALID, "'messages[%zu].content[%zu]' must be an object", index,
                        place);
    if (!json_is_string(type))
        return den_fail(err, DEN_INVALID, "'messages[%zu].content[%zu].type' must be a string",
                        index, place);
    if (strcmp(json_string_value(type), "text") != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "'messages[%zu].content[%zu].type' is '%.64s'; this model reads only "
                        "'text'",
                        index, place, json_string_value(type));
    if (!json_is_string(json_object_get(part, "text")))
        return den_fail(err, DEN_INVALID, "'messages[%zu].content[%zu].text' must be a string",
                        index, place);
    return DEN_OK;
}

static enum den_status check_content(const json_t *message, const char *role, size_t index,
                                     struct den_error *err)
{
    const json_t *content = json_object_get(message, "content");
    size_t i;

    if (json_is_string(content))
        return DEN_OK;
    if (!content || json_is_null(content)) {
        if (strcmp(role, "assistant") == 0 && json_is_array(json_object_get(message, "tool_calls")))
            return DEN_OK;
        return den_fail(err, DEN_INVALID, "'messages[%zu].content' is missing", index);
    }
    if (!json_is_array(content))
        return den_fail(err, DEN_INVALID,
                        "'messages[%zu].content' must be a string or a list of parts", index);
    for (i = 0; i < json_array_size(content); i++)
        if (check_part(json_array_get(content, i), index, i, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static enum den_status check_message(const json_t *message, size_t index, struct den_error *err)
{
    static const char *const roles[] = { "system", "developer", "user", "assistant", "tool", NULL };
    const json_t *role = json_object_get(message, "role");

    if (!json_is_object(message))
        return den_fail(err, DEN_INVALID, "'messages[%zu]' must be an object", index);
    if (!json_is_string(role))
        return den_fail(err, DEN_INVALID, "'messages[%zu].role' must be a string", index);
    if (!is_one_of(json_string_value(role), roles))
        return den_fail(err, DEN_INVALID,
                        "'messages[%zu].role' is '%.64s'; it must be one of 'system', 'developer', "
                        "'user', 'assistant' and 'tool'",
                        index, json_string_value(role));
    return check_content(message, json_string_value(role), index, err);
}

enum den_status den_desk_check_messages(const json_t *messages, struct den_error *err)
{
    size_t count = json_array_size(messages), i;

    if (!messages || json_is_null(messages))
        return den_fail(err, DEN_INVALID, "'messages' is missing; it must be a list of messages");
    if (!json_is_array(messages))
        return den_fail(err, DEN_INVALID, "'messages' must be a list of messages");
    if (count == 0)
        return den_fail(err, DEN_INVALID, "'messages' is empty; it needs at least one message");
    if (count > DEN_MESSAGES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'messages' has %zu messages; at most %d are possible",
                        count, DEN_MESSAGES_MAX);
    for (i = 0; i < count; i++)
        if (check_message(json_array_get(messages, i), i, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}
