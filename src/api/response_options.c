/* The body of POST /v1/responses, decoded and checked, and the response object begun: it repeats
 * most of what was asked. */
#include <stdlib.h>
#include <string.h>

#include "api/response_state.h"
#include "desk/responses.h"

#define PLACE(member) offsetof(struct den_worker_request, member)

void den_response_state_free(void *opaque)
{
    struct den_response_state *state = opaque;

    json_decref(state->object);
    json_decref(state->input);
    json_decref(state->history);
    json_decref(state->item);
    json_decref(state->logprobs);
    den_buffer_deinit(&state->text);
    free(state);
}

/* --- what can't be had --- */

static enum den_status refuse_others(const json_t *body, struct den_error *err)
{
    static const char *const refused[] = { "conversation", "prompt", "context_management" };
    bool background = false;
    size_t i;

    if (den_json_get_bool(body, "background", &background, err) != DEN_OK)
        return err->status;
    if (background)
        return den_fail(err, DEN_UNSUPPORTED, "'background' is not there; ask for a stream");
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (json_object_get(body, refused[i]) && !json_is_null(json_object_get(body, refused[i])))
            return den_fail(err, DEN_UNSUPPORTED, "'%s' is not there", refused[i]);
    return DEN_OK;
}

/* --- fields --- */

static enum den_status read_request(struct den_call_options *options, struct den_error *err)
{
    static const struct den_field fields[] = {
        { "temperature", DEN_FIELD_NUMBER, PLACE(temperature), 0, 2 },
        { "top_p", DEN_FIELD_NUMBER, PLACE(top_p), 0, 1 },
        { "max_output_tokens", DEN_FIELD_INTEGER, PLACE(max_tokens), 1, 1LL << 52 },
        { "preset", DEN_FIELD_TEXT, PLACE(preset), 0, 0 },
        { "chat_template_kwargs", DEN_FIELD_OBJECT, PLACE(template_variables), 0, 0 },
    };

    if (den_json_get_text(options->body, "model", &options->model, err) != DEN_OK ||
        den_json_get_bool(options->body, "stream", &options->stream, err) != DEN_OK ||
        den_fields_read(options->body, fields, sizeof fields / sizeof fields[0], &options->request,
                        err) != DEN_OK ||
        den_seed_read(options->body, "seed", &options->request, err) != DEN_OK)
        return err->status;
    return den_extras_read(options->body, &options->request, err);
}

static enum den_status read_logprobs(struct den_call_options *options, struct den_error *err)
{
    struct den_response_state *state = options->state;
    json_t *include = json_object_get(options->body, "include"), *item;
    int64_t top = -1;
    size_t i;

    if (den_json_get_integer(options->body, "top_logprobs", 0, 20, &top, err) != DEN_OK)
        return err->status;
    if (include && !json_is_null(include) && !json_is_array(include))
        return den_fail(err, DEN_INVALID, "'include' must be a list");
    json_array_foreach(include, i, item)
    {
        const char *name = json_string_value(item);

        if (!name)
            return den_fail(err, DEN_INVALID, "'include' must be a list of strings");
        if (strcmp(name, "message.output_text.logprobs") == 0)
            state->wants_logprobs = true;
    }
    if (state->wants_logprobs)
        options->request.logprobs = top < 0 ? 0 : (int)top;
    return DEN_OK;
}

static enum den_status read_text(struct den_call_options *options, struct den_error *err)
{
    const json_t *text = NULL, *format = NULL, *reasoning = NULL;

    if (den_json_get_object(options->body, "text", &text, err) != DEN_OK ||
        den_json_get_object(options->body, "reasoning", &reasoning, err) != DEN_OK)
        return err->status;
    if (text && den_json_get_object(text, "format", &format, err) != DEN_OK)
        return err->status;
    if (format && den_format_read(options, format, "text.format", err) != DEN_OK)
        return err->status;
    return reasoning ? den_effort_read(reasoning, "effort", options, err) : DEN_OK;
}

/* {"type": "function", "name", "parameters", ...} as chat has it. The client's own list is kept for
 * the response object. */
static enum den_status read_tools(struct den_call_options *options, json_t **out_given,
                                  struct den_error *err)
{
    json_t *given = json_object_get(options->body, "tools"), *tools = json_array(), *tool,
           *function;
    size_t i;

    if (given && !json_is_null(given) && !json_is_array(given)) {
        json_decref(tools);
        return den_fail(err, DEN_INVALID, "'tools' must be a list");
    }
    *out_given = json_is_array(given) ? json_incref(given) : json_array();
    json_array_foreach(given, i, tool)
    {
        if (!json_is_object(tool)) {
            json_array_append(tools, tool);
            continue;
        }
        function = json_copy(tool);
        json_object_del(function, "type");
        json_array_append_new(tools, json_pack("{s:O?, s:o}", "type", json_object_get(tool, "type"),
                                               "function", function));
    }
    json_object_set_new(options->body, "tools", tools);
    return den_openai_tools_read(options, err);
}

/* --- the conversation --- */

static enum den_status read_items(struct den_call_options *options, struct den_error *err)
{
    struct den_response_state *state = options->state;
    const char *previous = NULL, *instructions = NULL;
    json_t *kept = NULL, *messages = NULL;

    if (den_json_get_text(options->body, "previous_response_id", &previous, err) != DEN_OK ||
        den_json_get_text(options->body, "instructions", &instructions, err) != DEN_OK ||
        den_response_items_read(json_object_get(options->body, "input"), &state->input, err) !=
            DEN_OK)
        return err->status;
    if (previous) {
        if (den_response_find(state->database, previous, &kept, err) != DEN_OK)
            return err->status == DEN_NOT_FOUND
                       ? den_fail(err, DEN_INVALID,
                                  "'previous_response_id' is '%.64s'; there is no such response",
                                  previous)
                       : err->status;
        state->history = json_incref(json_object_get(kept, "history"));
        json_decref(kept);
    } else {
        state->history = json_array();
    }
    json_array_extend(state->history, state->input);
    if (den_response_messages(state->history, instructions, &messages, err) != DEN_OK)
        return err->status;
    json_object_set_new(options->body, "messages", messages);
    options->request.messages = messages;
    return DEN_OK;
}

/* --- the response object --- */

static json_t *given_or(const json_t *body, const char *key, json_t *otherwise)
{
    json_t *value = json_object_get(body, key);

    if (!value || json_is_null(value))
        return otherwise;
    json_decref(otherwise);
    return json_deep_copy(value);
}

static void begin_object(struct den_call_options *options, json_t *tools, json_t *choice)
{
    struct den_response_state *state = options->state;
    const json_t *body = options->body;
    json_t *text = given_or(body, "text", json_pack("{s:{s:s}}", "format", "type", "text"));
    const struct {
        const char *key;
        json_t *value;
    } fields[] = {
        { "object", json_string("response") },
        { "status", json_string("in_progress") },
        { "background", json_false() },
        { "error", json_null() },
        { "incomplete_details", json_null() },
        { "instructions", given_or(body, "instructions", json_null()) },
        { "max_output_tokens", given_or(body, "max_output_tokens", json_null()) },
        { "max_tool_calls", given_or(body, "max_tool_calls", json_null()) },
        { "metadata", given_or(body, "metadata", json_object()) },
        { "output", json_array() },
        { "parallel_tool_calls", given_or(body, "parallel_tool_calls", json_true()) },
        { "previous_response_id", given_or(body, "previous_response_id", json_null()) },
        { "reasoning", given_or(body, "reasoning", json_pack("{s:n, s:n}", "effort", "summary")) },
        { "service_tier", json_string("default") },
        { "store", json_boolean(state->is_stored) },
        { "temperature", given_or(body, "temperature", json_real(0.8)) },
        { "text", text },
        { "tool_choice", choice ? choice : json_string("auto") },
        { "tools", tools },
        { "top_logprobs", given_or(body, "top_logprobs", json_integer(0)) },
        { "top_p", given_or(body, "top_p", json_real(0.95)) },
        { "truncation", json_string(state->truncates ? "auto" : "disabled") },
        { "usage", json_null() },
        { "user", given_or(body, "user", json_null()) },
    };
    size_t i;

    state->object = json_object();
    for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
        json_object_set_new(state->object, fields[i].key, fields[i].value);
    if (!json_object_get(text, "format") && json_is_object(text))
        json_object_set_new(text, "format", json_pack("{s:s}", "type", "text"));
}

enum den_status den_response_options_read(struct den_call_options *options, struct den_error *err)
{
    struct den_response_state *state = options->state;
    json_t *tools = NULL, *choice;
    const char *truncation = "disabled";

    choice = json_deep_copy(json_object_get(options->body, "tool_choice"));
    state->is_stored = true;
    if (refuse_others(options->body, err) != DEN_OK || read_request(options, err) != DEN_OK ||
        read_logprobs(options, err) != DEN_OK ||
        den_json_get_bool(options->body, "store", &state->is_stored, err) != DEN_OK ||
        den_json_get_text(options->body, "truncation", &truncation, err) != DEN_OK ||
        read_text(options, err) != DEN_OK || read_tools(options, &tools, err) != DEN_OK ||
        read_items(options, err) != DEN_OK)
        goto fail;
    if (strcmp(truncation, "auto") != 0 && strcmp(truncation, "disabled") != 0) {
        den_fail(err, DEN_INVALID, "'truncation' must be 'auto' or 'disabled'");
        goto fail;
    }
    state->truncates = strcmp(truncation, "auto") == 0;
    begin_object(options, tools, json_is_null(choice) ? NULL : choice);
    return DEN_OK;
fail:
    json_decref(tools);
    json_decref(choice);
    return err->status;
}
