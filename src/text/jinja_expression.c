/* Expressions of the Jinja grammar, from the loosest binding to the tightest; see jinja_parser.h.
 * Each level is a function that calls the next; a level that finds no operator of its own returns
 * what it got. */
#include "text/jinja_parser.h"

#include <string.h>

bool den_jinja_append(struct den_jinja_node ***end, struct den_jinja_node *node)
{
    if (!node)
        return false;
    **end = node;
    *end = &node->next;
    return true;
}

typedef struct den_jinja_node *(*parse_level)(struct den_jinja_parser *parser);

static struct den_jinja_node *new_operand(struct den_jinja_parser *parser,
                                          enum den_jinja_operator op, struct den_jinja_node *first)
{
    struct den_jinja_node *node = first ? den_jinja_node_new(parser, JINJA_NODE_OPERAND) : NULL;

    if (node) {
        node->op = op;
        node->first = first;
    }
    return node;
}

/* level (op level)* with any operator in [low, high] */
static struct den_jinja_node *parse_math(struct den_jinja_parser *parser, parse_level level,
                                         enum den_jinja_operator low, enum den_jinja_operator high)
{
    struct den_jinja_node *left = level(parser);
    struct den_jinja_node *chain;
    struct den_jinja_node **end;

    if (!left || parser->current.kind != JINJA_TOKEN_OPERATOR || parser->current.op < low ||
        parser->current.op > high)
        return left;
    chain = den_jinja_node_new(parser, JINJA_NODE_MATH);
    if (!chain)
        return NULL;
    chain->first = left;
    end = &chain->second;
    while (parser->current.kind == JINJA_TOKEN_OPERATOR && parser->current.op >= low &&
           parser->current.op <= high) {
        enum den_jinja_operator op = parser->current.op;

        if (!den_jinja_advance(parser) ||
            !den_jinja_append(&end, new_operand(parser, op, level(parser))))
            return NULL;
    }
    return chain;
}

static struct den_jinja_node *parse_unary_filtered(struct den_jinja_parser *parser)
{
    return den_jinja_parse_unary(parser, true);
}

static struct den_jinja_node *parse_power(struct den_jinja_parser *parser)
{
    return parse_math(parser, parse_unary_filtered, JINJA_POWER, JINJA_POWER);
}

static struct den_jinja_node *parse_product(struct den_jinja_parser *parser)
{
    return parse_math(parser, parse_power, JINJA_MULTIPLY, JINJA_MODULO);
}

static struct den_jinja_node *parse_concat(struct den_jinja_parser *parser)
{
    struct den_jinja_node *left = parse_product(parser);
    struct den_jinja_node *chain;
    struct den_jinja_node **end;

    if (!left || !den_jinja_at_operator(parser, JINJA_TILDE))
        return left;
    chain = den_jinja_node_new(parser, JINJA_NODE_CONCAT);
    if (!chain)
        return NULL;
    end = &chain->first;
    den_jinja_append(&end, left);
    while (den_jinja_at_operator(parser, JINJA_TILDE))
        if (!den_jinja_advance(parser) || !den_jinja_append(&end, parse_product(parser)))
            return NULL;
    return chain;
}

static struct den_jinja_node *parse_sum(struct den_jinja_parser *parser)
{
    return parse_math(parser, parse_concat, JINJA_ADD, JINJA_SUBTRACT);
}

bool den_jinja_look_ahead(struct den_jinja_parser *parser)
{
    if (!parser->has_ahead)
        parser->has_ahead = den_jinja_lexer_next(&parser->lexer, &parser->ahead);
    return parser->has_ahead;
}

/* Takes a comparison operator. *out_found: there was one. */
static bool take_comparison(struct den_jinja_parser *parser, enum den_jinja_operator *out_op,
                            bool *out_found)
{
    *out_found = true;
    if (parser->current.kind == JINJA_TOKEN_OPERATOR && parser->current.op >= JINJA_EQUAL &&
        parser->current.op <= JINJA_GREATER_EQUAL) {
        *out_op = parser->current.op;
        return den_jinja_advance(parser);
    }
    if (den_jinja_at_name(parser, "in")) {
        *out_op = JINJA_IN;
        return den_jinja_advance(parser);
    }
    if (den_jinja_at_name(parser, "not")) {
        if (!den_jinja_look_ahead(parser))
            return false;
        if (parser->ahead.kind == JINJA_TOKEN_NAME && parser->ahead.length == 2 &&
            memcmp(parser->ahead.bytes, "in", 2) == 0) {
            *out_op = JINJA_NOT_IN;
            return den_jinja_advance(parser) && den_jinja_advance(parser);
        }
    }
    *out_found = false;
    return true;
}

static struct den_jinja_node *parse_compare(struct den_jinja_parser *parser)
{
    struct den_jinja_node *left = parse_sum(parser);
    struct den_jinja_node *chain = NULL;
    struct den_jinja_node **end = NULL;

    while (left) {
        enum den_jinja_operator op;
        bool is_found;

        if (!take_comparison(parser, &op, &is_found))
            return NULL;
        if (!is_found)
            break;
        if (!chain) {
            chain = den_jinja_node_new(parser, JINJA_NODE_COMPARE);
            if (!chain)
                return NULL;
            chain->first = left;
            end = &chain->second;
        }
        if (!den_jinja_append(&end, new_operand(parser, op, parse_sum(parser))))
            return NULL;
    }
    return chain ? chain : left;
}

static struct den_jinja_node *parse_not(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node;

    if (!den_jinja_at_name(parser, "not"))
        return parse_compare(parser);
    node = den_jinja_node_new(parser, JINJA_NODE_NOT);
    if (!node || !den_jinja_advance(parser) || !den_jinja_parser_enter(parser))
        return NULL;
    node->first = parse_not(parser);
    parser->depth--;
    return node->first ? node : NULL;
}

static struct den_jinja_node *parse_logic(struct den_jinja_parser *parser, parse_level level,
                                          const char *word, enum den_jinja_node_kind kind)
{
    struct den_jinja_node *left = level(parser);
    struct den_jinja_node *chain;
    struct den_jinja_node **end;

    if (!left || !den_jinja_at_name(parser, word))
        return left;
    chain = den_jinja_node_new(parser, kind);
    if (!chain)
        return NULL;
    end = &chain->first;
    den_jinja_append(&end, left);
    while (den_jinja_at_name(parser, word))
        if (!den_jinja_advance(parser) || !den_jinja_append(&end, level(parser)))
            return NULL;
    return chain;
}

static struct den_jinja_node *parse_and(struct den_jinja_parser *parser)
{
    return parse_logic(parser, parse_not, "and", JINJA_NODE_AND);
}

struct den_jinja_node *den_jinja_parse_or(struct den_jinja_parser *parser)
{
    return parse_logic(parser, parse_and, "or", JINJA_NODE_OR);
}

static struct den_jinja_node *parse_condition(struct den_jinja_parser *parser)
{
    struct den_jinja_node *value = den_jinja_parse_or(parser);

    while (value && den_jinja_at_name(parser, "if")) {
        struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_CONDITION);
        bool has_else;

        if (!node || !den_jinja_advance(parser))
            return NULL;
        node->first = value;
        node->second = den_jinja_parse_or(parser);
        if (!node->second || !den_jinja_pass_name(parser, "else", &has_else))
            return NULL;
        if (has_else) {
            node->third = den_jinja_parse_expression(parser);
            if (!node->third)
                return NULL;
        }
        value = node;
    }
    return value;
}

struct den_jinja_node *den_jinja_parse_expression(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node;

    if (!den_jinja_parser_enter(parser))
        return NULL;
    node = parse_condition(parser);
    parser->depth--;
    return node;
}
