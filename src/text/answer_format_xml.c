/* Calls in tags, as Qwen3-Coder writes them:
 *
 *     <tool_call>
 *     <function=NAME>
 *     <parameter=KEY>
 *     VALUE
 *     </parameter>
 *     </function>
 *     </tool_call>
 *
 * Values are bare text, with one line break on each side that does not count. Which of them are
 * texts the tools' schemas say; without a schema a value that is JSON other than a text is taken
 * as that. A value is told of when it is whole. */
#include <string.h>

#include "base/json.h"
#include "text/answer_format_parts.h"

enum place { BEFORE_FUNCTION, FUNCTION, BEFORE_PARAMETER, PARAMETER, VALUE };

enum { NAME_BYTES_MAX = 1024 };

static const char function_mark[] = "<function=";
static const char function_end[] = "</function>";
static const char parameter_mark[] = "<parameter=";
static const char parameter_end[] = "</parameter>";

static void fail_call(struct den_answer_parser *parser)
{
    den_answer_call_fail(parser,
                         parser->call.is_told
                             ? "a tool call broke off in mid-way; what followed is in the text"
                             : "what began as a tool call was not one; it is in the text as it "
                               "was written");
}

void den_answer_xml_begin(struct den_answer_parser *parser)
{
    parser->state = DEN_ANSWER_IN_XML;
    parser->xml.place = strcmp(parser->raw.data, function_mark) == 0 ? FUNCTION : BEFORE_FUNCTION;
    parser->xml.members = 0;
    den_buffer_clear(&parser->held);
}

static void tell_text(struct den_answer_parser *parser, const char *text)
{
    den_answer_emit(parser, DEN_ANSWER_TOOL_ARGUMENTS, text, strlen(text));
}

/* The parameter's schema in the request's tools; NULL: not known. */
static const json_t *find_schema(const struct den_answer_parser *parser)
{
    size_t i;

    for (i = 0; i < json_array_size(parser->tool_list); i++) {
        const json_t *tool = json_array_get(parser->tool_list, i);
        const json_t *function = json_object_get(tool, "function");
        const char *name = json_string_value(json_object_get(function, "name"));

        if (name && strcmp(name, parser->call.name.data) == 0)
            return json_object_get(
                json_object_get(json_object_get(function, "parameters"), "properties"),
                parser->call.key.data);
    }
    return NULL;
}

static json_t *make_value(const struct den_answer_parser *parser, const char *text, size_t length)
{
    const json_t *type = json_object_get(find_schema(parser), "type");
    struct den_error trouble = { 0 };
    json_t *value = NULL;

    if (json_is_string(type) && strcmp(json_string_value(type), "string") == 0)
        return json_stringn(text, length);
    if (den_json_parse(text, length, "value", &value, &trouble) == DEN_OK && !json_is_string(value))
        return value;
    json_decref(value);
    if (json_is_string(type) && strcmp(json_string_value(type), "boolean") == 0 &&
        (strcmp(text, "True") == 0 || strcmp(text, "False") == 0))
        return json_boolean(text[0] == 'T'); /* as in the language it was trained on */
    return json_stringn(text, length);
}

static void tell_value(struct den_answer_parser *parser)
{
    struct den_buffer *held = &parser->held;
    size_t length = held->length - strlen(parameter_end);
    size_t first = length > 0 && held->data[0] == '\n' ? 1 : 0;
    json_t *key = json_stringn(parser->call.key.data, parser->call.key.length);
    struct den_buffer text;
    struct den_error trouble = { 0 };
    json_t *value;

    if (length > first && held->data[length - 1] == '\n')
        length--;
    held->data[length] = '\0';
    value = make_value(parser, held->data + first, length - first);
    den_buffer_init(&text, parser->out.length_max);
    if (key && value) {
        den_json_write(key, &text, &trouble);
        den_buffer_append_text(&text, ": ");
        den_json_write(value, &text, &trouble);
    }
    json_decref(key);
    json_decref(value);
    if (!parser->call.is_told) {
        den_answer_call_tell(parser);
        tell_text(parser, "{");
    } else if (parser->xml.members > 0) {
        tell_text(parser, ", ");
    }
    den_answer_emit(parser, DEN_ANSWER_TOOL_ARGUMENTS, text.data, text.length);
    parser->xml.members++;
    den_buffer_deinit(&text);
    den_buffer_clear(&parser->raw);
}

static void end_function(struct den_answer_parser *parser)
{
    if (!parser->call.is_told) {
        den_answer_call_tell(parser);
        tell_text(parser, "{");
    }
    tell_text(parser, "}");
    parser->call.is_told = false;
    parser->call.vanished = 0;
    den_buffer_clear(&parser->raw);
    parser->state = DEN_ANSWER_AFTER_CALL;
}

/* A name up to '>'. */
static void name_byte(struct den_answer_parser *parser, struct den_buffer *name, char byte)
{
    if (byte == '>' && name->length > 0) {
        parser->xml.place = parser->xml.place == FUNCTION ? BEFORE_PARAMETER : VALUE;
        den_buffer_clear(&parser->held);
    } else if (byte == '>' || byte == '<' || byte == '\n' || byte == '\0' ||
               name->length >= NAME_BYTES_MAX) {
        fail_call(parser);
    } else {
        den_buffer_append_byte(name, byte);
    }
}

/* Blanks, then one of two marks; `held` has what came of it. */
static void mark_byte(struct den_answer_parser *parser, char byte)
{
    const bool in_function = parser->xml.place == BEFORE_PARAMETER;
    struct den_buffer *held = &parser->held;
    enum den_answer_match first, second;

    if (held->length == 0 && den_answer_is_blank(byte))
        return;
    den_buffer_append_byte(held, byte);
    first =
        den_answer_match(in_function ? parameter_mark : function_mark, held->data, held->length);
    second = den_answer_match(in_function ? function_end : NULL, held->data, held->length);
    if (first == DEN_MATCH_WHOLE) {
        parser->xml.place = in_function ? PARAMETER : FUNCTION;
        den_buffer_clear(in_function ? &parser->call.key : &parser->call.name);
        den_buffer_clear(held);
    } else if (second == DEN_MATCH_WHOLE) {
        den_buffer_clear(held);
        end_function(parser);
    } else if (first == DEN_MATCH_NONE && second == DEN_MATCH_NONE) {
        den_buffer_clear(held);
        fail_call(parser);
    }
}

void den_answer_xml_byte(struct den_answer_parser *parser, char byte)
{
    struct den_buffer *held = &parser->held;
    const size_t end_length = sizeof parameter_end - 1;

    if (parser->xml.place == BEFORE_FUNCTION && held->length == 0 && byte == '{') {
        parser->state = DEN_ANSWER_IN_CALL; /* JSON after all */
        den_answer_call_byte(parser, byte);
        return;
    }
    den_buffer_append_byte(&parser->raw, byte);
    switch ((enum place)parser->xml.place) {
    case FUNCTION:
        name_byte(parser, &parser->call.name, byte);
        return;
    case PARAMETER:
        name_byte(parser, &parser->call.key, byte);
        return;
    case VALUE:
        den_buffer_append_byte(held, byte);
        if (byte == '>' && held->length >= end_length &&
            memcmp(held->data + held->length - end_length, parameter_end, end_length) == 0) {
            tell_value(parser);
            den_buffer_clear(held);
            parser->xml.place = BEFORE_PARAMETER;
        }
        return;
    default:
        mark_byte(parser, byte);
        return;
    }
}
