/* Opening a space and what it says of its memory: nothing for nothing, blocks as vectors come, and
 * a filter once it was searched with. */
#include "scratch_space.h"

enum { WIDTH = 100, ITEMS = 5 };

static void says_how_much_it_takes(void **state)
{
    struct den_space_query query = { .words = "item",
                                     .width = WIDTH,
                                     .filter = { .formats = (const char *[]){ "text" } } };
    struct den_space_embedder embedder;
    struct den_space_memory memory;
    struct den_space_result result;
    struct den_error err = { 0 };
    float vector[WIDTH];
    uint64_t seed = 1;
    int64_t document;
    size_t i, j;

    (void)state;
    den_space_memory(space, &memory);
    assert_int_equal(memory.vectors + memory.codes_bytes + memory.find_bytes, 0);
    den_space_embedder(space, "e", WIDTH, &embedder, &err);
    succeed(&err);
    document = add_document("d", "text", "[]", 1);
    for (i = 0; i < ITEMS; i++) {
        for (j = 0; j < WIDTH; j++)
            vector[j] = noise(&seed);
        make_unit(vector, WIDTH);
        add_item(document, "", "item", &embedder, vector);
    }
    query.vector = vector;
    query.filter.format_count = 1;
    den_space_search(space, &query, &result, &err);
    succeed(&err);
    assert_int_equal(result.count, ITEMS);
    den_space_result_free(&result);
    den_space_memory(space, &memory);
    assert_int_equal(memory.vectors, ITEMS);
    assert_int_equal(memory.codes_bytes, 1024 * 128); /* a block, the width filled up to 64 */
    assert_true(memory.rows_bytes >= 1024 * 16);
    assert_true(memory.find_bytes >= ITEMS * 4);
    assert_true(memory.sets_bytes >= ITEMS * 8);
}

int space_test_space(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_how_much_it_takes, open_space, close_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
