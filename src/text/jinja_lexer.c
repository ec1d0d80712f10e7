/* See jinja_lexer.h. Texts and numbers inside tags are read in jinja_literal.c. */
#include "text/jinja_lexer.h"

#include <string.h>

#include "base/utf8.h"
#include "text/jinja_literal.h"
#include "text/jinja_unicode.h"

static const struct {
    const char *text;
    enum den_jinja_operator op;
} operators[] = { /* longer ones first */
                  { "//", JINJA_FLOOR_DIVIDE },
                  { "**", JINJA_POWER },
                  { "==", JINJA_EQUAL },
                  { "!=", JINJA_NOT_EQUAL },
                  { ">=", JINJA_GREATER_EQUAL },
                  { "<=", JINJA_LESS_EQUAL },
                  { "+", JINJA_ADD },
                  { "-", JINJA_SUBTRACT },
                  { "/", JINJA_DIVIDE },
                  { "*", JINJA_MULTIPLY },
                  { "%", JINJA_MODULO },
                  { "~", JINJA_TILDE },
                  { "[", JINJA_OPEN_BRACKET },
                  { "]", JINJA_CLOSE_BRACKET },
                  { "(", JINJA_OPEN_PARENTHESIS },
                  { ")", JINJA_CLOSE_PARENTHESIS },
                  { "{", JINJA_OPEN_BRACE },
                  { "}", JINJA_CLOSE_BRACE },
                  { ">", JINJA_GREATER },
                  { "<", JINJA_LESS },
                  { "=", JINJA_ASSIGN },
                  { ".", JINJA_DOT },
                  { ":", JINJA_COLON },
                  { "|", JINJA_PIPE },
                  { ",", JINJA_COMMA },
                  { ";", JINJA_SEMICOLON }
};

const char *den_jinja_operator_text(enum den_jinja_operator op)
{
    size_t i;

    for (i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].op == op)
            return operators[i].text;
    return op == JINJA_IN ? "in" : "not in";
}

static bool fail(struct den_jinja_lexer *lexer, const char *message)
{
    den_fail(lexer->err, DEN_INVALID, "template: line %u: %s", lexer->line, message);
    return false;
}

enum den_status den_jinja_lexer_init(struct den_jinja_lexer *lexer, struct den_arena *arena,
                                     const char *source, size_t length, struct den_error *err)
{
    char *copy = den_arena_text(arena, source, length);
    size_t used = 0;
    size_t i;

    if (!copy)
        return den_fail(err, DEN_NO_MEMORY, "template: out of memory");
    if (!den_utf8_is_valid(source, length))
        return den_fail(err, DEN_INVALID, "template: the source is not UTF-8");
    for (i = 0; i < length; i++) {
        if (source[i] == '\r' && i + 1 < length && source[i + 1] == '\n')
            continue;
        copy[used++] = source[i] == '\r' ? '\n' : source[i];
    }
    if (used > 0 && copy[used - 1] == '\n')
        used--;
    *lexer = (struct den_jinja_lexer){ .arena = arena,
                                       .err = err,
                                       .at = copy,
                                       .end = copy + used,
                                       .line = 1,
                                       .state = JINJA_TOKEN_DATA,
                                       .pending = JINJA_TOKEN_END,
                                       .is_line_start = true };
    return DEN_OK;
}

static bool looking_at(const struct den_jinja_lexer *lexer, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(lexer->end - lexer->at) >= length && memcmp(lexer->at, text, length) == 0;
}

/* Moves on to `to`, counting lines. */
static void advance(struct den_jinja_lexer *lexer, const char *to)
{
    const char *at;

    for (at = lexer->at; at < to; at++)
        lexer->line += *at == '\n';
    if (to > lexer->at)
        lexer->is_line_start = to[-1] == '\n';
    lexer->at = to;
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end) {
        uint32_t code;
        size_t used = den_utf8_decode(at, (size_t)(end - at), &code);

        if (!den_jinja_char_is(code, JINJA_IS_SPACE))
            break;
        at += used;
    }
    return at;
}

static const char *strip_end(const char *start, const char *end)
{
    while (end > start) {
        const char *before = end - 1;
        uint32_t code;

        while (before > start && ((unsigned char)*before & 0xC0) == 0x80)
            before--;
        den_utf8_decode(before, (size_t)(end - before), &code);
        if (!den_jinja_char_is(code, JINJA_IS_SPACE))
            break;
        end = before;
    }
    return end;
}

/* Where the data before a tag ends: `sign` is what follows the tag's opening. */
static const char *trim_before(const struct den_jinja_lexer *lexer, const char *start,
                               const char *end, char sign, bool is_variable)
{
    const char *line;

    if (sign == '-')
        return strip_end(start, end);
    if (sign == '+' || is_variable)
        return end;
    line = start < end ? memrchr(start, '\n', (size_t)(end - start)) : NULL;
    if (!line && !lexer->is_line_start)
        return end;
    line = line ? line + 1 : start;
    return skip_spaces(line, end) == end ? line : end;
}

/* After a closing tag: the white space that goes with it. `is_block`: a newline is dropped too. */
static bool close_tag(struct den_jinja_lexer *lexer, const char *closing, bool is_block)
{
    const char *at = lexer->at;

    if (*at == '-' || (*at == '+' && is_block))
        lexer->at++;
    if (!looking_at(lexer, closing)) {
        lexer->at = at;
        return false;
    }
    if (*at == '-') {
        const char *end = skip_spaces(lexer->at + 2, lexer->end);

        lexer->at = at;
        advance(lexer, end);
        return true;
    }
    lexer->at = at;
    at += *at == '+' ? 3 : 2;
    if (is_block && lexer->at[0] != '+' && at < lexer->end && *at == '\n')
        at++;
    advance(lexer, at);
    return true;
}

static bool skip_comment(struct den_jinja_lexer *lexer)
{
    const char *at;

    for (at = lexer->at; at < lexer->end; at++) {
        advance(lexer, at);
        if ((*at == '#' || *at == '-' || *at == '+') && close_tag(lexer, "#}", true))
            return true;
    }
    return fail(lexer, "a comment '{#' has no end; '#}' is missing");
}

/* At "{%": does `raw` (or `endraw`) follow? On success the tag is passed over. */
static bool pass_raw_tag(struct den_jinja_lexer *lexer, const char *name, bool is_end)
{
    const char *start = lexer->at;
    const char *at = start + 2;
    size_t length = strlen(name);
    unsigned line = lexer->line;
    bool is_line_start = lexer->is_line_start;

    if (at < lexer->end && (*at == '-' || *at == '+'))
        at++;
    at = skip_spaces(at, lexer->end);
    if ((size_t)(lexer->end - at) < length || memcmp(at, name, length) != 0)
        return false;
    at = skip_spaces(at + length, lexer->end);
    if (at >= lexer->end || (*at == '+' && !is_end))
        return false;
    advance(lexer, at);
    if (close_tag(lexer, "%}", is_end))
        return true;
    if (!is_end && looking_at(lexer, "%}")) {
        advance(lexer, lexer->at + 2);
        return true;
    }
    lexer->at = start;
    lexer->line = line;
    lexer->is_line_start = is_line_start;
    return false;
}

static void give_data(const char *start, const char *end, unsigned line,
                      struct den_jinja_token *out)
{
    *out = (struct den_jinja_token){
        .kind = JINJA_TOKEN_DATA, .line = line, .bytes = start, .length = (size_t)(end - start)
    };
}

/* The body of a raw block is data up to endraw. */
static bool read_raw(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    const char *start = lexer->at;
    unsigned line = lexer->line;
    bool was_line_start = lexer->is_line_start;
    const char *tag = start;

    while ((tag = memmem(tag, (size_t)(lexer->end - tag), "{%", 2)) != NULL) {
        advance(lexer, tag);
        if (pass_raw_tag(lexer, "endraw", true)) {
            bool is_line_start = lexer->is_line_start;
            char sign = tag[2];

            lexer->is_line_start = was_line_start;
            give_data(start, trim_before(lexer, start, tag, sign, false), line, out);
            lexer->is_line_start = is_line_start;
            return true;
        }
        tag++;
    }
    return fail(lexer, "a raw block has no end; '{% endraw %}' is missing");
}

static const char *find_tag(const char *at, const char *end)
{
    for (; at + 1 < end; at++) {
        at = memchr(at, '{', (size_t)(end - at));
        if (!at || at + 1 >= end)
            return NULL;
        if (at[1] == '{' || at[1] == '%' || at[1] == '#')
            return at;
    }
    return NULL;
}

/* Outside of tags: gives the data up to the next variable or block, and passes over its opening.
 * Data of length 0 is not given; the caller asks again. */
static bool read_data(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    const char *start = lexer->at;
    const char *tag = find_tag(start, lexer->end);
    unsigned line = lexer->line;
    const char *data_end;
    char sign;

    if (!tag) {
        advance(lexer, lexer->end);
        give_data(start, lexer->end, line, out);
        return true;
    }
    sign = tag + 2 < lexer->end ? tag[2] : 0;
    data_end = trim_before(lexer, start, tag, sign, tag[1] == '{');
    advance(lexer, tag);
    give_data(start, data_end, line, out);
    if (tag[1] == '%' && pass_raw_tag(lexer, "raw", false)) {
        struct den_jinja_token raw;

        if (data_end > start) { /* two pieces of data: go back and give the second one next */
            lexer->pending = JINJA_TOKEN_DATA;
            return true;
        }
        if (!read_raw(lexer, &raw))
            return false;
        *out = raw;
        return true;
    }
    advance(lexer, tag + 2 + (sign == '-' || sign == '+'));
    lexer->is_line_start = false;
    if (tag[1] == '#')
        return skip_comment(lexer);
    lexer->pending = tag[1] == '{' ? JINJA_TOKEN_VARIABLE_BEGIN : JINJA_TOKEN_BLOCK_BEGIN;
    return true;
}

static bool balance(struct den_jinja_lexer *lexer, char c)
{
    char closer = c == '(' ? ')' : c == '[' ? ']' : c == '{' ? '}' : 0;
    char message[80];

    if (closer) {
        if (lexer->depth == sizeof lexer->brackets)
            return fail(lexer, "brackets are nested too deep (200 levels at most)");
        lexer->brackets[lexer->depth++] = closer;
        return true;
    }
    if (c != ')' && c != ']' && c != '}')
        return true;
    memcpy(message, "unexpected ' '", 15);
    message[12] = c;
    if (lexer->depth == 0)
        return fail(lexer, message);
    if (lexer->brackets[--lexer->depth] != c) {
        memcpy(message + 14, ", expected ' '", 15);
        message[26] = lexer->brackets[lexer->depth];
        return fail(lexer, message);
    }
    return true;
}

static bool read_operator(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    size_t i;

    for (i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (looking_at(lexer, operators[i].text)) {
            out->kind = JINJA_TOKEN_OPERATOR;
            out->op = operators[i].op;
            out->length = strlen(operators[i].text);
            if (out->length == 1 && !balance(lexer, *lexer->at))
                return false;
            advance(lexer, lexer->at + out->length);
            return true;
        }
    den_fail(lexer->err, DEN_INVALID, "template: line %u: unexpected character 0x%02x in a tag",
             lexer->line, (unsigned char)*lexer->at);
    return false;
}

static bool is_name_byte(char c, bool is_first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!is_first && c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static bool read_in_tag(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    bool is_block = lexer->state == JINJA_TOKEN_BLOCK_BEGIN;
    const char *at;

    if (lexer->depth == 0 && lexer->at < lexer->end &&
        close_tag(lexer, is_block ? "%}" : "}}", is_block)) {
        out->kind = is_block ? JINJA_TOKEN_BLOCK_END : JINJA_TOKEN_VARIABLE_END;
        lexer->state = JINJA_TOKEN_DATA;
        return true;
    }
    at = skip_spaces(lexer->at, lexer->end);
    if (at > lexer->at) {
        advance(lexer, at);
        return read_in_tag(lexer, out);
    }
    out->line = lexer->line;
    if (at == lexer->end) {
        out->kind = JINJA_TOKEN_END;
        return true;
    }
    if (*at >= '0' && *at <= '9') {
        out->kind = den_jinja_read_number(lexer, out) ? out->kind : JINJA_TOKEN_END;
        return out->kind != JINJA_TOKEN_END;
    }
    if (*at == '\'' || *at == '"') {
        if (memchr(at + 1, *at, (size_t)(lexer->end - at - 1)) == NULL)
            return fail(lexer, "a text has no closing quote");
        return den_jinja_read_text(lexer, out);
    }
    if (!is_name_byte(*at, true))
        return read_operator(lexer, out);
    while (at < lexer->end && is_name_byte(*at, false))
        at++;
    out->kind = JINJA_TOKEN_NAME;
    out->bytes = lexer->at;
    out->length = (size_t)(at - lexer->at);
    advance(lexer, at);
    return true;
}

bool den_jinja_lexer_next(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    *out = (struct den_jinja_token){ .line = lexer->line };
    if (lexer->state != JINJA_TOKEN_DATA)
        return read_in_tag(lexer, out);
    for (;;) {
        if (lexer->pending == JINJA_TOKEN_DATA) {
            lexer->pending = JINJA_TOKEN_END;
            if (!read_raw(lexer, out))
                return false;
        } else if (lexer->pending != JINJA_TOKEN_END) {
            *out = (struct den_jinja_token){ .kind = lexer->pending, .line = lexer->line };
            lexer->state = lexer->pending;
            lexer->pending = JINJA_TOKEN_END;
            return true;
        } else if (lexer->at == lexer->end) {
            *out = (struct den_jinja_token){ .kind = JINJA_TOKEN_END, .line = lexer->line };
            return true;
        } else if (!read_data(lexer, out)) {
            return false;
        }
        if (out->length > 0)
            return true;
    }
}
