/* Calls of JSON, well-formed and not, in each family's notation. */
#include "answer_case.h"

static const char hermes[] = "<tool_call>";
static const char llama[] = "<|start_header_id|>";
static const char mistral[] = "[TOOL_CALLS]";
static const char deepseek[] = DS_BEGIN DS_SEP "```json";
static const char gemma[] = "<start_of_turn>";

static void reads_hermes(void **state)
{
    expect_calls(hermes, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
                 "", "f {\"a\": 1}");
    expect_calls(hermes,
                 "Let me look.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"{\", "
                 "\"b\": [1, {\"c\": null}]}}\n</tool_call>\n<tool_call>{\"name\": \"g_2\", "
                 "\"arguments\": {}}</tool_call>\n",
                 "Let me look.", "f {\"a\": \"}\\\"{\", \"b\": [1, {\"c\": null}]}\ng_2 {}");
    expect_calls(hermes,
                 "<tool_call>[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", "
                 "\"arguments\": {\"x\": 2}}]</tool_call>",
                 "", "f {}\ng {\"x\": 2}");
    expect_calls(hermes, "<tool_call>{\"name\":\"f\"}</tool_call>\n\nDone.", "\n\nDone.", "f {}");
    expect_calls(hermes, "<tool_call>{\"arguments\": {\"a\": {}}, \"id\": 7, \"name\": \"f\"}", "",
                 "f {\"a\": {}}");
    expect_calls(
        hermes,
        "<tool_call>{\"name\": \"f\\u0041\", \"arguments\": \"{\\\"a\\\": \\\"\\\\n\\\"}\"}", "",
        "fA {\"a\": \"\\n\"}");
    expect_calls(hermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"x\ny\"}}", "",
                 "f {\"a\": \"x\\u000ay\"}");
    expect_calls(hermes, "<tool_call>{\"name\": \"f\", \"arguments\": {}} and more", " and more",
                 "f {}");
    expect_calls(hermes, "<tool_call>{\"name\": \"f\", \"arguments\": null}", "", "f {}");
}

static void gives_malformed_calls_back(void **state)
{
    static const char *const answers[] = {
        "<tool_call>",
        "<tool_call>\n{\"name\": \"f\", \"argum",
        "<tool_call>hello</tool_call>",
        "<tool_call>{\"name\": 7, \"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": \"none\"}</tool_call>",
        "<tool_call>{\"arguments\": {\"a\": 1}}</tool_call>",
        "<tool_call>{\"name\": \"\", \"arguments\": {\"a\": 1}}</tool_call>",
        "<tool_call>{'name': 'f'}</tool_call>",
        "<tool_call>{\"name\": \"f\" \"arguments\": {}}",
        "Text <tool_call>{\"a\": 01} more",
    };
    const struct answer_options options = { .template_source = hermes };
    size_t i;

    for (i = 0; i < sizeof answers / sizeof answers[0]; i++)
        expect_raw(hermes, answers[i], true);
    /* what is inside a failed call is read again */
    expect_answer(&options,
                  "<tool_call>oops <tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", "",
                  "<tool_call>oops", "f {}", true);
    /* told already: what is there stays, the rest is text */
    expect_answer(&options, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1; 2}}", "",
                  "; 2}}", "f {\"a\": 1", true);
    expect_answer(&options, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"tex", "", "",
                  "f {\"a\": \"tex", true);
    expect_answer(&options, "<tool_call>{\"name\": \"f\", \"arguments\": {}, \"arguments\": {}}",
                  "", ", \"arguments\": {}}", "f {}", true);
    expect_answer(&options, "<tool_call>[{\"name\": \"f\", \"arguments\": {}}, {\"na", "",
                  ", {\"na", "f {}", true);
}

static void reads_llama(void **state)
{
    expect_calls(llama, "{\"name\": \"f\", \"parameters\": {\"q\": \"a\"}}", "",
                 "f {\"q\": \"a\"}");
    expect_calls(llama,
                 "<|python_tag|>{\"type\": \"function\", \"name\": \"f\", \"parameters\": {}}", "",
                 "f {}");
    expect_calls(llama, "\n{\"name\":\"f\",\"arguments\":{\"q\":1}}", "", "f {\"q\":1}");
    expect_calls(llama, "I call {\"name\": \"f\", \"parameters\": {}}", "I call", "f {}");
    expect_calls(llama, "<function=f>{\"a\": 1}</function>", "", "f {\"a\": 1}");
    /* JSON that is no call, and is nobody's fault */
    expect_raw(llama, "{\"name\": \"Ada\", \"age\": 36}", false);
    expect_raw(llama, "{\"city\": {\"name\": \"Oslo\"}}", false);
    expect_raw(llama, "{\"name\": \"Ada\"}", false);
    expect_raw(llama, "Like {\"name\": \"Ada\", \"age\": 36} here", false);
    expect_raw(llama, "{\"name\": \"A", false);
    expect_raw(llama, "{ not JSON }", false);
}

static void reads_mistral(void **state)
{
    expect_calls(
        mistral,
        "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"abc123456\"}, "
        "{\"name\": \"g\", \"arguments\": {}}]",
        "", "f {\"a\": 1}\ng {}");
    expect_calls(mistral, "Yes.[TOOL_CALLS]f[ARGS]{\"a\": 1}[TOOL_CALLS]g[ARGS]{}", "Yes.",
                 "f {\"a\": 1}\ng {}");
    expect_calls(mistral, "[TOOL_CALLS]f[CALL_ID]abc123456[ARGS]{\"a\": [1]}", "",
                 "f {\"a\": [1]}");
    expect_calls(mistral, "[TOOL_CALLS]f{\"a\": 1}", "", "f {\"a\": 1}");
    expect_raw(mistral, "[TOOL_CALLS] nothing here", true);
    expect_raw(mistral, "[TOOL_CALLS] [\"f\"]", true);
    expect_raw(mistral, "[TOOL_CALLS]f(1){}", true);
}

static void reads_deepseek(void **state)
{
    expect_calls(deepseek,
                 "Wait." DS_BEGIN DS_ONE "function" DS_SEP "f\n```json\n{\"a\": 1}\n```" DS_ONE_END
                 "\n" DS_ONE "function" DS_SEP "g\n```json\n{}\n```" DS_ONE_END DS_END,
                 "Wait.", "f {\"a\": 1}\ng {}");
    expect_calls(DS_BEGIN DS_SEP,
                 DS_BEGIN DS_ONE "f" DS_SEP "{\"a\": 1}" DS_ONE_END DS_ONE "g" DS_SEP
                                 "{}" DS_ONE_END DS_END,
                 "", "f {\"a\": 1}\ng {}");
    expect_raw(deepseek, DS_BEGIN "and then {", true);
    expect_raw(deepseek, DS_BEGIN DS_ONE "function" DS_SEP "f\n", true);
}

static void reads_fences_and_lists(void **state)
{
    expect_calls(gemma, "```tool_call\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n```", "",
                 "f {\"a\": 1}");
    expect_calls(gemma, "```python\nprint(1)\n```\n", "```python\nprint(1)\n```\n", "");
    expect_calls("<|tool_call|>",
                 "<|tool_call|>[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", "
                 "\"arguments\": {}}]",
                 "", "f {}\ng {}");
    expect_calls("<|tool|> <|/tool|>",
                 "<|tool_call|>[{\"name\": \"f\", \"arguments\": {}}]<|/tool_call|>", "", "f {}");
    expect_calls("<|START_ACTION|>",
                 "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"f\", "
                 "\"parameters\": {\"a\": 1}}\n]<|END_ACTION|>",
                 "", "f {\"a\": 1}");
}

/* An answer that was cut (max_tokens) behind a call keeps nothing of the mark that was to come. */
static void drops_marks_that_were_cut(void **state)
{
    static const struct {
        const char *source, *call, *after;
    } cases[] = {
        { hermes, "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}", "\n</tool_call>" },
        { gemma, "```tool_call\n{\"name\": \"f\", \"arguments\": {}}", "\n```" },
        { llama, "{\"name\": \"f\", \"parameters\": {}}", "; " },
        { deepseek, DS_BEGIN DS_ONE "function" DS_SEP "f\n```json\n{}", "\n```" DS_ONE_END DS_END },
        { "<|tool|> <|/tool|>", "<|tool_call|>[{\"name\": \"f\", \"arguments\": {}}]",
          "<|/tool_call|>" },
        { "<function= <parameter=", "<tool_call>\n<function=f>\n</function>", "\n</tool_call>" },
    };
    char answer[256];
    size_t i, length;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (length = 0; length <= strlen(cases[i].after); length++) {
            snprintf(answer, sizeof answer, "%s%.*s", cases[i].call, (int)length, cases[i].after);
            expect_calls(cases[i].source, answer, "", "f {}");
        }
    expect_calls(hermes, "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call> a < b",
                 " a < b", "f {}");
}

int text_test_answer_format_call(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hermes),
        cmocka_unit_test(gives_malformed_calls_back),
        cmocka_unit_test(reads_llama),
        cmocka_unit_test(reads_mistral),
        cmocka_unit_test(reads_deepseek),
        cmocka_unit_test(reads_fences_and_lists),
        cmocka_unit_test(drops_marks_that_were_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
