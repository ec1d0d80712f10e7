/* See jobs.h. A claim is a place in a small table, found by the database's order of tasks and given
 * out under one lock; the database is not written for it. */
#include "desk/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/jobs_parts.h"
#include "desk/threads_parts.h"
#include "store/database_copy.h"

enum den_status den_jobs_open(struct den_database *database, struct den_events *events,
                              struct den_jobs **out, struct den_error *err)
{
    struct den_jobs *jobs = calloc(1, sizeof *jobs);

    if (!jobs)
        return den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    jobs->database = database;
    jobs->events = events;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->added, NULL);
    *out = jobs;
    return DEN_OK;
}

void den_jobs_close(struct den_jobs *jobs)
{
    if (!jobs)
        return;
    pthread_cond_destroy(&jobs->added);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

/* --- what users ask --- */

static enum den_status read_all(struct den_jobs *jobs, struct den_connection *connection,
                                json_t *list, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT " DEN_JOB_COLUMNS " FROM jobs j LEFT JOIN tasks t ON t.job = j.row "
                    "WHERE j.kind IN ('add', 'watch') GROUP BY j.row ORDER BY j.row DESC",
                    "");
    while (den_query_next(&query, err))
        if (json_array_append_new(list, den_job_row_json(jobs, &query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    den_query_end(&query);
    return err->status;
}

enum den_status den_jobs_list(struct den_jobs *jobs, json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    json_t *list;

    if (den_database_read(jobs->database, &connection, err) != DEN_OK)
        return err->status;
    list = json_array();
    read_all(jobs, connection, list, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = json_pack("{s:O}", "jobs", list);
    json_decref(list);
    return err->status;
}

enum den_status den_job_get(struct den_jobs *jobs, const char *id, json_t **out,
                            struct den_error *err)
{
    struct den_connection *connection;
    json_t *job = NULL, *tasks = NULL, *passed = NULL;
    char state[16];
    int64_t row = 0;

    if (den_database_read(jobs->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_job_find(connection, id, &row, state, err) == DEN_OK &&
        den_job_json(jobs, connection, row, &job, err) == DEN_OK &&
        den_job_tasks_json(jobs, connection, row, &tasks, err) == DEN_OK &&
        den_job_passed_json(connection, row, &passed, err) == DEN_OK &&
        (json_object_set(job, "tasks", tasks) != 0 ||
         json_object_set(job, "passed_over", passed) != 0))
        den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    if (den_connection_end(connection, err) == DEN_OK)
        *out = job;
    else
        json_decref(job);
    json_decref(tasks);
    json_decref(passed);
    return err->status;
}

/* What is being run of the job ends early, and waits again. */
static void interrupt(struct den_jobs *jobs, int64_t job)
{
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i] && jobs->claims[i]->job == job)
            atomic_store(&jobs->claims[i]->cancel, true);
    pthread_mutex_unlock(&jobs->lock);
}

void den_jobs_added(struct den_jobs *jobs, int64_t job)
{
    den_jobs_changed(jobs, job);
    pthread_mutex_lock(&jobs->lock);
    pthread_cond_broadcast(&jobs->added);
    pthread_mutex_unlock(&jobs->lock);
}

enum den_status den_job_set(struct den_jobs *jobs, const char *id, const char *state, json_t **out,
                            struct den_error *err)
{
    const bool is_pause = strcmp(state, "paused") == 0;
    struct den_connection *connection;
    json_t *job = NULL;
    char before[16];
    int64_t row = 0;

    if (!is_pause && strcmp(state, "running") != 0)
        return den_fail(err, DEN_INVALID, "'state' must be \"paused\" or \"running\"");
    if (den_database_write(jobs->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_job_find(connection, id, &row, before, err) == DEN_OK &&
        den_execute(connection, err,
                    "UPDATE jobs SET state = CASE WHEN ?2 = 'paused' THEN 'paused' WHEN started IS "
                    "NULL THEN 'waiting' ELSE 'running' END "
                    "WHERE row = ?1 AND state IN ('waiting', 'running', 'paused')",
                    "it", row, state) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_IN_USE, "the job has ended: it is %s", before);
    if (err->status == DEN_OK)
        den_job_json(jobs, connection, row, &job, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(job);
        return err->status;
    }
    if (is_pause)
        interrupt(jobs, row);
    den_jobs_added(jobs, row);
    *out = job;
    return DEN_OK;
}

/* Documents that were to be read again keep what was read before ... */
#define SPARE_DOCUMENTS                                                                            \
    "UPDATE documents SET state = CASE WHEN items > 0 THEN 'embedding' ELSE 'ready' END WHERE "    \
    "state IN ('waiting', 'reading') AND parts > 0 AND row IN (SELECT document FROM tasks WHERE "  \
    "job = ? AND state = 'cancelled')"
/* ... and those that were to be read by the job, and are not, say so. */
#define CANCEL_DOCUMENTS                                                                           \
    "UPDATE documents SET state = 'failed', error_code = 'cancelled', error_message = 'it was "    \
    "cancelled before it was read' WHERE state IN ('waiting', 'reading') AND row IN (SELECT "      \
    "document FROM tasks WHERE job = ? AND state = 'cancelled')"

enum den_status den_jobs_cancel(struct den_jobs *jobs, const char *id, struct den_error *err)
{
    struct den_connection *connection;
    char state[16] = "";
    int64_t row = 0;

    if (den_database_write(jobs->database, &connection, err) != DEN_OK)
        return err->status;
    den_job_find(connection, id, &row, state, err);
    den_execute(connection, err, "DELETE FROM jobs WHERE row = ? AND ended IS NOT NULL", "i", row);
    den_execute(connection, err,
                "UPDATE tasks SET state = 'cancelled' WHERE job = ? AND state = 'waiting'", "i",
                row);
    den_execute(connection, err, SPARE_DOCUMENTS, "i", row);
    den_execute(connection, err, CANCEL_DOCUMENTS, "i", row);
    den_execute(connection, err,
                "UPDATE jobs SET state = 'cancelled', ended = ?2, fields = json_remove(fields, "
                "'$.unlisted') WHERE row = ?1",
                "ii", row, den_clock_unix_ms());
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    interrupt(jobs, row);
    den_jobs_changed(jobs, row);
    return DEN_OK;
}

enum den_status den_job_retry(struct den_jobs *jobs, const char *id, json_t **out,
                              struct den_error *err)
{
    struct den_connection *connection;
    json_t *job = NULL;
    char state[16];
    int64_t row = 0;

    if (den_database_write(jobs->database, &connection, err) != DEN_OK)
        return err->status;
    den_job_find(connection, id, &row, state, err);
    den_execute(connection, err,
                "UPDATE documents SET state = 'waiting', error_code = NULL, error_message = NULL "
                "WHERE state = 'failed' AND row IN (SELECT document FROM tasks WHERE job = ? AND "
                "state IN ('failed', 'cancelled'))",
                "i", row);
    den_execute(connection, err,
                "UPDATE tasks SET state = 'waiting', error_code = NULL, error_message = NULL "
                "WHERE job = ? AND state IN ('failed', 'cancelled')",
                "i", row);
    if (err->status == DEN_OK && den_connection_changes(connection) > 0)
        den_execute(connection, err,
                    "UPDATE jobs SET state = 'waiting', started = NULL, ended = NULL, error = NULL "
                    "WHERE row = ? AND state <> 'paused'",
                    "i", row);
    if (err->status == DEN_OK)
        den_job_json(jobs, connection, row, &job, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(job);
        return err->status;
    }
    den_jobs_added(jobs, row);
    *out = job;
    return DEN_OK;
}

/* --- claims; the lock is held --- */

static int64_t claimed_row(const struct den_jobs *jobs, size_t place)
{
    return jobs->claims[place] ? jobs->claims[place]->row : -1;
}

static bool is_being_listed(const struct den_jobs *jobs, int64_t job)
{
    size_t i;

    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i] && jobs->claims[i]->row == 0 && jobs->claims[i]->job == job)
            return true;
    return false;
}

/* ?1 below this job it is not looked; ?2, ?3, ?4: claimed. A job whose paths are not listed yet
 * gives one row without a task. */
#define NEXT_SQL                                                                                   \
    "SELECT t.row, j.row, t.document, t.name, t.address, j.fields, t.bytes, j.started FROM jobs "  \
    "j "                                                                                           \
    "LEFT JOIN tasks t ON t.job = j.row AND t.state = 'waiting' AND t.row NOT IN (?2, ?3, ?4) "    \
    "AND json_extract(j.fields, '$.unlisted') IS NULL "                                            \
    "WHERE j.state IN ('waiting', 'running') AND j.kind IN ('add', 'watch') AND j.row > ?1 AND "   \
    "(t.row IS NOT NULL OR json_extract(j.fields, '$.unlisted') IS NOT NULL) "                     \
    "ORDER BY j.row, t.row LIMIT 4"

_Static_assert(DEN_JOB_CLAIMS_MAX == 3, "NEXT_SQL leaves out as many tasks as can be claimed");

static struct den_task *make_task(struct den_query *query, struct den_error *err)
{
    struct den_task *task = calloc(1, sizeof *task);

    if (!task)
        goto fail;
    task->row = den_query_integer(query, 0);
    task->job = den_query_integer(query, 1);
    task->document = den_query_integer(query, 2);
    task->name = strdup(den_query_text(query, 3));
    task->address = strdup(den_query_text(query, 4));
    task->fields = den_value_json(query, 5);
    task->bytes = (uint64_t)den_query_integer(query, 6);
    if (task->name && task->address && task->fields)
        return task;
    free(task->name);
    free(task->address);
    json_decref(task->fields);
    free(task);
fail:
    den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    return NULL;
}

static enum den_status find_next(struct den_jobs *jobs, struct den_connection *connection,
                                 int64_t after, struct den_task **out, bool *out_is_new,
                                 struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, NEXT_SQL, "iiii", after, claimed_row(jobs, 0),
                    claimed_row(jobs, 1), claimed_row(jobs, 2));
    while (!*out && den_query_next(&query, err)) {
        if (den_query_is_null(&query, 0) && is_being_listed(jobs, den_query_integer(&query, 1)))
            continue;
        *out = make_task(&query, err);
        *out_is_new = den_query_is_null(&query, 7);
    }
    den_query_end(&query);
    return err->status;
}

static void free_task(struct den_task *task)
{
    if (!task)
        return;
    free(task->name);
    free(task->address);
    json_decref(task->fields);
    free(task);
}

/* The next job's turn, from the one after the last. */
static struct den_task *take_next(struct den_jobs *jobs, struct den_connection *connection,
                                  bool *out_is_new)
{
    struct den_error err = { 0 };
    struct den_task *task = NULL;
    size_t place = 0;

    while (place < DEN_JOB_CLAIMS_MAX && jobs->claims[place])
        place++;
    if (place == DEN_JOB_CLAIMS_MAX)
        return NULL;
    if (find_next(jobs, connection, jobs->last_job, &task, out_is_new, &err) == DEN_OK && !task &&
        jobs->last_job > 0)
        find_next(jobs, connection, 0, &task, out_is_new, &err);
    if (err.status != DEN_OK) {
        free_task(task);
        return NULL;
    }
    if (task) {
        jobs->claims[place] = task;
        jobs->last_job = task->job;
    }
    return task;
}

static void mark_started(struct den_jobs *jobs, int64_t job)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(jobs->database, &connection, &err) != DEN_OK)
        return;
    den_execute(connection, &err,
                "UPDATE jobs SET state = 'running', started = coalesce(started, ?2) "
                "WHERE row = ?1 AND state = 'waiting'",
                "ii", job, den_clock_unix_ms());
    den_connection_end(connection, &err);
    den_jobs_changed(jobs, job);
}

/* Tasks that another program added are seen within seconds. */
static void wait_for_more(struct den_jobs *jobs)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    if (!jobs->is_stopping) /* it may have begun to while the lock was open */
        pthread_cond_timedwait(&jobs->added, &jobs->lock, &until);
}

/* A task carries row numbers: from before it is found until it is released the database is not to
 * be replaced. Who has a connection may wait for the lock (jobs are shown within a transaction), so
 * none is waited for under it. */
static struct den_task *hold_next(struct den_jobs *jobs, bool *out_is_new)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_task *task = NULL;
    bool is_read;

    if (!den_database_hold(jobs->database))
        return NULL;
    pthread_mutex_unlock(&jobs->lock);
    is_read = den_database_read(jobs->database, &connection, &err) == DEN_OK;
    pthread_mutex_lock(&jobs->lock);
    if (is_read && !jobs->is_stopping)
        task = take_next(jobs, connection, out_is_new);
    if (is_read)
        den_connection_end(connection, &err);
    if (!task)
        den_database_let_go(jobs->database);
    return task;
}

bool den_jobs_claim(struct den_jobs *jobs, struct den_task **out)
{
    struct den_task *task = NULL;
    bool is_new = false;

    pthread_mutex_lock(&jobs->lock);
    while (!jobs->is_stopping && (task = hold_next(jobs, &is_new)) == NULL)
        wait_for_more(jobs);
    pthread_mutex_unlock(&jobs->lock);
    if (task && is_new)
        mark_started(jobs, task->job);
    *out = task;
    return task != NULL;
}

void den_jobs_release(struct den_jobs *jobs, struct den_task *task)
{
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i] == task)
            jobs->claims[i] = NULL;
    pthread_cond_broadcast(&jobs->added);
    pthread_mutex_unlock(&jobs->lock);
    den_jobs_changed(jobs, task->job);
    free_task(task);
    den_database_let_go(jobs->database);
}

void den_jobs_interrupt(struct den_jobs *jobs)
{
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i])
            atomic_store(&jobs->claims[i]->cancel, true);
    pthread_mutex_unlock(&jobs->lock);
}

void den_jobs_stop(struct den_jobs *jobs)
{
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    jobs->is_stopping = true;
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i])
            atomic_store(&jobs->claims[i]->cancel, true);
    pthread_cond_broadcast(&jobs->added);
    pthread_mutex_unlock(&jobs->lock);
}
