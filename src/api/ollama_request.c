/* See ollama.h: bodies of /api/chat and /api/generate. Messages are nearly OpenAI's: calls of tools
 * lack their ids, which are numbered here, and results name the tool rather than the call. Options
 * that choose how Ollama runs a model (num_ctx, num_gpu, mirostat ...) are passed over. */
#include "api/ollama.h"

#include <string.h>

/* --- messages --- */

static enum den_status add_calls(json_t *message, const json_t *calls, size_t *number,
                                 struct den_error *err)
{
    json_t *list = json_array();
    size_t i;

    json_object_set_new(message, "tool_calls", list);
    for (i = 0; i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i);
        json_t *function = json_object_get(call, "function");
        const char *id = json_string_value(json_object_get(call, "id"));

        if (!json_is_object(function))
            return den_fail(err, DEN_INVALID, "'messages' has a tool call without a 'function'");
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:O}", "id",
                                        id ? json_string(id) : json_sprintf("call_%zu", *number),
                                        "type", "function", "function", function));
        ++*number;
    }
    return DEN_OK;
}

/* `calls`: calls so far; `results`: results so far, which answer the calls in turn. */
static enum den_status add_message(json_t *messages, const json_t *given, size_t *calls,
                                   size_t *results, struct den_error *err)
{
    const json_t *made = json_object_get(given, "tool_calls");
    const char *role = json_string_value(json_object_get(given, "role"));
    json_t *message;

    if (!json_is_object(given))
        return den_fail(err, DEN_INVALID, "'messages' must be a list of objects");
    if (json_array_size(json_object_get(given, "images")) > 0)
        return den_fail(err, DEN_UNSUPPORTED, "'messages' has images; this model reads text only");
    message = json_copy((json_t *)given);
    if (!message)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    json_array_append_new(messages, message);
    json_object_del(message, "images");
    if (json_object_get(message, "thinking"))
        json_object_set(message, "reasoning_content", json_object_get(message, "thinking"));
    if (role && strcmp(role, "tool") == 0 && !json_object_get(message, "tool_call_id"))
        json_object_set_new(message, "tool_call_id", json_sprintf("call_%zu", (*results)++));
    return json_array_size(made) > 0 ? add_calls(message, made, calls, err) : DEN_OK;
}

static enum den_status read_messages(struct den_call_options *options, bool *out_is_empty,
                                     struct den_error *err)
{
    const json_t *given = json_object_get(options->body, "messages");
    size_t calls = 0, results = 0, i;
    json_t *messages;

    if (given && !json_is_null(given) && !json_is_array(given))
        return den_fail(err, DEN_INVALID, "'messages' must be a list");
    *out_is_empty = json_array_size(given) == 0;
    messages = json_array();
    options->request.messages = messages;
    if (den_body_keep(options, "den_messages", messages, err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(given); i++)
        if (add_message(messages, json_array_get(given, i), &calls, &results, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* /api/generate: a prompt with a system message, or raw. */
static enum den_status read_prompt(struct den_call_options *options, bool *out_is_empty,
                                   struct den_error *err)
{
    const char *prompt = NULL, *system = NULL, *suffix = NULL;
    bool raw = false;
    json_t *messages;

    if (den_json_get_text(options->body, "prompt", &prompt, err) != DEN_OK ||
        den_json_get_text(options->body, "system", &system, err) != DEN_OK ||
        den_json_get_text(options->body, "suffix", &suffix, err) != DEN_OK ||
        den_json_get_bool(options->body, "raw", &raw, err) != DEN_OK)
        return err->status;
    if (suffix && *suffix)
        return den_fail(err, DEN_UNSUPPORTED, "'suffix': this model can't fill in the middle");
    if (json_array_size(json_object_get(options->body, "images")) > 0)
        return den_fail(err, DEN_UNSUPPORTED, "'images': this model reads text only");
    *out_is_empty = !prompt || !*prompt;
    if (raw) {
        options->request.prompt = prompt;
        return DEN_OK;
    }
    messages = json_array();
    options->request.messages = messages;
    if (system && *system)
        json_array_append_new(messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", system));
    json_array_append_new(messages,
                          json_pack("{s:s, s:s}", "role", "user", "content", prompt ? prompt : ""));
    return den_body_keep(options, "den_messages", messages, err);
}

/* --- options --- */

#define PLACE(member) offsetof(struct den_worker_request, member)

static enum den_status read_options(struct den_call_options *options, struct den_error *err)
{
    static const struct den_field fields[] = {
        { "temperature", DEN_FIELD_NUMBER, PLACE(temperature), 0, 100 },
        { "top_p", DEN_FIELD_NUMBER, PLACE(top_p), 0, 1 },
        { "frequency_penalty", DEN_FIELD_NUMBER, PLACE(frequency_penalty), -100, 100 },
        { "presence_penalty", DEN_FIELD_NUMBER, PLACE(presence_penalty), -100, 100 },
    };
    const json_t *given = NULL;
    int64_t predict = -1;

    if (den_json_get_object(options->body, "options", &given, err) != DEN_OK || !given)
        return err->status;
    if (den_fields_read(given, fields, sizeof fields / sizeof fields[0], &options->request, err) !=
            DEN_OK ||
        den_extras_read(given, &options->request, err) != DEN_OK ||
        den_seed_read(given, "seed", &options->request, err) != DEN_OK ||
        den_stops_read(given, "stop", options, err) != DEN_OK ||
        den_json_get_integer(given, "num_predict", -2, 1LL << 52, &predict, err) != DEN_OK)
        return err->status;
    if (predict > 0)
        options->request.max_tokens = predict;
    return DEN_OK;
}

/* "json", or a JSON Schema. */
static enum den_status read_format(struct den_call_options *options, struct den_error *err)
{
    const json_t *format = json_object_get(options->body, "format");
    const char *text = json_string_value(format);

    if (!format || json_is_null(format) || (text && !*text))
        return DEN_OK;
    if (text && strcmp(text, "json") == 0)
        return den_any_object_set(options, err);
    if (!json_is_object(format))
        return den_fail(err, DEN_INVALID, "'format' must be 'json' or a JSON Schema");
    options->request.schema = format;
    return DEN_OK;
}

/* true, false, or how much: "low", "medium", "high". */
static enum den_status read_think(struct den_call_options *options, struct den_error *err)
{
    const json_t *think = json_object_get(options->body, "think");

    if (!think || json_is_null(think))
        return DEN_OK;
    if (json_is_string(think))
        return den_effort_read(options->body, "think", options, err);
    if (!json_is_boolean(think))
        return den_fail(err, DEN_INVALID, "'think' must be true, false or a text");
    return den_template_variable_set(options, "enable_thinking", json_boolean(json_is_true(think)),
                                     err);
}

bool den_ollama_wants_unload(const json_t *body)
{
    const json_t *value = json_object_get(body, "keep_alive");
    const char *text = json_string_value(value);

    if (json_is_number(value))
        return json_number_value(value) == 0;
    return text && text[0] == '0' &&
           strspn(text, "0.") + strspn(text + strspn(text, "0."), "smh") == strlen(text);
}

enum den_status den_ollama_read(struct den_call_options *options, bool *out_is_empty,
                                struct den_error *err)
{
    const struct den_ollama_state *state = options->state;
    const json_t *tools = json_object_get(options->body, "tools");

    options->stream = true;
    if (den_json_get_text(options->body, "model", &options->model, err) != DEN_OK ||
        den_json_get_bool(options->body, "stream", &options->stream, err) != DEN_OK)
        return err->status;
    if (!options->model || !*options->model)
        return den_fail(err, DEN_INVALID, "'model' is missing");
    if (tools && !json_is_null(tools) && !json_is_array(tools))
        return den_fail(err, DEN_INVALID, "'tools' must be a list");
    if (json_array_size(tools) > DEN_TOOLS_MAX)
        return den_fail(err, DEN_INVALID, "'tools' has %zu tools; at most %d are possible",
                        json_array_size(tools), DEN_TOOLS_MAX);
    if (json_array_size(tools) > 0)
        options->request.tools = tools;
    if (read_options(options, err) != DEN_OK || read_format(options, err) != DEN_OK ||
        read_think(options, err) != DEN_OK)
        return err->status;
    return state->is_generate ? read_prompt(options, out_is_empty, err)
                              : read_messages(options, out_is_empty, err);
}
