/* See front.h: what a frame from the process does. The process may be anybody's: ids must be those
 * of unfinished requests (or of finished ones, whose last words may have crossed a cancel), kinds
 * must fit the ticket, payloads must be sound to the last byte, and there is a ceiling on what
 * may wait for the teller. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/clock.h"
#include "base/log.h"
#include "worker/front.h"

enum { PEAK_TOKENS_MIN = 256 }; /* half a batch: fewer don't show what the engine can */

bool den_front_queue(struct den_ticket *ticket, enum den_wire_kind kind, const void *payload,
                     size_t length)
{
    struct den_worker *worker = ticket->worker;
    struct den_told_event *event;

    if (worker->event_bytes + length > DEN_WORKER_EVENTS_BYTES_MAX)
        return false;
    event = malloc(sizeof *event + length);
    if (!event)
        return false;
    *event = (struct den_told_event){ .ticket = ticket, .kind = kind, .length = length };
    if (length > 0)
        memcpy(event->payload, payload, length);
    if (worker->last_event)
        worker->last_event->next = event;
    else
        worker->first_event = event;
    worker->last_event = event;
    worker->event_bytes += sizeof *event + length;
    pthread_cond_signal(&worker->told);
    return true;
}

static struct den_ticket *find(const struct den_worker *worker, uint64_t id)
{
    struct den_ticket *ticket = worker->first;

    while (ticket && ticket->id != id)
        ticket = ticket->after;
    return ticket;
}

/* The submitter is told, and has its pointer, before the first event. */
static void accept(struct den_ticket *ticket)
{
    ticket->is_accepted = true;
    if (ticket->was_accepted)
        return;
    ticket->was_accepted = true;
    *ticket->out = ticket;
    pthread_cond_broadcast(&ticket->worker->changed);
}

static void get_on(struct den_ticket *ticket)
{
    ticket->got_on = true;
    if (!ticket->is_suspect)
        return;
    ticket->is_suspect = false;
    den_front_wake(ticket->worker); /* the next one may be sent */
}

static bool remember_token(struct den_ticket *ticket, const struct den_message_token *token)
{
    if (token->token < 0)
        return true;
    if (ticket->token_count == ticket->token_capacity) {
        size_t capacity = ticket->token_capacity ? 2 * ticket->token_capacity : 256;
        int32_t *more = realloc(ticket->tokens, capacity * sizeof *more);

        if (!more)
            return false;
        ticket->tokens = more;
        ticket->token_capacity = capacity;
    }
    if (ticket->token_count == 0)
        ticket->first_token_at = den_clock_seconds();
    ticket->tokens[ticket->token_count++] = token->token;
    ticket->drawn = token->drawn;
    /* a token draws twice at most; a wild number would keep the next process busy for ever */
    return ticket->drawn <= 4 * ticket->token_count &&
           ticket->token_count <= DEN_CONTEXT_TOKENS_MAX;
}

/* Tokens of reasoning: those that added to it, and those before them that added nothing yet. */
static void count_reasoning(struct den_ticket *ticket, struct den_message_reader *reader)
{
    uint64_t parts = den_message_get(reader, 4), i;
    enum den_worker_event_kind last = DEN_WORKER_TEXT;

    ticket->quiet_tokens++;
    for (i = 0; i < parts; i++)
        last = den_message_get_part(reader).kind;
    if (parts == 0)
        return;
    if (last == DEN_WORKER_REASONING)
        ticket->reasoning_tokens += ticket->quiet_tokens;
    ticket->quiet_tokens = 0;
}

static bool take_token(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);
    struct den_message_token token;

    if (!den_message_token_is_sound(frame->payload, frame->length))
        return false;
    den_message_get_token(&reader, &token);
    accept(ticket);
    get_on(ticket);
    if (!remember_token(ticket, &token))
        return false;
    count_reasoning(ticket, &reader);
    return den_front_queue(ticket, DEN_WIRE_TOKEN, frame->payload, frame->length);
}

/* The most tokens a second that a request alone shows: a prompt's, whose rows fill whole batches.
 * What is read beside others comes out lower and changes nothing. */
static void note_peak(struct den_worker_status *sums, const struct den_message_end *end)
{
    uint64_t read =
        end->prompt_tokens > end->cached_tokens ? end->prompt_tokens - end->cached_tokens : 0;
    double rate = end->prompt_seconds > 0 ? (double)read / end->prompt_seconds : 0;

    if (read >= PEAK_TOKENS_MIN && rate > sums->peak_tokens_per_s)
        sums->peak_tokens_per_s = rate;
}

static bool take_end(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    struct den_worker_status *sums = &ticket->worker->sums;
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);
    struct den_message_end end;

    if (!den_message_end_is_sound(frame->payload, frame->length))
        return false;
    den_message_get_end(&reader, &end);
    accept(ticket);
    get_on(ticket);
    if (!den_front_queue(ticket, DEN_WIRE_END, frame->payload, frame->length))
        return false;
    sums->requests++;
    sums->prompt_tokens += end.prompt_tokens;
    sums->cached_tokens += end.cached_tokens;
    sums->generated_tokens += end.generated_tokens;
    sums->prompt_seconds += end.prompt_seconds;
    sums->generate_seconds += end.generate_seconds;
    note_peak(sums, &end);
    den_front_finish(ticket);
    return true;
}

static bool take_refusal(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    struct den_error error = { 0 };

    if (!den_message_get_error(frame->payload, frame->length, &error))
        return false;
    get_on(ticket);
    den_front_end_ticket(ticket, &error);
    return true;
}

static bool take_reply(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    get_on(ticket);
    if (!den_buffer_append(&ticket->reply, frame->payload, frame->length))
        return false;
    den_front_finish(ticket);
    return true;
}

static bool take_progress(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);

    if (frame->length != 16)
        return false;
    ticket->prompt_done = (size_t)den_message_get(&reader, 8);
    ticket->prompt_tokens = (size_t)den_message_get(&reader, 8);
    accept(ticket);
    return den_front_queue(ticket, DEN_WIRE_PROGRESS, frame->payload, frame->length);
}

/* --- what a model is --- */

static bool read_info(const json_t *document, struct den_worker_info *out)
{
    struct den_error err = { 0 };
    int64_t role = 0, context = 0, vocabulary = 0, parameters = 0, width = 0, threads = 0;

    *out = (struct den_worker_info){ .architecture = "",
                                     .description = "",
                                     .cpu_features = "",
                                     .sandbox = "none",
                                     .chat_template = "" };
    den_json_get_integer(document, "role", 0, DEN_WORKER_ROLES - 1, &role, &err);
    den_json_get_integer(document, "context", 1, DEN_CONTEXT_TOKENS_MAX, &context, &err);
    den_json_get_integer(document, "vocabulary", 1, DEN_VOCABULARY_MAX, &vocabulary, &err);
    den_json_get_integer(document, "parameters", 0, INT64_MAX, &parameters, &err);
    den_json_get_integer(document, "width", 1, DEN_WIDTH_MAX, &width, &err);
    den_json_get_integer(document, "threads", 1, DEN_THREADS_MAX, &threads, &err);
    den_json_get_text(document, "architecture", &out->architecture, &err);
    den_json_get_text(document, "description", &out->description, &err);
    den_json_get_text(document, "cpu_features", &out->cpu_features, &err);
    den_json_get_text(document, "sandbox", &out->sandbox, &err);
    den_json_get_text(document, "chat_template", &out->chat_template, &err);
    den_json_get_bool(document, "knows_tools", &out->knows_tools, &err);
    den_json_get_bool(document, "knows_reasoning", &out->knows_reasoning, &err);
    out->shape = json_object_get(document, "shape");
    out->role = (enum den_worker_role)role;
    out->context_tokens = (size_t)context;
    out->vocabulary = (size_t)vocabulary;
    out->parameters = (size_t)parameters;
    out->width = (size_t)width;
    out->threads = (int)threads;
    return err.status == DEN_OK && context > 0 && vocabulary > 0 && width > 0;
}

static const char *text_or_empty(const json_t *value)
{
    return json_is_string(value) ? json_string_value(value) : "";
}

/* A draft model that does not fit costs speed, not answers: whoever set it should know. */
static void log_refusal(const struct den_worker *worker, const json_t *document)
{
    const char *why = text_or_empty(json_object_get(document, "draft_refusal"));
    const struct den_log_field fields[] = { { "model", worker->model_name, 0 }, { "why", why, 0 } };

    if (*why)
        den_log(DEN_LOG_WARNING, "draft_model_left_out", fields, 2);
}

/* The first READY says what the model is; later ones must only say that it is there again. */
static bool take_ready(struct den_worker *worker, const struct den_wire_frame *frame)
{
    struct den_worker_info info;
    struct den_error err = { 0 };
    json_t *document = NULL;
    char packed[16];

    if (worker->state != DEN_WORKER_LOADING ||
        den_json_parse((const char *)frame->payload, frame->length, "worker", &document, &err) !=
            DEN_OK)
        return false;
    if (!json_is_object(document) || !read_info(document, &info)) {
        json_decref(document);
        return false;
    }
    snprintf(packed, sizeof packed, "%s", text_or_empty(json_object_get(document, "packed")));
    log_refusal(worker, document);
    if (worker->is_known) {
        bool same = info.width == worker->info.width && info.role == worker->info.role;

        json_decref(document);
        if (!same)
            return false;
    } else {
        info.model_name = worker->model_name;
        worker->info = info;
        worker->info_document = document;
        worker->is_known = true;
    }
    den_front_packed_ready(worker, packed);
    worker->state = DEN_WORKER_READY;
    worker->load_deaths = 0;
    pthread_cond_broadcast(&worker->changed);
    return true;
}

static bool take_load_error(struct den_worker *worker, const struct den_wire_frame *frame)
{
    return worker->state == DEN_WORKER_LOADING && worker->error.status == DEN_OK &&
           den_message_get_error(frame->payload, frame->length, &worker->error);
}

/* --- */

static bool take_request_frame(struct den_ticket *ticket, const struct den_wire_frame *frame)
{
    switch (frame->kind) {
    case DEN_WIRE_ACCEPTED:
        accept(ticket);
        return frame->length == 0;
    case DEN_WIRE_BEGUN:
        accept(ticket);
        ticket->is_begun = true;
        return frame->length == 0;
    case DEN_WIRE_PROGRESS:
        return take_progress(ticket, frame);
    case DEN_WIRE_TOKEN:
        return take_token(ticket, frame);
    case DEN_WIRE_END:
        return take_end(ticket, frame);
    case DEN_WIRE_REFUSED:
        return take_refusal(ticket, frame);
    default:
        return false;
    }
}

bool den_front_take_frame(struct den_worker *worker, const struct den_wire_frame *frame)
{
    struct den_ticket *ticket;

    if (frame->kind == DEN_WIRE_READY)
        return take_ready(worker, frame);
    if (frame->kind == DEN_WIRE_REFUSED && frame->id == 0)
        return take_load_error(worker, frame);
    if (frame->kind == DEN_WIRE_NEED_ROOM)
        return den_front_packed_take_room(worker, frame);
    if (frame->kind == DEN_WIRE_PONG)
        return frame->length == 0 && frame->id == 0;
    if (worker->state != DEN_WORKER_READY || frame->id == 0 || frame->id >= worker->next_id)
        return false;
    ticket = find(worker, frame->id);
    if (!ticket)
        return true; /* it had ended */
    if (!ticket->is_sent)
        return false;
    if (ticket->kind == DEN_WIRE_SUBMIT)
        return take_request_frame(ticket, frame);
    if (frame->kind == DEN_WIRE_REPLY)
        return take_reply(ticket, frame);
    return frame->kind == DEN_WIRE_REFUSED && take_refusal(ticket, frame);
}
