/* The trie: thousands of strings in and out, through its growth. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "text/tokenizer_trie.h"

enum { COUNT = 5000 };

static void finds_what_was_added(void **state)
{
    struct den_trie trie;
    struct den_error err = { 0 };
    char text[32];
    int i;

    assert_int_equal(den_trie_init(&trie, &err), DEN_OK);
    for (i = 0; i < COUNT; i++) {
        int length = snprintf(text, sizeof text, "%x-%d", i * 7919 % 4096, i);

        assert_int_equal(den_trie_add(&trie, text, (size_t)length, i, &err), DEN_OK);
    }
    for (i = 0; i < COUNT; i++) {
        int length = snprintf(text, sizeof text, "%x-%d", i * 7919 % 4096, i);
        uint32_t node = den_trie_walk(&trie, text, (size_t)length);

        assert_int_not_equal(node, DEN_TRIE_NONE);
        assert_int_equal(trie.values[node], i);
    }
    assert_int_equal(den_trie_walk(&trie, "nothing", 7), DEN_TRIE_NONE);
    assert_int_equal(den_trie_walk(&trie, "", 0), 0);
    assert_int_equal(trie.values[0], DEN_TOKEN_NONE);
    assert_int_equal(den_trie_next(&trie, 0, 0xFF), DEN_TRIE_NONE);
    assert_int_equal(den_trie_add(&trie, "0-0", 3, 77, &err), DEN_OK); /* the later one counts */
    assert_int_equal(trie.values[den_trie_walk(&trie, "0-0", 3)], 77);
    den_trie_deinit(&trie);
}

int text_test_tokenizer_trie(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
