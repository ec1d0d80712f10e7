/* The chain against llama.cpp's (tests/fixtures/make_sampler.py), the draw against its own
 * probabilities by chi-square, and bad input. */
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/sampler_core.h"
#include "text/sampler_select.h"

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

static struct den_sampler_options read_options(const json_t *o)
{
    struct den_sampler_options options = den_sampler_defaults();

    options.seed = 1;
    options.temperature = (float)number(o, "temperature");
    options.top_k = (int)number(o, "top_k");
    options.top_p = (float)number(o, "top_p");
    options.min_p = (float)number(o, "min_p");
    options.typical_p = (float)number(o, "typical_p");
    options.top_n_sigma = (float)number(o, "top_n_sigma");
    options.xtc_probability = (float)number(o, "xtc_probability");
    options.xtc_threshold = (float)number(o, "xtc_threshold");
    options.penalty_last_n = (int)number(o, "penalty_last_n");
    options.repeat_penalty = (float)number(o, "repeat_penalty");
    options.frequency_penalty = (float)number(o, "frequency_penalty");
    options.presence_penalty = (float)number(o, "presence_penalty");
    options.dry_multiplier = (float)number(o, "dry_multiplier");
    options.dry_base = (float)number(o, "dry_base");
    options.dry_allowed_length = (int)number(o, "dry_allowed_length");
    options.dry_penalty_last_n = (int)number(o, "dry_penalty_last_n");
    options.min_keep = (int)number(o, "min_keep");
    return options;
}

static void compare_case(const json_t *one, size_t index)
{
    struct den_sampler_options options = read_options(json_object_get(one, "options"));
    size_t vocabulary = (size_t)number(one, "vocabulary"), i, j, alive = 0;
    const json_t *history = json_object_get(one, "history");
    const json_t *breaking = json_object_get(one, "breakers");
    const json_t *tokens = json_object_get(one, "tokens");
    const struct den_candidates *left;
    struct den_sampler *sampler;
    struct den_error err = { 0 };
    uint8_t breakers[200] = { 0 };
    float logits[200];
    double total = 0;

    assert_true(vocabulary <= 200);
    for (i = 0; i < json_array_size(breaking); i++)
        breakers[json_integer_value(json_array_get(breaking, i))] = 1;
    for (i = 0; i < vocabulary; i++)
        logits[i] = (float)json_number_value(json_array_get(json_object_get(one, "logits"), i));
    assert_int_equal(den_sampler_create_core(&options, vocabulary, breakers, &sampler, &err),
                     DEN_OK);
    for (i = 0; i < json_array_size(history); i++)
        assert_int_equal(
            den_sampler_accept(sampler, (den_token)json_integer_value(json_array_get(history, i)),
                               &err),
            DEN_OK);
    assert_true(den_sampler_sample(sampler, logits) >= 0);
    left = den_sampler_candidates(sampler);
    for (i = 0; i < left->count; i++) {
        total += left->items[i].weight;
        alive += left->items[i].weight > 0;
    }
    if (alive != json_array_size(tokens))
        fail_msg("case %zu: %zu candidates, llama.cpp has %zu", index, alive,
                 json_array_size(tokens));
    for (i = 0; i < json_array_size(tokens); i++) {
        json_int_t token = json_integer_value(json_array_get(tokens, i));
        double share = json_number_value(json_array_get(json_object_get(one, "shares"), i));

        for (j = 0; j < left->count && left->items[j].token != token; j++)
            continue;
        if (j == left->count || fabs(left->items[j].weight / total - share) > 3e-6)
            fail_msg("case %zu: token %d has share %g in llama.cpp", index, (int)token, share);
    }
    den_sampler_destroy(sampler);
}

static void chain_agrees_with_llama_cpp(void **state)
{
    struct den_error err = { 0 };
    json_t *cases;
    size_t i;

    assert_int_equal(den_json_read_file(DEN_FIXTURES "/sampler.json", &cases, &err), DEN_OK);
    assert_true(json_array_size(cases) > 100);
    for (i = 0; i < json_array_size(cases); i++)
        compare_case(json_array_get(cases, i), i);
    json_decref(cases);
}

static struct den_sampler *make(struct den_sampler_options options, size_t vocabulary)
{
    struct den_sampler *sampler = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_sampler_create_core(&options, vocabulary, NULL, &sampler, &err), DEN_OK);
    return sampler;
}

static struct den_sampler_options plain(void)
{
    struct den_sampler_options options = den_sampler_defaults();

    options.temperature = 1;
    options.top_k = 0;
    options.top_p = 1;
    options.min_p = 0;
    options.seed = 11;
    return options;
}

/* 7 degrees of freedom: chi-square above 24.3 has probability 0.001; the seed is fixed. */
static void draws_follow_the_probabilities(void **state)
{
    const float logits[8] = { 0, 1, -1, 2, 0.5f, -2, 1.5f, 0.25f };
    enum { DRAWS = 200000 };
    struct den_sampler *sampler = make(plain(), 8);
    size_t seen[8] = { 0 }, i;
    double total = 0, chi = 0;

    for (i = 0; i < 8; i++)
        total += exp(logits[i]);
    for (i = 0; i < DRAWS; i++)
        seen[den_sampler_sample(sampler, logits)]++;
    for (i = 0; i < 8; i++) {
        double expected = DRAWS * exp(logits[i]) / total;

        chi += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
    }
    assert_true(chi < 24.3);
    den_sampler_destroy(sampler);
}

static void xtc_happens_as_often_as_asked(void **state)
{
    const float logits[4] = { 2, 1.9f, 1.8f, -5 };
    struct den_sampler_options options = plain();
    struct den_sampler *sampler;
    int excluded = 0, i;

    options.xtc_probability = 0.3f;
    options.xtc_threshold = 0.1f;
    sampler = make(options, 4);
    for (i = 0; i < 20000; i++) {
        den_sampler_sample(sampler, logits);
        excluded += den_sampler_candidates(sampler)->count == 2;
    }
    assert_in_range(excluded, 5700, 6300); /* 6000 expected, deviation 65 */
    den_sampler_destroy(sampler);
}

static void same_seed_same_tokens(void **state)
{
    struct den_sampler_options options = plain();
    struct den_sampler *a, *b, *other;
    float logits[1000];
    int i, differing = 0;

    for (i = 0; i < 1000; i++)
        logits[i] = (float)((i * 7919) % 1000) / 200;
    options.seed = 42;
    a = make(options, 1000);
    b = make(options, 1000);
    options.seed = 43;
    other = make(options, 1000);
    for (i = 0; i < 200; i++) {
        den_token token = den_sampler_sample(a, logits);

        assert_int_equal(token, den_sampler_sample(b, logits));
        differing += token != den_sampler_sample(other, logits);
    }
    assert_true(differing > 150);
    assert_int_equal(den_sampler_seed(a), 42);
    den_sampler_destroy(a);
    den_sampler_destroy(b);
    den_sampler_destroy(other);
}

/* The exact tokens are part of the promise: they hold on every machine. */
static void tokens_of_a_seed_are_fixed(void **state)
{
    static const den_token expected[8] = { 122, 150, 219, 413, 150, 244, 269, 244 };
    struct den_sampler_options options = den_sampler_defaults();
    struct den_sampler *sampler;
    float logits[500];
    int i;

    for (i = 0; i < 500; i++)
        logits[i] = (float)((i * 31) % 97) / 16;
    options.seed = 2024;
    sampler = make(options, 500);
    for (i = 0; i < 8; i++)
        assert_int_equal(den_sampler_sample(sampler, logits), expected[i]);
    den_sampler_destroy(sampler);
}

static void random_seeds_differ_and_fit_json(void **state)
{
    struct den_sampler_options options = plain();
    struct den_sampler *a, *b;

    options.seed = DEN_SEED_RANDOM;
    a = make(options, 2);
    b = make(options, 2);
    assert_true(den_sampler_seed(a) != den_sampler_seed(b));
    assert_true(den_sampler_seed(a) < (UINT64_C(1) << 53));
    den_sampler_destroy(a);
    den_sampler_destroy(b);
}

static void greedy_takes_the_largest(void **state)
{
    struct den_sampler_options options = plain();
    const struct den_logit_bias bias[2] = { { 3, 9 }, { 1, -INFINITY } };
    float logits[5] = { 1, 7, 7, 0, NAN };
    struct den_sampler *sampler;

    options.temperature = 0;
    sampler = make(options, 5);
    assert_int_equal(den_sampler_sample(sampler, logits), 1); /* the lower one of a tie */
    logits[4] = INFINITY;
    assert_int_equal(den_sampler_sample(sampler, logits), 4);
    assert_true(logits[4] == INFINITY && logits[1] == 7);
    den_sampler_destroy(sampler);
    options.logit_bias = bias;
    options.logit_bias_count = 1;
    sampler = make(options, 5);
    logits[4] = -INFINITY;
    assert_int_equal(den_sampler_sample(sampler, logits), 3);
    den_sampler_destroy(sampler);
    options.logit_bias = bias + 1;
    sampler = make(options, 5);
    assert_int_equal(den_sampler_sample(sampler, logits), 2);
    den_sampler_destroy(sampler);
}

static void odd_logits_are_survived(void **state)
{
    const float settings[] = { 0, 0.5f, 1 };
    const int top_ks[] = { 0, 1, 3, 2000 };
    float logits[4];
    size_t t, k;

    for (t = 0; t < 3; t++) {
        for (k = 0; k < 4; k++) {
            struct den_sampler_options options = den_sampler_defaults();
            struct den_sampler *sampler;

            options.seed = 5;
            options.temperature = settings[t];
            options.top_k = top_ks[k];
            options.typical_p = k == 3 ? 0.9f : 1.0f;
            options.top_n_sigma = k == 1 ? 1.0f : -1.0f;
            sampler = make(options, 4);
            logits[0] = logits[1] = logits[2] = logits[3] = NAN;
            assert_int_equal(den_sampler_sample(sampler, logits), DEN_TOKEN_NONE);
            logits[2] = -INFINITY;
            assert_int_equal(den_sampler_sample(sampler, logits), DEN_TOKEN_NONE);
            logits[2] = -FLT_MAX;
            assert_int_equal(den_sampler_sample(sampler, logits), 2);
            logits[1] = INFINITY;
            assert_int_equal(den_sampler_sample(sampler, logits), 1);
            den_sampler_destroy(sampler);
            sampler = make(options, 1);
            logits[0] = 3;
            assert_int_equal(den_sampler_sample(sampler, logits), 0);
            den_sampler_destroy(sampler);
        }
    }
}

/* A masked draw is the draw over logits in which the masked ones are -INFINITY, for each chain; and
 * no bias brings a masked token back. */
static void masked_tokens_are_impossible(void **state)
{
    enum { VOCABULARY = 75, DRAWS = 200 };
    const struct den_logit_bias bias[2] = { { 3, INFINITY }, { 70, 9 } };
    struct den_sampler_options chains[4];
    uint32_t mask[3] = { 0, UINT32_MAX, 0x25 };
    float logits[VOCABULARY], lowered[VOCABULARY];
    size_t i, c;

    for (i = 0; i < VOCABULARY; i++) {
        logits[i] = (float)(i * 37 % 50) / 10;
        lowered[i] = mask[i / 32] >> (i % 32) & 1 ? logits[i] : -INFINITY;
    }
    for (c = 0; c < 4; c++) {
        chains[c] = plain();
        chains[c].temperature = c == 0 ? 0 : 1.3f;
        chains[c].top_k = c == 1 ? 5 : 0;
        chains[c].top_p = c == 2 ? 0.7f : 1;
        chains[c].typical_p = c == 3 ? 0.8f : 1;
    }
    for (c = 0; c < 4; c++) {
        struct den_sampler *a = make(chains[c], VOCABULARY), *b = make(chains[c], VOCABULARY);

        for (i = 0; i < DRAWS; i++)
            assert_int_equal(den_sampler_sample_masked(a, logits, mask),
                             den_sampler_sample(b, lowered));
        assert_true(logits[3] > -INFINITY);
        den_sampler_destroy(a);
        den_sampler_destroy(b);
        chains[c].logit_bias = bias;
        chains[c].logit_bias_count = 2;
        a = make(chains[c], VOCABULARY);
        mask[1] = 0;
        for (i = 0; i < DRAWS; i++) {
            den_token token = den_sampler_sample_masked(a, logits, mask);

            assert_true(token == 64 || token == 66 || token == 69);
        }
        mask[2] = 0;
        assert_int_equal(den_sampler_sample_masked(a, logits, mask), DEN_TOKEN_NONE);
        mask[2] = 0x25;
        mask[1] = UINT32_MAX;
        den_sampler_destroy(a);
    }
}

static void presets_change_what_they_name(void **state)
{
    struct den_sampler_options options = den_sampler_defaults();
    struct den_error err = { 0 };

    assert_int_equal(den_sampler_apply_preset(&options, "factual", &err), DEN_OK);
    assert_true(options.temperature == 0.7f && options.top_p == 0.85f && options.top_k == 40);
    assert_int_equal(den_sampler_apply_preset(&options, "classify", &err), DEN_OK);
    assert_true(options.temperature == 0.1f && options.top_p == 0.85f);
    assert_int_equal(den_sampler_apply_preset(&options, "creative", &err), DEN_OK);
    assert_true(options.temperature == 0.7f && options.top_p == 0.95f);
    assert_int_equal(den_sampler_apply_preset(&options, "wild", &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "creative"));
    assert_true(options.temperature == 0.7f);
}

static void bad_options_are_named(void **state)
{
    const struct den_logit_bias outside = { 10, 1 }, not_number = { 1, NAN };
    struct den_sampler_options options[6];
    const char *named[6] = { "temperature", "min_p",    "repeat_penalty",
                             "dry_base",    "token 10", "not a number" };
    size_t i;

    for (i = 0; i < 6; i++)
        options[i] = plain();
    options[0].temperature = NAN;
    options[1].min_p = -0.5f;
    options[2].repeat_penalty = 0;
    options[3].dry_base = 0.5f;
    options[4].logit_bias = &outside;
    options[5].logit_bias = &not_number;
    options[4].logit_bias_count = options[5].logit_bias_count = 1;
    for (i = 0; i < 6; i++) {
        struct den_error err = { 0 };
        struct den_sampler *sampler = NULL;

        assert_int_equal(den_sampler_create_core(&options[i], 10, NULL, &sampler, &err),
                         DEN_INVALID);
        assert_null(sampler);
        assert_non_null(strstr(err.message, named[i]));
    }
}

int text_test_sampler(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_agrees_with_llama_cpp),
        cmocka_unit_test(draws_follow_the_probabilities),
        cmocka_unit_test(xtc_happens_as_often_as_asked),
        cmocka_unit_test(same_seed_same_tokens),
        cmocka_unit_test(tokens_of_a_seed_are_fixed),
        cmocka_unit_test(random_seeds_differ_and_fit_json),
        cmocka_unit_test(greedy_takes_the_largest),
        cmocka_unit_test(odd_logits_are_survived),
        cmocka_unit_test(masked_tokens_are_impossible),
        cmocka_unit_test(presets_change_what_they_name),
        cmocka_unit_test(bad_options_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
