/* See threads.h. */
#include "desk/threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/events.h"
#include "desk/list_cursor.h"
#include "desk/threads_parts.h"
#include "desk/workspaces_parts.h"

static const int64_t DAY_MS = 24 * 60 * 60 * 1000;

/* --- the family --- */

static enum den_status empty_bin(struct den_threads *threads, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, "DELETE FROM threads WHERE deleted < ?", "i",
                den_clock_unix_ms() - DEN_BIN_DAYS * DAY_MS);
    return den_connection_end(connection, err);
}

enum den_status den_threads_open(struct den_database *database, struct den_events *events,
                                 struct den_threads **out, struct den_error *err)
{
    struct den_threads *threads = calloc(1, sizeof *threads);

    if (!threads)
        return den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    threads->database = database;
    threads->events = events;
    if (empty_bin(threads, err) != DEN_OK) {
        free(threads);
        return err->status;
    }
    *out = threads;
    return DEN_OK;
}

void den_threads_close(struct den_threads *threads)
{
    free(threads);
}

struct den_events *den_threads_events(const struct den_threads *threads)
{
    return threads->events;
}

/* --- the list --- */

static json_t *row_json(void *context, struct den_query *query)
{
    (void)context;
    return den_thread_json(query);
}

enum den_status den_threads_list(struct den_threads *threads, const struct den_thread_list *list,
                                 json_t **out, struct den_error *err)
{
    static const char sql[] = "SELECT " DEN_THREAD_COLUMNS ", t.row FROM threads t "
                              "WHERE t.deleted IS NULL AND (?1 IS NULL OR "
                              "coalesce(t.folder, '') = ?1) "
                              "AND (t.pinned, t.updated, t.row) < (?2, ?3, ?4) "
                              "AND (?6 IS NULL OR coalesce((SELECT w.id FROM workspaces w "
                              "WHERE w.row = t.workspace), '') = ?6) "
                              "ORDER BY t.pinned DESC, t.updated DESC, t.row DESC LIMIT ?5";
    const struct den_list_piece piece = { .limit =
                                              den_list_limit(list->limit, DEN_PAGE_THREADS_MAX),
                                          .count = 3,
                                          .columns = { 4, 6, DEN_THREAD_COLUMN_COUNT },
                                          .row_json = row_json };
    int64_t before[] = { 2, INT64_MAX, INT64_MAX }; /* pinned, updated, row */
    struct den_connection *connection;
    struct den_query query;
    json_t *found = NULL;

    if (den_cursor_read(list->before, 3, before, err) != DEN_OK ||
        den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_query_start(&query, connection, err, sql, "tiiiit", list->folder, before[0], before[1],
                        before[2], (int64_t)piece.limit + 1, list->workspace) == DEN_OK)
        den_list_read(&query, &piece, "threads", &found, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = found;
    else
        json_decref(found);
    return err->status;
}

/* --- fields --- */

struct thread_fields {
    const char *title, *system, *model, *folder, *head;
    char *parameters;  /* owned; NULL: not given */
    int64_t workspace; /* row; 0: none */
    bool has_folder, has_workspace, has_head, has_pinned, pinned;
};

static enum den_status read_fields(struct den_connection *connection, const json_t *fields,
                                   struct thread_fields *out, struct den_error *err)
{
    const json_t *parameters = json_object_get(fields, "parameters");

    *out =
        (struct thread_fields){ .has_folder = json_object_get(fields, "folder") != NULL,
                                .has_workspace = json_object_get(fields, "workspace") != NULL,
                                .has_head = json_object_get(fields, "head") != NULL,
                                .has_pinned = json_is_boolean(json_object_get(fields, "pinned")) };
    if (den_text_get(fields, "title", DEN_TITLE_BYTES_MAX, &out->title, err) != DEN_OK ||
        den_text_get(fields, "system", DEN_CONTENT_BYTES_MAX, &out->system, err) != DEN_OK ||
        den_text_get(fields, "model", DEN_NAME_BYTES_MAX, &out->model, err) != DEN_OK ||
        den_text_get(fields, "head", DEN_ID_LENGTH_MAX, &out->head, err) != DEN_OK ||
        den_json_get_bool(fields, "pinned", &out->pinned, err) != DEN_OK ||
        den_folder_choose(connection, fields, &out->folder, err) != DEN_OK ||
        den_workspace_choose(connection, fields, &out->workspace, err) != DEN_OK ||
        den_answer_parameters_check(parameters, err) != DEN_OK)
        return err->status;
    if (json_is_object(parameters) && den_json_text(parameters, &out->parameters, err) != DEN_OK)
        return err->status;
    if (out->parameters && strlen(out->parameters) > DEN_PARAMETERS_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'parameters' may have %d bytes of JSON at most",
                        DEN_PARAMETERS_BYTES_MAX);
    return DEN_OK;
}

/* --- making --- */

static enum den_status insert_thread(struct den_connection *connection, const char *id,
                                     const struct thread_fields *fields, int64_t *out_row,
                                     struct den_error *err)
{
    int64_t now = den_clock_unix_ms();

    if (den_execute(connection, err,
                    "INSERT INTO threads (id, title, renamed, folder, created, updated, model, "
                    "system, parameters, workspace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "nullif(?, 0))",
                    "ttitiittti", id, fields->title ? fields->title : "",
                    (int64_t)(fields->title && fields->title[0]), fields->folder, now, now,
                    fields->model ? fields->model : "", fields->system ? fields->system : "",
                    fields->parameters ? fields->parameters : "{}", fields->workspace) == DEN_OK)
        *out_row = den_connection_last_row(connection);
    return err->status;
}

/* A thread with this id is there: fine if it is what the caller would have made. */
static enum den_status match_thread(struct den_connection *connection, const char *id,
                                    const struct thread_fields *fields, int64_t *out_row,
                                    struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row, deleted IS NULL AND title = coalesce(?2, title) AND "
                    "folder IS coalesce(?3, folder) AND model = coalesce(?4, model) AND "
                    "system = coalesce(?5, system) AND parameters = coalesce(?6, parameters) "
                    "AND (?7 = 0 OR workspace IS ?7) FROM threads WHERE id = ?1",
                    "tttttti", id, fields->title, fields->folder, fields->model, fields->system,
                    fields->parameters, fields->workspace);
    if (den_query_next(&query, err)) {
        *out_row = den_query_integer(&query, 0);
        if (den_query_integer(&query, 1) == 0)
            den_fail(err, DEN_IN_USE, "'id': there is another thread '%s'", id);
    }
    den_query_end(&query);
    return err->status;
}

enum den_status den_thread_create(struct den_threads *threads, const json_t *fields, json_t **out,
                                  bool *out_existed, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    struct thread_fields given = { 0 };
    json_t *thread = NULL;
    int64_t row = 0;
    bool existed;

    if (den_id_choose(fields, "id", id, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (read_fields(connection, fields, &given, err) == DEN_OK)
        match_thread(connection, id, &given, &row, err);
    existed = row != 0;
    if (err->status == DEN_OK && !existed)
        insert_thread(connection, id, &given, &row, err);
    if (err->status == DEN_OK)
        den_thread_read_full(connection, row, &thread, err);
    free(given.parameters);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(thread);
        return err->status;
    }
    if (!existed)
        den_threads_tell_row(threads, row);
    *out = thread;
    *out_existed = existed;
    return DEN_OK;
}

/* --- using --- */

enum den_status den_thread_get(struct den_threads *threads, const char *id, json_t **out,
                               struct den_error *err)
{
    struct den_connection *connection;
    json_t *thread = NULL;
    int64_t row;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK)
        den_thread_read_full(connection, row, &thread, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = thread;
    return err->status;
}

static enum den_status update_thread(struct den_connection *connection, int64_t row,
                                     const struct thread_fields *fields, struct den_error *err)
{
    int64_t head;

    if (fields->head && den_message_find(connection, row, fields->head, &head, err) != DEN_OK)
        return err->status;
    den_execute(connection, err,
                "UPDATE threads SET title = coalesce(?2, title), "
                "renamed = CASE WHEN ?2 IS NULL THEN renamed ELSE ?2 <> '' END, "
                "model = coalesce(?3, model), system = coalesce(?4, system), "
                "parameters = coalesce(?5, parameters) WHERE row = ?1",
                "itttt", row, fields->title, fields->model, fields->system, fields->parameters);
    if (fields->has_folder)
        den_execute(connection, err, "UPDATE threads SET folder = ? WHERE row = ?", "ti",
                    fields->folder, row);
    if (fields->has_workspace)
        den_execute(connection, err, "UPDATE threads SET workspace = nullif(?, 0) WHERE row = ?",
                    "ii", fields->workspace, row);
    if (fields->has_head)
        den_execute(connection, err, "UPDATE threads SET head = ? WHERE row = ?", "ti",
                    fields->head, row);
    if (fields->has_pinned)
        den_execute(connection, err, "UPDATE threads SET pinned = ? WHERE row = ?", "ii",
                    (int64_t)fields->pinned, row);
    return err->status;
}

/* What remains of every change: end the transaction, tell, hand out. */
static enum den_status conclude(struct den_threads *threads, struct den_connection *connection,
                                int64_t row, json_t **out, struct den_error *err)
{
    json_t *thread = NULL;

    if (err->status == DEN_OK)
        den_thread_read(connection, row, &thread, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(thread);
        return err->status;
    }
    den_threads_tell_thread(threads, thread);
    *out = thread;
    return DEN_OK;
}

enum den_status den_thread_change(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    struct thread_fields given = { 0 };
    int64_t row = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK &&
        read_fields(connection, fields, &given, err) == DEN_OK)
        update_thread(connection, row, &given, err);
    free(given.parameters);
    return conclude(threads, connection, row, out, err);
}

static void tell_deleted(struct den_threads *threads, const char *id)
{
    if (threads->events)
        den_events_publish(threads->events, NULL, "thread.deleted", json_pack("{s:s}", "id", id));
}

enum den_status den_thread_delete(struct den_threads *threads, const char *id, json_t **out,
                                  struct den_error *err)
{
    struct den_connection *connection;
    int64_t row, now = den_clock_unix_ms();

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK)
        den_execute(connection, err, "UPDATE threads SET deleted = ? WHERE row = ?", "ii", now,
                    row);
    den_execute(connection, err, "DELETE FROM threads WHERE deleted < ?", "i",
                now - DEN_BIN_DAYS * DAY_MS);
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    tell_deleted(threads, id);
    *out = json_pack("{s:I}", "restorable_until", (json_int_t)(now + DEN_BIN_DAYS * DAY_MS));
    return DEN_OK;
}

enum den_status den_thread_restore(struct den_threads *threads, const char *id, json_t **out,
                                   struct den_error *err)
{
    struct den_connection *connection;
    int64_t row = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, "UPDATE threads SET deleted = NULL WHERE id = ?", "t", id);
    den_thread_find(connection, id, &row, err);
    return conclude(threads, connection, row, out, err);
}

enum den_status den_thread_purge(struct den_threads *threads, const char *id, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_execute(connection, err, "DELETE FROM threads WHERE id = ?", "t", id) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_NOT_FOUND, "there is no thread '%.64s'", den_id_is_valid(id) ? id : "");
    if (den_connection_end(connection, err) == DEN_OK)
        tell_deleted(threads, id);
    return err->status;
}
