/* Copies out of a database in use, and one in its place: whole, once, and only where it fits. */
#include "scratch.h"

#include <pthread.h>
#include <sqlite3.h>

#include "base/file.h"
#include "store/database.h"
#include "store/database_copy.h"
#include "store/query.h"

static struct den_database *database;
static struct den_error err;
static char copy[160];

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        err = (struct den_error){ 0 };                                                             \
        if ((call) != DEN_OK)                                                                      \
            fail_msg("%s: %s", #call, err.message);                                                \
    } while (0)

static int open_database(void **state)
{
    if (make_scratch(state) != 0)
        return 1;
    snprintf(copy, sizeof copy, "%s/copy.db", scratch_folder);
    assert_ok(den_database_open(scratch_path, &database, &err));
    return 0;
}

static int close_database(void **state)
{
    den_database_close(database);
    den_folder_remove(scratch_folder);
    return 0;
}

static void run(struct den_database *in, const char *sql)
{
    struct den_connection *connection;

    assert_ok(den_database_write(in, &connection, &err));
    den_execute(connection, &err, sql, "");
    assert_ok(den_connection_end(connection, &err));
}

static int64_t count_in(struct den_connection *connection)
{
    struct den_query query;
    int64_t count = -1;

    den_query_start(&query, connection, &err, "SELECT count(*) FROM folders", "");
    if (den_query_next(&query, &err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    return count;
}

static int64_t count(struct den_database *in)
{
    struct den_connection *connection;
    int64_t found;

    assert_ok(den_database_read(in, &connection, &err));
    found = count_in(connection);
    assert_ok(den_connection_end(connection, &err));
    return found;
}

static void a_snapshot_is_what_was(void **state)
{
    struct den_database *snapshot;

    run(database, "INSERT INTO folders VALUES ('a', 'A', 1)");
    assert_ok(den_database_snapshot(database, copy, &err));
    run(database, "INSERT INTO folders VALUES ('b', 'B', 1)");
    assert_ok(den_database_verify(copy, &err));
    assert_ok(den_database_open_copy(copy, &snapshot, &err));
    assert_int_equal(count(snapshot), 1);
    den_database_close(snapshot);
    assert_int_equal(count(database), 2);
    err = (struct den_error){ 0 };
    assert_int_not_equal(den_database_snapshot(database, "/nowhere/at/all", &err), DEN_OK);
}

static void who_reads_sees_the_old_state_to_its_end(void **state)
{
    struct den_replacement replacement = { .path = copy };
    struct den_connection *reader;

    run(database, "INSERT INTO folders VALUES ('a', 'A', 1)");
    assert_ok(den_database_snapshot(database, copy, &err));
    run(database, "INSERT INTO folders VALUES ('b', 'B', 1)");
    run(database, "INSERT INTO folders VALUES ('c', 'C', 1)");
    assert_ok(den_database_read(database, &reader, &err));
    assert_int_equal(count_in(reader), 3);
    assert_ok(den_database_replace(database, &replacement, &err));
    assert_int_equal(count_in(reader), 3);
    assert_ok(den_connection_end(reader, &err));
    assert_int_equal(count(database), 1);
    run(database, "INSERT INTO folders VALUES ('d', 'D', 1)"); /* statements are prepared anew */
    assert_int_equal(count(database), 2);
    assert_ok(den_database_check(database, &err));
    den_database_close(database);
    assert_ok(den_database_open(scratch_path, &database, &err));
    assert_int_equal(count(database), 2);
}

static enum den_status refuse(void *context, struct den_error *trouble)
{
    (void)context;
    return den_fail(trouble, DEN_IO, "no");
}

static void a_refusal_at_the_end_changes_nothing(void **state)
{
    struct den_replacement replacement = { .path = copy, .prepare = refuse };

    assert_ok(den_database_snapshot(database, copy, &err));
    run(database, "INSERT INTO folders VALUES ('b', 'B', 1)");
    err = (struct den_error){ 0 };
    assert_int_equal(den_database_replace(database, &replacement, &err), DEN_IO);
    assert_int_equal(count(database), 1);
    assert_true(den_database_hold(database));
    den_database_let_go(database);
}

static int hurried;

static void let_go(void *context)
{
    hurried++;
    den_database_let_go(context);
}

static void holders_are_hurried(void **state)
{
    struct den_replacement replacement = { .path = copy, .hurry = let_go, .context = database };

    assert_ok(den_database_snapshot(database, copy, &err));
    assert_true(den_database_hold(database));
    assert_ok(den_database_replace(database, &replacement, &err));
    assert_int_equal(hurried, 1);
}

/* A trigger that somebody wrote into a backup would act on what is written later. */
static void foreign_tables_are_refused(void **state)
{
    static const char *const changes[] = {
        "CREATE TRIGGER evil AFTER INSERT ON messages BEGIN DELETE FROM threads; END",
        "CREATE VIEW evil AS SELECT 1",
        "CREATE TABLE evil (x)",
        "DROP INDEX threads_of_folder",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
        "PRAGMA foreign_keys = OFF; INSERT INTO workspace_documents VALUES (1, 1, 1, 0)",
    };
    sqlite3 *handle;
    size_t i;

    for (i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        unlink(copy);
        assert_ok(den_database_snapshot(database, copy, &err));
        assert_int_equal(sqlite3_open(copy, &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, changes[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(handle);
        err = (struct den_error){ 0 };
        if (den_database_verify(copy, &err) != DEN_BAD_FILE)
            fail_msg("%s: %s", changes[i], err.message);
    }
}

int store_test_database_copy(int argc, char **argv)
{
#define COPY_TEST(name) cmocka_unit_test_setup_teardown(name, open_database, close_database)
    const struct CMUnitTest tests[] = {
        COPY_TEST(a_snapshot_is_what_was),
        COPY_TEST(who_reads_sees_the_old_state_to_its_end),
        COPY_TEST(a_refusal_at_the_end_changes_nothing),
        COPY_TEST(holders_are_hurried),
        COPY_TEST(foreign_tables_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
