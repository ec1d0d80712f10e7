/* Steps that succeed, fail in the middle, and are newer than the program. */
#include "scratch.h"

#include <sqlite3.h>

#include "base/file.h"
#include "store/full_text.h"
#include "store/migrations.h"

static const struct den_migration steps[] = {
    { "0001_one.sql", "CREATE TABLE one (x INTEGER); INSERT INTO one VALUES (7);" },
    { "0002_two.sql", "CREATE TABLE two (x INTEGER); INSERT INTO two SELECT x FROM one;" },
    { "0003_bad.sql", "CREATE TABLE three (x INTEGER); INSERT INTO nowhere VALUES (1);" },
};

static sqlite3 *handle;

static int open_handle(void **state)
{
    return make_scratch(state) || sqlite3_open(scratch_path, &handle) != SQLITE_OK ||
           den_full_text_register(handle) != SQLITE_OK;
}

static int close_handle(void **state)
{
    sqlite3_close(handle);
    return remove_scratch(state);
}

static int64_t read_number(sqlite3 *from, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;

    sqlite3_prepare_v2(from, sql, -1, &statement, NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void steps_run_once_and_in_order(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_migrate(handle, scratch_path, steps, 2, &err), DEN_OK);
    assert_int_equal(den_migrate(handle, scratch_path, steps, 2, &err), DEN_OK);
    assert_int_equal(read_number(handle, "PRAGMA user_version"), 2);
    assert_int_equal(read_number(handle, "PRAGMA application_id"), DEN_DATABASE_APPLICATION_ID);
    assert_int_equal(read_number(handle, "SELECT sum(x) FROM two"), 7);
}

static void a_copy_is_kept_of_what_was(void **state)
{
    struct den_error err = { 0 };
    char copy[256];
    sqlite3 *kept;

    snprintf(copy, sizeof copy, "%s.version-1", scratch_path);
    assert_int_equal(den_migrate(handle, scratch_path, steps, 1, &err), DEN_OK);
    assert_false(den_file_exists(copy));
    assert_int_equal(den_migrate(handle, scratch_path, steps, 2, &err), DEN_OK);
    assert_int_equal(sqlite3_open(copy, &kept), SQLITE_OK);
    assert_int_equal(read_number(kept, "SELECT x FROM one"), 7);
    assert_int_equal(read_number(kept, "PRAGMA user_version"), 1);
    assert_int_equal(read_number(kept, "SELECT count(*) FROM two"), -1);
    sqlite3_close(kept);
}

static void a_step_that_fails_leaves_nothing(void **state)
{
    struct den_error err = { 0 };

    assert_int_not_equal(den_migrate(handle, scratch_path, steps, 3, &err), DEN_OK);
    assert_non_null(strstr(err.message, "0003_bad.sql"));
    assert_int_equal(read_number(handle, "PRAGMA user_version"), 2);
    assert_int_equal(read_number(handle, "SELECT count(*) FROM sqlite_schema WHERE name = 'three'"),
                     0);
    assert_int_equal(read_number(handle, "SELECT sum(x) FROM two"), 7);
}

static void a_newer_database_is_refused(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_migrate(handle, scratch_path, steps, 2, &err), DEN_OK);
    assert_int_equal(den_migrate(handle, scratch_path, steps, 1, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "newer Den"));
    assert_int_equal(read_number(handle, "SELECT sum(x) FROM two"), 7);
}

static void the_built_in_steps_are_there(void **state)
{
    struct den_error err = { 0 };

    assert_true(den_migration_count >= 1);
    assert_string_equal(den_migrations[0].name, "0001_threads.sql");
    if (den_migrate(handle, scratch_path, den_migrations, den_migration_count, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

int store_test_migrations(int argc, char **argv)
{
#define HANDLE_TEST(name) cmocka_unit_test_setup_teardown(name, open_handle, close_handle)
    const struct CMUnitTest tests[] = {
        HANDLE_TEST(steps_run_once_and_in_order),      HANDLE_TEST(a_copy_is_kept_of_what_was),
        HANDLE_TEST(a_step_that_fails_leaves_nothing), HANDLE_TEST(a_newer_database_is_refused),
        HANDLE_TEST(the_built_in_steps_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
