/* What a worker's events become in OpenAI's responses. Every event has a number; an item is told
 * when it begins, as it grows, and when it is whole. The same walk gathers the output of an answer
 * that is not streamed. The last event is sent by the connection's thread after the response has
 * been kept, so that a client that has it can go on from it. */
#include <string.h>

#include "api/response_state.h"
#include "base/clock.h"
#include "desk/responses.h"

static struct den_response_state *state_of(const struct den_call *call)
{
    return call->options.state;
}

static json_int_t output_index(const struct den_response_state *state)
{
    return (json_int_t)json_array_size(json_object_get(state->object, "output"));
}

/* Adds the type and the number to `event`, and sends it if there is a stream. */
static void send_event(struct den_call *call, const char *type, json_t *event)
{
    struct den_response_state *state = state_of(call);

    json_object_set_new(event, "type", json_string(type));
    json_object_set_new(event, "sequence_number", json_integer(state->sequence++));
    if (call->options.stream)
        den_call_send_event(call, type, event);
    else
        json_decref(event);
}

/* An event of the open item. Takes over `fields`. */
static void send_item_event(struct den_call *call, const char *type, json_t *fields)
{
    const struct den_response_state *state = state_of(call);

    json_object_set(fields, "item_id", json_object_get(state->item, "id"));
    json_object_set_new(fields, "output_index", json_integer(output_index(state)));
    if (state->open != DEN_RESPONSE_CALL)
        json_object_set_new(fields, "content_index", json_integer(0));
    send_event(call, type, fields);
}

/* --- items --- */

static json_t *part_json(const struct den_response_state *state, bool is_whole)
{
    json_t *text = is_whole ? den_answer_text_json(&state->text) : json_string("");
    json_t *logprobs = is_whole && state->logprobs ? json_incref(state->logprobs) : json_array();

    if (state->open == DEN_RESPONSE_MESSAGE)
        return json_pack("{s:s, s:o, s:[], s:o}", "type", "output_text", "text", text,
                         "annotations", "logprobs", logprobs);
    json_decref(logprobs);
    return json_pack("{s:s, s:o}", "type", "reasoning_text", "text", text);
}

static void send_done(struct den_call *call)
{
    const struct den_response_state *state = state_of(call);
    json_t *text = den_answer_text_json(&state->text);

    switch (state->open) {
    case DEN_RESPONSE_MESSAGE:
        send_item_event(call, "response.output_text.done",
                        json_pack("{s:o, s:O}", "text", text, "logprobs", state->logprobs));
        break;
    case DEN_RESPONSE_REASONING:
        send_item_event(call, "response.reasoning_text.done", json_pack("{s:o}", "text", text));
        break;
    case DEN_RESPONSE_CALL:
        send_item_event(call, "response.function_call_arguments.done",
                        json_pack("{s:o, s:O}", "arguments", text, "name",
                                  json_object_get(state->item, "name")));
        return;
    case DEN_RESPONSE_NOTHING:
        json_decref(text);
        return;
    }
    send_item_event(call, "response.content_part.done",
                    json_pack("{s:o}", "part", part_json(state, true)));
}

/* The open item is whole: it joins the output. */
static void close_item(struct den_call *call, const char *status)
{
    struct den_response_state *state = state_of(call);

    if (state->open == DEN_RESPONSE_NOTHING)
        return;
    send_done(call);
    if (state->open == DEN_RESPONSE_CALL)
        json_object_set_new(state->item, "arguments", den_answer_text_json(&state->text));
    else
        json_object_set_new(state->item, "content", json_pack("[o]", part_json(state, true)));
    json_object_set_new(state->item, "status", json_string(status));
    send_event(call, "response.output_item.done",
               json_pack("{s:I, s:O}", "output_index", output_index(state), "item", state->item));
    json_array_append_new(json_object_get(state->object, "output"), state->item);
    state->item = NULL;
    state->open = DEN_RESPONSE_NOTHING;
}

/* Takes over `item`, which has no id yet. */
static void open_item(struct den_call *call, enum den_response_item kind, json_t *item)
{
    static const char *const prefixes[] = { [DEN_RESPONSE_NOTHING] = "",
                                            [DEN_RESPONSE_REASONING] = "rs_",
                                            [DEN_RESPONSE_MESSAGE] = "msg_",
                                            [DEN_RESPONSE_CALL] = "fc_" };
    struct den_response_state *state = state_of(call);

    close_item(call, "completed");
    state->open = kind;
    state->item = item;
    den_buffer_clear(&state->text);
    json_decref(state->logprobs);
    state->logprobs = json_array();
    json_object_set_new(
        item, "id", json_sprintf("%s%s%02d", prefixes[kind], call->id, (int)output_index(state)));
    json_object_set_new(item, "status", json_string("in_progress"));
    send_event(
        call, "response.output_item.added",
        json_pack("{s:I, s:o}", "output_index", output_index(state), "item", json_deep_copy(item)));
    if (kind != DEN_RESPONSE_CALL)
        send_item_event(call, "response.content_part.added",
                        json_pack("{s:o}", "part", part_json(state, false)));
}

/* --- events --- */

static void begin(struct den_call *call)
{
    struct den_response_state *state = state_of(call);

    json_object_set_new(state->object, "id", den_call_id_json(call, "resp_"));
    json_object_set_new(state->object, "created_at", json_integer((json_int_t)call->created));
    json_object_set_new(state->object, "model", json_string(call->model->model_name));
    den_call_add_sources(state->object, call);
    send_event(call, "response.created",
               json_pack("{s:o}", "response", json_deep_copy(state->object)));
    send_event(call, "response.in_progress",
               json_pack("{s:o}", "response", json_deep_copy(state->object)));
}

/* Text or reasoning. */
static void grow(struct den_choice *choice, const struct den_worker_event *event,
                 enum den_response_item kind)
{
    struct den_call *call = choice->call;
    struct den_response_state *state = state_of(call);
    const bool is_message = kind == DEN_RESPONSE_MESSAGE;
    json_t *fields;

    if (state->open != kind)
        open_item(
            call, kind,
            is_message
                ? json_pack("{s:s, s:s, s:[]}", "type", "message", "role", "assistant", "content")
                : json_pack("{s:s, s:[], s:[]}", "type", "reasoning", "summary", "content"));
    if (!den_buffer_append(&state->text, event->text, event->text_length))
        den_call_break(call);
    fields = json_pack("{s:s%}", "delta", event->text, event->text_length);
    if (is_message) {
        json_t *logprobs = json_array();

        if (event->logprob) {
            json_array_append_new(logprobs, den_logprob_json(event));
            json_array_extend(state->logprobs, logprobs);
        }
        json_object_set_new(fields, "logprobs", logprobs);
    }
    send_item_event(
        call, is_message ? "response.output_text.delta" : "response.reasoning_text.delta", fields);
}

static void take_text(struct den_choice *choice, const struct den_worker_event *event)
{
    grow(choice, event, DEN_RESPONSE_MESSAGE);
}

static void take_reasoning(struct den_choice *choice, const struct den_worker_event *event)
{
    grow(choice, event, DEN_RESPONSE_REASONING);
}

static void take_call(struct den_choice *choice, const struct den_worker_event *event)
{
    open_item(choice->call, DEN_RESPONSE_CALL,
              json_pack("{s:s, s:s, s:s, s:s}", "type", "function_call", "call_id", event->tool_id,
                        "name", event->tool_name, "arguments", ""));
}

static void take_arguments(struct den_choice *choice, const struct den_worker_event *event)
{
    struct den_response_state *state = state_of(choice->call);

    if (state->open != DEN_RESPONSE_CALL)
        return;
    if (!den_buffer_append(&state->text, event->text, event->text_length))
        den_call_break(choice->call);
    send_item_event(choice->call, "response.function_call_arguments.delta",
                    json_pack("{s:s%}", "delta", event->text, event->text_length));
}

static json_t *usage_json(const struct den_choice *choice)
{
    const json_int_t prompt = (json_int_t)choice->end.prompt_tokens;
    const json_int_t generated = (json_int_t)choice->end.generated_tokens;

    return json_pack("{s:I, s:{s:I}, s:I, s:{s:I}, s:I}", "input_tokens", prompt,
                     "input_tokens_details", "cached_tokens", (json_int_t)choice->end.cached_tokens,
                     "output_tokens", generated, "output_tokens_details", "reasoning_tokens",
                     (json_int_t)choice->end.reasoning_tokens, "total_tokens", prompt + generated);
}

/* An answer of a workspace has its markers; in a stream the text has been told without them. */
static void take_markers(struct den_choice *choice)
{
    struct den_response_state *state = state_of(choice->call);

    if (!choice->call->is_cited || choice->call->options.stream ||
        state->open != DEN_RESPONSE_MESSAGE)
        return;
    den_buffer_clear(&state->text);
    den_buffer_append(&state->text, choice->text.data, choice->text.length);
}

static void take_end(struct den_choice *choice)
{
    struct den_response_state *state = state_of(choice->call);
    const bool is_cut = strcmp(choice->finish, "length") == 0;
    json_t *object = state->object;

    if (output_index(state) == 0 && state->open == DEN_RESPONSE_NOTHING) { /* an empty answer */
        const struct den_worker_event nothing = { .kind = DEN_WORKER_TEXT, .text = "" };

        take_text(choice, &nothing);
    }
    take_markers(choice);
    close_item(choice->call, is_cut ? "incomplete" : "completed");
    json_object_set_new(object, "status", json_string(is_cut ? "incomplete" : "completed"));
    if (is_cut)
        json_object_set_new(object, "incomplete_details",
                            json_pack("{s:s}", "reason", "max_output_tokens"));
    else
        json_object_set_new(object, "completed_at", json_integer((json_int_t)den_clock_unix()));
    json_object_set_new(object, "usage", usage_json(choice));
    den_note_add(object, choice);
    den_call_add_sources(object, choice->call);
    if (choice->call->options.stream)
        den_call_add_citations(object, choice->call);
}

static void take_error(struct den_choice *choice)
{
    struct den_response_state *state = state_of(choice->call);

    close_item(choice->call, "incomplete");
    json_object_set_new(state->object, "status", json_string("failed"));
    json_object_set_new(
        state->object, "error",
        json_pack("{s:s, s:s}", "code", "server_error", "message", choice->error.message));
}

/* --- on the connection's thread --- */

static void keep(struct den_response_state *state)
{
    struct den_error err = { 0 };
    json_t *content;

    json_array_extend(state->history, json_object_get(state->object, "output"));
    content = json_pack("{s:O, s:O, s:O}", "response", state->object, "input", state->input,
                        "history", state->history);
    if (den_response_keep(state->database, json_string_value(json_object_get(state->object, "id")),
                          content, &err) != DEN_OK)
        json_object_set_new(state->object, "store",
                            json_false()); /* the answer stands all the same */
    json_decref(content);
}

static void settle(struct den_call *call)
{
    struct den_response_state *state = state_of(call);
    const char *status = json_string_value(json_object_get(state->object, "status"));
    char type[40];

    if (state->is_stored && strcmp(status, "failed") != 0)
        keep(state);
    snprintf(type, sizeof type, "response.%s", status);
    send_event(call, type, json_pack("{s:O}", "response", state->object));
}

static json_t *whole(struct den_call *call)
{
    return json_incref(state_of(call)->object);
}

/* `truncation: "auto"`: the oldest messages go until the rest fits, with room for an answer. */
static enum den_status vary(struct den_call *call, size_t index, struct den_worker_request *request,
                            struct den_error *err)
{
    json_t *messages = json_object_get(call->options.body, "messages");
    const size_t room = call->model->context_tokens - call->model->context_tokens / 8;

    (void)index;
    while (state_of(call)->truncates && json_array_size(messages) > 1) {
        const char *role = json_string_value(json_object_get(json_array_get(messages, 0), "role"));
        size_t oldest = strcmp(role, "system") == 0 ? 1 : 0;
        json_t *prompt = NULL;
        size_t tokens;

        if (den_worker_apply_template(call->worker, request, &prompt, err) != DEN_OK)
            return err->status;
        tokens = (size_t)json_integer_value(json_object_get(prompt, "tokens"));
        json_decref(prompt);
        if (tokens <= room || oldest + 1 >= json_array_size(messages))
            break;
        json_array_remove(messages, oldest);
    }
    return DEN_OK;
}

const struct den_surface den_surface_responses = {
    .name = "openai.responses",
    .content_type = "text/event-stream; charset=utf-8",
    .sign_of_life = ": still working\n\n",
    .tells_always = true,
    .begin = begin,
    .text = take_text,
    .reasoning = take_reasoning,
    .tool_call = take_call,
    .tool_arguments = take_arguments,
    .end = take_end,
    .error = take_error,
    .settle = settle,
    .whole = whole,
    .vary = vary,
    .free_state = den_response_state_free,
};
