/* English is found by its stems, Chinese by any pair of its characters. */
#include "scratch.h"

#include "store/database.h"
#include "store/full_text.h"
#include "store/query.h"

static struct den_database *database;
static struct den_connection *connection;

static int begin(void **state)
{
    struct den_error err = { 0 };

    make_scratch(state);
    den_database_open(scratch_path, &database, &err);
    den_database_write(database, &connection, &err);
    den_execute(connection, &err,
                "CREATE VIRTUAL TABLE temp.words USING fts5 (text, tokenize = 'den')", "");
    den_execute(connection, &err, "INSERT INTO words (rowid, text) VALUES (?, ?)", "it", (int64_t)1,
                "The caf\xc3\xa9's running costs rose.");
    den_execute(connection, &err, "INSERT INTO words (rowid, text) VALUES (?, ?)", "it", (int64_t)2,
                "\xe5\xb9\xb4\xe5\xba\xa6\xe6\x8a\xa5\xe5\x91\x8a of 2024"); /* 年度报告 */
    return err.status != DEN_OK;
}

static int end(void **state)
{
    struct den_error err = { 0 };

    den_connection_end(connection, &err);
    den_database_close(database);
    return remove_scratch(state);
}

/* The row that `question` finds; 0: none. */
static int64_t found(const char *question)
{
    struct den_error err = { 0 };
    struct den_query query;
    int64_t row = 0;

    den_query_start(&query, connection, &err, "SELECT rowid FROM words WHERE words MATCH ?", "t",
                    question);
    if (den_query_next(&query, &err))
        row = den_query_integer(&query, 0);
    den_query_end(&query);
    assert_int_equal(err.status, DEN_OK);
    return row;
}

static void english_is_found_by_its_stems(void **state)
{
    (void)state;
    assert_int_equal(found("run"), 1);
    assert_int_equal(found("costing"), 1);
    assert_int_equal(found("CAFE"), 1);
    assert_int_equal(found("walking"), 0);
    assert_int_equal(found("2024"), 2);
}

static void chinese_is_found_by_pairs(void **state)
{
    (void)state;
    assert_int_equal(found("\xe6\x8a\xa5\xe5\x91\x8a"), 2);                         /* 报告 */
    assert_int_equal(found("\xe5\xba\xa6\xe6\x8a\xa5"), 2);                         /* 度报 */
    assert_int_equal(found("\xe5\xb9\xb4\xe5\xba\xa6\xe6\x8a\xa5\xe5\x91\x8a"), 2); /* all */
    assert_int_equal(found("\xe5\x91\x8a\xe6\x8a\xa5"), 0);                         /* 告报 */
    assert_int_equal(found("\xe5\xb9\xb4*"), 2);                                    /* 年* */
    assert_int_equal(found("\xe5\x91\x8a*"), 2);                                    /* 告* */
}

static void bytes_that_are_no_text_do_no_harm(void **state)
{
    struct den_error err = { 0 };

    (void)state;
    den_execute(connection, &err, "INSERT INTO words (rowid, text) VALUES (?, ?)", "it", (int64_t)3,
                "\xff\xfe ok \xe5\xb9 \xf0\x9f\x98\x80 \xf0\xa0\x80\x80");
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(found("ok"), 3);
    assert_true(den_full_text_is_paired(0x5e74));
    assert_false(den_full_text_is_paired('a'));
}

static void blobs_come_back(void **state)
{
    static const char bytes[] = { 0, 1, '\'', 0, (char)0xff };
    struct den_error err = { 0 };
    struct den_query query;

    (void)state;
    den_execute(connection, &err, "CREATE TEMP TABLE blobs (a)", "");
    den_execute(connection, &err, "INSERT INTO blobs VALUES (?)", "x", bytes, sizeof bytes);
    den_query_start(&query, connection, &err, "SELECT a, typeof(a) FROM blobs", "");
    assert_true(den_query_next(&query, &err));
    assert_int_equal(den_query_bytes(&query, 0), sizeof bytes);
    assert_memory_equal(den_query_blob(&query, 0), bytes, sizeof bytes);
    assert_string_equal(den_query_text(&query, 1), "blob");
    den_query_end(&query);
}

int store_test_full_text(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(english_is_found_by_its_stems, begin, end),
        cmocka_unit_test_setup_teardown(chinese_is_found_by_pairs, begin, end),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(blobs_come_back, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
