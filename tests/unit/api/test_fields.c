/* Fields that surfaces share: what a schema, an effort and a stop become. */
#include "test.h"

#include <string.h>

#include "decode_chat.h"
#include "http_client.h"

static void structured_output(void **state)
{
    struct den_call_options options;
    struct den_error err;

    assert_int_equal(decode("{\"response_format\":{\"type\":\"json_object\"}}", &options, &err),
                     DEN_OK);
    assert_string_equal(text_at(options.request.schema, "type"), "object");
    den_call_options_deinit(&options);
    assert_int_equal(decode("{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
                            "{\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"null\"}}}}",
                            &options, &err),
                     DEN_OK);
    assert_string_equal(text_at(options.request.schema, "type"), "null");
    den_call_options_deinit(&options);
    assert_int_equal(decode("{\"grammar\":\"root ::= [a-z]\"}", &options, &err), DEN_OK);
    assert_string_equal(options.request.grammar, "root ::= [a-z]");
    den_call_options_deinit(&options);
}

static void efforts_switch_thinking(void **state)
{
    struct den_call_options options;
    struct den_error err;

    assert_int_equal(decode("{\"reasoning_effort\":\"none\",\"chat_template_kwargs\":{\"a\":1}}",
                            &options, &err),
                     DEN_OK);
    assert_true(json_is_false(get(options.request.template_variables, "enable_thinking")));
    assert_int_equal(json_integer_value(get(options.request.template_variables, "a")), 1);
    den_call_options_deinit(&options);
    assert_int_equal(decode("{\"reasoning_effort\":\"high\"}", &options, &err), DEN_OK);
    assert_true(json_is_true(get(options.request.template_variables, "enable_thinking")));
    den_call_options_deinit(&options);
}

int api_test_fields(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structured_output),
        cmocka_unit_test(efforts_switch_thinking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
