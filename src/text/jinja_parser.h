/* Jinja parser: from tokens to the syntax tree, by recursive descent with Jinja's own grammar
 * (which differs from Python's: `-x ** 2` is (-x) ** 2, `~` binds tighter than `+`). Statements
 * are in jinja_statement.c, expressions in jinja_expression.c and jinja_primary.c. Nesting is
 * bounded by DEN_TEMPLATE_DEPTH_MAX. Parse functions return NULL after they have reported a
 * failure. */
#ifndef DEN_TEXT_JINJA_PARSER_H
#define DEN_TEXT_JINJA_PARSER_H

#include "text/jinja_node.h"

enum { JINJA_NAME_BUCKETS = 256 };

/* A macro (or call block) being parsed. */
struct den_jinja_frame {
    struct den_jinja_frame *outer;
    unsigned uses;
    unsigned loops; /* enclosing loops within this frame */
};

struct den_jinja_name {
    struct den_jinja_name *next;
    const struct den_jinja_text *text;
};

struct den_jinja_parser {
    struct den_arena *arena;
    struct den_error *err;
    struct den_jinja_lexer lexer;
    struct den_jinja_token current;
    struct den_jinja_token ahead;
    bool has_ahead;
    unsigned depth;
    struct den_jinja_frame *frame;
    struct den_jinja_name *names[JINJA_NAME_BUCKETS];
};

/* *out_body is the list of the template's statements (NULL for an empty template). */
enum den_status den_jinja_parse(struct den_jinja_parser *parser, struct den_arena *arena,
                                const char *source, size_t length, struct den_jinja_node **out_body,
                                struct den_error *err);

/* --- shared by the parser's files --- */

/* Always NULL. The line is the current token's. */
void *den_jinja_parser_fail(struct den_jinja_parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool den_jinja_parser_enter(struct den_jinja_parser *parser);
bool den_jinja_advance(struct den_jinja_parser *parser);
struct den_jinja_node *den_jinja_node_new(struct den_jinja_parser *parser,
                                          enum den_jinja_node_kind kind);
const struct den_jinja_text *den_jinja_intern(struct den_jinja_parser *parser, const char *bytes,
                                              size_t length);
bool den_jinja_at_operator(const struct den_jinja_parser *parser, enum den_jinja_operator op);
bool den_jinja_at_name(const struct den_jinja_parser *parser, const char *name);
/* Passes over the token if it is the one; *out_passed tells. False only on a lexer's failure. */
bool den_jinja_pass_operator(struct den_jinja_parser *parser, enum den_jinja_operator op,
                             bool *out_passed);
bool den_jinja_pass_name(struct den_jinja_parser *parser, const char *name, bool *out_passed);
bool den_jinja_expect_operator(struct den_jinja_parser *parser, enum den_jinja_operator op);
/* Takes a name token. */
const struct den_jinja_text *den_jinja_expect_name(struct den_jinja_parser *parser);
/* What the current token is, for messages; `text` is scratch space. */
const char *den_jinja_describe(const struct den_jinja_parser *parser, char text[64]);

/* Appends to a list held by its head and the place of its end; false for NULL. */
bool den_jinja_append(struct den_jinja_node ***end, struct den_jinja_node *node);
/* Makes parser->ahead the token after the current one. */
bool den_jinja_look_ahead(struct den_jinja_parser *parser);

/* A primary expression with a sign before it and what follows it. */
struct den_jinja_node *den_jinja_parse_unary(struct den_jinja_parser *parser, bool with_filters);
struct den_jinja_node *den_jinja_parse_expression(struct den_jinja_parser *parser);
/* An expression without `x if y`. */
struct den_jinja_node *den_jinja_parse_or(struct den_jinja_parser *parser);
/* One expression, or a tuple without parentheses. `end` (or NULL) is a name that ends it. */
struct den_jinja_node *den_jinja_parse_tuple(struct den_jinja_parser *parser, bool with_condition,
                                             const char *end);
/* What can be assigned to; `end` as above. */
struct den_jinja_node *den_jinja_parse_target(struct den_jinja_parser *parser, const char *end,
                                              bool with_field);
/* A chain of filters after `|`, or directly at a name; `input` may be NULL. */
struct den_jinja_node *den_jinja_parse_filters(struct den_jinja_parser *parser,
                                               struct den_jinja_node *input, bool is_inline);

#endif
