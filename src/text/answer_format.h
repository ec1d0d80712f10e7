/* Answer format: how a family of models writes tool calls and reasoning inside its answers.
 *
 * A chat template tells how calls are shown to the model, and so how it will write its own: Hermes
 * and Qwen <tool_call>{"name", "arguments"}</tool_call>, Llama 3 a bare {"name", "parameters"} or
 * <|python_tag|>, Mistral [TOOL_CALLS][{...}], Gemma, SmolLM, DeepSeek theirs. A format is found
 * from the template's source; it yields the grammar that calls are generated under, and a parser
 * that turns the text of an answer, as it streams, into text, reasoning and calls. */
#ifndef DEN_TEXT_ANSWER_FORMAT_H
#define DEN_TEXT_ANSWER_FORMAT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "text/grammar.h"
#include "text/tokenizer.h"

struct den_answer_format; /* static data */

/* Never fails: a template that shows no tools gets the format "hermes", and tools are then
 * described in a system message (den_answer_format_describe_tools). */
const struct den_answer_format *den_answer_format_find(const char *template_source,
                                                       const struct den_tokenizer *tokenizer);
const char *den_answer_format_name(const struct den_answer_format *format);
/* True where the template writes tools itself. */
bool den_answer_format_knows_tools(const struct den_answer_format *format);
bool den_answer_format_knows_reasoning(const struct den_answer_format *format);
/* Whether a prompt, of which `prompt` is the end, has begun the reasoning for the model already:
 * some templates write the mark that opens it ("<think>", "[THINK]") before the answer. */
bool den_answer_format_opens_reasoning(const struct den_answer_format *format, const char *prompt,
                                       size_t length);

/* Marks ("<tool_call>", "[TOOL_CALLS]", "<think>") are control tokens in many models, and control
 * tokens have no text. In an answer these do: as den_tokenizer_piece(), but a control token whose
 * name is a mark of any format gives its name. Grammars over tokens and streams read this. */
struct den_token_text den_answer_format_piece(const struct den_tokenizer *tokenizer,
                                              den_token token);
bool den_answer_format_is_mark(const char *name, size_t length);

/* For templates without tools: a copy of `messages` in which the system message describes the tools
 * and calls and results in the history are written as text. */
enum den_status den_answer_format_describe_tools(const struct den_answer_format *format,
                                                 const json_t *messages, const json_t *tools,
                                                 json_t **out_messages, struct den_error *err);

enum { DEN_ANSWER_TRIGGERS_MAX = 4 };
struct den_answer_plan {
    struct den_grammar *grammar; /* NULL: nothing to hold the answer to; owned by the caller */
    const char *triggers[DEN_ANSWER_TRIGGERS_MAX]; /* static text */
    size_t trigger_count;                          /* 0: the answer is a call from the start */
    bool once;                                     /* the answer ends after the first call(s) */
    bool reasons; /* an answer that is a call from the start may still begin with reasoning */
};
enum den_answer_plan_flag {
    DEN_ANSWER_SINGLE = 1, /* no more than one call */
    DEN_ANSWER_OPENED = 2, /* the prompt has opened the reasoning */
    DEN_ANSWER_DIRECT = 4  /* no reasoning first, though the format has it */
};
/* For OpenAI's `tools` and `tool_choice` (NULL: "auto"). DEN_INVALID names a tool that is not
 * there. An argument schema that can't be compiled is DEN_UNSUPPORTED where the tool is `strict`;
 * otherwise its arguments are held to be a JSON object and no more. Also taken as a choice:
 * OpenAI's {"type": "allowed_tools"}. `flags` are of enum den_answer_plan_flag. A call that must be
 * leaves room for the format's reasoning before it. */
enum den_status den_answer_format_plan(const struct den_answer_format *format, const json_t *tools,
                                       const json_t *tool_choice, unsigned flags,
                                       struct den_answer_plan *out, struct den_error *err);

enum den_answer_part_kind {
    DEN_ANSWER_TEXT,
    DEN_ANSWER_REASONING,
    DEN_ANSWER_TOOL_CALL,     /* `text` is the name */
    DEN_ANSWER_TOOL_ARGUMENTS /* `text` is the next part of the arguments */
};
struct den_answer_part {
    enum den_answer_part_kind kind;
    size_t tool_index;
    const char *text;
    size_t length;
};
typedef void (*den_answer_handler)(void *context, const struct den_answer_part *part);

struct den_answer_parser;
struct den_answer_parser_options {
    const struct den_answer_format *format;
    bool tools;     /* look for calls: the request had tools and tool_choice was not "none" */
    bool reasoning; /* look for reasoning */
    bool opened;    /* the prompt ends inside a reasoning block already ("<think>\n") */
    const json_t
        *tool_list; /* NULL, or the request's tools, which outlive the parser: formats without
                                JSON (qwen3-coder) learn from them what is a string */
    den_answer_handler handler;
    void *context;
};
enum den_status den_answer_parser_create(const struct den_answer_parser_options *options,
                                         struct den_answer_parser **out, struct den_error *err);
void den_answer_parser_destroy(struct den_answer_parser *parser);
/* Holds back what may be the beginning of a mark. `text` is valid UTF-8. */
enum den_status den_answer_parser_push(struct den_answer_parser *parser, const char *text,
                                       size_t length, struct den_error *err);
/* The end of the answer. A call that is malformed or unfinished (no arguments were told of yet)
 * comes back as TEXT, raw, and *out_note says what was wrong (static or owned by the parser; NULL:
 * all is well). */
enum den_status den_answer_parser_finish(struct den_answer_parser *parser, const char **out_note,
                                         struct den_error *err);
size_t den_answer_parser_calls(const struct den_answer_parser *parser);

#endif
