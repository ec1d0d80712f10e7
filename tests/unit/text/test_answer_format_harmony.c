/* gpt-oss: messages with headers. */
#include "answer_case.h"

static const char harmony[] = "<|channel|> <|message|>";

static void reads_channels(void **state)
{
    const struct answer_options all = { .template_source = harmony };
    const struct answer_options only_text = { .template_source = harmony, .no_tools = true };

    expect_answer(&all,
                  "<|channel|>analysis<|message|>User asks <b>.<|end|><|start|>assistant"
                  "<|channel|>final<|message|>Four <|ok|>.<|return|>",
                  "User asks <b>.", "Four <|ok|>.", "", false);
    expect_answer(&only_text,
                  "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>"
                  "final<|message|>Four",
                  "Hm", "Four", "", false);
    expect_answer(&all, "<|channel|>final<|message|>Fo<|", "", "Fo<|", "", false);
    expect_answer(&all, "Just text, <|channel|> and all.", "", "Just text, <|channel|> and all.",
                  "", true);
}

static void reads_calls(void **state)
{
    const struct answer_options all = { .template_source = harmony };

    expect_answer(
        &all,
        "<|channel|>analysis<|message|>Call.<|end|><|start|>assistant<|channel|>commentary "
        "to=functions.get_weather <|constrain|>json<|message|>{\"city\": \"Oslo\"}<|call|>",
        "Call.", "", "get_weather {\"city\": \"Oslo\"}", false);
    expect_answer(&all, " to=functions.f<|channel|>commentary json<|message|>\n{\"a\": [1]}\n", "",
                  "", "f {\"a\": [1]}", false);
    expect_answer(&all,
                  "<|channel|>commentary<|message|>First I look.<|end|><|start|>assistant"
                  "<|channel|>commentary to=functions.f <|message|>{}<|call|>",
                  "", "First I look.", "f {}", false);
}

static void gives_malformed_calls_back(void **state)
{
    const struct answer_options all = { .template_source = harmony };

    expect_raw(harmony, "<|channel|>commentary to=functions.f <|message|>no JSON", true);
    expect_raw(harmony, "<|channel|>commentary to=functions.get_wea", true);
    expect_answer(&all, "<|channel|>commentary to=functions.f <|message|>{\"a\": 1", "", "",
                  "f {\"a\": 1", true);
    expect_answer(&all, "<|channel|>commentary to=functions.f <|message|>{\"a\" 1}<|call|>", "",
                  "1}", "f {\"a\" ", true);
}

int text_test_answer_format_harmony(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_channels),
        cmocka_unit_test(reads_calls),
        cmocka_unit_test(gives_malformed_calls_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
