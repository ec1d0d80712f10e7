/* From Oniguruma to PCRE2: what is rewritten, and what is refused. What rewritten patterns
 * match, test_tokenizer compares with the tokenizers package. */
#include "test.h"

#include <string.h>

#include "text/pretokenizer_regex.h"

static void rewrites_what_differs(void **state)
{
    static const char *const cases[][2] = {
        { "a|b?c*+", "a|b?c*+" },
        { "\\s+(?!\\S)", "[\\t-\\r\\x{85}\\p{Z}]+(?![^\\t-\\r\\x{85}\\p{Z}])" },
        { "[^\\sx]", "[^\\t-\\r\\x{85}\\p{Z}x]" },
        { "\\p{N}{1,3}+", "(?:\\p{N}{1,3})+" },
        { "(?:ab){2}+c", "(?:(?:ab){2})+c" },
        { "(ab){2}?", "(ab){2}?" },
        { "(?i:'s)(?m:.)", "(?i:'s)(?s:.)" },
        { "[a&&[^b]]", "(?:(?=[^b])[a])" },
        { "[^a-z&&[bc]]", "(?:(?!(?=[bc])[a-z])(?s:.))" },
        { "[a[bc]d]", "[abcd]" },
        { "[^a[.,]]", "[^a.,]" },
        { "\\p{Letter}\\P{Uppercase_Letter}\\p{^Nd}", "\\p{L}\\P{Lu}\\P{Nd}" },
        { "\\p{Han}\\p{L}", "\\p{sc:Han}\\p{L}" },
        { "\\u4E00\\h", "\\x{4E00}[0-9A-Fa-f]" },
        { "[[:punct:]x]", "[\\p{P}\\p{S}x]" },
        { "{x}{1", "{x}{1" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_error err = { 0 };
        struct den_buffer out;

        den_buffer_init(&out, 4096);
        if (den_regex_translate(cases[i][0], strlen(cases[i][0]), &out, &err) != DEN_OK)
            fail_msg("%s", err.message);
        assert_string_equal(out.data, cases[i][1]);
        den_buffer_deinit(&out);
    }
}

static void refuses_what_it_cannot_say(void **state)
{
    static const char *const cases[] = {
        "[a[^b]]", "[[^a][^b]]", "[^[^a]]", "a\\", "[a", "[\\H]", "[[[[[[[[[[[[a]]]]]]]]]]]]",
        "[a&&",    "[a&&b",
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_error err = { 0 };
        struct den_buffer out;

        den_buffer_init(&out, 4096);
        assert_int_equal(den_regex_translate(cases[i], strlen(cases[i]), &out, &err),
                         DEN_UNSUPPORTED);
        den_buffer_deinit(&out);
    }
}

int text_test_pretokenizer_translate(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewrites_what_differs),
        cmocka_unit_test(refuses_what_it_cannot_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
