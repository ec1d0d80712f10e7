/* Finding matches, and patterns that must not take for ever. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "text/pretokenizer_regex.h"

static void finds_the_first_match(void **state)
{
    struct den_regex_work *work = den_regex_work_create();
    struct den_regex *regex = NULL;
    struct den_error err = { 0 };
    struct den_regex_match match;

    assert_non_null(work);
    assert_int_equal(den_regex_create("b+", 2, &regex, &err), DEN_OK);
    assert_int_equal(
        den_regex_find(regex, work, (struct den_token_text){ "abbab", 5 }, 0, &match, &err),
        DEN_OK);
    assert_int_equal(match.start, 1);
    assert_int_equal(match.end, 3);
    assert_int_equal(
        den_regex_find(regex, work, (struct den_token_text){ "abbab", 5 }, 3, &match, &err),
        DEN_OK);
    assert_int_equal(match.start, 4);
    assert_int_equal(
        den_regex_find(regex, work, (struct den_token_text){ "abbab", 5 }, 5, &match, &err),
        DEN_OK);
    assert_true(match.start == SIZE_MAX);
    den_regex_destroy(regex);
    den_regex_work_destroy(work);
}

static void gives_up_on_endless_backtracking(void **state)
{
    static const char pattern[] = "(a|a|b?a)+c";
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct den_regex_work *work = den_regex_work_create();
    struct den_regex *regex = NULL;
    struct den_error err = { 0 };
    struct den_regex_match match;

    assert_non_null(work);
    assert_int_equal(den_regex_create(pattern, sizeof pattern - 1, &regex, &err), DEN_OK);
    /* PCRE2 may know beforehand that no c follows; then there is no match, quickly */
    if (den_regex_find(regex, work, (struct den_token_text){ text, sizeof text - 1 }, 0, &match,
                       &err) == DEN_OK)
        assert_true(match.start == SIZE_MAX);
    else
        assert_int_equal(err.status, DEN_TOO_LARGE);
    den_regex_destroy(regex);
    err = (struct den_error){ 0 };
    assert_int_equal(den_regex_create("(a|a|b?a)+(?!a|c)(?=c)", 22, &regex, &err), DEN_OK);
    assert_int_equal(den_regex_find(regex, work, (struct den_token_text){ text, sizeof text - 1 },
                                    0, &match, &err),
                     DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "takes too long"));
    den_regex_destroy(regex);
    den_regex_work_destroy(work);
}

/* A group repeated a million times needs more stack than a thread has. */
static void repeats_groups_over_long_texts(void **state)
{
    enum { BYTES = 1000000 };
    struct den_regex_work *work = den_regex_work_create();
    struct den_regex *regex = NULL;
    struct den_error err = { 0 };
    char *text = malloc(BYTES);
    struct den_regex_match match;

    assert_non_null(work);
    assert_non_null(text);
    memset(text, 'a', BYTES);
    assert_int_equal(den_regex_create("(?:(?=[ab])[a-c])+", 18, &regex, &err), DEN_OK);
    if (den_regex_find(regex, work, (struct den_token_text){ text, BYTES }, 0, &match, &err) !=
        DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(match.start, 0);
    assert_int_equal(match.end, BYTES);
    free(text);
    den_regex_destroy(regex);
    den_regex_work_destroy(work);
}

static void names_the_syntax_error(void **state)
{
    struct den_regex *regex = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_regex_create("a(b", 3, &regex, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "a(b"));
    assert_null(regex);
}

int text_test_pretokenizer_regex(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_match),
        cmocka_unit_test(gives_up_on_endless_backtracking),
        cmocka_unit_test(repeats_groups_over_long_texts),
        cmocka_unit_test(names_the_syntax_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
