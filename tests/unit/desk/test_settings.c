/* Settings: merged, removed by null, and bounded. */
#include "thread_scratch.h"

#include "base/limits.h"
#include "desk/settings.h"

static void settings_are_merged(void **state)
{
    json_t *first = parse("{'theme': 'dark', 'shortcuts': {'send': 'Enter'}, 'zoom': 1.5}");
    json_t *second = parse("{'theme': null, 'zoom': 2}");
    json_t *expected = parse("{'shortcuts': {'send': 'Enter'}, 'zoom': 2}"), *all = NULL;

    assert_ok(den_settings_change(threads, first, &all, &err));
    assert_true(json_equal(all, first));
    json_decref(all);
    assert_ok(den_settings_change(threads, second, &all, &err));
    assert_true(json_equal(all, expected));
    json_decref(all);
    assert_ok(den_settings_get(threads, &all, &err));
    assert_true(json_equal(all, expected));
    forget(all), forget(first), forget(second), forget(expected);
}

static void there_is_an_end_to_settings(void **state)
{
    char *text = calloc(1, DEN_SETTINGS_BYTES_MAX + 1);
    json_t *large, *all = NULL, *small = parse("{'a': 1}");

    memset(text, 'x', DEN_SETTINGS_BYTES_MAX);
    large = json_pack("{s:s}", "b", text);
    assert_ok(den_settings_change(threads, small, &all, &err));
    json_decref(all);
    assert_fails(den_settings_change(threads, large, &all, &err), DEN_TOO_LARGE);
    assert_ok(den_settings_get(threads, &all, &err));
    assert_true(json_equal(all, small));
    forget(all), forget(large), forget(small);
    free(text);
}

int desk_test_settings(int argc, char **argv)
{
#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        THREAD_TEST(settings_are_merged),
        THREAD_TEST(there_is_an_end_to_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
