/* See front.h: the thread that calls handlers. What it reads was checked when it was received. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "worker/front.h"

/* --- ids of tool calls --- */

/* "call_" and 24 letters; 4.7 bits each. */
static void make_tool_id(char out[32])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    unsigned char bytes[24] = { 0 };
    size_t i;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        memset(bytes, 0, sizeof bytes);
    memcpy(out, "call_", 5);
    for (i = 0; i < sizeof bytes; i++)
        out[5 + i] = letters[bytes[i] % 26];
    out[5 + sizeof bytes] = '\0';
}

/* The id of call `index`, the same each time. */
static const char *tool_id(struct den_ticket *ticket, size_t index)
{
    while (ticket->tool_count <= index) {
        void *more = realloc(ticket->tool_ids, (ticket->tool_count + 1) * sizeof *ticket->tool_ids);

        if (!more)
            return "call_none";
        ticket->tool_ids = more;
        make_tool_id(ticket->tool_ids[ticket->tool_count++]);
    }
    return ticket->tool_ids[index];
}

/* --- deliveries --- */

static void deliver_part(struct den_ticket *ticket, const struct den_message_part *part,
                         struct den_worker_event *event)
{
    char name[256];

    event->kind = part->kind;
    event->text = part->text.text;
    event->text_length = part->text.length;
    event->tool_index = part->tool_index;
    if (part->kind == DEN_WORKER_TOOL_CALL || part->kind == DEN_WORKER_TOOL_ARGUMENTS)
        event->tool_id = tool_id(ticket, part->tool_index);
    if (part->kind == DEN_WORKER_TOOL_CALL) {
        size_t length = part->text.length < sizeof name ? part->text.length : sizeof name - 1;

        memcpy(name, part->text.text, length);
        name[length] = '\0';
        event->tool_name = name;
        event->text = "";
        event->text_length = 0;
    }
    ticket->handler(ticket->context, event);
}

/* The token's alternatives go with its first text. A token of reasoning or of a call tells none. */
static void deliver_parts(struct den_ticket *ticket, struct den_message_reader *reader,
                          const struct den_worker_event *with_logprob)
{
    uint64_t count = den_message_get(reader, 4), i;
    bool is_told = with_logprob == NULL;

    for (i = 0; i < count; i++) {
        struct den_message_part part = den_message_get_part(reader);
        struct den_worker_event event = { .text = "" };

        if (part.kind == DEN_WORKER_TEXT && !is_told) {
            event = *with_logprob;
            is_told = true;
        }
        deliver_part(ticket, &part, &event);
    }
    if (!is_told && count == 0)
        ticket->handler(ticket->context, with_logprob);
}

static void deliver_token(struct den_ticket *ticket, const struct den_told_event *told)
{
    struct den_message_reader reader = den_message_reader(told->payload, told->length);
    struct den_worker_logprob own, top[DEN_MESSAGE_ALTERNATIVES_MAX];
    struct den_worker_event event = { .kind = DEN_WORKER_TEXT, .text = "" };
    struct den_message_token token;
    size_t i;

    den_message_get_token(&reader, &token);
    own = (struct den_worker_logprob){ token.own.text.text, token.own.text.length,
                                       token.own.logprob };
    for (i = 0; i < token.top_count; i++)
        top[i] = (struct den_worker_logprob){ token.top[i].text.text, token.top[i].text.length,
                                              token.top[i].logprob };
    event.logprob = &own;
    event.top = top;
    event.top_count = token.top_count;
    deliver_parts(ticket, &reader, token.told ? &event : NULL);
}

static char *copy_text(struct den_message_bytes bytes, bool is_there)
{
    return is_there ? strndup(bytes.text, bytes.length) : NULL;
}

/* All answers of the front pass here, whoever asked. */
static void log_end(const struct den_ticket *ticket, const struct den_worker_event *end)
{
    const struct den_log_field fields[] = {
        { "model", ticket->worker->model_name, 0 },
        { "finish", end->finish, 0 },
        { "prompt_tokens", NULL, (double)end->prompt_tokens },
        { "cached_tokens", NULL, (double)end->cached_tokens },
        { "cache_miss", end->cache_miss, 0 },
        { "cache_miss_at", NULL, (double)end->cache_miss_at },
        { "generated_tokens", NULL, (double)end->generated_tokens },
        { "prompt_ms", NULL, (double)(long)(end->prompt_seconds * 1000) },
    };

    den_log(DEN_LOG_DEBUG, "answer", fields, sizeof fields / sizeof fields[0]);
}

static void deliver_end(struct den_ticket *ticket, const struct den_told_event *told)
{
    struct den_message_reader reader = den_message_reader(told->payload, told->length);
    struct den_error error = { 0 };
    struct den_message_end end;
    struct den_worker_event event;
    char *stop, *note;

    den_message_get_end(&reader, &end);
    deliver_parts(ticket, &reader, NULL);
    if (end.finish == DEN_MESSAGE_ERROR)
        den_fail(&error, end.status, "%.*s",
                 (int)(end.error.length < sizeof error.message ? end.error.length
                                                               : sizeof error.message),
                 end.error.text);
    stop = copy_text(end.stop, end.stopped);
    note = copy_text(end.note, end.noted);
    event = (struct den_worker_event){
        .kind = DEN_WORKER_END,
        .text = "",
        .finish = den_message_finish_text(end.finish),
        .stop_string = stop,
        .note = note,
        .error = error.status != DEN_OK ? &error : NULL,
        .prompt_tokens = (size_t)end.prompt_tokens,
        .cached_tokens = (size_t)end.cached_tokens,
        .cache_miss = den_message_miss_text(end.miss),
        .cache_miss_at = (size_t)end.miss_at,
        .generated_tokens = (size_t)end.generated_tokens,
        .predicted_tokens = (size_t)end.predicted_tokens,
        .foretold_tokens = (size_t)end.foretold_tokens,
        .reasoning_tokens = ticket->reasoning_tokens,
        .prompt_seconds = end.prompt_seconds,
        .generate_seconds = end.generate_seconds,
        .wait_seconds = end.wait_seconds,
        .seed = end.seed,
    };
    log_end(ticket, &event);
    ticket->handler(ticket->context, &event);
    free(stop);
    free(note);
}

static void deliver_progress(struct den_ticket *ticket, const struct den_told_event *told)
{
    struct den_message_reader reader = den_message_reader(told->payload, told->length);
    struct den_worker_event event = { .kind = DEN_WORKER_PROGRESS, .text = "" };

    event.prompt_done = (size_t)den_message_get(&reader, 8);
    event.prompt_total = (size_t)den_message_get(&reader, 8);
    ticket->handler(ticket->context, &event);
}

static void deliver(const struct den_told_event *told)
{
    if (told->kind == DEN_WIRE_TOKEN)
        deliver_token(told->ticket, told);
    else if (told->kind == DEN_WIRE_END)
        deliver_end(told->ticket, told);
    else
        deliver_progress(told->ticket, told);
}

/* The next event; NULL: there will be none. */
static struct den_told_event *next_event(struct den_worker *worker)
{
    struct den_told_event *event;

    pthread_mutex_lock(&worker->lock);
    while (!worker->first_event && !worker->teller_stop)
        pthread_cond_wait(&worker->told, &worker->lock);
    event = worker->first_event;
    if (event) {
        worker->first_event = event->next;
        if (!worker->first_event)
            worker->last_event = NULL;
        worker->event_bytes -= sizeof *event + event->length;
    }
    pthread_mutex_unlock(&worker->lock);
    return event;
}

void *den_front_tell(void *context)
{
    struct den_worker *worker = context;
    struct den_told_event *event;

    while ((event = next_event(worker)) != NULL) {
        deliver(event);
        if (event->kind == DEN_WIRE_END) {
            pthread_mutex_lock(&worker->lock);
            event->ticket->is_ended = true;
            pthread_cond_broadcast(&worker->changed);
            pthread_mutex_unlock(&worker->lock);
        }
        free(event);
    }
    return NULL;
}
