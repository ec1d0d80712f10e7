/* Forks: a new thread from the path to one message of another. Messages get new ids, so that no id
 * means two things on a page that shows both. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/threads.h"
#include "desk/threads_parts.h"

static enum den_status copy_thread(struct den_connection *connection, int64_t from, const char *id,
                                   int64_t *out_row, struct den_error *err)
{
    if (den_execute(connection, err,
                    "INSERT INTO threads (id, title, renamed, folder, created, updated, model, "
                    "system, parameters, preview, workspace) SELECT ?2, title, renamed, folder, "
                    "?3, ?3, model, system, parameters, preview, workspace FROM threads "
                    "WHERE row = ?1",
                    "iti", from, id, den_clock_unix_ms()) == DEN_OK)
        *out_row = den_connection_last_row(connection);
    return den_execute(connection, err,
                       "INSERT INTO thread_documents (thread, document, added) "
                       "SELECT ?2, document, added FROM thread_documents WHERE thread = ?1",
                       "ii", from, *out_row);
}

/* One message of the path below `*parent`, which becomes the copy. An answer that is being written
 * in the original is one that was stopped in the copy. */
static enum den_status copy_message(struct den_connection *connection, int64_t thread,
                                    int64_t from_row, int64_t *parent, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];

    if (den_id_make(id, err) != DEN_OK)
        return err->status;
    if (den_execute(
            connection, err,
            "INSERT INTO messages (thread, id, parent, role, content, reasoning, created, "
            "model, finish, error_code, error_message, measures, attachments, seq, "
            "sources, memories) SELECT ?2, ?3, nullif(?4, 0), role, content, reasoning, created, "
            "model, coalesce(finish, 'stopped'), error_code, error_message, measures, "
            "attachments, seq, sources, memories FROM messages WHERE row = ?1",
            "iiti", from_row, thread, id, *parent) != DEN_OK)
        return err->status;
    *parent = den_connection_last_row(connection);
    return den_execute(connection, err, "UPDATE threads SET head = ? WHERE row = ?", "ti", id,
                       thread);
}

static enum den_status copy_path(struct den_connection *connection, int64_t from, int64_t thread,
                                 int64_t message, struct den_error *err)
{
    json_t *path = NULL;
    int64_t parent = 0, row;
    size_t i;

    if (den_message_path(connection, message, &path, err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(path) && err->status == DEN_OK; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(path, i), "id"));

        if (den_message_find(connection, from, id, &row, err) == DEN_OK)
            copy_message(connection, thread, row, &parent, err);
    }
    json_decref(path);
    return err->status;
}

enum den_status den_thread_fork(struct den_threads *threads, const char *id, const char *message,
                                json_t **out, struct den_error *err)
{
    char copy_id[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    int64_t from, place, row = 0;
    json_t *thread = NULL;

    if (den_id_make(copy_id, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &from, err) == DEN_OK &&
        den_message_find(connection, from, message, &place, err) == DEN_OK &&
        copy_thread(connection, from, copy_id, &row, err) == DEN_OK &&
        copy_path(connection, from, row, place, err) == DEN_OK)
        den_thread_read_full(connection, row, &thread, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(thread);
        return err->status;
    }
    den_threads_tell_row(threads, row);
    *out = thread;
    return DEN_OK;
}
