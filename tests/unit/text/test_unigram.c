/* Unigram by hand: the best sum wins, not the longest piece; what no piece covers is fused. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "text/unigram.h"

static const char *const names[] = { "<unk>", "a", "b", "ab", "abc", "c", "d", "<0xC3>", "<0xA9>" };
static const double scores[] = { 0, -1, -1, -1.5, -9, -1, -1, 0, 0 };
enum { COUNT = 9 };

static void init(struct den_vocabulary *vocabulary, struct den_unigram *unigram)
{
    double *copy = malloc(sizeof scores);
    struct den_error err = { 0 };
    size_t i;

    assert_non_null(copy);
    memcpy(copy, scores, sizeof scores);
    assert_int_equal(den_vocabulary_init(vocabulary, COUNT, 4096, &err), DEN_OK);
    for (i = 0; i < COUNT; i++)
        den_vocabulary_set(vocabulary, i, names[i], strlen(names[i]), &err);
    vocabulary->kinds[0] = DEN_TOKEN_UNKNOWN;
    vocabulary->kinds[7] = DEN_TOKEN_BYTE;
    vocabulary->kinds[8] = DEN_TOKEN_BYTE;
    assert_int_equal(den_unigram_init(unigram, vocabulary, copy, &err), DEN_OK);
    assert_true(unigram->unknown_score == -19);
}

static void check(const struct den_unigram *unigram, const char *word, const den_token *wanted,
                  size_t count)
{
    struct den_unigram_work work = { 0 };
    struct den_tokens out = { 0 };
    struct den_error err = { 0 };

    assert_int_equal(den_unigram_encode(unigram, word, strlen(word), &work, &out, &err), DEN_OK);
    assert_int_equal(out.count, count);
    if (count > 0)
        assert_memory_equal(out.items, wanted, count * sizeof *wanted);
    den_unigram_work_deinit(&work);
    den_tokens_deinit(&out);
}

static void finds_the_best_way(void **state)
{
    struct den_vocabulary vocabulary;
    struct den_unigram unigram = { .unknown = 0 };

    init(&vocabulary, &unigram);
    check(&unigram, "abc", (den_token[]){ 3, 5 }, 2); /* -2.5, not abc with -9 or a b c with -3 */
    check(&unigram, "axyzb", (den_token[]){ 1, 0, 2 }, 3);
    check(&unigram, "\xC3\xA9", (den_token[]){ 0 }, 1);
    check(&unigram, "a\xFFz", (den_token[]){ 1, 0 }, 2);
    check(&unigram, "", NULL, 0);
    unigram.unknown = DEN_TOKEN_NONE;
    check(&unigram, "axb", (den_token[]){ 1, 2 }, 2);
    den_unigram_deinit(&unigram);
    den_vocabulary_deinit(&vocabulary);
}

static void falls_back_to_bytes(void **state)
{
    struct den_vocabulary vocabulary;
    struct den_unigram unigram = { .unknown = 0, .byte_fallback = true };

    init(&vocabulary, &unigram);
    check(&unigram, "a\xC3\xA9", (den_token[]){ 1, 7, 8 }, 3);
    check(&unigram, "z", (den_token[]){ 0 }, 1); /* z's byte has no token */
    den_unigram_deinit(&unigram);
    den_vocabulary_deinit(&vocabulary);
}

int text_test_unigram(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_best_way),
        cmocka_unit_test(falls_back_to_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
