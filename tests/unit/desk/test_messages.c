/* Conversations as clients send them: what passes, and which field is named when one does not. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/desk.h"

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

        if (den_desk_check_messages(messages, &err) != DEN_OK)
            fail_msg("%s: %s", cases[i], err.message);
        json_decref(messages);
    }
}

static void bad_ones_are_named(void **state)
{
    static const struct {
        const char *messages, *begins;
        enum den_status status;
    } cases[] = {
        { "null", "'messages'", DEN_INVALID },
        { "{}", "'messages'", DEN_INVALID },
        { "\"hi\"", "'messages'", DEN_INVALID },
        { "[]", "'messages'", DEN_INVALID },
        { "[1]", "'messages[0]'", DEN_INVALID },
        { "[{}]", "'messages[0].role'", DEN_INVALID },
        { "[{\"role\":1}]", "'messages[0].role'", DEN_INVALID },
        { "[{\"role\":\"robot\",\"content\":\"\"}]", "'messages[0].role'", DEN_INVALID },
        { "[{\"role\":\"user\"}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":null}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"assistant\",\"content\":null}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":5}]", "'messages[0].content'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[5]}]",
          "'messages[1].content[0]'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[{}]}]", "'messages[0].content[0].type'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
          "'messages[0].content[0].text'", DEN_INVALID },
        { "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
          "'messages[0].content[0].type'", DEN_UNSUPPORTED },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *messages = json_loads(cases[i].messages, JSON_DECODE_ANY, NULL);
        struct den_error err = { 0 };

        assert_int_equal(den_desk_check_messages(messages, &err), cases[i].status);
        if (strncmp(err.message, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("%s: %s", cases[i].messages, err.message);
        json_decref(messages);
    }
}

static void too_many_are_refused(void **state)
{
    json_t *messages = json_array();
    struct den_error err = { 0 };
    int i;

    for (i = 0; i <= DEN_MESSAGES_MAX; i++)
        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "user", "content", "x"));
    assert_int_equal(den_desk_check_messages(messages, &err), DEN_TOO_LARGE);
    json_array_remove(messages, 0);
    err = (struct den_error){ 0 };
    assert_int_equal(den_desk_check_messages(messages, &err), DEN_OK);
    json_decref(messages);
}

int desk_test_messages(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(bad_ones_are_named),
        cmocka_unit_test(too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
