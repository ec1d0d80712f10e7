/* The queue of reports: one thread that runs one report after the other, step by step.
 *
 * What is to be done is asked of the database before each step, so that a pause, a removal and a
 * restart all come to the same: the thread finds something else there. A step that runs meanwhile
 * is ended early; what it would have written is asked again. Several programs may use the database:
 * the one that holds the lock `den.db.reporting` runs the reports, and the others look every two
 * seconds whether it has become free. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "desk/report_parts.h"
#include "desk/threads_parts.h"
#include "store/database_copy.h"

enum { LOOK_SECONDS = 2 /* for reports that another program added, and for the lock */ };

static bool take_lock(struct den_reports *reports)
{
    char path[DEN_PATH_BYTES_MAX + 16];

    if (reports->lock_fd >= 0)
        return true;
    snprintf(path, sizeof path, "%s.reporting", den_database_path(reports->database));
    reports->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (reports->lock_fd >= 0 && flock(reports->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        close(reports->lock_fd);
        reports->lock_fd = -1;
    }
    return reports->lock_fd >= 0;
}

/* Until there is news, two seconds have passed, or all ends; false: it ends. */
static bool wait_for_news(struct den_reports *reports)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_SECONDS;
    pthread_mutex_lock(&reports->lock);
    while (!reports->is_closing && !reports->has_news &&
           pthread_cond_timedwait(&reports->wake, &reports->lock, &until) != ETIMEDOUT)
        ;
    reports->has_news = false;
    goes_on = !reports->is_closing;
    pthread_mutex_unlock(&reports->lock);
    return goes_on;
}

enum den_status den_report_go_on(struct den_report *report, struct den_error *err)
{
    bool wants_stop;

    pthread_mutex_lock(&report->reports->lock);
    wants_stop = report->reports->wants_stop;
    pthread_mutex_unlock(&report->reports->lock);
    return wants_stop ? den_fail(err, DEN_CANCELLED, "the report was interrupted") : DEN_OK;
}

/* --- one step --- */

/* The first that is not done; row 0: all are. DEN_CANCELLED: the report is not to run any more. */
static enum den_status next_step(struct den_report *report, struct den_report_step *out,
                                 struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(report->reports->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT s.row, s.kind, s.document, s.level, s.input FROM jobs j LEFT JOIN "
                    "report_steps s ON s.job = j.row AND s.output IS NULL "
                    "WHERE j.row = ? AND j.state = 'running' ORDER BY s.row LIMIT 1",
                    "i", report->row);
    if (den_query_next(&query, err)) {
        out->row = den_query_integer(&query, 0);
        out->level = den_query_integer(&query, 3);
        out->input = den_value_json(&query, 4);
        snprintf(out->kind, sizeof out->kind, "%s", den_query_text(&query, 1));
        snprintf(out->document, sizeof out->document, "%s", den_query_text(&query, 2));
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_CANCELLED, "the report was paused or removed");
    }
    den_query_end(&query);
    return den_connection_end(connection, err);
}

static enum den_status keep_output(struct den_report *report, int64_t step, const json_t *output,
                                   struct den_error *err)
{
    struct den_connection *connection;
    char *text = NULL;

    if (den_json_text(output, &text, err) == DEN_OK &&
        den_database_write(report->reports->database, &connection, err) == DEN_OK) {
        den_execute(connection, err, "UPDATE report_steps SET output = ? WHERE row = ?", "ti", text,
                    step);
        den_connection_end(connection, err);
    }
    free(text);
    return err->status;
}

static enum den_status run_step(struct den_report *report, const struct den_report_step *step,
                                struct den_error *err)
{
    json_t *output = NULL;

    if (report->kind->run(report, step, &output, err) == DEN_OK)
        keep_output(report, step->row, output, err);
    json_decref(output);
    if (err->status == DEN_OK)
        den_report_tell(report->reports, report->row, false);
    return err->status;
}

/* --- one report --- */

static enum den_status make_result(struct den_report *report, json_t **out, struct den_error *err)
{
    struct den_connection *connection;

    if (report->kind->finish)
        return report->kind->finish(report, out, err);
    if (den_database_read(report->reports->database, &connection, err) != DEN_OK)
        return err->status;
    report->kind->result(connection, report->row, report->fields, out, err);
    return den_connection_end(connection, err);
}

/* The result is kept, the steps have done their service. */
static enum den_status finish(struct den_report *report, struct den_error *err)
{
    struct den_connection *connection;
    json_t *result = NULL;
    char *text = NULL;

    if (make_result(report, &result, err) == DEN_OK &&
        den_json_text(result, &text, err) == DEN_OK &&
        den_database_write(report->reports->database, &connection, err) == DEN_OK) {
        den_execute(connection, err,
                    "UPDATE jobs SET state = 'done', ended = ?2, result = ?3, error = NULL, "
                    "fields = json_set(fields, '$.plan.steps', (SELECT count(*) FROM report_steps "
                    "WHERE job = ?1)) WHERE row = ?1 AND state = 'running'",
                    "iit", report->row, den_clock_unix_ms(), text);
        if (err->status == DEN_OK && den_connection_changes(connection) == 0)
            den_fail(err, DEN_CANCELLED, "the report was paused or removed");
        den_execute(connection, err, "DELETE FROM report_steps WHERE job = ?", "i", report->row);
        den_connection_end(connection, err);
    }
    free(text);
    json_decref(result);
    return err->status;
}

static enum den_status run_steps(struct den_report *report, struct den_error *err)
{
    while (den_report_go_on(report, err) == DEN_OK) {
        struct den_report_step step = { 0 };
        bool has_more = false;

        if (next_step(report, &step, err) == DEN_OK && step.row != 0)
            run_step(report, &step, err);
        else if (err->status == DEN_OK && report->kind->more)
            report->kind->more(report, &has_more, err);
        if (err->status == DEN_OK && step.row == 0 && !has_more) {
            den_report_step_deinit(&step);
            return finish(report, err);
        }
        den_report_step_deinit(&step);
    }
    return err->status;
}

static enum den_status fail_report(struct den_report *report, const struct den_error *reason)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(report->reports->database, &connection, &err) != DEN_OK)
        return err.status;
    den_execute(connection, &err,
                "UPDATE jobs SET state = 'failed', ended = ?2, error = ?3 WHERE row = ?1 AND state "
                "IN ('waiting', 'running')",
                "iit", report->row, den_clock_unix_ms(), reason->message);
    return den_connection_end(connection, &err);
}

/* False: it stays as it is for now, because it was interrupted or the database can't be written. */
static bool run_report(struct den_report *report)
{
    struct den_error err = { 0 };
    bool is_settled = true;

    if (json_is_object(json_object_get(report->fields, "plan")) ||
        report->kind->plan(report, &err) == DEN_OK) {
        den_report_tell(report->reports, report->row, true);
        run_steps(report, &err);
    }
    if (err.status == DEN_CANCELLED)
        is_settled = false;
    else if (err.status != DEN_OK)
        is_settled = fail_report(report, &err) == DEN_OK;
    den_report_tell(report->reports, report->row, true);
    return is_settled;
}

/* --- which one --- */

static enum den_status read_report(struct den_connection *connection, struct den_report *out,
                                   int64_t *out_done, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT j.row, j.id, j.kind, j.fields, (SELECT count(*) FROM report_steps s "
                    "WHERE s.job = j.row AND s.output IS NOT NULL) FROM jobs j WHERE "
                    "j.state IN ('waiting', 'running') AND j.kind IN " DEN_REPORT_KINDS
                    " ORDER BY j.row LIMIT 1",
                    "");
    if (den_query_next(&query, err)) {
        out->row = den_query_integer(&query, 0);
        snprintf(out->id, sizeof out->id, "%s", den_query_text(&query, 1));
        out->kind = den_report_kind_find(den_query_text(&query, 2));
        out->fields = den_value_json(&query, 3);
        *out_done = den_query_integer(&query, 4);
    }
    den_query_end(&query);
    return err->status;
}

/* The oldest that is to run, marked as running; row 0: there is none. */
static void find_report(struct den_reports *reports, struct den_report *out)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    int64_t done = 0;

    *out = (struct den_report){ .reports = reports };
    if (den_database_write(reports->database, &connection, &err) != DEN_OK)
        return;
    read_report(connection, out, &done, &err);
    if (out->row != 0)
        den_execute(connection, &err,
                    "UPDATE jobs SET state = 'running', started = coalesce(started, ?2) "
                    "WHERE row = ?1",
                    "ii", out->row, den_clock_unix_ms());
    if (den_connection_end(connection, &err) != DEN_OK || !out->kind ||
        !json_is_object(out->fields)) {
        json_decref(out->fields);
        *out = (struct den_report){ .reports = reports };
        return;
    }
    pthread_mutex_lock(&reports->lock);
    reports->running = out->row;
    reports->wants_stop = reports->is_closing;
    reports->since = den_clock_seconds();
    reports->since_done = done;
    pthread_mutex_unlock(&reports->lock);
}

/* False: there is none that can be run now. */
static bool run_next(struct den_reports *reports)
{
    struct den_report report;
    bool is_settled;

    /* rows are numbers: the database is not to be replaced by a backup meanwhile */
    if (!den_database_hold(reports->database))
        return false;
    find_report(reports, &report);
    if (report.row == 0) {
        den_database_let_go(reports->database);
        return false;
    }
    is_settled = run_report(&report);
    den_database_let_go(reports->database);
    pthread_mutex_lock(&reports->lock);
    reports->running = 0;
    pthread_mutex_unlock(&reports->lock);
    json_decref(report.fields);
    return is_settled;
}

static void *run_queue(void *context)
{
    struct den_reports *reports = context;

    do {
        while (take_lock(reports) && run_next(reports))
            ;
    } while (wait_for_news(reports));
    return NULL;
}

/* --- for reports.c --- */

enum den_status den_report_queue_start(struct den_reports *reports, struct den_error *err)
{
    if (pthread_create(&reports->thread, NULL, run_queue, reports) != 0)
        return den_fail(err, DEN_NO_MEMORY, "reports: no thread can be started");
    reports->has_thread = true;
    return DEN_OK;
}

static void wake(struct den_reports *reports)
{
    reports->has_news = true;
    pthread_cond_broadcast(&reports->wake);
}

static void stop(struct den_reports *reports)
{
    reports->wants_stop = true;
    if (reports->ticket)
        reports->source.cancel(reports->ticket);
    wake(reports);
}

void den_report_queue_stop(struct den_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    reports->is_closing = true;
    stop(reports);
    pthread_mutex_unlock(&reports->lock);
    if (reports->has_thread)
        pthread_join(reports->thread, NULL);
    if (reports->lock_fd >= 0)
        close(reports->lock_fd);
}

void den_report_queue_wake(struct den_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    wake(reports);
    pthread_mutex_unlock(&reports->lock);
}

void den_reports_interrupt(struct den_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    if (reports->running != 0)
        stop(reports);
    pthread_mutex_unlock(&reports->lock);
}

void den_report_queue_interrupt(struct den_reports *reports, int64_t row)
{
    pthread_mutex_lock(&reports->lock);
    if (reports->running == row)
        stop(reports);
    else
        wake(reports);
    pthread_mutex_unlock(&reports->lock);
}
