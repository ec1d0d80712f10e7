/* Chat completions as a client sees them, answered by the fake worker: api_chat.c,
 * openai_fields.c and call_http.c. */
#include "test.h"

#include "http_client.h"

#include "base/json.h"

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static json_t *ask(uint16_t port, const char *body)
{
    return ask_json(port, CHAT, body, 200);
}

static json_t *ask_stream(uint16_t port, const char *body)
{
    return ask_events(port, CHAT, body);
}

static void whole_answer(void **state)
{
    json_t *answer = ask(((struct fixture *)*state)->port, "{\"model\":\"fake\"," HI "}");

    assert_string_equal(json_string_value(get(answer, "object")), "chat.completion");
    assert_string_equal(json_string_value(get(answer, "model")), "fake");
    assert_int_equal(strncmp(json_string_value(get(answer, "id")), "chatcmpl-", 9), 0);
    assert_string_equal(json_string_value(get(answer, "choices.0.message.role")), "assistant");
    assert_string_equal(json_string_value(get(answer, "choices.0.message.content")),
                        "word word word word ");
    assert_string_equal(json_string_value(get(answer, "choices.0.finish_reason")), "length");
    assert_true(json_is_null(get(answer, "choices.0.logprobs")));
    assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens")), 20);
    assert_int_equal(json_integer_value(get(answer, "usage.completion_tokens")), 4);
    assert_int_equal(json_integer_value(get(answer, "usage.total_tokens")), 24);
    assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens_details.cached_tokens")),
                     5);
    assert_null(json_object_get(answer, "den"));
    json_decref(answer);
}

static void several_answers(void **state)
{
    json_t *answer = ask(((struct fixture *)*state)->port,
                         "{" HI ",\"n\":3,\"max_tokens\":2,\"seed\":7,\"den\":{}}");

    assert_int_equal(json_array_size(get(answer, "choices")), 3);
    assert_int_equal(json_integer_value(get(answer, "choices.2.index")), 2);
    assert_int_equal(json_integer_value(get(answer, "usage.completion_tokens")), 6);
    assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens")), 20);
    assert_int_equal(json_integer_value(get(answer, "den.seed")), 7);
    json_decref(answer);
}

static void logprobs_are_as_openai_has_them(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *answer = ask(port, "{" HI ",\"max_tokens\":2,\"logprobs\":true,\"top_logprobs\":2}");
    json_t *content = get(answer, "choices.0.logprobs.content");

    assert_int_equal(json_array_size(content), 2);
    assert_string_equal(json_string_value(get(content, "0.token")), "w\xEF\xBF\xBD");
    assert_int_equal(json_integer_value(get(content, "0.bytes.1")), 0xC3);
    assert_true(json_real_value(get(content, "0.logprob")) == -0.5);
    assert_int_equal(json_array_size(get(content, "0.top_logprobs")), 2);
    assert_true(json_real_value(get(content, "0.top_logprobs.1.logprob")) == -9999.0);
    json_decref(answer);
    answer = ask_stream(port, "{" HI ",\"max_tokens\":1,\"logprobs\":true,\"stream\":true}");
    assert_int_equal(json_array_size(get(answer, "1.choices.0.logprobs.content")), 1);
    assert_int_equal(json_array_size(get(answer, "1.choices.0.logprobs.content.0.top_logprobs")),
                     0);
    json_decref(answer);
}

static void streamed_answer(void **state)
{
    json_t *events =
        ask_stream(((struct fixture *)*state)->port, "{" HI ",\"stream\":true,\"max_tokens\":2}");

    assert_int_equal(json_array_size(events), 5);
    assert_string_equal(json_string_value(get(events, "0.object")), "chat.completion.chunk");
    assert_string_equal(json_string_value(get(events, "0.choices.0.delta.role")), "assistant");
    assert_string_equal(json_string_value(get(events, "0.choices.0.delta.content")), "");
    assert_string_equal(json_string_value(get(events, "1.choices.0.delta.content")), "word ");
    assert_true(json_is_null(get(events, "1.choices.0.finish_reason")));
    assert_int_equal(json_object_size(get(events, "3.choices.0.delta")), 0);
    assert_string_equal(json_string_value(get(events, "3.choices.0.finish_reason")), "length");
    assert_true(json_is_true(get(events, "4")));
    assert_null(json_object_get(get(events, "0"), "usage"));
    assert_string_equal(json_string_value(get(events, "0.id")),
                        json_string_value(get(events, "3.id")));
    json_decref(events);
}

static void stream_with_usage_and_progress(void **state)
{
    json_t *events = ask_stream(((struct fixture *)*state)->port,
                                "{" HI ",\"stream\":true,\"max_tokens\":1,\"stream_options\":"
                                "{\"include_usage\":true},\"den\":{\"progress\":true}}");

    assert_int_equal(json_array_size(events), 8);
    assert_int_equal(json_integer_value(get(events, "2.den.prompt_done")), 10);
    assert_int_equal(json_integer_value(get(events, "2.den.prompt_total")), 20);
    assert_true(json_is_null(get(events, "4.usage")));
    assert_true(json_real_value(get(events, "5.den.tokens_per_s")) == 4.0);
    assert_int_equal(json_integer_value(get(events, "5.den.context_tokens")), 4096);
    assert_int_equal(json_array_size(get(events, "6.choices")), 0);
    assert_int_equal(json_integer_value(get(events, "6.usage.total_tokens")), 21);
    assert_true(json_is_true(get(events, "7")));
    json_decref(events);
}

static void streams_of_several_answers(void **state)
{
    json_t *events = ask_stream(((struct fixture *)*state)->port,
                                "{" HI ",\"stream\":true,\"max_tokens\":3,\"n\":4}");
    size_t texts[4] = { 0 }, ends[4] = { 0 }, i;

    for (i = 0; i + 1 < json_array_size(events); i++) {
        const json_t *choice = get(json_array_get(events, i), "choices.0");
        json_int_t index = json_integer_value(get(choice, "index"));

        assert_in_range(index, 0, 3);
        texts[index] += json_string_length(json_object_get(get(choice, "delta"), "content"));
        ends[index] += json_is_string(get(choice, "finish_reason"));
    }
    for (i = 0; i < 4; i++)
        assert_true(texts[i] == 15 && ends[i] == 1);
    assert_true(json_is_true(json_array_get(events, json_array_size(events) - 1)));
    json_decref(events);
}

static void failures_have_their_status(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *events;

    http_expect(port, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"busy\"}]}", 429,
                "Retry-After: 1");
    http_expect(port, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"context\"}]}", 400,
                "\"code\":\"context_length_exceeded\"");
    http_expect(port, CHAT,
                "{\"messages\":[{\"role\":\"user\",\"content\":\"context\"}],\"stream\":true}", 400,
                "\"code\":\"context_length_exceeded\"");
    http_expect(port, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"error\"}]}", 500,
                "the fake broke");
    http_expect(port, CHAT, "{\"model\":\"gpt-4o\"," HI "}", 404, "model_not_found");
    events = ask_stream(
        port, "{\"messages\":[{\"role\":\"user\",\"content\":\"error\"}],\"stream\":true}");
    assert_string_equal(json_string_value(get(events, "1.error.message")), "the fake broke");
    json_decref(events);
}

#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":"         \
    "{\"type\":\"object\"}}}]"
#define SAY(text) "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]"

static void tool_calls_come_whole(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *answer = ask(port, "{" SAY("calls") "," TOOLS "}");

    assert_string_equal(text_at(answer, "choices.0.finish_reason"), "tool_calls");
    assert_true(json_is_null(get(answer, "choices.0.message.content")));
    assert_int_equal(json_array_size(get(answer, "choices.0.message.tool_calls")), 2);
    assert_string_equal(text_at(answer, "choices.0.message.tool_calls.1.id"), "call_b");
    assert_string_equal(text_at(answer, "choices.0.message.tool_calls.1.type"), "function");
    assert_string_equal(text_at(answer, "choices.0.message.tool_calls.1.function.name"), "weather");
    assert_string_equal(text_at(answer, "choices.0.message.tool_calls.1.function.arguments"),
                        "{\"city\":\"Paris\"}");
    json_decref(answer);
}

static void tool_calls_stream_as_openai_does(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *events = ask_stream(port, "{" SAY("calls") "," TOOLS ",\"stream\":true}");

    assert_int_equal(json_array_size(events), 9);
    assert_true(json_is_null(get(events, "0.choices.0.delta.content")));
    assert_int_equal(json_integer_value(get(events, "1.choices.0.delta.tool_calls.0.index")), 0);
    assert_string_equal(text_at(events, "1.choices.0.delta.tool_calls.0.id"), "call_a");
    assert_string_equal(text_at(events, "1.choices.0.delta.tool_calls.0.function.name"), "weather");
    assert_string_equal(text_at(events, "1.choices.0.delta.tool_calls.0.function.arguments"), "");
    assert_string_equal(text_at(events, "2.choices.0.delta.tool_calls.0.function.arguments"),
                        "{\"city\":");
    assert_null(json_object_get(get(events, "2.choices.0.delta.tool_calls.0"), "id"));
    assert_int_equal(json_integer_value(get(events, "6.choices.0.delta.tool_calls.0.index")), 1);
    assert_string_equal(text_at(events, "7.choices.0.finish_reason"), "tool_calls");
    json_decref(events);
}

static void functions_are_answered_as_functions(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    const char *body = "{" SAY("call") ",\"functions\":[{\"name\":\"weather\"}]}";
    json_t *answer = ask(port, body), *events;

    assert_string_equal(text_at(answer, "choices.0.finish_reason"), "function_call");
    assert_string_equal(text_at(answer, "choices.0.message.function_call.name"), "weather");
    assert_null(json_object_get(get(answer, "choices.0.message"), "tool_calls"));
    json_decref(answer);
    events = ask_stream(port,
                        "{" SAY("call") ",\"functions\":[{\"name\":\"weather\"}],\"stream\":true}");
    assert_string_equal(text_at(events, "1.choices.0.delta.function_call.name"), "weather");
    assert_string_equal(text_at(events, "4.choices.0.finish_reason"), "function_call");
    json_decref(events);
}

static void reasoning_and_notes(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *answer = ask(port, "{" SAY("think") "}"), *events;

    assert_string_equal(text_at(answer, "choices.0.message.reasoning_content"), "Hm, well.");
    assert_int_equal(
        json_integer_value(get(answer, "usage.completion_tokens_details.reasoning_tokens")), 3);
    json_decref(answer);
    events = ask_stream(port, "{" SAY("think") ",\"stream\":true}");
    assert_string_equal(text_at(events, "1.choices.0.delta.reasoning_content"), "Hm, ");
    json_decref(events);
    answer = ask(port, "{" SAY("broken") "}");
    assert_string_equal(text_at(answer, "choices.0.den.note"), "the call has no name");
    assert_string_equal(text_at(answer, "choices.0.message.content"), "word word word word ");
    json_decref(answer);
    events = ask_stream(port, "{" SAY("broken") ",\"stream\":true,\"max_tokens\":1}");
    assert_string_equal(text_at(events, "2.choices.0.den.note"), "the call has no name");
    json_decref(events);
}

int api_test_api_chat(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answer),
        cmocka_unit_test(several_answers),
        cmocka_unit_test(logprobs_are_as_openai_has_them),
        cmocka_unit_test(streamed_answer),
        cmocka_unit_test(stream_with_usage_and_progress),
        cmocka_unit_test(streams_of_several_answers),
        cmocka_unit_test(failures_have_their_status),
        cmocka_unit_test(tool_calls_come_whole),
        cmocka_unit_test(tool_calls_stream_as_openai_does),
        cmocka_unit_test(functions_are_answered_as_functions),
        cmocka_unit_test(reasoning_and_notes),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
