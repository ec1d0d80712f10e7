/* See worker.h, and front.h for what a handle is made of. This file is what callers call: each
 * function changes the lists under the lock, wakes the keeper, and waits where its contract says
 * so. */
#include "worker/worker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "schedule/thread_count.h"
#include "worker/front.h"
#include "worker/request_json.h"

enum {
    SEQUENCES_DEFAULT = 8,
    FAILED_SECONDS = 5 /* for so long after a failure, requests get its error without a new try */
};

/* --- start and stop --- */

static void free_worker(struct den_worker *worker)
{
    pthread_cond_destroy(&worker->told);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    if (worker->wake >= 0)
        close(worker->wake);
    json_decref(worker->info_document);
    free(worker->inbox);
    free(worker->model_path);
    free(worker->model_name);
    free(worker->cpu_features);
    free(worker->prefix_folder);
    free(worker->draft_path);
    free(worker);
}

void den_front_let_go(struct den_worker *worker)
{
    bool is_last = --worker->holders == 0;

    pthread_mutex_unlock(&worker->lock);
    if (is_last)
        free_worker(worker);
}

/* A model that guesses for itself would guess what it computes. */
static bool has_draft(const struct den_worker_options *options)
{
    return options->draft_path && strcmp(options->draft_path, options->model_path) != 0;
}

static enum den_status copy_options(struct den_worker *worker,
                                    const struct den_worker_options *options, struct den_error *err)
{
    const char *name = options->model_name ? options->model_name : options->model_path;

    worker->options = *options;
    worker->model_path = strdup(options->model_path);
    worker->model_name = strdup(name);
    worker->cpu_features = options->cpu_features ? strdup(options->cpu_features) : NULL;
    worker->prefix_folder = options->prefix_folder ? strdup(options->prefix_folder) : NULL;
    worker->draft_path = has_draft(options) ? strdup(options->draft_path) : NULL;
    if (!worker->model_path || !worker->model_name ||
        (options->cpu_features && !worker->cpu_features) ||
        (options->prefix_folder && !worker->prefix_folder) ||
        (has_draft(options) && !worker->draft_path))
        return den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
    worker->options.model_path = worker->model_path;
    worker->options.model_name = worker->model_name;
    worker->options.cpu_features = worker->cpu_features;
    worker->options.prefix_folder = worker->prefix_folder;
    worker->options.draft_path = worker->draft_path;
    worker->options.threads = den_schedule_threads(options->threads);
    if (worker->options.silent_seconds <= 0)
        worker->options.silent_seconds = DEN_WORKER_SILENT_SECONDS_MAX;
    if (worker->options.sequences == 0)
        worker->options.sequences = SEQUENCES_DEFAULT;
    return DEN_OK;
}

static enum den_status start_threads(struct den_worker *worker, struct den_error *err)
{
    if (pthread_create(&worker->teller, NULL, den_front_tell, worker) != 0)
        return den_fail(err, DEN_NO_MEMORY, "worker: the system gives no thread");
    if (pthread_create(&worker->keeper, NULL, den_front_keep, worker) == 0)
        return DEN_OK;
    pthread_mutex_lock(&worker->lock);
    worker->teller_stop = true;
    pthread_cond_broadcast(&worker->told);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->teller, NULL);
    return den_fail(err, DEN_NO_MEMORY, "worker: the system gives no thread");
}

/* Waits until the model is there or can't be. */
static enum den_status wait_loaded(struct den_worker *worker, struct den_error *err)
{
    pthread_mutex_lock(&worker->lock);
    while (!worker->is_known && worker->state != DEN_WORKER_FAILED)
        pthread_cond_wait(&worker->changed, &worker->lock);
    if (!worker->is_known)
        *err = worker->error;
    pthread_mutex_unlock(&worker->lock);
    return err->status;
}

enum den_status den_worker_start(const struct den_worker_options *options, struct den_worker **out,
                                 struct den_error *err)
{
    struct den_worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    pthread_cond_init(&worker->told, NULL);
    worker->holders = 1;
    worker->socket = -1;
    worker->prefix_file = -1;
    worker->packed.files = (struct den_packed_files){ .finished = -1, .unfinished = -1 };
    worker->next_id = 1;
    worker->wanted = true;
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->inbox = malloc(sizeof *worker->inbox);
    if (worker->wake < 0 || !worker->inbox) {
        den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
        goto fail;
    }
    if (copy_options(worker, options, err) != DEN_OK || start_threads(worker, err) != DEN_OK)
        goto fail;
    if (wait_loaded(worker, err) != DEN_OK) {
        den_worker_stop(worker);
        return err->status;
    }
    *out = worker;
    return DEN_OK;
fail:
    free_worker(worker);
    return err->status;
}

void den_worker_stop(struct den_worker *worker)
{
    if (!worker)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    den_front_wake(worker);
    pthread_join(worker->keeper, NULL);
    pthread_join(worker->teller, NULL);
    pthread_mutex_lock(&worker->lock);
    den_front_let_go(worker);
}

const struct den_worker_info *den_worker_info(const struct den_worker *worker)
{
    return &worker->info;
}

/* --- what is true now --- */

static size_t read_resident(pid_t pid)
{
    unsigned long long all, resident = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Whether it is work that people wait for: an answer, or embeddings. */
static bool is_work(const struct den_ticket *ticket)
{
    return ticket->kind == DEN_WIRE_SUBMIT || ticket->kind == DEN_WIRE_EMBED;
}

/* Embeddings have begun, as far as is known here, once the process has been asked. */
static bool is_running(const struct den_ticket *ticket)
{
    return ticket->kind == DEN_WIRE_EMBED ? ticket->is_sent : ticket->is_begun;
}

void den_worker_status(const struct den_worker *constant, struct den_worker_status *out)
{
    struct den_worker *worker = (struct den_worker *)(uintptr_t)constant;
    const struct den_ticket *ticket;

    pthread_mutex_lock(&worker->lock);
    *out = worker->sums;
    out->state = worker->state;
    out->packed = den_packed_state_text(worker->packed.state);
    out->pid = worker->pid;
    for (ticket = worker->first; ticket; ticket = ticket->after)
        if (is_work(ticket))
            *(is_running(ticket) ? &out->running : &out->waiting) += 1;
    if (worker->unfinished > 0)
        out->busy_seconds += den_clock_seconds() - worker->busy_since;
    if (!worker->first && worker->idle_since > 0)
        out->idle_seconds = den_clock_seconds() - worker->idle_since;
    pthread_mutex_unlock(&worker->lock);
    out->resident_bytes = read_resident((pid_t)out->pid);
}

enum den_status den_worker_sleep(struct den_worker *worker, struct den_error *err)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->first) {
        den_fail(err, DEN_BUSY, "model '%s' is at work on %zu requests", worker->model_name,
                 worker->unfinished);
    } else {
        worker->sleep = true;
        den_front_wake(worker);
        while ((worker->state == DEN_WORKER_READY || worker->state == DEN_WORKER_LOADING ||
                worker->pid != 0) &&
               worker->sleep && !worker->stop)
            pthread_cond_wait(&worker->changed, &worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return err->status;
}

size_t den_worker_activity(struct den_worker *worker, struct den_worker_activity *out,
                           size_t capacity)
{
    const double now = den_clock_seconds();
    const struct den_ticket *ticket;
    size_t count = 0;

    pthread_mutex_lock(&worker->lock);
    for (ticket = worker->first; ticket && count < capacity; ticket = ticket->after) {
        const double writing = ticket->token_count > 0 ? now - ticket->first_token_at : 0;

        if (!is_work(ticket))
            continue;
        out[count] = (struct den_worker_activity){
            .id = ticket->id,
            .state = ticket->token_count > 0 ? DEN_ACTIVITY_WRITING
                     : is_running(ticket)    ? DEN_ACTIVITY_READING
                                             : DEN_ACTIVITY_WAITING,
            .age_seconds = now - ticket->submitted_at,
            .prompt_done = ticket->prompt_done,
            .prompt_tokens = ticket->prompt_tokens,
            .generated_tokens = ticket->token_count,
            .tokens_per_s = writing > 0 ? (double)ticket->token_count / writing : 0,
        };
        memcpy(out[count++].surface, ticket->surface, sizeof ticket->surface);
    }
    pthread_mutex_unlock(&worker->lock);
    return count;
}

/* --- requests --- */

/* A seed that the next process can be told as well. */
static int64_t draw_seed(void)
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = (uint64_t)den_clock_unix();
    return (int64_t)(bits >> 11); /* survives as a number in JSON */
}

static struct den_ticket *create_ticket(const struct den_worker_request *request,
                                        struct den_error *err)
{
    struct den_ticket *ticket = calloc(1, sizeof *ticket);
    struct den_worker_request seeded = *request;
    json_t *object;

    if (seeded.seed < 0)
        seeded.seed = draw_seed();
    object = den_request_to_json(&seeded);
    if (!ticket || !object) {
        den_fail(err, object ? DEN_NO_MEMORY : DEN_INVALID,
                 "the request can't be copied: out of memory, or a number in it is infinite");
        goto fail;
    }
    /* what the caller owns may be changed or freed by another thread while the keeper writes it */
    ticket->request = json_deep_copy(object);
    json_decref(object);
    object = NULL;
    if (!ticket->request) {
        den_fail(err, DEN_NO_MEMORY, "request: out of memory");
        goto fail;
    }
    ticket->kind = DEN_WIRE_SUBMIT;
    ticket->now = den_clock_unix();
    den_buffer_init(&ticket->reply, 0);
    return ticket;
fail:
    json_decref(object);
    free(ticket);
    return NULL;
}

/* Puts it in line. The lock is held. */
static enum den_status enter(struct den_worker *worker, struct den_ticket *ticket,
                             struct den_error *err)
{
    if (worker->stop)
        return den_fail(err, DEN_BUSY, "the server is stopping");
    if (worker->state == DEN_WORKER_FAILED &&
        den_clock_seconds() - worker->failed_at < FAILED_SECONDS) {
        *err = worker->error;
        return err->status;
    }
    den_front_add(worker, ticket);
    pthread_cond_broadcast(&worker->changed);
    den_front_wake(worker);
    return DEN_OK;
}

enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err)
{
    struct den_ticket *ticket = create_ticket(request, err);

    if (!ticket)
        return err->status;
    ticket->handler = handler;
    ticket->context = context;
    ticket->out = out;
    ticket->submitted_at = den_clock_seconds();
    snprintf(ticket->surface, sizeof ticket->surface, "%s",
             request->surface ? request->surface : "");
    pthread_mutex_lock(&worker->lock);
    if (enter(worker, ticket, err) == DEN_OK) {
        while (!ticket->was_accepted && !ticket->is_finished)
            pthread_cond_wait(&worker->changed, &worker->lock);
        if (ticket->was_accepted)
            worker->holders++;
        else
            *err = ticket->error;
    }
    pthread_mutex_unlock(&worker->lock);
    if (err->status != DEN_OK)
        den_front_free_ticket(ticket);
    return err->status;
}

void den_ticket_cancel(struct den_ticket *ticket)
{
    struct den_worker *worker = ticket->worker;

    pthread_mutex_lock(&worker->lock);
    if (!ticket->is_cancelled && !ticket->is_finished) {
        ticket->is_cancelled = true;
        den_front_wake(worker);
        pthread_cond_broadcast(&worker->changed);
    }
    pthread_mutex_unlock(&worker->lock);
}

void den_ticket_release(struct den_ticket *ticket)
{
    struct den_worker *worker;

    if (!ticket)
        return;
    worker = ticket->worker;
    den_ticket_cancel(ticket);
    pthread_mutex_lock(&worker->lock);
    while (!ticket->is_ended)
        pthread_cond_wait(&worker->changed, &worker->lock);
    den_front_free_ticket(ticket);
    den_front_let_go(worker);
}

enum den_status den_front_ask(struct den_worker *worker, enum den_wire_kind kind,
                              const struct den_buffer *question, struct den_buffer *out,
                              struct den_error *err)
{
    struct den_ticket *ticket = calloc(1, sizeof *ticket);

    if (!ticket)
        return den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
    ticket->kind = kind;
    ticket->question = (const unsigned char *)question->data;
    ticket->question_length = question->length;
    ticket->submitted_at = den_clock_seconds();
    if (kind == DEN_WIRE_EMBED)
        snprintf(ticket->surface, sizeof ticket->surface, "embeddings");
    den_buffer_init(&ticket->reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
    pthread_mutex_lock(&worker->lock);
    if (enter(worker, ticket, err) == DEN_OK) {
        while (!ticket->is_finished)
            pthread_cond_wait(&worker->changed, &worker->lock);
        *err = ticket->error;
    }
    pthread_mutex_unlock(&worker->lock);
    if (err->status == DEN_OK) {
        den_buffer_deinit(out);
        *out = ticket->reply;
        den_buffer_init(&ticket->reply, 0);
    }
    den_front_free_ticket(ticket);
    return err->status;
}
