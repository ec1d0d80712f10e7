/* Error objects: status to type and code, the parameter from the message, text that is no UTF-8. */
#include "test.h"

#include <string.h>

#include "api/reply.h"

static void check(enum den_status status, const char *message, const char *type, const char *param,
                  const char *code)
{
    struct den_error error = { 0 };
    const char *got_type, *got_param, *got_code;
    json_t *object, *inner;

    den_fail(&error, status, "%s", message);
    object = den_error_json(&error, NULL);
    inner = json_object_get(object, "error");
    assert_int_equal(json_object_size(inner), 4);
    assert_string_equal(json_string_value(json_object_get(inner, "message")), message);
    got_type = json_string_value(json_object_get(inner, "type"));
    got_param = json_string_value(json_object_get(inner, "param"));
    got_code = json_string_value(json_object_get(inner, "code"));
    assert_string_equal(got_type, type);
    assert_true((param == NULL) == (got_param == NULL) && (code == NULL) == (got_code == NULL));
    if (param)
        assert_string_equal(got_param, param);
    if (code)
        assert_string_equal(got_code, code);
    json_decref(object);
}

static void errors_have_their_fields(void **state)
{
    check(DEN_INVALID, "'top_p' is 3", "invalid_request_error", "top_p", NULL);
    check(DEN_INVALID, "'messages[0].content[12].type' is", "invalid_request_error",
          "messages[0].content[12].type", NULL);
    check(DEN_INVALID, "the body is empty", "invalid_request_error", NULL, NULL);
    check(DEN_INVALID, "'unfinished", "invalid_request_error", NULL, NULL);
    check(DEN_INVALID, "'Not a name' x", "invalid_request_error", NULL, NULL);
    check(DEN_INVALID, "'' x", "invalid_request_error", NULL, NULL);
    check(DEN_CONTEXT_FULL, "too long", "invalid_request_error", "messages",
          "context_length_exceeded");
    check(DEN_UNAUTHORIZED, "no", "authentication_error", NULL, "invalid_api_key");
    check(DEN_BUSY, "later", "rate_limit_error", NULL, "rate_limit_exceeded");
    check(DEN_INTERNAL, "broken", "server_error", NULL, NULL);
}

static void ill_formed_text_is_replaced(void **state)
{
    struct den_error error = { .status = DEN_INVALID };
    const char *message;
    json_t *object;

    memcpy(error.message, "bad \xFF", 6);
    object = den_error_json(&error, "own_code");
    assert_int_equal(json_unpack(object, "{s:{s:s}}", "error", "message", &message), 0);
    assert_string_equal(message, "invalid argument");
    json_decref(object);
}

int api_test_reply(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_their_fields),
        cmocka_unit_test(ill_formed_text_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
