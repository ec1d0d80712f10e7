/* See answer_format.h. The families are rows of a table; what a template can do besides (write
 * tools, hold reasoning) varies inside a family, so a format is a row with those two answers, and
 * all combinations exist as constants. A family is known by the marks that its templates write for
 * calls in a conversation's history: rows with rarer marks come first. */
#include "text/answer_format.h"

#include <string.h>

#include "text/answer_format_table.h"
#include "text/template.h"

/* Deepseek's marks are written with U+FF5C and U+2581, in octal here so that the sources stay
 * plain. */
#define DS_BAR        "\357\275\234"
#define DS_GAP        "\342\226\201"
#define DS_MARK(text) "<" DS_BAR text DS_BAR ">"
#define DS_CALLS      DS_MARK("tool" DS_GAP "calls" DS_GAP "begin")
#define DS_CALLS_END  DS_MARK("tool" DS_GAP "calls" DS_GAP "end")
#define DS_CALL       DS_MARK("tool" DS_GAP "call" DS_GAP "begin")
#define DS_CALL_END   DS_MARK("tool" DS_GAP "call" DS_GAP "end")
#define DS_SEPARATOR  DS_MARK("tool" DS_GAP "sep")
/* Kimi's have U+25C1 and U+25B7 for brackets. */
#define KIMI_OPEN  "\342\227\201think\342\226\267"
#define KIMI_CLOSE "\342\227\201/think\342\226\267"

enum family {
    HARMONY,
    DEEPSEEK_FENCED,
    DEEPSEEK,
    QWEN_CODER,
    MISTRAL_HEAD,
    MISTRAL,
    COMMAND,
    PHI4,
    GRANITE,
    HERMES,
    LLAMA,
    GEMMA,
    FAMILIES
};

static const struct den_answer_syntax families[FAMILIES] = {
    [HARMONY] = { .name = "harmony",
                  .shape = DEN_ANSWER_CHANNELS,
                  .signs = { "<|channel|>", "<|message|>" },
                  .single = true,
                  .open = "<|channel|>commentary to=functions.",
                  .call = "",
                  .middle = " <|constrain|>json<|message|>",
                  .close = "",
                  .between = "",
                  .shut = "",
                  .triggers = { "<|channel|>commentary to=functions." } },
    [DEEPSEEK_FENCED] = { .name = "deepseek",
                          .shape = DEN_ANSWER_HEAD,
                          .signs = { DS_CALLS, DS_SEPARATOR, "```json" },
                          .begins = { DS_CALLS },
                          .vanish = { "```", DS_CALL_END, DS_CALLS_END },
                          .again = DS_CALL,
                          .separator = DS_SEPARATOR,
                          .open = DS_CALLS,
                          .call = DS_CALL "function" DS_SEPARATOR,
                          .middle = "\n```json\n",
                          .close = "\n```" DS_CALL_END,
                          .between = "\n",
                          .shut = DS_CALLS_END,
                          .triggers = { DS_CALLS } },
    [DEEPSEEK] = { .name = "deepseek-v3.1",
                   .shape = DEN_ANSWER_HEAD,
                   .signs = { DS_CALLS, DS_SEPARATOR },
                   .begins = { DS_CALLS },
                   .vanish = { "```", DS_CALL_END, DS_CALLS_END },
                   .again = DS_CALL,
                   .separator = DS_SEPARATOR,
                   .open = DS_CALLS,
                   .call = DS_CALL,
                   .middle = DS_SEPARATOR,
                   .close = DS_CALL_END,
                   .between = "",
                   .shut = DS_CALLS_END,
                   .triggers = { DS_CALLS } },
    [QWEN_CODER] = { .name = "qwen3-coder",
                     .shape = DEN_ANSWER_XML,
                     .signs = { "<function=", "<parameter=" },
                     .begins = { "<tool_call>", "<function=" },
                     .vanish = { "</tool_call>" },
                     .open = "",
                     .call = "<tool_call>\n<function=",
                     .middle = ">\n",
                     .close = "</function>\n</tool_call>",
                     .between = "\n",
                     .shut = "",
                     .triggers = { "<tool_call>" } },
    [MISTRAL_HEAD] = { .name = "mistral-args",
                       .shape = DEN_ANSWER_HEAD,
                       .signs = { "[TOOL_CALLS]", "[ARGS]" },
                       .begins = { "[TOOL_CALLS]" },
                       .separator = "[ARGS]",
                       .name_key = "name",
                       .arguments_key = "arguments",
                       .open = "",
                       .call = "[TOOL_CALLS]",
                       .middle = "[ARGS]",
                       .close = "",
                       .between = "",
                       .shut = "",
                       .triggers = { "[TOOL_CALLS]" } },
    [MISTRAL] = { .name = "mistral",
                  .shape = DEN_ANSWER_OBJECT,
                  .signs = { "[TOOL_CALLS]" },
                  .begins = { "[TOOL_CALLS]" },
                  .separator = "[ARGS]",
                  .name_key = "name",
                  .arguments_key = "arguments",
                  .open = "[TOOL_CALLS] [",
                  .call = "{\"name\": \"",
                  .middle = "\", \"arguments\": ",
                  .close = "}",
                  .between = ", ",
                  .shut = "]",
                  .triggers = { "[TOOL_CALLS]" } },
    [COMMAND] = { .name = "command-r7b",
                  .shape = DEN_ANSWER_OBJECT,
                  .signs = { "<|START_ACTION|>" },
                  .begins = { "<|START_ACTION|>" },
                  .vanish = { "<|END_ACTION|>" },
                  .drop = { "<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>",
                            "<|END_TEXT|>" },
                  .name_key = "tool_name",
                  .arguments_key = "parameters",
                  .open = "<|START_ACTION|>[\n    ",
                  .call = "{\"tool_call_id\": \"0\", \"tool_name\": \"",
                  .middle = "\", \"parameters\": ",
                  .close = "}",
                  .between = ",\n    ",
                  .shut = "\n]<|END_ACTION|>",
                  .triggers = { "<|START_ACTION|>" } },
    [PHI4] = { .name = "phi4-mini",
               .shape = DEN_ANSWER_OBJECT,
               .signs = { "<|tool|>", "<|/tool|>" },
               .begins = { "<|tool_call|>" },
               .vanish = { "<|/tool_call|>" },
               .name_key = "name",
               .arguments_key = "arguments",
               .open = "<|tool_call|>[",
               .call = "{\"name\": \"",
               .middle = "\", \"arguments\": ",
               .close = "}",
               .between = ", ",
               .shut = "]<|/tool_call|>",
               .triggers = { "<|tool_call|>" } },
    [GRANITE] = { .name = "granite",
                  .shape = DEN_ANSWER_OBJECT,
                  .signs = { "<|tool_call|>" },
                  .begins = { "<|tool_call|>" },
                  .name_key = "name",
                  .arguments_key = "arguments",
                  .open = "<|tool_call|>[",
                  .call = "{\"name\": \"",
                  .middle = "\", \"arguments\": ",
                  .close = "}",
                  .between = ", ",
                  .shut = "]",
                  .triggers = { "<|tool_call|>" } },
    [HERMES] = { .name = "hermes",
                 .shape = DEN_ANSWER_OBJECT,
                 .signs = { "<tool_call>" },
                 .begins = { "<tool_call>" },
                 .vanish = { "</tool_call>" },
                 .name_key = "name",
                 .arguments_key = "arguments",
                 .open = "",
                 .call = "<tool_call>\n{\"name\": \"",
                 .middle = "\", \"arguments\": ",
                 .close = "}\n</tool_call>",
                 .between = "\n",
                 .shut = "",
                 .triggers = { "<tool_call>" } },
    [LLAMA] = { .name = "llama3",
                .shape = DEN_ANSWER_OBJECT,
                .signs = { "<|start_header_id|>" },
                .begins = { "<|python_tag|>", "{\"name\": \"", "<function=" },
                .vanish = { "</function>" },
                .separator = ">",
                .bare = true,
                .single = true,
                .name_key = "name",
                .arguments_key = "parameters",
                .open = "",
                .call = "{\"name\": \"",
                .middle = "\", \"parameters\": ",
                .close = "}",
                .between = "; ",
                .shut = "",
                .triggers = { "<|python_tag|>", "{\"name\": \"" } },
    [GEMMA] = { .name = "gemma",
                .shape = DEN_ANSWER_OBJECT,
                .signs = { "<start_of_turn>" },
                .begins = { "```tool_call", "```tool_code" },
                .vanish = { "```" },
                .name_key = "name",
                .arguments_key = "arguments",
                .open = "",
                .call = "```tool_call\n{\"name\": \"",
                .middle = "\", \"arguments\": ",
                .close = "}\n```",
                .between = "\n",
                .shut = "",
                .triggers = { "```tool_call" } },
};

/* Marks of reasoning; a family that has several is known by the first of them. */
enum thought {
    NO_THOUGHT,
    THINK,
    THINK_BRACKETS,
    THINKING_TOKENS,
    SEED_THINK,
    KIMI_THINK,
    THOUGHT,
    INNER_TOKENS,
    CHANNEL_THOUGHT,
    THOUGHTS,
    LAST_THOUGHT = INNER_TOKENS /* of those with marks */
};

static const struct den_answer_thought thoughts[THOUGHTS] = {
    [THINK] = { "<think>", "<think>", "</think>" },
    [THINK_BRACKETS] = { "[THINK]", "[THINK]", "[/THINK]" },
    [THINKING_TOKENS] = { "<|START_THINKING|>", "<|START_THINKING|>", "<|END_THINKING|>" },
    [SEED_THINK] = { "<seed:think>", "<seed:think>", "</seed:think>" },
    [KIMI_THINK] = { KIMI_OPEN, KIMI_OPEN, KIMI_CLOSE },
    [THOUGHT] = { "<thought>", "<thought>", "</thought>" },
    [INNER_TOKENS] = { "<|inner_prefix|>", "<|inner_prefix|>", "<|inner_suffix|>" },
    [CHANNEL_THOUGHT] = { NULL, NULL, NULL }, /* harmony: a channel of its own */
};

/* All combinations of a family, its reasoning and whether its template writes tools. */
#define FORMAT(family, thought)                                                                    \
    {                                                                                              \
        { &families[family], (thought) ? &thoughts[thought] : NULL, false },                       \
        {                                                                                          \
            &families[family], (thought) ? &thoughts[thought] : NULL, true                         \
        }                                                                                          \
    }
#define FORMATS(family)                                                                            \
    {                                                                                              \
        FORMAT(family, NO_THOUGHT), FORMAT(family, THINK), FORMAT(family, THINK_BRACKETS),         \
            FORMAT(family, THINKING_TOKENS), FORMAT(family, SEED_THINK),                           \
            FORMAT(family, KIMI_THINK), FORMAT(family, THOUGHT), FORMAT(family, INNER_TOKENS),     \
            FORMAT(family, CHANNEL_THOUGHT)                                                        \
    }

static const struct den_answer_format formats[FAMILIES][THOUGHTS][2] = {
    FORMATS(HARMONY),      FORMATS(DEEPSEEK_FENCED), FORMATS(DEEPSEEK), FORMATS(QWEN_CODER),
    FORMATS(MISTRAL_HEAD), FORMATS(MISTRAL),         FORMATS(COMMAND),  FORMATS(PHI4),
    FORMATS(GRANITE),      FORMATS(HERMES),          FORMATS(LLAMA),    FORMATS(GEMMA),
};

static bool has_signs(const struct den_answer_syntax *syntax, const char *source)
{
    size_t i;

    for (i = 0; i < 3 && syntax->signs[i]; i++)
        if (!strstr(source, syntax->signs[i]))
            return false;
    return true;
}

/* Whether a tool given to the template comes out of it. Some templates speak of tools and never
 * write them, so this is tried rather than read from the source. */
static bool writes_tools(const char *source)
{
    struct den_error trouble = { 0 };
    struct den_template *compiled = NULL;
    struct den_buffer out;
    bool does = false;
    json_t *variables = json_pack(
        "{s:[{s:s, s:s}], s:[{s:s, s:{s:s, s:s, s:{s:s, s:{s:{s:s, s:s}}, s:[s]}}}], s:b, s:s, "
        "s:s}",
        "messages", "role", "user", "content", "Hello", "tools", "type", "function", "function",
        "name", "needle_in_hay", "description", "Finds it.", "parameters", "type", "object",
        "properties", "place", "type", "string", "description", "Where.", "required", "place",
        "add_generation_prompt", 1, "bos_token", "", "eos_token", "");

    den_buffer_init(&out, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (variables && den_template_create(source, strlen(source), &compiled, &trouble) == DEN_OK &&
        den_template_render(compiled, variables, 0, &out, &trouble) == DEN_OK)
        does = strstr(out.data, "needle_in_hay") != NULL;
    den_template_destroy(compiled);
    den_buffer_deinit(&out);
    json_decref(variables);
    return does;
}

static enum thought find_thought(enum family family, const char *source,
                                 const struct den_tokenizer *tokenizer)
{
    enum thought i;

    if (family == HARMONY)
        return CHANNEL_THOUGHT;
    for (i = THINK; i <= LAST_THOUGHT; i++)
        if (strstr(source, thoughts[i].open) || strstr(source, thoughts[i].close))
            return i;
    for (i = THINK; tokenizer && i <= LAST_THOUGHT; i++)
        if (den_tokenizer_find(tokenizer, thoughts[i].open, strlen(thoughts[i].open)) !=
            DEN_TOKEN_NONE)
            return i;
    return NO_THOUGHT;
}

const struct den_answer_format *den_answer_format_find(const char *template_source,
                                                       const struct den_tokenizer *tokenizer)
{
    const char *source = template_source ? template_source : "";
    enum family family = HARMONY;
    bool is_known;

    while (family < FAMILIES && !has_signs(&families[family], source))
        family++;
    is_known = family < FAMILIES && writes_tools(source);
    if (family == FAMILIES)
        family = HERMES;
    return &formats[family][find_thought(family, source, tokenizer)][is_known];
}

const char *den_answer_format_name(const struct den_answer_format *format)
{
    return format->syntax->name;
}

bool den_answer_format_knows_tools(const struct den_answer_format *format)
{
    return format->knows_tools;
}

bool den_answer_format_knows_reasoning(const struct den_answer_format *format)
{
    return format->thought != NULL;
}

bool den_answer_format_opens_reasoning(const struct den_answer_format *format, const char *prompt,
                                       size_t length)
{
    const char *mark = format->thought ? format->thought->open : NULL;
    const size_t bytes = mark ? strlen(mark) : 0;

    while (length > 0 && strchr(" \n\r\t", prompt[length - 1]))
        length--;
    return mark && length >= bytes && memcmp(prompt + length - bytes, mark, bytes) == 0;
}

static bool is_name(const char *mark, const char *name, size_t length)
{
    return mark && strlen(mark) == length && memcmp(mark, name, length) == 0;
}

static bool is_one_of(const char *const *marks, const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < DEN_ANSWER_MARKS_MAX; i++)
        if (is_name(marks[i], name, length))
            return true;
    return false;
}

bool den_answer_format_is_mark(const char *name, size_t length)
{
    static const char *const others[] = { "[ARGS]",        "[CALL_ID]", "<|channel|>",
                                          "<|message|>",   "<|end|>",   "<|start|>",
                                          "<|constrain|>", DS_CALL,     DS_SEPARATOR };
    size_t i;

    for (i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_name(others[i], name, length))
            return true;
    for (i = 0; i < FAMILIES; i++)
        if (is_one_of(families[i].begins, name, length) ||
            is_one_of(families[i].vanish, name, length) ||
            is_one_of(families[i].drop, name, length))
            return true;
    for (i = THINK; i <= LAST_THOUGHT; i++)
        if (is_name(thoughts[i].open, name, length) || is_name(thoughts[i].close, name, length))
            return true;
    return false;
}

struct den_token_text den_answer_format_piece(const struct den_tokenizer *tokenizer,
                                              den_token token)
{
    struct den_token_text name;

    if (!den_tokenizer_is_special(tokenizer, token))
        return den_tokenizer_piece(tokenizer, token);
    name = den_tokenizer_name(tokenizer, token);
    return den_answer_format_is_mark(name.bytes, name.length) ? name
                                                              : (struct den_token_text){ "", 0 };
}
