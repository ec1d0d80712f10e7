/* See database_copy.h. */
#include "store/database_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/full_text.h"
#include "store/migrations.h"
#include "store/query.h"
#include "store/sqlite_error.h"
#include "store/store_parts.h"

enum { HURRY_MS = 100 };

/* --- holding --- */

/* The lock that other programs see: shared by who holds, alone for who replaces. -1: not to be had
 * now (or not at all, on a file system without locks: then only this program's holders count). */
static int lock_file(const struct den_database *database, int operation, bool *out_refused)
{
    char path[DEN_PATH_BYTES_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s.held", database->path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *out_refused = false;
    while (fd >= 0 && flock(fd, operation | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        *out_refused = errno == EWOULDBLOCK;
        close(fd);
        fd = -1;
    }
    return fd;
}

bool den_database_hold(struct den_database *database)
{
    bool refused;

    pthread_mutex_lock(&database->lock);
    refused = database->is_being_replaced;
    if (!refused && database->holders == 0)
        database->held_fd = lock_file(database, LOCK_SH, &refused);
    if (!refused)
        database->holders++;
    pthread_mutex_unlock(&database->lock);
    return !refused;
}

void den_database_let_go(struct den_database *database)
{
    pthread_mutex_lock(&database->lock);
    if (--database->holders == 0 && database->held_fd >= 0) {
        close(database->held_fd);
        database->held_fd = -1;
    }
    pthread_mutex_unlock(&database->lock);
}

/* --- snapshots --- */

static enum den_status flush(const char *path, struct den_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        den_fail_errno(err, DEN_IO, "database: %s can't be flushed to the disk", path);
    if (fd >= 0)
        close(fd);
    return err->status;
}

static int run_with_text(sqlite3 *handle, const char *sql, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A connection of its own: VACUUM INTO wants one without a transaction. */
enum den_status den_database_snapshot(struct den_database *database, const char *path,
                                      struct den_error *err)
{
    sqlite3 *handle = NULL;
    int code =
        sqlite3_open_v2(database->path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK)
        code = den_full_text_register(handle);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(handle, 1);
        sqlite3_busy_timeout(handle, DEN_DATABASE_WAIT_MS);
        code = run_with_text(handle, "VACUUM INTO ?", path);
    }
    if (code != SQLITE_OK) {
        den_fail_sqlite(err, handle, code, path);
        den_fail_at(err, "a copy of the database");
        unlink(path);
    }
    sqlite3_close(handle);
    return err->status == DEN_OK ? flush(path, err) : err->status;
}

/* --- verifying --- */

static enum den_status check_pages(sqlite3 *handle, const char *path, const char *pragma,
                                   struct den_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, pragma, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(statement, 0);

        if (!said || strcmp(said, "ok") != 0)
            den_fail(err, DEN_BAD_FILE, "database: %s is damaged: %.200s", path, said ? said : "");
    } else if (code == SQLITE_DONE) {
        code = SQLITE_OK; /* foreign_key_check: no row is a good word */
    } else {
        den_fail_sqlite(err, handle, code, path);
    }
    sqlite3_finalize(statement);
    return err->status;
}

/* A rule of SQLite's that is not ours (a trigger, a view) would act on our rows: each has to be
 * there in a fresh database, word for word, and each of ours here. */
static enum den_status compare_schemas(sqlite3 *handle, const char *path, struct den_error *err)
{
    static const char foreign[] =
        "SELECT count(*) FROM main.sqlite_schema s WHERE (s.type IN ('trigger', 'view') AND NOT "
        "EXISTS (SELECT 1 FROM fresh.sqlite_schema f WHERE f.type = s.type AND f.name = s.name AND "
        "f.sql = s.sql)) OR NOT EXISTS (SELECT 1 FROM fresh.sqlite_schema f WHERE f.type = s.type "
        "AND f.name = s.name AND f.tbl_name = s.tbl_name)";
    static const char missing[] =
        "SELECT count(*) FROM fresh.sqlite_schema f WHERE NOT EXISTS (SELECT 1 FROM "
        "main.sqlite_schema s WHERE s.type = f.type AND s.name = f.name)";
    int64_t others = 0, lacking = 0;

    if (den_sqlite_integer(handle, path, foreign, &others, err) != DEN_OK ||
        den_sqlite_integer(handle, path, missing, &lacking, err) != DEN_OK)
        return err->status;
    if (others > 0 || lacking > 0)
        return den_fail(err, DEN_BAD_FILE,
                        "database: %s has not the tables of this Den: %lld are not its own, %lld "
                        "are missing",
                        path, (long long)others, (long long)lacking);
    return DEN_OK;
}

/* `fresh` becomes a database of this version, in a file beside `path`. */
static enum den_status make_fresh(const char *fresh, struct den_error *err)
{
    sqlite3 *handle = NULL;
    int code = sqlite3_open_v2(
        fresh, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK)
        code = den_full_text_register(handle);
    if (code != SQLITE_OK)
        den_fail_sqlite(err, handle, code, fresh);
    else
        den_migrate(handle, fresh, den_migrations, den_migration_count, err);
    sqlite3_close(handle);
    return err->status;
}

static enum den_status compare(sqlite3 *handle, const char *path, const char *fresh,
                               struct den_error *err)
{
    int64_t mark = 0, version = 0;
    int code;

    if (den_sqlite_integer(handle, path, "PRAGMA application_id", &mark, err) != DEN_OK ||
        den_sqlite_integer(handle, path, "PRAGMA user_version", &version, err) != DEN_OK)
        return err->status;
    if (mark != DEN_DATABASE_APPLICATION_ID)
        return den_fail(err, DEN_BAD_FILE, "database: %s belongs to another program", path);
    if (version < 0 || (uint64_t)version != den_migration_count)
        return den_fail(err, DEN_BAD_FILE, "database: %s has version %lld, this Den has %zu", path,
                        (long long)version, den_migration_count);
    code = run_with_text(handle, "ATTACH ? AS fresh", fresh);
    if (code != SQLITE_OK)
        return den_fail_sqlite(err, handle, code, fresh);
    return compare_schemas(handle, path, err);
}

static enum den_status verify(sqlite3 *handle, const char *path, const char *fresh,
                              struct den_error *err)
{
    if (check_pages(handle, path, "PRAGMA integrity_check(1)", err) != DEN_OK ||
        compare(handle, path, fresh, err) != DEN_OK)
        return err->status;
    return check_pages(handle, path, "PRAGMA main.foreign_key_check", err);
}

typedef enum den_status (*judge)(sqlite3 *handle, const char *path, const char *fresh,
                                 struct den_error *err);

static enum den_status judge_file(const char *path, judge function, struct den_error *err)
{
    char fresh[DEN_PATH_BYTES_MAX + 32];
    sqlite3 *handle = NULL;
    int code;

    snprintf(fresh, sizeof fresh, "%s.fresh-%ld", path, (long)getpid());
    unlink(fresh);
    if (make_fresh(fresh, err) == DEN_OK) {
        code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        if (code == SQLITE_OK)
            code = den_full_text_register(handle);
        if (code != SQLITE_OK)
            den_fail_sqlite(err, handle, code, path);
        else
            function(handle, path, fresh, err);
        sqlite3_close(handle);
    }
    unlink(fresh);
    return err->status;
}

enum den_status den_database_verify(const char *path, struct den_error *err)
{
    return judge_file(path, verify, err);
}

enum den_status den_database_compare(const char *path, struct den_error *err)
{
    return judge_file(path, compare, err);
}

/* --- replacing --- */

/* Until nobody holds the database here, and no other program does: *out_fd keeps those out. */
static enum den_status wait_for_holders(struct den_database *database,
                                        const struct den_replacement *replacement, int *out_fd,
                                        struct den_error *err)
{
    const double until = den_clock_seconds() + DEN_RESTORE_WAIT_SECONDS_MAX;
    const struct timespec pause = { .tv_nsec = HURRY_MS * 1000000l };
    bool refused = true;

    while (den_clock_seconds() < until) {
        size_t holders;

        pthread_mutex_lock(&database->lock);
        holders = database->holders;
        pthread_mutex_unlock(&database->lock);
        if (holders == 0) {
            *out_fd = lock_file(database, LOCK_EX, &refused);
            if (!refused)
                return DEN_OK;
        } else if (replacement->hurry) {
            replacement->hurry(replacement->context);
        }
        nanosleep(&pause, NULL);
    }
    return den_fail(err, DEN_BUSY,
                    "database: %s is in use: an answer is being written or a file read, and has "
                    "not ended for %d seconds; try again",
                    database->path, DEN_RESTORE_WAIT_SECONDS_MAX);
}

/* The writer's statements are all at rest, and it is in no transaction: both of which SQLite wants
 * of a connection into which it copies. */
static enum den_status copy_pages(struct den_database *database, const char *path,
                                  struct den_error *err)
{
    sqlite3 *source = NULL;
    sqlite3_backup *copying = NULL;
    int code = sqlite3_open_v2(path, &source, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK) {
        den_fail_sqlite(err, source, code, path);
        goto end;
    }
    copying = sqlite3_backup_init(database->writer.handle, "main", source, "main");
    if (!copying) {
        code = sqlite3_errcode(database->writer.handle);
        den_fail_sqlite(err, database->writer.handle, code, database->path);
        goto end;
    }
    code = sqlite3_backup_step(copying, -1);
    if (code == SQLITE_DONE)
        code = SQLITE_OK;
    if (sqlite3_backup_finish(copying) != SQLITE_OK && code == SQLITE_OK)
        code = sqlite3_errcode(database->writer.handle);
    if (code != SQLITE_OK)
        den_fail_sqlite(err, database->writer.handle, code, database->path);
end:
    sqlite3_close(source);
    return err->status;
}

static bool begin_replacing(struct den_database *database)
{
    bool is_free;

    pthread_mutex_lock(&database->lock);
    is_free = !database->is_being_replaced;
    database->is_being_replaced = true;
    pthread_mutex_unlock(&database->lock);
    return is_free;
}

enum den_status den_database_replace(struct den_database *database,
                                     const struct den_replacement *replacement,
                                     struct den_error *err)
{
    int fd = -1;

    if (!begin_replacing(database))
        return den_fail(err, DEN_BUSY, "database: %s is being replaced already", database->path);
    if (wait_for_holders(database, replacement, &fd, err) == DEN_OK) {
        pthread_mutex_lock(&database->writing);
        if (!replacement->prepare || replacement->prepare(replacement->context, err) == DEN_OK)
            copy_pages(database, replacement->path, err);
        pthread_mutex_unlock(&database->writing);
    }
    pthread_mutex_lock(&database->lock);
    database->is_being_replaced = false;
    pthread_mutex_unlock(&database->lock);
    if (fd >= 0)
        close(fd);
    return err->status;
}

enum den_status den_database_sequence(struct den_database *database, const char *table,
                                      int64_t *out, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(database, &connection, err) != DEN_OK)
        return err->status;
    *out = 0;
    den_query_start(&query, connection, err, "SELECT seq FROM sqlite_sequence WHERE name = ?", "t",
                    table);
    if (den_query_next(&query, err))
        *out = den_query_integer(&query, 0);
    den_query_end(&query);
    return den_connection_end(connection, err);
}
