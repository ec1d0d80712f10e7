/* The tight end of the Jinja grammar: names, literals, and what may follow them (attributes,
 * indexes, calls, filters, tests). See jinja_parser.h. */
#include "text/jinja_parser.h"

#include <string.h>

#include "text/jinja_call.h"

static struct den_jinja_node *new_constant(struct den_jinja_parser *parser,
                                           struct den_jinja_value value)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_CONSTANT);

    if (node)
        node->value = value;
    return node && den_jinja_advance(parser) ? node : NULL;
}

/* 'caller', 'kwargs' and 'varargs' exist in a macro only if its body names them. */
static void note_use(struct den_jinja_parser *parser, const struct den_jinja_text *name)
{
    struct den_jinja_frame *frame;
    struct den_jinja_value value = { .kind = JINJA_TEXT, .text = name };
    unsigned use = den_jinja_text_is(value, "caller")    ? JINJA_USES_CALLER
                   : den_jinja_text_is(value, "kwargs")  ? JINJA_USES_KWARGS
                   : den_jinja_text_is(value, "varargs") ? JINJA_USES_VARARGS
                                                         : 0;

    for (frame = parser->frame; frame && use; frame = frame->outer)
        frame->uses |= use;
}

static struct den_jinja_node *parse_name(struct den_jinja_parser *parser, bool with_field)
{
    struct den_jinja_node *node;

    if (den_jinja_at_name(parser, "true") || den_jinja_at_name(parser, "True"))
        return new_constant(parser, den_jinja_bool(true));
    if (den_jinja_at_name(parser, "false") || den_jinja_at_name(parser, "False"))
        return new_constant(parser, den_jinja_bool(false));
    if (den_jinja_at_name(parser, "none") || den_jinja_at_name(parser, "None"))
        return new_constant(parser, JINJA_VALUE_NONE);
    node = den_jinja_node_new(parser, JINJA_NODE_NAME);
    if (!node)
        return NULL;
    node->name = den_jinja_expect_name(parser);
    if (!node->name)
        return NULL;
    if (with_field && den_jinja_at_operator(parser, JINJA_DOT)) {
        node->kind = JINJA_NODE_FIELD;
        if (!den_jinja_advance(parser))
            return NULL;
        node->other = den_jinja_expect_name(parser);
        return node->other ? node : NULL;
    }
    note_use(parser, node->name);
    return node;
}

/* Neighbouring texts join, as in 'a' 'b'. */
static struct den_jinja_node *parse_text(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_CONSTANT);
    const char *bytes = parser->current.bytes;
    size_t length = parser->current.length;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    while (parser->current.kind == JINJA_TOKEN_TEXT) {
        size_t total = length + parser->current.length;
        char *joined = den_arena_alloc(parser->arena, total + 1);

        if (!joined)
            return den_jinja_parser_fail(parser, "out of memory");
        memcpy(joined, bytes, length);
        memcpy(joined + length, parser->current.bytes, parser->current.length);
        bytes = joined;
        length = total;
        if (!den_jinja_advance(parser))
            return NULL;
    }
    node->value.kind = JINJA_TEXT;
    node->value.text = den_jinja_text_wrap(parser->arena, bytes, length);
    return node->value.text ? node : den_jinja_parser_fail(parser, "out of memory");
}

static struct den_jinja_node *parse_list(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_LIST);
    struct den_jinja_node **end;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    end = &node->first;
    while (!den_jinja_at_operator(parser, JINJA_CLOSE_BRACKET)) {
        if (node->first && !den_jinja_expect_operator(parser, JINJA_COMMA))
            return NULL;
        if (den_jinja_at_operator(parser, JINJA_CLOSE_BRACKET))
            break;
        if (!den_jinja_append(&end, den_jinja_parse_expression(parser)))
            return NULL;
    }
    return den_jinja_advance(parser) ? node : NULL;
}

static struct den_jinja_node *parse_pair(struct den_jinja_parser *parser)
{
    struct den_jinja_node *pair = den_jinja_node_new(parser, JINJA_NODE_PAIR);

    if (!pair)
        return NULL;
    pair->first = den_jinja_parse_expression(parser);
    if (!pair->first || !den_jinja_expect_operator(parser, JINJA_COLON))
        return NULL;
    pair->second = den_jinja_parse_expression(parser);
    return pair->second ? pair : NULL;
}

static struct den_jinja_node *parse_dict(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_DICT);
    struct den_jinja_node **end;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    end = &node->first;
    while (!den_jinja_at_operator(parser, JINJA_CLOSE_BRACE)) {
        if (node->first && !den_jinja_expect_operator(parser, JINJA_COMMA))
            return NULL;
        if (den_jinja_at_operator(parser, JINJA_CLOSE_BRACE))
            break;
        if (!den_jinja_append(&end, parse_pair(parser)))
            return NULL;
    }
    return den_jinja_advance(parser) ? node : NULL;
}

static bool is_tuple_end(const struct den_jinja_parser *parser, const char *end)
{
    return parser->current.kind == JINJA_TOKEN_VARIABLE_END ||
           parser->current.kind == JINJA_TOKEN_BLOCK_END ||
           den_jinja_at_operator(parser, JINJA_CLOSE_PARENTHESIS) ||
           (end && den_jinja_at_name(parser, end));
}

enum tuple_items { ANY_EXPRESSION, NO_CONDITION, PRIMARY_ONLY, PRIMARY_OR_FIELD };

static struct den_jinja_node *parse_primary(struct den_jinja_parser *parser, bool with_field);

static struct den_jinja_node *parse_tuple_item(struct den_jinja_parser *parser,
                                               enum tuple_items items)
{
    if (items == ANY_EXPRESSION)
        return den_jinja_parse_expression(parser);
    if (items == NO_CONDITION)
        return den_jinja_parse_or(parser);
    return parse_primary(parser, items == PRIMARY_OR_FIELD);
}

static struct den_jinja_node *parse_items(struct den_jinja_parser *parser, enum tuple_items items,
                                          const char *end_name, bool may_be_empty)
{
    struct den_jinja_node *tuple = den_jinja_node_new(parser, JINJA_NODE_TUPLE);
    struct den_jinja_node **end;
    bool is_tuple = false;
    char text[64];

    if (!tuple)
        return NULL;
    for (end = &tuple->first;;) {
        if (tuple->first && !den_jinja_expect_operator(parser, JINJA_COMMA))
            return NULL;
        if (is_tuple_end(parser, end_name))
            break;
        if (!den_jinja_append(&end, parse_tuple_item(parser, items)))
            return NULL;
        if (!den_jinja_at_operator(parser, JINJA_COMMA))
            break;
        is_tuple = true;
    }
    if (is_tuple)
        return tuple;
    if (tuple->first)
        return tuple->first;
    if (!may_be_empty)
        return den_jinja_parser_fail(parser, "expected an expression, got %s",
                                     den_jinja_describe(parser, text));
    return tuple;
}

struct den_jinja_node *den_jinja_parse_tuple(struct den_jinja_parser *parser, bool with_condition,
                                             const char *end)
{
    return parse_items(parser, with_condition ? ANY_EXPRESSION : NO_CONDITION, end, false);
}

static bool can_assign(const struct den_jinja_node *target)
{
    const struct den_jinja_node *item;

    if (target->kind == JINJA_NODE_NAME || target->kind == JINJA_NODE_FIELD)
        return true;
    if (target->kind != JINJA_NODE_TUPLE)
        return false;
    for (item = target->first; item; item = item->next)
        if (!can_assign(item)) /* as deep as the parser went, which is bounded */
            return false;
    return true;
}

struct den_jinja_node *den_jinja_parse_target(struct den_jinja_parser *parser, const char *end,
                                              bool with_field)
{
    struct den_jinja_node *target =
        parse_items(parser, with_field ? PRIMARY_OR_FIELD : PRIMARY_ONLY, end, false);

    if (target && !can_assign(target))
        return den_jinja_parser_fail(parser, "can't assign to this; a name or names were expected");
    return target;
}

static struct den_jinja_node *parse_primary(struct den_jinja_parser *parser, bool with_field)
{
    struct den_jinja_node *node;
    char text[64];

    switch (parser->current.kind) {
    case JINJA_TOKEN_NAME:
        return parse_name(parser, with_field);
    case JINJA_TOKEN_TEXT:
        return parse_text(parser);
    case JINJA_TOKEN_INTEGER:
        return new_constant(parser, den_jinja_integer(parser->current.integer));
    case JINJA_TOKEN_FLOAT:
        return new_constant(parser, den_jinja_number(parser->current.number));
    default:
        break;
    }
    if (den_jinja_at_operator(parser, JINJA_OPEN_BRACKET))
        return parse_list(parser);
    if (den_jinja_at_operator(parser, JINJA_OPEN_BRACE))
        return parse_dict(parser);
    if (!den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS))
        return den_jinja_parser_fail(parser, "unexpected %s; an expression was expected",
                                     den_jinja_describe(parser, text));
    if (!den_jinja_advance(parser) || !den_jinja_parser_enter(parser))
        return NULL;
    node = parse_items(parser, ANY_EXPRESSION, NULL, true);
    parser->depth--;
    return node && den_jinja_expect_operator(parser, JINJA_CLOSE_PARENTHESIS) ? node : NULL;
}

/* --- what follows a primary expression --- */

/* Inside brackets: an index, or a slice, which becomes the node's kind. */
static struct den_jinja_node *parse_index(struct den_jinja_parser *parser,
                                          struct den_jinja_node *object)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_ITEM);
    struct den_jinja_node **parts[3];
    int part;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->first = object;
    parts[0] = &node->second;
    parts[1] = &node->third;
    parts[2] = &node->fourth;
    for (part = 0; part < 3; part++) {
        if (!den_jinja_at_operator(parser, JINJA_COLON) &&
            !den_jinja_at_operator(parser, JINJA_CLOSE_BRACKET)) {
            *parts[part] = den_jinja_parse_expression(parser);
            if (!*parts[part])
                return NULL;
        }
        if (!den_jinja_at_operator(parser, JINJA_COLON))
            break;
        if (part == 2)
            return den_jinja_parser_fail(parser, "a slice has at most two ':'");
        node->kind = JINJA_NODE_SLICE;
        if (!den_jinja_advance(parser))
            return NULL;
    }
    if (node->kind == JINJA_NODE_ITEM && !node->second)
        return den_jinja_parser_fail(parser, "an index is missing between '[' and ']'");
    return den_jinja_expect_operator(parser, JINJA_CLOSE_BRACKET) ? node : NULL;
}

static struct den_jinja_node *parse_attribute(struct den_jinja_parser *parser,
                                              struct den_jinja_node *object)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_ATTRIBUTE);

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->first = object;
    if (parser->current.kind == JINJA_TOKEN_INTEGER) {
        node->kind = JINJA_NODE_ITEM;
        node->second = new_constant(parser, den_jinja_integer(parser->current.integer));
        return node->second ? node : NULL;
    }
    node->name = den_jinja_expect_name(parser);
    return node->name ? node : NULL;
}

static struct den_jinja_node *parse_argument(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_ARGUMENT);

    if (!node)
        return NULL;
    node->op = JINJA_ASSIGN;
    if (den_jinja_at_operator(parser, JINJA_MULTIPLY) ||
        den_jinja_at_operator(parser, JINJA_POWER)) {
        node->op = parser->current.op;
        if (!den_jinja_advance(parser))
            return NULL;
    } else if (parser->current.kind == JINJA_TOKEN_NAME) {
        if (!den_jinja_look_ahead(parser))
            return NULL;
        if (parser->ahead.kind == JINJA_TOKEN_OPERATOR && parser->ahead.op == JINJA_ASSIGN) {
            node->name = den_jinja_expect_name(parser);
            if (!node->name || !den_jinja_advance(parser))
                return NULL;
        }
    }
    node->first = den_jinja_parse_expression(parser);
    return node->first ? node : NULL;
}

/* Positional arguments first, then keywords and one *x, then **x. `seen` has bits of the last
 * three. */
static bool note_order(const struct den_jinja_node *argument, unsigned *seen)
{
    enum { KEYWORD = 1, STAR = 2, DOUBLE_STAR = 4 };
    unsigned kind = argument->name                   ? KEYWORD
                    : argument->op == JINJA_MULTIPLY ? STAR
                    : argument->op == JINJA_POWER    ? DOUBLE_STAR
                                                     : 0;

    if ((kind == 0 && *seen != 0) || (*seen & DOUBLE_STAR) || (kind & *seen & STAR))
        return false;
    *seen |= kind;
    return true;
}

static bool parse_arguments(struct den_jinja_parser *parser, struct den_jinja_node **out_list)
{
    struct den_jinja_node **end = out_list;
    unsigned seen = 0;

    if (!den_jinja_expect_operator(parser, JINJA_OPEN_PARENTHESIS))
        return false;
    while (!den_jinja_at_operator(parser, JINJA_CLOSE_PARENTHESIS)) {
        struct den_jinja_node *argument;

        if (*out_list && !den_jinja_expect_operator(parser, JINJA_COMMA))
            return false;
        if (*out_list && den_jinja_at_operator(parser, JINJA_CLOSE_PARENTHESIS))
            break;
        argument = parse_argument(parser);
        if (!argument)
            return false;
        if (!note_order(argument, &seen)) {
            den_jinja_parser_fail(parser, "positional arguments come first, then keywords and *x, "
                                          "then **x");
            return false;
        }
        den_jinja_append(&end, argument);
    }
    return den_jinja_advance(parser);
}

static struct den_jinja_node *parse_call(struct den_jinja_parser *parser,
                                         struct den_jinja_node *function)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_CALL);

    if (!node)
        return NULL;
    node->first = function;
    return parse_arguments(parser, &node->second) ? node : NULL;
}

static struct den_jinja_node *parse_postfix(struct den_jinja_parser *parser,
                                            struct den_jinja_node *node)
{
    while (node) {
        if (den_jinja_at_operator(parser, JINJA_DOT))
            node = parse_attribute(parser, node);
        else if (den_jinja_at_operator(parser, JINJA_OPEN_BRACKET))
            node = parse_index(parser, node);
        else if (den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS))
            node = parse_call(parser, node);
        else
            break;
    }
    return node;
}

/* The name of a filter or test, which may have dots: Jinja's extensions name theirs so. None is
 * known here, but a template may hold one where it never gets to. */
static const struct den_jinja_text *parse_dotted_name(struct den_jinja_parser *parser)
{
    const struct den_jinja_text *name = den_jinja_expect_name(parser);
    struct den_buffer whole;

    if (!name || !den_jinja_at_operator(parser, JINJA_DOT))
        return name;
    den_buffer_init(&whole, DEN_TEMPLATE_SOURCE_BYTES_MAX);
    den_buffer_append(&whole, name->bytes, name->length);
    while (name && den_jinja_at_operator(parser, JINJA_DOT)) {
        name = den_jinja_advance(parser) ? den_jinja_expect_name(parser) : NULL;
        den_buffer_append_byte(&whole, '.');
        if (name)
            den_buffer_append(&whole, name->bytes, name->length);
    }
    if (name) {
        char *bytes = den_arena_alloc(parser->arena, whole.length);

        name = NULL;
        if (!bytes || whole.status != DEN_OK) {
            den_jinja_parser_fail(parser, "out of memory");
        } else {
            memcpy(bytes, whole.data, whole.length);
            name = den_jinja_intern(parser, bytes, whole.length);
        }
    }
    den_buffer_deinit(&whole);
    return name;
}

struct den_jinja_node *den_jinja_parse_filters(struct den_jinja_parser *parser,
                                               struct den_jinja_node *input, bool is_inline)
{
    while (is_inline || den_jinja_at_operator(parser, JINJA_PIPE)) {
        struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_FILTER);

        if (!node || (!is_inline && !den_jinja_advance(parser)))
            return NULL;
        is_inline = false;
        node->first = input;
        node->name = parse_dotted_name(parser);
        if (!node->name)
            return NULL;
        node->builtin = den_jinja_filter_find(node->name);
        if (den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS) &&
            !parse_arguments(parser, &node->second))
            return NULL;
        input = node;
    }
    return input;
}

/* A test may have one argument without parentheses: `x is divisibleby 3`. */
static bool has_bare_argument(const struct den_jinja_parser *parser)
{
    switch (parser->current.kind) {
    case JINJA_TOKEN_NAME:
        return !den_jinja_at_name(parser, "else") && !den_jinja_at_name(parser, "or") &&
               !den_jinja_at_name(parser, "and");
    case JINJA_TOKEN_TEXT:
    case JINJA_TOKEN_INTEGER:
    case JINJA_TOKEN_FLOAT:
        return true;
    default:
        return den_jinja_at_operator(parser, JINJA_OPEN_BRACKET) ||
               den_jinja_at_operator(parser, JINJA_OPEN_BRACE);
    }
}

static struct den_jinja_node *parse_test(struct den_jinja_parser *parser,
                                         struct den_jinja_node *input)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_TEST);
    struct den_jinja_node *negated;
    bool is_negated;

    if (!node || !den_jinja_advance(parser) || !den_jinja_pass_name(parser, "not", &is_negated))
        return NULL;
    node->first = input;
    node->name = parse_dotted_name(parser);
    if (!node->name)
        return NULL;
    node->builtin = den_jinja_test_find(node->name);
    if (den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS)) {
        if (!parse_arguments(parser, &node->second))
            return NULL;
    } else if (has_bare_argument(parser)) {
        struct den_jinja_node *argument = den_jinja_node_new(parser, JINJA_NODE_ARGUMENT);

        if (den_jinja_at_name(parser, "is"))
            return den_jinja_parser_fail(parser,
                                         "tests can't be chained with 'is'; join them by 'and'");
        if (!argument)
            return NULL;
        argument->op = JINJA_ASSIGN;
        argument->first = parse_postfix(parser, parse_primary(parser, false));
        if (!argument->first)
            return NULL;
        node->second = argument;
    }
    if (!is_negated)
        return node;
    negated = den_jinja_node_new(parser, JINJA_NODE_NOT);
    if (negated)
        negated->first = node;
    return negated;
}

static struct den_jinja_node *parse_signed(struct den_jinja_parser *parser)
{
    bool is_minus = den_jinja_at_operator(parser, JINJA_SUBTRACT);
    struct den_jinja_node *node =
        den_jinja_node_new(parser, is_minus ? JINJA_NODE_NEGATIVE : JINJA_NODE_POSITIVE);

    if (!node || !den_jinja_advance(parser) || !den_jinja_parser_enter(parser))
        return NULL;
    node->first = den_jinja_parse_unary(parser, false);
    parser->depth--;
    return node->first ? node : NULL;
}

struct den_jinja_node *den_jinja_parse_unary(struct den_jinja_parser *parser, bool with_filters)
{
    struct den_jinja_node *node;

    if (den_jinja_at_operator(parser, JINJA_SUBTRACT) || den_jinja_at_operator(parser, JINJA_ADD))
        node = parse_signed(parser);
    else
        node = parse_primary(parser, false);
    node = parse_postfix(parser, node);
    while (node && with_filters) {
        if (den_jinja_at_operator(parser, JINJA_PIPE))
            node = den_jinja_parse_filters(parser, node, false);
        else if (den_jinja_at_name(parser, "is"))
            node = parse_test(parser, node);
        else if (den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS))
            node = parse_call(parser, node);
        else
            break;
    }
    return node;
}
