/* See chat_call.h. */
#include "api/chat_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/chat_json.h"
#include "api/reply.h"
#include "base/clock.h"

/* --- on the worker's thread, under the lock --- */

static void ring(struct den_chat_call *call)
{
    const uint64_t one = 1;

    /* it can only fail when the counter is full, and then it is readable already */
    if (write(call->event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        call->is_broken = true;
}

/* Nothing more can be told this client: stop working for it. */
static void give_up(struct den_chat_call *call)
{
    size_t i;

    call->is_broken = true;
    for (i = 0; i < call->options.count; i++)
        if (call->choices[i].ticket)
            den_ticket_cancel(call->choices[i].ticket);
}

/* Puts one server-sent event into the queue and frees `value`. */
static void queue_json(struct den_chat_call *call, json_t *value)
{
    struct den_error err = { 0 };

    if (call->is_broken) {
        json_decref(value);
        return;
    }
    den_buffer_append_text(&call->queue, "data: ");
    if (!value || den_json_write(value, &call->queue, &err) != DEN_OK ||
        !den_buffer_append_text(&call->queue, "\n\n"))
        give_up(call);
    json_decref(value);
}

static void stream_text(struct den_chat_choice *choice, const struct den_worker_event *event)
{
    json_t *logprobs = NULL;

    if (event->logprob)
        logprobs = json_pack("[o]", den_chat_logprob_json(event));
    queue_json(choice->call,
               den_chat_chunk_json(choice->call, choice->index,
                                   json_pack("{s:s%}", "content", event->text, event->text_length),
                                   logprobs, NULL));
}

static void stream_progress(struct den_chat_choice *choice, const struct den_worker_event *event)
{
    json_t *chunk = den_chat_chunk_json(choice->call, choice->index, json_object(), NULL, NULL);

    json_object_set_new(chunk, "den",
                        json_pack("{s:I, s:I}", "prompt_done", (json_int_t)event->prompt_done,
                                  "prompt_total", (json_int_t)event->prompt_total));
    queue_json(choice->call, chunk);
}

static void stream_end(struct den_chat_choice *choice)
{
    struct den_chat_call *call = choice->call;
    json_t *chunk;

    if (choice->error.status != DEN_OK) {
        queue_json(call, den_error_json(&choice->error, NULL));
    } else {
        chunk = den_chat_chunk_json(call, choice->index, json_object(), NULL, choice->finish);
        if (call->options.wants_measures)
            json_object_set_new(chunk, "den", den_chat_measures_json(choice));
        queue_json(call, chunk);
    }
    if (call->ended < call->options.count)
        return;
    if (call->options.include_usage)
        queue_json(call, den_chat_usage_chunk_json(call));
    if (!den_buffer_append_text(&call->queue, "data: [DONE]\n\n"))
        call->is_broken = true;
}

static void keep_text(struct den_chat_choice *choice, const struct den_worker_event *event)
{
    if (!den_buffer_append(&choice->text, event->text, event->text_length) ||
        (event->logprob &&
         json_array_append_new(choice->logprobs, den_chat_logprob_json(event)) != 0))
        give_up(choice->call);
}

static void keep_end(struct den_chat_choice *choice, const struct den_worker_event *event)
{
    choice->has_ended = true;
    choice->call->ended++;
    choice->finish = strcmp(event->finish, "length") == 0 ? "length" : "stop";
    choice->prompt_tokens = event->prompt_tokens;
    choice->cached_tokens = event->cached_tokens;
    choice->generated_tokens = event->generated_tokens;
    choice->prompt_seconds = event->prompt_seconds;
    choice->generate_seconds = event->generate_seconds;
    choice->wait_seconds = event->wait_seconds;
    choice->seed = event->seed;
    if (event->error && event->error->status != DEN_OK)
        choice->error = *event->error;
    else if (strcmp(event->finish, "error") == 0)
        den_fail(&choice->error, DEN_INTERNAL, "the generation failed");
    else if (strcmp(event->finish, "cancelled") == 0)
        den_fail(&choice->error, DEN_CANCELLED, "the generation was stopped");
}

static void on_event(void *context, const struct den_worker_event *event)
{
    struct den_chat_choice *choice = context;
    struct den_chat_call *call = choice->call;
    const bool stream = call->options.stream;

    pthread_mutex_lock(&call->lock);
    switch (event->kind) {
    case DEN_WORKER_PROGRESS:
        if (stream && call->options.wants_progress)
            stream_progress(choice, event);
        break;
    case DEN_WORKER_TEXT:
        if (stream)
            stream_text(choice, event);
        else
            keep_text(choice, event);
        break;
    case DEN_WORKER_REASONING:
    case DEN_WORKER_TOOL_CALL:
    case DEN_WORKER_TOOL_ARGUMENTS:
        break; /* no worker sends these yet */
    case DEN_WORKER_END:
        keep_end(choice, event);
        if (stream)
            stream_end(choice);
        break;
    }
    if (stream || call->ended == call->options.count || call->is_broken)
        ring(call);
    pthread_mutex_unlock(&call->lock);
}

/* --- on the connection's thread --- */

static enum den_status make_id(struct den_chat_call *call, struct den_error *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[12];
    char *at = call->id;
    size_t i;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return den_fail_errno(err, DEN_IO, "no random bytes from the kernel");
    memcpy(at, "chatcmpl-", 9);
    at += 9;
    for (i = 0; i < sizeof bytes; i++) {
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
    return DEN_OK;
}

static enum den_status submit_choice(struct den_chat_call *call, size_t index,
                                     struct den_error *err)
{
    struct den_chat_choice *choice = &call->choices[index];
    struct den_worker_request request = call->options.request;
    struct den_ticket *ticket;

    if (call->options.seed >= 0) /* answers differ, and each can be repeated */
        request.seed = (int64_t)(((uint64_t)call->options.seed + index) & INT64_MAX);
    if (den_desk_check_messages(request.messages, err) != DEN_OK ||
        den_worker_submit(call->options.worker, &request, on_event, choice, &ticket, err) != DEN_OK)
        return err->status;
    pthread_mutex_lock(&call->lock);
    choice->ticket = ticket;
    if (call->is_broken)
        den_ticket_cancel(ticket);
    pthread_mutex_unlock(&call->lock);
    return DEN_OK;
}

static enum den_status prepare(struct den_chat_call *call, struct den_error *err)
{
    size_t i;

    if (call->event_fd < 0)
        return den_fail_errno(err, DEN_NO_MEMORY, "chat: no event descriptor");
    for (i = 0; i < call->options.count; i++) {
        struct den_chat_choice *choice = &call->choices[i];

        choice->call = call;
        choice->index = i;
        den_buffer_init(&choice->text, DEN_ANSWER_BYTES_MAX);
        if (call->options.stream)
            queue_json(call,
                       den_chat_chunk_json(
                           call, i, json_pack("{s:s, s:s}", "role", "assistant", "content", ""),
                           NULL, NULL));
        else if (call->options.request.logprobs >= 0)
            choice->logprobs = json_array();
    }
    return DEN_OK;
}

enum den_status den_chat_call_start(const struct den_chat_options *options,
                                    struct den_roster *roster, struct den_chat_call **out,
                                    struct den_error *err)
{
    struct den_chat_call *call = calloc(1, sizeof *call);
    size_t i;

    if (!call) {
        den_roster_give_back(roster, options->worker);
        return den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
    }
    call->roster = roster;
    call->options = *options;
    call->options.request.stops = call->options.stops;
    call->created = den_clock_unix();
    call->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&call->lock, NULL);
    den_buffer_init(&call->queue, DEN_HTTP_QUEUE_BYTES_MAX);
    if (make_id(call, err) != DEN_OK || prepare(call, err) != DEN_OK)
        goto fail;
    for (i = 0; i < options->count; i++)
        if (submit_choice(call, i, err) != DEN_OK)
            goto fail;
    *out = call;
    return DEN_OK;
fail:
    den_chat_call_destroy(call);
    return err->status;
}

void den_chat_call_destroy(struct den_chat_call *call)
{
    size_t i;

    if (!call)
        return;
    for (i = 0; i < call->options.count; i++) /* all at once, before waiting for any */
        if (call->choices[i].ticket)
            den_ticket_cancel(call->choices[i].ticket);
    for (i = 0; i < call->options.count; i++) {
        den_ticket_release(call->choices[i].ticket);
        den_buffer_deinit(&call->choices[i].text);
        json_decref(call->choices[i].logprobs);
    }
    den_roster_give_back(call->roster, call->options.worker);
    if (call->event_fd >= 0)
        close(call->event_fd);
    den_buffer_deinit(&call->queue);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

size_t den_chat_call_take(struct den_chat_call *call, char *out, size_t capacity, bool *out_done)
{
    size_t length;

    pthread_mutex_lock(&call->lock);
    length = call->queue.length - call->sent;
    *out_done = length == 0 && call->ended == call->options.count;
    if (length > capacity)
        length = capacity;
    memcpy(out, call->queue.data + call->sent, length);
    call->sent += length;
    if (call->sent * 2 >= call->queue.length) { /* moves each byte once on average */
        den_buffer_consume(&call->queue, call->sent);
        call->sent = 0;
    }
    pthread_mutex_unlock(&call->lock);
    return length;
}

bool den_chat_call_has_ended(struct den_chat_call *call)
{
    bool ended;

    pthread_mutex_lock(&call->lock);
    ended = call->ended == call->options.count;
    pthread_mutex_unlock(&call->lock);
    return ended;
}

bool den_chat_call_is_broken(struct den_chat_call *call)
{
    bool broken;

    pthread_mutex_lock(&call->lock);
    broken = call->is_broken;
    pthread_mutex_unlock(&call->lock);
    return broken;
}

void den_chat_call_quiet(struct den_chat_call *call)
{
    uint64_t count;

    if (read(call->event_fd, &count, sizeof count) < 0)
        return; /* nobody rang */
}
