/* See answer_format.h.
 *
 * The parser reads byte by byte, and every decision depends on the bytes so far alone: how an
 * answer is cut into pushes can't change what comes out, only how it is cut into parts. Bytes wait
 * in `held` while they may begin a mark, blanks in `spaces` while a call or the end may still
 * follow them. What belongs to a call that has not been told of waits in `raw`: if it turns out to
 * be no call, its first byte is text and the rest is read again, so that nothing is lost and a
 * call inside is still found.
 *
 * Kept as they are: text and the arguments of calls. Dropped: the marks, and blanks beside them. */
#include <stdlib.h>
#include <string.h>

#include "text/answer_format_parts.h"

bool den_answer_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum den_answer_match den_answer_match(const char *mark, const char *text, size_t length)
{
    size_t whole = mark ? strlen(mark) : 0;

    if (whole < length || memcmp(mark ? mark : "", text, length) != 0)
        return DEN_MATCH_NONE;
    return whole == length ? DEN_MATCH_WHOLE : DEN_MATCH_BEGUN;
}

static void flush(struct den_answer_parser *parser)
{
    const struct den_answer_part part = { .kind = parser->out_kind,
                                          .tool_index = parser->calls > 0 ? parser->calls - 1 : 0,
                                          .text = parser->out.data,
                                          .length = parser->out.length };

    if (parser->out.length > 0)
        parser->handler(parser->context, &part);
    den_buffer_clear(&parser->out);
}

void den_answer_emit(struct den_answer_parser *parser, enum den_answer_part_kind kind,
                     const char *text, size_t length)
{
    if (kind != parser->out_kind || kind == DEN_ANSWER_TOOL_CALL)
        flush(parser);
    if (kind == DEN_ANSWER_TOOL_CALL)
        parser->calls++;
    parser->out_kind = kind;
    den_buffer_append(&parser->out, text, length);
}

void den_answer_emit_text(struct den_answer_parser *parser, const char *text, size_t length)
{
    if (length == 0)
        return;
    if (parser->spaces.length > 0)
        den_answer_emit(parser, parser->outer, parser->spaces.data, parser->spaces.length);
    den_buffer_clear(&parser->spaces);
    den_answer_emit(parser, parser->outer, text, length);
    parser->at_start = false;
    parser->is_fresh = false;
}

enum den_status den_answer_parser_create(const struct den_answer_parser_options *options,
                                         struct den_answer_parser **out, struct den_error *err)
{
    struct den_answer_parser *parser = calloc(1, sizeof *parser);
    struct den_buffer *const buffers[] = { &parser->input,     &parser->spaces,
                                           &parser->held,      &parser->raw,
                                           &parser->out,       &parser->call.key,
                                           &parser->call.name, &parser->call.value };
    const bool is_harmony = options->format->syntax->shape == DEN_ANSWER_CHANNELS;
    size_t i;

    if (!parser)
        return den_fail(err, DEN_NO_MEMORY, "answer: out of memory");
    for (i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        den_buffer_init(buffers[i], 2 * (size_t)DEN_ANSWER_BYTES_MAX);
    parser->format = options->format;
    parser->tools = options->tools;
    parser->reasoning = options->reasoning && options->format->thought;
    parser->handler = options->handler;
    parser->context = options->context;
    parser->tool_list = options->tool_list;
    parser->at_start = true;
    parser->outer = DEN_ANSWER_TEXT;
    if (is_harmony && (parser->tools || parser->reasoning)) {
        parser->state = DEN_ANSWER_IN_HEADER;
    } else if (options->opened && parser->reasoning) {
        parser->state = DEN_ANSWER_IN_REASONING;
        parser->outer = DEN_ANSWER_REASONING;
        parser->is_fresh = true;
    }
    *out = parser;
    return DEN_OK;
}

void den_answer_parser_destroy(struct den_answer_parser *parser)
{
    if (!parser)
        return;
    den_buffer_deinit(&parser->input);
    den_buffer_deinit(&parser->spaces);
    den_buffer_deinit(&parser->held);
    den_buffer_deinit(&parser->raw);
    den_buffer_deinit(&parser->out);
    den_buffer_deinit(&parser->call.key);
    den_buffer_deinit(&parser->call.name);
    den_buffer_deinit(&parser->call.value);
    free(parser);
}

/* What held text is: the mark itself in *out_mark when it is whole. */
struct found {
    enum den_answer_match match;
    enum { OPEN, CLOSE, CALL, BARE, DROP } what;
};

static void consider(struct found *found, const char *mark, int what, const struct den_buffer *held)
{
    enum den_answer_match match = den_answer_match(mark, held->data, held->length);

    if (match > found->match) {
        found->match = match;
        found->what = what;
    }
}

static struct found look_at_held(const struct den_answer_parser *parser)
{
    const struct den_answer_syntax *syntax = parser->format->syntax;
    const struct den_answer_thought *thought = parser->format->thought;
    const bool in_reasoning = parser->state == DEN_ANSWER_IN_REASONING;
    struct found found = { .match = DEN_MATCH_NONE };
    size_t i;

    if (in_reasoning)
        consider(&found, thought->close, CLOSE, &parser->held);
    else if (parser->reasoning && parser->at_start)
        consider(&found, thought->open, OPEN, &parser->held);
    for (i = 0; i < DEN_ANSWER_MARKS_MAX; i++)
        consider(&found, syntax->drop[i], DROP, &parser->held);
    if (!parser->tools)
        return found;
    for (i = 0; i < DEN_ANSWER_MARKS_MAX; i++)
        consider(&found, syntax->begins[i], CALL, &parser->held);
    if (syntax->bare && parser->at_start && !in_reasoning)
        consider(&found, "{", BARE, &parser->held);
    return found;
}

static void take_mark(struct den_answer_parser *parser, struct found found)
{
    struct den_buffer mark = parser->held;

    switch (found.what) {
    case OPEN:
    case CLOSE:
        parser->state = found.what == OPEN ? DEN_ANSWER_IN_REASONING : DEN_ANSWER_IN_TEXT;
        parser->outer = found.what == OPEN ? DEN_ANSWER_REASONING : DEN_ANSWER_TEXT;
        parser->is_fresh = true;
        den_buffer_clear(&parser->spaces);
        den_buffer_clear(&parser->held);
        return;
    case DROP:
        den_buffer_clear(&parser->held);
        return;
    default:
        parser->held = parser->raw; /* empty: nothing is being read yet */
        parser->raw = mark;
        parser->call.is_speculative = mark.data[0] == '{';
        den_answer_call_begin(parser);
    }
}

/* Whether blanks wait: a call, the end of the reasoning or of the answer may make them vanish. */
static bool holds_blanks(const struct den_answer_parser *parser)
{
    return parser->tools || parser->state == DEN_ANSWER_IN_REASONING ||
           (parser->at_start && parser->reasoning);
}

static void text_byte(struct den_answer_parser *parser, char byte)
{
    den_buffer_append_byte(&parser->held, byte);
    while (parser->held.length > 0) {
        struct found found = look_at_held(parser);
        char first = parser->held.data[0];

        if (found.match == DEN_MATCH_WHOLE) {
            take_mark(parser, found);
            return;
        }
        if (found.match == DEN_MATCH_BEGUN)
            return;
        if (den_answer_is_blank(first) && parser->is_fresh)
            ; /* beside a mark */
        else if (den_answer_is_blank(first) && holds_blanks(parser))
            den_buffer_append_byte(&parser->spaces, first);
        else
            den_answer_emit_text(parser, &first, 1);
        den_buffer_consume(&parser->held, 1);
    }
}

static void read_byte(struct den_answer_parser *parser, char byte)
{
    switch (parser->state) {
    case DEN_ANSWER_IN_TEXT:
    case DEN_ANSWER_IN_REASONING:
        text_byte(parser, byte);
        return;
    case DEN_ANSWER_IN_CALL:
        den_answer_call_byte(parser, byte);
        return;
    case DEN_ANSWER_AFTER_CALL:
        den_answer_after_call_byte(parser, byte);
        return;
    case DEN_ANSWER_IN_XML:
        den_answer_xml_byte(parser, byte);
        return;
    case DEN_ANSWER_IN_HEADER:
        den_answer_header_byte(parser, byte);
        return;
    case DEN_ANSWER_IN_BODY:
        den_answer_body_byte(parser, byte);
        return;
    }
}

static enum den_status check(struct den_answer_parser *parser, struct den_error *err)
{
    const struct den_buffer *const buffers[] = { &parser->input, &parser->spaces,
                                                 &parser->held,  &parser->raw,
                                                 &parser->out,   &parser->call.value };
    size_t i;

    for (i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (den_buffer_status(buffers[i], "answer", err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static void read_input(struct den_answer_parser *parser)
{
    while (parser->read < parser->input.length) {
        char byte = parser->input.data[parser->read++];

        read_byte(parser, byte);
    }
    den_buffer_clear(&parser->input);
    parser->read = 0;
}

enum den_status den_answer_parser_push(struct den_answer_parser *parser, const char *text,
                                       size_t length, struct den_error *err)
{
    den_buffer_append(&parser->input, text, length);
    if (den_buffer_status(&parser->input, "answer", err) != DEN_OK)
        return err->status;
    read_input(parser);
    flush(parser);
    return check(parser, err);
}

enum den_status den_answer_parser_finish(struct den_answer_parser *parser, const char **out_note,
                                         struct den_error *err)
{
    switch (parser->state) {
    case DEN_ANSWER_IN_TEXT:
    case DEN_ANSWER_IN_REASONING:
        break;
    case DEN_ANSWER_IN_HEADER:
    case DEN_ANSWER_IN_BODY:
        den_answer_harmony_finish(parser);
        break;
    default:
        den_answer_call_finish(parser);
    }
    den_answer_emit_text(parser, parser->held.data, parser->held.length);
    den_buffer_clear(&parser->held);
    if (parser->calls == 0 && parser->outer == DEN_ANSWER_TEXT && parser->spaces.length > 0)
        den_answer_emit(parser, DEN_ANSWER_TEXT, parser->spaces.data, parser->spaces.length);
    den_buffer_clear(&parser->spaces);
    flush(parser);
    *out_note = parser->note;
    return check(parser, err);
}

size_t den_answer_parser_calls(const struct den_answer_parser *parser)
{
    return parser->calls;
}
