/* Embedders: the first is asked; another takes its place when it has everything; and an index in
 * memory sees what is written past it, by another space on the same file as well. */
#include "scratch_space.h"

enum { WIDTH = 8 };

static void make(float *vector, size_t width, int towards)
{
    memset(vector, 0, width * sizeof *vector);
    vector[towards] = 1;
}

static int64_t best(struct den_space *of, size_t width, int towards)
{
    float vector[2 * WIDTH];
    struct den_space_query query = { .vector = vector, .width = width };
    struct den_space_result result;
    struct den_error err = { 0 };
    int64_t item;

    make(vector, width, towards);
    den_space_search(of, &query, &result, &err);
    succeed(&err);
    item = result.count > 0 && result.hits[0].cosine > 0.99 ? result.hits[0].item : 0;
    den_space_result_free(&result);
    return item;
}

static void put(const struct den_space_embedder *embedder, int64_t row, const float *vector)
{
    struct den_space_item item = { row, vector };
    struct den_connection *connection;
    struct den_error err = { 0 };

    den_database_write(database, &connection, &err);
    succeed(&err);
    den_space_put_vectors(connection, embedder, &item, 1, &err);
    den_connection_end(connection, &err);
    succeed(&err);
}

static void another_takes_its_place_when_it_has_everything(void **state)
{
    struct den_space_embedder old, new, now;
    float vector[2 * WIDTH];
    struct den_error err = { 0 };
    int64_t rows[3], missing[4];
    size_t count, i;

    (void)state;
    den_space_current_embedder(space, &now, &err);
    succeed(&err);
    assert_int_equal(now.row, 0);
    den_space_embedder(space, "old", WIDTH, &old, &err);
    succeed(&err);
    assert_true(old.current);
    for (i = 0; i < 3; i++) {
        make(vector, WIDTH, (int)i);
        rows[i] = add_item(add_document(i == 0   ? "a"
                                        : i == 1 ? "b"
                                                 : "c",
                                        "text", "[]", 1),
                           "", "text", &old, vector);
    }
    den_space_embedder(space, "new", 2 * WIDTH, &new, &err);
    succeed(&err);
    assert_false(new.current);
    assert_int_equal(den_space_embedder(space, "new", WIDTH, &now, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    den_space_missing(space, new.row, missing, 4, &count, &err);
    succeed(&err);
    assert_int_equal(count, 3);
    assert_int_equal(missing[2], rows[2]);
    assert_int_equal(den_space_switch(space, new.row, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    for (i = 0; i < 3; i++) { /* the old index serves meanwhile */
        make(vector, 2 * WIDTH, 10 + (int)i);
        put(&new, rows[i], vector);
        assert_int_equal(best(space, WIDTH, (int)i), rows[i]);
    }
    den_space_missing(space, new.row, missing, 4, &count, &err);
    assert_int_equal(count, 0);
    den_space_switch(space, new.row, &err);
    succeed(&err);
    for (i = 0; i < 3; i++)
        assert_int_equal(best(space, 2 * WIDTH, 10 + (int)i), rows[i]);
    den_space_current_embedder(space, &now, &err);
    succeed(&err);
    assert_string_equal(now.name, "new");
    assert_int_equal(ask_number("SELECT count(*) FROM vectors"), 3);
    assert_int_equal(ask_number("SELECT count(*) FROM vectors"), 3);
    assert_int_equal(den_space_switch(space, 99, &err), DEN_NOT_FOUND);
}

static void another_space_sees_what_is_written(void **state)
{
    struct den_database *second;
    struct den_space *other;
    struct den_space_embedder embedder;
    float vector[WIDTH];
    struct den_error err = { 0 };
    char path[128];
    int64_t row;

    (void)state;
    snprintf(path, sizeof path, "%s/den.db", scratch_folder);
    den_database_open(path, &second, &err);
    succeed(&err);
    den_space_open(second, &other, &err);
    succeed(&err);
    den_space_embedder(space, "e", WIDTH, &embedder, &err);
    succeed(&err);
    make(vector, WIDTH, 3);
    row = add_item(add_document("d", "text", "[]", 1), "", "text", &embedder, vector);
    assert_int_equal(best(other, WIDTH, 3), row);
    make(vector, WIDTH, 4);
    put(&embedder, row, vector); /* another vector for the same item */
    assert_int_equal(best(other, WIDTH, 3), 0);
    assert_int_equal(best(other, WIDTH, 4), row);
    assert_int_equal(best(space, WIDTH, 4), row);
    run_sql("DELETE FROM vector_changes"); /* as if it were too far behind: it holds what it has */
    make(vector, WIDTH, 5);
    run_sql("UPDATE sqlite_sequence SET seq = seq + 10 WHERE name = 'vector_changes'");
    put(&embedder, row, vector);
    assert_int_equal(best(other, WIDTH, 5), row);
    run_sql("DELETE FROM documents");
    assert_int_equal(best(other, WIDTH, 5), 0);
    den_space_close(other);
    den_database_close(second);
}

static void vectors_without_direction_are_refused(void **state)
{
    struct den_space_embedder embedder;
    struct den_connection *connection;
    float vector[WIDTH] = { 0 };
    struct den_space_item item = { 1, vector };
    struct den_error err = { 0 };

    (void)state;
    den_space_embedder(space, "e", WIDTH, &embedder, &err);
    succeed(&err);
    den_database_write(database, &connection, &err);
    assert_int_equal(den_space_put_vectors(connection, &embedder, &item, 1, &err), DEN_INVALID);
    vector[0] = NAN;
    err = (struct den_error){ 0 };
    assert_int_equal(den_space_put_vectors(connection, &embedder, &item, 1, &err), DEN_INVALID);
    den_connection_end(connection, &err);
}

int space_test_embedders(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_takes_its_place_when_it_has_everything, open_space,
                                        close_space),
        cmocka_unit_test_setup_teardown(another_space_sees_what_is_written, open_space,
                                        close_space),
        cmocka_unit_test_setup_teardown(vectors_without_direction_are_refused, open_space,
                                        close_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
