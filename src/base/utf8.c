/* See utf8.h. The well-formed ranges are those of Unicode 15, table 3-7. */
#include "base/utf8.h"

/* For a lead byte: how many bytes follow and the range of the first of them. 0 where it can't lead.
 */
struct lead {
    unsigned following;
    unsigned char low;
    unsigned char high;
};

static struct lead lead_of(unsigned char byte)
{
    if (byte >= 0xC2 && byte <= 0xDF)
        return (struct lead){ 1, 0x80, 0xBF };
    if (byte == 0xE0)
        return (struct lead){ 2, 0xA0, 0xBF };
    if (byte == 0xED)
        return (struct lead){ 2, 0x80, 0x9F };
    if (byte >= 0xE1 && byte <= 0xEF)
        return (struct lead){ 2, 0x80, 0xBF };
    if (byte == 0xF0)
        return (struct lead){ 3, 0x90, 0xBF };
    if (byte >= 0xF1 && byte <= 0xF3)
        return (struct lead){ 3, 0x80, 0xBF };
    if (byte == 0xF4)
        return (struct lead){ 3, 0x80, 0x8F };
    return (struct lead){ 0, 0, 0 };
}

/* The length of the longest well-formed prefix of a character; *out_whole tells whether it is a
 * whole one. */
static size_t prefix_length(const unsigned char *bytes, size_t length, bool *out_whole)
{
    struct lead lead;
    size_t i;

    *out_whole = bytes[0] < 0x80;
    if (*out_whole)
        return 1;
    lead = lead_of(bytes[0]);
    if (lead.following == 0)
        return 1;
    for (i = 1; i <= lead.following; i++) {
        unsigned char low = i == 1 ? lead.low : 0x80;
        unsigned char high = i == 1 ? lead.high : 0xBF;

        if (i >= length || bytes[i] < low || bytes[i] > high)
            return i;
    }
    *out_whole = true;
    return i;
}

size_t den_utf8_decode(const char *text, size_t length, uint32_t *out_code)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool whole;
    size_t used = prefix_length(bytes, length, &whole);

    if (!whole)
        *out_code = DEN_UTF8_REPLACEMENT;
    else if (used == 1)
        *out_code = bytes[0];
    else if (used == 2)
        *out_code = ((bytes[0] & 0x1Fu) << 6) | (bytes[1] & 0x3Fu);
    else if (used == 3)
        *out_code = ((bytes[0] & 0x0Fu) << 12) | ((bytes[1] & 0x3Fu) << 6) | (bytes[2] & 0x3Fu);
    else
        *out_code = ((bytes[0] & 0x07u) << 18) | ((bytes[1] & 0x3Fu) << 12) |
                    ((bytes[2] & 0x3Fu) << 6) | (bytes[3] & 0x3Fu);
    return used;
}

size_t den_utf8_encode(uint32_t code, char out[4])
{
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        code = DEN_UTF8_REPLACEMENT;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

bool den_utf8_is_valid(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        bool whole;
        size_t used = prefix_length((const unsigned char *)text + at, length - at, &whole);

        if (!whole)
            return false;
        at += used;
    }
    return true;
}

size_t den_utf8_incomplete_tail(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t back;

    for (back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = bytes[length - back];
        bool whole;

        if ((byte & 0xC0) == 0x80)
            continue;
        if (lead_of(byte).following < back ||
            prefix_length(bytes + length - back, back, &whole) != back)
            return 0;
        return back;
    }
    return 0;
}

size_t den_utf8_count(const char *text, size_t length)
{
    size_t count = 0;
    uint32_t code;
    size_t at;

    for (at = 0; at < length; count++)
        at += den_utf8_decode(text + at, length - at, &code);
    return count;
}
