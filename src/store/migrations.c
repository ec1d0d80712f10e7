/* See migrations.h. */
#include "store/migrations.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "store/sqlite_error.h"
#include "store/store_parts.h"

enum den_status den_sqlite_integer(sqlite3 *handle, const char *path, const char *sql,
                                   int64_t *out_value, struct den_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out_value = sqlite3_column_int64(statement, 0);
    else
        den_fail_sqlite(err, handle, code, path);
    sqlite3_finalize(statement);
    return err->status;
}

/* A copy made by SQLite: the log's pages are in it. One that is there already is of this version
 * and was made by a run that failed: it is made again. */
static enum den_status keep_copy(sqlite3 *handle, const char *path, int64_t version,
                                 struct den_error *err)
{
    char copy[DEN_PATH_BYTES_MAX + 32];
    sqlite3_stmt *statement = NULL;
    int code;

    snprintf(copy, sizeof copy, "%s.version-%lld", path, (long long)version);
    unlink(copy);
    code = sqlite3_prepare_v2(handle, "VACUUM INTO ?", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code == SQLITE_DONE)
        return DEN_OK;
    unlink(copy);
    den_fail_sqlite(err, handle, code, copy);
    return den_fail_at(err, "the copy that is kept before the tables change");
}

static enum den_status run_step(sqlite3 *handle, const char *path, const struct den_migration *step,
                                size_t number, struct den_error *err)
{
    char marks[128];
    int code = sqlite3_exec(handle, step->sql, NULL, NULL, NULL);

    snprintf(marks, sizeof marks, "PRAGMA user_version=%zu; PRAGMA application_id=%d;", number,
             DEN_DATABASE_APPLICATION_ID);
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle, marks, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return DEN_OK;
    den_fail_sqlite(err, handle, code, path);
    if (!sqlite3_get_autocommit(handle))
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return den_fail_at(err, "migration %s", step->name);
}

/* Runs step `version` unless another program, which held the lock before, has done so; *version
 * becomes what the database is at. */
static enum den_status advance(sqlite3 *handle, const char *path, const struct den_migration *steps,
                               int64_t *version, struct den_error *err)
{
    int64_t before = *version;
    int code = sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code != SQLITE_OK)
        return den_fail_sqlite(err, handle, code, path);
    if (den_sqlite_integer(handle, path, "PRAGMA user_version", version, err) != DEN_OK ||
        *version != before) {
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
        return err->status;
    }
    if (run_step(handle, path, &steps[before], (size_t)before + 1, err) == DEN_OK)
        *version = before + 1;
    return err->status;
}

static enum den_status check_owner(sqlite3 *handle, const char *path, int64_t version, size_t count,
                                   struct den_error *err)
{
    int64_t mark, tables;

    if (den_sqlite_integer(handle, path, "PRAGMA application_id", &mark, err) != DEN_OK ||
        den_sqlite_integer(handle, path, "SELECT count(*) FROM sqlite_schema", &tables, err) !=
            DEN_OK)
        return err->status;
    if (mark != DEN_DATABASE_APPLICATION_ID && tables > 0)
        return den_fail(err, DEN_BAD_FILE, "database: %s belongs to another program", path);
    if (version < 0 || (uint64_t)version > count)
        return den_fail(err, DEN_BAD_FILE,
                        "database: %s has version %lld, made by a newer Den; this one knows "
                        "versions up to %zu: update Den",
                        path, (long long)version, count);
    return DEN_OK;
}

enum den_status den_migrate(struct sqlite3 *handle, const char *path,
                            const struct den_migration *steps, size_t count, struct den_error *err)
{
    int64_t version;

    if (den_sqlite_integer(handle, path, "PRAGMA user_version", &version, err) != DEN_OK ||
        check_owner(handle, path, version, count, err) != DEN_OK)
        return err->status;
    if (version > 0 && (uint64_t)version < count && keep_copy(handle, path, version, err) != DEN_OK)
        return err->status;
    while (err->status == DEN_OK && version >= 0 && (uint64_t)version < count)
        advance(handle, path, steps, &version, err);
    return err->status;
}
