/* See front.h: the thread that has the process. Its life is a loop of two states: asleep, until
 * somebody wants something, and a conversation with one process, from its start to its death. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/json.h"
#include "guard/sandbox.h"
#include "schedule/scheduler.h"
#include "worker/front.h"
#include "worker/model_files.h"
#include "worker/request_json.h"

enum {
    LOADS_MAX = 2, /* a process that dies this often in a row while it loads is not tried again */
    STEADY_SECONDS = 5, /* an idle process that lived as long is started again at once */
    SILENT_TICKS = 12 /* a tick is the wait for one sign of life; so many without one are a death */
};

void den_front_wake(struct den_worker *worker)
{
    const uint64_t one = 1;

    if (write(worker->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        abort();
}

/* --- starting a process --- */

/* The files of the model, and of its draft model. */
struct load_files {
    struct den_model_files model, draft;
};

static void name_files(json_t *names, const struct den_model_files *files)
{
    size_t i;

    for (i = 0; i < files->count; i++)
        json_array_append_new(names, json_pack("{s:s, s:b}", "path", files->files[i].path, "open",
                                               files->files[i].descriptor >= 0));
}

static json_t *describe_load(const struct den_worker *worker, const struct load_files *files)
{
    const struct den_worker_options *options = &worker->options;
    json_t *names = json_array(), *load;

    name_files(names, &files->model);
    name_files(names, &files->draft);
    load =
        json_pack("{s:s, s:o, s:i, s:s?, s:I, s:I, s:b, s:b, s:b}", "path", options->model_path,
                  "files", names, "threads", options->threads, "cpu_features",
                  options->cpu_features, "context", (json_int_t)options->context_tokens,
                  "sequences", (json_int_t)options->sequences, "fp32", options->fp32, "int8_cache",
                  options->int8_cache, "require_sandbox", options->require_sandbox);
    if (load) {
        json_object_set_new(load, "packed", den_front_packed_describe(worker));
        json_object_set_new(load, "no_speculation", json_boolean(options->no_speculation));
        if (options->draft_path)
            json_object_set_new(load, "draft", json_string(options->draft_path));
        json_object_set_new(load, "prefix", den_front_prefix_describe(worker));
    }
    return load;
}

static enum den_status send_load(struct den_worker *worker, const struct load_files *files,
                                 struct den_error *err)
{
    struct den_wire_frame frame = { .kind = DEN_WIRE_LOAD };
    json_t *load = describe_load(worker, files);
    struct den_buffer text;

    den_buffer_init(&text, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (!load)
        den_fail(err, DEN_INVALID, "model: %s: a path that is not valid UTF-8", worker->model_path);
    else if (den_json_write(load, &text, err) == DEN_OK) {
        frame.payload = (const unsigned char *)text.data;
        frame.length = text.length;
        den_wire_send(worker->socket, &frame, err);
    }
    json_decref(load);
    den_buffer_deinit(&text);
    return err->status;
}

/* Returns how many there are with those of `files`. */
static size_t put_descriptors(const struct den_model_files *files, int *descriptors, size_t count)
{
    size_t i;

    for (i = 0; i < files->count; i++)
        if (files->files[i].descriptor >= 0)
            descriptors[count++] = files->files[i].descriptor;
    return count;
}

static enum den_status spawn(struct den_worker *worker, const struct load_files *files, int end,
                             pid_t *out_pid, struct den_error *err)
{
    static const char *const argv[] = { "den", "worker", NULL };
    int *descriptors = calloc(files->model.count + files->draft.count + 4, sizeof *descriptors);
    struct den_sandbox_spawn options = { .argv = argv, .keep_stderr = true };
    size_t count = 0;

    if (!descriptors)
        return den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
    descriptors[count++] = end;
    count = put_descriptors(&files->model, descriptors, count);
    count = put_descriptors(&files->draft, descriptors, count);
    count += den_front_packed_descriptors(worker, descriptors + count);
    count += den_front_prefix_place(worker, descriptors, count);
    options.descriptors = descriptors;
    options.descriptor_count = count;
    den_sandbox_spawn(&options, out_pid, err);
    free(descriptors);
    return err->status;
}

/* The process exists and has been told what to load. */
static enum den_status start_process(struct den_worker *worker, pid_t *out_pid,
                                     struct den_error *err)
{
    struct load_files files = { 0 };
    int ends[2];

    if (den_model_files_open(worker->model_path, &files.model, err) != DEN_OK)
        return err->status;
    if (worker->draft_path &&
        den_model_files_open(worker->draft_path, &files.draft, err) != DEN_OK) {
        den_model_files_close(&files.model);
        return err->status;
    }
    den_front_packed_open(worker, &files.model);
    den_front_prefix_open(worker);
    if (den_wire_pair(ends, err) != DEN_OK)
        goto done;
    if (spawn(worker, &files, ends[1], out_pid, err) != DEN_OK) {
        close(ends[0]);
        close(ends[1]);
        goto done;
    }
    close(ends[1]);
    worker->socket = ends[0];
    send_load(worker, &files, err); /* the socket is empty: it can't block */
    if (err->status == DEN_CANCELLED)
        *err = (struct den_error){ 0 }; /* dead already: receiving will tell */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
done:
    den_front_prefix_close(worker);
    den_model_files_close(&files.model);
    den_model_files_close(&files.draft);
    return err->status;
}

/* Ends it; `out_why` says how it had ended by itself. */
static void end_process(struct den_worker *worker, pid_t pid, char *out_why, size_t capacity)
{
    int status = 0;

    if (worker->socket >= 0)
        close(worker->socket);
    worker->socket = -1;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        snprintf(out_why, capacity, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out_why, capacity, "exit code %d", WEXITSTATUS(status));
}

/* --- sending --- */

/* The request as it is now: with the tokens so far. */
static enum den_status write_request(const struct den_ticket *ticket, struct den_buffer *out,
                                     struct den_error *err)
{
    const struct den_request_extra extra = { .now = ticket->now,
                                             .again = ticket->was_accepted,
                                             .tokens = ticket->tokens,
                                             .token_count = ticket->token_count,
                                             .drawn = ticket->drawn };

    if (!den_request_set_extra(ticket->request, &extra))
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    return den_json_write(ticket->request, out, err);
}

/* DEN_BUSY: the socket is full; DEN_CANCELLED: the process is gone. */
static enum den_status send_ticket(struct den_worker *worker, struct den_ticket *ticket,
                                   struct den_error *err)
{
    struct den_wire_frame frame = { .kind = ticket->kind,
                                    .id = ticket->id,
                                    .payload = ticket->question,
                                    .length = ticket->question_length };
    struct den_buffer text;

    den_buffer_init(&text, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (ticket->kind == DEN_WIRE_SUBMIT && write_request(ticket, &text, err) == DEN_OK) {
        frame.payload = (const unsigned char *)text.data;
        frame.length = text.length;
    }
    if (err->status == DEN_OK)
        den_wire_send(worker->socket, &frame, err);
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status send_cancel(struct den_worker *worker, const struct den_ticket *ticket,
                                   struct den_error *err)
{
    const struct den_wire_frame frame = { .kind = DEN_WIRE_CANCEL, .id = ticket->id };

    return den_wire_send(worker->socket, &frame, err);
}

/* Sends what there is to send, in order; the lock is held, nothing here waits. True: the socket is
 * full, more is left. */
static bool send_pending(struct den_worker *worker)
{
    struct den_ticket *ticket, *next;

    for (ticket = worker->first; ticket; ticket = next) {
        struct den_error err = { 0 };

        next = ticket->after;
        if (ticket->is_cancelled && !ticket->is_sent && ticket->was_accepted) {
            den_front_end_ticket(ticket, NULL);
        } else if (!ticket->is_sent && den_front_may_send(worker, ticket)) {
            if (send_ticket(worker, ticket, &err) == DEN_OK)
                ticket->is_sent = true;
        } else if (ticket->is_sent && ticket->is_cancelled && !ticket->is_cancel_sent) {
            if (send_cancel(worker, ticket, &err) == DEN_OK)
                ticket->is_cancel_sent = true;
        }
        if (err.status == DEN_BUSY)
            return true;
        if (err.status == DEN_CANCELLED)
            return false; /* receiving will tell */
        if (err.status != DEN_OK)
            den_front_end_ticket(ticket, &err); /* too large, or no memory for it */
    }
    return false;
}

/* --- the conversation --- */

/* Why the conversation ended. */
enum verdict { VERDICT_GONE, VERDICT_MAD, VERDICT_SILENT, VERDICT_SLEEP, VERDICT_STOP };

/* A sign of life. */
static void hear(struct den_worker *worker)
{
    worker->quiet_since = den_clock_seconds();
    worker->quiet_ticks = 0;
    worker->is_pinged = false;
}

/* Receives what has come. True: the conversation goes on. */
static bool receive(struct den_worker *worker, enum verdict *out)
{
    struct den_wire_frame frame = { 0 };
    struct den_error err = { 0 };
    bool is_sound;

    switch (den_wire_receive(worker->socket, true, worker->inbox, &frame, &err)) {
    case DEN_OK:
        break;
    case DEN_BUSY:
        return true;
    case DEN_CANCELLED:
        *out = VERDICT_GONE;
        return false;
    default:
        *out = VERDICT_MAD;
        return false;
    }
    hear(worker);
    pthread_mutex_lock(&worker->lock);
    is_sound = den_front_take_frame(worker, &frame);
    pthread_mutex_unlock(&worker->lock);
    den_wire_release(&frame);
    *out = VERDICT_MAD;
    return is_sound;
}

/* Milliseconds of so many seconds, at least 1. */
static int milliseconds(double seconds)
{
    return seconds <= 0 ? 1 : seconds < 1e6 ? (int)(seconds * 1000) + 1 : 1000000000;
}

/* Watches over a process that has work: after a tick without a frame it is pinged, and after
 * SILENT_TICKS of them it is given up. Its first thread does nothing but answer, however long a
 * step takes. Ticks are counted, not time: when everything stood still (a frozen session, a
 * debugger), one has passed, not all. The lock is held. *out_left: milliseconds to the next tick;
 * -1: nothing to watch. True: it hangs. */
static bool is_hung(struct den_worker *worker, int *out_left)
{
    const double tick = worker->options.silent_seconds / SILENT_TICKS, now = den_clock_seconds();
    const struct den_wire_frame ping = { .kind = DEN_WIRE_PING };
    struct den_error ignored = { 0 };

    *out_left = -1;
    if (worker->state != DEN_WORKER_READY || !worker->first) {
        hear(worker);
        return false;
    }
    if (now - worker->quiet_since >= tick) {
        worker->quiet_since = now;
        worker->quiet_ticks++;
        if (!worker->is_pinged)
            worker->is_pinged = den_wire_send(worker->socket, &ping, &ignored) == DEN_OK;
    }
    *out_left = milliseconds(worker->quiet_since + tick - now);
    return worker->quiet_ticks > SILENT_TICKS;
}

/* Milliseconds until an idle process is put to sleep; -1: never. The lock is held. */
static int time_left(const struct den_worker *worker)
{
    double left = worker->options.idle_seconds + worker->idle_since - den_clock_seconds();

    if (worker->options.idle_seconds <= 0 || worker->state != DEN_WORKER_READY || worker->first)
        return -1;
    return left <= 0 ? 0 : milliseconds(left);
}

/* What is asked of the keeper; sends. True: the conversation goes on. */
static bool look_around(struct den_worker *worker, enum verdict *out, bool *out_full,
                        int *out_time_left)
{
    bool goes_on = true;
    int tick;

    pthread_mutex_lock(&worker->lock);
    *out_full = worker->state == DEN_WORKER_READY && send_pending(worker);
    *out_time_left = time_left(worker);
    if (worker->stop) {
        *out = VERDICT_STOP;
        goes_on = false;
    } else if ((worker->sleep || *out_time_left == 0) && !worker->first) {
        *out = VERDICT_SLEEP;
        worker->state = DEN_WORKER_ASLEEP; /* from now on a request waits for the next process */
        goes_on = false;
    } else if (is_hung(worker, &tick)) {
        *out = VERDICT_SILENT;
        goes_on = false;
    } else if (tick >= 0) {
        *out_time_left = tick;
    }
    pthread_mutex_unlock(&worker->lock);
    return goes_on;
}

static enum verdict converse(struct den_worker *worker)
{
    enum verdict verdict = VERDICT_GONE;
    bool is_full;
    int left;

    while (look_around(worker, &verdict, &is_full, &left)) {
        struct pollfd sources[2] = { { .fd = worker->socket,
                                       .events = (short)(POLLIN | (is_full ? POLLOUT : 0)) },
                                     { .fd = worker->wake, .events = POLLIN } };
        uint64_t taken;

        if (poll(sources, 2, left) < 0 && errno != EINTR)
            abort();
        if (sources[1].revents && read(worker->wake, &taken, sizeof taken) < 0 && errno != EAGAIN)
            abort();
        if (sources[0].revents & (POLLIN | POLLHUP | POLLERR) && !receive(worker, &verdict))
            break;
    }
    return verdict;
}

/* --- life and death --- */

/* The lock is held. */
static void fail(struct den_worker *worker, const struct den_error *error)
{
    worker->error = *error;
    worker->state = DEN_WORKER_FAILED;
    worker->failed_at = den_clock_seconds();
    worker->load_deaths = 0;
    worker->wanted = false;
    den_front_end_all(worker, error);
    pthread_cond_broadcast(&worker->changed);
}

/* A process that died before it was ready may have met bad luck once, not twice. */
static void bury_loading(struct den_worker *worker, const char *why)
{
    struct den_error error = worker->error;

    if (error.status != DEN_OK) { /* it said why it can't */
        fail(worker, &error);
        return;
    }
    worker->sums.restarts++;
    if (++worker->load_deaths < LOADS_MAX) {
        worker->wanted = true;
        return;
    }
    den_fail(
        &error, DEN_BAD_FILE,
        "model: %s: the worker process died %d times while it read the model (%s); the file is "
        "damaged, or there is not enough memory",
        worker->model_path, LOADS_MAX, why);
    fail(worker, &error);
}

static void bury(struct den_worker *worker, enum verdict verdict, double lived, const char *how)
{
    const char *why = verdict == VERDICT_MAD      ? "it sent what makes no sense"
                      : verdict == VERDICT_SILENT ? "it did not answer any more"
                                                  : how;

    pthread_mutex_lock(&worker->lock);
    worker->pid = 0;
    den_front_packed_close(worker);
    if (verdict == VERDICT_GONE || verdict == VERDICT_MAD || verdict == VERDICT_SILENT) {
        if (worker->state == DEN_WORKER_LOADING) {
            bury_loading(worker, why);
        } else {
            worker->sums.restarts++;
            den_front_count_death(worker, why);
            worker->wanted = worker->first != NULL || lived > STEADY_SECONDS;
        }
    }
    if (worker->state != DEN_WORKER_FAILED)
        worker->state = DEN_WORKER_ASLEEP;
    worker->sleep = false;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

static void live(struct den_worker *worker)
{
    struct den_error err = { 0 };
    enum verdict verdict;
    char how[128] = "";
    double start;
    pid_t pid;

    if (start_process(worker, &pid, &err) != DEN_OK) {
        pthread_mutex_lock(&worker->lock);
        den_front_packed_close(worker);
        fail(worker, &err);
        pthread_mutex_unlock(&worker->lock);
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->pid = pid;
    pthread_mutex_unlock(&worker->lock);
    start = den_clock_seconds();
    verdict = converse(worker);
    end_process(worker, pid, how, sizeof how);
    bury(worker, verdict, den_clock_seconds() - start, how);
}

/* False: the end. */
static bool wait_until_wanted(struct den_worker *worker)
{
    bool goes_on;

    pthread_mutex_lock(&worker->lock);
    while (!worker->stop && !worker->wanted && !worker->first)
        pthread_cond_wait(&worker->changed, &worker->lock);
    goes_on = !worker->stop;
    if (goes_on) {
        worker->state = DEN_WORKER_LOADING;
        worker->error = (struct den_error){ 0 };
        worker->wanted = false;
        worker->sleep = false;
        worker->idle_since = den_clock_seconds();
        pthread_cond_broadcast(&worker->changed);
    }
    pthread_mutex_unlock(&worker->lock);
    return goes_on;
}

void *den_front_keep(void *context)
{
    struct den_worker *worker = context;

    while (wait_until_wanted(worker))
        live(worker);
    den_front_packed_wait(worker);
    pthread_mutex_lock(&worker->lock);
    worker->state = DEN_WORKER_ASLEEP;
    den_front_end_all(worker, NULL);
    worker->teller_stop = true;
    pthread_cond_broadcast(&worker->told);
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}
