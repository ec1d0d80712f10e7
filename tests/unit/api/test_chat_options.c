/* Each field of a chat request: what it becomes, and which error names it when it is wrong. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "api/chat_options.h"
#include "api/reply.h"
#include "fake_worker.h"

static struct den_desk *desk;
static struct den_worker worker;

static int open_desk(void **state)
{
    struct den_error err = { 0 };

    worker.info = fake_info;
    return den_desk_create(&worker, &desk, &err);
}

static int close_desk(void **state)
{
    den_desk_destroy(desk);
    return 0;
}

static enum den_status decode(const char *text, json_t **out_body, struct den_chat_options *out,
                              struct den_error *err)
{
    *out_body = json_loads(text, 0, NULL);
    assert_non_null(*out_body);
    *err = (struct den_error){ 0 };
    return den_chat_options_read(*out_body, desk, out, err);
}

static void fields_arrive(void **state)
{
    struct den_chat_options options;
    struct den_error err;
    json_t *body;

    assert_int_equal(
        decode("{\"model\":\"fake\",\"temperature\":0,\"top_p\":0.5,\"top_k\":7,\"min_p\":"
               "0.25,\"typical_p\":0.75,\"repeat_penalty\":1.5,\"frequency_penalty\":-1,"
               "\"presence_penalty\":2,\"max_tokens\":5,\"max_completion_tokens\":6,"
               "\"seed\":-3,\"n\":2,\"stop\":[\"a\",\"b\"],\"logprobs\":true,"
               "\"top_logprobs\":4,\"preset\":\"factual\",\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true},\"user\":\"me\",\"store\":"
               "false,\"metadata\":{},\"response_format\":{\"type\":\"text\"},"
               "\"logit_bias\":{\"5\":1},\"tools\":[{}],\"tool_choice\":\"none\"}",
               &body, &options, &err),
        DEN_OK);
    assert_true(options.request.temperature == 0 && options.request.top_p == 0.5);
    assert_true(options.request.min_p == 0.25 && options.request.typical_p == 0.75);
    assert_true(options.request.repeat_penalty == 1.5 && options.request.frequency_penalty == -1);
    assert_true(options.request.presence_penalty == 2 && options.request.top_k == 7);
    assert_true(options.request.max_tokens == 6 && options.count == 2 && options.seed >= 0);
    assert_int_equal(options.request.stop_count, 2);
    assert_string_equal(options.stops[1], "b");
    assert_int_equal(options.request.logprobs, 4);
    assert_string_equal(options.request.preset, "factual");
    assert_true(options.stream && options.include_usage && !options.wants_measures);
    assert_null(options.request.tools);
    assert_non_null(options.request.logit_bias);
    json_decref(body);
}

static void nulls_and_absence_mean_defaults(void **state)
{
    struct den_chat_options options;
    struct den_error err;
    json_t *body;

    assert_int_equal(
        decode("{\"model\":null,\"temperature\":null,\"max_tokens\":null,\"seed\":null,"
               "\"n\":null,\"stop\":null,\"logprobs\":null,\"stream\":null,\"den\":null,"
               "\"stream_options\":null,\"logit_bias\":null,\"tools\":null}",
               &body, &options, &err),
        DEN_OK);
    assert_true(isnan(options.request.temperature) && isnan(options.request.top_p));
    assert_true(options.request.max_tokens == -1 && options.seed == -1 && options.count == 1);
    assert_true(options.request.logprobs == -1 && !options.stream);
    assert_string_equal(options.model->name, "fake");
    json_decref(body);
}

static void wrong_fields_are_named(void **state)
{
    static const struct {
        const char *body, *param;
        enum den_status status;
    } cases[] = {
        { "{\"model\":1}", "model", DEN_INVALID },
        { "{\"temperature\":\"hot\"}", "temperature", DEN_INVALID },
        { "{\"temperature\":2.1}", "temperature", DEN_INVALID },
        { "{\"temperature\":-0.1}", "temperature", DEN_INVALID },
        { "{\"temperature\":true}", "temperature", DEN_INVALID },
        { "{\"top_p\":1.01}", "top_p", DEN_INVALID },
        { "{\"top_k\":1.5}", "top_k", DEN_INVALID },
        { "{\"min_p\":[]}", "min_p", DEN_INVALID },
        { "{\"frequency_penalty\":3}", "frequency_penalty", DEN_INVALID },
        { "{\"presence_penalty\":{}}", "presence_penalty", DEN_INVALID },
        { "{\"max_tokens\":0}", "max_tokens", DEN_INVALID },
        { "{\"max_tokens\":\"9\"}", "max_tokens", DEN_INVALID },
        { "{\"max_completion_tokens\":-1}", "max_completion_tokens", DEN_INVALID },
        { "{\"seed\":1.5}", "seed", DEN_INVALID },
        { "{\"n\":0}", "n", DEN_INVALID },
        { "{\"n\":17}", "n", DEN_INVALID },
        { "{\"stop\":5}", "stop", DEN_INVALID },
        { "{\"stop\":[\"a\",5]}", "stop", DEN_INVALID },
        { "{\"logprobs\":3}", "logprobs", DEN_INVALID },
        { "{\"top_logprobs\":3}", "top_logprobs", DEN_INVALID },
        { "{\"logprobs\":true,\"top_logprobs\":21}", "top_logprobs", DEN_INVALID },
        { "{\"stream\":\"yes\"}", "stream", DEN_INVALID },
        { "{\"stream_options\":{}}", "stream_options", DEN_INVALID },
        { "{\"stream\":true,\"stream_options\":[]}", "stream_options", DEN_INVALID },
        { "{\"stream\":true,\"stream_options\":{\"include_usage\":1}}", "include_usage",
          DEN_INVALID },
        { "{\"den\":1}", "den", DEN_INVALID },
        { "{\"den\":{\"progress\":1}}", "progress", DEN_INVALID },
        { "{\"preset\":1}", "preset", DEN_INVALID },
        { "{\"logit_bias\":[]}", "logit_bias", DEN_INVALID },
        { "{\"tools\":{}}", "tools", DEN_INVALID },
        { "{\"tool_choice\":\"required\"}", "tool_choice", DEN_UNSUPPORTED },
        { "{\"tool_choice\":{}}", "tool_choice", DEN_UNSUPPORTED },
        { "{\"response_format\":{\"type\":\"json_object\"}}", "response_format", DEN_UNSUPPORTED },
        { "{\"response_format\":\"text\"}", "response_format", DEN_INVALID },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_chat_options options;
        struct den_error err;
        json_t *body, *error;
        enum den_status status = decode(cases[i].body, &body, &options, &err);
        const char *param;

        error = den_error_json(&err, NULL);
        param = json_string_value(json_object_get(json_object_get(error, "error"), "param"));
        if (status != cases[i].status || !param || strcmp(param, cases[i].param) != 0)
            fail_msg("%s: status %d, param %s, '%s'", cases[i].body, status, param, err.message);
        json_decref(error);
        json_decref(body);
    }
}

static void unknown_models_are_told_apart(void **state)
{
    struct den_chat_options options;
    struct den_error err;
    json_t *body;

    assert_int_equal(decode("{\"model\":\"gpt-4o\"}", &body, &options, &err), DEN_NOT_FOUND);
    assert_string_equal(options.unknown_model, "gpt-4o");
    assert_non_null(strstr(err.message, "'fake'"));
    json_decref(body);
}

int api_test_chat_options(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(nulls_and_absence_mean_defaults),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(unknown_models_are_told_apart),
    };

    return cmocka_run_group_tests(tests, open_desk, close_desk);
}
