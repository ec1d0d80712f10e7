/* The vocabulary's two ways to a token, its refusals, and lists of tokens. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "text/tokenizer_vocabulary.h"

static void finds_by_name_and_by_id(void **state)
{
    enum { COUNT = 3000 };
    struct den_vocabulary vocabulary;
    struct den_error err = { 0 };
    char name[32];
    size_t i;

    assert_int_equal(den_vocabulary_init(&vocabulary, COUNT, 64 * COUNT, &err), DEN_OK);
    for (i = 0; i < COUNT; i += 3) { /* holes between */
        int length = snprintf(name, sizeof name, "t%zu", i);

        assert_int_equal(den_vocabulary_set(&vocabulary, i, name, (size_t)length, &err), DEN_OK);
    }
    for (i = 0; i < COUNT; i++) {
        int length = snprintf(name, sizeof name, "t%zu", i);

        assert_int_equal(den_vocabulary_find(&vocabulary, name, (size_t)length),
                         i % 3 == 0 ? (den_token)i : DEN_TOKEN_NONE);
    }
    assert_int_equal(vocabulary.names[1].length, 0);
    assert_int_equal(vocabulary.kinds[1], DEN_TOKEN_HOLE);
    assert_int_equal(den_vocabulary_find(&vocabulary, "", 0), DEN_TOKEN_NONE);
    assert_int_equal(den_vocabulary_set(&vocabulary, 0, "again", 5, &err), DEN_BAD_FILE);
    assert_int_equal(den_vocabulary_set(&vocabulary, COUNT, "far", 3, &err), DEN_BAD_FILE);
    den_vocabulary_deinit(&vocabulary);
    assert_int_equal(den_vocabulary_init(&vocabulary, (size_t)DEN_VOCABULARY_MAX + 1, 0, &err),
                     DEN_TOO_LARGE);
    den_vocabulary_deinit(&vocabulary);
}

static void knows_byte_names(void **state)
{
    unsigned char byte = 0;

    assert_true(den_vocabulary_is_byte_name((struct den_token_text){ "<0xE4>", 6 }, &byte));
    assert_int_equal(byte, 0xE4);
    assert_false(den_vocabulary_is_byte_name((struct den_token_text){ "<0xG4>", 6 }, &byte));
    assert_false(den_vocabulary_is_byte_name((struct den_token_text){ "<0xE4", 5 }, &byte));
    assert_false(den_vocabulary_is_byte_name((struct den_token_text){ "<0xE4>x", 7 }, &byte));
}

static void lists_grow(void **state)
{
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    den_token i;

    for (i = 0; i < 1000; i++)
        assert_int_equal(den_tokens_append(&tokens, &i, 1, &err), DEN_OK);
    assert_int_equal(tokens.count, 1000);
    assert_int_equal(tokens.items[999], 999);
    assert_int_equal(den_tokens_append(&tokens, NULL, 0, &err), DEN_OK);
    assert_int_equal(den_tokens_append(&tokens, &i, SIZE_MAX, &err), DEN_TOO_LARGE);
    assert_int_equal(tokens.count, 1000);
    den_tokens_deinit(&tokens);
}

int text_test_tokenizer_vocabulary(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_name_and_by_id),
        cmocka_unit_test(knows_byte_names),
        cmocka_unit_test(lists_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
