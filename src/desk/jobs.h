/* Jobs: work that was asked for, and goes on where it stopped when Den starts again.
 *
 * A job is what a user asked for ("add these files"), its tasks are files, one each. Both are rows:
 * what is waiting survives the program, and a task counts as done in the same transaction that
 * keeps what it made, so that nothing is done twice. A task that fails does not stop the rest. Jobs
 * take turns, one task each, so that a single file need not wait for a folder of thousands.
 *
 * Which tasks are being run is known in memory only (a claim): a program that dies leaves them
 * waiting. One Den at a time runs the tasks of a database; others may add to them.
 *
 * As JSON: {id, kind, title, state, created, started, ended, total, done, failed, skipped,
 * bytes_total, bytes_done, files_per_s, seconds_left, error, workspace}; those who listen hear
 * "job" when one changes, four times a second at most. */
#ifndef DEN_DESK_JOBS_H
#define DEN_DESK_JOBS_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_connection;
struct den_database;
struct den_documents;
struct den_events;
struct den_jobs;

/* `events` may be NULL. */
enum den_status den_jobs_open(struct den_database *database, struct den_events *events,
                              struct den_jobs **out, struct den_error *err);
/* No task may be claimed. */
void den_jobs_close(struct den_jobs *jobs);

/* {"jobs": [job]}, the newest first. */
enum den_status den_jobs_list(struct den_jobs *jobs, json_t **out, struct den_error *err);
/* With "tasks": those that failed or run: [{name, state, error, document}]; and "passed_over", what
 * was skipped and why: {there, unknown, tasks: [{name, error, document, kept_as}]}. */
enum den_status den_job_get(struct den_jobs *jobs, const char *id, json_t **out,
                            struct den_error *err);
/* `state` is "paused" or "running". DEN_IN_USE where it has ended. */
enum den_status den_job_set(struct den_jobs *jobs, const char *id, const char *state, json_t **out,
                            struct den_error *err);
/* Cancels what has not ended; what has ended is forgotten. Documents that were read stay. */
enum den_status den_jobs_cancel(struct den_jobs *jobs, const char *id, struct den_error *err);
/* Its failed and cancelled tasks again; one document alone: den_ingest_retry(). */
enum den_status den_job_retry(struct den_jobs *jobs, const char *id, json_t **out,
                              struct den_error *err);

/* --- adding work, inside the caller's transaction; den_jobs_added() after its commit --- */

struct den_job_row {
    const char *kind; /* "add", "watch" */
    const char *title;
    const json_t *fields; /* {"workspace", "thread", "tags", "origin" ...} */
    bool joins;           /* an unfinished job of the same kind and fields takes the tasks */
};
enum den_status den_job_open(struct den_connection *connection, const struct den_job_row *job,
                             int64_t *out_row, struct den_error *err);
struct den_task_row {
    int64_t job;
    int64_t document;           /* 0: found by `address` */
    const char *name, *address; /* "": the document's original is read */
    uint64_t bytes;
};
enum den_status den_task_add(struct den_connection *connection, const struct den_task_row *task,
                             struct den_error *err);
void den_jobs_added(struct den_jobs *jobs, int64_t job);
/* The job as it is now. */
enum den_status den_job_json(struct den_jobs *jobs, struct den_connection *connection, int64_t row,
                             json_t **out, struct den_error *err);

/* --- doing it --- */

struct den_task {
    int64_t row; /* 0: the job's paths are to be listed */
    int64_t job, document;
    char *name, *address;
    json_t *fields; /* the job's */
    uint64_t bytes;
    atomic_uint permille; /* of its reading */
    atomic_bool cancel;   /* it is to be ended early: paused, cancelled, or the program ends */
};
/* Waits for a task; false: the jobs are stopping. Given back by den_jobs_release(). */
bool den_jobs_claim(struct den_jobs *jobs, struct den_task **out);
void den_jobs_release(struct den_jobs *jobs, struct den_task *task);
/* Ends early what is being run; it waits again. */
void den_jobs_interrupt(struct den_jobs *jobs);
/* Wakes all that wait in den_jobs_claim(), for good, and cancels what runs. */
void den_jobs_stop(struct den_jobs *jobs);

/* Inside a transaction. `state`: "running" (its document is being embedded), "done", "skipped" or
 * "failed" with `error`. Ends the job with its last task. */
enum den_status den_task_set(struct den_connection *connection, const struct den_task *task,
                             int64_t document, const char *state, const struct den_error *error,
                             struct den_error *err);
/* A task that failed waits again, and its job with it. */
enum den_status den_task_retry(struct den_connection *connection, int64_t task, int64_t job,
                               struct den_error *err);
/* The tasks that wait for the document's vectors are done; those of one that is deleted are
 * cancelled. */
enum den_status den_tasks_of_document(struct den_connection *connection, int64_t document,
                                      const char *state, struct den_error *err);
/* Ends all jobs in which nothing is left to do. */
enum den_status den_jobs_settle(struct den_connection *connection, struct den_error *err);
/* The job has no more paths to list; `error` NULL or DEN_OK: all went well. */
enum den_status den_job_listed(struct den_connection *connection, int64_t job,
                               const struct den_error *error, struct den_error *err);

/* How far a document's embedding is; 1000: no more to be told of. A few are remembered. */
void den_jobs_embedded(struct den_jobs *jobs, int64_t document, unsigned permille);

/* Those that have a task of the document are told of. */
void den_jobs_changed_by(struct den_jobs *jobs, struct den_connection *connection,
                         int64_t document);
/* After a commit that changed a job (0: some): it is told of at the next den_jobs_tell(). */
void den_jobs_changed(struct den_jobs *jobs, int64_t job);
void den_jobs_tell(struct den_jobs *jobs);

#endif
