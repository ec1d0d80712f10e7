/* The inside of watched folders: watched.c has the list and the thread, watched_scan.c compares a
 * folder with what it held. */
#ifndef DEN_DESK_WATCHED_PARTS_H
#define DEN_DESK_WATCHED_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "desk/watched.h"
#include "store/database.h"
#include "store/query.h"

/* A folder while the program runs. */
struct den_watched_folder {
    int64_t row;
    char id[DEN_ID_LENGTH_MAX + 1];
    char workspace[DEN_ID_LENGTH_MAX + 1]; /* "": none */
    char path[DEN_PATH_BYTES_MAX];
    double scan_at;    /* den_clock_seconds(): not before */
    double changed_at; /* the first change that no scan has seen; 0: none */
    bool is_polled;    /* the kernel's limit of watches was met */
};

struct den_watched {
    struct den_database *database;
    struct den_documents *documents;
    struct den_jobs *jobs;
    struct den_ingest *ingest;
    double settle_seconds, scan_seconds;
    pthread_t thread;
    bool has_thread;
    int wake_fd; /* an eventfd: the list has changed, or the end */
    atomic_bool is_closing, is_changed;
    /* the thread's own */
    int notify_fd;
    size_t count;
    struct den_watched_folder *folders[DEN_WATCHED_MAX];
    struct den_watch {
        int number; /* inotify's */
        size_t folder;
    } * watches;
    size_t watch_count, watch_capacity;
};

/* Looks through the folder and queues, changes and removes what has to be. *out_again: it has to be
 * looked through again soon. */
enum den_status den_watched_scan(struct den_watched *watched, struct den_watched_folder *folder,
                                 bool *out_again, struct den_error *err);

/* inotify is to tell of the folder at `path`. False: the kernel has no more watches for us. */
bool den_watched_notify(struct den_watched *watched, const struct den_watched_folder *folder,
                        const char *path);

/* In the transaction that ends the task of a watched file: the file at `address` in the folder `id`
 * had this time and size, and is this document (0: none). What it was before is removed if no
 * other file is it. */
struct den_watched_seen {
    const char *folder, *address; /* id; absolute path */
    int64_t document, modified_ns;
    uint64_t bytes;
};
enum den_status den_watched_note(struct den_connection *connection,
                                 const struct den_watched_seen *seen, struct den_error *err);

#endif
