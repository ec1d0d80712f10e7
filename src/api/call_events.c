/* See call_events.h: everything here runs on a worker's thread, which serves others, too. An event
 * is first gathered (where the answer is wanted whole), then told the surface (where it is
 * streamed). */
#include "api/call_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

static void ring(struct den_call *call)
{
    const uint64_t one = 1;

    /* it can only fail when the counter is full, and then it is readable already */
    if (write(call->event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        call->is_broken = true;
}

void den_call_break(struct den_call *call)
{
    size_t i;

    call->is_broken = true;
    for (i = 0; i < call->count; i++)
        if (call->choices[i].ticket)
            den_ticket_cancel(call->choices[i].ticket);
}

/* --- gathering --- */

static bool gather_tool(struct den_choice *choice, const struct den_worker_event *event)
{
    struct den_call_tool *tools = NULL, *tool;

    if (choice->tool_count < DEN_TOOL_CALLS_MAX)
        tools = realloc(choice->tools, (choice->tool_count + 1) * sizeof *tools);
    if (!tools)
        return false;
    choice->tools = tools;
    tool = &tools[choice->tool_count++];
    *tool = (struct den_call_tool){ .id = strdup(event->tool_id ? event->tool_id : ""),
                                    .name = strdup(event->tool_name ? event->tool_name : "") };
    den_buffer_init(&tool->arguments, DEN_ANSWER_BYTES_MAX);
    return tool->id && tool->name;
}

static bool gather(struct den_choice *choice, const struct den_worker_event *event)
{
    switch (event->kind) {
    case DEN_WORKER_TEXT:
        return den_buffer_append(&choice->text, event->text, event->text_length) &&
               (!event->logprob || !choice->logprobs ||
                json_array_append_new(choice->logprobs, den_logprob_json(event)) == 0);
    case DEN_WORKER_REASONING:
        return den_buffer_append(&choice->reasoning, event->text, event->text_length);
    case DEN_WORKER_TOOL_CALL:
        return gather_tool(choice, event);
    case DEN_WORKER_TOOL_ARGUMENTS:
        return event->tool_index < choice->tool_count &&
               den_buffer_append(&choice->tools[event->tool_index].arguments, event->text,
                                 event->text_length);
    case DEN_WORKER_PROGRESS:
    case DEN_WORKER_END:
        break;
    }
    return true;
}

/* The finish as a text that outlives the event. */
static const char *finish_of(const char *text)
{
    static const char *const known[] = { "length", "tool_calls" };
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(text, known[i]) == 0)
            return known[i];
    return "stop";
}

static void take_end(struct den_choice *choice, const struct den_worker_event *event)
{
    choice->has_ended = true;
    choice->call->ended++;
    choice->finish = finish_of(event->finish);
    choice->end = *event;
    choice->end.text = choice->end.finish = choice->end.stop_string = choice->end.note = NULL;
    choice->end.tool_id = choice->end.tool_name = NULL;
    choice->end.error = NULL;
    choice->stop_string = event->stop_string ? strdup(event->stop_string) : NULL;
    choice->note = event->note ? strdup(event->note) : NULL;
    if (event->error && event->error->status != DEN_OK)
        choice->error = *event->error;
    else if (strcmp(event->finish, "error") == 0)
        den_fail(&choice->error, DEN_INTERNAL, "the generation failed");
    else if (strcmp(event->finish, "cancelled") == 0)
        den_fail(&choice->error, DEN_CANCELLED, "the generation was stopped");
}

/* --- telling --- */

static void tell_end(struct den_choice *choice)
{
    const struct den_surface *surface = choice->call->surface;

    if (choice->error.status == DEN_OK && surface->end)
        surface->end(choice);
    else if (choice->error.status != DEN_OK && surface->error)
        surface->error(choice);
}

void den_call_tell_ends(struct den_call *call)
{
    size_t i;

    pthread_mutex_lock(&call->lock);
    for (i = 0; i < call->count && !call->is_broken; i++)
        tell_end(&call->choices[i]);
    if (call->surface->finish && !call->is_broken)
        call->surface->finish(call);
    pthread_mutex_unlock(&call->lock);
}

static void tell(struct den_choice *choice, const struct den_worker_event *event)
{
    const struct den_surface *surface = choice->call->surface;
    void (*function)(struct den_choice *, const struct den_worker_event *) = NULL;

    switch (event->kind) {
    case DEN_WORKER_PROGRESS:
        function = surface->progress;
        break;
    case DEN_WORKER_TEXT:
        function = surface->text;
        break;
    case DEN_WORKER_REASONING:
        function = surface->reasoning;
        break;
    case DEN_WORKER_TOOL_CALL:
        function = surface->tool_call;
        break;
    case DEN_WORKER_TOOL_ARGUMENTS:
        function = surface->tool_arguments;
        break;
    case DEN_WORKER_END:
        if (den_call_holds_ends(choice->call))
            return;
        tell_end(choice);
        if (choice->call->ended == choice->call->count && surface->finish)
            surface->finish(choice->call);
        return;
    }
    if (function)
        function(choice, event);
}

void den_call_on_event(void *context, const struct den_worker_event *event)
{
    struct den_choice *choice = context;
    struct den_call *call = choice->call;
    const bool stream = call->options.stream;

    pthread_mutex_lock(&call->lock);
    if (event->kind == DEN_WORKER_PROGRESS) {
        choice->prompt_done = event->prompt_done;
        choice->prompt_total = event->prompt_total;
    }
    if (event->kind == DEN_WORKER_TOOL_CALL)
        choice->tools_begun++;
    if ((!stream || call->surface->gathers || call->options.grounding) && !gather(choice, event))
        den_call_break(call);
    if (event->kind == DEN_WORKER_END)
        take_end(choice, event);
    if ((stream || call->surface->tells_always) && !call->is_broken)
        tell(choice, event);
    if (stream || call->ended == call->count || call->is_broken)
        ring(call);
    pthread_mutex_unlock(&call->lock);
}

/* --- objects that surfaces share --- */

/* The token as text, ill-formed bytes replaced, and its exact bytes. */
static json_t *token_json(const struct den_worker_logprob *token)
{
    struct den_buffer text;
    json_t *bytes = json_array(), *object;
    size_t at, i;

    den_buffer_init(&text, 4 * DEN_TOKEN_BYTES_MAX);
    for (at = 0; at < token->length;) {
        char character[4];
        uint32_t code;

        at += den_utf8_decode(token->text + at, token->length - at, &code);
        den_buffer_append(&text, character, den_utf8_encode(code, character));
    }
    for (i = 0; i < token->length; i++)
        json_array_append_new(bytes, json_integer((unsigned char)token->text[i]));
    /* JSON has no infinity; -9999 is what OpenAI writes for "never" */
    object =
        json_pack("{s:s%, s:f, s:o}", "token", text.data, text.length, "logprob",
                  token->logprob > -9999.0f ? (double)token->logprob : -9999.0, "bytes", bytes);
    den_buffer_deinit(&text);
    return object;
}

json_t *den_logprob_json(const struct den_worker_event *event)
{
    json_t *object = token_json(event->logprob), *top = json_array();
    size_t i;

    for (i = 0; i < event->top_count; i++)
        json_array_append_new(top, token_json(&event->top[i]));
    json_object_set_new(object, "top_logprobs", top);
    return object;
}

json_t *den_measures_json(const struct den_choice *choice)
{
    const struct den_worker_event *end = &choice->end;
    double speed =
        end->generate_seconds > 0 ? (double)end->generated_tokens / end->generate_seconds : 0;
    json_t *object =
        json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:I, s:I}", "prompt_seconds",
                  end->prompt_seconds, "generate_seconds", end->generate_seconds, "wait_seconds",
                  end->wait_seconds, "prompt_tokens", (json_int_t)end->prompt_tokens,
                  "cached_tokens", (json_int_t)end->cached_tokens, "generated_tokens",
                  (json_int_t)end->generated_tokens, "tokens_per_s", speed, "context_tokens",
                  (json_int_t)choice->call->model->context_tokens, "seed", (json_int_t)end->seed);

    if (choice->note)
        json_object_set_new(object, "note", json_string(choice->note));
    return object;
}

void den_note_add(json_t *object, const struct den_choice *choice)
{
    if (choice->note)
        json_object_set_new(object, "den", json_pack("{s:s}", "note", choice->note));
}

size_t den_call_generated_tokens(const struct den_call *call)
{
    size_t generated = 0, i;

    for (i = 0; i < call->count; i++)
        generated += call->choices[i].end.generated_tokens;
    return generated;
}

json_t *den_call_id_json(const struct den_call *call, const char *prefix)
{
    return json_sprintf("%s%s", prefix, call->id);
}
