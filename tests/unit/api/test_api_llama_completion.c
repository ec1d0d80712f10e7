/* llama-server's /completion, whole and as a stream, and how its fields reach the worker. */
#include "test.h"

#include "http_client.h"

#define COMPLETE "POST /completion HTTP/1.1"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void answers_whole(void **state)
{
    json_t *answer = ask_json(port_of(state), COMPLETE, "{\"prompt\":\"Go\",\"n_predict\":3}", 200);

    assert_string_equal(text_at(answer, "content"), "word word word ");
    assert_true(json_is_true(get(answer, "stop")));
    assert_string_equal(text_at(answer, "stop_type"), "limit");
    assert_string_equal(text_at(answer, "model"), "fake");
    assert_int_equal(json_integer_value(get(answer, "tokens_predicted")), 3);
    assert_int_equal(json_integer_value(get(answer, "tokens_evaluated")), 20);
    assert_int_equal(json_integer_value(get(answer, "timings.prompt_n")), 15);
    assert_true(json_real_value(get(answer, "timings.predicted_per_second")) == 12);
    json_decref(answer);
    answer =
        ask_json(port_of(state), COMPLETE, "{\"prompt\":[1,2],\"n_predict\":1,\"n_probs\":2}", 200);
    assert_int_equal(json_array_size(get(answer, "completion_probabilities")), 1);
    json_decref(answer);
    assert_non_null(strstr(fake_seen, "\"prompt_tokens\":[1,2]"));
}

static void streams_objects_without_done(void **state)
{
    json_t *events =
        ask_events(port_of(state), COMPLETE, "{\"prompt\":\"Go\",\"n_predict\":2,\"stream\":true}");

    assert_int_equal(json_array_size(events), 3);
    assert_string_equal(text_at(events, "0.content"), "word ");
    assert_true(json_is_false(get(events, "0.stop")));
    assert_true(json_is_true(get(events, "2.stop")));
    assert_string_equal(text_at(events, "2.content"), "");
    json_decref(events);
    events = ask_events(port_of(state), COMPLETE, "{\"prompt\":\"error\",\"stream\":true}");
    assert_int_equal(json_integer_value(get(events, "0.error.code")), 500);
    json_decref(events);
}

static void fields_reach_the_worker(void **state)
{
    json_t *answer = ask_json(port_of(state), COMPLETE,
                              "{\"prompt\":\"Go\",\"n_predict\":-1,\"json_schema\":{\"type\":"
                              "\"object\"},\"grammar\":\"\",\"ignore_eos\":true}",
                              200);

    json_decref(answer);
    assert_non_null(strstr(fake_seen, "\"schema\":{\"type\":\"object\"}"));
    assert_non_null(strstr(fake_seen, "\"ignore_end\":true"));
    assert_non_null(strstr(fake_seen, "\"max_tokens\":-1"));
    assert_null(strstr(fake_seen, "\"grammar\""));
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "{}", "'prompt'" },
        { "{\"prompt\":[]}", "'prompt'" },
        { "{\"prompt\":[\"a\",1]}", "'prompt'" },
        { "{\"prompt\":\"a\",\"n_predict\":0}", "'n_predict'" },
        { "{\"prompt\":\"a\",\"temperature\":\"hot\"}", "temperature" },
        { "{\"prompt\":\"a\",\"json_schema\":{},\"grammar\":\"root ::= [a]\"}", "'grammar'" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        http_expect(port_of(state), COMPLETE, cases[i][0], 400, cases[i][1]);
    http_expect(port_of(state), COMPLETE, "{\"prompt\":\"busy\"}", 429, "unavailable_error");
    http_expect(port_of(state), COMPLETE, "{\"prompt\":\"context\"}", 400,
                "exceed_context_size_error");
}

int api_test_api_llama_completion(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_whole),
        cmocka_unit_test(streams_objects_without_done),
        cmocka_unit_test(fields_reach_the_worker),
        cmocka_unit_test(wrong_fields_are_named),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
