/* Threads and messages as rows of the database and as JSON. */
#include <string.h>

#include "base/clock.h"
#include "desk/events.h"
#include "desk/threads_parts.h"

enum { PREVIEW_CHARACTERS = 120, TITLE_CHARACTERS = 60 };

#define MESSAGE_COLUMNS                                                                            \
    "m.id, (SELECT p.id FROM messages p WHERE p.row = m.parent), m.role, m.content, "              \
    "m.reasoning, m.created, m.model, m.finish, m.error_code, m.error_message, m.measures, "       \
    "m.attachments, m.seq, m.sources, m.memories"

static json_t *nullable(struct den_query *query, int column)
{
    return den_query_is_null(query, column) ? json_null() : den_text_json(query, column);
}

static json_t *integer(struct den_query *query, int column)
{
    return json_integer(den_query_integer(query, column));
}

static json_t *boolean(struct den_query *query, int column)
{
    return json_boolean(den_query_integer(query, column) != 0);
}

json_t *den_thread_json(struct den_query *query)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                     den_text_json(query, 0), "title", den_text_json(query, 1), "renamed",
                     boolean(query, 2), "folder", nullable(query, 3), "pinned", boolean(query, 4),
                     "created", integer(query, 5), "updated", integer(query, 6), "model",
                     den_text_json(query, 7), "preview", den_text_json(query, 8), "running",
                     boolean(query, 9), "workspace", nullable(query, 10), "documents",
                     den_value_json(query, 11));
}

static json_t *error_json(struct den_query *query)
{
    if (den_query_is_null(query, 8))
        return json_null();
    return json_pack("{s:o, s:o}", "code", den_text_json(query, 8), "message",
                     den_text_json(query, 9));
}

static json_t *message_json(struct den_query *query)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                     den_text_json(query, 0), "parent", nullable(query, 1), "role",
                     den_text_json(query, 2), "content", den_text_json(query, 3), "reasoning",
                     den_text_json(query, 4), "created", integer(query, 5), "model",
                     den_text_json(query, 6), "finish", nullable(query, 7), "error",
                     error_json(query), "measures", den_value_json(query, 10), "attachments",
                     den_value_json(query, 11), "seq", integer(query, 12), "sources",
                     den_value_json(query, 13), "memories", den_value_json(query, 14));
}

/* --- reading --- */

/* The one object that `query`, already started, gives, by `to_json`. */
static enum den_status read_one(struct den_query *query, json_t *(*to_json)(struct den_query *),
                                json_t **out, struct den_error *err)
{
    json_t *value = NULL;

    if (den_query_next(query, err)) {
        value = to_json(query);
        if (!value)
            den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "it was deleted meanwhile");
    }
    den_query_end(query);
    if (err->status == DEN_OK)
        *out = value;
    return err->status;
}

static enum den_status read_all(struct den_query *query, json_t *list, struct den_error *err)
{
    while (den_query_next(query, err))
        if (json_array_append_new(list, message_json(query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    den_query_end(query);
    return err->status;
}

enum den_status den_thread_find(struct den_connection *connection, const char *id, int64_t *out_row,
                                struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row FROM threads WHERE id = ? AND deleted IS NULL", "t", id);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_NOT_FOUND, "there is no thread '%.64s'", den_id_is_valid(id) ? id : "");
    den_query_end(&query);
    return err->status;
}

enum den_status den_thread_read(struct den_connection *connection, int64_t row, json_t **out,
                                struct den_error *err)
{
    struct den_query query;

    if (den_query_start(&query, connection, err,
                        "SELECT " DEN_THREAD_COLUMNS " FROM threads t WHERE t.row = ?", "i",
                        row) != DEN_OK)
        return err->status;
    return read_one(&query, den_thread_json, out, err);
}

static json_t *rest_json(struct den_query *query)
{
    return json_pack("{s:o, s:o, s:o, s:[]}", "system", den_text_json(query, 0), "parameters",
                     den_value_json(query, 1), "head", nullable(query, 2), "messages");
}

enum den_status den_thread_read_full(struct den_connection *connection, int64_t row, json_t **out,
                                     struct den_error *err)
{
    json_t *thread = NULL, *rest = NULL;
    struct den_query query;

    if (den_thread_read(connection, row, &thread, err) != DEN_OK)
        return err->status;
    if (den_query_start(&query, connection, err,
                        "SELECT system, parameters, head FROM threads WHERE row = ?", "i",
                        row) == DEN_OK)
        read_one(&query, rest_json, &rest, err);
    if (err->status == DEN_OK && json_object_update(thread, rest) != 0)
        den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    json_decref(rest);
    if (den_query_start(&query, connection, err,
                        "SELECT " MESSAGE_COLUMNS
                        " FROM messages m WHERE m.thread = ? ORDER BY m.row",
                        "i", row) == DEN_OK)
        read_all(&query, json_object_get(thread, "messages"), err);
    if (err->status == DEN_OK)
        *out = thread;
    else
        json_decref(thread);
    return err->status;
}

enum den_status den_message_find(struct den_connection *connection, int64_t thread, const char *id,
                                 int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT row FROM messages WHERE thread = ? AND id = ?",
                    "it", thread, id);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_NOT_FOUND, "the thread has no message '%.64s'",
                 den_id_is_valid(id) ? id : "");
    den_query_end(&query);
    return err->status;
}

enum den_status den_message_read(struct den_connection *connection, int64_t row, json_t **out,
                                 struct den_error *err)
{
    struct den_query query;

    if (den_query_start(&query, connection, err,
                        "SELECT " MESSAGE_COLUMNS " FROM messages m WHERE m.row = ?", "i",
                        row) != DEN_OK)
        return err->status;
    return read_one(&query, message_json, out, err);
}

enum den_status den_message_path(struct den_connection *connection, int64_t row, json_t **out,
                                 struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    if (!list)
        return den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    if (den_query_start(&query, connection, err,
                        "WITH RECURSIVE path (row, depth) AS (SELECT ?, 0 UNION ALL "
                        "SELECT c.parent, depth + 1 FROM path JOIN messages c ON c.row = path.row "
                        "WHERE c.parent IS NOT NULL) "
                        "SELECT " MESSAGE_COLUMNS " FROM path JOIN messages m ON m.row = path.row "
                        "ORDER BY depth DESC",
                        "i", row) == DEN_OK)
        read_all(&query, list, err);
    if (err->status == DEN_OK)
        *out = list;
    else
        json_decref(list);
    return err->status;
}

/* --- writing --- */

enum den_status den_message_insert(struct den_connection *connection,
                                   const struct den_message_row *message, int64_t *out_row,
                                   struct den_error *err)
{
    if (den_execute(connection, err,
                    "INSERT INTO messages (thread, id, parent, role, content, reasoning, created, "
                    "model, finish, error_code, error_message, measures, attachments, seq, "
                    "sources) VALUES (?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "ititttittttttit", message->thread, message->id, message->parent, message->role,
                    message->content ? message->content : "",
                    message->reasoning ? message->reasoning : "", message->created,
                    message->model ? message->model : "", message->finish, message->error_code,
                    message->error_message, message->measures,
                    message->attachments ? message->attachments : "[]", message->seq,
                    message->sources) != DEN_OK)
        return err->status;
    *out_row = den_connection_last_row(connection);
    return DEN_OK;
}

/* From the first question, unless there is a title. */
static enum den_status make_title(struct den_connection *connection, int64_t row,
                                  struct den_error *err)
{
    char title[TITLE_CHARACTERS * 4 + 8] = "";
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT content FROM messages WHERE thread = ?1 AND role = 'user' AND EXISTS "
                    "(SELECT 1 FROM threads WHERE row = ?1 AND title = '') ORDER BY row LIMIT 1",
                    "i", row);
    if (den_query_next(&query, err))
        den_text_shorten(den_query_text(&query, 0), TITLE_CHARACTERS, title, sizeof title);
    den_query_end(&query);
    if (title[0] == '\0')
        return err->status;
    return den_execute(connection, err, "UPDATE threads SET title = ? WHERE row = ?", "ti", title,
                       row);
}

enum den_status den_thread_touch(struct den_connection *connection, int64_t row, const char *head,
                                 const char *preview, struct den_error *err)
{
    char beginning[PREVIEW_CHARACTERS * 4 + 8];

    den_text_shorten(preview, PREVIEW_CHARACTERS, beginning, sizeof beginning);
    den_execute(connection, err,
                "UPDATE threads SET updated = max(updated, ?), head = coalesce(?, head), "
                "preview = CASE ? WHEN '' THEN preview ELSE ? END WHERE row = ?",
                "ittti", den_clock_unix_ms(), head, beginning, beginning, row);
    return make_title(connection, row, err);
}

/* --- telling --- */

void den_threads_tell_thread(struct den_threads *threads, json_t *thread)
{
    if (threads->events && thread)
        den_events_publish(threads->events, NULL, "thread", json_pack("{s:O}", "thread", thread));
}

void den_threads_tell_message(struct den_threads *threads, const char *thread, json_t *message)
{
    if (threads->events && message)
        den_events_publish(threads->events, thread, "message",
                           json_pack("{s:s, s:O}", "thread", thread, "message", message));
}

void den_threads_tell_row(struct den_threads *threads, int64_t row)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    json_t *thread = NULL;

    if (!threads->events || den_database_read(threads->database, &connection, &err) != DEN_OK)
        return;
    den_thread_read(connection, row, &thread, &err);
    den_connection_end(connection, &err);
    den_threads_tell_thread(threads, thread);
    json_decref(thread);
}
