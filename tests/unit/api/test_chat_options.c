/* Each field of a chat request: what it becomes, and which error names it when it is wrong. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "api/openai.h"
#include "decode_chat.h"
#include "http_client.h"

static void fields_arrive(void **state)
{
    struct den_call_options options;
    struct den_error err;
    struct den_openai_state *openai;

    assert_int_equal(
        decode("{\"model\":\"fake\",\"temperature\":0,\"top_p\":0.5,\"top_k\":7,\"min_p\":"
               "0.25,\"typical_p\":0.75,\"repeat_penalty\":1.5,\"frequency_penalty\":-1,"
               "\"presence_penalty\":2,\"max_tokens\":5,\"max_completion_tokens\":6,"
               "\"seed\":-3,\"n\":2,\"stop\":[\"a\",\"b\"],\"logprobs\":true,"
               "\"top_logprobs\":4,\"preset\":\"factual\",\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true},\"user\":\"me\",\"store\":"
               "false,\"metadata\":{},\"response_format\":{\"type\":\"text\"},"
               "\"logit_bias\":{\"5\":1},\"tools\":[{\"type\":\"function\","
               "\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"none\"}",
               &options, &err),
        DEN_OK);
    assert_true(options.request.temperature == 0 && options.request.top_p == 0.5);
    assert_true(options.request.min_p == 0.25 && options.request.typical_p == 0.75);
    assert_true(options.request.repeat_penalty == 1.5 && options.request.frequency_penalty == -1);
    assert_true(options.request.presence_penalty == 2 && options.request.top_k == 7);
    assert_true(options.request.max_tokens == 6 && options.count == 2 && options.request.seed >= 0);
    assert_int_equal(options.request.stop_count, 2);
    assert_string_equal(options.stops[1], "b");
    assert_int_equal(options.request.logprobs, 4);
    assert_string_equal(options.request.preset, "factual");
    openai = options.state;
    assert_true(options.stream && openai->include_usage && !openai->wants_measures);
    assert_null(options.request.tools);
    assert_non_null(options.request.logit_bias);
    den_call_options_deinit(&options);
}

static void nulls_and_absence_mean_defaults(void **state)
{
    struct den_call_options options;
    struct den_error err;
    struct den_openai_state *openai;

    assert_int_equal(
        decode("{\"model\":null,\"temperature\":null,\"max_tokens\":null,\"seed\":null,"
               "\"n\":null,\"stop\":null,\"logprobs\":null,\"stream\":null,\"den\":null,"
               "\"stream_options\":null,\"logit_bias\":null,\"tools\":null}",
               &options, &err),
        DEN_OK);
    assert_true(isnan(options.request.temperature) && isnan(options.request.top_p));
    assert_true(options.request.max_tokens == -1 && options.request.seed == -1 &&
                options.count == 1);
    assert_true(options.request.logprobs == -1 && !options.stream);
    openai = options.state;
    assert_false(openai->wants_measures || openai->include_usage);
    assert_null(options.model);
    den_call_options_deinit(&options);
}

static const struct {
    const char *body, *param;
    enum den_status status;
} wrong[] = {
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
    { "{\"stream\":true,\"stream_options\":{\"include_usage\":1}}", "include_usage", DEN_INVALID },
    { "{\"den\":1}", "den", DEN_INVALID },
    { "{\"den\":{\"progress\":1}}", "progress", DEN_INVALID },
    { "{\"preset\":1}", "preset", DEN_INVALID },
    { "{\"logit_bias\":[]}", "logit_bias", DEN_INVALID },
    { "{\"tools\":{}}", "tools", DEN_INVALID },
    { "{\"tools\":[{}]}", "tools[0].type", DEN_INVALID },
    { "{\"tools\":[{\"type\":\"custom\"}]}", "tools[0].type", DEN_UNSUPPORTED },
    { "{\"tools\":[{\"type\":\"function\"}]}", "tools[0].function", DEN_INVALID },
    { "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]}",
      "tools[0].function.name", DEN_INVALID },
    { "{\"tool_choice\":\"required\"}", "tool_choice", DEN_INVALID },
    { "{\"tool_choice\":\"always\"}", "tool_choice", DEN_INVALID },
    { "{\"tool_choice\":{}}", "tool_choice", DEN_INVALID },
    { "{\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}", "tool_choice",
      DEN_INVALID },
    { "{\"functions\":1}", "functions", DEN_INVALID },
    { "{\"parallel_tool_calls\":1}", "parallel_tool_calls", DEN_INVALID },
    { "{\"response_format\":{\"type\":\"json_schema\"}}", "response_format", DEN_INVALID },
    { "{\"response_format\":{\"type\":\"xml\"}}", "response_format", DEN_INVALID },
    { "{\"reasoning_effort\":\"extreme\"}", "reasoning_effort", DEN_INVALID },
    { "{\"chat_template_kwargs\":1}", "chat_template_kwargs", DEN_INVALID },
    { "{\"grammar\":1}", "grammar", DEN_INVALID },
    { "{\"grammar\":\"x\",\"response_format\":{\"type\":\"json_object\"}}", "grammar",
      DEN_INVALID },
    { "{\"audio\":{}}", "audio", DEN_UNSUPPORTED },
    { "{\"web_search_options\":{}}", "web_search_options", DEN_UNSUPPORTED },
    { "{\"modalities\":[\"text\",\"audio\"]}", "modalities", DEN_UNSUPPORTED },
    { "{\"stop\":\"\"}", "stop", DEN_INVALID },
    { "{\"messages\":null}", "messages", DEN_INVALID },
    { "{\"response_format\":\"text\"}", "response_format", DEN_INVALID },
};

static void wrong_fields_are_named(void **state)
{
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct den_call_options options;
        struct den_error err;
        json_t *error;
        enum den_status status = decode(wrong[i].body, &options, &err);
        const char *param;

        error = den_error_json(&err, NULL);
        param = json_string_value(json_object_get(json_object_get(error, "error"), "param"));
        if (status != wrong[i].status || !param || strcmp(param, wrong[i].param) != 0)
            fail_msg("%s: status %d, param %s, '%s'", wrong[i].body, status, param, err.message);
        json_decref(error);
        den_call_options_deinit(&options);
    }
}

static void a_flexible_request_lets_others_pass(void **state)
{
    struct den_call_options options;
    struct den_error err;

    assert_int_equal(decode("{\"service_tier\":\"flex\"}", &options, &err), DEN_OK);
    assert_true(options.request.batch);
    den_call_options_deinit(&options);
    assert_int_equal(decode("{\"service_tier\":\"auto\"}", &options, &err), DEN_OK);
    assert_false(options.request.batch);
    den_call_options_deinit(&options);
    assert_int_equal(decode("{\"service_tier\":7}", &options, &err), DEN_INVALID);
    den_call_options_deinit(&options);
}

int api_test_chat_options(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(nulls_and_absence_mean_defaults),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(a_flexible_request_lets_others_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
