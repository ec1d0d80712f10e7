/* See front.h: the list of what is unfinished, and who is to blame for a death.
 *
 * A process that dies may have been killed by one of its requests. Those that it was working on
 * (sent and being read, or begun; what waited in line is innocent) are counted a death each. Who
 * gets on afterwards, by a single token, starts from zero. Two deaths in a row make a suspect: a
 * sole suspect ends with an error; several are tried one after the other, and only when one has
 * got on is the next one sent. So one request that kills every process it meets ends after a few
 * of them, and those that merely were beside it go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "worker/front.h"

void den_front_add(struct den_worker *worker, struct den_ticket *ticket)
{
    if (worker->unfinished == 0)
        worker->busy_since = den_clock_seconds();
    ticket->worker = worker;
    ticket->id = worker->next_id++;
    ticket->before = worker->last;
    if (worker->last)
        worker->last->after = ticket;
    else
        worker->first = ticket;
    worker->last = ticket;
    worker->unfinished++;
}

void den_front_finish(struct den_ticket *ticket)
{
    struct den_worker *worker = ticket->worker;

    *(ticket->before ? &ticket->before->after : &worker->first) = ticket->after;
    *(ticket->after ? &ticket->after->before : &worker->last) = ticket->before;
    ticket->before = ticket->after = NULL;
    ticket->is_finished = true;
    if (--worker->unfinished == 0) {
        worker->idle_since = den_clock_seconds();
        worker->sums.busy_seconds += worker->idle_since - worker->busy_since;
    }
    pthread_cond_broadcast(&worker->changed);
}

/* An END that no process sent. */
static void queue_end(struct den_ticket *ticket, const struct den_error *error)
{
    struct den_message_end end = {
        .finish = error ? DEN_MESSAGE_ERROR : DEN_MESSAGE_CANCELLED,
        .status = error ? error->status : DEN_OK,
        .error = { .text = error ? error->message : "",
                   .length = error ? strlen(error->message) : 0 },
        .stop = { .text = "" },
        .note = { .text = "" },
        .generated_tokens = ticket->token_count,
    };
    struct den_buffer payload;

    den_buffer_init(&payload, DEN_WIRE_INLINE_BYTES_MAX);
    den_message_put_end(&payload, &end);
    den_message_end_parts(&payload, den_message_begin_parts(&payload), 0);
    if (payload.status != DEN_OK ||
        !den_front_queue(ticket, DEN_WIRE_END, payload.data, payload.length))
        abort(); /* a hundred bytes: nothing works any more */
    den_buffer_deinit(&payload);
}

void den_front_end_ticket(struct den_ticket *ticket, const struct den_error *error)
{
    if (ticket->kind == DEN_WIRE_SUBMIT && ticket->was_accepted)
        queue_end(ticket, error);
    else if (error)
        ticket->error = *error;
    else
        den_fail(&ticket->error, DEN_CANCELLED, "cancelled");
    den_front_finish(ticket);
}

void den_front_end_all(struct den_worker *worker, const struct den_error *error)
{
    while (worker->first)
        den_front_end_ticket(worker->first, error);
}

void den_front_free_ticket(struct den_ticket *ticket)
{
    json_decref(ticket->request);
    den_buffer_deinit(&ticket->reply);
    free(ticket->tokens);
    free(ticket->tool_ids);
    free(ticket);
}

/* --- deaths --- */

static bool was_worked_on(const struct den_ticket *ticket)
{
    return ticket->is_sent && (ticket->is_begun || !ticket->is_accepted);
}

static void count(struct den_ticket *ticket)
{
    if (was_worked_on(ticket)) {
        ticket->deaths++;
        ticket->deaths_in_row = ticket->got_on ? 1 : ticket->deaths_in_row + 1;
        ticket->is_suspect = ticket->deaths_in_row >= 2;
    }
    ticket->is_sent = ticket->is_accepted = ticket->is_begun = false;
    ticket->is_cancel_sent = ticket->got_on = false;
}

void den_front_count_death(struct den_worker *worker, const char *why)
{
    struct den_ticket *ticket, *next, *suspect = NULL;
    struct den_error error = { 0 };
    size_t suspects = 0;

    for (ticket = worker->first; ticket; ticket = next) {
        bool is_there = was_worked_on(ticket);

        next = ticket->after;
        count(ticket);
        if (ticket->is_cancelled && ticket->kind == DEN_WIRE_SUBMIT) {
            den_front_end_ticket(ticket, NULL);
        } else if (ticket->deaths >= DEN_WORKER_DEATHS_MAX) {
            error = (struct den_error){ 0 };
            den_fail(&error, DEN_INTERNAL,
                     "the worker process died %u times while it worked on this request (%s)",
                     ticket->deaths, why);
            den_front_end_ticket(ticket, &error);
        } else if (is_there && ticket->is_suspect) {
            suspect = ticket;
            suspects++;
        }
    }
    if (suspects != 1)
        return;
    error = (struct den_error){ 0 };
    den_fail(&error, DEN_INTERNAL,
             "the worker process died twice in a row while it worked on this request (%s)", why);
    den_front_end_ticket(suspect, &error);
}

/* Nothing new is sent while a suspect is being tried; the first suspect is tried first. */
bool den_front_may_send(const struct den_worker *worker, const struct den_ticket *ticket)
{
    const struct den_ticket *other;

    for (other = worker->first; other; other = other->after)
        if (other->is_suspect)
            return other == ticket;
    return true;
}
