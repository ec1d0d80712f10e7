/* Scheduler: many requests, one engine, one thread.
 *
 * Jobs are taken in the order they came, interactive ones before batch ones. Up to `sequences`
 * run at once, one batch a step (continuous batching: a job joins and leaves between any two
 * steps); the others wait in a line of bounded length. What any job has read is found by the next
 * one that begins alike (engine/prefix_reuse.h); a job is given the idle session whose last page it
 * continues, so that the next turn of a conversation reads only what is new. With nothing to do
 * the thread sleeps.
 *
 * Everything a caller may do is safe from any thread. Callbacks run on the scheduler's thread, in
 * order, with no lock held: they must not block, because everybody else's tokens wait for them.
 * They may cancel jobs, but not release them. */
#ifndef DEN_SCHEDULE_SCHEDULER_H
#define DEN_SCHEDULE_SCHEDULER_H

#include "engine/generation.h"
#include "engine/prefix_keep.h"

struct den_scheduler;
struct den_job;

/* How a job ended. `result` is NULL when it never began; `error` is set when it failed. */
struct den_job_end {
    enum den_finish finish;
    const struct den_generation_result *result;
    const struct den_error *error;
    double wait_seconds; /* in line */
};

struct den_job_options {
    struct den_generation_options generation; /* copied, what it points to included but for the
                                                 constraint */
    bool batch;                               /* begins only when no interactive job waits */
    bool again; /* has been let in before: the line is not too long for it */
    /* called when it leaves the line to run; NULL: nobody wants to know */
    void (*on_begin)(void *context);
    /* called exactly once, last; with the context of `generation` */
    void (*on_end)(void *context, const struct den_job_end *end);
};

/* The engine must outlive the scheduler and be driven by nobody else; it must allow `sequences`
 * sessions. */
enum den_status den_scheduler_create(struct den_engine *engine, size_t sequences,
                                     struct den_scheduler **out, struct den_error *err);
/* Ends all jobs as cancelled and joins the thread. Jobs must still be released, before or after. */
void den_scheduler_destroy(struct den_scheduler *scheduler);

/* DEN_CONTEXT_FULL for a prompt that leaves no room for an answer; DEN_BUSY when
 * DEN_REQUESTS_WAITING_MAX jobs are in line. *out is set before the first callback. */
enum den_status den_scheduler_submit(struct den_scheduler *scheduler,
                                     const struct den_job_options *options, struct den_job **out,
                                     struct den_error *err);
/* Within one token on_end() follows, unless it came already. */
void den_job_cancel(struct den_job *job);
/* Cancels, waits for the return of on_end(), frees. */
void den_job_release(struct den_job *job);

#endif
