/* Everything, read back from a file: see backup.h.
 *
 * The database of the file is unpacked into a scratch folder, brought to this program's tables and
 * judged there; its files go among the originals, where they harm nobody while no row names them.
 * Only then is the database that is in use replaced. Indexes in memory follow by themselves: the
 * table of changed vectors begins anew beyond every number that anybody has seen. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "desk/answers.h"
#include "desk/backup.h"
#include "desk/events.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "desk/reports.h"
#include "desk/library.h"
#include "desk/originals_parts.h"
#include "desk/portable_parts.h"
#include "desk/scratch_folder.h"
#include "store/database.h"
#include "store/database_copy.h"
#include "store/query.h"

enum { BLOCK_BYTES = 256 << 10 };

struct restoring {
    const struct den_backup *backup;
    struct den_bundle *bundle;
    struct den_scratch scratch;
    char path[DEN_PATH_BYTES_MAX]; /* of the database that is judged */
    int64_t bytes;                 /* of it, as the manifest says */
    char hash[DEN_HASH_HEX + 1];
    bool only_verifies;
    int64_t documents, threads;
};

/* --- the manifest --- */

static enum den_status check_format(const json_t *manifest, struct den_error *err)
{
    const char *format = "";
    int64_t version = 0;

    if (den_json_get_text(manifest, "format", &format, err) != DEN_OK ||
        den_json_get_integer(manifest, "version", 1, INT32_MAX, &version, err) != DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "manifest.json");
    }
    if (strcmp(format, "den.workspace") == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "this is one workspace, not a backup of everything; den import takes it");
    if (strcmp(format, "den.backup") != 0)
        return den_fail(err, DEN_BAD_FILE, "manifest.json: this is no backup of Den's");
    if (version != DEN_BACKUP_VERSION)
        return den_fail(err, DEN_BAD_FILE,
                        "the backup is of version %lld, and this Den reads version %d: %s",
                        (long long)version, DEN_BACKUP_VERSION,
                        version > DEN_BACKUP_VERSION ? "update Den" : "it names none");
    return DEN_OK;
}

static enum den_status read_manifest(struct restoring *restoring, const json_t *manifest,
                                     struct den_error *err)
{
    const json_t *database = json_object_get(manifest, "database");
    const char *hash = "";

    if (check_format(manifest, err) != DEN_OK)
        return err->status;
    if (den_json_get_integer(database, "bytes", 1, INT64_MAX / 4, &restoring->bytes, err) !=
            DEN_OK ||
        den_json_get_text(database, "sha256", &hash, err) != DEN_OK ||
        !den_hash_is_well_formed(hash) || restoring->bytes == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "manifest.json: 'database' has no 'bytes' or no 'sha256'");
    snprintf(restoring->hash, sizeof restoring->hash, "%s", hash);
    return DEN_OK;
}

static enum den_status check_members(const struct den_bundle *bundle, struct den_error *err)
{
    size_t i;

    for (i = 0; i < den_bundle_count(bundle); i++) {
        const char *name = den_bundle_name(bundle, i);

        if (strcmp(name, "manifest.json") != 0 && strcmp(name, "den.db") != 0 &&
            !den_portable_hash(name))
            return den_fail(err, DEN_BAD_FILE, "there is '%.80s' in it, which no backup has", name);
        if (den_bundle_find(bundle, name) != (int64_t)i)
            return den_fail(err, DEN_BAD_FILE, "'%.80s' is in it twice", name);
    }
    return DEN_OK;
}

/* --- the database --- */

static enum den_status write_all(int fd, const char *bytes, size_t length, const char *path,
                                 struct den_error *err)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return den_disk_fail(err, "restore", path);
        bytes += count;
        length -= (size_t)count;
    }
    return DEN_OK;
}

static enum den_status copy_database(struct restoring *restoring, int fd, struct den_error *err)
{
    struct den_bundle_member *member = NULL;
    char *block = malloc(BLOCK_BYTES);
    size_t length = 1;

    if (!block)
        return den_fail(err, DEN_NO_MEMORY, "restore: out of memory");
    if (den_bundle_member_open(restoring->bundle, "den.db", (uint64_t)restoring->bytes, &member,
                               err) == DEN_OK)
        while (length > 0 && den_bundle_read(member, block, BLOCK_BYTES, &length, err) == DEN_OK &&
               write_all(fd, block, length, restoring->path, err) == DEN_OK)
            ;
    den_bundle_member_close(member);
    free(block);
    return err->status;
}

static enum den_status unpack_database(struct restoring *restoring, struct den_error *err)
{
    char hash[DEN_HASH_HEX + 1];
    int fd;

    if (den_scratch_file(&restoring->scratch, "den.db", restoring->path, err) != DEN_OK ||
        den_disk_check(restoring->scratch.path, 2 * (uint64_t)restoring->bytes, "restore", err) !=
            DEN_OK)
        return err->status;
    fd = open(restoring->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return den_disk_fail(err, "restore", restoring->path);
    if (copy_database(restoring, fd, err) == DEN_OK && den_hash_file(fd, hash, err) == DEN_OK &&
        strcmp(hash, restoring->hash) != 0)
        den_fail(err, DEN_BAD_FILE,
                 "its database is not the one that was written (SHA-256 %.12s... instead of "
                 "%.12s...)",
                 hash, restoring->hash);
    close(fd);
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

/* What was under way when the snapshot was taken has ended, as after a crash of then. */
static enum den_status settle_rows(struct restoring *restoring, struct den_connection *connection,
                                   struct den_error *err)
{
    static const char *const changes[] = {
        "UPDATE messages SET finish = 'error', error_code = 'interrupted', error_message = 'Den "
        "was ended while it wrote this' WHERE finish IS NULL",
        "UPDATE documents SET state = 'waiting' WHERE state = 'reading'",
        "UPDATE tasks SET state = 'waiting' WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM "
        "documents d WHERE d.row = tasks.document AND d.state = 'embedding')",
        "DELETE FROM tasks WHERE job IN (SELECT row FROM jobs WHERE state IN ('waiting', "
        "'running', 'paused') AND json_extract(fields, '$.unlisted') IS NOT NULL)",
        "DELETE FROM vector_changes",
    };
    size_t i;

    for (i = 0; i < sizeof changes / sizeof changes[0] && err->status == DEN_OK; i++)
        den_execute(connection, err, changes[i], "");
    count(connection, "SELECT count(*) FROM documents", &restoring->documents, err);
    return count(connection, "SELECT count(*) FROM threads WHERE deleted IS NULL",
                 &restoring->threads, err);
}

/* Brings it to this program's tables, and judges it. */
static enum den_status judge_database(struct restoring *restoring, struct den_error *err)
{
    struct den_database *database = NULL;
    struct den_connection *connection;

    if (den_database_open(restoring->path, &database, err) == DEN_OK &&
        den_database_write(database, &connection, err) == DEN_OK) {
        settle_rows(restoring, connection, err);
        den_connection_end(connection, err);
    }
    den_database_close(database);
    if (err->status == DEN_OK)
        den_database_verify(restoring->path, err);
    if (err->status == DEN_INTERNAL)
        err->status = DEN_BAD_FILE; /* tables that this Den's steps can't begin with */
    return err->status == DEN_OK ? DEN_OK : den_fail_at(err, "the backup");
}

/* --- the files --- */

/* Whether the file is here with the right bytes; one with others is moved out of the way. */
static bool is_here(struct restoring *restoring, const char *hash)
{
    char path[DEN_PATH_BYTES_MAX], found[DEN_HASH_HEX + 1];
    struct den_error ignored = { 0 };
    bool is_right;
    int fd;

    if (den_originals_path(restoring->backup->originals, hash, path, &ignored) != DEN_OK)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    is_right = den_hash_file(fd, found, &ignored) == DEN_OK && strcmp(found, hash) == 0;
    close(fd);
    if (!is_right && !restoring->only_verifies)
        unlink(path);
    return is_right;
}

static enum den_status take_file(struct restoring *restoring, const char *hash, int64_t bytes,
                                 struct den_error *err)
{
    char name[DEN_HASH_HEX + 32];
    int64_t index;

    if (!den_hash_is_well_formed(hash))
        return den_fail(err, DEN_BAD_FILE, "the backup: a file is named '%.64s'", hash);
    snprintf(name, sizeof name, "originals/%s", hash);
    index = den_bundle_find(restoring->bundle, name);
    if (index < 0)
        return den_fail(err, DEN_BAD_FILE, "the backup: the file %s is missing", name);
    if (den_bundle_bytes(restoring->bundle, (size_t)index) != (uint64_t)bytes)
        return den_fail(err, DEN_BAD_FILE, "the backup: %s has %llu bytes and should have %lld",
                        name,
                        (unsigned long long)den_bundle_bytes(restoring->bundle, (size_t)index),
                        (long long)bytes);
    if (!restoring->only_verifies && is_here(restoring, hash))
        return DEN_OK;
    /* to verify means to write it among the originals, from where it goes at the end of the pin */
    return den_import_original(restoring->backup->originals, restoring->bundle, name, err);
}

/* The list is the judged database's own. */
static enum den_status take_files(struct restoring *restoring, struct den_error *err)
{
    struct den_database *database = NULL;
    struct den_connection *connection;
    struct den_query query;

    if (den_import_room(restoring->backup->originals, restoring->bundle, "restore", err) !=
            DEN_OK ||
        den_database_open_copy(restoring->path, &database, err) != DEN_OK)
        return err->status;
    if (den_database_read(database, &connection, err) == DEN_OK) {
        den_query_start(&query, connection, err, "SELECT hash, bytes FROM originals ORDER BY hash",
                        "");
        while (den_query_next(&query, err))
            take_file(restoring, den_query_text(&query, 0), den_query_integer(&query, 1), err);
        den_query_end(&query);
        den_connection_end(connection, err);
    }
    den_database_close(database);
    return err->status;
}

/* --- the exchange --- */

/* Who holds the database is asked to end. */
static void hurry(void *context)
{
    const struct restoring *restoring = context;

    if (restoring->backup->answers)
        den_answers_stop_all(restoring->backup->answers);
    if (restoring->backup->library)
        den_jobs_interrupt(den_library_jobs(restoring->backup->library));
    if (restoring->backup->reports)
        den_reports_interrupt(restoring->backup->reports);
}

/* Files that are wanted now may not be wanted then. */
static enum den_status doubt_files(struct restoring *restoring, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(restoring->backup->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err, "SELECT hash FROM originals", "");
    while (den_query_next(&query, err))
        den_originals_doubt(restoring->backup->originals, den_query_text(&query, 0));
    den_query_end(&query);
    return den_connection_end(connection, err);
}

/* Nobody writes now. An index in memory that knows of changes up to some number reads everything
 * anew when the first that is noted lies further on than the next. */
static enum den_status prepare(void *context, struct den_error *err)
{
    struct restoring *restoring = context;
    struct den_database *database = NULL;
    struct den_connection *connection;
    int64_t seen = 0;

    if (den_database_sequence(restoring->backup->database, "vector_changes", &seen, err) !=
            DEN_OK ||
        den_database_open(restoring->path, &database, err) != DEN_OK)
        return err->status;
    if (den_database_write(database, &connection, err) == DEN_OK) {
        den_execute(connection, err,
                    "INSERT INTO vector_changes (row, item) SELECT max(?1, coalesce((SELECT seq "
                    "FROM sqlite_sequence WHERE name = 'vector_changes'), 0)) + 2, 0",
                    "i", seen);
        den_connection_end(connection, err);
    }
    den_database_close(database);
    return err->status == DEN_OK ? doubt_files(restoring, err) : err->status;
}

/* What works in this program looks around; pages are told to read everything again, by ending the
 * streams of those that listen. */
static void tell(const struct den_backup *backup)
{
    struct den_events *events = backup->threads ? den_threads_events(backup->threads) : NULL;

    if (backup->library) {
        den_jobs_added(den_library_jobs(backup->library), 0);
        den_ingest_wake(den_library_ingest(backup->library));
    }
    if (events)
        den_events_publish(events, NULL, "restored", NULL);
}

static enum den_status exchange(struct restoring *restoring, struct den_error *err)
{
    const struct den_replacement replacement = {
        .path = restoring->path, .hurry = hurry, .context = restoring, .prepare = prepare
    };

    if (den_database_replace(restoring->backup->database, &replacement, err) != DEN_OK)
        return err->status;
    tell(restoring->backup);
    return DEN_OK;
}

static enum den_status read_bundle(struct restoring *restoring, json_t **out_manifest,
                                   struct den_error *err)
{
    json_t *manifest = NULL;

    if (den_bundle_json(restoring->bundle, "manifest.json", &manifest, err) == DEN_OK &&
        read_manifest(restoring, manifest, err) == DEN_OK &&
        check_members(restoring->bundle, err) == DEN_OK &&
        unpack_database(restoring, err) == DEN_OK && judge_database(restoring, err) == DEN_OK)
        take_files(restoring, err);
    if (err->status == DEN_OK)
        *out_manifest = manifest;
    else
        json_decref(manifest);
    return err->status;
}

static enum den_status restore(const struct den_backup *backup, const char *path,
                               bool only_verifies, json_t **out, struct den_error *err)
{
    struct restoring restoring = { .backup = backup,
                                   .scratch = { .fd = -1 },
                                   .only_verifies = only_verifies };
    struct den_originals_pin pin = { .fd = -1 };
    char home[DEN_PATH_BYTES_MAX];
    json_t *manifest = NULL;

    den_scratch_home(backup->database, home);
    if (den_bundle_open(path, &restoring.bundle, err) == DEN_OK &&
        den_originals_pin(backup->originals, &pin, err) == DEN_OK &&
        den_scratch_open(home, &restoring.scratch, err) == DEN_OK &&
        read_bundle(&restoring, &manifest, err) == DEN_OK && !only_verifies)
        exchange(&restoring, err);
    den_bundle_close(restoring.bundle);
    den_scratch_close(&restoring.scratch);
    den_originals_unpin(backup->originals, &pin);
    if (err->status == DEN_OK)
        *out = only_verifies ? json_incref(manifest)
                             : json_pack("{s:I, s:I}", "documents", (json_int_t)restoring.documents,
                                         "threads", (json_int_t)restoring.threads);
    json_decref(manifest);
    return err->status;
}

enum den_status den_backup_restore(const struct den_backup *backup, const char *path, json_t **out,
                                   struct den_error *err)
{
    return restore(backup, path, false, out, err);
}

enum den_status den_backup_verify(const struct den_backup *backup, const char *path, json_t **out,
                                  struct den_error *err)
{
    return restore(backup, path, true, out, err);
}
