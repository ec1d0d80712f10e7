/* What is guessed of texts that repeat themselves, and what is not. */
#include "engine/draft_ngram.h"

#include "test.h"

static struct den_draft_ngram *make(size_t capacity, const den_token *tokens, size_t count)
{
    struct den_draft_ngram *draft = NULL;
    struct den_error err = { 0 };

    if (den_draft_ngram_create(capacity, &draft, &err) != DEN_OK)
        fail_msg("%s", err.message);
    den_draft_ngram_append(draft, tokens, count);
    return draft;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void expect(const struct den_draft_ngram *draft, const den_token *tokens, size_t count)
{
    den_token got[64];

    assert_int_equal(den_draft_ngram_guess(draft, got, count), count);
    assert_memory_equal(got, tokens, count * sizeof *tokens);
}

static void guesses_what_stood_there(void **state)
{
    const den_token text[] = { 1, 2, 3, 4, 5, 9, 9, 2, 3 }, next[] = { 4, 5, 9, 9, 2, 3 };
    struct den_draft_ngram *draft = make(100, text, COUNT(text));

    assert_int_equal(den_draft_ngram_matched(draft), 2);
    expect(draft, next, COUNT(next));
    assert_true(den_draft_ngram_push(draft, 4));
    assert_int_equal(den_draft_ngram_matched(draft), 3);
    expect(draft, next + 1, COUNT(next) - 1);
    den_draft_ngram_destroy(draft);
}

static void prefers_the_longer_match(void **state)
{
    const den_token text[] = { 7, 1, 2, 30, 8, 1, 2, 31, 1, 2, 32, 7, 1, 2 };
    const den_token longest = 30, latest = 32;
    struct den_draft_ngram *draft = make(100, text, COUNT(text));

    assert_int_equal(den_draft_ngram_matched(draft), 3);
    expect(draft, &longest, 1);
    den_draft_ngram_destroy(draft);
    draft = make(100, text + 1, COUNT(text) - 4); /* ... 1 2 31 1 2 32 */
    assert_int_equal(den_draft_ngram_matched(draft), 0);
    assert_false(den_draft_ngram_push(draft, 1));
    assert_false(den_draft_ngram_push(draft, 2));
    assert_int_equal(den_draft_ngram_matched(draft), 2);
    expect(draft, &latest, 1);
    den_draft_ngram_destroy(draft);
}

/* A circle is guessed for as long as is wanted. */
static void goes_round(void **state)
{
    const den_token text[] = { 1, 2, 3, 1, 2, 3 }, next[] = { 1, 2, 3, 1, 2, 3, 1, 2 };
    struct den_draft_ngram *draft = make(100, text, COUNT(text));

    expect(draft, next, COUNT(next));
    den_draft_ngram_destroy(draft);
}

static void finds_back_after_a_change(void **state)
{
    const den_token text[] = { 50, 51, 1, 2, 3, 4, 5, 6, 7, 8, 60, 5, 61, 50, 51 };
    const den_token next[] = { 6, 7, 8 };
    struct den_draft_ngram *draft = make(100, text, COUNT(text));
    den_token token;

    for (token = 1; token <= 3; token++)
        assert_true(den_draft_ngram_push(draft, token));
    assert_false(den_draft_ngram_push(draft, 44)); /* instead of 4 */
    assert_int_equal(den_draft_ngram_matched(draft), 0);
    assert_false(den_draft_ngram_push(draft, 5)); /* stands twice: near the lost place, and later */
    assert_int_equal(den_draft_ngram_matched(draft), 1);
    expect(draft, next, COUNT(next));
    den_draft_ngram_destroy(draft);
}

static void keeps_texts_apart(void **state)
{
    const den_token text[] = { 1, 2, 3, DEN_TOKEN_NONE, 2, 3 };
    struct den_draft_ngram *draft = make(100, text, COUNT(text));
    den_token got[4];

    assert_int_equal(den_draft_ngram_guess(draft, got, 4), 0); /* 3 ends its text */
    den_draft_ngram_follow(draft, 0);
    expect(draft, text, 3);
    assert_int_equal(den_draft_ngram_guess(draft, got, 4), 3);
    assert_true(den_draft_ngram_push(draft, 1));
    assert_true(den_draft_ngram_push(draft, 2));
    assert_true(den_draft_ngram_push(draft, 3));
    assert_int_equal(den_draft_ngram_guess(draft, got, 4), 0);
    den_draft_ngram_destroy(draft);
}

/* Whatever the text, what is guessed has stood behind as many tokens as it says. */
static void tells_the_truth(void **state)
{
    enum { TOKENS = 3000 };
    static den_token text[TOKENS];
    struct den_draft_ngram *draft = make(TOKENS - 100, NULL, 0);
    uint32_t random = 1;
    size_t i, k, p, right = 0, guessed = 0;

    for (i = 0; i < TOKENS; i++) {
        den_token guess = DEN_TOKEN_NONE;
        size_t matched = den_draft_ngram_matched(draft);
        size_t count = den_draft_ngram_guess(draft, &guess, 1);

        random = random * 1664525u + 1013904223u;
        text[i] = i > 50 && random >> 28 ? text[i - 37] : (den_token)(random >> 16) % 20;
        assert_int_equal(count > 0, matched > 0);
        assert_true(i <= TOKENS - 100 || count == 0); /* the text is full */
        if (matched >= 2) {
            bool found = false;

            for (p = matched > 32 ? 32 : matched; p < i && !found; p++) {
                for (k = 1; k <= 32 && k <= matched && text[p - k] == text[i - k]; k++)
                    continue;
                found = (k > 32 || k > matched) && text[p] == guess;
            }
            assert_true(found);
        }
        guessed += count;
        right += count > 0 && guess == text[i];
        assert_int_equal(den_draft_ngram_push(draft, text[i]), count > 0 && guess == text[i]);
    }
    assert_in_range(guessed, TOKENS / 2, TOKENS);
    assert_in_range(right, guessed * 3 / 4, guessed);
    den_draft_ngram_destroy(draft);
}

int engine_test_draft_ngram(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses_what_stood_there),
        cmocka_unit_test(prefers_the_longer_match),
        cmocka_unit_test(goes_round),
        cmocka_unit_test(finds_back_after_a_change),
        cmocka_unit_test(keeps_texts_apart),
        cmocka_unit_test(tells_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
