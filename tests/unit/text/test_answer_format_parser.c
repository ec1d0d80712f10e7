/* Text, reasoning and marks: what comes out does not depend on how the answer is cut. */
#include "answer_case.h"

static const char qwen[] = "<tool_call> <think> tools";

static void passes_plain_text(void **state)
{
    const struct answer_options all = { .template_source = qwen };
    const struct answer_options none = { .template_source = qwen,
                                         .no_tools = true,
                                         .no_reasoning = true };

    expect_answer(&all, "", "", "", "", false);
    expect_answer(&all, "Hello, world.\n\n  Bye \n", "", "Hello, world.\n\n  Bye \n", "", false);
    expect_answer(&all, " \n", "", " \n", "", false);
    expect_answer(&all, "a < b, <tool, <tool_cal", "", "a < b, <tool, <tool_cal", "", false);
    expect_answer(&all, "\350\257\267 <\357\275\235>", "", "\350\257\267 <\357\275\235>", "",
                  false);
    expect_answer(&none, "<think>a</think>\n<tool_call>{}</tool_call>\n", "",
                  "<think>a</think>\n<tool_call>{}</tool_call>\n", "", false);
}

static void sets_reasoning_apart(void **state)
{
    const struct answer_options all = { .template_source = qwen };
    const struct answer_options opened = { .template_source = qwen, .opened = true };
    const struct answer_options brackets = { .template_source = "[THINK] [TOOL_CALLS]" };
    const struct answer_options seed = { .template_source = "<seed:think>" };
    const struct answer_options kimi = { .template_source = "\342\227\201/think\342\226\267" };

    expect_answer(&all, "<think>\nLet me see.\n\nYes.\n</think>\n\nFour.\n", "Let me see.\n\nYes.",
                  "Four.\n", "", false);
    expect_answer(&all, "\n<think></think>Four", "", "Four", "", false);
    expect_answer(&all, "<think>never ends\n", "never ends", "", "", false);
    expect_answer(&all, "The mark <think> in text</think>.", "",
                  "The mark <think> in text</think>.", "", false);
    expect_answer(&opened, "\nHm.</think>Four", "Hm.", "Four", "", false);
    expect_answer(&opened, "Hm.</thin", "Hm.</thin", "", "", false);
    expect_answer(&brackets, "[THINK]a[/THINK]b", "a", "b", "", false);
    expect_answer(&seed, "<seed:think>a</seed:think>b", "a", "b", "", false);
    expect_answer(&kimi, "\342\227\201think\342\226\267a\342\227\201/think\342\226\267b", "a", "b",
                  "", false);
}

static void finds_calls_within_reasoning(void **state)
{
    const struct answer_options opened = { .template_source = qwen, .opened = true };

    expect_answer(&opened,
                  "I will call.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>",
                  "I will call.", "", "f {}", false);
    expect_answer(&opened, "Perhaps <tool_call> is\nright.</think>Yes",
                  "Perhaps <tool_call> is\nright.", "Yes", "", true);
}

static void drops_marks_of_text(void **state)
{
    const struct answer_options command = { .template_source =
                                                "<|START_ACTION|> <|START_THINKING|>" };

    expect_answer(&command,
                  "<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>Hi <b>!<|END_RESPONSE|>",
                  "Hm", "Hi <b>!", "", false);
}

/* A part ends where a push does: nothing certain is kept waiting. */
static void waits_only_for_marks(void **state)
{
    struct parsed parsed = { .count = 0 };
    const struct den_answer_parser_options options = { .format = den_answer_format_find(qwen, NULL),
                                                       .tools = true,
                                                       .reasoning = true,
                                                       .handler = keep_part,
                                                       .context = &parsed };
    struct den_answer_parser *parser = NULL;
    struct den_error err = { 0 };
    const char *note;

    den_buffer_init(&parsed.text, 1000);
    den_buffer_init(&parsed.reasoning, 1000);
    den_buffer_init(&parsed.calls, 1000);
    assert_int_equal(den_answer_parser_create(&options, &parser, &err), DEN_OK);
    den_answer_parser_push(parser, "One", 3, &err);
    assert_string_equal(parsed.text.data, "One");
    den_answer_parser_push(parser, " two <to", 8, &err);
    assert_string_equal(parsed.text.data, "One two");
    den_answer_parser_push(parser, "ols> ", 5, &err);
    assert_string_equal(parsed.text.data, "One two <tools>");
    den_answer_parser_push(parser, "<tool_call>{\"name\": \"f\",", 24, &err);
    assert_string_equal(parsed.calls.data, "");
    den_answer_parser_push(parser, "\"arguments\": {\"a", 16, &err);
    assert_string_equal(parsed.calls.data, "f {\"a");
    den_answer_parser_push(parser, "\": 1}", 5, &err);
    assert_string_equal(parsed.calls.data, "f {\"a\": 1}");
    den_answer_parser_finish(parser, &note, &err);
    assert_string_equal(parsed.text.data, "One two <tools>");
    den_answer_parser_destroy(parser);
    forget(&parsed);
}

int text_test_answer_format_parser(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_plain_text),
        cmocka_unit_test(sets_reasoning_apart),
        cmocka_unit_test(finds_calls_within_reasoning),
        cmocka_unit_test(drops_marks_of_text),
        cmocka_unit_test(waits_only_for_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
