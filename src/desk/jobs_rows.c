/* Jobs and tasks as rows: how they come into being and through which states they go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk/documents_parts.h"
#include "desk/jobs_parts.h"
#include "desk/threads_parts.h"

enum den_status den_job_find(struct den_connection *connection, const char *id, int64_t *out_row,
                             char out_state[16], struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row, state FROM jobs WHERE id = ? AND kind IN ('add', 'watch')", "t",
                    id);
    if (den_query_next(&query, err)) {
        *out_row = den_query_integer(&query, 0);
        snprintf(out_state, 16, "%s", den_query_text(&query, 1));
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "there is no job '%.64s'", den_id_is_valid(id) ? id : "");
    }
    den_query_end(&query);
    return err->status;
}

/* --- adding --- */

static enum den_status find_open(struct den_connection *connection, const struct den_job_row *job,
                                 const char *fields, int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row FROM jobs WHERE state IN ('waiting', 'running', 'paused') AND "
                    "kind = ? AND fields = ? ORDER BY row LIMIT 1",
                    "tt", job->kind, fields);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    den_query_end(&query);
    return err->status;
}

static enum den_status insert_job(struct den_connection *connection, const struct den_job_row *job,
                                  const char *fields, int64_t *out_row, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];

    if (den_id_make(id, err) != DEN_OK || den_jobs_prune(connection, err) != DEN_OK)
        return err->status;
    if (den_execute(connection, err,
                    "INSERT INTO jobs (id, kind, title, fields, state, created) "
                    "VALUES (?, ?, ?, ?, 'waiting', ?)",
                    "tttti", id, job->kind, job->title, fields, den_clock_unix_ms()) == DEN_OK)
        *out_row = den_connection_last_row(connection);
    return err->status;
}

enum den_status den_job_open(struct den_connection *connection, const struct den_job_row *job,
                             int64_t *out_row, struct den_error *err)
{
    char *fields = NULL;
    int64_t row = 0;

    if (den_json_text(job->fields, &fields, err) != DEN_OK)
        return err->status;
    if (job->joins)
        find_open(connection, job, fields, &row, err);
    if (err->status == DEN_OK && row == 0)
        insert_job(connection, job, fields, &row, err);
    free(fields);
    if (err->status == DEN_OK)
        *out_row = row;
    return err->status;
}

enum den_status den_task_add(struct den_connection *connection, const struct den_task_row *task,
                             struct den_error *err)
{
    return den_execute(connection, err,
                       "INSERT INTO tasks (job, document, name, address, bytes, state) "
                       "VALUES (?, nullif(?, 0), ?, ?, ?, 'waiting')",
                       "iitti", task->job, task->document, task->name, task->address,
                       (int64_t)task->bytes);
}

enum den_status den_job_listed(struct den_connection *connection, int64_t job,
                               const struct den_error *error, struct den_error *err)
{
    const bool has_failed = error && error->status != DEN_OK;

    den_execute(connection, err,
                "UPDATE jobs SET fields = json_remove(fields, '$.unlisted'), error = ?2 "
                "WHERE row = ?1",
                "it", job, has_failed ? error->message : NULL);
    return den_job_settle(connection, job, err);
}

enum den_status den_jobs_prune(struct den_connection *connection, struct den_error *err)
{
    return den_execute(connection, err,
                       "DELETE FROM jobs WHERE row IN (SELECT row FROM jobs WHERE ended IS NOT "
                       "NULL AND kind IN ('add', 'watch') ORDER BY row DESC LIMIT -1 OFFSET ?)",
                       "i", (int64_t)DEN_JOBS_KEPT_MAX);
}

/* --- states --- */

#define SETTLE_SQL                                                                                 \
    "UPDATE jobs SET ended = ?1, state = CASE WHEN (error IS NOT NULL OR EXISTS (SELECT 1 FROM "   \
    "tasks WHERE job = jobs.row AND state = 'failed')) AND NOT EXISTS (SELECT 1 FROM tasks WHERE " \
    "job = jobs.row AND state IN ('done', 'skipped')) THEN 'failed' ELSE 'done' END "              \
    "WHERE state IN ('waiting', 'running', 'paused') AND kind IN ('add', 'watch') AND "            \
    "json_extract(fields, '$.unlisted') IS NULL AND NOT EXISTS "                                   \
    "(SELECT 1 FROM tasks WHERE job = jobs.row AND state IN ('waiting', 'running'))"

enum den_status den_job_settle(struct den_connection *connection, int64_t job,
                               struct den_error *err)
{
    return den_execute(connection, err, SETTLE_SQL " AND row = ?2", "ii", den_clock_unix_ms(), job);
}

enum den_status den_jobs_settle(struct den_connection *connection, struct den_error *err)
{
    return den_execute(connection, err, SETTLE_SQL, "i", den_clock_unix_ms());
}

enum den_status den_task_set(struct den_connection *connection, const struct den_task *task,
                             int64_t document, const char *state, const struct den_error *error,
                             struct den_error *err)
{
    const bool has_failed = error && error->status != DEN_OK;

    den_execute(connection, err,
                "UPDATE tasks SET state = ?2, document = nullif(?3, 0), tries = tries + 1, "
                "error_code = ?4, error_message = ?5 WHERE row = ?1",
                "ititt", task->row, state, document,
                has_failed ? den_document_error_code(error->status) : NULL,
                has_failed ? error->message : NULL);
    return den_job_settle(connection, task->job, err);
}

enum den_status den_task_retry(struct den_connection *connection, int64_t task, int64_t job,
                               struct den_error *err)
{
    den_execute(connection, err,
                "UPDATE tasks SET state = 'waiting', error_code = NULL, error_message = NULL "
                "WHERE row = ?",
                "i", task);
    return den_execute(connection, err,
                       "UPDATE jobs SET state = 'waiting', started = NULL, ended = NULL, error = "
                       "NULL WHERE row = ? AND ended IS NOT NULL",
                       "i", job);
}

enum den_status den_tasks_of_document(struct den_connection *connection, int64_t document,
                                      const char *state, struct den_error *err)
{
    int64_t jobs[8]; /* a document has one task that runs, or two */
    size_t count = 0, i;
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT DISTINCT job FROM tasks WHERE document = ?1 AND (state = 'running' OR "
                    "(state = 'waiting' AND ?2 = 'cancelled')) LIMIT 8",
                    "it", document, state);
    while (den_query_next(&query, err))
        jobs[count++] = den_query_integer(&query, 0);
    den_query_end(&query);
    if (count > 0)
        den_execute(connection, err,
                    "UPDATE tasks SET state = ?2 WHERE document = ?1 AND (state = 'running' OR "
                    "(state = 'waiting' AND ?2 = 'cancelled'))",
                    "it", document, state);
    for (i = 0; i < count; i++)
        den_job_settle(connection, jobs[i], err);
    return err->status;
}
