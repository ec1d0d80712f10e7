/* See scheduler.h. One lock guards the line and the jobs' flags; it is never held during a step or
 * a callback. The thread's loop is: drop what was cancelled in line, let waiting jobs begin while
 * there are sessions, run one step of all that run, end those that are done; sleep when there is
 * nothing. */
#include "schedule/scheduler.h"

#include <stdlib.h>

#include "base/clock.h"
#include "schedule/scheduler_parts.h"

enum { STEPS_A_PAGE = 32 }; /* writing a page takes about as long as a tenth of a step */

/* --- the line --- */

static void push_job(struct den_scheduler *scheduler, struct den_job *job)
{
    if (scheduler->last)
        scheduler->last->next = job;
    else
        scheduler->first = job;
    scheduler->last = job;
    scheduler->waiting++;
}

static bool is_cancelled(const struct den_job *job)
{
    return job->cancelled;
}

static bool is_interactive(const struct den_job *job)
{
    return !job->options.batch;
}

static bool is_any(const struct den_job *job)
{
    (void)job;
    return true;
}

/* Takes out the first job that is as wanted; NULL when there is none. */
static struct den_job *take_job(struct den_scheduler *scheduler,
                                bool (*is_wanted)(const struct den_job *))
{
    struct den_job **link = &scheduler->first, *job, *before = NULL;

    while (*link && !is_wanted(*link)) {
        before = *link;
        link = &before->next;
    }
    job = *link;
    if (!job)
        return NULL;
    *link = job->next;
    if (scheduler->last == job)
        scheduler->last = before;
    job->next = NULL;
    scheduler->waiting--;
    return job;
}

/* --- ends --- */

static void end_job(struct den_job *job, const struct den_job_end *end)
{
    struct den_scheduler *scheduler = job->scheduler;

    job->options.on_end(job->options.generation.context, end);
    pthread_mutex_lock(&scheduler->lock);
    job->ended = true;
    pthread_cond_broadcast(&scheduler->ended);
    pthread_mutex_unlock(&scheduler->lock);
}

static double waited(const struct den_job *job)
{
    return (job->started_at > 0 ? job->started_at : den_clock_seconds()) - job->submitted_at;
}

static void end_unbegun(struct den_job *job, const struct den_error *error)
{
    const struct den_job_end end = { .finish = error ? DEN_FINISH_ERROR : DEN_FINISH_CANCELLED,
                                     .error = error,
                                     .wait_seconds = waited(job) };

    end_job(job, &end);
}

/* Ends running job `index`: with `error` when the step as a whole failed, else as its result says.
 */
static void end_running(struct den_scheduler *scheduler, size_t index,
                        const struct den_error *error)
{
    struct den_job *job = scheduler->running[index];
    struct den_generation *generation = scheduler->generations[index];
    const struct den_generation_result *result = den_generation_result(generation);
    struct den_job_end end = { .finish = result->finish,
                               .result = result,
                               .wait_seconds = waited(job) };

    if (error)
        end.finish = DEN_FINISH_ERROR;
    if (end.finish == DEN_FINISH_NONE) /* only when the scheduler stops */
        end.finish = DEN_FINISH_CANCELLED;
    if (end.finish == DEN_FINISH_ERROR)
        end.error = error ? error : &result->error;
    pthread_mutex_lock(&scheduler->lock);
    job->generation = NULL; /* from here on a cancel can't reach it */
    pthread_mutex_unlock(&scheduler->lock);
    scheduler->slots[job->slot].busy = false;
    scheduler->running_count--;
    scheduler->running[index] = scheduler->running[scheduler->running_count];
    scheduler->generations[index] = scheduler->generations[scheduler->running_count];
    end_job(job, &end);
    den_generation_destroy(generation);
}

/* --- the thread --- */

/* The job runs afterwards, or has ended with its error. */
static void begin_job(struct den_scheduler *scheduler, struct den_job *job)
{
    const struct den_generation_options *options = &job->options.generation;
    struct den_generation *generation;
    struct den_error err = { 0 };
    size_t index = den_slots_choose(scheduler->slots, scheduler->sequences, options->prompt,
                                    options->prompt_count);
    struct slot *slot = &scheduler->slots[index];

    job->started_at = den_clock_seconds();
    if (job->options.on_begin)
        job->options.on_begin(options->context);
    if (!slot->session && den_session_create(scheduler->engine, &slot->session, &err) != DEN_OK) {
        end_unbegun(job, &err);
        return;
    }
    if (den_generation_create(scheduler->engine, slot->session, options, &generation, &err) !=
        DEN_OK) {
        end_unbegun(job, &err);
        return;
    }
    slot->busy = true;
    slot->used_at = ++scheduler->begun;
    job->slot = index;
    scheduler->running[scheduler->running_count] = job;
    scheduler->generations[scheduler->running_count++] = generation;
    pthread_mutex_lock(&scheduler->lock);
    job->generation = generation;
    if (job->cancelled)
        den_generation_cancel(generation);
    pthread_mutex_unlock(&scheduler->lock);
}

/* Waits while there is nothing to do, but not before what was read is kept. The lock is held. */
static void wait_for_work(struct den_scheduler *scheduler)
{
    while (!scheduler->stop && !scheduler->first && scheduler->running_count == 0) {
        bool has_written;

        pthread_mutex_unlock(&scheduler->lock);
        has_written = den_engine_write_prefix(scheduler->engine);
        pthread_mutex_lock(&scheduler->lock);
        if (!has_written && !scheduler->stop && !scheduler->first)
            pthread_cond_wait(&scheduler->work, &scheduler->lock);
    }
}

/* Lets jobs leave the line; false when the scheduler is to stop. Sleeps while nothing runs and
 * nobody waits. */
static bool admit_jobs(struct den_scheduler *scheduler)
{
    for (;;) {
        struct den_job *job;
        bool cancelled = true;

        pthread_mutex_lock(&scheduler->lock);
        wait_for_work(scheduler);
        if (scheduler->stop) {
            pthread_mutex_unlock(&scheduler->lock);
            return false;
        }
        job = take_job(scheduler, is_cancelled);
        if (!job && scheduler->running_count < scheduler->sequences) {
            job = take_job(scheduler, is_interactive);
            job = job ? job : take_job(scheduler, is_any);
            cancelled = false;
        }
        pthread_mutex_unlock(&scheduler->lock);
        if (!job) /* then something runs: begin_job() may fail, but then we come round again */
            return true;
        if (cancelled)
            end_unbegun(job, NULL);
        else
            begin_job(scheduler, job);
    }
}

static void step_jobs(struct den_scheduler *scheduler)
{
    struct den_error err = { 0 };
    enum den_status status = den_generations_step(scheduler->engine, scheduler->generations,
                                                  scheduler->running_count, &err);
    size_t i;

    if (++scheduler->steps % STEPS_A_PAGE == 0) /* who is never idle keeps what he reads, too */
        den_engine_write_prefix(scheduler->engine);
    for (i = scheduler->running_count; i-- > 0;)
        if (den_generation_is_done(scheduler->generations[i]))
            end_running(scheduler, i, NULL);
        else if (status != DEN_OK)
            end_running(scheduler, i, &err);
}

static void end_all(struct den_scheduler *scheduler)
{
    struct den_job *job;

    while (scheduler->running_count > 0)
        end_running(scheduler, scheduler->running_count - 1, NULL);
    for (;;) {
        pthread_mutex_lock(&scheduler->lock);
        job = take_job(scheduler, is_any);
        pthread_mutex_unlock(&scheduler->lock);
        if (!job)
            return;
        end_unbegun(job, NULL);
    }
}

static void *run(void *context)
{
    struct den_scheduler *scheduler = context;

    while (admit_jobs(scheduler))
        step_jobs(scheduler);
    end_all(scheduler);
    return NULL;
}

/* --- from other threads --- */

static void free_scheduler(struct den_scheduler *scheduler)
{
    pthread_cond_destroy(&scheduler->ended);
    pthread_cond_destroy(&scheduler->work);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler->slots);
    free(scheduler->running);
    free(scheduler->generations);
    free(scheduler);
}

enum den_status den_scheduler_create(struct den_engine *engine, size_t sequences,
                                     struct den_scheduler **out, struct den_error *err)
{
    struct den_scheduler *scheduler;

    if (sequences < 1 || sequences > DEN_SEQUENCES_MAX)
        return den_fail(err, DEN_INVALID, "sequences: %zu given, 1 to %d possible", sequences,
                        DEN_SEQUENCES_MAX);
    scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler)
        return den_fail(err, DEN_NO_MEMORY, "scheduler: out of memory");
    scheduler->engine = engine;
    scheduler->sequences = sequences;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_cond_init(&scheduler->work, NULL);
    pthread_cond_init(&scheduler->ended, NULL);
    scheduler->slots = calloc(sequences, sizeof *scheduler->slots);
    scheduler->running = calloc(sequences, sizeof(struct den_job *));
    scheduler->generations = calloc(sequences, sizeof(struct den_generation *));
    if (!scheduler->slots || !scheduler->running || !scheduler->generations) {
        den_fail(err, DEN_NO_MEMORY, "scheduler: out of memory for %zu sequences", sequences);
        goto fail;
    }
    if (pthread_create(&scheduler->thread, NULL, run, scheduler) != 0) {
        den_fail(err, DEN_NO_MEMORY, "scheduler: the system gives no thread");
        goto fail;
    }
    *out = scheduler;
    return DEN_OK;
fail:
    free_scheduler(scheduler);
    return err->status;
}

void den_scheduler_destroy(struct den_scheduler *scheduler)
{
    size_t i;
    bool last;

    if (!scheduler)
        return;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->stop = true;
    pthread_cond_signal(&scheduler->work);
    pthread_mutex_unlock(&scheduler->lock);
    pthread_join(scheduler->thread, NULL);
    for (i = 0; i < scheduler->sequences; i++)
        den_session_destroy(scheduler->slots[i].session);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->gone = true;
    last = scheduler->jobs == 0;
    pthread_mutex_unlock(&scheduler->lock);
    if (last)
        free_scheduler(scheduler);
}

enum den_status den_scheduler_submit(struct den_scheduler *scheduler,
                                     const struct den_job_options *options, struct den_job **out,
                                     struct den_error *err)
{
    size_t prompt_count = options->generation.prompt_count;
    size_t context = den_engine_context(scheduler->engine);
    struct den_job *job;

    if (prompt_count == 0)
        return den_fail(err, DEN_INVALID, "the prompt is empty; it needs at least one token");
    if (prompt_count >= context)
        return den_fail(err, DEN_CONTEXT_FULL,
                        "the prompt has %zu tokens, but the context holds %zu and the answer needs "
                        "at least one; shorten the prompt%s",
                        prompt_count, context,
                        context < den_engine_description(scheduler->engine)->context_tokens
                            ? " or start with a larger context"
                            : ", the model can hold no more");
    if (den_job_create(scheduler, options, &job, err) != DEN_OK)
        return err->status;
    job->submitted_at = den_clock_seconds();
    pthread_mutex_lock(&scheduler->lock);
    if (scheduler->stop) {
        den_fail(err, DEN_BUSY, "the server is stopping");
    } else if (scheduler->waiting >= DEN_REQUESTS_WAITING_MAX && !options->again) {
        den_fail(err, DEN_BUSY, "%zu requests are waiting already; try again later",
                 scheduler->waiting);
    } else {
        *out = job;
        scheduler->jobs++;
        push_job(scheduler, job);
        pthread_cond_signal(&scheduler->work);
    }
    pthread_mutex_unlock(&scheduler->lock);
    if (err->status != DEN_OK)
        den_job_free(job);
    return err->status;
}

void den_job_cancel(struct den_job *job)
{
    struct den_scheduler *scheduler = job->scheduler;

    pthread_mutex_lock(&scheduler->lock);
    job->cancelled = true;
    if (job->generation)
        den_generation_cancel(job->generation);
    pthread_cond_signal(&scheduler->work);
    pthread_mutex_unlock(&scheduler->lock);
}

void den_job_release(struct den_job *job)
{
    struct den_scheduler *scheduler;
    bool last;

    if (!job)
        return;
    scheduler = job->scheduler;
    den_job_cancel(job);
    pthread_mutex_lock(&scheduler->lock);
    while (!job->ended)
        pthread_cond_wait(&scheduler->ended, &scheduler->lock);
    last = --scheduler->jobs == 0 && scheduler->gone;
    pthread_mutex_unlock(&scheduler->lock);
    den_job_free(job);
    if (last)
        free_scheduler(scheduler);
}
