/* Calls that hold JSON: {"name": NAME, "arguments": {...}}, alone or in a list, or a name in marks
 * of its own before the arguments.
 *
 * The client is told of a call when its name is known and its arguments have begun; from then on
 * the arguments are passed on as they come. Arguments before the name wait. Arguments in quotes
 * (JSON in a JSON text, which some models write) wait until they are whole and are unquoted. */
#include <string.h>

#include "base/json.h"
#include "text/answer_format_parts.h"

enum { HEAD_BYTES_MAX = 1024 };

static void begin_object(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;

    den_json_scan_init(&call->scan);
    call->target = DEN_ANSWER_SKIP;
    call->in_object = true;
    call->only_values = false;
    call->is_told = false;
    call->has_arguments = false;
    den_buffer_clear(&call->key);
    den_buffer_clear(&call->name);
    den_buffer_clear(&call->value);
}

void den_answer_call_begin(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;
    const struct den_answer_syntax *syntax = parser->format->syntax;

    call->in_list = false;
    call->in_object = false;
    call->in_head = false;
    call->vanished = 0;
    call->is_told = false;
    call->in_section = 0;
    den_buffer_clear(&call->name);
    parser->state = DEN_ANSWER_IN_CALL;
    if (syntax->shape == DEN_ANSWER_XML) {
        den_answer_xml_begin(parser);
    } else if (parser->raw.data[0] == '{') { /* the mark is the beginning of the object */
        size_t i;

        begin_object(parser);
        for (i = 0; i < parser->raw.length; i++)
            den_json_scan_byte(&call->scan, parser->raw.data[i]);
        if (parser->raw.length > 1) { /* {"name": " */
            den_buffer_append_text(&call->key, syntax->name_key);
            den_buffer_append_byte(&call->name, '"');
            call->target = DEN_ANSWER_NAME;
        }
    }
}

/* Puts the text that is to be read again before what is still to be read. */
static void read_again(struct den_answer_parser *parser, const char *text, size_t length)
{
    struct den_buffer input;

    den_buffer_init(&input, parser->input.length_max);
    den_buffer_append(&input, text, length);
    den_buffer_append(&input, parser->input.data + parser->read,
                      parser->input.length - parser->read);
    if (input.status != DEN_OK)
        parser->out.status = input.status; /* den_answer_parser_push() reports it */
    den_buffer_deinit(&parser->input);
    parser->input = input;
    parser->read = 0;
}

static void go_back(struct den_answer_parser *parser)
{
    parser->state =
        parser->outer == DEN_ANSWER_REASONING ? DEN_ANSWER_IN_REASONING : DEN_ANSWER_IN_TEXT;
    parser->call.in_object = false;
    parser->call.in_head = false;
    den_buffer_clear(&parser->held); /* all of it is in `raw` */
}

void den_answer_call_fail(struct den_answer_parser *parser, const char *note)
{
    const bool is_told = parser->call.is_told;

    go_back(parser);
    if (!parser->call.is_speculative || is_told)
        parser->note = note;
    if (parser->raw.length > 0) {
        size_t first = is_told ? 0 : 1;

        den_answer_emit_text(parser, parser->raw.data, first);
        read_again(parser, parser->raw.data + first, parser->raw.length - first);
    }
    den_buffer_clear(&parser->raw);
}

void den_answer_call_leave(struct den_answer_parser *parser)
{
    go_back(parser);
    read_again(parser, parser->raw.data, parser->raw.length);
    den_buffer_clear(&parser->raw);
}

void den_answer_call_tell(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;

    den_buffer_clear(&parser->raw);
    den_buffer_clear(&parser->spaces);
    den_answer_emit(parser, DEN_ANSWER_TOOL_CALL, call->name.data, call->name.length);
    call->is_told = true;
    call->in_section++;
}

void den_answer_call_tell_byte(struct den_answer_parser *parser, char byte)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned code = (unsigned char)byte;
    char escape[6] = { '\\', 'u', '0', '0', digits[code >> 4 & 15], digits[code & 15] };

    /* a control character inside quotes: told as it should have been written */
    if (code < 0x20 && den_json_scan_in_text(&parser->call.scan))
        den_answer_emit(parser, DEN_ANSWER_TOOL_ARGUMENTS, escape, sizeof escape);
    else
        den_answer_emit(parser, DEN_ANSWER_TOOL_ARGUMENTS, &byte, 1);
}

/* Replaces a quoted JSON text by what it says. */
static bool unquote(struct den_buffer *text)
{
    struct den_error trouble = { 0 };
    json_t *value = NULL;

    if (den_json_parse(text->data, text->length, "text", &value, &trouble) != DEN_OK)
        return false;
    den_buffer_clear(text);
    den_buffer_append(text, json_string_value(value), json_string_length(value));
    json_decref(value);
    return text->status == DEN_OK && text->length > 0;
}

/* Arguments that have waited, once they are whole. They are scanned like those that have not. */
static bool tell_waiting(struct den_answer_parser *parser)
{
    struct den_buffer *value = &parser->call.value;
    struct den_json_scan scan;
    size_t i;

    den_json_scan_init(&scan);
    for (i = 0; i < value->length; i++)
        if (!den_json_scan_byte(&scan, value->data[i]))
            return false;
    if (!den_json_scan_is_whole(&scan) || !memchr(value->data, '{', value->length) ||
        strchr(value->data, '{') != value->data + strspn(value->data, " \t\r\n"))
        return false;
    den_answer_call_tell(parser);
    den_json_scan_init(&parser->call.scan);
    for (i = 0; i < value->length; i++) {
        den_answer_call_tell_byte(parser, value->data[i]);
        den_json_scan_byte(&parser->call.scan, value->data[i]);
    }
    return true;
}

static bool is_key(const struct den_answer_call *call, const char *name)
{
    return name && strcmp(call->key.data, name) == 0;
}

/* The first byte of a member's value. False: this is no call. */
static bool begin_value(struct den_answer_parser *parser, char byte)
{
    static const char *const others[] = { "type", "id", "function", "tool_call_id" };
    const struct den_answer_syntax *syntax = parser->format->syntax;
    struct den_answer_call *call = &parser->call;
    size_t i;

    call->target = DEN_ANSWER_SKIP;
    if (is_key(call, syntax->name_key) || is_key(call, "name")) {
        call->target = DEN_ANSWER_NAME;
        return byte == '"' && call->name.length == 0;
    }
    if (is_key(call, syntax->arguments_key) || is_key(call, "arguments") ||
        is_key(call, "parameters")) {
        if (call->has_arguments || (byte != '{' && byte != '"' && byte != 'n'))
            return false;
        call->has_arguments = byte != 'n'; /* null: none */
        call->target = byte == '{'   ? DEN_ANSWER_VALUE
                       : byte == '"' ? DEN_ANSWER_QUOTED
                                     : DEN_ANSWER_SKIP;
        if (byte == '{' && call->name.length > 0)
            den_answer_call_tell(parser);
        return true;
    }
    for (i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_key(call, others[i]))
            return true;
    return !call->is_speculative;
}

/* A member's value has ended. */
static bool end_value(struct den_answer_call *call)
{
    bool is_well = true;

    if (call->target == DEN_ANSWER_NAME)
        is_well = unquote(&call->name);
    else if (call->target == DEN_ANSWER_QUOTED)
        is_well = unquote(&call->value);
    call->target = DEN_ANSWER_SKIP;
    den_buffer_clear(&call->key);
    return is_well;
}

static bool end_object(struct den_answer_parser *parser)
{
    struct den_answer_call *call = &parser->call;

    call->in_object = false;
    if (!call->is_told) {
        if (call->name.length == 0 || (call->is_speculative && !call->has_arguments))
            return false;
        if (!call->has_arguments)
            den_buffer_append_text(&call->value, "{}");
        if (!tell_waiting(parser))
            return false;
    }
    den_buffer_clear(&parser->raw);
    call->is_told = false;
    call->is_speculative = false; /* what follows a call may be another */
    call->vanished = 0;
    if (!call->in_list)
        parser->state = DEN_ANSWER_AFTER_CALL;
    return true;
}

/* Adds a byte of the value being read to where it goes; it is part of `raw` otherwise. */
static void keep_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;

    if (call->target == DEN_ANSWER_VALUE && call->is_told) {
        den_answer_call_tell_byte(parser, byte);
        return;
    }
    if (call->target == DEN_ANSWER_NAME)
        den_buffer_append_byte(&call->name, byte);
    else if (call->target == DEN_ANSWER_VALUE || call->target == DEN_ANSWER_QUOTED)
        den_buffer_append_byte(&call->value, byte);
    den_buffer_append_byte(&parser->raw, byte);
}

static const char malformed[] = "what began as a tool call was not one; it is in the text as it "
                                "was written";
static const char cut[] = "a tool call was not finished; what there was of it is in the text as it "
                          "was written";
static const char broken[] = "a tool call's arguments broke off in mid-way; what followed them is "
                             "in the text";

static void fail_byte(struct den_answer_parser *parser, char byte)
{
    den_buffer_append_byte(&parser->raw, byte);
    den_answer_call_fail(parser, parser->call.is_told ? broken : malformed);
}

static void object_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;
    const struct den_json_scan before = call->scan;
    struct den_json_scan after = before;
    bool is_member = before.depth == 1 && before.place == DEN_JSON_VALUE;

    if (!den_json_scan_byte(&after, byte)) {
        fail_byte(parser, byte);
        return;
    }
    if (is_member && after.place != DEN_JSON_VALUE && !begin_value(parser, byte)) {
        fail_byte(parser, byte);
        return;
    }
    if (before.depth == 1 && (before.place == DEN_JSON_KEY || before.place == DEN_JSON_FIRST_KEY))
        den_buffer_clear(&call->key); /* a key begins */
    else if (before.depth == 1 && before.in_key && before.place == DEN_JSON_TEXT &&
             after.place == DEN_JSON_TEXT)
        den_buffer_append_byte(&call->key, byte);
    keep_byte(parser, byte);
    call->scan = after;
    if (after.depth == 1 && after.place == DEN_JSON_AFTER &&
        (before.depth > 1 || before.place != DEN_JSON_AFTER) && !end_value(call)) {
        den_answer_call_fail(parser, malformed);
        return;
    }
    if (den_json_scan_is_whole(&after) && !end_object(parser))
        den_answer_call_fail(parser, malformed);
}

/* --- a name in marks of its own --- */

/* The name in a head: deepseek "<mark>function<sep>NAME\n```json\n" or "<mark>NAME<sep>", mistral
 * "NAME[ARGS]", "NAME[CALL_ID]ID[ARGS]", llama "NAME>". */
static bool find_name(struct den_answer_parser *parser)
{
    const struct den_answer_syntax *syntax = parser->format->syntax;
    struct den_answer_call *call = &parser->call;
    char *head = call->key.data;
    char *separator;
    size_t length;

    if (syntax->again && (separator = strstr(head, syntax->again)) != NULL)
        head = separator + strlen(syntax->again);
    separator = syntax->separator ? strstr(head, syntax->separator) : NULL;
    if (separator) {
        char *rest = separator + strlen(syntax->separator);

        rest += strspn(rest, " \t\r\n");
        *separator = '\0';
        if (syntax->again && *rest != '\0' && *rest != '`')
            head = rest;
    }
    head += strspn(head, " \t\r\n");
    length = strcspn(head, " \t\r\n[<>`(\"");
    den_buffer_clear(&call->name);
    den_buffer_append(&call->name, head, length);
    return length > 0 && (separator || !syntax->again) && head[length] != '"' &&
           head[length] != '(';
}

static void head_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;

    if (byte != '{') {
        den_buffer_append_byte(&call->key, byte);
        den_buffer_append_byte(&parser->raw, byte);
        if (call->key.length > HEAD_BYTES_MAX || byte == '\0')
            den_answer_call_fail(parser, malformed);
        return;
    }
    if (!find_name(parser)) {
        fail_byte(parser, byte);
        return;
    }
    call->in_head = false;
    den_answer_call_tell(parser);
    den_json_scan_init(&call->scan);
    call->in_object = true;
    call->only_values = true;
    den_answer_call_tell_byte(parser, byte);
    den_json_scan_byte(&call->scan, byte);
}

/* Arguments after a head. */
static void values_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;
    struct den_json_scan after = call->scan;

    if (!den_json_scan_byte(&after, byte)) {
        fail_byte(parser, byte);
        return;
    }
    den_answer_call_tell_byte(parser, byte);
    call->scan = after;
    if (!den_json_scan_is_whole(&after))
        return;
    call->in_object = false;
    call->is_told = false;
    call->vanished = 0;
    parser->state = DEN_ANSWER_AFTER_CALL;
}

/* --- between calls --- */

static void begin_head(struct den_answer_parser *parser)
{
    parser->call.in_head = true;
    den_buffer_clear(&parser->call.key);
}

void den_answer_call_byte(struct den_answer_parser *parser, char byte)
{
    struct den_answer_call *call = &parser->call;

    if (call->in_object && call->only_values) {
        values_byte(parser, byte);
    } else if (call->in_object) {
        object_byte(parser, byte);
    } else if (call->in_head) {
        head_byte(parser, byte);
    } else if (byte == '{') {
        begin_object(parser);
        object_byte(parser, byte);
    } else if (byte == ']' && call->in_list && call->in_section > 0) {
        den_buffer_clear(&parser->raw);
        call->in_list = false;
        parser->state = DEN_ANSWER_AFTER_CALL;
    } else if (den_answer_is_blank(byte) || (byte == ',' && call->in_list)) {
        den_buffer_append_byte(&parser->raw, byte);
    } else if (byte == '[' && !call->in_list && call->in_section == 0) {
        den_buffer_append_byte(&parser->raw, byte);
        call->in_list = true;
    } else if (parser->format->syntax->separator && !call->in_list) {
        begin_head(parser);
        head_byte(parser, byte);
    } else {
        fail_byte(parser, byte);
    }
}

/* What waits in `raw` from the last mark or the call's end on: is its end the beginning of a mark
 * that vanishes, or of the next call? */
void den_answer_after_call_byte(struct den_answer_parser *parser, char byte)
{
    const struct den_answer_syntax *syntax = parser->format->syntax;
    struct den_answer_call *call = &parser->call;
    const bool may_go_on = call->vanished == 0;
    enum den_answer_match best = DEN_MATCH_NONE;
    enum den_answer_match again;
    const char *text;
    size_t which = 0, length, i;

    den_buffer_append_byte(&parser->raw, byte);
    text = parser->raw.data + strspn(parser->raw.data, " \t\r\n");
    if (may_go_on && syntax->bare && *text == ';')
        text += 1 + strspn(text + 1, " \t\r\n");
    length = parser->raw.length - (size_t)(text - parser->raw.data);
    if (length == 0)
        return;
    for (i = 0; i < DEN_ANSWER_MARKS_MAX; i++) {
        enum den_answer_match match = (call->vanished >> i & 1) != 0
                                          ? DEN_MATCH_NONE
                                          : den_answer_match(syntax->vanish[i], text, length);

        if (match > best) {
            best = match;
            which = i;
        }
    }
    again = den_answer_match(syntax->again, text, length);
    if (best == DEN_MATCH_WHOLE) {
        call->vanished |= 1u << which;
        den_buffer_clear(&parser->raw);
    } else if (again == DEN_MATCH_WHOLE) {
        parser->state = DEN_ANSWER_IN_CALL;
        begin_head(parser);
        den_buffer_append_text(&call->key, syntax->again);
    } else if (*text == '{' && may_go_on && syntax->shape == DEN_ANSWER_OBJECT) {
        parser->state = DEN_ANSWER_IN_CALL;
        begin_object(parser);
        den_json_scan_byte(&call->scan, byte);
    } else if (best == DEN_MATCH_NONE && again == DEN_MATCH_NONE) {
        den_answer_call_leave(parser);
    }
}

/* What waits behind a call, at the end of the answer: blanks, or the beginning of a mark that was
 * cut off. A mark that would have vanished does, as far as it was written. */
static void finish_after_call(struct den_answer_parser *parser)
{
    const struct den_answer_syntax *syntax = parser->format->syntax;
    const char *text = parser->raw.data + strspn(parser->raw.data, " \t\r\n");
    const size_t length = parser->raw.length - (size_t)(text - parser->raw.data);
    size_t i;

    go_back(parser);
    for (i = 0; i < DEN_ANSWER_MARKS_MAX; i++)
        if (length > 0 && (parser->call.vanished >> i & 1) == 0 &&
            den_answer_match(syntax->vanish[i], text, length) == DEN_MATCH_BEGUN)
            return;
    if (length == 0 || (syntax->bare && *text == ';' && strspn(text, "; \t\r\n") == length))
        return; /* between two calls, of which the second never came */
    if (den_answer_match(syntax->again, text, length) != DEN_MATCH_NONE)
        parser->note = cut;
    den_answer_emit_text(parser, parser->raw.data, parser->raw.length);
}

void den_answer_call_finish(struct den_answer_parser *parser)
{
    const bool is_told = parser->call.is_told;
    const struct den_buffer *raw = &parser->raw;

    if (parser->state == DEN_ANSWER_AFTER_CALL) {
        finish_after_call(parser);
    } else {
        go_back(parser);
        if (is_told || !parser->call.is_speculative)
            parser->note = is_told ? "a tool call's arguments were not finished" : cut;
        /* a list that was not closed holds no call that was lost */
        if (parser->call.in_list && parser->call.in_section > 0 &&
            strspn(raw->data, " \t\r\n,") == raw->length)
            parser->note = "the list of tool calls was not finished";
        else
            den_answer_emit_text(parser, raw->data, raw->length);
    }
    den_buffer_clear(&parser->raw);
}
