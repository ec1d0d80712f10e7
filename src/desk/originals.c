/* See originals.h.
 *
 * A file is received under $DEN_HOME/originals/incoming-XXXXXX, hashed on its way, flushed, and
 * renamed to its hash. Who holds a file that no row wants yet holds a shared lock (flock) on it;
 * who removes one must get the exclusive lock first and then look again whether a row has come.
 * So neither two threads nor two programs on one home can remove what the other is about to
 * want: the locks end with the process that held them, and a row is there before its lock goes.
 *
 * The folder has a lock of its own, ".lock": every open store shares it, and only who can have it
 * alone removes what a crash has left, half-received files among it. ".pinned" is another lock: who
 * removes a file must have it alone, who copies or brings in many shares it. */
#include "desk/originals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "desk/originals_parts.h"
#include "store/database.h"
#include "store/query.h"

struct holding { /* a file that is kept until its row is written */
    struct holding *next;
    char hash[DEN_HASH_HEX + 1];
    int fd; /* with a shared lock */
};

struct den_originals {
    char folder[DEN_PATH_BYTES_MAX];
    struct den_database *database;
    int lock_fd;
    bool was_tidied;      /* what a crash had left is gone */
    pthread_mutex_t lock; /* guards the lists */
    struct holding *holdings;
    struct holding *doubted;  /* files to be removed, unless a row wants them; fd is -1 */
    pthread_mutex_t removing; /* this program's own removers wait for each other */
};

const char *den_originals_folder(const struct den_originals *originals)
{
    return originals->folder;
}

bool den_hash_is_well_formed(const char *hash)
{
    return strlen(hash) == DEN_HASH_HEX && strspn(hash, "0123456789abcdef") == DEN_HASH_HEX;
}

enum den_status den_originals_path(const struct den_originals *originals, const char *hash,
                                   char out[DEN_PATH_BYTES_MAX], struct den_error *err)
{
    int length;

    if (!den_hash_is_well_formed(hash))
        return den_fail(err, DEN_INVALID, "originals: '%.80s' is no SHA-256 in hexadecimal", hash);
    length = snprintf(out, DEN_PATH_BYTES_MAX, "%s/%.2s/%s", originals->folder, hash, hash);
    if (length < 0 || length >= DEN_PATH_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "originals: the path of %.100s... is too long",
                        originals->folder);
    return DEN_OK;
}

/* --- what is held --- */

enum den_status den_originals_hold(struct den_originals *originals, const char *hash, int fd,
                                   struct den_error *err)
{
    struct holding *holding = calloc(1, sizeof *holding);

    if (!holding)
        return den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    snprintf(holding->hash, sizeof holding->hash, "%s", hash);
    holding->fd = fd;
    pthread_mutex_lock(&originals->lock);
    holding->next = originals->holdings;
    originals->holdings = holding;
    pthread_mutex_unlock(&originals->lock);
    return DEN_OK;
}

void den_originals_let_go(struct den_originals *originals, const char *hash)
{
    struct holding **at, *found;

    pthread_mutex_lock(&originals->lock);
    for (at = &originals->holdings; *at && strcmp((*at)->hash, hash) != 0; at = &(*at)->next)
        continue;
    found = *at;
    if (found)
        *at = found->next;
    pthread_mutex_unlock(&originals->lock);
    if (found)
        close(found->fd);
    free(found);
}

/* --- rows --- */

enum den_status den_originals_want(struct den_connection *connection, const char *hash,
                                   uint64_t bytes, struct den_error *err)
{
    if (!den_hash_is_well_formed(hash))
        return den_fail(err, DEN_INVALID, "originals: '%.80s' is no SHA-256 in hexadecimal", hash);
    return den_execute(connection, err,
                       "INSERT INTO originals (hash, bytes, created) VALUES (?, ?, ?) "
                       "ON CONFLICT (hash) DO NOTHING",
                       "tii", hash, (int64_t)bytes, den_clock_unix_ms());
}

/* *out_bytes: -1 where there is no row. */
static enum den_status find_row(struct den_originals *originals, const char *hash,
                                int64_t *out_bytes, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(originals->database, &connection, err) != DEN_OK)
        return err->status;
    *out_bytes = -1;
    den_query_start(&query, connection, err, "SELECT bytes FROM originals WHERE hash = ?", "t",
                    hash);
    if (den_query_next(&query, err))
        *out_bytes = den_query_integer(&query, 0);
    den_query_end(&query);
    return den_connection_end(connection, err);
}

enum den_status den_originals_open_file(struct den_originals *originals, const char *hash,
                                        int *out_fd, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct stat info;
    int64_t bytes;
    int fd;

    if (den_originals_path(originals, hash, path, err) != DEN_OK ||
        find_row(originals, hash, &bytes, err) != DEN_OK)
        return err->status;
    if (bytes < 0)
        return den_fail(err, DEN_NOT_FOUND, "originals: there is no file %s", hash);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO,
                              "originals: the file %s can't be opened", path);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != bytes) {
        close(fd);
        return den_fail(err, DEN_BAD_FILE,
                        "originals: %s has %lld bytes and should have %lld; 'den doctor' checks "
                        "all of them",
                        path, (long long)info.st_size, (long long)bytes);
    }
    *out_fd = fd;
    return DEN_OK;
}

/* --- removing --- */

/* The lock on ".pinned"; -1: not to be had now. */
static int lock_pin(struct den_originals *originals, int operation, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    int fd;

    if (den_path_join(path, sizeof path, originals->folder, ".pinned", err) != DEN_OK)
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        den_fail_errno(err, DEN_IO, "originals: %s", path);
    while (fd >= 0 && flock(fd, operation) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            den_fail_errno(err, DEN_IO, "originals: %s can't be locked", path);
        close(fd);
        fd = -1;
    }
    return fd;
}

void den_originals_doubt(struct den_originals *originals, const char *hash)
{
    struct holding *doubted = calloc(1, sizeof *doubted);

    if (!doubted)
        return; /* the next opening removes it */
    snprintf(doubted->hash, sizeof doubted->hash, "%s", hash);
    doubted->fd = -1;
    pthread_mutex_lock(&originals->lock);
    doubted->next = originals->doubted;
    originals->doubted = doubted;
    pthread_mutex_unlock(&originals->lock);
}

/* Removes the file unless somebody holds it or a row wants it; nobody has a pin. */
static enum den_status remove_unpinned(struct den_originals *originals, const char *hash,
                                       struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    int64_t bytes = 0;
    int fd;

    if (den_originals_path(originals, hash, path, err) != DEN_OK)
        return err->status;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? DEN_OK : den_fail_errno(err, DEN_IO, "originals: %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && find_row(originals, hash, &bytes, err) == DEN_OK &&
        bytes < 0 && unlink(path) != 0)
        den_fail_errno(err, DEN_IO, "originals: %s can't be removed", path);
    close(fd);
    return err->status;
}

/* While there is a pin, it is put off. */
static enum den_status remove_unwanted(struct den_originals *originals, const char *hash,
                                       struct den_error *err)
{
    int fd;

    pthread_mutex_lock(&originals->removing);
    fd = lock_pin(originals, LOCK_EX | LOCK_NB, err);
    if (fd >= 0) {
        remove_unpinned(originals, hash, err);
        close(fd);
    } else if (err->status == DEN_OK) {
        den_originals_doubt(originals, hash);
    }
    pthread_mutex_unlock(&originals->removing);
    return err->status;
}

/* What was put off, once more. */
void den_originals_settle(struct den_originals *originals)
{
    struct holding *doubted, *next;

    pthread_mutex_lock(&originals->lock);
    doubted = originals->doubted;
    originals->doubted = NULL;
    pthread_mutex_unlock(&originals->lock);
    for (; doubted; doubted = next) {
        struct den_error ignored = { 0 };

        next = doubted->next;
        if (remove_unwanted(originals, doubted->hash, &ignored) != DEN_OK)
            den_originals_doubt(originals, doubted->hash); /* the disk fails now */
        free(doubted);
    }
}

enum den_status den_originals_pin(struct den_originals *originals, struct den_originals_pin *out,
                                  struct den_error *err)
{
    int fd = lock_pin(originals, LOCK_SH, err);

    if (fd >= 0)
        out->fd = fd;
    return err->status;
}

void den_originals_unpin(struct den_originals *originals, struct den_originals_pin *pin)
{
    if (pin->fd < 0)
        return;
    close(pin->fd);
    pin->fd = -1;
    den_originals_settle(originals);
}

struct hashes {
    char (*items)[DEN_HASH_HEX + 1];
    size_t count, capacity;
    bool failed;
};

static void add_hash(void *context, const char *hash)
{
    struct hashes *hashes = context;

    if (!den_hash_is_well_formed(hash) || hashes->failed)
        return;
    if (hashes->count == hashes->capacity) {
        size_t capacity = hashes->capacity ? 2 * hashes->capacity : 64;
        void *items = realloc(hashes->items, capacity * sizeof *hashes->items);

        if (!items) {
            hashes->failed = true;
            return;
        }
        hashes->items = items;
        hashes->capacity = capacity;
    }
    memcpy(hashes->items[hashes->count++], hash, DEN_HASH_HEX + 1);
}

static enum den_status remove_all(struct den_originals *originals, struct hashes *hashes,
                                  struct den_error *err)
{
    size_t i;

    if (hashes->failed)
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    for (i = 0; i < hashes->count && err->status == DEN_OK; i++)
        remove_unwanted(originals, hashes->items[i], err);
    free(hashes->items);
    return err->status;
}

enum den_status den_originals_sweep(struct den_originals *originals, struct den_error *err)
{
    struct hashes hashes = { 0 };
    struct den_connection *connection;
    struct den_query query;

    den_originals_settle(originals);
    if (den_database_write(originals->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "DELETE FROM originals WHERE NOT EXISTS (SELECT 1 FROM documents WHERE "
                    "documents.original = originals.hash) RETURNING hash",
                    "");
    while (den_query_next(&query, err))
        add_hash(&hashes, den_query_text(&query, 0));
    den_query_end(&query);
    if (hashes.failed)
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    if (den_connection_end(connection, err) != DEN_OK) {
        free(hashes.items);
        return err->status;
    }
    return remove_all(originals, &hashes, err);
}

/* --- opening --- */

struct listing {
    struct den_originals *originals;
    struct hashes files;
    char folder[DEN_PATH_BYTES_MAX];
    struct den_error *err;
};

static void look_at_entry(void *context, const char *name)
{
    struct listing *listing = context;
    char path[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    if (den_path_join(path, sizeof path, listing->originals->folder, name, &ignored) != DEN_OK)
        return;
    if (strncmp(name, DEN_INCOMING_PREFIX, sizeof DEN_INCOMING_PREFIX - 1) == 0)
        unlink(path);
    else if (strlen(name) == 2 && listing->err->status == DEN_OK)
        den_folder_list(path, add_hash, &listing->files, listing->err);
}

/* What a crash has left, if nobody else has the store open: children of a program that was killed
 * have it for a moment longer than that program. */
static enum den_status tidy_up(struct den_originals *originals, struct den_error *err)
{
    struct listing listing = { .originals = originals, .err = err };

    if (flock(originals->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return DEN_OK;
    den_folder_list(originals->folder, look_at_entry, &listing, err);
    originals->was_tidied = remove_all(originals, &listing.files, err) == DEN_OK;
    return err->status;
}

static enum den_status lock_folder(struct den_originals *originals, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (den_path_join(path, sizeof path, originals->folder, ".lock", err) != DEN_OK)
        return err->status;
    originals->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (originals->lock_fd < 0)
        return den_fail_errno(err, DEN_IO, "originals: %s", path);
    if (tidy_up(originals, err) != DEN_OK)
        return err->status;
    while (flock(originals->lock_fd, LOCK_SH) != 0)
        if (errno != EINTR)
            return den_fail_errno(err, DEN_IO, "originals: %s can't be locked", path);
    return DEN_OK;
}

enum den_status den_originals_open(const char *home, struct den_database *database,
                                   struct den_originals **out, struct den_error *err)
{
    struct den_originals *originals = calloc(1, sizeof *originals);

    if (!originals)
        return den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    originals->database = database;
    originals->lock_fd = -1;
    pthread_mutex_init(&originals->lock, NULL);
    pthread_mutex_init(&originals->removing, NULL);
    if (den_path_join(originals->folder, sizeof originals->folder, home, "originals", err) !=
            DEN_OK ||
        den_folder_create(originals->folder, err) != DEN_OK ||
        lock_folder(originals, err) != DEN_OK)
        goto fail;
    *out = originals;
    return DEN_OK;
fail:
    den_originals_close(originals);
    return err->status;
}

void den_originals_close(struct den_originals *originals)
{
    struct den_error ignored = { 0 };

    if (!originals)
        return;
    den_originals_settle(originals);
    while (originals->doubted) { /* another program has a pin: the next opening removes them */
        struct holding *doubted = originals->doubted;

        originals->doubted = doubted->next;
        free(doubted);
    }
    while (originals->holdings) {
        struct holding *holding = originals->holdings;

        originals->holdings = holding->next;
        close(holding->fd);
        free(holding);
    }
    if (originals->lock_fd >= 0 && !originals->was_tidied)
        tidy_up(originals, &ignored);
    if (originals->lock_fd >= 0)
        close(originals->lock_fd);
    pthread_mutex_destroy(&originals->removing);
    pthread_mutex_destroy(&originals->lock);
    free(originals);
}

/* --- checking --- */

static enum den_status read_rows(struct den_originals *originals, struct hashes *out,
                                 struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(originals->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err, "SELECT hash FROM originals ORDER BY hash", "");
    while (den_query_next(&query, err))
        add_hash(out, den_query_text(&query, 0));
    den_query_end(&query);
    if (out->failed)
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    return den_connection_end(connection, err);
}

enum den_status den_originals_check(struct den_originals *originals,
                                    void (*tell)(void *context, const char *hash, const char *what),
                                    void *context, struct den_error *err)
{
    struct hashes hashes = { 0 };
    size_t i;

    read_rows(originals, &hashes, err);
    for (i = 0; i < hashes.count && err->status == DEN_OK; i++) {
        struct den_error problem = { 0 };
        char hash[DEN_HASH_HEX + 1];
        int fd = -1;

        if (den_originals_open_file(originals, hashes.items[i], &fd, &problem) != DEN_OK) {
            tell(context, hashes.items[i], problem.message);
            continue;
        }
        if (den_hash_file(fd, hash, &problem) != DEN_OK)
            tell(context, hashes.items[i], problem.message);
        else if (strcmp(hash, hashes.items[i]) != 0)
            tell(context, hashes.items[i], "its bytes are not those that were stored");
        close(fd);
    }
    free(hashes.items);
    return err->status;
}
