/* Documents as rows of the database and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "desk/documents_parts.h"
#include "desk/events.h"
#include "desk/threads_parts.h"

/* --- as JSON --- */

static json_t *nullable_integer(struct den_query *query, int column)
{
    return den_query_is_null(query, column) ? json_null()
                                            : json_integer(den_query_integer(query, column));
}

static json_t *error_json(struct den_query *query)
{
    if (den_query_is_null(query, 14))
        return json_null();
    return json_pack("{s:o, s:o}", "code", den_text_json(query, 14), "message",
                     den_text_json(query, 15));
}

static json_t *integer(struct den_query *query, int column)
{
    return json_integer(den_query_integer(query, column));
}

json_t *den_document_json(struct den_query *query)
{
    json_t *document = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", den_text_json(query, 0),
        "name", den_text_json(query, 1), "title", den_text_json(query, 2), "author",
        den_text_json(query, 3), "origin", den_text_json(query, 4), "address",
        den_text_json(query, 5), "media_type", den_text_json(query, 6), "format",
        den_text_json(query, 7), "tags", den_value_json(query, 8), "bytes", integer(query, 9),
        "modified", nullable_integer(query, 10));
    json_t *rest = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "created", integer(query, 11), "updated",
        integer(query, 12), "state", den_text_json(query, 13), "error", error_json(query), "note",
        den_text_json(query, 16), "parts", integer(query, 17), "items", integer(query, 18),
        "tokens", integer(query, 19), "workspaces", den_value_json(query, 20));

    if (!document || !rest || json_object_update(document, rest) != 0) {
        json_decref(document);
        document = NULL;
    }
    json_decref(rest);
    return document;
}

enum den_status den_document_find(struct den_connection *connection, const char *id,
                                  int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT row FROM documents WHERE id = ?", "t", id);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_NOT_FOUND, "there is no document '%.64s'", den_id_is_valid(id) ? id : "");
    den_query_end(&query);
    return err->status;
}

enum den_status den_document_read(struct den_connection *connection, int64_t row, json_t **out,
                                  struct den_error *err)
{
    struct den_query query;
    json_t *document = NULL;

    den_query_start(&query, connection, err,
                    "SELECT " DEN_DOCUMENT_COLUMNS " FROM documents d WHERE d.row = ?", "i", row);
    if (den_query_next(&query, err)) {
        document = den_document_json(&query);
        if (!document)
            den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "the document was deleted meanwhile");
    }
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = document;
    return err->status;
}

/* --- links and tags --- */

/* The row that `id` has in a table; *out_row 0 where `id` is none. */
static enum den_status find_row(struct den_connection *connection, const char *sql,
                                const char *noun, const char *id, int64_t *out_row,
                                struct den_error *err)
{
    struct den_query query;

    *out_row = 0;
    if (!id || !*id)
        return DEN_OK;
    den_query_start(&query, connection, err, sql, "t", id);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_NOT_FOUND, "'%s': there is no %s '%.64s'", noun, noun,
                 den_id_is_valid(id) ? id : "");
    den_query_end(&query);
    return err->status;
}

static enum den_status find_links(struct den_connection *connection,
                                  const struct den_document_links *links, int64_t *out_workspace,
                                  int64_t *out_thread, struct den_error *err)
{
    if (find_row(connection, "SELECT row FROM workspaces WHERE id = ?", "workspace",
                 links->workspace, out_workspace, err) == DEN_OK)
        find_row(connection, "SELECT row FROM threads WHERE id = ? AND deleted IS NULL", "thread",
                 links->thread, out_thread, err);
    return err->status;
}

static enum den_status check_tags(const json_t *tags, struct den_error *err)
{
    const json_t *tag;
    size_t i;

    if (!tags)
        return DEN_OK;
    if (!json_is_array(tags) || json_array_size(tags) > DEN_DOCUMENT_TAGS_MAX)
        return den_fail(err, DEN_INVALID, "'tags' must be a list of at most %d texts",
                        DEN_DOCUMENT_TAGS_MAX);
    json_array_foreach(tags, i, tag)
    {
        size_t length = json_string_length(tag);

        if (length == 0 || length > DEN_NAME_BYTES_MAX || strlen(json_string_value(tag)) != length)
            return den_fail(err, DEN_INVALID, "'tags[%zu]' must be a text of 1 to %d bytes", i,
                            DEN_NAME_BYTES_MAX);
    }
    return DEN_OK;
}

enum den_status den_document_links_check(struct den_connection *connection,
                                         const struct den_document_links *links,
                                         struct den_error *err)
{
    int64_t workspace, thread;

    if (check_tags(links->tags, err) == DEN_OK)
        find_links(connection, links, &workspace, &thread, err);
    return err->status;
}

static enum den_status add_tags(struct den_connection *connection, int64_t row, const json_t *tags,
                                struct den_error *err)
{
    char *text = NULL;

    if (json_array_size(tags) == 0)
        return DEN_OK;
    if (den_json_text(tags, &text, err) == DEN_OK)
        den_execute(connection, err,
                    "UPDATE documents SET tags = (SELECT json_group_array(value) FROM (SELECT "
                    "value FROM (SELECT value, 0 AS place, key FROM json_each(tags) UNION ALL "
                    "SELECT value, 1, key FROM json_each(?2)) GROUP BY value ORDER BY min(place), "
                    "min(key) LIMIT ?3)) WHERE row = ?1",
                    "iti", row, text, (int64_t)DEN_DOCUMENT_TAGS_MAX);
    free(text);
    return err->status;
}

enum den_status den_document_link(struct den_connection *connection, int64_t row,
                                  const struct den_document_links *links, struct den_error *err)
{
    int64_t workspace, thread, now = den_clock_unix_ms();

    if (find_links(connection, links, &workspace, &thread, err) != DEN_OK)
        return err->status;
    if (workspace) {
        den_execute(connection, err,
                    "INSERT INTO workspace_documents (workspace, document, added) VALUES (?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    "iii", workspace, row, now);
        den_execute(connection, err, "UPDATE workspaces SET updated = ? WHERE row = ?", "ii", now,
                    workspace);
    }
    if (thread)
        den_execute(connection, err,
                    "INSERT INTO thread_documents (thread, document, added) VALUES (?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    "iii", thread, row, now);
    return add_tags(connection, row, links->tags, err);
}

/* --- making and changing --- */

enum den_status den_document_insert(struct den_connection *connection,
                                    const struct den_document_row *fields, int64_t *out_row,
                                    struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_query query;
    int64_t now = den_clock_unix_ms();

    if (den_id_make(id, err) != DEN_OK ||
        den_originals_want(connection, fields->hash, fields->bytes, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "INSERT INTO documents (id, original, name, origin, address, media_type, "
                    "format, bytes, modified, created, updated, state) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, 0), ?10, ?10, ?11)",
                    "tttttttiiit", id, fields->hash, fields->name, fields->origin, fields->address,
                    fields->media_type, fields->format, (int64_t)fields->bytes, fields->modified,
                    now, fields->state);
    den_query_next(&query, err);
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out_row = den_connection_last_row(connection);
    return err->status;
}

enum den_status den_document_with_hash(struct den_connection *connection, const char *hash,
                                       int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    *out_row = 0;
    den_query_start(&query, connection, err,
                    "SELECT row FROM documents WHERE original = ? ORDER BY row LIMIT 1", "t", hash);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    den_query_end(&query);
    return err->status;
}

const char *den_document_error_code(enum den_status status)
{
    static const char *const codes[] = {
        [DEN_INVALID] = "invalid",     [DEN_NOT_FOUND] = "not_found",
        [DEN_FORBIDDEN] = "forbidden", [DEN_UNAUTHORIZED] = "unauthorized",
        [DEN_TOO_LARGE] = "too_large", [DEN_CONTEXT_FULL] = "too_large",
        [DEN_BAD_FILE] = "bad_file",   [DEN_UNSUPPORTED] = "unsupported",
        [DEN_NO_MEMORY] = "no_memory", [DEN_IO] = "io",
        [DEN_BUSY] = "busy",           [DEN_IN_USE] = "in_use",
        [DEN_CANCELLED] = "cancelled", [DEN_INTERNAL] = "internal",
    };

    return (size_t)status < sizeof codes / sizeof codes[0] && codes[status] ? codes[status]
                                                                            : "internal";
}

enum den_status den_document_set_state(struct den_connection *connection, int64_t row,
                                       const char *state, const struct den_error *error,
                                       struct den_error *err)
{
    const bool has_failed = error && error->status != DEN_OK;

    return den_execute(connection, err,
                       "UPDATE documents SET state = ?2, error_code = ?3, error_message = ?4, "
                       "updated = ?5 WHERE row = ?1",
                       "ittti", row, state,
                       has_failed ? den_document_error_code(error->status) : NULL,
                       has_failed ? error->message : NULL, den_clock_unix_ms());
}

/* --- names --- */

/* One part between slashes, without what would not be a name; the bytes written. */
static size_t clean_part(const char *part, size_t length, char *out, size_t capacity)
{
    size_t at = 0, used = 0;

    if ((length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0))
        return 0;
    while (at < length) {
        char character[4];
        uint32_t code;
        size_t bytes;

        at += den_utf8_decode(part + at, length - at, &code);
        if (code < ' ' || code == 0x7f || (code >= 0x80 && code < 0xa0))
            code = ' ';
        bytes = den_utf8_encode(code, character);
        if (used + bytes > capacity)
            break;
        memcpy(out + used, character, bytes);
        used += bytes;
    }
    return used;
}

void den_document_clean_name(const char *name, char out[DEN_DOCUMENT_NAME_BYTES_MAX + 1])
{
    size_t used = 0;

    while (*name) {
        size_t length = strcspn(name, "/"), before = used, written;

        if (used > 0 && used < DEN_DOCUMENT_NAME_BYTES_MAX)
            out[used++] = '/';
        written = clean_part(name, length, out + used, DEN_DOCUMENT_NAME_BYTES_MAX - used);
        used = written > 0 ? used + written : before;
        name += length;
        name += strspn(name, "/");
    }
    out[used] = '\0';
    if (used == 0)
        memcpy(out, "unnamed", sizeof "unnamed");
}

/* --- telling --- */

void den_documents_changed(struct den_documents *documents, int64_t row)
{
    size_t i;

    pthread_mutex_lock(&documents->lock);
    for (i = 0; i < documents->changed_count && documents->changed[i] != row; i++)
        ;
    if (i == documents->changed_count && i < DEN_DOCUMENTS_TOLD_MAX)
        documents->changed[documents->changed_count++] = row;
    pthread_mutex_unlock(&documents->lock);
}

/* One that was deleted meanwhile is passed over. */
static void tell_one(struct den_documents *documents, struct den_connection *connection,
                     int64_t row)
{
    struct den_error err = { 0 };
    json_t *document = NULL;

    if (den_document_read(connection, row, &document, &err) == DEN_OK)
        den_events_publish(documents->events, NULL, "document",
                           json_pack("{s:o}", "document", document));
}

void den_documents_tell(struct den_documents *documents)
{
    int64_t rows[DEN_DOCUMENTS_TOLD_MAX];
    struct den_connection *connection;
    struct den_error err = { 0 };
    size_t count, i;

    pthread_mutex_lock(&documents->lock);
    count = documents->changed_count;
    memcpy(rows, documents->changed, count * sizeof rows[0]);
    documents->changed_count = 0;
    pthread_mutex_unlock(&documents->lock);
    if (count == 0 || !documents->events ||
        den_database_read(documents->database, &connection, &err) != DEN_OK)
        return;
    for (i = 0; i < count; i++)
        tell_one(documents, connection, rows[i]);
    den_connection_end(connection, &err);
}
