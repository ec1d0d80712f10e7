/* Penalties and DRY against recounting and brute force, over long random histories. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/sampler_history.h"

enum { VOCABULARY = 12, STEPS = 700 };

static void recount(const struct den_sampler_options *o, const den_token *tokens, size_t count,
                    float *logits)
{
    size_t window = o->penalty_last_n < 0 ? count : (size_t)o->penalty_last_n;
    int counts[VOCABULARY] = { 0 };
    size_t i;

    for (i = count > window ? count - window : 0; i < count; i++)
        counts[tokens[i]]++;
    for (i = 0; i < VOCABULARY; i++) {
        if (counts[i] == 0)
            continue;
        logits[i] = logits[i] > 0 ? logits[i] / o->repeat_penalty : logits[i] * o->repeat_penalty;
        logits[i] -= counts[i] * o->frequency_penalty + o->presence_penalty;
    }
}

/* For each earlier place, how many tokens before it agree with the end of the text; no repetition
 * holds token 0, the breaker, which itself is never penalised. */
static void brute_dry(const struct den_sampler_options *o, const den_token *tokens, size_t count,
                      float *logits)
{
    size_t window = o->dry_penalty_last_n < 0 ? count : (size_t)o->dry_penalty_last_n;
    size_t from = count > window ? count - window : 0, place, longest[VOCABULARY] = { 0 }, i;

    for (place = from + 1; place < count; place++) {
        size_t length = 0;

        while (length < place - from && tokens[place - 1 - length] != 0 &&
               tokens[place - 1 - length] == tokens[count - 1 - length])
            length++;
        if (length > longest[tokens[place]])
            longest[tokens[place]] = length;
    }
    for (i = 1; i < VOCABULARY; i++)
        if (longest[i] > 0 && longest[i] >= (size_t)o->dry_allowed_length)
            logits[i] -= o->dry_multiplier *
                         (float)pow(o->dry_base, (double)longest[i] - o->dry_allowed_length);
}

static void compare(struct den_sampler_options options, unsigned alphabet)
{
    uint8_t breakers[VOCABULARY] = { 1 };
    den_token tokens[STEPS];
    struct den_history history;
    struct den_error err = { 0 };
    size_t n, i;

    assert_int_equal(den_history_init(&history, &options, VOCABULARY, breakers, &err), DEN_OK);
    for (n = 0; n < STEPS; n++) {
        float logits[VOCABULARY], right[VOCABULARY];

        tokens[n] = rand() % 20 == 0 ? 0 : (den_token)(1 + (unsigned)rand() % alphabet);
        assert_int_equal(den_history_accept(&history, tokens[n], &err), DEN_OK);
        for (i = 0; i < VOCABULARY; i++)
            logits[i] = right[i] = (float)i - 5;
        den_history_apply(&history, logits);
        recount(&options, tokens, n + 1, right);
        if (options.dry_multiplier > 0)
            brute_dry(&options, tokens, n + 1, right);
        for (i = 0; i < VOCABULARY; i++)
            if (fabsf(logits[i] - right[i]) > 1e-4f * (1 + fabsf(right[i])))
                fail_msg("after %zu tokens, token %zu: %g instead of %g", n + 1, i,
                         (double)logits[i], (double)right[i]);
    }
    den_history_deinit(&history);
}

static void penalties_match_a_recount(void **state)
{
    const int windows[] = { -1, 1, 2, 7, 64, 300, 5000 };
    size_t i;

    srand(1);
    for (i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        struct den_sampler_options options = den_sampler_defaults();

        options.penalty_last_n = windows[i];
        options.repeat_penalty = 1.3f;
        options.frequency_penalty = 0.2f;
        options.presence_penalty = -0.7f;
        compare(options, VOCABULARY - 1);
    }
}

static void dry_matches_brute_force(void **state)
{
    const int windows[] = { -1, 3, 40, 256 };
    const unsigned alphabets[] = { 1, 2, 4 };
    size_t i, a;
    int allowed;

    srand(2);
    for (i = 0; i < 4; i++)
        for (a = 0; a < 3; a++)
            for (allowed = 0; allowed < 4; allowed++) {
                struct den_sampler_options options = den_sampler_defaults();

                options.dry_multiplier = 0.8f;
                options.dry_base = 1.1f;
                options.dry_allowed_length = allowed;
                options.dry_penalty_last_n = windows[i];
                if (i == 2) { /* both at once, with different windows */
                    options.repeat_penalty = 1.1f;
                    options.penalty_last_n = 100;
                }
                compare(options, alphabets[a]);
            }
}

static void endless_repetition_stays_finite(void **state)
{
    struct den_sampler_options options = den_sampler_defaults();
    struct den_history history;
    struct den_error err = { 0 };
    float logits[2] = { 1, 1 };
    int i;

    options.dry_multiplier = 5;
    options.dry_base = 4;
    assert_int_equal(den_history_init(&history, &options, 2, NULL, &err), DEN_OK);
    for (i = 0; i < 5000; i++)
        den_history_accept(&history, 1, &err);
    den_history_apply(&history, logits);
    assert_true(isfinite(logits[1]) && logits[1] < -1e38f && logits[0] == 1);
    den_history_deinit(&history);
}

static void memory_of_a_window_is_bounded(void **state)
{
    struct den_sampler_options options = den_sampler_defaults();
    struct den_history history;
    struct den_error err = { 0 };
    int i;

    options.repeat_penalty = 1.1f;
    assert_int_equal(den_history_init(&history, &options, 4, NULL, &err), DEN_OK);
    for (i = 0; i < 100000; i++)
        den_history_accept(&history, i & 3, &err);
    assert_true(history.capacity <= 256);
    assert_int_equal(den_history_accept(&history, 4, &err), DEN_INVALID);
    assert_int_equal(den_history_accept(&history, -1, &err), DEN_INVALID);
    den_history_deinit(&history);
}

int text_test_sampler_history(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_match_a_recount),
        cmocka_unit_test(dry_matches_brute_force),
        cmocka_unit_test(endless_repetition_stays_finite),
        cmocka_unit_test(memory_of_a_window_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
