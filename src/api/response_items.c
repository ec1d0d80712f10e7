/* Items to messages. What a client sends is checked here, item by item, and named by its place.
 * One turn of the assistant is several items (reasoning, text, calls); a chat template wants them
 * as one message, so what belongs together is joined. */
#include <string.h>

#include "api/response_state.h"

/* --- checks --- */

static bool is_one_of(const char *text, const char *const *list)
{
    for (; text && *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static const char *type_of(const json_t *item)
{
    const char *type = json_string_value(json_object_get(item, "type"));

    return type || !json_object_get(item, "role") ? type : "message";
}

static enum den_status check_parts(const json_t *parts, const char *name, size_t index,
                                   struct den_error *err)
{
    static const char *const texts[] = { "input_text",     "output_text",  "text", "refusal",
                                         "reasoning_text", "summary_text", NULL };
    json_t *part;
    size_t i;

    json_array_foreach((json_t *)parts, i, part)
    {
        const char *type = json_string_value(json_object_get(part, "type"));

        if (!type)
            return den_fail(err, DEN_INVALID, "'input[%zu].%s[%zu].type' must be a string", index,
                            name, i);
        if (!is_one_of(type, texts))
            return den_fail(err, DEN_UNSUPPORTED,
                            "'input[%zu].%s[%zu].type' is '%.40s'; this model reads only text",
                            index, name, i, type);
        if (!json_is_string(
                json_object_get(part, strcmp(type, "refusal") == 0 ? "refusal" : "text")))
            return den_fail(err, DEN_INVALID, "'input[%zu].%s[%zu].text' must be a string", index,
                            name, i);
    }
    return DEN_OK;
}

static enum den_status check_texts(const json_t *item, const char *name, size_t index,
                                   struct den_error *err)
{
    const json_t *value = json_object_get(item, name);

    if (json_is_string(value))
        return DEN_OK;
    if (!json_is_array(value))
        return den_fail(err, DEN_INVALID, "'input[%zu].%s' must be a string or a list of parts",
                        index, name);
    return check_parts(value, name, index, err);
}

static enum den_status check_strings(const json_t *item, const char *const *names, size_t index,
                                     struct den_error *err)
{
    for (; *names; names++)
        if (!json_is_string(json_object_get(item, *names)))
            return den_fail(err, DEN_INVALID, "'input[%zu].%s' must be a string", index, *names);
    return DEN_OK;
}

static enum den_status check_item(const json_t *item, size_t index, struct den_error *err)
{
    static const char *const roles[] = { "user", "assistant", "system", "developer", NULL };
    static const char *const call[] = { "call_id", "name", "arguments", NULL };
    static const char *const output[] = { "call_id", NULL };
    const char *type = type_of(item);

    if (!json_is_object(item) || !type)
        return den_fail(err, DEN_INVALID, "'input[%zu].type' is missing", index);
    if (strcmp(type, "message") == 0) {
        if (!is_one_of(json_string_value(json_object_get(item, "role")), roles))
            return den_fail(err, DEN_INVALID,
                            "'input[%zu].role' must be 'user', 'assistant', 'system' or "
                            "'developer'",
                            index);
        return check_texts(item, "content", index, err);
    }
    if (strcmp(type, "function_call") == 0)
        return check_strings(item, call, index, err);
    if (strcmp(type, "function_call_output") == 0)
        return check_strings(item, output, index, err) != DEN_OK
                   ? err->status
                   : check_texts(item, "output", index, err);
    if (strcmp(type, "reasoning") == 0)
        return DEN_OK;
    return den_fail(err, DEN_UNSUPPORTED, "'input[%zu].type' is '%.40s', which is not there", index,
                    type);
}

/* --- input --- */

static void complete_item(json_t *item)
{
    static const char *const prefixes[][2] = { { "message", "msg_" },
                                               { "function_call", "fc_" },
                                               { "function_call_output", "fco_" },
                                               { "reasoning", "rs_" } };
    const char *type = type_of(item), *prefix = "item_";
    struct den_error ignored = { 0 };
    char id[25] = "";
    size_t i;

    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strcmp(prefixes[i][0], type) == 0)
            prefix = prefixes[i][1];
    json_object_set_new(item, "type", json_string(type));
    if (json_is_string(json_object_get(item, "id")) || den_random_id(id, &ignored) != DEN_OK)
        return;
    json_object_set_new(item, "id", json_sprintf("%s%s", prefix, id));
}

enum den_status den_response_items_read(const json_t *input, json_t **out, struct den_error *err)
{
    json_t *items = json_array(), *item;
    size_t i;

    if (json_is_string(input)) {
        json_array_append_new(items,
                              json_pack("{s:s, s:s, s:[{s:s, s:O}]}", "type", "message", "role",
                                        "user", "content", "type", "input_text", "text", input));
    } else if (json_is_array(input)) {
        json_array_foreach((json_t *)input, i, item)
        {
            if (check_item(item, i, err) != DEN_OK)
                goto fail;
            json_array_append_new(items, json_deep_copy(item));
        }
    } else if (input && !json_is_null(input)) {
        den_fail(err, DEN_INVALID, "'input' must be a string or a list of items");
        goto fail;
    }
    if (json_array_size(items) > DEN_MESSAGES_MAX) {
        den_fail(err, DEN_TOO_LARGE, "'input' has %zu items; at most %d are possible",
                 json_array_size(items), DEN_MESSAGES_MAX);
        goto fail;
    }
    json_array_foreach(items, i, item) complete_item(item);
    *out = items;
    return DEN_OK;
fail:
    json_decref(items);
    return err->status;
}

/* --- messages --- */

/* A text or a list of parts as one text. */
static json_t *join_texts(const json_t *value)
{
    struct den_buffer text;
    json_t *joined, *part;
    size_t i;

    if (json_is_string(value))
        return json_copy((json_t *)value);
    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    json_array_foreach((json_t *)value, i, part)
    {
        const json_t *inner = json_object_get(part, "text");

        if (!inner)
            inner = json_object_get(part, "refusal");
        if (i > 0)
            den_buffer_append_byte(&text, '\n');
        den_buffer_append(&text, json_string_value(inner), json_string_length(inner));
    }
    joined = den_answer_text_json(&text);
    den_buffer_deinit(&text);
    return joined;
}

/* The assistant's message that the turn is gathered in; made where the last is another's. */
static json_t *assistant(json_t *messages)
{
    size_t count = json_array_size(messages);
    json_t *last = count > 0 ? json_array_get(messages, count - 1) : NULL;
    const char *role = json_string_value(json_object_get(last, "role"));

    if (role && strcmp(role, "assistant") == 0)
        return last;
    last = json_pack("{s:s, s:n}", "role", "assistant", "content");
    json_array_append_new(messages, last);
    return last;
}

static void add_call(json_t *messages, const json_t *item)
{
    json_t *message = assistant(messages), *calls = json_object_get(message, "tool_calls");

    if (!calls) {
        calls = json_array();
        json_object_set_new(message, "tool_calls", calls);
    }
    json_array_append_new(calls, json_pack("{s:O, s:s, s:{s:O, s:O}}", "id",
                                           json_object_get(item, "call_id"), "type", "function",
                                           "function", "name", json_object_get(item, "name"),
                                           "arguments", json_object_get(item, "arguments")));
}

static void add_text(json_t *messages, const json_t *item)
{
    const char *role = json_string_value(json_object_get(item, "role"));
    json_t *text = join_texts(json_object_get(item, "content")), *message;

    if (strcmp(role, "assistant") == 0) {
        message = assistant(messages);
        if (!json_is_string(json_object_get(message, "content")) &&
            !json_object_get(message, "tool_calls")) {
            json_object_set_new(message, "content", text);
            return;
        }
    }
    json_array_append_new(messages, json_pack("{s:s, s:o}", "role", role, "content", text));
}

static void add_item(json_t *messages, const json_t *item)
{
    const char *type = type_of(item);

    if (strcmp(type, "message") == 0) {
        add_text(messages, item);
    } else if (strcmp(type, "function_call") == 0) {
        add_call(messages, item);
    } else if (strcmp(type, "function_call_output") == 0) {
        json_array_append_new(messages, json_pack("{s:s, s:O, s:o}", "role", "tool", "tool_call_id",
                                                  json_object_get(item, "call_id"), "content",
                                                  join_texts(json_object_get(item, "output"))));
    } else if (json_array_size(json_object_get(item, "content")) > 0) {
        json_array_append_new(messages, json_pack("{s:s, s:n, s:o}", "role", "assistant", "content",
                                                  "reasoning_content",
                                                  join_texts(json_object_get(item, "content"))));
    }
}

enum den_status den_response_messages(const json_t *items, const char *instructions, json_t **out,
                                      struct den_error *err)
{
    json_t *messages = json_array(), *item;
    size_t i;

    if (instructions)
        json_array_append_new(messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", instructions));
    json_array_foreach((json_t *)items, i, item) add_item(messages, item);
    json_array_foreach(messages, i, item) /* reasoning that nothing followed */
        if (json_is_null(json_object_get(item, "content")) && !json_object_get(item, "tool_calls"))
            json_object_set_new(item, "content", json_string(""));
    if (json_array_size(messages) == 0) {
        json_decref(messages);
        return den_fail(err, DEN_INVALID, "'input' is empty");
    }
    *out = messages;
    return DEN_OK;
}
