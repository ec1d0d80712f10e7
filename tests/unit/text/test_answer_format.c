/* Which family a template belongs to, and which control tokens are text in an answer. */
#include "template_fixtures.h"

#include "text/answer_format.h"

static void expect_format(const char *source, const char *name, bool knows_tools,
                          bool knows_reasoning)
{
    const struct den_answer_format *format = den_answer_format_find(source, NULL);

    assert_string_equal(den_answer_format_name(format), name);
    assert_int_equal(den_answer_format_knows_tools(format), knows_tools);
    assert_int_equal(den_answer_format_knows_reasoning(format), knows_reasoning);
}

static void knows_families_by_their_marks(void **state)
{
    expect_format(NULL, "hermes", false, false);
    expect_format("", "hermes", false, false);
    expect_format("{{ messages[0].content }}", "hermes", false, false);
    expect_format("{{ tools }}<tool_call>", "hermes", true, false);
    expect_format("{{ tools }}<tool_call>{{ '</think>' }}", "hermes", true, true);
    expect_format("{# tools #}<tool_call>", "hermes", false, false); /* speaks of them only */
    expect_format("{{ tools }}<tool_call><function=f><parameter=p>", "qwen3-coder", true, false);
    expect_format("{{ tools }}[TOOL_CALLS]", "mistral", true, false);
    expect_format("{{ tools }}[TOOL_CALLS][ARGS][THINK]", "mistral-args", true, true);
    expect_format("{{ tools }}<|start_header_id|>", "llama3", true, false);
    expect_format("<|channel|><|message|>", "harmony", false, true);
    expect_format("{{ tools }}<|tool_call|>", "granite", true, false);
    expect_format("<|tool|><|/tool|>", "phi4-mini", false, false);
    expect_format("<|START_ACTION|>{{ tools }}<|START_THINKING|>", "command-r7b", true, true);
    expect_format("<start_of_turn>", "gemma", false, false);
}

/* The templates in each family's style. */
static void knows_model_templates(void **state)
{
    static const struct {
        const char *template_name, *format;
        bool knows_tools, knows_reasoning;
    } cases[] = {
        { "smollm2", "hermes", false, false },  { "llama3", "llama3", true, false },
        { "qwen2.5", "hermes", true, false },   { "qwen3", "hermes", true, true },
        { "mistral1", "hermes", false, false }, { "mistral3", "mistral", true, false },
        { "gemma2", "gemma", false, false },    { "gemma3", "gemma", false, false },
        { "phi3", "hermes", false, false },     { "deepseek-r1", "deepseek", false, true },
        { "hermes", "hermes", true, false },    { "command-r", "hermes", false, false },
        { "smollm3", "hermes", false, true },   { "gpt-oss", "harmony", true, true },
        { "vision", "hermes", false, false },
    };
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/models.json");
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *source = json_string_value(
            json_object_get(json_object_get(fixture, "templates"), cases[i].template_name));

        if (!source)
            fail_msg("no template %s", cases[i].template_name);
        expect_format(source, cases[i].format, cases[i].knows_tools, cases[i].knows_reasoning);
    }
    json_decref(fixture);
}

static void sees_what_a_prompt_has_opened(void **state)
{
    static const struct {
        const char *source, *prompt;
        bool opens;
    } cases[] = {
        { "<tool_call> <think>", "<|im_start|>assistant\n<think>\n", true },
        { "<tool_call> <think>", "assistant\n<think>\n\n</think>\n\n", false },
        { "<tool_call> <think>", "assistant\n", false },
        { "<tool_call> <think>", "", false },
        { "[TOOL_CALLS] [THINK]", "[/INST][THINK]", true },
        { "[TOOL_CALLS] [THINK]", "<think>", false },
        { "<thought>", "<thought>\n", true },
        { "no reasoning", "<think>\n", false },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            den_answer_format_opens_reasoning(den_answer_format_find(cases[i].source, NULL),
                                              cases[i].prompt, strlen(cases[i].prompt)),
            cases[i].opens);
}

static void names_marks(void **state)
{
    static const char *const marks[] = { "<tool_call>",    "</tool_call>", "[TOOL_CALLS]",
                                         "[ARGS]",         "<think>",      "[/THINK]",
                                         "<|python_tag|>", "<|channel|>",  "<|END_ACTION|>" };
    static const char *const others[] = { "<|im_end|>",   "<s>",        "",  "<tool_call",
                                          "<tool_call>>", "<|eot_id|>", "{", "{\"name\": \"" };
    size_t i;

    for (i = 0; i < sizeof marks / sizeof marks[0]; i++)
        assert_true(den_answer_format_is_mark(marks[i], strlen(marks[i])));
    for (i = 0; i < 6; i++)
        assert_false(den_answer_format_is_mark(others[i], strlen(others[i])));
}

int text_test_answer_format(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_families_by_their_marks),
        cmocka_unit_test(knows_model_templates),
        cmocka_unit_test(names_marks),
        cmocka_unit_test(sees_what_a_prompt_has_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
