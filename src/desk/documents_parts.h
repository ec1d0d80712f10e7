/* The inside of the library, shared by documents.c, the jobs and the ingest. Functions that take a
 * connection run inside its transaction. */
#ifndef DEN_DESK_DOCUMENTS_PARTS_H
#define DEN_DESK_DOCUMENTS_PARTS_H

#include <pthread.h>

#include "base/limits.h"
#include "desk/documents.h"
#include "store/database.h"
#include "store/query.h"

struct den_documents {
    struct den_database *database;
    struct den_originals *originals;
    struct den_events *events; /* NULL: nobody listens */
    pthread_mutex_t lock;      /* guards what follows */
    size_t changed_count;
    int64_t changed[DEN_DOCUMENTS_TOLD_MAX]; /* rows that are to be told of */
};

/* The columns that den_document_json() reads, of documents `d`. */
#define DEN_DOCUMENT_COLUMNS                                                                       \
    "d.id, d.name, d.title, d.author, d.origin, d.address, d.media_type, d.format, d.tags, "       \
    "d.bytes, d.modified, d.created, d.updated, d.state, d.error_code, d.error_message, d.note, "  \
    "d.parts, d.items, d.tokens, (SELECT json_group_array(w.id) FROM workspace_documents l "       \
    "JOIN workspaces w ON w.row = l.workspace WHERE l.document = d.row)"
#define DEN_DOCUMENT_COLUMN_COUNT 21
json_t *den_document_json(struct den_query *query);

/* DEN_NOT_FOUND. */
enum den_status den_document_find(struct den_connection *connection, const char *id,
                                  int64_t *out_row, struct den_error *err);
enum den_status den_document_read(struct den_connection *connection, int64_t row, json_t **out,
                                  struct den_error *err);

/* Where a document goes, besides the library; NULL and empty: nowhere, none. */
struct den_document_links {
    const char *workspace, *thread; /* ids */
    const json_t *tags;             /* array of texts */
};
/* Links `row` and adds the tags it lacks. DEN_NOT_FOUND for a workspace or thread that is not. */
enum den_status den_document_link(struct den_connection *connection, int64_t row,
                                  const struct den_document_links *links, struct den_error *err);
/* DEN_NOT_FOUND, DEN_INVALID: what den_document_link() would say. */
enum den_status den_document_links_check(struct den_connection *connection,
                                         const struct den_document_links *links,
                                         struct den_error *err);

/* A row to be made. Texts are borrowed. */
struct den_document_row {
    const char *hash, *name, *origin, *address, *media_type, *format, *state;
    uint64_t bytes;
    int64_t modified; /* 0: not known */
};
/* The row of `originals` is made as well. */
enum den_status den_document_insert(struct den_connection *connection,
                                    const struct den_document_row *fields, int64_t *out_row,
                                    struct den_error *err);
/* The document with these bytes; *out_row 0: none. */
enum den_status den_document_with_hash(struct den_connection *connection, const char *hash,
                                       int64_t *out_row, struct den_error *err);
/* "waiting", "reading" ...; `error` NULL or DEN_OK: none. */
enum den_status den_document_set_state(struct den_connection *connection, int64_t row,
                                       const char *state, const struct den_error *error,
                                       struct den_error *err);

/* The code that an error has in JSON: "bad_file" ... */
const char *den_document_error_code(enum den_status status);
/* A file's name as it is kept: '/' between folders, no empty, "." or ".." parts, no control
 * characters, valid UTF-8, at most DEN_DOCUMENT_NAME_BYTES_MAX bytes. */
void den_document_clean_name(const char *name, char out[DEN_DOCUMENT_NAME_BYTES_MAX + 1]);

/* "document" events: gathered by _changed(), sent by _tell(), which the ingest calls some times a
 * second. Beyond DEN_DOCUMENTS_TOLD_MAX between two calls, those that follow go untold. */
void den_documents_changed(struct den_documents *documents, int64_t row);
void den_documents_tell(struct den_documents *documents);

#endif
