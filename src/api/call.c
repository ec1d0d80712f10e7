/* See call.h: a call's life and its queue. What the worker tells it is in call_events.c. */
#include "api/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/call_events.h"
#include "base/clock.h"
#include "desk/grounding.h"

struct den_call_options den_call_defaults(const struct den_surface *surface)
{
    return (struct den_call_options){ .surface = surface,
                                      .request = den_worker_request_defaults(),
                                      .count = 1 };
}

void den_call_options_deinit(struct den_call_options *options)
{
    if (options->state && options->surface->free_state)
        options->surface->free_state(options->state);
    json_decref(options->body);
    den_grounding_destroy(options->grounding);
    options->state = NULL;
    options->body = NULL;
    options->grounding = NULL;
}

enum den_status den_random_id(char out[25], struct den_error *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[12];
    size_t i;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return den_fail_errno(err, DEN_IO, "no random bytes from the kernel");
    for (i = 0; i < sizeof bytes; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[24] = '\0';
    return DEN_OK;
}

/* --- start and end --- */

static enum den_status submit(struct den_call *call, size_t index, struct den_error *err)
{
    struct den_choice *choice = &call->choices[index];
    struct den_worker_request request = call->options.request;
    struct den_ticket *ticket;

    if (request.seed >= 0) /* answers differ, and each can be repeated */
        request.seed = (int64_t)(((uint64_t)request.seed + index) & INT64_MAX);
    request.surface = call->surface->name;
    if (call->surface->vary && call->surface->vary(call, index, &request, err) != DEN_OK)
        return err->status;
    if (den_worker_submit(call->worker, &request, den_call_on_event, choice, &ticket, err) !=
        DEN_OK)
        return err->status;
    pthread_mutex_lock(&call->lock);
    choice->ticket = ticket;
    if (call->is_broken)
        den_ticket_cancel(ticket);
    pthread_mutex_unlock(&call->lock);
    return DEN_OK;
}

static enum den_status prepare(struct den_call *call, struct den_error *err)
{
    size_t i;

    call->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (call->event_fd < 0)
        return den_fail_errno(err, DEN_NO_MEMORY, "call: no event descriptor");
    call->choices = calloc(call->options.count, sizeof *call->choices);
    if (!call->choices)
        return den_fail(err, DEN_NO_MEMORY, "call: out of memory");
    call->count = call->options.count;
    for (i = 0; i < call->count; i++) {
        struct den_choice *choice = &call->choices[i];

        choice->call = call;
        choice->index = i;
        den_buffer_init(&choice->text, DEN_ANSWER_BYTES_MAX);
        den_buffer_init(&choice->reasoning, DEN_ANSWER_BYTES_MAX);
        if (call->options.request.logprobs >= 0)
            choice->logprobs = json_array();
    }
    return den_random_id(call->id, err);
}

enum den_status den_call_start(struct den_call_options *options, struct den_roster *roster,
                               struct den_call **out, struct den_error *err)
{
    struct den_call *call = calloc(1, sizeof *call);
    size_t i;

    if (!call) {
        den_call_options_deinit(options);
        return den_fail(err, DEN_NO_MEMORY, "call: out of memory");
    }
    call->surface = options->surface;
    call->options = *options;
    call->options.request.stops = call->options.stops;
    call->roster = roster;
    call->created = den_clock_unix();
    pthread_mutex_init(&call->lock, NULL);
    den_buffer_init(&call->queue, DEN_HTTP_QUEUE_BYTES_MAX);
    options->state = NULL;
    options->body = NULL;
    options->grounding = NULL;
    if (prepare(call, err) != DEN_OK)
        goto fail;
    if (den_roster_take(roster, call->options.model, DEN_WORKER_CHAT, &call->worker, err) != DEN_OK)
        goto fail;
    call->model = den_worker_info(call->worker);
    if ((call->options.stream || call->surface->tells_always) && call->surface->begin)
        call->surface->begin(call);
    for (i = 0; i < call->count; i++)
        if (submit(call, i, err) != DEN_OK)
            goto fail;
    *out = call;
    return DEN_OK;
fail:
    den_call_destroy(call);
    return err->status;
}

static void deinit_choice(struct den_choice *choice)
{
    size_t i;

    for (i = 0; i < choice->tool_count; i++) {
        free(choice->tools[i].id);
        free(choice->tools[i].name);
        den_buffer_deinit(&choice->tools[i].arguments);
    }
    free(choice->tools);
    free(choice->stop_string);
    free(choice->note);
    den_buffer_deinit(&choice->text);
    den_buffer_deinit(&choice->reasoning);
    json_decref(choice->logprobs);
}

/* The ticket, which no handler finds any more: one that is given up must not be cancelled. */
static struct den_ticket *take_ticket(struct den_choice *choice)
{
    struct den_ticket *ticket;

    pthread_mutex_lock(&choice->call->lock);
    ticket = choice->ticket;
    choice->ticket = NULL;
    pthread_mutex_unlock(&choice->call->lock);
    return ticket;
}

void den_call_destroy(struct den_call *call)
{
    size_t i;

    if (!call)
        return;
    for (i = 0; i < call->count; i++) /* all at once, before waiting for any */
        if (call->choices[i].ticket)
            den_ticket_cancel(call->choices[i].ticket);
    for (i = 0; i < call->count; i++)
        den_ticket_release(take_ticket(&call->choices[i]));
    for (i = 0; i < call->count; i++) /* no handler is left that could look at another choice */
        deinit_choice(&call->choices[i]);
    free(call->choices);
    den_roster_give_back(call->roster, call->worker);
    if (call->event_fd >= 0)
        close(call->event_fd);
    den_call_options_deinit(&call->options);
    den_buffer_deinit(&call->queue);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

/* --- the queue, as its writers see it --- */

void den_call_send_text(struct den_call *call, const char *text)
{
    if (!call->is_broken && !den_buffer_append_text(&call->queue, text))
        den_call_break(call);
}

static void send_json(struct den_call *call, json_t *value, const char *after)
{
    struct den_error err = { 0 };

    if (!call->is_broken && (!value || den_json_show(value, &call->queue, &err) != DEN_OK ||
                             !den_buffer_append_text(&call->queue, after)))
        den_call_break(call);
    json_decref(value);
}

void den_call_send_event(struct den_call *call, const char *name, json_t *value)
{
    if (name) {
        den_call_send_text(call, "event: ");
        den_call_send_text(call, name);
        den_call_send_text(call, "\n");
    }
    den_call_send_text(call, "data: ");
    send_json(call, value, "\n\n");
}

void den_call_send_line(struct den_call *call, json_t *value)
{
    send_json(call, value, "\n");
}

/* --- the queue, as its reader sees it --- */

size_t den_call_take(struct den_call *call, char *out, size_t capacity, bool *out_done)
{
    size_t length;

    pthread_mutex_lock(&call->lock);
    length = call->queue.length - call->sent;
    *out_done = length == 0 && call->ended == call->count &&
                (call->is_settled || !(call->surface->settle || den_call_holds_ends(call)));
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

bool den_call_has_ended(struct den_call *call)
{
    bool ended;

    pthread_mutex_lock(&call->lock);
    ended = call->ended == call->count;
    pthread_mutex_unlock(&call->lock);
    return ended;
}

bool den_call_settle(struct den_call *call)
{
    if (call->is_settled || !(call->surface->settle || den_call_holds_ends(call)) ||
        !den_call_has_ended(call))
        return false;
    call->is_settled = true;
    if (den_call_holds_ends(call)) {
        den_call_cite(call);
        den_call_tell_ends(call);
    }
    if (call->surface->settle)
        call->surface->settle(call); /* no worker's thread is in the call any more */
    return true;
}

bool den_call_is_broken(struct den_call *call)
{
    bool broken;

    pthread_mutex_lock(&call->lock);
    broken = call->is_broken;
    pthread_mutex_unlock(&call->lock);
    return broken;
}

void den_call_quiet(struct den_call *call)
{
    uint64_t count;

    if (read(call->event_fd, &count, sizeof count) < 0)
        return; /* nobody rang */
}
