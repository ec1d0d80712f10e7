/* WordPiece by hand: the longest beginning, then the longest rests, or nothing at all. */
#include "test.h"

#include <string.h>

#include "text/wordpiece.h"

static void covers_words_greedily(void **state)
{
    static const char *const names[] = { "[UNK]", "un", "unable", "##able", "##a", "##ble", "b" };
    static const struct {
        const char *word;
        den_token tokens[3];
        size_t count;
    } cases[] = {
        { "un", { 1 }, 1 },         { "unable", { 2 }, 1 },
        { "unablea", { 2, 4 }, 2 }, { "unaable", { 1, 4, 3 }, 3 },
        { "unx", { 0 }, 1 },        { "able", { 0 }, 1 },
        { "bable", { 6, 3 }, 2 },   { "unb", { 0 }, 1 },
        { "", { 0 }, 0 },
    };
    struct den_wordpiece wordpiece = { 0 };
    struct den_vocabulary vocabulary;
    struct den_tokens out = { 0 };
    struct den_error err = { 0 };
    size_t i;

    assert_int_equal(den_vocabulary_init(&vocabulary, 7, 4096, &err), DEN_OK);
    for (i = 0; i < 7; i++)
        den_vocabulary_set(&vocabulary, i, names[i], strlen(names[i]), &err);
    assert_int_equal(
        den_wordpiece_init(&wordpiece, &vocabulary, (struct den_token_text){ "##", 2 }, &err),
        DEN_OK);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out.count = 0;
        assert_int_equal(
            den_wordpiece_encode(&wordpiece, cases[i].word, strlen(cases[i].word), &out, &err),
            DEN_OK);
        assert_int_equal(out.count, cases[i].count);
        if (out.count > 0)
            assert_memory_equal(out.items, cases[i].tokens, out.count * sizeof *out.items);
    }
    wordpiece.characters_max = 5;
    out.count = 0;
    den_wordpiece_encode(&wordpiece, "unable", 6, &out, &err);
    assert_int_equal(out.items[0], 0); /* too long to be looked at */
    den_tokens_deinit(&out);
    den_wordpiece_deinit(&wordpiece);
    den_vocabulary_deinit(&vocabulary);
}

int text_test_wordpiece(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_words_greedily),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
