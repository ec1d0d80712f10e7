/* One answer, parsed: what its parts join to. For tests of the answer formats. */
#ifndef DEN_TESTS_UNIT_TEXT_ANSWER_CASE_H
#define DEN_TESTS_UNIT_TEXT_ANSWER_CASE_H

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/answer_format.h"

/* Deepseek's marks. */
#define DS(text)   "<\357\275\234" text "\357\275\234>"
#define DS_BEGIN   DS("tool\342\226\201calls\342\226\201begin")
#define DS_END     DS("tool\342\226\201calls\342\226\201end")
#define DS_ONE     DS("tool\342\226\201call\342\226\201begin")
#define DS_ONE_END DS("tool\342\226\201call\342\226\201end")
#define DS_SEP     DS("tool\342\226\201sep")

struct parsed {
    struct den_buffer text;
    struct den_buffer reasoning;
    struct den_buffer calls; /* NAME(ARGUMENTS) and a line break for each */
    size_t count;
    char note[256];
};

struct answer_options {
    const char *template_source;
    bool no_tools, no_reasoning, opened;
    const json_t *tool_list;
};

static inline void keep_part(void *context, const struct den_answer_part *part)
{
    struct parsed *parsed = context;

    switch (part->kind) {
    case DEN_ANSWER_TEXT:
        den_buffer_append(&parsed->text, part->text, part->length);
        return;
    case DEN_ANSWER_REASONING:
        den_buffer_append(&parsed->reasoning, part->text, part->length);
        return;
    case DEN_ANSWER_TOOL_CALL:
        assert_int_equal(part->tool_index, parsed->count);
        den_buffer_append_text(&parsed->calls, parsed->count++ > 0 ? "\n" : "");
        den_buffer_append(&parsed->calls, part->text, part->length);
        den_buffer_append_text(&parsed->calls, " ");
        return;
    case DEN_ANSWER_TOOL_ARGUMENTS:
        assert_int_equal(part->tool_index + 1, parsed->count);
        den_buffer_append(&parsed->calls, part->text, part->length);
        return;
    }
}

/* Parses `answer` in pushes of [0, first), then `step` bytes each. */
static inline struct parsed parse_answer(const struct answer_options *options, const char *answer,
                                         size_t first, size_t step)
{
    struct parsed parsed = { .count = 0 };
    const struct den_answer_parser_options parser_options = { .format = den_answer_format_find(
                                                                  options->template_source, NULL),
                                                              .tools = !options->no_tools,
                                                              .reasoning = !options->no_reasoning,
                                                              .opened = options->opened,
                                                              .tool_list = options->tool_list,
                                                              .handler = keep_part,
                                                              .context = &parsed };
    struct den_answer_parser *parser = NULL;
    struct den_error err = { 0 };
    const char *note = NULL;
    size_t length = strlen(answer), at = 0, next = first;

    den_buffer_init(&parsed.text, 1 << 20);
    den_buffer_init(&parsed.reasoning, 1 << 20);
    den_buffer_init(&parsed.calls, 1 << 20);
    assert_int_equal(den_answer_parser_create(&parser_options, &parser, &err), DEN_OK);
    while (at < length) {
        size_t count = next < length - at ? next : length - at;

        assert_int_equal(den_answer_parser_push(parser, answer + at, count, &err), DEN_OK);
        at += count;
        next = step;
    }
    assert_int_equal(den_answer_parser_finish(parser, &note, &err), DEN_OK);
    assert_int_equal(den_answer_parser_calls(parser), parsed.count);
    if (note)
        strncpy(parsed.note, note, sizeof parsed.note - 1);
    den_answer_parser_destroy(parser);
    return parsed;
}

static inline void forget(struct parsed *parsed)
{
    den_buffer_deinit(&parsed->text);
    den_buffer_deinit(&parsed->reasoning);
    den_buffer_deinit(&parsed->calls);
}

static inline void expect_same(const struct parsed *left, const struct parsed *right)
{
    assert_string_equal(left->text.data, right->text.data);
    assert_string_equal(left->reasoning.data, right->reasoning.data);
    assert_string_equal(left->calls.data, right->calls.data);
    assert_string_equal(left->note, right->note);
}

/* Cut at every byte, and byte by byte, the answer must give the same. */
static inline void expect_any_cut(const struct answer_options *options, const char *answer,
                                  const struct parsed *whole)
{
    size_t length = strlen(answer), i;

    for (i = 0; i <= length; i++) {
        struct parsed cut =
            i == 0 ? parse_answer(options, answer, 1, 1) : parse_answer(options, answer, i, length);

        expect_same(whole, &cut);
        forget(&cut);
    }
}

/* `calls`: lines of "NAME ARGUMENTS". A note is there exactly where one is wanted. */
static inline void expect_answer(const struct answer_options *options, const char *answer,
                                 const char *reasoning, const char *text, const char *calls,
                                 bool has_note)
{
    struct parsed whole = parse_answer(options, answer, strlen(answer), 1);

    if (strcmp(whole.text.data, text) != 0 || strcmp(whole.reasoning.data, reasoning) != 0 ||
        strcmp(whole.calls.data, calls) != 0)
        fail_msg("%s\n  text '%s' (wanted '%s')\n  reasoning '%s' (wanted '%s')\n  calls '%s' "
                 "(wanted '%s')",
                 answer, whole.text.data, text, whole.reasoning.data, reasoning, whole.calls.data,
                 calls);
    if ((whole.note[0] != '\0') != has_note)
        fail_msg("%s: note '%s'", answer, whole.note);
    expect_any_cut(options, answer, &whole);
    forget(&whole);
}

static inline void expect_calls(const char *template_source, const char *answer, const char *text,
                                const char *calls)
{
    expect_answer(&(struct answer_options){ .template_source = template_source }, answer, "", text,
                  calls, false);
}

/* No call, and nothing lost. */
static inline void expect_raw(const char *template_source, const char *answer, bool has_note)
{
    expect_answer(&(struct answer_options){ .template_source = template_source }, answer, "",
                  answer, "", has_note);
}

#endif
