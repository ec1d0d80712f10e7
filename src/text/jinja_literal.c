/* See jinja_literal.h. Escapes are Python's: \n \t \\ \' \xHH \ooo \uHHHH \UHHHHHHHH, an escaped
 * newline vanishes, an unknown escape stays as written. */
#include "text/jinja_literal.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_unicode.h"

enum { NUMBER_BYTES_MAX = 400 }; /* more digits than a double or a 64-bit integer can tell apart */

static bool fail(struct den_jinja_lexer *lexer, const char *message)
{
    den_fail(lexer->err, DEN_INVALID, "template: line %u: %s", lexer->line, message);
    return false;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

/* Digits of `base` with single underscores between them; returns where they end. */
static const char *pass_digits(const char *at, const char *end, int base)
{
    const char *start = at;

    while (at < end && (digit_value(*at) < base ||
                        (*at == '_' && at > start && at + 1 < end && digit_value(at[1]) < base)))
        at++;
    return at;
}

static const char *pass_float(const char *at, const char *end)
{
    const char *whole = pass_digits(at, end, 10);
    const char *to = whole;

    if (to + 1 < end && *to == '.' && digit_value(to[1]) < 10)
        to = pass_digits(to + 1, end, 10);
    if (to < end && (*to == 'e' || *to == 'E')) {
        const char *exponent = to + 1;

        if (exponent < end && (*exponent == '+' || *exponent == '-'))
            exponent++;
        if (exponent < end && digit_value(*exponent) < 10)
            to = pass_digits(exponent, end, 10);
    }
    return to == whole ? at : to;
}

bool den_jinja_read_number(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    const char *start = lexer->at;
    const char *to = start;
    bool overflow = false;
    int base = 10;

    if (lexer->end - start > 2 && start[0] == '0') {
        char mark = (char)(start[1] | 0x20);

        base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    }
    if (start[-1] != '.') /* the source never starts with a number: a tag opened before it */
        to = pass_float(start, lexer->end);
    if (to > start) {
        out->kind = JINJA_TOKEN_FLOAT;
        if (!den_jinja_parse_float(start, (size_t)(to - start), &out->number))
            return fail(lexer, "a number is malformed or too long");
    } else {
        out->kind = JINJA_TOKEN_INTEGER;
        if (base != 10) {
            to = pass_digits(start + 2, lexer->end, base);
            if (to == start + 2) {
                base = 10;
                to = start + 1;
            }
        } else if (*start == '0') {
            for (to = start + 1; to < lexer->end && (*to == '0' || (*to == '_' && to[1] == '0'));)
                to++;
        } else {
            to = pass_digits(start, lexer->end, 10);
        }
        if (!den_jinja_parse_integer(start, (size_t)(to - start), base, &out->integer, &overflow))
            return fail(lexer,
                        overflow ? "an integer does not fit in 64 bits" : "a number is malformed");
    }
    lexer->at = to;
    return true;
}

/* Up to `count` hexadecimal digits; false when there are fewer. */
static bool read_hex(const char *at, const char *end, int count, uint32_t *out)
{
    int i;

    *out = 0;
    for (i = 0; i < count; i++) {
        if (at + i >= end || digit_value(at[i]) >= 16)
            return false;
        *out = *out * 16 + (uint32_t)digit_value(at[i]);
    }
    return *out <= 0x10FFFF;
}

static size_t read_octal(const char *at, const char *end, uint32_t *out)
{
    size_t used = 0;

    *out = 0;
    while (used < 3 && at + used < end && at[used] >= '0' && at[used] <= '7')
        *out = *out * 8 + (uint32_t)(at[used++] - '0');
    return used;
}

/* At the character after a backslash. Appends what the escape stands for (never more bytes than it
 * was written with); returns the bytes passed, 0 where it is malformed. */
static size_t unescape(const char *at, const char *end, char **out)
{
    static const char from[] = "\\'\"abfnrtv";
    static const char to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *simple = *at ? strchr(from, *at) : NULL;
    uint32_t code;
    size_t used = 1;
    int digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;

    if (*at == '\n')
        return 1;
    if (simple) {
        *(*out)++ = to[simple - from];
        return 1;
    }
    if (digits > 0) {
        if (!read_hex(at + 1, end, digits, &code))
            return 0;
        used += (size_t)digits;
    } else if (*at >= '0' && *at <= '7') {
        used = read_octal(at, end, &code);
    } else if (*at == 'N') {
        return 0;
    } else {
        *(*out)++ = '\\';
        *(*out)++ = *at;
        return 1;
    }
    *out += den_utf8_encode(code, *out);
    return used;
}

bool den_jinja_read_text(struct den_jinja_lexer *lexer, struct den_jinja_token *out)
{
    char quote = *lexer->at;
    const char *at = lexer->at + 1;
    const char *close = at;
    char *bytes;
    char *to;

    while (close < lexer->end && *close != quote)
        close += *close == '\\' && close + 1 < lexer->end ? 2 : 1;
    if (close >= lexer->end)
        return fail(lexer, "a text has no closing quote");
    bytes = den_arena_alloc(lexer->arena, (size_t)(close - at) + 4);
    if (!bytes)
        return fail(lexer, "out of memory");
    to = bytes;
    while (at < close) {
        size_t used;

        lexer->line += *at == '\n';
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        used = unescape(at + 1, close, &to);
        if (used == 0)
            return fail(lexer, "a text holds a malformed escape; write \\xHH, \\uHHHH or "
                               "\\UHHHHHHHH with all digits (\\N is not supported)");
        lexer->line += at[1] == '\n';
        at += 1 + used;
    }
    lexer->at = close + 1;
    out->kind = JINJA_TOKEN_TEXT;
    out->bytes = bytes;
    out->length = (size_t)(to - bytes);
    return true;
}

static void trim_spaces(const char **bytes, size_t *length)
{
    while (*length > 0 && den_jinja_char_is((unsigned char)**bytes & 0x7F, JINJA_IS_SPACE) &&
           (unsigned char)**bytes < 0x80) {
        (*bytes)++;
        (*length)--;
    }
    while (*length > 0 && (unsigned char)(*bytes)[*length - 1] < 0x80 &&
           den_jinja_char_is((unsigned char)(*bytes)[*length - 1], JINJA_IS_SPACE))
        (*length)--;
}

/* "0x", "0o" or "0b" in front: skipped where it agrees with `base`; base 0 takes it as the base. */
static int take_prefix(const char **at, const char *end, int base)
{
    int named = 0;

    if (end - *at > 2 && **at == '0') {
        char mark = (char)((*at)[1] | 0x20);

        named = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    }
    if (named && (base == 0 || base == named)) {
        *at += 2 + ((*at)[2] == '_');
        return named;
    }
    return base == 0 ? 10 : base;
}

bool den_jinja_parse_integer(const char *bytes, size_t length, int base, int64_t *out,
                             bool *out_overflow)
{
    const char *at;
    const char *end;
    bool is_negative;
    int64_t value = 0;

    *out_overflow = false;
    trim_spaces(&bytes, &length);
    at = bytes;
    end = bytes + length;
    is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    base = take_prefix(&at, end, base);
    if (at == end || pass_digits(at, end, base) != end)
        return false;
    for (; at < end; at++) {
        if (*at == '_')
            continue;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_sub_overflow(value, digit_value(*at), &value)) {
            *out_overflow = true;
            return false;
        }
    }
    if (!is_negative && value == INT64_MIN) {
        *out_overflow = true;
        return false;
    }
    *out = is_negative ? value : -value;
    return true;
}

static bool is_float_text(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');

    if (strcasecmp(at, "inf") == 0 || strcasecmp(at, "infinity") == 0 || strcasecmp(at, "nan") == 0)
        return true;
    return *at && strspn(at, "0123456789.eE+-") == strlen(at);
}

bool den_jinja_parse_float(const char *bytes, size_t length, double *out)
{
    char text[NUMBER_BYTES_MAX];
    size_t used = 0;
    size_t i;
    char *end;

    trim_spaces(&bytes, &length);
    if (length == 0 || length >= sizeof text)
        return false;
    for (i = 0; i < length; i++) {
        bool is_between = i > 0 && i + 1 < length && digit_value(bytes[i - 1]) < 10 &&
                          digit_value(bytes[i + 1]) < 10;

        if (bytes[i] != '_' || !is_between)
            text[used++] = bytes[i];
    }
    text[used] = '\0';
    if (strlen(text) != used || !is_float_text(text))
        return false;
    *out = strtod(text, &end);
    return end == text + used && end != text;
}
