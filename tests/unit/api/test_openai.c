/* OpenAI's tools, in each of the ways that clients give them. */
#include "test.h"

#include <string.h>

#include "decode_chat.h"
#include "http_client.h"

#define F(name) "{\"type\":\"function\",\"function\":{\"name\":\"" name "\"}}"

/* What reaches the worker as tools and choice. */
static void choices_of_tools(void **state)
{
    static const struct {
        const char *choice; /* of tools f and g */
        const char *tools, *wanted;
    } cases[] = {
        { "\"auto\"", "[" F("f") "," F("g") "]", "\"auto\"" },
        { "\"required\"", "[" F("f") "," F("g") "]", "\"required\"" },
        { "\"none\"", NULL, NULL },
        { F("g"), "[" F("f") "," F("g") "]", F("g") },
        { "{\"type\":\"function\",\"name\":\"g\"}", "[" F("f") "," F("g") "]", F("g") },
        { "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[" F(
              "g") "]}}",
          "[" F("g") "]", "\"required\"" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_call_options options;
        struct den_error err;
        char body[1024];
        json_t *tools = cases[i].tools ? json_loads(cases[i].tools, 0, NULL) : NULL;
        json_t *wanted =
            cases[i].wanted ? json_loads(cases[i].wanted, JSON_DECODE_ANY, NULL) : NULL;

        snprintf(body, sizeof body, "{\"tools\":[" F("f") "," F("g") "],\"tool_choice\":%s}",
                 cases[i].choice);
        assert_int_equal(decode(body, &options, &err), DEN_OK);
        assert_true(tools ? json_equal(tools, options.request.tools)
                          : options.request.tools == NULL);
        assert_true(wanted ? json_equal(wanted, options.request.tool_choice)
                           : options.request.tool_choice == NULL);
        json_decref(tools);
        json_decref(wanted);
        den_call_options_deinit(&options);
    }
}

static void functions_become_tools(void **state)
{
    struct den_call_options options;
    struct den_error err;
    const json_t *messages;

    assert_int_equal(decode("{\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"f\"},"
                            "\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
                            "{\"role\":\"assistant\",\"content\":null,\"function_call\":"
                            "{\"name\":\"f\",\"arguments\":\"{}\"}},"
                            "{\"role\":\"function\",\"name\":\"f\",\"content\":\"7\"}]}",
                            &options, &err),
                     DEN_OK);
    messages = options.request.messages;
    assert_string_equal(text_at(options.request.tools, "0.function.name"), "f");
    assert_string_equal(text_at(options.request.tool_choice, "function.name"), "f");
    assert_true(options.request.single_tool_call);
    assert_string_equal(text_at(messages, "1.tool_calls.0.function.name"), "f");
    assert_string_equal(text_at(messages, "2.role"), "tool");
    assert_string_equal(text_at(messages, "2.tool_call_id"),
                        text_at(messages, "1.tool_calls.0.id"));
    den_call_options_deinit(&options);
}

int api_test_openai(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_of_tools),
        cmocka_unit_test(functions_become_tools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
