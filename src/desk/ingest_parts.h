/* The inside of the ingest: ingest.c has its threads, ingest_add.c what comes in, ingest_list.c
 * looks through folders, ingest_read.c reads one file, ingest_embed.c makes vectors. */
#ifndef DEN_DESK_INGEST_PARTS_H
#define DEN_DESK_INGEST_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/limits.h"
#include "desk/documents_parts.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "store/database.h"
#include "store/query.h"

/* Where a batch of passages ended: a hint for the next one, of the embedder's thread alone. */
struct den_embed_place {
    int64_t document, ordinal, embedder; /* rows */
};

struct den_ingest {
    struct den_database *database;
    struct den_originals *originals;
    struct den_documents *documents;
    struct den_jobs *jobs;
    struct den_space *space;
    struct den_ingest_source source;
    char home[DEN_PATH_BYTES_MAX];
    dev_t home_device; /* the folder that is never added */
    ino_t home_inode;
    bool allows_local;
    int lock_fd; /* held by the one Den that works on the database; -1: not yet */
    pthread_t readers[DEN_INGEST_READERS], embedder, teller;
    size_t reader_count;
    bool has_embedder, has_teller;
    struct den_embed_place embed_place;
    int64_t told_document; /* whose embedding is told of; the embedder's thread's */
    atomic_bool is_closing, is_working;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;  /* closing, or something to embed */
    bool has_work;        /* for the embedder */
};

/* Added to the note of documents that have no vectors because there is no model. */
#define DEN_NOTE_NO_EMBEDDER                                                                       \
    "found by its words only: no embedding model is installed, see den models"

/* Runs one task to its end, whatever that is. */
void den_ingest_run(struct den_ingest *ingest, struct den_task *task);
/* Makes tasks of a job's paths. */
void den_ingest_list(struct den_ingest *ingest, struct den_task *task);
/* Embeds up to DEN_INGEST_EMBED_BATCH passages; false: nothing is left, or it can't be done now. */
bool den_ingest_embed(struct den_ingest *ingest);

/* The links that a job's fields ask for; borrowed from them. */
struct den_document_links den_ingest_links(const json_t *fields);
/* The format of the file at `fd`, by its first bytes and its name. */
enum den_status den_ingest_sniff(int fd, const char *name, int *out_format, struct den_error *err);

/* An original that has no row yet, and that its caller holds. */
enum den_status den_ingest_open_kept(struct den_ingest *ingest, const char *hash, int *out_fd,
                                     struct den_error *err);

#endif
