/* The checks of a client's messages: each fault is named by index and field. */
#include "template_fixtures.h"

#include "text/chat_messages.h"

static const struct den_chat_shape text_only = { .content = DEN_CHAT_CONTENT_TEXT };

static void good_ones_pass(void **state)
{
    static const char *const cases[] = {
        "[{\"role\":\"user\",\"content\":\"hi\"}]",
        "[{\"role\":\"system\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"hi\"},"
        "{\"role\":\"assistant\",\"content\":\"yes\"},{\"role\":\"user\",\"content\":\"?\"}]",
        "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
        "{\"type\":\"text\",\"text\":\"b\"}]}]",
        "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]},"
        "{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"x\"}]",
        "[{\"role\":\"user\",\"content\":\"hi\",\"name\":\"me\"}]",
        "[{\"role\":\"developer\",\"content\":\"be brief\"}]",
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *messages = json_loads(cases[i], 0, NULL);
        struct den_error err = { 0 };
        json_t *shaped = NULL;

        if (den_chat_messages_shape(messages, &text_only, &shaped, &err) != DEN_OK)
            fail_msg("%s: %s", cases[i], err.message);
        json_decref(shaped);
        json_decref(messages);
    }
}

static void names_index_and_field(void **state)
{
    static const struct {
        const char *messages;
        const char *begins;
        enum den_status status;
    } cases[] = {
        { "null", "'messages' is missing", DEN_INVALID },
        { "[]", "'messages' is empty", DEN_INVALID },
        { "{}", "'messages' must be a list", DEN_INVALID },
        { "[5]", "'messages[0]' must be an object", DEN_INVALID },
        { "[{\"content\":\"x\"}]", "'messages[0].role' is missing", DEN_INVALID },
        { "[{\"role\":5,\"content\":\"x\"}]", "'messages[0].role'", DEN_INVALID },
        { "[{\"role\":\"king\",\"content\":\"x\"}]", "'messages[0].role' is 'king'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\"}]", "'messages[1].content'",
          DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":null}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"assistant\",\"content\":null}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":5}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[5]}]", "'messages[0].content[0]'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[{}]}]", "'messages[0].content[0].type'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
          "'messages[0].content[0].type' is 'image_url'", DEN_UNSUPPORTED },
        { "[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
          "'messages[0].content[0].text'", DEN_INVALID },
        { "[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":5}]",
          "'messages[0].tool_calls'", DEN_INVALID },
        { "[{\"role\":\"assistant\",\"tool_calls\":[{}]}]",
          "'messages[0].tool_calls[0].function.name'", DEN_INVALID },
        { "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":5}}"
          "]}]",
          "'messages[0].tool_calls[0].function.arguments'", DEN_INVALID },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *messages = json_loads(cases[i].messages, JSON_DECODE_ANY, NULL);
        struct den_error err = { 0 };
        json_t *shaped = NULL;

        assert_int_equal(den_chat_messages_shape(messages, &text_only, &shaped, &err),
                         cases[i].status);
        if (strncmp(err.message, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("%s: %s", cases[i].messages, err.message);
        assert_null(shaped);
        json_decref(messages);
    }
}

static void leaves_the_original_alone(void **state)
{
    json_t *messages = json_loads("[{\"role\":\"developer\",\"content\":[{\"type\":\"text\","
                                  "\"text\":\"a\"}],\"reasoning\":\"r\"}]",
                                  0, NULL);
    json_t *before = json_deep_copy(messages);
    struct den_error err = { 0 };
    json_t *shaped = NULL;
    json_t *first;

    assert_int_equal(den_chat_messages_shape(messages, &text_only, &shaped, &err), DEN_OK);
    assert_true(json_equal(messages, before));
    first = json_array_get(shaped, 0);
    assert_string_equal(json_string_value(json_object_get(first, "content")), "a");
    assert_string_equal(json_string_value(json_object_get(first, "role")), "system");
    assert_string_equal(json_string_value(json_object_get(first, "reasoning_content")), "r");
    assert_string_equal(json_string_value(json_object_get(first, "thinking")), "r");
    json_decref(shaped);
    json_decref(before);
    json_decref(messages);
}

static void bounds_their_number(void **state)
{
    json_t *messages = json_array();
    json_t *message = json_pack("{s:s, s:s}", "role", "user", "content", "x");
    struct den_error err = { 0 };
    json_t *shaped = NULL;
    int i;

    for (i = 0; i <= DEN_MESSAGES_MAX; i++)
        json_array_append(messages, message);
    assert_int_equal(den_chat_messages_shape(messages, &text_only, &shaped, &err), DEN_TOO_LARGE);
    json_decref(message);
    json_decref(messages);
}

static void merges_parts_and_texts(void **state)
{
    json_t *messages = json_loads("[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
                                  "\"content\":[{\"type\":\"text\",\"text\":\"u\"}]}]",
                                  0, NULL);
    const json_t *content;

    assert_true(den_chat_merge_system(messages));
    assert_int_equal(json_array_size(messages), 1);
    content = json_object_get(json_array_get(messages, 0), "content");
    assert_int_equal(json_array_size(content), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(content, 0), "text")),
                        "s");
    assert_false(den_chat_merge_system(messages));
    assert_false(den_chat_fill_content(messages));
    json_decref(messages);
}

int text_test_chat_messages(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(names_index_and_field),
        cmocka_unit_test(leaves_the_original_alone),
        cmocka_unit_test(bounds_their_number),
        cmocka_unit_test(merges_parts_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
