/* What clients set, turned into sampler options. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worker/worker_request.h"

static struct den_sampler_options convert(const struct den_worker_request *request)
{
    struct den_sampler_options options;
    struct den_error err = { 0 };

    assert_int_equal(den_worker_sampler(request, 1000, &options, &err), DEN_OK);
    return options;
}

static void nothing_set_means_the_defaults(void **state)
{
    const struct den_worker_request request = den_worker_request_defaults();
    const struct den_sampler_options plain = den_sampler_defaults();
    struct den_sampler_options options = convert(&request);

    assert_true(options.temperature == plain.temperature && options.top_k == plain.top_k);
    assert_true(options.top_p == plain.top_p && options.min_p == plain.min_p);
    assert_true(options.seed == DEN_SEED_RANDOM && options.logit_bias_count == 0);
}

static void fields_override_the_preset(void **state)
{
    struct den_worker_request request = den_worker_request_defaults();
    struct den_sampler_options options;

    request.preset = "factual";
    options = convert(&request);
    assert_true(options.temperature == 0.7f && options.top_p == 0.85f);
    request.temperature = 0;
    request.top_k = 0;
    request.seed = 12;
    request.repeat_penalty = 1.5;
    options = convert(&request);
    assert_true(options.temperature == 0 && options.top_p == 0.85f && options.top_k == 0);
    assert_true(options.seed == 12 && options.repeat_penalty == 1.5f);
}

static void logit_bias_is_read(void **state)
{
    struct den_worker_request request = den_worker_request_defaults();
    json_t *bias = json_pack("{s:i, s:f}", "0", -100, "999", 2.5);
    struct den_sampler_options options;

    request.logit_bias = bias;
    options = convert(&request);
    assert_int_equal(options.logit_bias_count, 2);
    assert_int_equal(options.logit_bias[0].token + options.logit_bias[1].token, 999);
    assert_true(options.logit_bias[0].bias + options.logit_bias[1].bias == -97.5f);
    free((void *)options.logit_bias);
    json_decref(bias);
}

static void wrong_bias_is_named(void **state)
{
    static const char *const cases[] = { "{\"1000\":1}",
                                         "{\"-1\":1}",
                                         "{\"a\":1}",
                                         "{\"\":1}",
                                         "{\"1 \":1}",
                                         "{\"1\":\"x\"}",
                                         "{\"1\":101}",
                                         "{\"99999999999999999999\":1}",
                                         "[]" };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_worker_request request = den_worker_request_defaults();
        json_t *bias = json_loads(cases[i], 0, NULL);
        struct den_sampler_options options;
        struct den_error err = { 0 };

        request.logit_bias = bias;
        assert_int_equal(den_worker_sampler(&request, 1000, &options, &err), DEN_INVALID);
        assert_int_equal(strncmp(err.message, "'logit_bias'", 12), 0);
        json_decref(bias);
    }
}

static void wrong_requests_are_named(void **state)
{
    static char huge[DEN_STOP_STRING_BYTES_MAX + 2];
    const char *stops[] = { "x", "", huge };
    const char *begins[] = { "a request", "'max_tokens'", "'top_logprobs'", "'stop'", "'stop'" };
    size_t i;

    memset(huge, 'x', sizeof huge - 1);
    for (i = 0; i < 5; i++) {
        struct den_worker_request request = den_worker_request_defaults();
        struct den_error err = { 0 };

        request.prompt = i == 0 ? NULL : "hello";
        assert_true(i == 0 || den_worker_check(&request, &err) == DEN_OK);
        request.max_tokens = i == 1 ? 0 : -1;
        request.logprobs = i == 2 ? 21 : -1;
        request.stops = stops + (i == 4 ? 2 : 0);
        request.stop_count = i == 3 ? 2 : i == 4 ? 1 : 0;
        assert_int_equal(den_worker_check(&request, &err), DEN_INVALID);
        assert_int_equal(strncmp(err.message, begins[i], strlen(begins[i])), 0);
    }
}

static void wrong_numbers_are_named(void **state)
{
    struct den_worker_request request = den_worker_request_defaults();
    struct den_sampler_options options;
    struct den_error err = { 0 };

    request.top_p = 1.5;
    assert_int_equal(den_worker_sampler(&request, 1000, &options, &err), DEN_INVALID);
    assert_int_equal(strncmp(err.message, "'top_p'", 7), 0);
    request = den_worker_request_defaults();
    request.preset = "loud";
    assert_int_equal(den_worker_sampler(&request, 1000, &options, &err), DEN_INVALID);
    request = den_worker_request_defaults();
    request.top_k = -2;
    assert_int_equal(den_worker_sampler(&request, 1000, &options, &err), DEN_INVALID);
}

int worker_test_worker_request(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_means_the_defaults),
        cmocka_unit_test(fields_override_the_preset),
        cmocka_unit_test(logit_bias_is_read),
        cmocka_unit_test(wrong_bias_is_named),
        cmocka_unit_test(wrong_requests_are_named),
        cmocka_unit_test(wrong_numbers_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
