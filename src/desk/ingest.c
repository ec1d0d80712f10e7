/* See ingest.h. */
#include "desk/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "desk/ingest_parts.h"
#include "store/database_copy.h"

enum { TELL_MS = 250, LOCK_SECONDS = 2, IDLE_SECONDS = 30 };

/* --- one Den at a time --- */

static bool take_lock(struct den_ingest *ingest)
{
    char path[DEN_PATH_BYTES_MAX + 16];

    if (ingest->lock_fd >= 0)
        return true;
    snprintf(path, sizeof path, "%s.working", den_database_path(ingest->database));
    ingest->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ingest->lock_fd >= 0 && flock(ingest->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        close(ingest->lock_fd);
        ingest->lock_fd = -1;
    }
    return ingest->lock_fd >= 0;
}

/* What the last program was doing waits again. A document that waits for its vectors goes on
 * waiting, and its tasks with it. */
static enum den_status recover(struct den_ingest *ingest, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, "UPDATE documents SET state = 'waiting' WHERE state = 'reading'",
                "");
    den_execute(connection, err,
                "UPDATE tasks SET state = 'waiting' WHERE state = 'running' AND NOT EXISTS (SELECT "
                "1 FROM documents d WHERE d.row = tasks.document AND d.state = 'embedding')",
                "");
    den_execute(connection, err,
                "DELETE FROM tasks WHERE job IN (SELECT row FROM jobs WHERE state IN ('waiting', "
                "'running', 'paused') AND json_extract(fields, '$.unlisted') IS NOT NULL)",
                "");
    den_jobs_settle(connection, err);
    return den_connection_end(connection, err);
}

/* --- threads --- */

/* Waits so long or until closing; the lock is held. */
static void wait_on(struct den_ingest *ingest, long milliseconds)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    if (!atomic_load(&ingest->is_closing))
        pthread_cond_timedwait(&ingest->wake, &ingest->lock, &until);
}

static void *read_files(void *context)
{
    struct den_ingest *ingest = context;
    struct den_task *task;

    while (den_jobs_claim(ingest->jobs, &task)) {
        if (task->row == 0)
            den_ingest_list(ingest, task);
        else
            den_ingest_run(ingest, task);
        den_jobs_release(ingest->jobs, task);
    }
    return NULL;
}

/* A batch carries row numbers: the database is not to be replaced meanwhile. */
static bool embed_some(struct den_ingest *ingest)
{
    bool has_more;

    if (!den_database_hold(ingest->database))
        return false;
    has_more = den_ingest_embed(ingest);
    den_database_let_go(ingest->database);
    return has_more;
}

static void *embed_passages(void *context)
{
    struct den_ingest *ingest = context;
    bool has_more;

    while (!atomic_load(&ingest->is_closing)) {
        pthread_mutex_lock(&ingest->lock);
        ingest->has_work = false;
        pthread_mutex_unlock(&ingest->lock);
        do
            has_more = embed_some(ingest);
        while (has_more && !atomic_load(&ingest->is_closing));
        pthread_mutex_lock(&ingest->lock);
        if (!ingest->has_work)
            wait_on(ingest, IDLE_SECONDS * 1000);
        pthread_mutex_unlock(&ingest->lock);
    }
    return NULL;
}

static enum den_status start_work(struct den_ingest *ingest, struct den_error *err)
{
    size_t i;

    if (recover(ingest, err) != DEN_OK)
        return err->status;
    atomic_store(&ingest->is_working, true);
    for (i = 0; i < DEN_INGEST_READERS; i++) {
        if (pthread_create(&ingest->readers[i], NULL, read_files, ingest) != 0)
            return den_fail(err, DEN_NO_MEMORY, "ingest: no thread can be started");
        ingest->reader_count++;
    }
    if (pthread_create(&ingest->embedder, NULL, embed_passages, ingest) != 0)
        return den_fail(err, DEN_NO_MEMORY, "ingest: no thread can be started");
    ingest->has_embedder = true;
    return DEN_OK;
}

/* Tells of what changed, and takes over when the Den that was working has ended. */
static void *tell(void *context)
{
    struct den_ingest *ingest = context;
    double looked_at = den_clock_seconds();

    while (!atomic_load(&ingest->is_closing)) {
        struct den_error ignored = { 0 };

        den_documents_tell(ingest->documents);
        den_jobs_tell(ingest->jobs);
        if (ingest->lock_fd < 0 && den_clock_seconds() > looked_at + LOCK_SECONDS) {
            looked_at = den_clock_seconds();
            if (take_lock(ingest))
                start_work(ingest, &ignored);
        }
        pthread_mutex_lock(&ingest->lock);
        wait_on(ingest, TELL_MS);
        pthread_mutex_unlock(&ingest->lock);
    }
    return NULL;
}

/* --- life --- */

enum den_status den_ingest_open(const struct den_ingest_options *options, struct den_ingest **out,
                                struct den_error *err)
{
    struct den_ingest *ingest = calloc(1, sizeof *ingest);
    struct stat info;

    if (!ingest)
        return den_fail(err, DEN_NO_MEMORY, "ingest: out of memory");
    ingest->lock_fd = -1;
    ingest->database = options->database;
    ingest->originals = options->originals;
    ingest->documents = options->documents;
    ingest->jobs = options->jobs;
    ingest->space = options->space;
    ingest->source = options->source;
    ingest->allows_local = options->allows_local;
    snprintf(ingest->home, sizeof ingest->home, "%s", options->home);
    pthread_mutex_init(&ingest->lock, NULL);
    pthread_cond_init(&ingest->wake, NULL);
    if (stat(ingest->home, &info) == 0) {
        ingest->home_device = info.st_dev;
        ingest->home_inode = info.st_ino;
    }
    if (take_lock(ingest) && start_work(ingest, err) != DEN_OK)
        goto fail;
    if (pthread_create(&ingest->teller, NULL, tell, ingest) != 0) {
        den_fail(err, DEN_NO_MEMORY, "ingest: no thread can be started");
        goto fail;
    }
    ingest->has_teller = true;
    *out = ingest;
    return DEN_OK;
fail:
    den_ingest_close(ingest);
    return err->status;
}

void den_ingest_close(struct den_ingest *ingest)
{
    size_t i;

    if (!ingest)
        return;
    pthread_mutex_lock(&ingest->lock);
    atomic_store(&ingest->is_closing, true);
    pthread_cond_broadcast(&ingest->wake);
    pthread_mutex_unlock(&ingest->lock);
    if (ingest->has_teller) /* first: it may start the others */
        pthread_join(ingest->teller, NULL);
    den_jobs_stop(ingest->jobs);
    for (i = 0; i < ingest->reader_count; i++)
        pthread_join(ingest->readers[i], NULL);
    if (ingest->has_embedder)
        pthread_join(ingest->embedder, NULL);
    if (ingest->lock_fd >= 0)
        close(ingest->lock_fd);
    pthread_cond_destroy(&ingest->wake);
    pthread_mutex_destroy(&ingest->lock);
    free(ingest);
}

bool den_ingest_is_working(const struct den_ingest *ingest)
{
    return atomic_load(&ingest->is_working);
}

/* Wakes the teller too, early by a fraction of a second. */
void den_ingest_wake(struct den_ingest *ingest)
{
    pthread_mutex_lock(&ingest->lock);
    ingest->has_work = true;
    pthread_cond_broadcast(&ingest->wake);
    pthread_mutex_unlock(&ingest->lock);
}
