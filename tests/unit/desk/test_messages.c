/* Conversations as clients send them: that there is one, and how long it may be. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/desk.h"

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
        cmocka_unit_test(bad_ones_are_named),
        cmocka_unit_test(too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
