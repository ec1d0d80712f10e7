/* A program is killed again and again while it brings an old database to today's tables: each time
 * the database is of one version, whole, with every row; in the end it is of today's.
 *
 * Whoever migrates is a process of its own that runs this same binary: a fork of a test that has
 * SQLite open already would share its locks. */
#include "scratch.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "store/database.h"
#include "store/full_text.h"
#include "store/migrations.h"

enum { THREADS = 40, MESSAGES = 25, ROUNDS = 16 };

static char copy[160];

static int64_t read_number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *handle;

    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(den_full_text_register(handle), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

static void run(sqlite3 *handle, const char *sql)
{
    char *said = NULL;

    if (sqlite3_exec(handle, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
}

/* Conversations in the tables of version 1. */
static void make_old(void)
{
    struct den_error err = { 0 };
    sqlite3 *handle = open_file(copy);
    char sql[512];

    run(handle, "PRAGMA journal_mode = WAL");
    assert_int_equal(den_migrate(handle, copy, den_migrations, 1, &err), DEN_OK);
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT "
             "INTO threads (row, id, title, created, updated) SELECT i, 't' || i, 'Thread ' || i, "
             "i, i FROM n",
             THREADS);
    run(handle, sql);
    snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT "
        "INTO messages (thread, id, role, content, created, finish) SELECT 1 + i %% %d, 'm' || "
        "i, 'user', 'Message ' || i || ' of some length, with words in it.', i, 'stop' FROM n",
        THREADS * MESSAGES - 1, THREADS);
    run(handle, sql);
    sqlite3_close(handle);
}

static void put_old_in_place(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".version-1" };
    char command[400], path[200];
    size_t i;

    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s%s", scratch_path, ends[i]);
        unlink(path);
    }
    snprintf(command, sizeof command, "cp %s %s", copy, scratch_path);
    assert_int_equal(system(command), 0);
}

static void expect_whole(int64_t *out_version)
{
    sqlite3 *handle = open_file(scratch_path);

    assert_int_equal(read_number(handle, "SELECT count(*) FROM threads"), THREADS);
    assert_int_equal(read_number(handle, "SELECT count(*) FROM messages WHERE content LIKE "
                                         "'Message % of some length%'"),
                     THREADS * MESSAGES);
    assert_int_equal(read_number(handle, "SELECT count(*) FROM messages_text WHERE messages_text "
                                         "MATCH '\"some length\"'"),
                     THREADS * MESSAGES);
    assert_int_equal(read_number(handle, "SELECT integrity_check = 'ok' FROM "
                                         "pragma_integrity_check"),
                     1);
    *out_version = read_number(handle, "PRAGMA user_version");
    assert_in_range(*out_version, 1, den_migration_count);
    /* a version's tables are there exactly if it is reached */
    assert_int_equal(read_number(handle, "SELECT count(*) FROM sqlite_schema WHERE name = "
                                         "'workspaces'"),
                     *out_version >= 3);
    assert_int_equal(read_number(handle, "SELECT count(*) FROM pragma_table_info('messages') WHERE "
                                         "name = 'sources'"),
                     *out_version >= 3);
    assert_int_equal(read_number(handle, "SELECT count(*) FROM sqlite_schema WHERE name = "
                                         "'watched_files'"),
                     *out_version >= 5);
    sqlite3_close(handle);
}

/* Opens the database as Den does. */
static pid_t start(void)
{
    pid_t child = fork();

    if (child == 0) {
        execl("/proc/self/exe", "test_store", "store/test_migrate_killed", scratch_path,
              (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void every_row_outlives_it(void **state)
{
    int64_t version = 0, seen_old = 0;
    double longest;
    int round, status;
    pid_t child;

    snprintf(copy, sizeof copy, "%s/old.db", scratch_folder);
    make_old();
    put_old_in_place();
    longest = seconds();
    child = start();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    longest = seconds() - longest;
    expect_whole(&version);
    assert_int_equal(version, den_migration_count);
    for (round = 0; round < ROUNDS; round++) {
        put_old_in_place();
        child = start();
        usleep((useconds_t)(longest * 1e6 * round / ROUNDS));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        expect_whole(&version);
        seen_old += version < (int64_t)den_migration_count;
        child = start(); /* and what was begun is brought to its end */
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        expect_whole(&version);
        assert_int_equal(version, den_migration_count);
    }
    assert_true(seen_old > 0);
}

static int remove_all(void **state)
{
    den_folder_remove(scratch_folder);
    return 0;
}

int store_test_migrate_killed(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_row_outlives_it, make_scratch, remove_all),
    };

    if (argc > 1) {
        struct den_database *database;
        struct den_error err = { 0 };

        if (den_database_open(argv[1], &database, &err) != DEN_OK)
            return 1;
        den_database_close(database);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
