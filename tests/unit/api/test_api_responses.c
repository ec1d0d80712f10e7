/* Responses: the object, its events in their order, going on from one that was kept, and the items
 * that conversations are made of. */
#include "test.h"

#include "http_client.h"

#define RESPOND "POST /v1/responses HTTP/1.1"
#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"name\":\"weather\",\"parameters\":{\"type\":\"object\"}," \
    "\"strict\":true}]"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void whole_response(void **state)
{
    json_t *answer = ask_json(port_of(state), RESPOND,
                              "{\"input\":\"hi\",\"instructions\":\"Be brief.\",\"metadata\":"
                              "{\"a\":\"b\"}}",
                              200);

    assert_string_equal(text_at(answer, "object"), "response");
    assert_int_equal(strncmp(text_at(answer, "id"), "resp_", 5), 0);
    assert_string_equal(text_at(answer, "status"), "incomplete"); /* the fake ends with "length" */
    assert_string_equal(text_at(answer, "incomplete_details.reason"), "max_output_tokens");
    assert_string_equal(text_at(answer, "output.0.type"), "message");
    assert_string_equal(text_at(answer, "output.0.content.0.text"), "word word word word ");
    assert_int_equal(json_integer_value(get(answer, "usage.input_tokens")), 20);
    assert_int_equal(json_integer_value(get(answer, "usage.total_tokens")), 24);
    assert_string_equal(text_at(answer, "metadata.a"), "b");
    assert_string_equal(text_at(answer, "text.format.type"), "text");
    assert_non_null(strstr(fake_seen, "[{\"content\":\"Be brief.\",\"role\":\"system\"},"
                                      "{\"content\":\"hi\",\"role\":\"user\"}]"));
    json_decref(answer);
}

static void events_in_their_order(void **state)
{
    static const char *const types[] = {
        "response.created",           "response.in_progress",
        "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.delta",
        "response.output_text.done",  "response.content_part.done",
        "response.output_item.done",  "response.incomplete"
    };
    json_t *events = ask_events(port_of(state), RESPOND,
                                "{\"input\":\"hi\",\"stream\":true,\"max_output_tokens\":2}");
    size_t i;

    assert_int_equal(json_array_size(events), sizeof types / sizeof types[0]);
    for (i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);

        assert_string_equal(text_at(event, "type"), types[i]);
        assert_int_equal(json_integer_value(get(event, "sequence_number")), i);
    }
    assert_string_equal(text_at(events, "4.item_id"), text_at(events, "2.item.id"));
    assert_string_equal(text_at(events, "6.text"), "word word ");
    assert_string_equal(text_at(events, "9.response.output.0.content.0.text"), "word word ");
    assert_string_equal(text_at(events, "0.response.status"), "in_progress");
    json_decref(events);
}

static void reasoning_and_calls_are_items(void **state)
{
    json_t *answer =
        ask_json(port_of(state), RESPOND, "{\"input\":\"think\",\"max_output_tokens\":1}", 200);
    json_t *events;

    assert_string_equal(text_at(answer, "output.0.type"), "reasoning");
    assert_string_equal(text_at(answer, "output.0.content.0.text"), "Hm, well.");
    assert_string_equal(text_at(answer, "output.1.type"), "message");
    json_decref(answer);
    answer = ask_json(port_of(state), RESPOND, "{\"input\":\"calls\"," TOOLS "}", 200);
    assert_string_equal(text_at(answer, "status"), "completed");
    assert_int_equal(json_array_size(get(answer, "output")), 2);
    assert_string_equal(text_at(answer, "output.1.type"), "function_call");
    assert_string_equal(text_at(answer, "output.1.call_id"), "call_b");
    assert_string_equal(text_at(answer, "output.1.arguments"), "{\"city\":\"Paris\"}");
    assert_string_equal(text_at(answer, "tools.0.name"), "weather");
    assert_non_null(strstr(fake_seen, "\"function\":{\"name\":\"weather\""));
    json_decref(answer);
    events = ask_events(port_of(state), RESPOND, "{\"input\":\"call\",\"stream\":true," TOOLS "}");
    assert_string_equal(text_at(events, "2.item.type"), "function_call");
    assert_string_equal(text_at(events, "3.type"), "response.function_call_arguments.delta");
    assert_string_equal(text_at(events, "5.type"), "response.function_call_arguments.done");
    assert_string_equal(text_at(events, "5.arguments"), "{\"city\":\"Paris\"}");
    assert_string_equal(text_at(events, "7.type"), "response.completed");
    json_decref(events);
}

static void conversations_go_on(void **state)
{
    uint16_t port = port_of(state);
    json_t *first = ask_json(port, RESPOND, "{\"input\":\"call\"," TOOLS "}", 200), *second;
    char body[400], head[200];

    snprintf(body, sizeof body,
             "{\"previous_response_id\":\"%s\",\"input\":[{\"type\":\"function_call_output\","
             "\"call_id\":\"call_a\",\"output\":\"rain\"}]}",
             text_at(first, "id"));
    second = ask_json(port, RESPOND, body, 200);
    assert_string_equal(text_at(second, "previous_response_id"), text_at(first, "id"));
    assert_non_null(strstr(fake_seen, "{\"content\":\"call\",\"role\":\"user\"}"));
    assert_non_null(strstr(fake_seen, "\"tool_calls\":[{"));
    assert_non_null(
        strstr(fake_seen, "{\"content\":\"rain\",\"role\":\"tool\",\"tool_call_id\":\"call_a\"}"));
    snprintf(head, sizeof head, "GET /v1/responses/%s HTTP/1.1", text_at(first, "id"));
    http_expect(port, head, NULL, 200, text_at(first, "output.0.id"));
    snprintf(head, sizeof head, "GET /v1/responses/%s/input_items HTTP/1.1", text_at(second, "id"));
    http_expect(port, head, NULL, 200, "\"output\":\"rain\"");
    snprintf(head, sizeof head, "DELETE /v1/responses/%s HTTP/1.1", text_at(first, "id"));
    http_expect(port, head, NULL, 200, "\"deleted\":true");
    http_expect(port, head, NULL, 404, "not_found");
    http_expect(port, RESPOND, body, 400, "previous_response_not_found");
    snprintf(body, sizeof body, "{\"previous_response_id\":\"%s\",\"input\":\"hi\"}",
             text_at(second, "id")); /* goes on although its own first is gone */
    json_decref(ask_json(port, RESPOND, body, 200));
    assert_non_null(strstr(fake_seen, "rain"));
    json_decref(first);
    json_decref(second);
}

static void some_are_not_kept(void **state)
{
    uint16_t port = port_of(state);
    json_t *answer = ask_json(port, RESPOND, "{\"input\":\"hi\",\"store\":false}", 200);
    char head[200];

    snprintf(head, sizeof head, "GET /v1/responses/%s HTTP/1.1", text_at(answer, "id"));
    http_expect(port, head, NULL, 404, "not_found");
    json_decref(answer);
}

static void input_items_come_in_pages(void **state)
{
    uint16_t port = port_of(state);
    json_t *answer = ask_json(port, RESPOND,
                              "{\"input\":[{\"role\":\"user\",\"content\":\"one\"},{\"role\":"
                              "\"assistant\",\"content\":\"two\"},{\"role\":\"user\",\"content\":"
                              "[{\"type\":\"input_text\",\"text\":\"three\"}]}]}",
                              200);
    json_t *page, *rest;
    char head[300];

    snprintf(head, sizeof head, "GET /v1/responses/%s/input_items?order=asc&limit=2 HTTP/1.1",
             text_at(answer, "id"));
    page = ask_json(port, head, NULL, 200);
    assert_int_equal(json_array_size(get(page, "data")), 2);
    assert_true(json_is_true(get(page, "has_more")));
    snprintf(head, sizeof head, "GET /v1/responses/%s/input_items?order=asc&after=%s HTTP/1.1",
             text_at(answer, "id"), text_at(page, "last_id"));
    rest = ask_json(port, head, NULL, 200);
    assert_int_equal(json_array_size(get(rest, "data")), 1);
    assert_string_equal(text_at(rest, "data.0.content.0.text"), "three");
    assert_true(json_is_false(get(rest, "has_more")));
    json_decref(answer);
    json_decref(page);
    json_decref(rest);
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "{}", "\"param\":\"input\"" },
        { "{\"input\":5}", "\"param\":\"input\"" },
        { "{\"input\":[5]}", "\"param\":\"input[0].type\"" },
        { "{\"input\":[{\"role\":\"king\",\"content\":\"a\"}]}", "\"param\":\"input[0].role\"" },
        { "{\"input\":[{\"role\":\"user\"}]}", "\"param\":\"input[0].content\"" },
        { "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]}",
          "\"param\":\"input[0].content[0].type\"" },
        { "{\"input\":[{\"type\":\"function_call\"}]}", "\"param\":\"input[0].call_id\"" },
        { "{\"input\":[{\"type\":\"computer_call\"}]}", "\"param\":\"input[0].type\"" },
        { "{\"input\":\"a\",\"background\":true}", "\"param\":\"background\"" },
        { "{\"input\":\"a\",\"conversation\":\"c\"}", "\"param\":\"conversation\"" },
        { "{\"input\":\"a\",\"truncation\":\"some\"}", "\"param\":\"truncation\"" },
        { "{\"input\":\"a\",\"temperature\":9}", "\"param\":\"temperature\"" },
        { "{\"input\":\"a\",\"tools\":[{\"type\":\"web_search\"}]}",
          "\"param\":\"tools[0].type\"" },
        { "{\"input\":\"a\",\"text\":{\"format\":{\"type\":\"xml\"}}}",
          "\"param\":\"text.format\"" },
        { "{\"input\":\"a\",\"include\":5}", "\"param\":\"include\"" },
        { "{\"input\":\"a\",\"previous_response_id\":\"resp_0\"}",
          "\"param\":\"previous_response_id\"" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        http_expect(port_of(state), RESPOND, cases[i][0], 400, cases[i][1]);
    http_expect(port_of(state), RESPOND, "{\"input\":\"error\"}", 500, "the fake broke");
}

static void a_stream_that_fails_says_so(void **state)
{
    json_t *events = ask_events(port_of(state), RESPOND, "{\"input\":\"error\",\"stream\":true}");
    size_t count = json_array_size(events);

    assert_string_equal(text_at(json_array_get(events, count - 1), "type"), "response.failed");
    assert_string_equal(text_at(json_array_get(events, count - 1), "response.error.message"),
                        "the fake broke");
    json_decref(events);
}

int api_test_api_responses(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_response),
        cmocka_unit_test(events_in_their_order),
        cmocka_unit_test(reasoning_and_calls_are_items),
        cmocka_unit_test(conversations_go_on),
        cmocka_unit_test(some_are_not_kept),
        cmocka_unit_test(input_items_come_in_pages),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(a_stream_that_fails_says_so),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
