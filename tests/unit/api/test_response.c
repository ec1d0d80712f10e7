/* Items to messages: one turn of the assistant is several items and becomes one message. */
#include "test.h"

#include <string.h>

#include "api/response_state.h"

/* `wanted` NULL: refused. */
static void check(const char *input, const char *wanted)
{
    struct den_error err = { 0 };
    json_t *items = NULL, *messages = NULL, *expected;
    json_t *given = json_loads(input, JSON_DECODE_ANY, NULL);

    assert_non_null(given);
    assert_int_equal(den_response_items_read(given, &items, &err), DEN_OK);
    if (!wanted) {
        assert_int_equal(den_response_messages(items, NULL, &messages, &err), DEN_INVALID);
    } else {
        assert_int_equal(den_response_messages(items, NULL, &messages, &err), DEN_OK);
        expected = json_loads(wanted, 0, NULL);
        if (!json_equal(messages, expected))
            fail_msg("%s became %s", input, json_dumps(messages, JSON_COMPACT));
        json_decref(expected);
    }
    json_decref(messages);
    json_decref(items);
    json_decref(given);
}

#define CALL(id)                                                                                   \
    "{\"type\":\"function_call\",\"call_id\":\"" id "\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define TOOL(id)                                                                                   \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"

static void items_become_messages(void **state)
{
    check("\"hi\"", "[{\"role\":\"user\",\"content\":\"hi\"}]");
    check("[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"},"
          "{\"type\":\"input_text\",\"text\":\"b\"}]}]",
          "[{\"role\":\"user\",\"content\":\"a\\nb\"}]");
    check("[" CALL("1") "," CALL("2") ",{\"type\":\"function_call_output\",\"call_id\":\"1\","
                                      "\"output\":[{\"type\":\"input_text\",\"text\":\"x\"}]}]",
          "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" TOOL("1") "," TOOL(
              "2") "]},{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"x\"}]");
    check("[{\"type\":\"reasoning\",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"hm\"}]},"
          "{\"role\":\"assistant\",\"content\":\"yes\"}," CALL("1") "]",
          "[{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"content\":\"yes\","
          "\"tool_calls\":[" TOOL("1") "]}]");
    check("[{\"type\":\"reasoning\",\"summary\":[]},{\"role\":\"user\",\"content\":\"q\"}]",
          "[{\"role\":\"user\",\"content\":\"q\"}]");
    check(
        "[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]",
        "[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]");
    check("[]", NULL);
}

static void ids_are_kept_or_made(void **state)
{
    struct den_error err = { 0 };
    json_t *given = json_loads(
        "[{\"id\":\"mine\",\"role\":\"user\",\"content\":\"a\"}," CALL("1") "]", 0, NULL);
    json_t *items = NULL;

    assert_int_equal(den_response_items_read(given, &items, &err), DEN_OK);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "id")), "mine");
    assert_int_equal(
        strncmp(json_string_value(json_object_get(json_array_get(items, 1), "id")), "fc_", 3), 0);
    assert_null(
        json_object_get(json_array_get(given, 1), "id")); /* the client's own is as it was */
    json_decref(items);
    json_decref(given);
}

int api_test_response(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_become_messages),
        cmocka_unit_test(ids_are_kept_or_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
