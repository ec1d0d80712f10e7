/* Documents: the library of what people have added, whichever workspaces it is in.
 *
 * A document is a file that was kept (originals.h), what was read from it (its parts), and the
 * passages that are searched (items, with vectors where an embedding model is installed). It comes
 * in by ingest.h; here it is listed, looked into, changed and removed. The same bytes are one
 * document, in as many workspaces as want it. Objects are JSON in the shape that docs/API.md gives.
 *
 * A document is "waiting" until its file is read, "reading", then "embedding" (its words are found
 * by searches already), and "ready"; or "failed" with an error. What was read replaces what was
 * there in one transaction: there is the old text or the new one, never a part of it. */
#ifndef DEN_DESK_DOCUMENTS_H
#define DEN_DESK_DOCUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "desk/originals.h"

struct den_database;
struct den_documents;
struct den_events;

/* All must outlive the documents; `events` may be NULL. */
struct den_documents_options {
    struct den_database *database;
    struct den_originals *originals;
    struct den_events *events;
};
enum den_status den_documents_open(const struct den_documents_options *options,
                                   struct den_documents **out, struct den_error *err);
void den_documents_close(struct den_documents *documents);

struct den_document_list {
    const char *workspace; /* id: only its documents, each with "pinned"; NULL: all */
    const char *thread;    /* id: only those attached to it; NULL: all */
    const char *words;     /* in name or title; NULL: any */
    const char *state;     /* NULL: any */
    const char *before;    /* the "next" of the list before; NULL: from the newest */
    size_t limit;          /* 0: 50 */
};
/* {"documents": [document], "next": text or null}: the newest first. */
enum den_status den_documents_list(struct den_documents *documents,
                                   const struct den_document_list *list, json_t **out,
                                   struct den_error *err);
/* With "part_list". */
enum den_status den_document_get(struct den_documents *documents, const char *id, json_t **out,
                                 struct den_error *err);
/* `fields`: title, tags. */
enum den_status den_document_change(struct den_documents *documents, const char *id,
                                    const json_t *fields, json_t **out, struct den_error *err);
/* With all that was read from it; its file goes too, unless another document has the same one. */
enum den_status den_document_delete(struct den_documents *documents, const char *id,
                                    struct den_error *err);

/* {"ordinal", "kind", "number", "label", "width", "height", "scanned", "text", "blocks", "words"}.
 */
enum den_status den_document_part(struct den_documents *documents, const char *id, int64_t ordinal,
                                  json_t **out, struct den_error *err);

/* The file as it came. */
struct den_document_file {
    int fd; /* the caller's to close */
    uint64_t bytes;
    char hash[DEN_HASH_HEX + 1];
    char format[32];      /* "pdf" ... */
    char media_type[128]; /* as it was told or found; never to be believed by a browser */
    char *name;           /* its last part, without folders; free() it */
};
enum den_status den_document_open(struct den_documents *documents, const char *id,
                                  struct den_document_file *out, struct den_error *err);
void den_document_file_close(struct den_document_file *file);
/* A page of it as PNG of at most `width` pixels, or a picture as it is (desk/reading.h); freed with
 * free(). DEN_UNSUPPORTED for formats without pages. */
enum den_status den_document_picture(const struct den_document_file *file, size_t page,
                                     size_t width, void **out_png, size_t *out_length,
                                     struct den_error *err);
/* "image/png" ... of such a picture. */
const char *den_document_picture_type(const void *picture, size_t length);

#endif
