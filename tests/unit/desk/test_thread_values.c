/* Ids and shortened texts. */
#include "thread_scratch.h"

#include "desk/threads_parts.h"

static void ids_are_new_and_valid(void **state)
{
    char first[DEN_ID_LENGTH_MAX + 1], second[DEN_ID_LENGTH_MAX + 1];

    assert_ok(den_id_make(first, &err));
    assert_ok(den_id_make(second, &err));
    assert_true(den_id_is_valid(first));
    assert_string_not_equal(first, second);
    assert_false(den_id_is_valid(""));
    assert_false(den_id_is_valid("a/b"));
    assert_false(den_id_is_valid("a\xC3\xA4"));
    assert_false(den_id_is_valid("0123456789012345678901234567890123456789012345678901234567890123"
                                 "4"));
}

static void expect(const char *text, size_t characters, const char *shortened)
{
    char out[64];

    den_text_shorten(text, characters, out, sizeof out);
    assert_string_equal(out, shortened);
}

static void texts_are_cut_between_characters(void **state)
{
    expect("plain", 10, "plain");
    expect("  two\n\n words\t", 20, "two words");
    expect("abcdef", 3, "abc\xE2\x80\xA6");
    expect("ab cd", 3, "ab\xE2\x80\xA6");
    expect("\xE4\xBD\xA0\xE5\xA5\xBD\xE5\x90\x97", 2, "\xE4\xBD\xA0\xE5\xA5\xBD\xE2\x80\xA6");
    expect("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 1, "\xF0\x9F\x98\x80\xE2\x80\xA6");
    expect("a\xFFz", 9, "a\xEF\xBF\xBDz");
    expect("", 5, "");
    expect(" \n ", 5, "");
}

static void what_is_too_long_is_named(void **state)
{
    json_t *fields = parse("{'name': 'abcdef', 'number': 1, 'none': null}");
    const char *text = NULL;

    assert_ok(den_text_get(fields, "name", 6, &text, &err));
    assert_string_equal(text, "abcdef");
    assert_fails(den_text_get(fields, "name", 5, &text, &err), DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "'name'"));
    assert_fails(den_text_get(fields, "number", 5, &text, &err), DEN_INVALID);
    assert_ok(den_text_get(fields, "none", 5, &text, &err));
    json_decref(fields);
}

int desk_test_thread_values(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_new_and_valid),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(what_is_too_long_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
