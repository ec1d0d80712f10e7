/* Ingest: how files become documents that can be searched.
 *
 * Two threads read: each takes a task from the queue (jobs.h), finds its file, lets a sandboxed
 * child read it (reading.h), cuts the text into passages that the embedding model reads well, and
 * keeps all of it in one transaction. From then on its words are found. One more thread embeds what
 * lacks a vector, many passages at a time and of whichever documents, behind everybody who is
 * waiting for an answer. A fourth tells those who listen.
 *
 * Where no embedding model is installed, documents are found by their words, and are embedded when
 * there is one. When the model is exchanged, all passages are embedded again while the old vectors
 * go on serving. */
#ifndef DEN_DESK_INGEST_H
#define DEN_DESK_INGEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/originals.h"

struct den_database;
struct den_documents;
struct den_events;
struct den_ingest;
struct den_jobs;
struct den_roster;
struct den_space;

/* What embeds; tests put one of their own here. A handle is taken for some calls and given back. */
struct den_ingest_source {
    void *context;
    /* DEN_NOT_FOUND: no such model is installed. `out_name` tells its vectors from another's. */
    enum den_status (*take)(void *context, void **out_handle, char out_name[128], size_t *out_width,
                            struct den_error *err);
    void (*give_back)(void *context, void *handle);
    /* The name that `take` would give, without waking the model; false: there is none. */
    bool (*name)(void *context, char out_name[128]);
    enum den_status (*count)(void *handle, const char *const *texts, const size_t *lengths,
                             size_t count, size_t *out_counts, struct den_error *err);
    /* out_vectors: (count, width) of unit length. */
    enum den_status (*embed)(void *handle, const char *const *texts, const size_t *lengths,
                             size_t count, float *out_vectors, struct den_error *err);
};
struct den_ingest_source den_ingest_source_of(struct den_roster *roster);

/* All must outlive the ingest. */
struct den_ingest_options {
    struct den_database *database;
    struct den_originals *originals;
    struct den_documents *documents;
    struct den_jobs *jobs;
    struct den_space *space;
    struct den_ingest_source source;
    const char *home;  /* where drafts lie while a document is read; its files are never added */
    bool allows_local; /* addresses of this machine may be fetched (tests) */
};
/* Goes on with what the last program left; where another Den works on the same database, only adds
 * to the queue until that one has ended. */
enum den_status den_ingest_open(const struct den_ingest_options *options, struct den_ingest **out,
                                struct den_error *err);
/* What is being read is read again the next time. */
void den_ingest_close(struct den_ingest *ingest);

/* A file that was received and kept (den_incoming_keep()). Lets go of it in any case. */
struct den_ingest_upload {
    const char *hash;
    uint64_t bytes;
    const char *name;               /* as the sender says, with folders */
    const char *workspace, *thread; /* ids; NULL: none */
    const json_t *tags;             /* array of texts; NULL: none */
};
/* {"document", "job"}. *out_existed: the bytes were there; then job is null unless their reading
 * had failed. */
enum den_status den_ingest_add_upload(struct den_ingest *ingest,
                                      const struct den_ingest_upload *upload, json_t **out,
                                      bool *out_existed, struct den_error *err);
/* Checks the fields before anything is received. */
enum den_status den_ingest_check_upload(struct den_ingest *ingest,
                                        const struct den_ingest_upload *upload,
                                        struct den_error *err);
/* `fields`: {paths, workspace, tags}: absolute paths of files and folders: {"job"}. */
enum den_status den_ingest_add_paths(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                     struct den_error *err);
/* `fields`: {address, workspace, tags}: {"job"}. */
enum den_status den_ingest_add_web(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                   struct den_error *err);

/* Reads originals again, with the text that is there going on to be found meanwhile. `fields`:
 * {documents: [ids]}, or without it all that an older reader has read (input/format.h). {"job"},
 * null where nothing is to be read. */
enum den_status den_ingest_read_again(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                      struct den_error *err);
/* One document: what failed is tried again by the task that failed, from its path or address; what
 * went well is read again. {"document", "job"}; job is null where it is about to be read anyway. */
enum den_status den_ingest_retry(struct den_ingest *ingest, const char *id, json_t **out,
                                 struct den_error *err);

/* Whether this program works on the queue; false while another Den does. */
bool den_ingest_is_working(const struct den_ingest *ingest);
/* Something may be embedded that was not before. */
void den_ingest_wake(struct den_ingest *ingest);

#endif
