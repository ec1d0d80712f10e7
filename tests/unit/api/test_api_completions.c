/* Plain completions: prompts in each of their shapes, answers in the older shape. */
#include "test.h"

#include "http_client.h"

#define COMPLETE "POST /v1/completions HTTP/1.1"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void prompts_in_all_shapes(void **state)
{
    static const struct {
        const char *prompt, *seen;
        size_t answers;
    } cases[] = {
        { "\"hi\"", "\"prompt\":\"hi\"", 1 },
        { "[\"a\",\"b\",\"c\"]", "\"prompt\":\"c\"", 3 },
        { "[1,2,3]", "\"prompt_tokens\":[1,2,3]", 1 },
        { "[[1,2],[3]]", "\"prompt_tokens\":[3]", 2 },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[200];
        json_t *answer;

        snprintf(body, sizeof body, "{\"prompt\":%s,\"max_tokens\":2,\"n\":2}", cases[i].prompt);
        answer = ask_json(port_of(state), COMPLETE, body, 200);
        assert_string_equal(text_at(answer, "object"), "text_completion");
        assert_int_equal(json_array_size(get(answer, "choices")), 2 * cases[i].answers);
        assert_string_equal(text_at(answer, "choices.1.text"), "word word ");
        assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens")),
                         20 * cases[i].answers);
        assert_non_null(strstr(fake_seen, cases[i].seen));
        json_decref(answer);
    }
}

static void answers_end_after_16_tokens(void **state)
{
    json_t *answer = ask_json(port_of(state), COMPLETE, "{\"prompt\":\"hi\"}", 200);

    assert_int_equal(json_integer_value(get(answer, "usage.completion_tokens")), 16);
    assert_string_equal(text_at(answer, "choices.0.finish_reason"), "length");
    json_decref(answer);
}

static void the_prompt_is_echoed(void **state)
{
    json_t *answer = ask_json(port_of(state), COMPLETE,
                              "{\"prompt\":[72,105],\"echo\":true,\"max_tokens\":1}", 200);
    json_t *events;

    assert_string_equal(text_at(answer, "choices.0.text"), "Hiword ");
    json_decref(answer);
    events = ask_events(port_of(state), COMPLETE,
                        "{\"prompt\":\"Hi\",\"echo\":true,\"max_tokens\":1,\"stream\":true,"
                        "\"stream_options\":{\"include_usage\":true}}");
    assert_int_equal(json_array_size(events), 5);
    assert_string_equal(text_at(events, "0.choices.0.text"), "Hi");
    assert_string_equal(text_at(events, "1.choices.0.text"), "word ");
    assert_true(json_is_null(get(events, "1.usage")));
    assert_string_equal(text_at(events, "2.choices.0.finish_reason"), "length");
    assert_int_equal(json_integer_value(get(events, "3.usage.total_tokens")), 21);
    assert_true(json_is_true(get(events, "4")));
    json_decref(events);
}

static void logprobs_are_lists(void **state)
{
    json_t *answer = ask_json(port_of(state), COMPLETE,
                              "{\"prompt\":\"hi\",\"logprobs\":2,\"max_tokens\":3}", 200);
    json_t *logprobs = get(answer, "choices.0.logprobs");

    assert_int_equal(json_array_size(get(logprobs, "tokens")), 3);
    assert_true(json_real_value(get(logprobs, "token_logprobs.2")) == -0.5);
    assert_true(json_real_value(get(logprobs, "top_logprobs.0.x")) == -9999.0);
    assert_int_equal(json_integer_value(get(logprobs, "text_offset.2")), 4); /* "w\uFFFD" twice */
    json_decref(answer);
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "{}", "\"param\":\"prompt\"" },
        { "{\"prompt\":[]}", "\"param\":\"prompt\"" },
        { "{\"prompt\":5}", "\"param\":\"prompt\"" },
        { "{\"prompt\":[1,\"a\"]}", "\"param\":\"prompt\"" },
        { "{\"prompt\":[\"a\",5]}", "\"param\":\"prompt\"" },
        { "{\"prompt\":\"a\\u0000b\"}", "\"param\":\"prompt\"" },
        { "{\"prompt\":\"a\",\"suffix\":\"b\"}", "\"param\":\"suffix\"" },
        { "{\"prompt\":\"a\",\"best_of\":3}", "\"param\":\"best_of\"" },
        { "{\"prompt\":\"a\",\"logprobs\":true}", "\"param\":\"logprobs\"" },
        { "{\"prompt\":\"a\",\"logprobs\":1,\"echo\":true}", "\"param\":\"echo\"" },
        { "{\"prompt\":\"a\",\"n\":99}", "\"param\":\"n\"" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        http_expect(port_of(state), COMPLETE, cases[i][0], 400, cases[i][1]);
    http_expect(port_of(state), COMPLETE, "{\"prompt\":\"a\",\"model\":\"gpt\"}", 404,
                "model_not_found");
    http_expect(port_of(state), COMPLETE, "{\"prompt\":\"error\"}", 500, "the fake broke");
}

int api_test_api_completions(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_in_all_shapes),  cmocka_unit_test(answers_end_after_16_tokens),
        cmocka_unit_test(the_prompt_is_echoed),   cmocka_unit_test(logprobs_are_lists),
        cmocka_unit_test(wrong_fields_are_named),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
