/* See documents.h. */
#include "desk/documents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/ingest_parts.h"
#include "desk/events.h"
#include "desk/jobs.h"
#include "desk/list_cursor.h"
#include "desk/reading.h"
#include "desk/threads_parts.h"
#include "input/format.h"

enum den_status den_documents_open(const struct den_documents_options *options,
                                   struct den_documents **out, struct den_error *err)
{
    struct den_documents *documents = calloc(1, sizeof *documents);

    if (!documents)
        return den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    documents->database = options->database;
    documents->originals = options->originals;
    documents->events = options->events;
    pthread_mutex_init(&documents->lock, NULL);
    *out = documents;
    return DEN_OK;
}

void den_documents_close(struct den_documents *documents)
{
    if (!documents)
        return;
    pthread_mutex_destroy(&documents->lock);
    free(documents);
}

/* --- the list --- */

/* ?1 workspace, ?2 thread, ?3 pattern, ?4 state, ?5 below this row, ?6 limit */
#define LIST_SQL                                                                                   \
    "SELECT " DEN_DOCUMENT_COLUMNS ", d.row, coalesce((SELECT l.pinned FROM workspace_documents "  \
    "l JOIN workspaces w ON w.row = l.workspace WHERE l.document = d.row AND w.id = ?1), 0) "      \
    "FROM documents d WHERE d.row < ?5 AND (?4 IS NULL OR d.state = ?4) AND (?3 IS NULL OR "       \
    "d.name LIKE ?3 ESCAPE '\\' OR d.title LIKE ?3 ESCAPE '\\') AND (?1 IS NULL OR EXISTS "        \
    "(SELECT 1 FROM workspace_documents l JOIN workspaces w ON w.row = l.workspace WHERE "         \
    "l.document = d.row AND w.id = ?1)) AND (?2 IS NULL OR EXISTS (SELECT 1 FROM "                 \
    "thread_documents l JOIN threads t ON t.row = l.thread WHERE l.document = d.row AND "          \
    "t.id = ?2)) ORDER BY d.row DESC LIMIT ?6"

/* "%words%" with what LIKE takes for more than itself escaped. */
static enum den_status make_pattern(const char *words, char **out, struct den_error *err)
{
    struct den_buffer pattern;

    *out = NULL;
    if (!words || !*words)
        return DEN_OK;
    if (strlen(words) > DEN_NAME_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "'q' may have %d bytes at most", DEN_NAME_BYTES_MAX);
    den_buffer_init(&pattern, 4096);
    den_buffer_append_byte(&pattern, '%');
    for (; *words; words++) {
        if (strchr("%_\\", *words))
            den_buffer_append_byte(&pattern, '\\');
        den_buffer_append_byte(&pattern, *words);
    }
    den_buffer_append_byte(&pattern, '%');
    *out = den_buffer_take(&pattern);
    den_buffer_deinit(&pattern);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
}

/* With "pinned" where `context`, the list, is of a workspace. */
static json_t *row_json(void *context, struct den_query *query)
{
    const struct den_document_list *list = context;
    json_t *document = den_document_json(query);

    if (document && list->workspace)
        json_object_set_new(
            document, "pinned",
            json_boolean(den_query_integer(query, DEN_DOCUMENT_COLUMN_COUNT + 1) != 0));
    return document;
}

enum den_status den_documents_list(struct den_documents *documents,
                                   const struct den_document_list *list, json_t **out,
                                   struct den_error *err)
{
    struct den_document_list copy = *list;
    const struct den_list_piece piece = { .limit =
                                              den_list_limit(list->limit, DEN_PAGE_DOCUMENTS_MAX),
                                          .count = 1,
                                          .columns = { DEN_DOCUMENT_COLUMN_COUNT },
                                          .row_json = row_json,
                                          .context = &copy };
    struct den_connection *connection;
    json_t *found = NULL;
    int64_t before = INT64_MAX;
    struct den_query query;
    char *pattern = NULL;

    if (den_cursor_read(list->before, 1, &before, err) != DEN_OK ||
        make_pattern(list->words, &pattern, err) != DEN_OK)
        return err->status;
    if (den_database_read(documents->database, &connection, err) == DEN_OK) {
        if (den_query_start(&query, connection, err, LIST_SQL, "ttttii", list->workspace,
                            list->thread, pattern, list->state, before,
                            (int64_t)piece.limit + 1) == DEN_OK)
            den_list_read(&query, &piece, "documents", &found, err);
        den_connection_end(connection, err);
    }
    free(pattern);
    if (err->status == DEN_OK)
        *out = found;
    else
        json_decref(found);
    return err->status;
}

/* --- one document --- */

static json_t *part_json(struct den_query *query)
{
    return json_pack("{s:I, s:o, s:I, s:o, s:b}", "ordinal",
                     (json_int_t)den_query_integer(query, 0), "kind", den_text_json(query, 1),
                     "number", (json_int_t)den_query_integer(query, 2), "label",
                     den_text_json(query, 3), "scanned", den_query_integer(query, 4) != 0);
}

static enum den_status read_parts(struct den_connection *connection, int64_t row, json_t *document,
                                  struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT ordinal, kind, number, label, scanned FROM parts WHERE document = ? "
                    "ORDER BY ordinal",
                    "i", row);
    while (den_query_next(&query, err))
        if (json_array_append_new(list, part_json(&query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    den_query_end(&query);
    if (json_object_set_new(document, "part_list", list) != 0 && err->status == DEN_OK)
        den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    return err->status;
}

enum den_status den_document_get(struct den_documents *documents, const char *id, json_t **out,
                                 struct den_error *err)
{
    struct den_connection *connection;
    json_t *document = NULL;
    int64_t row;

    if (den_database_read(documents->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_find(connection, id, &row, err) == DEN_OK &&
        den_document_read(connection, row, &document, err) == DEN_OK)
        read_parts(connection, row, document, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = document;
    else
        json_decref(document);
    return err->status;
}

static enum den_status update(struct den_connection *connection, int64_t row, const json_t *fields,
                              struct den_error *err)
{
    const json_t *tags = json_object_get(fields, "tags");
    const struct den_document_links links = { .tags = json_is_null(tags) ? NULL : tags };
    const char *title = NULL;
    char *text = NULL;

    if (den_text_get(fields, "title", DEN_TITLE_BYTES_MAX, &title, err) != DEN_OK ||
        den_document_links_check(connection, &links, err) != DEN_OK ||
        (links.tags && den_json_text(tags, &text, err) != DEN_OK))
        return err->status;
    den_execute(connection, err,
                "UPDATE documents SET title = coalesce(?2, title), tags = coalesce(?3, tags), "
                "updated = ?4 WHERE row = ?1",
                "itti", row, title, text, den_clock_unix_ms());
    free(text);
    return err->status;
}

enum den_status den_document_change(struct den_documents *documents, const char *id,
                                    const json_t *fields, json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    json_t *document = NULL;
    int64_t row = 0;

    if (den_database_write(documents->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_find(connection, id, &row, err) == DEN_OK &&
        update(connection, row, fields, err) == DEN_OK)
        den_document_read(connection, row, &document, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(document);
        return err->status;
    }
    if (documents->events)
        den_events_publish(documents->events, NULL, "document",
                           json_pack("{s:O}", "document", document));
    *out = document;
    return DEN_OK;
}

enum den_status den_document_delete(struct den_documents *documents, const char *id,
                                    struct den_error *err)
{
    struct den_connection *connection;
    struct den_error ignored = { 0 };
    int64_t row;

    if (den_database_write(documents->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_find(connection, id, &row, err) == DEN_OK &&
        den_tasks_of_document(connection, row, "cancelled", err) == DEN_OK)
        den_execute(connection, err, "DELETE FROM documents WHERE row = ?", "i", row);
    if (den_connection_end(connection, err) != DEN_OK)
        return err->status;
    den_originals_sweep(documents->originals, &ignored); /* else the next opening does it */
    if (documents->events)
        den_events_publish(documents->events, NULL, "document_deleted",
                           json_pack("{s:s}", "id", id));
    return DEN_OK;
}

/* --- what is in it --- */

static json_t *full_part_json(struct den_query *query)
{
    json_t *part = part_json(query);
    json_t *rest = json_pack("{s:f, s:f, s:o, s:o, s:o}", "width", den_query_real(query, 5),
                             "height", den_query_real(query, 6), "text", den_text_json(query, 7),
                             "blocks", den_value_json(query, 8), "words", den_value_json(query, 9));

    if (!part || !rest || json_object_update(part, rest) != 0) {
        json_decref(part);
        part = NULL;
    }
    json_decref(rest);
    return part;
}

enum den_status den_document_part(struct den_documents *documents, const char *id, int64_t ordinal,
                                  json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query = { 0 };
    json_t *part = NULL;
    int64_t row = 0;

    if (den_database_read(documents->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_find(connection, id, &row, err) == DEN_OK)
        den_query_start(&query, connection, err,
                        "SELECT ordinal, kind, number, label, scanned, width, height, text, "
                        "blocks, words FROM parts WHERE document = ? AND ordinal = ?",
                        "ii", row, ordinal);
    if (den_query_next(&query, err)) {
        part = full_part_json(&query);
        if (!part)
            den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "the document has no part %" PRId64, ordinal);
    }
    den_query_end(&query);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = part;
    else
        json_decref(part);
    return err->status;
}

static enum den_status describe_file(struct den_connection *connection, const char *id,
                                     struct den_document_file *out, struct den_error *err)
{
    struct den_query query;
    const char *name, *slash;

    den_query_start(&query, connection, err,
                    "SELECT original, bytes, format, media_type, name FROM documents WHERE id = ?",
                    "t", id);
    if (den_query_next(&query, err)) {
        name = den_query_text(&query, 4);
        slash = strrchr(name, '/');
        snprintf(out->hash, sizeof out->hash, "%s", den_query_text(&query, 0));
        out->bytes = (uint64_t)den_query_integer(&query, 1);
        snprintf(out->format, sizeof out->format, "%s", den_query_text(&query, 2));
        snprintf(out->media_type, sizeof out->media_type, "%s", den_query_text(&query, 3));
        out->name = strdup(slash ? slash + 1 : name);
        if (!out->name)
            den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "there is no document '%.64s'", den_id_is_valid(id) ? id : "");
    }
    den_query_end(&query);
    return err->status;
}

enum den_status den_document_open(struct den_documents *documents, const char *id,
                                  struct den_document_file *out, struct den_error *err)
{
    struct den_document_file file = { .fd = -1 };
    struct den_connection *connection;

    if (den_database_read(documents->database, &connection, err) != DEN_OK)
        return err->status;
    describe_file(connection, id, &file, err);
    if (den_connection_end(connection, err) == DEN_OK)
        den_originals_open_file(documents->originals, file.hash, &file.fd, err);
    if (err->status == DEN_OK)
        *out = file;
    else
        den_document_file_close(&file);
    return err->status;
}

void den_document_file_close(struct den_document_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->name);
    *file = (struct den_document_file){ .fd = -1 };
}

enum den_status den_document_picture(const struct den_document_file *file, size_t page,
                                     size_t width, void **out_png, size_t *out_length,
                                     struct den_error *err)
{
    struct den_reading_page wanted = { .fd = file->fd, .number = page, .width_max = width };
    int format = DEN_FORMAT_UNKNOWN;

    if (den_ingest_sniff(file->fd, file->name, &format, err) != DEN_OK)
        return err->status;
    wanted.format = (enum den_format)format;
    return den_reading_picture(&wanted, out_png, out_length, err);
}

const char *den_document_picture_type(const void *picture, size_t length)
{
    return den_picture_media_type(picture, length);
}
