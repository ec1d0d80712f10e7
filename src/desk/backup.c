/* Everything, written as one file: see backup.h. backup_restore.c reads it.
 *
 * The store is pinned before the snapshot is taken: what the snapshot names was there then, and
 * can't be removed until the zip is whole. */
#include "desk/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "desk/bundle.h"
#include "desk/originals_parts.h"
#include "desk/scratch_folder.h"
#include "store/database.h"
#include "store/database_copy.h"
#include "store/query.h"

struct writing {
    const struct den_backup *backup;
    struct den_bundle_writer *bundle;
    struct den_scratch scratch;
    char snapshot[DEN_PATH_BYTES_MAX];
    char hash[DEN_HASH_HEX + 1];
    int64_t bytes, originals, originals_bytes, documents, threads;
};

static enum den_status take_snapshot(struct writing *writing, struct den_error *err)
{
    struct stat info;
    int fd;

    if (den_scratch_file(&writing->scratch, "den.db", writing->snapshot, err) != DEN_OK ||
        den_database_snapshot(writing->backup->database, writing->snapshot, err) != DEN_OK)
        return err->status;
    fd = open(writing->snapshot, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        den_fail_errno(err, DEN_IO, "backup: %s", writing->snapshot);
    else
        den_hash_file(fd, writing->hash, err);
    if (fd >= 0)
        close(fd);
    if (err->status == DEN_OK)
        writing->bytes = info.st_size;
    return err->status;
}

static enum den_status add_originals(struct writing *writing, struct den_connection *connection,
                                     struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT hash, bytes FROM originals ORDER BY hash", "");
    while (den_query_next(&query, err)) {
        const char *hash = den_query_text(&query, 0);
        char path[DEN_PATH_BYTES_MAX], name[DEN_HASH_HEX + 32];

        snprintf(name, sizeof name, "originals/%s", hash);
        if (den_originals_path(writing->backup->originals, hash, path, err) != DEN_OK)
            break;
        if (access(path, R_OK) != 0)
            den_fail_errno(err, DEN_IO,
                           "backup: the file of a document, %s, is not there; 'den doctor --check "
                           "--repair' says which document it is and marks it",
                           path);
        else
            den_bundle_add_file(writing->bundle, name, path, false, err);
        writing->originals++;
        writing->originals_bytes += den_query_integer(&query, 1);
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status count(struct den_connection *connection, const char *sql, int64_t *out,
                             struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, sql, "");
    if (den_query_next(&query, err))
        *out = den_query_integer(&query, 0);
    den_query_end(&query);
    return err->status;
}

/* The snapshot itself says what is in it. */
static enum den_status read_snapshot(struct writing *writing, struct den_error *err)
{
    struct den_database *snapshot = NULL;
    struct den_connection *connection;

    if (den_database_open_copy(writing->snapshot, &snapshot, err) != DEN_OK ||
        den_database_read(snapshot, &connection, err) != DEN_OK) {
        den_database_close(snapshot);
        return err->status;
    }
    if (count(connection, "SELECT count(*) FROM documents", &writing->documents, err) == DEN_OK &&
        count(connection, "SELECT count(*) FROM threads WHERE deleted IS NULL", &writing->threads,
              err) == DEN_OK)
        add_originals(writing, connection, err);
    den_connection_end(connection, err);
    den_database_close(snapshot);
    return err->status;
}

static json_t *manifest_json(const struct writing *writing)
{
    return json_pack(
        "{s:s, s:i, s:I, s:s, s:{s:I, s:s}, s:I, s:I, s:I, s:I}", "format", "den.backup", "version",
        DEN_BACKUP_VERSION, "created", (json_int_t)den_clock_unix_ms(), "den", DEN_VERSION,
        "database", "bytes", (json_int_t)writing->bytes, "sha256", writing->hash, "documents",
        (json_int_t)writing->documents, "threads", (json_int_t)writing->threads, "originals",
        (json_int_t)writing->originals, "originals_bytes", (json_int_t)writing->originals_bytes);
}

static enum den_status bind(struct writing *writing, const char *path, json_t **out,
                            struct den_error *err)
{
    struct den_bundle_writer *bundle = writing->bundle;
    json_t *manifest = manifest_json(writing);

    if (!manifest)
        return den_fail(err, DEN_NO_MEMORY, "backup: out of memory");
    if (den_disk_check(path, (uint64_t)(writing->bytes / 2 + writing->originals_bytes), "backup",
                       err) == DEN_OK &&
        den_bundle_add_json(bundle, "manifest.json", manifest, err) == DEN_OK &&
        den_bundle_add_file(bundle, "den.db", writing->snapshot, true, err) == DEN_OK) {
        writing->bundle = NULL;
        den_bundle_finish(bundle, err);
    }
    if (err->status == DEN_OK)
        *out = manifest;
    else
        json_decref(manifest);
    return err->status;
}

enum den_status den_backup_write(const struct den_backup *backup, const char *path, json_t **out,
                                 struct den_error *err)
{
    struct writing writing = { .backup = backup, .scratch = { .fd = -1 } };
    struct den_originals_pin pin = { .fd = -1 };
    char home[DEN_PATH_BYTES_MAX];

    den_scratch_home(backup->database, home);
    if (den_originals_pin(backup->originals, &pin, err) == DEN_OK &&
        den_scratch_open(home, &writing.scratch, err) == DEN_OK &&
        den_bundle_create(path, &writing.bundle, err) == DEN_OK &&
        take_snapshot(&writing, err) == DEN_OK && read_snapshot(&writing, err) == DEN_OK)
        bind(&writing, path, out, err);
    den_bundle_drop(writing.bundle);
    den_scratch_close(&writing.scratch);
    den_originals_unpin(backup->originals, &pin);
    return err->status;
}
