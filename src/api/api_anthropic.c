/* POST /v1/messages and /v1/messages/count_tokens: Anthropic's API, whole or as its stream of named
 * events. An answer is a list of blocks (thinking, text, calls of tools); in a stream each begins,
 * grows and ends before the next. The number of input tokens is known with the first event from the
 * worker, so message_start waits for it. */
#include <stdlib.h>
#include <string.h>

#include "api/anthropic.h"
#include "api/openai.h"

/* --- what both forms share --- */

static const char *stop_reason(const struct den_choice *choice)
{
    if (choice->stop_string)
        return "stop_sequence";
    if (strcmp(choice->finish, "tool_calls") == 0)
        return "tool_use";
    return strcmp(choice->finish, "length") == 0 ? "max_tokens" : "end_turn";
}

static json_t *usage_json(size_t prompt, size_t cached, size_t generated)
{
    return json_pack("{s:I, s:i, s:I, s:I}", "input_tokens",
                     (json_int_t)(prompt > cached ? prompt - cached : 0),
                     "cache_creation_input_tokens", 0, "cache_read_input_tokens",
                     (json_int_t)cached, "output_tokens", (json_int_t)generated);
}

/* Takes over `content` and `usage`. */
static json_t *message_json(const struct den_call *call, json_t *content, json_t *usage)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:n, s:n, s:o}", "id",
                     den_call_id_json(call, "msg_"), "type", "message", "role", "assistant",
                     "model", call->model->model_name, "content", content, "stop_reason",
                     "stop_sequence", "usage", usage);
}

json_t *den_anthropic_error_json(unsigned http, const struct den_error *error, const char *code)
{
    static const struct {
        unsigned http;
        const char *type;
    } types[] = { { 401, "authentication_error" }, { 403, "permission_error" },
                  { 404, "not_found_error" },      { 413, "request_too_large" },
                  { 429, "rate_limit_error" },     { 500, "api_error" },
                  { 503, "overloaded_error" } };
    const char *type = "invalid_request_error";
    json_t *message = json_string(error->message);
    size_t i;

    (void)code;
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].http == http)
            type = types[i].type;
    if (!message) /* bytes from outside that are no UTF-8 */
        message = json_string(den_status_text(error->status));
    return json_pack("{s:s, s:{s:s, s:o}}", "type", "error", "error", "type", type, "message",
                     message);
}

/* --- a stream --- */

static struct den_anthropic_state *state_of(const struct den_choice *choice)
{
    return choice->call->options.state;
}

static void tell(struct den_choice *choice, const char *name, json_t *event)
{
    json_object_set_new(event, "type", json_string(name));
    den_call_send_event(choice->call, name, event);
}

static void begin(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *message;

    if (state_of(choice)->has_begun)
        return;
    state_of(choice)->has_begun = true;
    message =
        message_json(choice->call, json_array(), usage_json(event ? event->prompt_total : 0, 0, 0));
    den_call_add_sources(message, choice->call);
    tell(choice, "message_start", json_pack("{s:o}", "message", message));
}

static void close_block(struct den_choice *choice)
{
    struct den_anthropic_state *state = state_of(choice);

    if (state->open == DEN_BLOCK_NONE)
        return;
    if (state->open == DEN_BLOCK_THINKING)
        tell(choice, "content_block_delta",
             json_pack("{s:I, s:{s:s, s:s}}", "index", state->index, "delta", "type",
                       "signature_delta", "signature", ""));
    tell(choice, "content_block_stop", json_pack("{s:I}", "index", state->index));
    state->open = DEN_BLOCK_NONE;
    state->index++;
}

/* Begins a block unless one of its kind is open (each call of a tool is a block of its own); takes
 * over `block`. */
static void open_block(struct den_choice *choice, enum den_anthropic_block kind, json_t *block)
{
    struct den_anthropic_state *state = state_of(choice);

    begin(choice, NULL);
    if (state->open == kind && kind != DEN_BLOCK_TOOL) {
        json_decref(block);
        return;
    }
    close_block(choice);
    state->open = kind;
    tell(choice, "content_block_start",
         json_pack("{s:I, s:o}", "index", state->index, "content_block", block));
}

static void send_delta(struct den_choice *choice, const char *type, const char *key,
                       const struct den_worker_event *event)
{
    tell(choice, "content_block_delta",
         json_pack("{s:I, s:{s:s, s:s%}}", "index", state_of(choice)->index, "delta", "type", type,
                   key, event->text, event->text_length));
}

static void send_progress(struct den_choice *choice, const struct den_worker_event *event)
{
    begin(choice, event);
}

static void send_text(struct den_choice *choice, const struct den_worker_event *event)
{
    if (event->text_length == 0)
        return;
    open_block(choice, DEN_BLOCK_TEXT, json_pack("{s:s, s:s}", "type", "text", "text", ""));
    send_delta(choice, "text_delta", "text", event);
}

static void send_thinking(struct den_choice *choice, const struct den_worker_event *event)
{
    open_block(choice, DEN_BLOCK_THINKING,
               json_pack("{s:s, s:s, s:s}", "type", "thinking", "thinking", "", "signature", ""));
    send_delta(choice, "thinking_delta", "thinking", event);
}

static void send_call(struct den_choice *choice, const struct den_worker_event *event)
{
    open_block(choice, DEN_BLOCK_TOOL,
               json_pack("{s:s, s:s, s:s, s:{}}", "type", "tool_use", "id", event->tool_id, "name",
                         event->tool_name, "input"));
}

static void send_arguments(struct den_choice *choice, const struct den_worker_event *event)
{
    send_delta(choice, "input_json_delta", "partial_json", event);
}

static void send_end(struct den_choice *choice)
{
    const struct den_worker_event *end = &choice->end;
    json_t *event;

    begin(choice, NULL);
    close_block(choice);
    event = json_pack("{s:{s:s, s:s?}, s:o}", "delta", "stop_reason", stop_reason(choice),
                      "stop_sequence", choice->stop_string, "usage",
                      usage_json(end->prompt_tokens, end->cached_tokens, end->generated_tokens));
    den_note_add(event, choice);
    den_call_add_citations(event, choice->call);
    tell(choice, "message_delta", event);
    tell(choice, "message_stop", json_object());
}

static void send_error(struct den_choice *choice)
{
    const struct den_error *error = &choice->error;

    den_call_send_event(
        choice->call, "error",
        den_anthropic_error_json((unsigned)den_status_http(error->status), error, NULL));
}

/* --- whole --- */

static json_t *tool_json(const struct den_call_tool *tool)
{
    json_t *input = json_loadb(tool->arguments.data ? tool->arguments.data : "",
                               tool->arguments.length, JSON_DECODE_ANY, NULL);

    return json_pack("{s:s, s:s, s:s, s:o}", "type", "tool_use", "id", tool->id, "name", tool->name,
                     "input", input ? input : json_object());
}

static json_t *whole(struct den_call *call)
{
    const struct den_choice *choice = &call->choices[0];
    const struct den_worker_event *end = &choice->end;
    json_t *content = json_array(), *message;
    size_t i;

    if (choice->reasoning.length > 0)
        json_array_append_new(content,
                              json_pack("{s:s, s:o, s:s}", "type", "thinking", "thinking",
                                        den_answer_text_json(&choice->reasoning), "signature", ""));
    if (choice->text.length > 0)
        json_array_append_new(content, json_pack("{s:s, s:o}", "type", "text", "text",
                                                 den_answer_text_json(&choice->text)));
    for (i = 0; i < choice->tool_count; i++)
        json_array_append_new(content, tool_json(&choice->tools[i]));
    message = message_json(
        call, content, usage_json(end->prompt_tokens, end->cached_tokens, end->generated_tokens));
    json_object_set_new(message, "stop_reason", json_string(stop_reason(choice)));
    if (choice->stop_string)
        json_object_set_new(message, "stop_sequence", json_string(choice->stop_string));
    den_note_add(message, choice);
    den_call_add_sources(message, call);
    return message;
}

static const struct den_surface surface = {
    .name = "anthropic.messages",
    .content_type = "text/event-stream; charset=utf-8",
    .sign_of_life = "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    .progress = send_progress,
    .text = send_text,
    .reasoning = send_thinking,
    .tool_call = send_call,
    .tool_arguments = send_arguments,
    .end = send_end,
    .error = send_error,
    .whole = whole,
    .free_state = free,
};

/* --- routes --- */

static enum den_status read_request(struct den_request *request, bool counting,
                                    struct den_call_options *out, struct den_error *err)
{
    *out = den_call_defaults(&surface);
    out->state = calloc(1, sizeof(struct den_anthropic_state));
    if (!out->state)
        return den_fail(err, DEN_NO_MEMORY, "messages: out of memory");
    if (den_request_json(request, &out->body, err) != DEN_OK)
        return err->status;
    return den_anthropic_read(out, counting, err);
}

enum MHD_Result den_route_anthropic_messages(struct den_request *request)
{
    struct den_call_options options;
    struct den_error err = { 0 };

    if (read_request(request, false, &options, &err) == DEN_OK)
        return den_call_answer(request, &options);
    den_call_options_deinit(&options);
    return den_reply_error(request, &err, NULL);
}

enum MHD_Result den_route_anthropic_count(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct den_call_options options;
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };
    json_t *prompt = NULL, *tokens;

    if (read_request(request, true, &options, &err) == DEN_OK &&
        den_roster_take(roster, options.model, DEN_WORKER_CHAT, &worker, &err) == DEN_OK)
        den_worker_apply_template(worker, &options.request, &prompt, &err);
    den_roster_give_back(roster, worker);
    den_call_options_deinit(&options);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    tokens = json_incref(json_object_get(prompt, "tokens"));
    json_decref(prompt);
    return den_reply_json(request, 200, json_pack("{s:o}", "input_tokens", tokens));
}
