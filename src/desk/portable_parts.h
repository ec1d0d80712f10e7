/* The inside of portable workspaces: portable_export.c writes, portable_import.c reads,
 * portable_documents.c brings documents in, portable_check.c judges what a file says. */
#ifndef DEN_DESK_PORTABLE_PARTS_H
#define DEN_DESK_PORTABLE_PARTS_H

#include <stdint.h>

#include "base/limits.h"
#include "desk/bundle.h"
#include "desk/originals.h"
#include "desk/portable.h"
#include "desk/threads_parts.h"

/* --- what a file says, checked (portable_check.c); texts are borrowed from the JSON --- */

struct den_portable_manifest {
    char embedder[128]; /* "": its vectors are of none */
    size_t width;
};
enum den_status den_portable_read_manifest(const json_t *manifest,
                                           struct den_portable_manifest *out,
                                           struct den_error *err);

struct den_portable_document {
    const char *id, *hash, *title, *author, *media_type, *format, *note, *state;
    const char *address; /* of the web; else "" */
    const char *error_code, *error_message;
    char name[DEN_DOCUMENT_NAME_BYTES_MAX + 1];
    const json_t *tags;        /* array of texts */
    int64_t modified, created; /* 0: not known */
    bool linked, pinned;       /* in the workspace, besides in a thread */
};
enum den_status den_portable_read_document(const json_t *json, struct den_portable_document *out,
                                           struct den_error *err);

struct den_portable_item {
    size_t part, start, stop;
    const char *kind, *heading, *text, *modality;
    size_t length, tokens;
    bool has_vector;
};
enum den_status den_portable_read_item(const json_t *json, struct den_portable_item *out,
                                       struct den_error *err);

/* The name of a member: which of those that a file may have. */
bool den_portable_is_member(const char *name);
/* The SHA-256 in "originals/HASH"; NULL: it is another member. */
const char *den_portable_hash(const char *member);

/* Sources of a message in the shape of desk/grounding.h, the ids of its documents exchanged by
 * `ids` ({old: new}, or NULL). False: they are not what they should be. */
bool den_portable_read_sources(json_t *sources, const json_t *ids);

/* --- an import --- */

struct den_import {
    const struct den_portable *portable;
    struct den_bundle *bundle;
    struct den_connection *connection;
    struct den_portable_manifest manifest;
    int64_t workspace; /* row */
    json_t *ids;       /* {document's id in the file: its id here} */
    int64_t embedder;  /* row; 0: the vectors are of no use here */
    size_t documents, linked, waiting, threads, messages;
    int64_t job;  /* that reads what was not read yet; 0: none */
    json_t *tell; /* rows of documents that are new or changed */
};
/* The file of the member `name` goes among the originals, if its bytes have the hash that it is
 * named by. The store must be pinned; without a row by the end of the pin it is removed. */
enum den_status den_import_original(struct den_originals *originals, struct den_bundle *bundle,
                                    const char *name, struct den_error *err);
/* Whether the disk has room for all such members whose files are not here yet; a member's size is
 * what the archive says. `what` names who asks. */
enum den_status den_import_room(struct den_originals *originals, const struct den_bundle *bundle,
                                const char *what, struct den_error *err);
/* Reads documents.jsonl and vectors.f16 into the transaction. */
enum den_status den_import_documents(struct den_import *import, struct den_error *err);

#endif
