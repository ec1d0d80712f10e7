/* Tools as text, for each family: what is described can be read back. */
#include "answer_case.h"

#include "text/answer_format_write.h"

static json_t *parse(const char *text)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    if (den_json_parse(text, strlen(text), "test", &value, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return value;
}

static const char *const sources[] = {
    "<tool_call>",        "<start_of_turn>",         "<|start_header_id|>",
    "[TOOL_CALLS]",       "<|tool_call|>",           "[TOOL_CALLS] [ARGS]",
    "<|START_ACTION|>",   DS_BEGIN DS_SEP "```json", "<function= <parameter=",
    "<|tool|> <|/tool|>", DS_BEGIN DS_SEP,
};

/* A history's calls, written as text, are what the parser reads out of an answer. */
static void writes_what_the_parser_reads(void **state)
{
    json_t *messages =
        parse("[{\"role\":\"assistant\",\"content\":\"Hm.\",\"tool_calls\":["
              "{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": \\\"}\\\"}\"}},"
              "{\"function\":{\"name\":\"g\",\"arguments\":{}}}]}]");
    size_t i;

    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        const struct den_answer_format *format = den_answer_format_find(sources[i], NULL);
        const struct answer_options options = { .template_source = sources[i] };
        struct den_error err = { 0 };
        struct parsed parsed;
        json_t *out = NULL;
        const char *text;

        assert_int_equal(den_answer_format_describe_tools(format, messages, NULL, &out, &err),
                         DEN_OK);
        assert_int_equal(json_array_size(out), 1);
        assert_null(json_object_get(json_array_get(out, 0), "tool_calls"));
        text = json_string_value(json_object_get(json_array_get(out, 0), "content"));
        parsed = parse_answer(&options, text, strlen(text), 1);
        if (strcmp(parsed.calls.data, "f {\"a\":\"}\"}\ng {}") != 0 &&
            strcmp(parsed.calls.data, "f {\"a\": \"}\"}\ng {}") != 0)
            fail_msg("%s: %s: %s", sources[i], text, parsed.calls.data);
        assert_string_equal(parsed.text.data, "Hm.");
        assert_string_equal(parsed.note, "");
        expect_any_cut(&options, text, &parsed);
        forget(&parsed);
        json_decref(out);
    }
    json_decref(messages);
}

static void makes_a_system_message(void **state)
{
    json_t *messages = parse("[{\"role\":\"user\",\"content\":\"Hi\"}]");
    json_t *parts =
        parse("[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"S\"}]}]");
    json_t *tools = parse("[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]");
    const struct den_answer_format *format = den_answer_format_find("", NULL);
    struct den_error err = { 0 };
    json_t *out = NULL;
    const char *text;

    assert_int_equal(den_answer_format_describe_tools(format, messages, tools, &out, &err), DEN_OK);
    assert_int_equal(json_array_size(out), 2);
    text = json_string_value(json_object_get(json_array_get(out, 0), "content"));
    assert_ptr_equal(strstr(text, "# Tools"), text);
    assert_non_null(strstr(text, "\"name\":\"f\""));
    assert_int_equal(json_array_size(messages), 1);
    json_decref(out);
    assert_int_equal(den_answer_format_describe_tools(format, parts, tools, &out, &err), DEN_OK);
    text = json_string_value(json_object_get(json_array_get(out, 0), "content"));
    assert_ptr_equal(strstr(text, "S\n\n# Tools"), text);
    json_decref(out);
    /* what is no conversation stays what it is: chat_messages.c will name the fault */
    json_decref(parts);
    parts = parse("[5, {\"role\": 7}, {\"role\": \"tool\"}]");
    assert_int_equal(den_answer_format_describe_tools(format, parts, NULL, &out, &err), DEN_OK);
    assert_int_equal(json_array_size(out), 3);
    json_decref(out);
    json_decref(messages);
    json_decref(parts);
    json_decref(tools);
}

int text_test_answer_format_describe(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_parser_reads),
        cmocka_unit_test(makes_a_system_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
