/* Values go in and come out as they were, and texts never become SQL. */
#include "scratch.h"

#include "store/database.h"
#include "store/query.h"

static struct den_database *database;
static struct den_connection *connection;

static int begin(void **state)
{
    struct den_error err = { 0 };

    make_scratch(state);
    den_database_open(scratch_path, &database, &err);
    den_database_write(database, &connection, &err);
    den_execute(connection, &err, "CREATE TEMP TABLE values_kept (a, b, c, d, e)", "");
    return err.status != DEN_OK;
}

static int end(void **state)
{
    struct den_error err = { 0 };

    den_connection_end(connection, &err);
    den_database_close(database);
    return remove_scratch(state);
}

static void values_come_back(void **state)
{
    static const char hostile[] = "'); DROP TABLE threads; --";
    struct den_error err = { 0 };
    struct den_query query;

    den_execute(connection, &err, "INSERT INTO values_kept VALUES (?, ?, ?, ?, ?)", "tbirn",
                hostile, "abcdef", (size_t)3, INT64_MIN, 0.1);
    assert_int_equal(den_connection_changes(connection), 1);
    assert_int_equal(den_connection_last_row(connection), 1);
    den_query_start(&query, connection, &err, "SELECT * FROM values_kept WHERE a = ?", "t",
                    hostile);
    assert_true(den_query_next(&query, &err));
    assert_string_equal(den_query_text(&query, 0), hostile);
    assert_string_equal(den_query_text(&query, 1), "abc");
    assert_int_equal(den_query_bytes(&query, 1), 3);
    assert_true(den_query_integer(&query, 2) == INT64_MIN);
    assert_string_equal(den_query_text(&query, 3), "0.1");
    assert_true(den_query_is_null(&query, 4));
    assert_string_equal(den_query_text(&query, 4), "");
    assert_false(den_query_next(&query, &err));
    den_query_end(&query);
    assert_int_equal(err.status, DEN_OK);
}

static void a_null_text_is_null(void **state)
{
    struct den_error err = { 0 };
    struct den_query query;

    den_query_start(&query, connection, &err, "SELECT ?", "t", (const char *)NULL);
    assert_true(den_query_next(&query, &err));
    assert_true(den_query_is_null(&query, 0));
    den_query_end(&query);
    den_query_end(&query);
}

/* The same text twice at once: the second does not disturb the first. */
static void the_same_query_can_be_nested(void **state)
{
    static const char sql[] =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT x "
        "FROM n";
    struct den_error err = { 0 };
    struct den_query outer, inner;
    int64_t sum = 0;

    den_query_start(&outer, connection, &err, sql, "i", (int64_t)3);
    while (den_query_next(&outer, &err)) {
        den_query_start(&inner, connection, &err, sql, "i", (int64_t)4);
        while (den_query_next(&inner, &err))
            sum += den_query_integer(&outer, 0) * den_query_integer(&inner, 0);
        den_query_end(&inner);
    }
    den_query_end(&outer);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(sum, 6 * 10);
}

static void the_first_failure_stays(void **state)
{
    struct den_error err = { 0 };
    struct den_query query;

    den_execute(connection, &err, "INSERT INTO no_such_table VALUES (1)", "");
    assert_non_null(strstr(err.message, "no_such_table"));
    den_execute(connection, &err, "INSERT INTO values_kept (a) VALUES (1)", "");
    den_query_start(&query, connection, &err, "SELECT 1", "");
    assert_false(den_query_next(&query, &err));
    den_query_end(&query);
    assert_non_null(strstr(err.message, "no_such_table"));
    err = (struct den_error){ 0 };
    den_query_start(&query, connection, &err, "SELECT count(*) FROM values_kept", "");
    assert_true(den_query_next(&query, &err));
    assert_int_equal(den_query_integer(&query, 0), 0);
    den_query_end(&query);
}

int store_test_query(int argc, char **argv)
{
#define QUERY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        QUERY_TEST(values_come_back),
        QUERY_TEST(a_null_text_is_null),
        QUERY_TEST(the_same_query_can_be_nested),
        QUERY_TEST(the_first_failure_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
