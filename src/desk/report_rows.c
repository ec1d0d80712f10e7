/* Reports and their steps as rows and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk/events.h"
#include "desk/report_parts.h"
#include "desk/threads_parts.h"

static const double TELL_SECONDS = 0.25;

void den_report_step_deinit(struct den_report_step *step)
{
    json_decref(step->input);
    json_decref(step->output);
    step->input = step->output = NULL;
}

const struct den_report_kind *den_report_kind_find(const char *name)
{
    static const struct den_report_kind *const kinds[] = { &den_report_summary,
                                                           &den_report_comparison,
                                                           &den_report_table };
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

/* --- a report --- */

/* From the steps that were done since it began to run; null while none was. */
static json_t *seconds_left(struct den_reports *reports, int64_t row, int64_t done, int64_t total)
{
    double seconds, steps;
    bool is_known;

    pthread_mutex_lock(&reports->lock);
    seconds = den_clock_seconds() - reports->since;
    steps = (double)(done - reports->since_done);
    is_known = reports->running == row && steps > 0;
    pthread_mutex_unlock(&reports->lock);
    if (!is_known)
        return json_null();
    return json_integer((json_int_t)(seconds / steps * (double)(total - done) + 0.5));
}

static json_t *nullable(struct den_query *query, int column, bool is_text)
{
    if (den_query_is_null(query, column))
        return json_null();
    return is_text ? den_text_json(query, column) : json_integer(den_query_integer(query, column));
}

static json_t *text_or_null(const json_t *fields, const char *key)
{
    const char *text = json_string_value(json_object_get(fields, key));

    return text && *text ? json_string(text) : json_null();
}

static json_t *list_of(const json_t *fields, const char *key)
{
    json_t *list = json_object_get(fields, key);

    return json_is_array(list) ? json_incref(list) : json_array();
}

/* How many steps there are and will be. Those of a report that has ended well are gone. */
static void count_steps(struct den_query *query, const json_t *fields, int64_t *out_total,
                        int64_t *out_done)
{
    const int64_t planned =
                      json_integer_value(json_object_get(json_object_get(fields, "plan"), "steps")),
                  kept = den_query_integer(query, 10);

    *out_total = planned > kept ? planned : kept;
    *out_done = strcmp(den_query_text(query, 4), "done") == 0 ? *out_total
                                                              : kept - den_query_integer(query, 11);
}

json_t *den_report_json(struct den_reports *reports, struct den_query *query)
{
    const bool is_running = strcmp(den_query_text(query, 4), "running") == 0;
    json_t *fields = den_value_json(query, 9), *report, *rest;
    const char *model = json_string_value(json_object_get(fields, "used"));
    int64_t total, done;

    count_steps(query, fields, &total, &done);
    report = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", den_text_json(query, 1),
                       "kind", den_text_json(query, 2), "title", den_text_json(query, 3), "state",
                       den_text_json(query, 4), "created", nullable(query, 5, false), "started",
                       nullable(query, 6, false), "ended", nullable(query, 7, false), "error",
                       nullable(query, 8, true));
    rest = json_pack(
        "{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "total", (json_int_t)total, "done",
        (json_int_t)done, "seconds_left",
        is_running ? seconds_left(reports, den_query_integer(query, 0), done, total) : json_null(),
        "workspace", text_or_null(fields, "workspace"), "model",
        text_or_null(fields, model ? "used" : "model"), "documents", list_of(fields, "documents"),
        "question", text_or_null(fields, "question"), "columns", list_of(fields, "columns"));
    if (!report || !rest || json_object_update(report, rest) != 0) {
        json_decref(report);
        report = NULL;
    }
    json_decref(rest);
    json_decref(fields);
    return report;
}

enum den_status den_report_read(struct den_reports *reports, struct den_connection *connection,
                                int64_t row, json_t **out, struct den_error *err)
{
    struct den_query query;
    json_t *report = NULL;

    den_query_start(&query, connection, err,
                    "SELECT " DEN_REPORT_COLUMNS " FROM jobs j WHERE j.row = ?", "i", row);
    if (den_query_next(&query, err)) {
        report = den_report_json(reports, &query);
        if (!report)
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "the report was removed meanwhile");
    }
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = report;
    return err->status;
}

enum den_status den_report_find(struct den_connection *connection, const char *id, int64_t *out_row,
                                char out_state[16], struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row, state FROM jobs WHERE id = ? AND kind IN " DEN_REPORT_KINDS, "t",
                    id);
    if (den_query_next(&query, err)) {
        *out_row = den_query_integer(&query, 0);
        snprintf(out_state, 16, "%s", den_query_text(&query, 1));
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "there is no report '%.64s'", den_id_is_valid(id) ? id : "");
    }
    den_query_end(&query);
    return err->status;
}

/* --- steps --- */

enum den_status den_report_step_add(struct den_connection *connection, int64_t job,
                                    const struct den_report_step *step, struct den_error *err)
{
    char *input = NULL, *output = NULL;

    if (den_json_text(step->input, &input, err) == DEN_OK &&
        (!step->output || den_json_text(step->output, &output, err) == DEN_OK))
        den_execute(connection, err,
                    "INSERT INTO report_steps (job, kind, document, level, input, output) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    "ittitt", job, step->kind, step->document, step->level, input, output);
    free(input);
    free(output);
    return err->status;
}

enum den_status den_report_steps(struct den_connection *connection, int64_t job, const char *kind,
                                 den_report_step_taker take, void *context, struct den_error *err)
{
    struct den_query query;
    bool goes_on = true;

    den_query_start(&query, connection, err,
                    "SELECT row, kind, document, level, input, output FROM report_steps WHERE "
                    "job = ?1 AND (?2 IS NULL OR kind = ?2) AND output IS NOT NULL ORDER BY row",
                    "it", job, kind);
    while (goes_on && den_query_next(&query, err)) {
        struct den_report_step step = { .row = den_query_integer(&query, 0),
                                        .level = den_query_integer(&query, 3),
                                        .input = den_value_json(&query, 4),
                                        .output = den_value_json(&query, 5) };

        snprintf(step.kind, sizeof step.kind, "%s", den_query_text(&query, 1));
        snprintf(step.document, sizeof step.document, "%s", den_query_text(&query, 2));
        goes_on = take(context, &step);
        den_report_step_deinit(&step);
    }
    den_query_end(&query);
    return err->status;
}

enum den_status den_report_plan(struct den_report *report, const struct den_report_plan *plan,
                                struct den_error *err)
{
    struct den_connection *connection;
    char *fields = NULL;
    size_t i;

    if (plan->plan && json_object_set_new(report->fields, "plan", plan->plan) != 0)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    if (den_json_text(report->fields, &fields, err) == DEN_OK &&
        den_database_write(report->reports->database, &connection, err) == DEN_OK) {
        den_execute(connection, err, "UPDATE jobs SET fields = ? WHERE row = ?", "ti", fields,
                    report->row);
        if (err->status == DEN_OK && den_connection_changes(connection) == 0)
            den_fail(err, DEN_CANCELLED, "the report was removed");
        for (i = 0; i < plan->count && err->status == DEN_OK; i++)
            den_report_step_add(connection, report->row, &plan->steps[i], err);
        den_connection_end(connection, err);
    }
    free(fields);
    return err->status;
}

/* --- telling --- */

void den_report_tell(struct den_reports *reports, int64_t row, bool now)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    const double time = den_clock_seconds();
    json_t *report = NULL;
    bool is_due;

    pthread_mutex_lock(&reports->lock);
    is_due = now || time > reports->told + TELL_SECONDS;
    if (is_due)
        reports->told = time;
    pthread_mutex_unlock(&reports->lock);
    if (!is_due || !reports->events ||
        den_database_read(reports->database, &connection, &err) != DEN_OK)
        return;
    den_report_read(reports, connection, row, &report, &err);
    if (den_connection_end(connection, &err) == DEN_OK)
        den_events_publish(reports->events, NULL, "report", json_pack("{s:o}", "report", report));
    else
        json_decref(report);
}
