/* See chat_messages.h. Running out of memory inside jansson shows as a NULL value and is reported
 * as DEN_NO_MEMORY. */
#include "text/chat_messages.h"

#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

static enum den_status out_of_memory(struct den_error *err)
{
    return den_fail(err, DEN_NO_MEMORY, "messages: out of memory");
}

static enum den_status check_role(const json_t *message, size_t index, struct den_error *err)
{
    static const char *const roles[] = { "system",    "developer", "user",
                                         "assistant", "tool",      "function" };
    const json_t *role = json_object_get(message, "role");
    size_t i;

    if (!json_is_object(message))
        return den_fail(err, DEN_INVALID,
                        "'messages[%zu]' must be an object with 'role' and 'content'", index);
    if (!json_is_string(role))
        return den_fail(err, DEN_INVALID, "'messages[%zu].role' %s; it must be a string", index,
                        role ? "is of another type" : "is missing");
    for (i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(json_string_value(role), roles[i]) == 0)
            return DEN_OK;
    return den_fail(err, DEN_INVALID,
                    "'messages[%zu].role' is '%.64s'; it must be one of 'system', 'developer', "
                    "'user', 'assistant', 'tool' and 'function'",
                    index, json_string_value(role));
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

static enum den_status check_content(const json_t *message, size_t index, struct den_error *err)
{
    const json_t *content = json_object_get(message, "content");
    const char *role = json_string_value(json_object_get(message, "role"));
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

static enum den_status check_calls(const json_t *message, size_t index, struct den_error *err)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    size_t i;

    if (!calls || json_is_null(calls))
        return DEN_OK;
    if (!json_is_array(calls))
        return den_fail(err, DEN_INVALID, "'messages[%zu].tool_calls' must be a list", index);
    for (i = 0; i < json_array_size(calls); i++) {
        const json_t *function = json_object_get(json_array_get(calls, i), "function");
        const json_t *arguments = json_object_get(function, "arguments");

        if (!json_is_string(json_object_get(function, "name")))
            return den_fail(err, DEN_INVALID,
                            "'messages[%zu].tool_calls[%zu].function.name' must be a string", index,
                            i);
        if (arguments && !json_is_string(arguments) && !json_is_object(arguments))
            return den_fail(err, DEN_INVALID,
                            "'messages[%zu].tool_calls[%zu].function.arguments' must be a JSON "
                            "string or an object",
                            index, i);
    }
    return DEN_OK;
}

static json_t *join_parts(const json_t *parts)
{
    struct den_buffer text;
    json_t *joined = NULL;
    size_t i;

    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    for (i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_object_get(json_array_get(parts, i), "text");

        if (i > 0)
            den_buffer_append_byte(&text, '\n');
        den_buffer_append(&text, json_string_value(part), json_string_length(part));
    }
    if (text.status == DEN_OK)
        joined = json_stringn(text.data, text.length);
    den_buffer_deinit(&text);
    return joined;
}

static bool shape_content(json_t *message, enum den_chat_content wanted)
{
    json_t *content = json_object_get(message, "content");

    if (!content)
        return json_object_set_new(message, "content", json_null()) == 0;
    if (json_is_array(content) && wanted == DEN_CHAT_CONTENT_TEXT)
        return json_object_set_new(message, "content", join_parts(content)) == 0;
    if (json_is_string(content) && wanted == DEN_CHAT_CONTENT_PARTS)
        return json_object_set_new(message, "content",
                                   json_pack("[{s:s, s:O}]", "type", "text", "text", content)) == 0;
    return true;
}

/* Clients send arguments as JSON in a string, templates index them. What does not parse stays the
 * text it is: the model wrote it, and the turn must not be lost for it. */
static bool shape_calls(json_t *message)
{
    json_t *calls = json_object_get(message, "tool_calls");
    size_t i;

    if (json_is_null(calls))
        return json_object_del(message, "tool_calls") == 0;
    for (i = 0; i < json_array_size(calls); i++) {
        json_t *function = json_object_get(json_array_get(calls, i), "function");
        const json_t *arguments = json_object_get(function, "arguments");
        struct den_error trouble = { 0 };
        json_t *parsed = NULL;

        if (arguments &&
            (!json_is_string(arguments) ||
             (json_string_length(arguments) > 0 &&
              den_json_parse(json_string_value(arguments), json_string_length(arguments),
                             "arguments", &parsed, &trouble) != DEN_OK)))
            continue;
        if (!parsed)
            parsed = json_object();
        if (!json_is_object(parsed)) {
            json_decref(parsed);
            continue;
        }
        if (json_object_set_new(function, "arguments", parsed) != 0)
            return false;
    }
    return true;
}

static bool shape_reasoning(json_t *message)
{
    static const char *const names[] = { "reasoning_content", "thinking", "reasoning" };
    json_t *reasoning = NULL;
    size_t i;

    for (i = 0; i < 3 && (!reasoning || json_is_null(reasoning)); i++)
        reasoning = json_object_get(message, names[i]);
    if (!reasoning || json_is_null(reasoning))
        return true;
    if (!json_object_get(message, "thinking") &&
        json_object_set(message, "thinking", reasoning) != 0)
        return false;
    return json_object_set(message, "reasoning_content", reasoning) == 0;
}

static bool shape_message(json_t *message, const struct den_chat_shape *shape)
{
    const char *role = json_string_value(json_object_get(message, "role"));

    if (!shape->knows_developer && strcmp(role, "developer") == 0 &&
        json_object_set_new(message, "role", json_string("system")) != 0)
        return false;
    return shape_content(message, shape->content) && shape_calls(message) &&
           shape_reasoning(message);
}

static enum den_status check_list(const json_t *messages, struct den_error *err)
{
    size_t count = json_array_size(messages);

    if (!messages || json_is_null(messages))
        return den_fail(err, DEN_INVALID, "'messages' is missing; it must be a list of messages");
    if (!json_is_array(messages))
        return den_fail(err, DEN_INVALID, "'messages' must be a list of messages");
    if (count == 0)
        return den_fail(err, DEN_INVALID, "'messages' is empty; it needs at least one message");
    if (count > DEN_MESSAGES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'messages' has %zu messages; at most %d are possible",
                        count, DEN_MESSAGES_MAX);
    return DEN_OK;
}

enum den_status den_chat_messages_shape(const json_t *messages, const struct den_chat_shape *shape,
                                        json_t **out_messages, struct den_error *err)
{
    json_t *copy = NULL;
    size_t i;

    if (check_list(messages, err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);

        if (check_role(message, i, err) != DEN_OK || check_content(message, i, err) != DEN_OK ||
            check_calls(message, i, err) != DEN_OK)
            return err->status;
    }
    copy = json_deep_copy(messages);
    if (!copy)
        return out_of_memory(err);
    for (i = 0; i < json_array_size(copy); i++)
        if (!shape_message(json_array_get(copy, i), shape)) {
            json_decref(copy);
            return out_of_memory(err);
        }
    *out_messages = copy;
    return DEN_OK;
}

enum den_status den_chat_tools_check(const json_t *tools, struct den_error *err)
{
    size_t i;

    if (!tools || json_is_null(tools))
        return DEN_OK;
    if (!json_is_array(tools))
        return den_fail(err, DEN_INVALID, "'tools' must be a list");
    for (i = 0; i < json_array_size(tools); i++) {
        const json_t *tool = json_array_get(tools, i);
        const json_t *function = json_object_get(tool, "function");

        if (!json_is_string(json_object_get(function ? function : tool, "name")))
            return den_fail(err, DEN_INVALID,
                            "'tools[%zu].function.name' is missing; a tool is {\"type\": "
                            "\"function\", \"function\": {\"name\": ...}}",
                            i);
    }
    return DEN_OK;
}

static bool has_role(const json_t *message, const char *role)
{
    const char *value = json_string_value(json_object_get(message, "role"));

    return value && strcmp(value, role) == 0;
}

/* system + blank line + user; either may be a text or a list of parts. */
static json_t *merge_contents(json_t *system, json_t *content)
{
    struct den_buffer text;
    json_t *merged = NULL;

    if (json_is_array(system) || json_is_array(content)) {
        merged = json_is_array(system) ? json_deep_copy(system)
                                       : json_pack("[{s:s, s:O}]", "type", "text", "text", system);
        if (merged && json_is_array(content))
            json_array_extend(merged, content);
        else if (merged)
            json_array_append_new(merged, json_pack("{s:s, s:O}", "type", "text", "text", content));
        return merged;
    }
    den_buffer_init(&text, 2 * (size_t)DEN_HTTP_BODY_BYTES_MAX);
    den_buffer_append(&text, json_string_value(system), json_string_length(system));
    den_buffer_append_text(&text, "\n\n");
    den_buffer_append(&text, json_string_value(content), json_string_length(content));
    if (text.status == DEN_OK)
        merged = json_stringn(text.data, text.length);
    den_buffer_deinit(&text);
    return merged;
}

bool den_chat_merge_system(json_t *messages)
{
    json_t *first = json_array_get(messages, 0);
    json_t *second = json_array_get(messages, 1);
    json_t *content;

    if (!has_role(first, "system"))
        return false;
    if (!has_role(second, "user")) /* nobody to join: the system speaks as the user */
        return json_object_set_new(first, "role", json_string("user")) == 0;
    content = merge_contents(json_object_get(first, "content"), json_object_get(second, "content"));
    if (!content || json_object_set_new(second, "content", content) != 0)
        return false;
    return json_array_remove(messages, 0) == 0;
}

bool den_chat_fill_content(json_t *messages)
{
    bool has_changed = false;
    size_t i;

    for (i = 0; i < json_array_size(messages); i++) {
        json_t *message = json_array_get(messages, i);

        if (!json_is_null(json_object_get(message, "content")))
            continue;
        has_changed = json_object_set_new(message, "content", json_string("")) == 0;
    }
    return has_changed;
}

/* A new text: `text` (NULL: nothing) and the mark. */
static json_t *with_mark(const json_t *text, const char *mark)
{
    if (!text)
        return json_string(mark);
    return json_pack("s%+", json_string_value(text), json_string_length(text), mark);
}

enum den_status den_chat_mark_last(json_t *messages, const char *mark, struct den_error *err)
{
    size_t count = json_array_size(messages);
    json_t *last = count > 0 ? json_array_get(messages, count - 1) : NULL;
    json_t *content = json_object_get(last, "content");
    json_t *part;
    int failure;

    if (!has_role(last, "assistant") || json_array_size(json_object_get(last, "tool_calls")) > 0)
        return den_fail(err, DEN_INVALID,
                        "only an assistant's message without tool calls can be continued, and it "
                        "must be the last one");
    if (!json_is_array(content)) {
        failure = json_object_set_new(last, "content", with_mark(content, mark));
    } else if (json_array_size(content) == 0) {
        failure =
            json_array_append_new(content, json_pack("{s:s, s:s}", "type", "text", "text", mark));
    } else {
        part = json_array_get(content, json_array_size(content) - 1);
        failure = json_object_set_new(part, "text", with_mark(json_object_get(part, "text"), mark));
    }
    return failure ? out_of_memory(err) : DEN_OK;
}

/* Nine letters or digits for an id of any form, the same ones each time. */
static json_t *short_id(const char *id)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    char text[10] = "";
    size_t i;

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 1099511628211u;
    for (i = 0; i < 9; i++, hash /= 62)
        text[i] = letters[hash % 62];
    return json_string(text);
}

static bool shorten(json_t *object, const char *key)
{
    const json_t *id = json_object_get(object, key);

    return json_is_string(id) && json_string_length(id) != 9 &&
           json_object_set_new(object, key, short_id(json_string_value(id))) == 0;
}

bool den_chat_shorten_ids(json_t *messages)
{
    bool has_changed = false;
    size_t i, j;

    for (i = 0; i < json_array_size(messages); i++) {
        json_t *message = json_array_get(messages, i);
        const json_t *calls = json_object_get(message, "tool_calls");

        has_changed = shorten(message, "tool_call_id") || has_changed;
        for (j = 0; j < json_array_size(calls); j++)
            has_changed = shorten(json_array_get(calls, j), "id") || has_changed;
    }
    return has_changed;
}

/* Which of the results in [first, last) answers the call: by its id, else the first that is left.
 * Those taken are null. */
static size_t find_result(const json_t *messages, size_t first, size_t last, const json_t *call)
{
    size_t i, found = last;

    for (i = last; i > first; i--) {
        const json_t *id = json_object_get(json_array_get(messages, i - 1), "tool_call_id");

        if (json_is_null(json_array_get(messages, i - 1)))
            continue;
        if (id && json_equal(id, json_object_get(call, "id")))
            return i - 1;
        found = i - 1;
    }
    return found;
}

/* The message of several calls at `at` as one message a call, each with its result behind it. */
static bool split_message(json_t *messages, size_t at, size_t last, json_t *out)
{
    const json_t *message = json_array_get(messages, at);
    const json_t *calls = json_object_get(message, "tool_calls");
    bool is_well = true;
    size_t i;

    for (i = 0; i < json_array_size(calls) && is_well; i++) {
        json_t *one = json_copy((json_t *)message);
        size_t result = find_result(messages, at + 1, last, json_array_get(calls, i));

        is_well = one &&
                  json_object_set_new(one, "tool_calls",
                                      json_pack("[O]", json_array_get(calls, i))) == 0 &&
                  (i == 0 || json_object_set_new(one, "content", json_string("")) == 0) &&
                  json_array_append(out, one) == 0;
        json_decref(one);
        if (is_well && result < last)
            is_well = json_array_append(out, json_array_get(messages, result)) == 0 &&
                      json_array_set_new(messages, result, json_null()) == 0;
    }
    return is_well;
}

bool den_chat_split_calls(json_t *messages)
{
    json_t *out = json_array();
    bool has_changed = false;
    bool is_well = out != NULL;
    size_t i, last;

    for (i = 0; i < json_array_size(messages) && is_well; i++) {
        const json_t *message = json_array_get(messages, i);

        if (json_is_null(message)) /* a result that stands elsewhere now */
            continue;
        if (json_array_size(json_object_get(message, "tool_calls")) < 2) {
            is_well = json_array_append(out, (json_t *)message) == 0;
            continue;
        }
        for (last = i + 1; has_role(json_array_get(messages, last), "tool"); last++)
            ;
        is_well = split_message(messages, i, last, out);
        has_changed = true;
    }
    if (is_well && has_changed)
        is_well = json_array_clear(messages) == 0 && json_array_extend(messages, out) == 0;
    json_decref(out);
    return is_well && has_changed;
}
