/* One answer, from a worker's first word to the row that keeps it.
 *
 * Three kinds of threads meet in a job. Its own takes a worker, submits, and then wakes once a
 * second to carry new text to the database, so that the disk never slows the model. The worker's
 * delivers events: it appends, tells those who listen, and leaves. Anybody may ask it to stop.
 * Whoever settles the job (its own thread, or a stop while the model is still being loaded) does
 * it once. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/answers_parts.h"
#include "desk/events.h"
#include "store/database_copy.h"

enum { WRITE_SECONDS = 1, STACK_BYTES = 256 << 10, SETTLE_TRIES = 3 };

/* --- on the worker's thread --- */

static void tell_text(struct den_answer_job *job, const char *name,
                      const struct den_worker_event *event)
{
    struct den_events *events = job->answers->threads->events;

    if (events)
        den_events_publish(events, job->thread, name,
                           json_pack("{s:s, s:s, s:s%, s:I}", "thread", job->thread, "message",
                                     job->message, "text", event->text, event->text_length, "seq",
                                     (json_int_t)job->seq));
}

static void take_text(struct den_answer_job *job, const struct den_worker_event *event)
{
    bool is_reasoning = event->kind == DEN_WORKER_REASONING;

    if (event->text_length == 0 || job->is_settled)
        return;
    if (!den_buffer_append(is_reasoning ? &job->reasoning : &job->content, event->text,
                           event->text_length)) {
        job->is_broken = true;
        if (job->ticket)
            job->answers->source.cancel(job->ticket);
        return;
    }
    job->seq++;
    job->is_new = true;
    tell_text(job, is_reasoning ? "reasoning" : "delta", event);
}

static void tell_progress(struct den_answer_job *job, const struct den_worker_event *event)
{
    struct den_events *events = job->answers->threads->events;

    if (events)
        den_events_publish(events, job->thread, "progress",
                           json_pack("{s:s, s:s, s:I, s:I}", "thread", job->thread, "message",
                                     job->message, "done", (json_int_t)event->prompt_done, "total",
                                     (json_int_t)event->prompt_total));
}

static json_t *measures_of(const struct den_answer_job *job, const struct den_worker_event *event)
{
    double rate =
        event->generate_seconds > 0 ? (double)event->generated_tokens / event->generate_seconds : 0;

    return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:I}", "prompt_tokens",
                     (json_int_t)event->prompt_tokens, "cached_tokens",
                     (json_int_t)event->cached_tokens, "generated_tokens",
                     (json_int_t)event->generated_tokens, "prompt_seconds", event->prompt_seconds,
                     "generate_seconds", event->generate_seconds, "tokens_per_s", rate,
                     "context_tokens", (json_int_t)job->context_tokens);
}

static void take_end(struct den_answer_job *job, const struct den_worker_event *event)
{
    strncpy(job->finish, event->finish, sizeof job->finish - 1);
    if (event->error)
        job->error = *event->error;
    job->measures = measures_of(job, event);
    job->has_ended = true;
    pthread_cond_signal(&job->changed);
}

static void on_event(void *context, const struct den_worker_event *event)
{
    struct den_answer_job *job = context;

    pthread_mutex_lock(&job->lock);
    switch (event->kind) {
    case DEN_WORKER_PROGRESS:
        tell_progress(job, event);
        break;
    case DEN_WORKER_TEXT:
    case DEN_WORKER_REASONING:
        take_text(job, event);
        break;
    case DEN_WORKER_TOOL_CALL: /* threads have no tools yet: none can be called */
    case DEN_WORKER_TOOL_ARGUMENTS:
        break;
    case DEN_WORKER_END:
        take_end(job, event);
        break;
    }
    pthread_mutex_unlock(&job->lock);
}

/* --- the database --- */

/* What is carried in one write; a copy, so that no lock is held meanwhile. */
struct snapshot {
    char *content, *reasoning;
    int64_t seq;
    char model[DEN_NAME_BYTES_MAX];
    /* of the end */
    const char *finish;
    char *measures, *sources; /* JSON; NULL: none */
    struct den_error error;
};

/* NULL texts where memory is short: the next second tries again. */
static struct snapshot take_snapshot(struct den_answer_job *job)
{
    struct snapshot snapshot = { .content = strndup(job->content.data, job->content.length),
                                 .reasoning = strndup(job->reasoning.data, job->reasoning.length),
                                 .seq = job->seq };

    memcpy(snapshot.model, job->model_name, sizeof snapshot.model);
    job->is_new = false;
    return snapshot;
}

static void free_snapshot(struct snapshot *snapshot)
{
    free(snapshot->content);
    free(snapshot->reasoning);
    free(snapshot->measures);
    free(snapshot->sources);
}

/* False: the row is gone, or is no longer being written. */
static bool write_text(struct den_answer_job *job, const struct snapshot *snapshot)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    bool is_there = true;

    if (!snapshot->content || !snapshot->reasoning ||
        den_database_write(job->answers->threads->database, &connection, &err) != DEN_OK)
        return true;
    if (den_execute(connection, &err,
                    "UPDATE messages SET content = ?, reasoning = ?, seq = ?, model = ? "
                    "WHERE row = ? AND finish IS NULL",
                    "ttiti", snapshot->content, snapshot->reasoning, snapshot->seq, snapshot->model,
                    job->row) == DEN_OK)
        is_there = den_connection_changes(connection) > 0;
    den_connection_end(connection, &err);
    return is_there;
}

static const char *code_of(enum den_status status)
{
    switch (status) {
    case DEN_CONTEXT_FULL:
        return "context_length_exceeded";
    case DEN_NOT_FOUND:
        return "model_not_found";
    case DEN_BUSY:
        return "busy";
    case DEN_NO_MEMORY:
        return "out_of_memory";
    case DEN_TOO_LARGE:
        return "too_large";
    case DEN_CANCELLED:
        return "interrupted";
    case DEN_INVALID:
    case DEN_UNSUPPORTED:
        return "invalid_request";
    default:
        return "failed";
    }
}

/* What the worker and the users wanted, as one word for `finish`; job->error says more of "error".
 */
static const char *conclude(struct den_answer_job *job)
{
    if (job->is_broken)
        den_fail(&job->error, DEN_TOO_LARGE, "the answer became longer than %u bytes",
                 DEN_CONTENT_BYTES_MAX);
    else if (job->wants_stop)
        return "stopped";
    else if (job->wants_end && strcmp(job->finish, "stop") != 0 &&
             strcmp(job->finish, "length") != 0)
        den_fail(&job->error, DEN_CANCELLED, "Den was ended while it wrote this");
    else if (strcmp(job->finish, "cancelled") == 0)
        return "stopped";
    if (job->error.status == DEN_OK && strcmp(job->finish, "error") == 0)
        den_fail(&job->error, DEN_INTERNAL, "the model failed");
    if (job->error.status != DEN_OK)
        return "error";
    return strcmp(job->finish, "length") == 0 ? "length" : "stop";
}

static enum den_status write_end(struct den_answer_job *job, const struct snapshot *snapshot,
                                 json_t **out_message, int64_t *out_thread, struct den_error *err)
{
    bool is_error = strcmp(snapshot->finish, "error") == 0;
    struct den_connection *connection;
    struct den_query query;

    if (den_database_write(job->answers->threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(
        connection, err,
        "UPDATE messages SET content = ?, reasoning = ?, seq = ?, model = ?, finish = ?, "
        "error_code = ?, error_message = ?, measures = coalesce(?, measures), "
        "sources = coalesce(?, sources) WHERE row = ? AND finish IS NULL",
        "ttitttttti", snapshot->content, snapshot->reasoning, snapshot->seq, snapshot->model,
        snapshot->finish, is_error ? code_of(snapshot->error.status) : NULL,
        is_error ? snapshot->error.message : NULL, snapshot->measures, snapshot->sources, job->row);
    den_query_start(&query, connection, err, "SELECT thread FROM messages WHERE row = ?", "i",
                    job->row);
    if (den_query_next(&query, err))
        *out_thread = den_query_integer(&query, 0);
    den_query_end(&query);
    if (*out_thread > 0) {
        den_thread_touch(connection, *out_thread, NULL, snapshot->content, err);
        den_message_read(connection, job->row, out_message, err);
    }
    return den_connection_end(connection, err);
}

static void tell_end(struct den_answer_job *job, json_t *message, int64_t thread)
{
    struct den_threads *threads = job->answers->threads;

    if (threads->events && message)
        den_events_publish(threads->events, job->thread, "end",
                           json_pack("{s:s, s:O}", "thread", job->thread, "message", message));
    if (thread > 0)
        den_threads_tell_row(threads, thread);
}

/* Once. A disk that is full for a moment should not cost an answer: it is tried again. Where that
 * fails too the text so far stays, and the next start marks it as interrupted. */
static void settle(struct den_answer_job *job)
{
    struct snapshot end = { 0 };
    json_t *message = NULL;
    int64_t thread = 0;
    int tries;

    pthread_mutex_lock(&job->lock);
    if (job->is_settled) {
        pthread_mutex_unlock(&job->lock);
        return;
    }
    job->is_settled = true;
    end = take_snapshot(job);
    end.finish = conclude(job);
    end.error = job->error;
    end.measures = job->measures ? json_dumps(job->measures, JSON_COMPACT) : NULL;
    end.sources = job->sources ? json_dumps(job->sources, JSON_COMPACT) : NULL;
    pthread_mutex_unlock(&job->lock);
    for (tries = 0; end.content && end.reasoning && tries < SETTLE_TRIES; tries++) {
        struct den_error err = { 0 };

        if (write_end(job, &end, &message, &thread, &err) == DEN_OK)
            break;
        json_decref(message);
        message = NULL;
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    }
    free_snapshot(&end);
    tell_end(job, message, thread);
    json_decref(message);
}

/* --- on the job's own thread --- */

static enum den_status submit(struct den_answer_job *job, struct den_worker *worker,
                              struct den_error *err)
{
    struct den_worker_request request = den_worker_request_defaults();
    const char *stops[DEN_STOP_STRINGS_MAX];
    struct den_ticket *ticket = NULL;

    request.surface = "page";
    request.messages = job->messages;
    request.grammar = job->grammar;
    if (den_answer_parameters_read(job->parameters, &request, stops, err) != DEN_OK)
        return err->status;
    if (!job->grammar && request.max_tokens < 0 && job->answer_tokens > 0)
        request.max_tokens = job->answer_tokens; /* nothing else ends what rests on no source */
    if (job->grounding)
        den_grounding_sample(job->grounding, &request);
    if (job->answers->source.submit(worker, &request, on_event, job, &ticket, err) != DEN_OK)
        return err->status;
    pthread_mutex_lock(&job->lock);
    job->ticket = ticket;
    if (job->wants_stop || job->wants_end || job->is_broken)
        job->answers->source.cancel(ticket);
    pthread_mutex_unlock(&job->lock);
    return DEN_OK;
}

/* Until the worker has ended: new text goes to the database once a second. */
static void carry(struct den_answer_job *job)
{
    struct timespec until;

    pthread_mutex_lock(&job->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WRITE_SECONDS;
    while (!job->has_ended) {
        struct snapshot snapshot;
        bool is_there;

        if (pthread_cond_timedwait(&job->changed, &job->lock, &until) == 0)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += WRITE_SECONDS;
        if (!job->is_new)
            continue;
        snapshot = take_snapshot(job);
        pthread_mutex_unlock(&job->lock);
        is_there = write_text(job, &snapshot);
        free_snapshot(&snapshot);
        pthread_mutex_lock(&job->lock);
        if (!is_there) /* the message was deleted */
            job->answers->source.cancel(job->ticket);
    }
    pthread_mutex_unlock(&job->lock);
}

/* The ticket, which nobody else finds any more: one that is given up must not be cancelled. */
static struct den_ticket *take_ticket(struct den_answer_job *job)
{
    struct den_ticket *ticket;

    pthread_mutex_lock(&job->lock);
    ticket = job->ticket;
    job->ticket = NULL;
    pthread_mutex_unlock(&job->lock);
    return ticket;
}

static void write_answer(struct den_answer_job *job)
{
    const struct den_answer_source *source = &job->answers->source;
    const char *model_name = "";
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };
    size_t context_tokens = 0;
    bool is_wanted, is_refused = false;

    if (den_answer_ground_begin(job, &is_refused, &err) == DEN_OK && !is_refused &&
        source->take(source->context, job->model, &worker, &model_name, &context_tokens, &err) ==
            DEN_OK) {
        pthread_mutex_lock(&job->lock);
        strncpy(job->model_name, model_name, sizeof job->model_name - 1);
        job->context_tokens = context_tokens;
        is_wanted = !job->is_settled;
        pthread_mutex_unlock(&job->lock);
        if (is_wanted && den_answer_recall(job, worker, &err) == DEN_OK &&
            den_answer_ground_fit(job, worker, &err) == DEN_OK &&
            submit(job, worker, &err) == DEN_OK)
            carry(job);
        source->release(take_ticket(job));
        source->give_back(source->context, worker);
    }
    if (err.status == DEN_OK && !is_refused)
        den_answer_ground_cite(job);
    pthread_mutex_lock(&job->lock);
    if (err.status != DEN_OK)
        job->error = err;
    pthread_mutex_unlock(&job->lock);
    settle(job);
    if (err.status == DEN_OK && !is_refused)
        den_answer_remember(job);
}

static void leave(struct den_answer_job *job)
{
    struct den_answers *answers = job->answers;
    struct den_answer_job **place;

    pthread_mutex_lock(&answers->lock);
    for (place = &answers->jobs; *place != job; place = &(*place)->next)
        ;
    *place = job->next;
    answers->count--;
    den_answer_job_destroy(job);
    den_database_let_go(answers->threads->database);
    pthread_cond_broadcast(&answers->less);
    pthread_mutex_unlock(&answers->lock);
}

static void *run(void *context)
{
    write_answer(context);
    leave(context);
    return NULL;
}

/* --- for answers.c --- */

void den_answer_job_start(struct den_answer_job *job)
{
    struct den_answers *answers = job->answers;
    pthread_attr_t attributes;
    pthread_t thread;
    int code;

    pthread_mutex_lock(&answers->lock);
    job->next = answers->jobs;
    answers->jobs = job;
    job->wants_end = answers->is_closing;
    pthread_mutex_unlock(&answers->lock);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    code = pthread_create(&thread, &attributes, run, job);
    pthread_attr_destroy(&attributes);
    if (code == 0)
        return;
    den_fail(&job->error, DEN_NO_MEMORY, "there is no thread left to write the answer on");
    settle(job);
    leave(job);
}

/* While the model is loaded there is nobody to cancel at, and loading takes long: the answer is
 * settled at once, and the job's thread finds it so. */
void den_answer_job_stop(struct den_answer_job *job, bool by_user)
{
    bool is_loading;

    pthread_mutex_lock(&job->lock);
    if (by_user)
        job->wants_stop = true;
    else
        job->wants_end = true;
    is_loading = !job->ticket && !job->has_ended;
    if (job->ticket)
        job->answers->source.cancel(job->ticket);
    pthread_mutex_unlock(&job->lock);
    den_side_question_give_up(&job->side);
    if (is_loading)
        settle(job);
}

void den_answer_job_destroy(struct den_answer_job *job)
{
    if (!job)
        return;
    den_side_question_deinit(&job->side);
    den_buffer_deinit(&job->content);
    den_buffer_deinit(&job->reasoning);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    json_decref(job->messages);
    json_decref(job->parameters);
    json_decref(job->measures);
    json_decref(job->sources);
    den_grounding_destroy(job->grounding);
    free(job->question);
    free(job->grammar);
    free(job->model);
    free(job);
}
