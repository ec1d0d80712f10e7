/* See anthropic.h. Anthropic's messages are lists of blocks; a worker takes OpenAI's. A user's
 * message may hold results of tools beside its text: each becomes a message of its own, in order.
 * What the API keeps for the caller alone (cache_control, metadata, signatures) is passed over. */
#include "api/anthropic.h"

#include <string.h>

static const char *type_of(const json_t *block)
{
    const char *type = json_string_value(json_object_get(block, "type"));

    return type ? type : "";
}

/* --- blocks of text --- */

/* Appends to `text` what a block says; `where` is "messages[3].content[0]". */
static enum den_status read_block_text(const json_t *block, const char *where,
                                       struct den_buffer *text, struct den_error *err)
{
    const char *type = type_of(block);
    const json_t *value = json_object_get(block, "text");
    const json_t *source = json_object_get(block, "source");

    if (strcmp(type, "document") == 0 && strcmp(type_of(source), "text") == 0)
        value = json_object_get(source, "data");
    else if (strcmp(type, "text") != 0)
        return den_fail(err, *type ? DEN_UNSUPPORTED : DEN_INVALID,
                        "'%s' has the type '%.40s'; this model reads text only", where, type);
    if (!json_is_string(value))
        return den_fail(err, DEN_INVALID, "'%s.text' must be a string", where);
    if ((text->length > 0 && !den_buffer_append_byte(text, '\n')) ||
        !den_buffer_append(text, json_string_value(value), json_string_length(value)))
        return den_fail(err, DEN_TOO_LARGE, "'%s' is too large", where);
    return DEN_OK;
}

/* A text, or a list of blocks of text, as one text. */
static enum den_status read_text(const json_t *content, const char *where, struct den_buffer *text,
                                 struct den_error *err)
{
    char place[96];
    size_t i;

    if (json_is_string(content)) {
        if (!den_buffer_append(text, json_string_value(content), json_string_length(content)))
            return den_fail(err, DEN_TOO_LARGE, "'%s' is too large", where);
        return DEN_OK;
    }
    if (!json_is_array(content))
        return den_fail(err, DEN_INVALID, "'%s' must be a string or a list of blocks", where);
    for (i = 0; i < json_array_size(content); i++) {
        snprintf(place, sizeof place, "%s[%zu]", where, i);
        if (read_block_text(json_array_get(content, i), place, text, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static json_t *text_json(const struct den_buffer *text)
{
    return json_stringn(text->data ? text->data : "", text->length);
}

/* --- a user's message --- */

/* Ends the text gathered so far as a message of its own. */
static void flush_user(json_t *messages, struct den_buffer *text)
{
    if (text->length == 0)
        return;
    json_array_append_new(messages,
                          json_pack("{s:s, s:o}", "role", "user", "content", text_json(text)));
    den_buffer_consume(text, text->length);
}

static enum den_status read_tool_result(json_t *messages, const json_t *block, const char *where,
                                        struct den_error *err)
{
    const char *id = json_string_value(json_object_get(block, "tool_use_id"));
    const json_t *content = json_object_get(block, "content");
    struct den_buffer text;

    if (!id)
        return den_fail(err, DEN_INVALID, "'%s.tool_use_id' is missing", where);
    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    if (!content || read_text(content, where, &text, err) == DEN_OK) {
        json_t *said = json_is_true(json_object_get(block, "is_error"))
                           ? json_sprintf("Error: %.*s", (int)text.length, text.data)
                           : text_json(&text);

        json_array_append_new(messages, json_pack("{s:s, s:s, s:o}", "role", "tool", "tool_call_id",
                                                  id, "content", said));
    }
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status read_user(json_t *messages, const json_t *content, size_t index,
                                 struct den_error *err)
{
    struct den_buffer text;
    char where[96];
    size_t i;

    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    for (i = 0; err->status == DEN_OK && i < json_array_size(content); i++) {
        const json_t *block = json_array_get(content, i);

        snprintf(where, sizeof where, "messages[%zu].content[%zu]", index, i);
        if (strcmp(type_of(block), "tool_result") == 0) {
            flush_user(messages, &text);
            read_tool_result(messages, block, where, err);
        } else {
            read_block_text(block, where, &text, err);
        }
    }
    flush_user(messages, &text);
    den_buffer_deinit(&text);
    return err->status;
}

/* --- an assistant's message --- */

static enum den_status add_tool_use(json_t *calls, const json_t *block, const char *where,
                                    struct den_error *err)
{
    const char *id = json_string_value(json_object_get(block, "id"));
    const char *name = json_string_value(json_object_get(block, "name"));
    const json_t *input = json_object_get(block, "input");

    if (!id || !name || !json_is_object(input))
        return den_fail(err, DEN_INVALID, "'%s' must have 'id', 'name' and an object 'input'",
                        where);
    json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:O}}", "id", id, "type", "function",
                                           "function", "name", name, "arguments", input));
    return DEN_OK;
}

static enum den_status read_assistant_block(const json_t *block, const char *where,
                                            struct den_buffer *text, json_t *message,
                                            struct den_error *err)
{
    const char *type = type_of(block);
    json_t *calls = json_object_get(message, "tool_calls");

    if (strcmp(type, "thinking") == 0) {
        json_object_set(message, "reasoning_content", json_object_get(block, "thinking"));
        return DEN_OK;
    }
    if (strcmp(type, "redacted_thinking") == 0)
        return DEN_OK;
    if (strcmp(type, "tool_use") != 0)
        return read_block_text(block, where, text, err);
    if (!calls) {
        calls = json_array();
        json_object_set_new(message, "tool_calls", calls);
    }
    return add_tool_use(calls, block, where, err);
}

static enum den_status read_assistant(json_t *messages, const json_t *content, size_t index,
                                      struct den_error *err)
{
    json_t *message = json_pack("{s:s}", "role", "assistant");
    struct den_buffer text;
    char where[96];
    size_t i;

    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    for (i = 0; err->status == DEN_OK && i < json_array_size(content); i++) {
        snprintf(where, sizeof where, "messages[%zu].content[%zu]", index, i);
        read_assistant_block(json_array_get(content, i), where, &text, message, err);
    }
    json_object_set_new(message, "content",
                        text.length == 0 && json_object_get(message, "tool_calls")
                            ? json_null()
                            : text_json(&text));
    json_array_append_new(messages, message);
    den_buffer_deinit(&text);
    return err->status;
}

/* --- all messages --- */

static enum den_status read_system(json_t *messages, const json_t *system, struct den_error *err)
{
    struct den_buffer text;

    if (!system || json_is_null(system))
        return DEN_OK;
    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX);
    if (read_text(system, "system", &text, err) == DEN_OK && text.length > 0)
        json_array_append_new(
            messages, json_pack("{s:s, s:o}", "role", "system", "content", text_json(&text)));
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status read_message(json_t *messages, const json_t *message, size_t index,
                                    struct den_error *err)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    const json_t *content = json_object_get(message, "content");
    bool is_user = role && strcmp(role, "user") == 0;

    if (!role || (!is_user && strcmp(role, "assistant") != 0))
        return den_fail(err, DEN_INVALID, "'messages[%zu].role' must be 'user' or 'assistant'",
                        index);
    if (json_is_string(content)) {
        json_array_append_new(messages, json_pack("{s:s, s:O}", "role", role, "content", content));
        return DEN_OK;
    }
    if (!json_is_array(content))
        return den_fail(err, DEN_INVALID,
                        "'messages[%zu].content' must be a string or a list of blocks", index);
    return is_user ? read_user(messages, content, index, err)
                   : read_assistant(messages, content, index, err);
}

static enum den_status read_messages(struct den_call_options *options, struct den_error *err)
{
    const json_t *given = json_object_get(options->body, "messages");
    json_t *messages = json_array();
    size_t i;

    options->request.messages = messages;
    if (den_body_keep(options, "den_messages", messages, err) != DEN_OK)
        return err->status;
    if (json_array_size(given) == 0)
        return den_fail(err, DEN_INVALID, "'messages' must be a list of at least one message");
    if (read_system(messages, json_object_get(options->body, "system"), err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(given); i++)
        if (read_message(messages, json_array_get(given, i), i, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* --- tools --- */

static enum den_status add_tool(json_t *tools, const json_t *tool, size_t index,
                                struct den_error *err)
{
    const char *name = json_string_value(json_object_get(tool, "name")), *type = type_of(tool);
    const char *about = json_string_value(json_object_get(tool, "description"));
    const json_t *schema = json_object_get(tool, "input_schema");

    if (*type && strcmp(type, "custom") != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "'tools[%zu].type' is '%.40s'; only tools of the caller ('custom') run",
                        index, type);
    if (!name || !*name || strlen(name) > 128)
        return den_fail(err, DEN_INVALID, "'tools[%zu].name' must be a text of 1 to 128 bytes",
                        index);
    if (!json_is_object(schema))
        return den_fail(err, DEN_INVALID, "'tools[%zu].input_schema' must be an object", index);
    json_array_append_new(tools, json_pack("{s:s, s:{s:s, s:s, s:O}}", "type", "function",
                                           "function", "name", name, "description",
                                           about ? about : "", "parameters", schema));
    return DEN_OK;
}

static bool has_tool(const json_t *tools, const char *name)
{
    size_t i;

    for (i = 0; name && i < json_array_size(tools); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(tools, i), "name")), name) == 0)
            return true;
    return false;
}

static enum den_status read_choice(struct den_call_options *options, const json_t *given,
                                   struct den_error *err)
{
    const json_t *choice = NULL;
    const char *type, *name;

    if (den_json_get_object(options->body, "tool_choice", &choice, err) != DEN_OK || !choice)
        return err->status;
    type = type_of(choice);
    name = json_string_value(json_object_get(choice, "name"));
    options->request.single_tool_call =
        json_is_true(json_object_get(choice, "disable_parallel_tool_use"));
    if (strcmp(type, "auto") == 0)
        return DEN_OK;
    if (strcmp(type, "tool") == 0) {
        if (!has_tool(given, name))
            return den_fail(err, DEN_INVALID, "'tool_choice.name' must be one of 'tools'");
        den_body_keep(options, "den_tool_choice",
                      json_pack("{s:s, s:{s:s}}", "type", "function", "function", "name", name),
                      err);
    } else if (strcmp(type, "any") == 0) {
        den_body_keep(options, "den_tool_choice", json_string("required"), err);
    } else if (strcmp(type, "none") == 0) {
        den_body_keep(options, "den_tool_choice", json_string("none"), err);
    } else {
        return den_fail(err, DEN_INVALID,
                        "'tool_choice.type' must be 'auto', 'any', 'tool' or 'none'");
    }
    options->request.tool_choice = json_object_get(options->body, "den_tool_choice");
    return err->status;
}

static enum den_status read_tools(struct den_call_options *options, struct den_error *err)
{
    const json_t *given = json_object_get(options->body, "tools");
    json_t *tools;
    size_t i;

    if (!given || json_is_null(given))
        return DEN_OK;
    if (!json_is_array(given) || json_array_size(given) > DEN_TOOLS_MAX)
        return den_fail(err, DEN_INVALID, "'tools' must be a list of at most %d tools",
                        DEN_TOOLS_MAX);
    if (json_array_size(given) == 0)
        return DEN_OK;
    tools = json_array();
    options->request.tools = tools;
    if (den_body_keep(options, "den_tools", tools, err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(given); i++)
        if (add_tool(tools, json_array_get(given, i), i, err) != DEN_OK)
            return err->status;
    return read_choice(options, given, err);
}

/* --- the rest --- */

/* {"type": "enabled" | "adaptive" | "disabled"}; how long a model thinks is its own affair. */
static enum den_status read_thinking(struct den_call_options *options, struct den_error *err)
{
    const json_t *thinking = NULL;
    const char *type;
    bool off;

    if (den_json_get_object(options->body, "thinking", &thinking, err) != DEN_OK || !thinking)
        return err->status;
    type = type_of(thinking);
    off = strcmp(type, "disabled") == 0;
    if (!off && strcmp(type, "enabled") != 0 && strcmp(type, "adaptive") != 0)
        return den_fail(err, DEN_INVALID,
                        "'thinking.type' must be 'enabled', 'adaptive' or 'disabled'");
    return den_template_variable_set(options, "enable_thinking", json_boolean(!off), err);
}

/* output_config.format, and output_format as it was called before. */
static enum den_status read_format(struct den_call_options *options, struct den_error *err)
{
    const json_t *config = NULL, *format = NULL;

    if (den_json_get_object(options->body, "output_config", &config, err) != DEN_OK ||
        den_json_get_object(config ? config : options->body, config ? "format" : "output_format",
                            &format, err) != DEN_OK ||
        !format)
        return err->status;
    return den_format_read(options, format, config ? "output_config.format" : "output_format", err);
}

#define PLACE(member) offsetof(struct den_worker_request, member)

static enum den_status read_sampling(struct den_call_options *options, struct den_error *err)
{
    static const struct den_field fields[] = {
        { "max_tokens", DEN_FIELD_INTEGER, PLACE(max_tokens), 1, 1LL << 52 },
        { "temperature", DEN_FIELD_NUMBER, PLACE(temperature), 0, 1 },
        { "top_p", DEN_FIELD_NUMBER, PLACE(top_p), 0, 1 },
        { "top_k", DEN_FIELD_INTEGER, PLACE(top_k), 0, DEN_VOCABULARY_MAX },
    };

    if (den_fields_read(options->body, fields, sizeof fields / sizeof fields[0], &options->request,
                        err) != DEN_OK ||
        den_stops_read(options->body, "stop_sequences", options, err) != DEN_OK ||
        den_json_get_bool(options->body, "stream", &options->stream, err) != DEN_OK ||
        read_format(options, err) != DEN_OK)
        return err->status;
    if (options->request.max_tokens < 0)
        return den_fail(err, DEN_INVALID, "'max_tokens' is missing");
    return DEN_OK;
}

enum den_status den_anthropic_read(struct den_call_options *options, bool counting,
                                   struct den_error *err)
{
    if (den_json_get_text(options->body, "model", &options->model, err) != DEN_OK ||
        read_messages(options, err) != DEN_OK || read_tools(options, err) != DEN_OK ||
        read_thinking(options, err) != DEN_OK)
        return err->status;
    return counting ? DEN_OK : read_sampling(options, err);
}
