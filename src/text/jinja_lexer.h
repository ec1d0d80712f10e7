/* Jinja lexer: from template source to tokens, one at a time.
 *
 * Outside of tags everything is data. White space around tags follows Jinja with transformers'
 * settings: `-` beside a tag strips, `+` keeps, trim_blocks drops the newline after a block or
 * comment, lstrip_blocks the blanks before one that begins a line. A final newline of the source is
 * dropped. Comments and raw blocks never reach the parser. */
#ifndef DEN_TEXT_JINJA_LEXER_H
#define DEN_TEXT_JINJA_LEXER_H

#include "base/status.h"
#include "text/jinja_value.h"

enum den_jinja_token_kind {
    JINJA_TOKEN_END,
    JINJA_TOKEN_DATA,
    JINJA_TOKEN_VARIABLE_BEGIN,
    JINJA_TOKEN_VARIABLE_END,
    JINJA_TOKEN_BLOCK_BEGIN,
    JINJA_TOKEN_BLOCK_END,
    JINJA_TOKEN_NAME,
    JINJA_TOKEN_TEXT,
    JINJA_TOKEN_INTEGER,
    JINJA_TOKEN_FLOAT,
    JINJA_TOKEN_OPERATOR
};

enum den_jinja_operator {
    JINJA_ADD,
    JINJA_SUBTRACT,
    JINJA_MULTIPLY,
    JINJA_DIVIDE,
    JINJA_FLOOR_DIVIDE,
    JINJA_MODULO,
    JINJA_POWER,
    JINJA_TILDE,
    JINJA_EQUAL,
    JINJA_NOT_EQUAL,
    JINJA_LESS,
    JINJA_LESS_EQUAL,
    JINJA_GREATER,
    JINJA_GREATER_EQUAL,
    JINJA_IN,     /* made by the parser from names */
    JINJA_NOT_IN, /* likewise */
    JINJA_ASSIGN,
    JINJA_DOT,
    JINJA_COLON,
    JINJA_PIPE,
    JINJA_COMMA,
    JINJA_SEMICOLON,
    JINJA_OPEN_PARENTHESIS,
    JINJA_CLOSE_PARENTHESIS,
    JINJA_OPEN_BRACKET,
    JINJA_CLOSE_BRACKET,
    JINJA_OPEN_BRACE,
    JINJA_CLOSE_BRACE
};

struct den_jinja_token {
    enum den_jinja_token_kind kind;
    enum den_jinja_operator op;
    unsigned line;
    const char *bytes; /* names, data: a span of the source; texts: unescaped */
    size_t length;
    int64_t integer;
    double number;
};

struct den_jinja_lexer {
    struct den_arena *arena;
    struct den_error *err;
    const char *at;
    const char *end;
    unsigned line;
    enum den_jinja_token_kind state;   /* DATA, VARIABLE_BEGIN or BLOCK_BEGIN: where we are */
    enum den_jinja_token_kind pending; /* a tag that begins after the data just given; else END */
    bool is_line_start;
    size_t depth;
    char brackets[DEN_TEMPLATE_DEPTH_MAX]; /* the closers awaited */
};

/* Copies the source (newlines become "\n"). DEN_INVALID for bytes that are not UTF-8. */
enum den_status den_jinja_lexer_init(struct den_jinja_lexer *lexer, struct den_arena *arena,
                                     const char *source, size_t length, struct den_error *err);
bool den_jinja_lexer_next(struct den_jinja_lexer *lexer, struct den_jinja_token *out);
/* The operator as written. */
const char *den_jinja_operator_text(enum den_jinja_operator op);

#endif
