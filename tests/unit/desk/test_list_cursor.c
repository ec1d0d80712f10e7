/* Where lists go on: what was given comes back, anything else is refused. */
#include "test.h"

#include "desk/list_cursor.h"

static struct den_error err;

static void what_was_given_comes_back(void **state)
{
    int64_t numbers[3] = { 7, 7, 7 };

    assert_int_equal(den_cursor_read(NULL, 3, numbers, &err), DEN_OK);
    assert_int_equal(numbers[0], 7);
    assert_int_equal(den_cursor_read("1_1700000000000_0", 3, numbers, &err), DEN_OK);
    assert_int_equal(numbers[0], 1);
    assert_true(numbers[1] == 1700000000000);
    assert_int_equal(numbers[2], 0);
    assert_int_equal(den_cursor_read("9223372036854775807", 1, numbers, &err), DEN_OK);
    assert_true(numbers[0] == INT64_MAX);
}

static void anything_else_is_refused(void **state)
{
    static const char *const wrong[] = { "",      "1",      "1_2",    "1_2_3_4",
                                         "1_2_x", "-1_2_3", "1_ 2_3", "1__3",
                                         "_1_2",  "1_2_3_", "+1_2_3", "1_2_99999999999999999999" };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t numbers[3] = { 7, 7, 7 };

        err = (struct den_error){ 0 };
        assert_int_equal(den_cursor_read(wrong[i], 3, numbers, &err), DEN_INVALID);
        assert_int_equal(numbers[0], 7);
    }
}

static void a_limit_is_bounded(void **state)
{
    assert_int_equal(den_list_limit(0, 200), 50);
    assert_int_equal(den_list_limit(3, 200), 3);
    assert_int_equal(den_list_limit(1000, 200), 200);
}

int desk_test_list_cursor(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_comes_back),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_limit_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
