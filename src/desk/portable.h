/* Portable workspaces: one file that carries a workspace to another Den, or back into this one.
 *
 * The file is a zip (bundle.h), NAME.den-workspace:
 *
 *     manifest.json    {"format": "den.workspace", "version": 1, "created", "documents", "threads",
 *                       "messages", "passages", "vectors", "embedder": {"name", "width"} or null}
 *     workspace.json   the workspace as the HTTP interface shows it
 *     documents.jsonl  a line each: {"document"}, then its {"part"}s, then its {"item"}s (passages)
 *     vectors.f16      (passages with "vector": true, width) in their order, little-endian
 *     threads.jsonl    {"folder"} and {"thread"} with its messages and their sources
 *     originals/HASH   files as they came, by their SHA-256
 *
 * What is read is somebody else's. Every value is checked, files are hashed again, names are never
 * paths, and all rows come in one transaction: the workspace is there whole or not at all. Ids that
 * are taken here are exchanged for new ones; a document that is here already (the same bytes and
 * name) is put into the workspace and not doubled. Vectors are taken where they are of the embedder
 * that searches ask here; otherwise passages are embedded in the background, and found by their
 * words until then. Where the file was is left out: a path of another machine means nothing. */
#ifndef DEN_DESK_PORTABLE_H
#define DEN_DESK_PORTABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

struct den_database;
struct den_library;
struct den_originals;
struct den_threads;

enum { DEN_PORTABLE_VERSION = 1 };

struct den_portable {
    struct den_database *database;
    struct den_originals *originals;
    struct den_threads *threads; /* its events are told; NULL: nobody listens */
    struct den_library *library; /* what works on jobs; NULL: nobody here */
};

/* `workspace`: an id. Writes the file at `path`; *out: the manifest. */
enum den_status den_workspace_export(const struct den_portable *portable, const char *workspace,
                                     const char *path, json_t **out, struct den_error *err);
/* {"workspace": workspace, "documents", "threads", "messages": counts, "linked": documents that
 * were here, "waiting": those that are to be embedded or read}. DEN_BAD_FILE says what is wrong
 * with the file. */
enum den_status den_workspace_import(const struct den_portable *portable, const char *path,
                                     json_t **out, struct den_error *err);

/* A zip of Den's own, by its first bytes: not a file of conversations. */
bool den_portable_is(const char *path);

#endif
