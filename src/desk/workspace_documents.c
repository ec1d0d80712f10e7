/* Which documents are in a workspace, or with one thread only. */
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/list_cursor.h"
#include "desk/workspaces.h"
#include "desk/workspaces_parts.h"

#define COLUMNS DEN_DOCUMENT_COLUMNS ", l.pinned, l.added, d.row"
enum { COLUMN_PINNED = DEN_DOCUMENT_COLUMN_COUNT, COLUMN_ADDED, COLUMN_ROW };

static json_t *document_json(void *context, struct den_query *query)
{
    json_t *document = den_document_json(query);

    (void)context;
    json_object_set_new(document, "pinned",
                        json_boolean(den_query_integer(query, COLUMN_PINNED) != 0));
    return document;
}

/* --- the list --- */

enum den_status den_workspace_documents(struct den_threads *threads, const char *id,
                                        const struct den_workspace_document_list *list,
                                        json_t **out, struct den_error *err)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM workspace_documents l JOIN documents d ON d.row = l.document "
        "WHERE l.workspace = ?1 AND (l.added, d.row) < (?2, ?3) AND (?4 IS NULL OR "
        "instr(lower(d.name || ' ' || d.title), lower(?4)) > 0) AND (?5 IS NULL OR d.state = ?5) "
        "ORDER BY l.added DESC, d.row DESC LIMIT ?6";
    const struct den_list_piece piece = { .limit =
                                              den_list_limit(list->limit, DEN_PAGE_THREADS_MAX),
                                          .count = 2,
                                          .columns = { COLUMN_ADDED, COLUMN_ROW },
                                          .row_json = document_json };
    int64_t row, before[] = { INT64_MAX, INT64_MAX }; /* added, row */
    struct den_connection *connection;
    struct den_query query;
    json_t *found = NULL;

    if (den_cursor_read(list->before, 2, before, err) != DEN_OK ||
        den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK &&
        den_query_start(&query, connection, err, sql, "iiitti", row, before[0], before[1],
                        list->words, list->state, (int64_t)piece.limit + 1) == DEN_OK)
        den_list_read(&query, &piece, "documents", &found, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = found;
    else
        json_decref(found);
    return err->status;
}

/* --- linking --- */

/* `insert` ties a document's row (?2) to `row` (?1) at the time ?3, unless it is tied. */
static enum den_status link_all(struct den_connection *connection, const char *insert, int64_t row,
                                const json_t *fields, struct den_error *err)
{
    const json_t *list = json_object_get(fields, "documents");
    const int64_t now = den_clock_unix_ms();
    int64_t document;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > DEN_WORKSPACE_LINKS_MAX)
        return den_fail(err, DEN_INVALID, "'documents' must be a list of at most %d ids",
                        DEN_WORKSPACE_LINKS_MAX);
    for (i = 0; i < json_array_size(list) && err->status == DEN_OK; i++) {
        const char *id = json_string_value(json_array_get(list, i));

        if (!id)
            return den_fail(err, DEN_INVALID, "'documents[%zu]' must be a document's id", i);
        if (den_document_find(connection, id, &document, err) != DEN_OK)
            return den_fail_at(err, "'documents'");
        den_execute(connection, err, insert, "iii", row, document, now);
    }
    return err->status;
}

enum den_status den_workspace_link(struct den_threads *threads, const char *id,
                                   const json_t *fields, json_t **out, struct den_error *err)
{
    static const char insert[] = "INSERT INTO workspace_documents (workspace, document, added) "
                                 "VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    struct den_connection *connection;
    int64_t row;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK &&
        link_all(connection, insert, row, fields, err) == DEN_OK)
        den_workspace_touch(connection, row, err);
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    den_workspace_tell(threads, id, false);
    return den_workspace_get(threads, id, out, err);
}

/* Runs `sql` on the row of a workspace (?1) and of a document (?2), with `value` (?3). */
static enum den_status change_link(struct den_threads *threads, const char *id,
                                   const char *document, const char *sql, int64_t value,
                                   struct den_error *err)
{
    struct den_connection *connection;
    int64_t row, document_row;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK &&
        den_document_find(connection, document, &document_row, err) == DEN_OK &&
        den_execute(connection, err, sql, "iii", row, document_row, value) == DEN_OK) {
        if (den_connection_changes(connection) == 0)
            den_fail(err, DEN_NOT_FOUND, "the workspace does not have the document '%.64s'",
                     document);
        den_workspace_touch(connection, row, err);
    }
    if (den_connection_end(connection, err) == DEN_OK)
        den_workspace_tell(threads, id, false);
    return err->status;
}

enum den_status den_workspace_unlink(struct den_threads *threads, const char *id,
                                     const char *document, struct den_error *err)
{
    return change_link(threads, id, document,
                       "DELETE FROM workspace_documents WHERE workspace = ?1 AND document = ?2 "
                       "AND ?3 = 0",
                       0, err);
}

enum den_status den_workspace_pin(struct den_threads *threads, const char *id, const char *document,
                                  const json_t *fields, json_t **out, struct den_error *err)
{
    const json_t *pinned = json_object_get(fields, "pinned");

    if (!json_is_boolean(pinned))
        return den_fail(err, DEN_INVALID, "'pinned' must be true or false");
    if (change_link(threads, id, document,
                    "UPDATE workspace_documents SET pinned = ?3 WHERE workspace = ?1 AND "
                    "document = ?2",
                    json_is_true(pinned), err) == DEN_OK)
        *out = json_pack("{s:s, s:b}", "id", document, "pinned", (int)json_is_true(pinned));
    return err->status;
}

/* --- of a thread --- */

enum den_status den_thread_attach(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err)
{
    static const char insert[] = "INSERT INTO thread_documents (thread, document, added) "
                                 "VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    struct den_connection *connection;
    json_t *thread = NULL;
    int64_t row = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK &&
        link_all(connection, insert, row, fields, err) == DEN_OK)
        den_thread_read(connection, row, &thread, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(thread);
        return err->status;
    }
    den_threads_tell_thread(threads, thread);
    *out = thread;
    return DEN_OK;
}

enum den_status den_thread_detach(struct den_threads *threads, const char *id, const char *document,
                                  struct den_error *err)
{
    struct den_connection *connection;
    int64_t row = 0, document_row = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK &&
        den_document_find(connection, document, &document_row, err) == DEN_OK &&
        den_execute(connection, err,
                    "DELETE FROM thread_documents WHERE thread = ? AND document = ?", "ii", row,
                    document_row) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_NOT_FOUND, "the thread does not have the document '%.64s'", document);
    if (den_connection_end(connection, err) == DEN_OK)
        den_threads_tell_row(threads, row);
    return err->status;
}
