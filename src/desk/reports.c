/* See reports.h. */
#include "desk/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/events.h"
#include "desk/list_cursor.h"
#include "desk/report_parts.h"
#include "desk/threads_parts.h"

enum den_status den_reports_open(const struct den_reports_options *options,
                                 struct den_reports **out, struct den_error *err)
{
    struct den_reports *reports = calloc(1, sizeof *reports);

    if (!reports)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    reports->database = options->database;
    reports->events = options->events;
    reports->source = options->source;
    reports->lock_fd = -1;
    pthread_mutex_init(&reports->lock, NULL);
    pthread_cond_init(&reports->wake, NULL);
    if (den_report_queue_start(reports, err) != DEN_OK) {
        den_reports_close(reports);
        return err->status;
    }
    *out = reports;
    return DEN_OK;
}

void den_reports_close(struct den_reports *reports)
{
    if (!reports)
        return;
    den_report_queue_stop(reports);
    pthread_cond_destroy(&reports->wake);
    pthread_mutex_destroy(&reports->lock);
    free(reports);
}

/* --- making --- */

static enum den_status check_count(struct den_connection *connection, struct den_error *err)
{
    int64_t count = 0, unfinished = 0;
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT count(*), coalesce(sum(state IN ('waiting', 'running', 'paused')), 0) "
                    "FROM jobs WHERE kind IN " DEN_REPORT_KINDS,
                    "");
    if (den_query_next(&query, err)) {
        count = den_query_integer(&query, 0);
        unfinished = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    if (err->status == DEN_OK && unfinished >= DEN_REPORTS_WAITING_MAX)
        return den_fail(err, DEN_BUSY, "%d reports are waiting; ask again when some have ended",
                        DEN_REPORTS_WAITING_MAX);
    if (err->status == DEN_OK && count >= DEN_REPORTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "there are %d reports; remove some, more are not kept",
                        DEN_REPORTS_MAX);
    return err->status;
}

static enum den_status insert(struct den_connection *connection, const json_t *given,
                              int64_t *out_row, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1], title[DEN_TITLE_BYTES_MAX], *text = NULL;
    const char *kind = json_string_value(json_object_get(given, "kind"));
    json_t *fields = NULL;

    if (check_count(connection, err) == DEN_OK && den_id_make(id, err) == DEN_OK &&
        den_report_fields(connection, given, &fields, title, err) == DEN_OK &&
        den_json_text(fields, &text, err) == DEN_OK &&
        den_execute(connection, err,
                    "INSERT INTO jobs (id, kind, title, fields, state, created) "
                    "VALUES (?, ?, ?, ?, 'waiting', ?)",
                    "tttti", id, kind, title, text, den_clock_unix_ms()) == DEN_OK)
        *out_row = den_connection_last_row(connection);
    json_decref(fields);
    free(text);
    return err->status;
}

enum den_status den_report_create(struct den_reports *reports, const json_t *fields, json_t **out,
                                  struct den_error *err)
{
    struct den_connection *connection;
    json_t *report = NULL;
    int64_t row = 0;

    if (den_database_write(reports->database, &connection, err) != DEN_OK)
        return err->status;
    if (insert(connection, fields, &row, err) == DEN_OK)
        den_report_read(reports, connection, row, &report, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(report);
        return err->status;
    }
    json_object_set_new(report, "result", json_null());
    den_report_tell(reports, row, true);
    den_report_queue_wake(reports);
    *out = report;
    return DEN_OK;
}

/* --- looking --- */

/* One row more than asked for tells whether there is a next page. */
static enum den_status read_list(struct den_reports *reports, struct den_query *query, size_t limit,
                                 json_t *out, char next[DEN_ID_LENGTH_MAX + 1],
                                 struct den_error *err)
{
    while (den_query_next(query, err)) {
        if (json_array_size(out) == limit) {
            snprintf(next, DEN_ID_LENGTH_MAX + 1, "%s",
                     json_string_value(json_object_get(json_array_get(out, limit - 1), "id")));
            break;
        }
        if (json_array_append_new(out, den_report_json(reports, query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    return err->status;
}

enum den_status den_reports_list(struct den_reports *reports, const struct den_report_list *list,
                                 json_t **out, struct den_error *err)
{
    const size_t limit = den_list_limit(list->limit, DEN_PAGE_REPORTS_MAX);
    char next[DEN_ID_LENGTH_MAX + 1] = "";
    struct den_connection *connection;
    json_t *rows = json_array();
    struct den_query query;

    if (list->before && !den_id_is_valid(list->before))
        den_fail(err, DEN_INVALID, "'before' must be the 'next' of another list");
    else if (den_database_read(reports->database, &connection, err) == DEN_OK) {
        /* ids sort by their age, and outlive their report as a place in the list */
        den_query_start(&query, connection, err,
                        "SELECT " DEN_REPORT_COLUMNS
                        " FROM jobs j WHERE j.kind IN " DEN_REPORT_KINDS
                        " AND (?1 IS NULL OR j.id < ?1) AND (?2 IS NULL OR "
                        "json_extract(j.fields, '$.workspace') = ?2) ORDER BY j.id DESC LIMIT ?3",
                        "tti", list->before, list->workspace, (int64_t)limit + 1);
        read_list(reports, &query, limit, rows, next, err);
        den_query_end(&query);
        den_connection_end(connection, err);
    }
    if (err->status == DEN_OK)
        *out = json_pack("{s:O, s:s?}", "reports", rows, "next", *next ? next : NULL);
    json_decref(rows);
    return err->status;
}

/* What was kept, or what there is so far. */
static enum den_status read_result(struct den_connection *connection, int64_t row, json_t **out,
                                   struct den_error *err)
{
    const struct den_report_kind *kind = NULL;
    json_t *fields = NULL, *kept = NULL;
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT kind, fields, result FROM jobs WHERE row = ?",
                    "i", row);
    if (den_query_next(&query, err)) {
        kind = den_report_kind_find(den_query_text(&query, 0));
        fields = den_value_json(&query, 1);
        kept = den_query_is_null(&query, 2) ? NULL : den_value_json(&query, 2);
    }
    den_query_end(&query);
    if (kept)
        *out = kept;
    else if (kind && json_is_object(json_object_get(fields, "plan")))
        kind->result(connection, row, fields, out, err);
    else if (err->status == DEN_OK)
        *out = json_null();
    json_decref(fields);
    return err->status;
}

enum den_status den_report_get(struct den_reports *reports, const char *id, json_t **out,
                               struct den_error *err)
{
    struct den_connection *connection;
    json_t *report = NULL, *result = NULL;
    char state[16];
    int64_t row;

    if (den_database_read(reports->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_report_find(connection, id, &row, state, err) == DEN_OK &&
        den_report_read(reports, connection, row, &report, err) == DEN_OK &&
        read_result(connection, row, &result, err) == DEN_OK &&
        json_object_set_new(report, "result", result) != 0)
        den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    if (den_connection_end(connection, err) == DEN_OK)
        *out = report;
    else
        json_decref(report);
    return err->status;
}

/* --- changing --- */

static enum den_status set_state(struct den_connection *connection, int64_t row, const char *state,
                                 const char *before, struct den_error *err)
{
    const bool is_pause = strcmp(state, "paused") == 0;

    if (!is_pause && strcmp(state, "running") != 0)
        return den_fail(err, DEN_INVALID, "'state' must be \"paused\" or \"running\"");
    if (strcmp(before, "done") == 0 || (is_pause && strcmp(before, "failed") == 0))
        return den_fail(err, DEN_IN_USE, "the report has ended: it is %s", before);
    return den_execute(connection, err,
                       "UPDATE jobs SET state = CASE WHEN ?2 = 'paused' THEN 'paused' WHEN state = "
                       "'running' THEN 'running' ELSE 'waiting' END, ended = NULL, error = NULL "
                       "WHERE row = ?1",
                       "it", row, state);
}

enum den_status den_report_change(struct den_reports *reports, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err)
{
    const char *state = NULL, *title = NULL;
    struct den_connection *connection;
    char before[16];
    int64_t row = 0;

    if (den_json_get_text(fields, "state", &state, err) != DEN_OK ||
        den_text_get(fields, "title", DEN_TITLE_BYTES_MAX, &title, err) != DEN_OK)
        return err->status;
    if (title && title[strspn(title, " \t\r\n")] == '\0')
        return den_fail(err, DEN_INVALID, "'title' must not be empty");
    if (den_database_write(reports->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_report_find(connection, id, &row, before, err) == DEN_OK && state)
        set_state(connection, row, state, before, err);
    if (title)
        den_execute(connection, err, "UPDATE jobs SET title = ? WHERE row = ?", "ti", title, row);
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    if (state && strcmp(state, "paused") == 0)
        den_report_queue_interrupt(reports, row);
    else if (state)
        den_report_queue_wake(reports);
    den_report_tell(reports, row, true);
    return den_report_get(reports, id, out, err);
}

enum den_status den_report_delete(struct den_reports *reports, const char *id,
                                  struct den_error *err)
{
    struct den_connection *connection;
    char state[16];
    int64_t row = 0;

    if (den_database_write(reports->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_report_find(connection, id, &row, state, err) == DEN_OK)
        den_execute(connection, err, "DELETE FROM jobs WHERE row = ?", "i", row);
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    den_report_queue_interrupt(reports, row);
    if (reports->events)
        den_events_publish(reports->events, NULL, "report_deleted", json_pack("{s:s}", "id", id));
    return DEN_OK;
}

/* --- documents by name --- */

enum den_status den_report_document(struct den_reports *reports, const char *name, json_t **out_id,
                                    struct den_error *err)
{
    struct den_connection *connection;
    json_t *id = NULL;
    struct den_query query;
    bool is_exact = false;

    if (den_database_read(reports->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT id, id = ?1 FROM documents WHERE id = ?1 OR name = ?1 OR (length(name) "
                    "> length(?1) AND substr(name, -length(?1) - 1) = '/' || ?1) "
                    "ORDER BY id = ?1 DESC, name = ?1 DESC LIMIT 2",
                    "t", name);
    while (!is_exact && den_query_next(&query, err)) {
        if (id) {
            den_fail(err, DEN_INVALID,
                     "several documents are called '%.200s'; give the id that 'den search --json' "
                     "shows",
                     name);
            break;
        }
        id = den_text_json(&query, 0);
        is_exact = den_query_integer(&query, 1) != 0;
    }
    den_query_end(&query);
    if (err->status == DEN_OK && !id)
        den_fail(err, DEN_NOT_FOUND, "there is no document '%.200s' in the library", name);
    if (den_connection_end(connection, err) == DEN_OK)
        *out_id = id;
    else
        json_decref(id);
    return err->status;
}
