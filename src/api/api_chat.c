/* POST /v1/chat/completions: OpenAI's chat, whole or as a stream of server-sent events. Reasoning
 * is in `reasoning_content`, as DeepSeek's API began it and other local servers have it. A tool
 * call that could not be read stays text, and the choice says why in den.note. */
#include <stdlib.h>
#include <string.h>

#include "api/openai.h"

static const struct den_openai_state *state_of(const struct den_call *call)
{
    return call->options.state;
}

/* "function_call" for those who asked with `functions`. */
static const char *finish_of(const struct den_choice *choice)
{
    return state_of(choice->call)->legacy && strcmp(choice->finish, "tool_calls") == 0
               ? "function_call"
               : choice->finish;
}

static json_t *logprobs_json(json_t *content)
{
    return content ? json_pack("{s:o, s:n}", "content", content, "refusal") : json_null();
}

/* --- a stream --- */

/* Takes over `choices` and `usage`. */
static json_t *chunk_json(const struct den_call *call, json_t *choices, json_t *usage)
{
    json_t *object = json_pack(
        "{s:o, s:s, s:I, s:s, s:s, s:o}", "id", den_call_id_json(call, "chatcmpl-"), "object",
        "chat.completion.chunk", "created", (json_int_t)call->created, "model",
        call->model->model_name, "system_fingerprint", "den-" DEN_VERSION, "choices", choices);

    if (state_of(call)->include_usage)
        json_object_set_new(object, "usage", usage);
    else
        json_decref(usage);
    return object;
}

/* A chunk of one choice; takes over `delta` and `logprobs` (NULL: null). */
static json_t *delta_json(const struct den_choice *choice, json_t *delta, json_t *logprobs,
                          const char *finish)
{
    json_t *item = json_pack("{s:I, s:o, s:o, s:s?}", "index", (json_int_t)choice->index, "delta",
                             delta, "logprobs", logprobs_json(logprobs), "finish_reason", finish);

    if (finish)
        den_note_add(item, choice);
    return chunk_json(choice->call, json_pack("[o]", item), json_null());
}

static void send_delta(struct den_choice *choice, json_t *delta, json_t *logprobs)
{
    den_call_send_event(choice->call, NULL, delta_json(choice, delta, logprobs, NULL));
}

/* With tools the answer may have no text at all, which is null and not "". */
static void begin(struct den_call *call)
{
    const char *content = call->options.request.tools ? NULL : "";
    json_t *chunk;
    size_t i;

    for (i = 0; i < call->count; i++) {
        chunk = delta_json(
            &call->choices[i],
            json_pack("{s:s, s:s?, s:n}", "role", "assistant", "content", content, "refusal"), NULL,
            NULL);
        if (i == 0)
            den_call_add_sources(chunk, call);
        den_call_send_event(call, NULL, chunk);
    }
}

static void send_progress(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *chunk;

    if (!state_of(choice->call)->wants_progress)
        return;
    chunk = delta_json(choice, json_object(), NULL, NULL);
    json_object_set_new(chunk, "den",
                        json_pack("{s:I, s:I}", "prompt_done", (json_int_t)event->prompt_done,
                                  "prompt_total", (json_int_t)event->prompt_total));
    den_call_send_event(choice->call, NULL, chunk);
}

static void send_text(struct den_choice *choice, const struct den_worker_event *event)
{
    send_delta(choice, json_pack("{s:s%}", "content", event->text, event->text_length),
               event->logprob ? json_pack("[o]", den_logprob_json(event)) : NULL);
}

static void send_reasoning(struct den_choice *choice, const struct den_worker_event *event)
{
    send_delta(choice, json_pack("{s:s%}", "reasoning_content", event->text, event->text_length),
               NULL);
}

static void send_call(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *function = json_pack("{s:s, s:s}", "name", event->tool_name, "arguments", "");

    if (state_of(choice->call)->legacy)
        send_delta(choice, json_pack("{s:o}", "function_call", function), NULL);
    else
        send_delta(choice,
                   json_pack("{s:[{s:I, s:s, s:s, s:o}]}", "tool_calls", "index",
                             (json_int_t)event->tool_index, "id", event->tool_id, "type",
                             "function", "function", function),
                   NULL);
}

static void send_arguments(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *function = json_pack("{s:s%}", "arguments", event->text, event->text_length);

    if (state_of(choice->call)->legacy)
        send_delta(choice, json_pack("{s:o}", "function_call", function), NULL);
    else
        send_delta(choice,
                   json_pack("{s:[{s:I, s:o}]}", "tool_calls", "index",
                             (json_int_t)event->tool_index, "function", function),
                   NULL);
}

static void send_end(struct den_choice *choice)
{
    json_t *chunk = delta_json(choice, json_object(), NULL, finish_of(choice));

    if (state_of(choice->call)->wants_measures)
        json_object_set_new(chunk, "den", den_measures_json(choice));
    if (choice->index == 0)
        den_call_add_citations(chunk, choice->call);
    den_call_send_event(choice->call, NULL, chunk);
}

static void send_error(struct den_choice *choice)
{
    den_call_send_event(choice->call, NULL, den_error_json(&choice->error, NULL));
}

static void finish(struct den_call *call)
{
    if (state_of(call)->include_usage)
        den_call_send_event(call, NULL,
                            chunk_json(call, json_array(), den_openai_usage_json(call)));
    den_call_send_text(call, "data: [DONE]\n\n");
}

/* --- whole --- */

static void add_calls(json_t *message, const struct den_choice *choice)
{
    json_t *calls;
    size_t i;

    if (choice->tool_count == 0)
        return;
    if (state_of(choice->call)->legacy) {
        calls = den_openai_tool_json(&choice->tools[0]);
        json_object_set(message, "function_call", json_object_get(calls, "function"));
        json_decref(calls);
        return;
    }
    calls = json_array();
    for (i = 0; i < choice->tool_count; i++)
        json_array_append_new(calls, den_openai_tool_json(&choice->tools[i]));
    json_object_set_new(message, "tool_calls", calls);
}

static json_t *choice_json(const struct den_choice *choice)
{
    const bool is_silent = choice->text.length == 0 && choice->tool_count > 0;
    json_t *message =
        json_pack("{s:s, s:o, s:n}", "role", "assistant", "content",
                  is_silent ? json_null() : den_answer_text_json(&choice->text), "refusal");
    json_t *object;

    if (choice->reasoning.length > 0)
        json_object_set_new(message, "reasoning_content", den_answer_text_json(&choice->reasoning));
    add_calls(message, choice);
    object = json_pack("{s:I, s:o, s:o, s:s}", "index", (json_int_t)choice->index, "message",
                       message, "logprobs", logprobs_json(json_incref(choice->logprobs)),
                       "finish_reason", finish_of(choice));
    den_note_add(object, choice);
    return object;
}

static json_t *whole(struct den_call *call)
{
    json_t *choices = json_array(), *object;
    size_t i;

    for (i = 0; i < call->count; i++)
        json_array_append_new(choices, choice_json(&call->choices[i]));
    object =
        json_pack("{s:o, s:s, s:I, s:s, s:s, s:o, s:o}", "id", den_call_id_json(call, "chatcmpl-"),
                  "object", "chat.completion", "created", (json_int_t)call->created, "model",
                  call->model->model_name, "system_fingerprint", "den-" DEN_VERSION, "choices",
                  choices, "usage", den_openai_usage_json(call));
    if (state_of(call)->wants_measures)
        json_object_set_new(object, "den", den_measures_json(&call->choices[0]));
    den_call_add_sources(object, call);
    return object;
}

const struct den_surface den_surface_chat = {
    .name = "openai.chat",
    .content_type = "text/event-stream; charset=utf-8",
    .sign_of_life = ": still working\n\n",
    .begin = begin,
    .progress = send_progress,
    .text = send_text,
    .reasoning = send_reasoning,
    .tool_call = send_call,
    .tool_arguments = send_arguments,
    .end = send_end,
    .error = send_error,
    .finish = finish,
    .whole = whole,
    .free_state = free,
};

enum MHD_Result den_route_chat(struct den_request *request)
{
    struct den_call_options options = den_call_defaults(&den_surface_chat);
    struct den_error err = { 0 };

    options.state = calloc(1, sizeof(struct den_openai_state));
    if (!options.state)
        den_fail(&err, DEN_NO_MEMORY, "chat: out of memory");
    else if (den_request_json(request, &options.body, &err) == DEN_OK &&
             den_chat_options_read(&options, &err) == DEN_OK)
        return den_call_answer(request, &options);
    den_call_options_deinit(&options);
    return den_reply_error(request, &err, NULL);
}
