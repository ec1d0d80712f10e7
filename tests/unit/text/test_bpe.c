/* Byte-pair encoding by hand: ranks, ties, both ways of joining, and the byte alphabet. */
#include "test.h"

#include <string.h>

#include "text/bpe.h"

static struct den_token_text text_of(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

static void fill(struct den_vocabulary *vocabulary, const char *const *names, size_t count)
{
    struct den_error err = { 0 };
    size_t i;

    assert_int_equal(den_vocabulary_init(vocabulary, count, 4096, &err), DEN_OK);
    for (i = 0; i < count; i++)
        assert_int_equal(den_vocabulary_set(vocabulary, i, names[i], strlen(names[i]), &err),
                         DEN_OK);
}

static void check(const struct den_bpe *bpe, const char *word, const den_token *wanted,
                  size_t count)
{
    struct den_tokens out = { 0 };
    struct den_bpe_work work;
    struct den_error err = { 0 };

    den_bpe_work_init(&work);
    assert_int_equal(den_bpe_encode(bpe, word, strlen(word), &work, &out, &err), DEN_OK);
    assert_int_equal(out.count, count);
    if (count > 0)
        assert_memory_equal(out.items, wanted, count * sizeof *wanted);
    den_bpe_work_deinit(&work);
    den_tokens_deinit(&out);
}

static void joins_by_rank_then_from_the_left(void **state)
{
    static const char *const names[] = { "a", "b", "c", "ab", "bc", "abc", "aa" };
    struct den_vocabulary vocabulary;
    struct den_bpe bpe = { .vocabulary = &vocabulary, .unknown = DEN_TOKEN_NONE };
    struct den_error err = { 0 };

    fill(&vocabulary, names, 7);
    assert_int_equal(den_bpe_init_merges(&bpe, 4, &err), DEN_OK);
    assert_int_equal(den_bpe_add_merge(&bpe, 0, text_of("b"), text_of("c"), &err), DEN_OK);
    assert_int_equal(den_bpe_add_merge(&bpe, 1, text_of("a"), text_of("b"), &err), DEN_OK);
    assert_int_equal(den_bpe_add_merge(&bpe, 2, text_of("a"), text_of("bc"), &err), DEN_OK);
    assert_int_equal(den_bpe_add_merge(&bpe, 3, text_of("a"), text_of("a"), &err), DEN_OK);
    den_bpe_finish(&bpe);
    check(&bpe, "abc", (den_token[]){ 5 }, 1); /* bc first, then a bc */
    check(&bpe, "ab", (den_token[]){ 3 }, 1);
    check(&bpe, "aaa", (den_token[]){ 6, 0 }, 2);
    check(&bpe, "azb", (den_token[]){ 3 }, 1); /* z is dropped, and its neighbours meet */
    check(&bpe, "", NULL, 0);
    assert_int_equal(den_bpe_add_merge(&bpe, 4, text_of("a"), text_of("z"), &err), DEN_BAD_FILE);
    den_bpe_deinit(&bpe);
    den_vocabulary_deinit(&vocabulary);
}

/* The heap of long words and the scan of short ones agree: a long word made of short ones that
 * nothing joins gives their tokens in a row. */
static void long_words_agree_with_short_ones(void **state)
{
    static const char *const names[] = { "a", "b", "c", "ab", "bc", "abab", "cab", "|" };
    static const char *const merges[][2] = {
        { "a", "b" }, { "b", "c" }, { "ab", "ab" }, { "c", "ab" }
    };
    struct den_vocabulary vocabulary;
    struct den_bpe bpe = { .vocabulary = &vocabulary, .unknown = DEN_TOKEN_NONE };
    struct den_tokens joined = { 0 };
    struct den_tokens apart = { 0 };
    struct den_bpe_work work;
    struct den_error err = { 0 };
    uint64_t seed = 3;
    char word[4000];
    size_t length = 0;
    size_t i;

    fill(&vocabulary, names, 8);
    assert_int_equal(den_bpe_init_merges(&bpe, 4, &err), DEN_OK);
    for (i = 0; i < 4; i++)
        assert_int_equal(den_bpe_add_merge(&bpe, (uint32_t)i, text_of(merges[i][0]),
                                           text_of(merges[i][1]), &err),
                         DEN_OK);
    den_bpe_finish(&bpe);
    den_bpe_work_init(&work);
    while (length + 32 < sizeof word) {
        size_t start = length;
        size_t count = 5 + seed % 20;

        for (i = 0; i < count; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            word[length++] = "abc"[seed >> 33 & 1 ? 0 : (seed >> 40) % 3];
        }
        word[length++] = '|';
        den_bpe_encode(&bpe, word + start, length - start, &work, &apart, &err);
    }
    den_bpe_encode(&bpe, word, length, &work, &joined, &err);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(joined.count, apart.count);
    assert_memory_equal(joined.items, apart.items, joined.count * sizeof *joined.items);
    den_bpe_work_deinit(&work);
    den_tokens_deinit(&joined);
    den_tokens_deinit(&apart);
    den_bpe_deinit(&bpe);
    den_vocabulary_deinit(&vocabulary);
}

static void joins_by_score(void **state)
{
    static const char *const names[] = { "<unk>", "<s>", "a", "b", "c", "ab", "bc", "<0x7A>" };
    struct den_vocabulary vocabulary;
    struct den_bpe bpe = { .vocabulary = &vocabulary, .byte_fallback = true };

    fill(&vocabulary, names, 8);
    vocabulary.kinds[0] = DEN_TOKEN_UNKNOWN;
    vocabulary.kinds[1] = DEN_TOKEN_CONTROL;
    vocabulary.kinds[7] = DEN_TOKEN_BYTE;
    vocabulary.scores[5] = -2.0f;
    vocabulary.scores[6] = -1.0f;
    den_bpe_finish(&bpe);
    check(&bpe, "abc", (den_token[]){ 2, 6 }, 2); /* -1 beats -2 */
    check(&bpe, "abz", (den_token[]){ 5, 7 }, 2); /* z as a byte */
    check(&bpe, "ay", (den_token[]){ 2, 0 }, 2);  /* y has no byte token */
    vocabulary.scores[5] = 1.0f;
    check(&bpe, "abc", (den_token[]){ 5, 4 }, 2);
    check(&bpe, "<s>", (den_token[]){ 0, 0, 0 }, 3); /* control tokens are no text */
    den_vocabulary_deinit(&vocabulary);
}

static void maps_bytes_both_ways(void **state)
{
    bool seen[512] = { false };
    int byte;

    for (byte = 0; byte < 256; byte++) {
        uint32_t code = den_bpe_byte_to_code((unsigned char)byte);

        assert_true(code > ' ' && code < 512 && !seen[code]);
        seen[code] = true;
        assert_int_equal(den_bpe_code_to_byte(code), byte);
    }
    assert_int_equal(den_bpe_byte_to_code(' '), 0x120); /* the well-known G with a dot */
    assert_int_equal(den_bpe_byte_to_code('\n'), 0x10A);
    assert_int_equal(den_bpe_byte_to_code(0xAD), 0x143);
    assert_int_equal(den_bpe_code_to_byte(' '), -1);
    assert_int_equal(den_bpe_code_to_byte(0x144), -1);
}

int text_test_bpe(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_by_rank_then_from_the_left),
        cmocka_unit_test(long_words_agree_with_short_ones),
        cmocka_unit_test(joins_by_score),
        cmocka_unit_test(maps_bytes_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
