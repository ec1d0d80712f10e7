/* The parser's plumbing (jinja_parser.h): tokens, names, nodes, messages. */
#include "text/jinja_parser.h"

#include <stdio.h>
#include <string.h>

void *den_jinja_parser_fail(struct den_jinja_parser *parser, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    den_fail(parser->err, DEN_INVALID, "template: line %u: %s", parser->current.line, message);
    return NULL;
}

bool den_jinja_parser_enter(struct den_jinja_parser *parser)
{
    if (parser->depth < DEN_TEMPLATE_DEPTH_MAX) {
        parser->depth++;
        return true;
    }
    den_fail(parser->err, DEN_TOO_LARGE, "template: line %u: nested deeper than %d levels",
             parser->current.line, DEN_TEMPLATE_DEPTH_MAX);
    return false;
}

bool den_jinja_advance(struct den_jinja_parser *parser)
{
    if (parser->has_ahead) {
        parser->current = parser->ahead;
        parser->has_ahead = false;
        return true;
    }
    return den_jinja_lexer_next(&parser->lexer, &parser->current);
}

struct den_jinja_node *den_jinja_node_new(struct den_jinja_parser *parser,
                                          enum den_jinja_node_kind kind)
{
    struct den_jinja_node *node = den_arena_alloc(parser->arena, sizeof *node);

    if (!node) {
        den_fail(parser->err, DEN_TOO_LARGE,
                 "template: line %u: compiling the template takes more than %u MiB of memory",
                 parser->current.line, DEN_TEMPLATE_MEMORY_BYTES_MAX >> 20);
        return NULL;
    }
    node->kind = kind;
    node->line = parser->current.line;
    return node;
}

const struct den_jinja_text *den_jinja_intern(struct den_jinja_parser *parser, const char *bytes,
                                              size_t length)
{
    struct den_jinja_name *name;
    unsigned hash = 5381;
    size_t i;

    for (i = 0; i < length; i++)
        hash = hash * 33 + (unsigned char)bytes[i];
    hash %= JINJA_NAME_BUCKETS;
    for (name = parser->names[hash]; name; name = name->next)
        if (name->text->length == length && memcmp(name->text->bytes, bytes, length) == 0)
            return name->text;
    name = den_arena_alloc(parser->arena, sizeof *name);
    if (name)
        name->text = den_jinja_text_wrap(parser->arena, bytes, length);
    if (!name || !name->text)
        return den_jinja_parser_fail(parser, "out of memory");
    name->next = parser->names[hash];
    parser->names[hash] = name;
    return name->text;
}

bool den_jinja_at_operator(const struct den_jinja_parser *parser, enum den_jinja_operator op)
{
    return parser->current.kind == JINJA_TOKEN_OPERATOR && parser->current.op == op;
}

bool den_jinja_at_name(const struct den_jinja_parser *parser, const char *name)
{
    size_t length = strlen(name);

    return parser->current.kind == JINJA_TOKEN_NAME && parser->current.length == length &&
           memcmp(parser->current.bytes, name, length) == 0;
}

bool den_jinja_pass_operator(struct den_jinja_parser *parser, enum den_jinja_operator op,
                             bool *out_passed)
{
    *out_passed = den_jinja_at_operator(parser, op);
    return !*out_passed || den_jinja_advance(parser);
}

bool den_jinja_pass_name(struct den_jinja_parser *parser, const char *name, bool *out_passed)
{
    *out_passed = den_jinja_at_name(parser, name);
    return !*out_passed || den_jinja_advance(parser);
}

const char *den_jinja_describe(const struct den_jinja_parser *parser, char text[64])
{
    const struct den_jinja_token *token = &parser->current;

    switch (token->kind) {
    case JINJA_TOKEN_END:
        return "the end of the template";
    case JINJA_TOKEN_DATA:
        return "text";
    case JINJA_TOKEN_VARIABLE_BEGIN:
        return "'{{'";
    case JINJA_TOKEN_VARIABLE_END:
        return "'}}'";
    case JINJA_TOKEN_BLOCK_BEGIN:
        return "'{%'";
    case JINJA_TOKEN_BLOCK_END:
        return "'%}'";
    case JINJA_TOKEN_TEXT:
        return "a quoted text";
    case JINJA_TOKEN_INTEGER:
    case JINJA_TOKEN_FLOAT:
        return "a number";
    case JINJA_TOKEN_OPERATOR:
        snprintf(text, 64, "'%s'", den_jinja_operator_text(token->op));
        return text;
    default:
        snprintf(text, 64, "'%.*s'", (int)(token->length < 48 ? token->length : 48), token->bytes);
        return text;
    }
}

bool den_jinja_expect_operator(struct den_jinja_parser *parser, enum den_jinja_operator op)
{
    char text[64];

    if (den_jinja_at_operator(parser, op))
        return den_jinja_advance(parser);
    den_jinja_parser_fail(parser, "expected '%s', got %s", den_jinja_operator_text(op),
                          den_jinja_describe(parser, text));
    return false;
}

const struct den_jinja_text *den_jinja_expect_name(struct den_jinja_parser *parser)
{
    const struct den_jinja_text *name;
    char text[64];

    if (parser->current.kind != JINJA_TOKEN_NAME)
        return den_jinja_parser_fail(parser, "expected a name, got %s",
                                     den_jinja_describe(parser, text));
    name = den_jinja_intern(parser, parser->current.bytes, parser->current.length);
    return name && den_jinja_advance(parser) ? name : NULL;
}
