/* Harmony, the format of gpt-oss: an answer is a row of messages, each with a header.
 *
 *     <|channel|>analysis<|message|>REASONING<|end|>
 *     <|start|>assistant<|channel|>final<|message|>TEXT
 *     <|start|>assistant<|channel|>commentary to=functions.NAME <|constrain|>json
 *         <|message|>{...}<|call|>
 *
 * The prompt ends with "<|start|>assistant", so the first header has lost its beginning. A header
 * waits in `held`, a body leaves at once but for what may be the next mark. */
#include <string.h>

#include "text/answer_format_parts.h"

enum { HEADER_BYTES_MAX = 512 };

static const char message_mark[] = "<|message|>";
static const char channel_mark[] = "<|channel|>";
static const char recipient_mark[] = "to=functions.";
static const char no_header[] = "a message had no header; it is in the text as it was written";
static const char no_arguments[] = "a tool call's arguments were not JSON; they are in the text as "
                                   "they were written";

/* What is no header is text to the end: every message after it would be a guess. */
static void give_up(struct den_answer_parser *parser, const char *note)
{
    parser->note = note;
    parser->state = DEN_ANSWER_IN_TEXT;
    parser->outer = DEN_ANSWER_TEXT;
    parser->tools = false;
    parser->reasoning = false;
    den_answer_emit_text(parser, parser->held.data, parser->held.length);
    den_buffer_clear(&parser->held);
}

static void begin_body(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;
    const char *header = parser->held.data;
    const char *channel = strstr(header, channel_mark);
    const char *recipient = strstr(header, recipient_mark);

    parser->state = DEN_ANSWER_IN_BODY;
    parser->body = DEN_BODY_TEXT;
    if (parser->tools && recipient) {
        recipient += strlen(recipient_mark);
        den_buffer_clear(&call->name);
        den_buffer_append(&call->name, recipient, strcspn(recipient, " \t\r\n<"));
        if (call->name.length > 0) {
            parser->body = DEN_BODY_CALL;
            call->is_told = false;
            den_json_scan_init(&call->scan);
            den_buffer_clear(&parser->raw);
            den_buffer_append(&parser->raw, header, parser->held.length);
            den_buffer_clear(&parser->held);
            return;
        }
    }
    if (parser->reasoning && channel && strncmp(channel + strlen(channel_mark), "analysis", 8) == 0)
        parser->body = DEN_BODY_REASONING;
    parser->outer = parser->body == DEN_BODY_REASONING ? DEN_ANSWER_REASONING : DEN_ANSWER_TEXT;
    parser->is_fresh = parser->body == DEN_BODY_TEXT;
    den_buffer_clear(&parser->held);
}

/* Headers begin with one of these. */
static bool may_be_header(const struct den_buffer *held)
{
    static const char *const beginnings[] = { channel_mark, "<|start|>", message_mark,
                                              " to=", "to=" };
    size_t i;

    for (i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t length = strlen(beginnings[i]);

        if (strncmp(held->data, beginnings[i], length < held->length ? length : held->length) == 0)
            return true;
    }
    return false;
}

void den_answer_header_byte(struct den_answer_parser *parser, char byte)
{
    struct den_buffer *held = &parser->held;
    const size_t length = sizeof message_mark - 1;

    den_buffer_append_byte(held, byte);
    if (byte == '\0' || !may_be_header(held) || held->length > HEADER_BYTES_MAX)
        give_up(parser, no_header);
    else if (held->length >= length &&
             memcmp(held->data + held->length - length, message_mark, length) == 0)
        begin_body(parser);
}

/* A byte of arguments. */
static void call_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;
    struct den_json_scan after = call->scan;

    if (den_json_scan_is_whole(&call->scan) && den_answer_is_blank(byte))
        return;
    if (!den_json_scan_byte(&after, byte) ||
        (!call->is_told && byte != '{' && !den_answer_is_blank(byte))) {
        parser->note = no_arguments;
        parser->body = DEN_BODY_TEXT;
        parser->outer = DEN_ANSWER_TEXT;
        den_answer_emit_text(parser, parser->raw.data, parser->raw.length);
        den_answer_emit_text(parser, &byte, 1);
        den_buffer_clear(&parser->raw);
        return;
    }
    if (!call->is_told && byte == '{')
        den_answer_call_tell(parser);
    if (call->is_told)
        den_answer_call_tell_byte(parser, byte);
    else
        den_buffer_append_byte(&parser->raw, byte);
    call->scan = after;
}

static void end_body(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;

    if (parser->body != DEN_BODY_CALL)
        return;
    if (!call->is_told) {
        parser->note = no_arguments;
        parser->outer = DEN_ANSWER_TEXT;
        den_answer_emit_text(parser, parser->raw.data, parser->raw.length);
        den_buffer_clear(&parser->raw);
    } else if (!den_json_scan_is_whole(&call->scan)) {
        parser->note = "a tool call's arguments were not finished";
    }
    call->is_told = false;
    parser->body = DEN_BODY_TEXT;
}

void den_answer_body_byte(struct den_answer_parser *parser, char byte)
{
    static const char *const ends[] = { "<|end|>", "<|call|>", "<|return|>", "<|start|>",
                                        channel_mark };
    struct den_buffer *held = &parser->held;
    size_t i;

    den_buffer_append_byte(held, byte);
    while (held->length > 0) {
        bool is_begun = false;

        for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            enum den_answer_match match = den_answer_match(ends[i], held->data, held->length);

            if (match == DEN_MATCH_WHOLE) {
                end_body(parser);
                parser->state = DEN_ANSWER_IN_HEADER;
                if (i < 3) /* the other two are a header's beginning */
                    den_buffer_clear(held);
                return;
            }
            is_begun = is_begun || match == DEN_MATCH_BEGUN;
        }
        if (is_begun)
            return;
        if (parser->body == DEN_BODY_CALL)
            call_byte(parser, held->data[0]);
        else
            den_answer_emit_text(parser, held->data, 1);
        den_buffer_consume(held, 1);
    }
}

void den_answer_harmony_finish(struct den_answer_parser *parser)
{
    if (parser->state == DEN_ANSWER_IN_BODY && parser->body == DEN_BODY_CALL) {
        size_t i;

        for (i = 0; i < parser->held.length && parser->body == DEN_BODY_CALL; i++)
            call_byte(parser, parser->held.data[i]);
        den_buffer_consume(&parser->held, i);
        end_body(parser);
    } else if (parser->state == DEN_ANSWER_IN_HEADER && parser->held.length > 0) {
        parser->outer = DEN_ANSWER_TEXT;
        if (strstr(parser->held.data, recipient_mark))
            parser->note = "a tool call was not finished; what there was of it is in the text as "
                           "it was written";
        else
            den_buffer_clear(&parser->held); /* the next message's header, cut off */
    }
}
