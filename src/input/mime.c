/* See mime.h. */
#include "input/mime.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "input/charset.h"
#include "input/lines.h"

enum { CHARSET_BYTES = 40 };

size_t den_mime_headers(const char *text, size_t length, size_t *out_body)
{
    size_t at = 0;

    while (at < length) {
        struct den_line line = den_line_at(text, length, at);

        if (line.length == 0) {
            *out_body = line.next;
            return at;
        }
        at = line.next;
    }
    *out_body = length;
    return length;
}

/* --- encodings --- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static void decode_base64(const char *text, size_t length, struct den_buffer *out)
{
    unsigned bits = 0, count = 0;
    size_t i;

    for (i = 0; i < length && text[i] != '='; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            continue;
        bits = bits << 6 | (unsigned)value;
        if (++count == 4) {
            char bytes[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };

            den_buffer_append(out, bytes, 3);
            bits = count = 0;
        }
    }
    if (count == 2)
        den_buffer_append_byte(out, (char)(bits >> 4));
    if (count == 3) {
        den_buffer_append_byte(out, (char)(bits >> 10));
        den_buffer_append_byte(out, (char)(bits >> 2));
    }
}

/* `word`: "_" is a space, as in headers. */
static void decode_quoted(const char *text, size_t length, bool word, struct den_buffer *out)
{
    size_t i = 0;

    while (i < length) {
        char c = text[i++];

        if (c != '=') {
            den_buffer_append_byte(out, word && c == '_' ? ' ' : c);
            continue;
        }
        if (i + 1 < length && hex_value(text[i]) >= 0 && hex_value(text[i + 1]) >= 0) {
            den_buffer_append_byte(out, (char)(hex_value(text[i]) * 16 + hex_value(text[i + 1])));
            i += 2;
            continue;
        }
        while (i < length && (text[i] == ' ' || text[i] == '\t'))
            i++;
        if (i < length && text[i] == '\r')
            i++;
        if (i < length && text[i] == '\n')
            i++;
    }
}

void den_mime_decode(const char *encoding, const char *text, size_t length, struct den_buffer *out)
{
    if (strcasecmp(encoding, "base64") == 0)
        decode_base64(text, length, out);
    else if (strcasecmp(encoding, "quoted-printable") == 0)
        decode_quoted(text, length, false, out);
    else
        den_buffer_append(out, text, length);
}

/* --- encoded words --- */

static void append_in_charset(struct den_buffer *out, const char *charset, const char *text,
                              size_t length)
{
    struct den_error ignored = { 0 };
    struct den_decoded decoded;

    if (strcasecmp(charset, "utf-8") != 0 && den_charset_append(out, charset, text, length))
        return;
    if (den_decode(text, length, NULL, &decoded, &ignored) != DEN_OK)
        return;
    den_buffer_append(out, decoded.text, decoded.length);
    den_decoded_free(&decoded);
}

/* The word at `text` ("=?charset?q?text?="); returns its bytes, 0 if it is none. */
static size_t take_word(const char *text, size_t length, struct den_buffer *out)
{
    const char *end = text + length, *charset = text + 2, *kind, *body, *last;
    char name[CHARSET_BYTES];
    struct den_buffer bytes;
    size_t used;

    if (length < 8 || text[0] != '=' || text[1] != '?')
        return 0;
    kind = memchr(charset, '?', (size_t)(end - charset));
    if (!kind || end - kind < 5 || kind[2] != '?' || kind - charset >= CHARSET_BYTES)
        return 0;
    body = kind + 3;
    last = memmem(body, (size_t)(end - body), "?=", 2);
    if (!last)
        return 0;
    used = strcspn(charset, "*?"); /* a language may follow */
    memcpy(name, charset, used);
    name[used] = '\0';
    den_buffer_init(&bytes, 65536);
    if (tolower((unsigned char)kind[1]) == 'b')
        decode_base64(body, (size_t)(last - body), &bytes);
    else
        decode_quoted(body, (size_t)(last - body), true, &bytes);
    append_in_charset(out, name, bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
    return (size_t)(last + 2 - text);
}

void den_mime_words(const char *text, size_t length, struct den_buffer *out)
{
    size_t at = 0;
    bool after_word = false;

    while (at < length && out->status == DEN_OK) {
        size_t blank = at, used;

        while (blank < length && strchr(" \t\r\n", text[blank]) && text[blank])
            blank++;
        if (blank > at &&
            !(after_word && blank + 1 < length && text[blank] == '=' && text[blank + 1] == '?'))
            den_buffer_append_byte(out, ' ');
        at = blank;
        if (at >= length)
            break;
        used = take_word(text + at, length - at, out);
        after_word = used > 0;
        if (used == 0)
            den_buffer_append_byte(out, text[at]);
        at += used ? used : 1;
    }
}

/* --- headers --- */

bool den_mime_header(const char *headers, size_t length, const char *name, struct den_buffer *out)
{
    size_t named = strlen(name);
    size_t at = 0;

    while (at < length) {
        struct den_line line = den_line_at(headers, length, at);
        size_t end = line.at + line.length, next = line.next;

        while (next < length && (headers[next] == ' ' || headers[next] == '\t')) {
            struct den_line more = den_line_at(headers, length, next);

            end = more.at + more.length;
            next = more.next;
        }
        if (line.length > named && line.text[named] == ':' &&
            strncasecmp(line.text, name, named) == 0) {
            size_t start = at + named + 1;

            while (start < end && strchr(" \t\r\n", headers[start]) && headers[start])
                start++;
            den_mime_words(headers + start, end - start, out);
            return true;
        }
        at = next;
    }
    return false;
}

static void append_percent(const char *text, size_t length, struct den_buffer *out)
{
    const char *quote = memchr(text, '\'', length);
    const char *second =
        quote ? memchr(quote + 1, '\'', length - (size_t)(quote + 1 - text)) : NULL;
    char charset[CHARSET_BYTES] = "utf-8";
    struct den_buffer bytes;
    size_t i = 0;

    if (second) {
        if ((size_t)(quote - text) < CHARSET_BYTES) {
            memcpy(charset, text, (size_t)(quote - text));
            charset[quote - text] = '\0';
        }
        i = (size_t)(second + 1 - text);
    }
    den_buffer_init(&bytes, 65536);
    for (; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            den_buffer_append_byte(&bytes,
                                   (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            den_buffer_append_byte(&bytes, text[i]);
        }
    }
    append_in_charset(out, charset, bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
}

bool den_mime_parameter(const char *value, const char *name, struct den_buffer *out)
{
    size_t named = strlen(name);
    const char *at = strchr(value, ';');

    while (at) {
        bool percent;
        size_t length;

        at++;
        at += strspn(at, " \t\r\n");
        if (strncasecmp(at, name, named) == 0 &&
            (at[named] == '=' || (at[named] == '*' && at[named + 1] == '='))) {
            percent = at[named] == '*';
            at += named + 1 + percent;
            if (*at == '"') {
                for (at++; *at && *at != '"'; at++) {
                    at += *at == '\\' && at[1];
                    den_buffer_append_byte(out, *at);
                }
                return true;
            }
            length = strcspn(at, ";");
            while (length > 0 && strchr(" \t\r\n", at[length - 1]))
                length--;
            if (percent)
                append_percent(at, length, out);
            else
                den_buffer_append(out, at, length);
            return true;
        }
        while (*at && *at != ';') {
            if (*at == '"') {
                for (at++; *at && *at != '"'; at++)
                    at += *at == '\\' && at[1];
                at += *at == '"';
            } else {
                at++;
            }
        }
        at = *at == ';' ? at : NULL;
    }
    return false;
}
