/* Jobs as JSON: what they are for, how far they are, how fast they go, what failed. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk/events.h"
#include "desk/jobs_parts.h"
#include "desk/threads_parts.h"

static const double PACE_SECONDS = 30, TELL_SECONDS = 0.25;
enum { TELL_SHARE = 20 /* of the time at most one part goes into counting tasks */ };

static json_t *nullable(struct den_query *query, int column, bool is_text)
{
    if (den_query_is_null(query, column))
        return json_null();
    return is_text ? den_text_json(query, column) : json_integer(den_query_integer(query, column));
}

/* --- pace --- */

static struct den_job_pace *find_pace(struct den_jobs *jobs, int64_t job)
{
    struct den_job_pace *oldest = &jobs->paces[0];
    size_t i;

    for (i = 0; i < DEN_JOB_PACES_MAX; i++) {
        if (jobs->paces[i].job == job)
            return &jobs->paces[i];
        if (jobs->paces[i].job == 0 || jobs->paces[i].since < oldest->since)
            oldest = &jobs->paces[i];
    }
    *oldest = (struct den_job_pace){ 0 };
    return oldest;
}

struct speed {
    double files_per_s, bytes_per_s;
};

static struct speed measure(struct den_jobs *jobs, int64_t job, double done, double bytes)
{
    const double now = den_clock_seconds();
    struct den_job_pace *pace;
    struct speed speed = { 0 };

    pthread_mutex_lock(&jobs->lock);
    pace = find_pace(jobs, job);
    if (pace->job == 0 || done < pace->done)
        *pace = (struct den_job_pace){ job, now, now, done, done, bytes, bytes };
    if (now - pace->since > 0.1) {
        speed.files_per_s = (done - pace->done) / (now - pace->since);
        speed.bytes_per_s = (bytes - pace->bytes) / (now - pace->since);
    }
    if (now - pace->next_since > PACE_SECONDS)
        *pace = (struct den_job_pace){ job,  pace->next_since, now,  pace->next_done,
                                       done, pace->next_bytes, bytes };
    pthread_mutex_unlock(&jobs->lock);
    return speed;
}

/* --- within a file --- */

/* Reading a file counts as this much of its work, embedding it as the rest. */
static const double READING_SHARE = 0.3;

void den_jobs_embedded(struct den_jobs *jobs, int64_t document, unsigned permille)
{
    struct den_job_embedded *place = NULL;
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_EMBEDDED_MAX; i++)
        if (jobs->embedded[i].document == document || (!place && jobs->embedded[i].document == 0))
            place = &jobs->embedded[i];
    if (place)
        *place = (struct den_job_embedded){ permille < 1000 ? document : 0, permille };
    pthread_mutex_unlock(&jobs->lock);
}

/* Bytes of what is being read. */
static double count_read(struct den_jobs *jobs, int64_t job)
{
    double bytes = 0;
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        if (jobs->claims[i] && jobs->claims[i]->job == job)
            bytes += (double)jobs->claims[i]->bytes * atomic_load(&jobs->claims[i]->permille) /
                     1000 * READING_SHARE;
    pthread_mutex_unlock(&jobs->lock);
    return bytes;
}

/* Bytes of what is being embedded; a query for each of few documents. */
static double count_embedded(struct den_jobs *jobs, struct den_connection *connection, int64_t job)
{
    struct den_job_embedded embedded[DEN_JOB_EMBEDDED_MAX];
    struct den_error ignored = { 0 };
    double bytes = 0;
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    memcpy(embedded, jobs->embedded, sizeof embedded);
    pthread_mutex_unlock(&jobs->lock);
    for (i = 0; i < DEN_JOB_EMBEDDED_MAX; i++) {
        struct den_query query;

        if (embedded[i].document == 0)
            continue;
        den_query_start(&query, connection, &ignored,
                        "SELECT bytes FROM tasks WHERE document = ? AND job = ? AND state = "
                        "'running' LIMIT 1",
                        "ii", embedded[i].document, job);
        if (den_query_next(&query, &ignored))
            bytes += (double)den_query_integer(&query, 0) * embedded[i].permille / 1000 *
                     (1 - READING_SHARE);
        den_query_end(&query);
    }
    return bytes;
}

/* --- a job --- */

static json_t *seconds_left(const struct speed *speed, double files, double bytes, bool is_running)
{
    if (is_running && bytes > 0 && speed->bytes_per_s > 0)
        return json_integer((json_int_t)(bytes / speed->bytes_per_s + 0.5));
    if (is_running && speed->files_per_s > 0)
        return json_integer((json_int_t)(files / speed->files_per_s + 0.5));
    return json_null();
}

json_t *den_job_row_json(struct den_jobs *jobs, struct den_query *query)
{
    const bool is_running = strcmp(den_query_text(query, 4), "running") == 0;
    const int64_t total = den_query_integer(query, 10), done = den_query_integer(query, 11),
                  failed = den_query_integer(query, 12), skipped = den_query_integer(query, 13),
                  bytes = den_query_integer(query, 14), row = den_query_integer(query, 0);
    const int64_t ended = done + failed + skipped;
    int64_t bytes_done = den_query_integer(query, 15);
    struct speed speed = { 0 };
    json_t *job, *rest;

    if (is_running) {
        bytes_done +=
            (int64_t)(count_read(jobs, row) + count_embedded(jobs, query->connection, row));
        bytes_done = bytes_done < bytes ? bytes_done : bytes;
        speed = measure(jobs, row, (double)ended, (double)bytes_done);
    }
    job = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", den_text_json(query, 1),
                    "kind", den_text_json(query, 2), "title", den_text_json(query, 3), "state",
                    den_text_json(query, 4), "created", nullable(query, 5, false), "started",
                    nullable(query, 6, false), "ended", nullable(query, 7, false), "error",
                    nullable(query, 8, true), "workspace", nullable(query, 9, true));
    rest = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "total", (json_int_t)total, "done",
        (json_int_t)done, "failed", (json_int_t)failed, "skipped", (json_int_t)skipped,
        "bytes_total", (json_int_t)bytes, "bytes_done", (json_int_t)bytes_done, "files_per_s",
        (double)(int64_t)(speed.files_per_s * 100) / 100, "seconds_left",
        seconds_left(&speed, (double)(total - ended), (double)(bytes - bytes_done), is_running));
    if (!job || !rest || json_object_update(job, rest) != 0) {
        json_decref(job);
        job = NULL;
    }
    json_decref(rest);
    return job;
}

enum den_status den_job_json(struct den_jobs *jobs, struct den_connection *connection, int64_t row,
                             json_t **out, struct den_error *err)
{
    struct den_query query;
    json_t *job = NULL;

    den_query_start(&query, connection, err,
                    "SELECT " DEN_JOB_COLUMNS " FROM jobs j LEFT JOIN tasks t ON t.job = j.row "
                    "WHERE j.row = ? GROUP BY j.row",
                    "i", row);
    if (den_query_next(&query, err)) {
        job = den_job_row_json(jobs, &query);
        if (!job)
            den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "the job was removed meanwhile");
    }
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = job;
    return err->status;
}

/* --- its tasks --- */

static bool is_claimed(struct den_jobs *jobs, int64_t task)
{
    bool found = false;
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < DEN_JOB_CLAIMS_MAX; i++)
        found = found || (jobs->claims[i] && jobs->claims[i]->row == task);
    pthread_mutex_unlock(&jobs->lock);
    return found;
}

/* The code in that column, and the message in the next; null where there is none. */
static json_t *error_json(struct den_query *query, int column)
{
    if (den_query_is_null(query, column))
        return json_null();
    return json_pack("{s:o, s:o}", "code", den_text_json(query, column), "message",
                     den_text_json(query, column + 1));
}

static json_t *task_json(struct den_query *query, bool is_running)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "name", den_text_json(query, 1), "state",
                     is_running ? json_string("running") : den_text_json(query, 2), "error",
                     error_json(query, 3), "document", nullable(query, 5, true));
}

/* A claimed task is still "waiting" in its row. Claims are among the first that wait. */
enum den_status den_job_tasks_json(struct den_jobs *jobs, struct den_connection *connection,
                                   int64_t job, json_t **out, struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT t.row, t.name, t.state, t.error_code, t.error_message, d.id FROM "
                    "(SELECT * FROM (SELECT * FROM tasks WHERE job = ?1 AND state IN ('failed', "
                    "'running') LIMIT ?2) UNION ALL SELECT * FROM (SELECT * FROM tasks WHERE "
                    "job = ?1 AND state = 'waiting' ORDER BY row LIMIT ?3)) t "
                    "LEFT JOIN documents d ON d.row = t.document ORDER BY t.row",
                    "iii", job, (int64_t)DEN_JOB_TASKS_SHOWN_MAX, (int64_t)DEN_JOB_CLAIMS_MAX);
    while (den_query_next(&query, err)) {
        bool is_running = strcmp(den_query_text(&query, 2), "waiting") == 0;

        if (is_running && !is_claimed(jobs, den_query_integer(&query, 0)))
            continue;
        if (json_array_append_new(list, task_json(&query, is_running)) != 0)
            den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    }
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = list;
    else
        json_decref(list);
    return err->status;
}

/* Those with an error, or those without one, appended to `list`. */
static enum den_status add_passed(struct den_connection *connection, int64_t job, bool has_error,
                                  json_t *list, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT t.name, t.error_code, t.error_message, d.id, d.name FROM tasks t LEFT "
                    "JOIN documents d ON d.row = t.document WHERE t.job = ? AND t.state = "
                    "'skipped' AND (t.error_code IS NOT NULL) = ? ORDER BY t.row LIMIT ?",
                    "iii", job, (int64_t)has_error, (int64_t)DEN_JOB_PASSED_SHOWN_MAX);
    while (den_query_next(&query, err))
        if (json_array_append_new(
                list, json_pack("{s:o, s:o, s:o, s:o}", "name", den_text_json(&query, 0), "error",
                                error_json(&query, 1), "document", nullable(&query, 3, true),
                                "kept_as", nullable(&query, 4, true))) != 0)
            den_fail(err, DEN_NO_MEMORY, "jobs: out of memory");
    den_query_end(&query);
    return err->status;
}

enum den_status den_job_passed_json(struct den_connection *connection, int64_t job, json_t **out,
                                    struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;
    int64_t there = 0, unknown = 0;

    den_query_start(&query, connection, err,
                    "SELECT coalesce(sum(error_code IS NULL), 0), coalesce(sum(error_code IS NOT "
                    "NULL), 0) FROM tasks WHERE job = ? AND state = 'skipped'",
                    "i", job);
    if (den_query_next(&query, err)) {
        there = den_query_integer(&query, 0);
        unknown = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    if (err->status == DEN_OK && add_passed(connection, job, false, list, err) == DEN_OK &&
        add_passed(connection, job, true, list, err) == DEN_OK)
        *out = json_pack("{s:I, s:I, s:O}", "there", (json_int_t)there, "unknown",
                         (json_int_t)unknown, "tasks", list);
    json_decref(list);
    return err->status;
}

/* --- telling --- */

void den_jobs_changed(struct den_jobs *jobs, int64_t job)
{
    size_t i;

    pthread_mutex_lock(&jobs->lock);
    for (i = 0; i < jobs->changed_count && jobs->changed[i] != job; i++)
        ;
    if (job != 0 && i == jobs->changed_count && i < DEN_JOBS_TOLD_MAX)
        jobs->changed[jobs->changed_count++] = job;
    pthread_mutex_unlock(&jobs->lock);
}

void den_jobs_changed_by(struct den_jobs *jobs, struct den_connection *connection, int64_t document)
{
    struct den_error ignored = { 0 };
    struct den_query query;

    den_query_start(&query, connection, &ignored,
                    "SELECT DISTINCT job FROM tasks WHERE document = ?", "i", document);
    while (den_query_next(&query, &ignored))
        den_jobs_changed(jobs, den_query_integer(&query, 0));
    den_query_end(&query);
}

static void tell_one(struct den_jobs *jobs, struct den_connection *connection, int64_t row)
{
    struct den_error err = { 0 };
    json_t *job = NULL;

    if (den_job_json(jobs, connection, row, &job, &err) == DEN_OK)
        den_events_publish(jobs->events, NULL, "job", json_pack("{s:o}", "job", job));
}

void den_jobs_tell(struct den_jobs *jobs)
{
    const double begun = den_clock_seconds();
    struct den_connection *connection;
    int64_t rows[DEN_JOBS_TOLD_MAX];
    struct den_error err = { 0 };
    size_t count, i;

    pthread_mutex_lock(&jobs->lock);
    count = begun < jobs->tell_after ? 0 : jobs->changed_count;
    if (count > 0)
        jobs->changed_count = 0;
    memcpy(rows, jobs->changed, count * sizeof rows[0]);
    pthread_mutex_unlock(&jobs->lock);
    if (count == 0 || !jobs->events ||
        den_database_read(jobs->database, &connection, &err) != DEN_OK)
        return;
    for (i = 0; i < count; i++)
        tell_one(jobs, connection, rows[i]);
    den_connection_end(connection, &err);
    pthread_mutex_lock(&jobs->lock);
    jobs->tell_after = den_clock_seconds() + (den_clock_seconds() - begun) * TELL_SHARE;
    if (jobs->tell_after < begun + TELL_SECONDS)
        jobs->tell_after = begun + TELL_SECONDS;
    pthread_mutex_unlock(&jobs->lock);
}
