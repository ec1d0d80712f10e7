/* See database.h. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/full_text.h"
#include "store/migrations.h"
#include "store/query.h"
#include "store/sqlite_error.h"
#include "store/store_parts.h"

static enum den_status fail_here(struct den_error *err, const struct den_connection *connection,
                                 int code)
{
    return den_fail_sqlite(err, connection->handle, code, connection->database->path);
}

/* --- connections --- */

static int run_text(struct den_connection *connection, const char *sql)
{
    return sqlite3_exec(connection->handle, sql, NULL, NULL, NULL);
}

/* Defensive mode: SQL can't write the tables that full-text search keeps its index in. (SQLite 3.40
 * refuses full-text tables inside triggers under trusted_schema=OFF, so that stays on.) */
static enum den_status set_up(struct den_connection *connection, struct den_error *err)
{
    static const char settings[] = "PRAGMA foreign_keys=ON;"
                                   "PRAGMA temp_store=MEMORY;";
    static const char durable[] = "PRAGMA synchronous=FULL;"
                                  "PRAGMA journal_size_limit=67108864;";
    int code;

    sqlite3_extended_result_codes(connection->handle, 1);
    sqlite3_busy_timeout(connection->handle, DEN_DATABASE_WAIT_MS);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(connection->handle, SQLITE_LIMIT_LENGTH, DEN_DATABASE_TEXT_BYTES_MAX);
    code = den_full_text_register(connection->handle);
    if (code == SQLITE_OK)
        code = run_text(connection, settings);
    if (code == SQLITE_OK && connection->is_writer)
        code = run_text(connection, durable);
    return code == SQLITE_OK ? DEN_OK : fail_here(err, connection, code);
}

static enum den_status open_connection(struct den_connection *connection, int flags,
                                       struct den_error *err)
{
    int code = sqlite3_open_v2(connection->database->path, &connection->handle,
                               flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return fail_here(err, connection, code);
    return set_up(connection, err);
}

static void close_connection(struct den_connection *connection)
{
    size_t i;

    for (i = 0; i < DEN_DATABASE_STATEMENTS_MAX; i++)
        sqlite3_finalize(connection->prepared[i].statement);
    sqlite3_close(connection->handle);
    connection->handle = NULL;
}

/* --- opening --- */

/* SQLite would make the file readable for everybody; the files it puts beside it take the mode of
 * this one. */
static enum den_status create_file(const char *path, struct den_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return den_fail_errno(err, DEN_IO,
                              "database: %s can't be opened for writing; Den needs a folder it may "
                              "write to (DEN_HOME)",
                              path);
    close(fd);
    return DEN_OK;
}

/* The last program to close a database removes its log: one that is there was left by a crash, or
 * belongs to a program that is running. */
static bool has_log(const char *path)
{
    char log[DEN_PATH_BYTES_MAX + 8];
    struct stat status;
    size_t length = strlen(path);

    if (length >= DEN_PATH_BYTES_MAX)
        return false;
    memcpy(log, path, length);
    memcpy(log + length, "-wal", sizeof "-wal");
    return stat(log, &status) == 0 && status.st_size > 0;
}

static enum den_status check_pages(struct den_connection *connection, const char *pragma,
                                   struct den_error *err)
{
    struct den_query query;

    if (den_query_start(&query, connection, err, pragma, "") != DEN_OK)
        return err->status;
    if (den_query_next(&query, err) && strcmp(den_query_text(&query, 0), "ok") != 0)
        den_fail(err, DEN_BAD_FILE, "database: %s is damaged: %.200s; put a copy in its place",
                 connection->database->path, den_query_text(&query, 0));
    den_query_end(&query);
    return err->status;
}

/* Turns the file into WAL mode. The first read of the file happens here: what is no database, or
 * shorter than its header says, shows. */
static enum den_status begin_logging(struct den_connection *connection, struct den_error *err)
{
    struct den_query query;
    bool is_on;

    if (sqlite3_db_readonly(connection->handle, "main") == 1)
        return fail_here(err, connection, SQLITE_READONLY);
    if (den_query_start(&query, connection, err, "PRAGMA journal_mode=WAL", "") != DEN_OK)
        return err->status;
    is_on = den_query_next(&query, err) && strcmp(den_query_text(&query, 0), "wal") == 0;
    den_query_end(&query);
    if (err->status != DEN_OK || is_on)
        return err->status;
    return den_fail(err, DEN_IO, "database: %s is on a file system without shared memory",
                    connection->database->path);
}

static enum den_status open_writer(struct den_database *database, struct den_error *err)
{
    struct den_connection *writer = &database->writer;
    bool was_left_open = has_log(database->path);

    if (create_file(database->path, err) != DEN_OK ||
        open_connection(writer, SQLITE_OPEN_READWRITE, err) != DEN_OK)
        return err->status;
    if (begin_logging(writer, err) != DEN_OK)
        return err->status;
    if (was_left_open && check_pages(writer, "PRAGMA quick_check(1)", err) != DEN_OK)
        return err->status;
    return den_migrate(writer->handle, database->path, den_migrations, den_migration_count, err);
}

static struct den_database *create(const char *path, struct den_error *err)
{
    struct den_database *database = calloc(1, sizeof *database);
    size_t i;

    if (!database) {
        den_fail(err, DEN_NO_MEMORY, "database: out of memory");
        return NULL;
    }
    pthread_mutex_init(&database->writing, NULL);
    pthread_mutex_init(&database->lock, NULL);
    pthread_cond_init(&database->returned, NULL);
    database->held_fd = -1;
    database->writer.database = database;
    database->writer.is_writer = true;
    for (i = 0; i < DEN_DATABASE_READERS_MAX; i++)
        database->readers[i].database = database;
    database->path = strdup(path);
    if (!database->path) {
        den_fail(err, DEN_NO_MEMORY, "database: out of memory");
        den_database_close(database);
        return NULL;
    }
    return database;
}

enum den_status den_database_open(const char *path, struct den_database **out,
                                  struct den_error *err)
{
    struct den_database *database = create(path, err);

    if (!database)
        return err->status;
    if (open_writer(database, err) != DEN_OK) {
        den_database_close(database);
        return err->status;
    }
    *out = database;
    return DEN_OK;
}

/* Without a writer: den_database_write() is not for it. */
enum den_status den_database_open_copy(const char *path, struct den_database **out,
                                       struct den_error *err)
{
    struct den_database *database = create(path, err);

    if (database)
        *out = database;
    return err->status;
}

void den_database_close(struct den_database *database)
{
    size_t i;

    if (!database)
        return;
    for (i = 0; i < DEN_DATABASE_READERS_MAX; i++)
        close_connection(&database->readers[i]);
    close_connection(&database->writer); /* last: it folds the log into the file */
    pthread_cond_destroy(&database->returned);
    pthread_mutex_destroy(&database->lock);
    pthread_mutex_destroy(&database->writing);
    free(database->path);
    free(database);
}

const char *den_database_path(const struct den_database *database)
{
    return database->path;
}

/* --- lending --- */

enum den_status den_database_write(struct den_database *database, struct den_connection **out,
                                   struct den_error *err)
{
    int code;

    pthread_mutex_lock(&database->writing);
    code = run_text(&database->writer, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK) {
        fail_here(err, &database->writer, code);
        pthread_mutex_unlock(&database->writing);
        return err->status;
    }
    *out = &database->writer;
    return DEN_OK;
}

static struct den_connection *take_reader(struct den_database *database)
{
    struct den_connection *reader = NULL;
    size_t i;

    pthread_mutex_lock(&database->lock);
    while (!reader) {
        for (i = 0; i < DEN_DATABASE_READERS_MAX && !reader; i++)
            if (!database->readers[i].is_lent)
                reader = &database->readers[i];
        if (!reader)
            pthread_cond_wait(&database->returned, &database->lock);
    }
    reader->is_lent = true;
    pthread_mutex_unlock(&database->lock);
    return reader;
}

static void return_reader(struct den_connection *reader)
{
    struct den_database *database = reader->database;

    pthread_mutex_lock(&database->lock);
    reader->is_lent = false;
    pthread_cond_signal(&database->returned);
    pthread_mutex_unlock(&database->lock);
}

enum den_status den_database_read(struct den_database *database, struct den_connection **out,
                                  struct den_error *err)
{
    struct den_connection *reader = take_reader(database);
    int code;

    if (!reader->handle && open_connection(reader, SQLITE_OPEN_READONLY, err) != DEN_OK) {
        close_connection(reader);
        return_reader(reader);
        return err->status;
    }
    code = run_text(reader, "BEGIN");
    if (code != SQLITE_OK) {
        fail_here(err, reader, code);
        return_reader(reader);
        return err->status;
    }
    *out = reader;
    return DEN_OK;
}

/* SQLite has rolled back by itself after some failures (a full disk, no memory). */
static void roll_back(struct den_connection *connection)
{
    if (!sqlite3_get_autocommit(connection->handle))
        run_text(connection, "ROLLBACK");
}

enum den_status den_connection_end(struct den_connection *connection, struct den_error *err)
{
    int code;

    if (connection->is_writer && err->status == DEN_OK) {
        code = run_text(connection, "COMMIT");
        if (code != SQLITE_OK)
            fail_here(err, connection, code);
    }
    roll_back(connection);
    if (connection->is_writer)
        pthread_mutex_unlock(&connection->database->writing);
    else
        return_reader(connection);
    return err->status;
}

enum den_status den_database_check(struct den_database *database, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_read(database, &connection, err) != DEN_OK)
        return err->status;
    check_pages(connection, "PRAGMA integrity_check(1)", err);
    return den_connection_end(connection, err);
}
