/* Every name that GGUF files use compiles, and the error for another one lists them. */
#include "test.h"

#include <string.h>

#include "text/pretokenizer.h"

static struct den_token_text text_of(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

static void knows_its_names(void **state)
{
    struct den_pretokenizer pretokenizer = { 0 };
    struct den_pretokenizer_traits traits;
    struct den_error err = { 0 };
    struct den_error unknown = { 0 };
    const char *at;
    int count = 0;

    assert_int_equal(den_pretokenizer_add_named(&pretokenizer, text_of("nope"), &traits, &unknown),
                     DEN_UNSUPPORTED);
    assert_non_null(strstr(unknown.message, "'nope'"));
    at = strstr(unknown.message, "known are: ");
    assert_non_null(at);
    for (at += strlen("known are: "); *at; count++) {
        size_t length = strcspn(at, " ");

        if (den_pretokenizer_add_named(&pretokenizer, (struct den_token_text){ at, length },
                                       &traits, &err) != DEN_OK)
            fail_msg("%s", err.message);
        assert_true(pretokenizer.count > 0);
        den_pretokenizer_deinit(&pretokenizer);
        at += length + (at[length] == ' ');
    }
    assert_true(count > 50);
    assert_int_equal(den_pretokenizer_add_named(&pretokenizer, text_of(""), &traits, &err),
                     DEN_UNSUPPORTED);
    assert_int_equal(den_pretokenizer_add_named(&pretokenizer, text_of("gpt"), &traits, &err),
                     DEN_UNSUPPORTED); /* a part of a name is none */
}

static void tells_what_a_name_implies(void **state)
{
    static const struct {
        const char *name;
        bool ignore_merges;
        bool add_bos;
        bool nfc;
    } cases[] = { { "llama-bpe", true, true, false },
                  { "tekken", true, true, false },
                  { "qwen2", false, false, true },
                  { "smollm", false, false, false } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_pretokenizer pretokenizer = { 0 };
        struct den_pretokenizer_traits traits;
        struct den_error err = { 0 };

        assert_int_equal(
            den_pretokenizer_add_named(&pretokenizer, text_of(cases[i].name), &traits, &err),
            DEN_OK);
        assert_int_equal(traits.ignore_merges, cases[i].ignore_merges);
        assert_int_equal(traits.add_bos, cases[i].add_bos);
        assert_int_equal(traits.nfc, cases[i].nfc);
        den_pretokenizer_deinit(&pretokenizer);
    }
}

int text_test_pretokenizer_names(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_names),
        cmocka_unit_test(tells_what_a_name_implies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
