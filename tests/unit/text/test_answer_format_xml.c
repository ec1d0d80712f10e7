/* Calls in tags become JSON; the tools' schemas say what is a text. */
#include "answer_case.h"

static const char coder[] = "<function= <parameter= <tool_call>";

static void makes_json_of_tags(void **state)
{
    expect_calls(coder,
                 "Sure.\n<tool_call>\n<function=f>\n<parameter=city>\nOslo\n</parameter>\n"
                 "<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>",
                 "Sure.", "f {\"city\": \"Oslo\", \"days\": 3}");
    expect_calls(coder, "<function=f></function><function=g><parameter=a>x</parameter></function>",
                 "", "f {}\ng {\"a\": \"x\"}");
    expect_calls(coder,
                 "<tool_call>\n<function=w>\n<parameter=code>\n\nif (a < b) {\n  \"</p>\\\"\n}\n\n"
                 "</parameter>\n<parameter=o>{\"k\": [1]}</parameter></function></tool_call> end",
                 " end",
                 "w {\"code\": \"\\nif (a < b) {\\n  \\\"</p>\\\\\\\"\\n}\\n\", \"o\": "
                 "{\"k\":[1]}}");
    expect_calls(coder, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>", "",
                 "f {\"a\": 1}");
}

static void asks_the_schema(void **state)
{
    struct den_error err = { 0 };
    json_t *tools = NULL;
    struct answer_options options = { .template_source = coder };
    static const char text[] =
        "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{\"zip\":{\"type\":\"string\"},\"deep\":{\"type\":\"boolean\"}}}}}]";

    assert_int_equal(den_json_parse(text, strlen(text), "test", &tools, &err), DEN_OK);
    options.tool_list = tools;
    expect_answer(&options,
                  "<function=f><parameter=zip>\n0150\n</parameter><parameter=deep>True</parameter>"
                  "</function>",
                  "", "", "f {\"zip\": \"0150\", \"deep\": true}", false);
    expect_answer(&options, "<function=f><parameter=zip>150</parameter></function>", "", "",
                  "f {\"zip\": \"150\"}", false);
    json_decref(tools);
}

static void gives_malformed_calls_back(void **state)
{
    const struct answer_options options = { .template_source = coder };

    expect_raw(coder, "<tool_call>\n<functio", true);
    expect_raw(coder, "<tool_call>\nf(1)\n</tool_call>", true);
    expect_raw(coder, "<function=>", true);
    expect_raw(coder, "<function=f>\n<parameter=a>\nnever ends", true);
    expect_raw(coder, "<function=f> what? </function>", true);
    expect_answer(&options, "<function=f><parameter=a>1</parameter>, <parameter=b>", "",
                  ", "
                  "<parameter=b>",
                  "f {\"a\": 1", true);
}

int text_test_answer_format_xml(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_json_of_tags),
        cmocka_unit_test(asks_the_schema),
        cmocka_unit_test(gives_malformed_calls_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
