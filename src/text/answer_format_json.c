/* See answer_format_json.h. A state for each place that the grammar of RFC 8259 knows, and one bit
 * for each open bracket; depth is bounded as everywhere, so a word of bits is enough. */
#include "text/answer_format_json.h"

#include <string.h>

#include "base/limits.h"

_Static_assert(DEN_JSON_DEPTH_MAX <= 64, "open brackets are kept in 64 bits");

void den_json_scan_init(struct den_json_scan *scan)
{
    *scan = (struct den_json_scan){ .place = DEN_JSON_VALUE };
}

bool den_json_scan_is_whole(const struct den_json_scan *scan)
{
    return scan->depth == 0 && scan->place == DEN_JSON_AFTER;
}

bool den_json_scan_in_text(const struct den_json_scan *scan)
{
    return scan->place == DEN_JSON_TEXT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool open_bracket(struct den_json_scan *scan, bool is_object)
{
    uint64_t bit;

    if (scan->depth >= DEN_JSON_DEPTH_MAX)
        return false;
    bit = (uint64_t)1 << scan->depth;
    scan->objects = is_object ? scan->objects | bit : scan->objects & ~bit;
    scan->depth++;
    scan->place = is_object ? DEN_JSON_FIRST_KEY : DEN_JSON_FIRST_ITEM;
    return true;
}

static bool in_object(const struct den_json_scan *scan)
{
    return scan->depth > 0 && (scan->objects >> (scan->depth - 1) & 1) != 0;
}

static bool close_bracket(struct den_json_scan *scan, bool is_object)
{
    if (scan->depth == 0 || in_object(scan) != is_object)
        return false;
    scan->depth--;
    scan->place = DEN_JSON_AFTER;
    return true;
}

static bool begin_text(struct den_json_scan *scan, bool is_key)
{
    scan->in_key = is_key;
    scan->place = DEN_JSON_TEXT;
    return true;
}

static bool begin_word(struct den_json_scan *scan, const char *rest)
{
    scan->word = rest;
    scan->place = DEN_JSON_WORD;
    return true;
}

static bool begin_value(struct den_json_scan *scan, char byte)
{
    if (is_blank(byte))
        return true;
    switch (byte) {
    case '{':
        return open_bracket(scan, true);
    case '[':
        return open_bracket(scan, false);
    case '"':
        return begin_text(scan, false);
    case 't':
        return begin_word(scan, "rue");
    case 'f':
        return begin_word(scan, "alse");
    case 'n':
        return begin_word(scan, "ull");
    case '-':
        scan->place = DEN_JSON_SIGN;
        return true;
    case '0':
        scan->place = DEN_JSON_ZERO;
        return true;
    default:
        scan->place = DEN_JSON_DIGITS;
        return is_digit(byte);
    }
}

/* After a value: what closes its surroundings or leads to the next. */
static bool follow_value(struct den_json_scan *scan, char byte)
{
    scan->place = DEN_JSON_AFTER;
    if (is_blank(byte))
        return true;
    if (byte == ',' && scan->depth > 0) {
        scan->place = in_object(scan) ? DEN_JSON_KEY : DEN_JSON_VALUE;
        return true;
    }
    return (byte == '}' || byte == ']') && close_bracket(scan, byte == '}');
}

static bool follow_text(struct den_json_scan *scan, char byte)
{
    switch (scan->place) {
    case DEN_JSON_ESCAPE:
        scan->place = byte == 'u' ? DEN_JSON_UNICODE : DEN_JSON_TEXT;
        scan->unicode_left = 4;
        return byte != '\0' && strchr("\"\\/bfnrtu", byte) != NULL;
    case DEN_JSON_UNICODE:
        if (--scan->unicode_left == 0)
            scan->place = DEN_JSON_TEXT;
        return is_hex(byte);
    default:
        if (byte == '\\')
            scan->place = DEN_JSON_ESCAPE;
        else if (byte == '"')
            scan->place = scan->in_key ? DEN_JSON_COLON : DEN_JSON_AFTER;
        return true;
    }
}

static bool follow_number(struct den_json_scan *scan, char byte)
{
    const enum den_json_place place = scan->place;
    const bool is_whole = place == DEN_JSON_ZERO || place == DEN_JSON_DIGITS;

    if (is_digit(byte)) {
        if (place == DEN_JSON_SIGN)
            scan->place = byte == '0' ? DEN_JSON_ZERO : DEN_JSON_DIGITS;
        else if (place == DEN_JSON_POINT)
            scan->place = DEN_JSON_FRACTION;
        else if (place == DEN_JSON_EXPONENT || place == DEN_JSON_EXPONENT_SIGN)
            scan->place = DEN_JSON_EXPONENT_DIGITS;
        return place != DEN_JSON_ZERO;
    }
    if (byte == '.' && is_whole) {
        scan->place = DEN_JSON_POINT;
        return true;
    }
    if ((byte == 'e' || byte == 'E') && (is_whole || place == DEN_JSON_FRACTION)) {
        scan->place = DEN_JSON_EXPONENT;
        return true;
    }
    if ((byte == '+' || byte == '-') && place == DEN_JSON_EXPONENT) {
        scan->place = DEN_JSON_EXPONENT_SIGN;
        return true;
    }
    return (is_whole || place == DEN_JSON_FRACTION || place == DEN_JSON_EXPONENT_DIGITS) &&
           follow_value(scan, byte);
}

bool den_json_scan_byte(struct den_json_scan *scan, char byte)
{
    switch (scan->place) {
    case DEN_JSON_VALUE:
        return begin_value(scan, byte);
    case DEN_JSON_FIRST_ITEM:
        return byte == ']' ? close_bracket(scan, false) : begin_value(scan, byte);
    case DEN_JSON_FIRST_KEY:
        if (byte == '}')
            return close_bracket(scan, true);
        return is_blank(byte) || (byte == '"' && begin_text(scan, true));
    case DEN_JSON_KEY:
        return is_blank(byte) || (byte == '"' && begin_text(scan, true));
    case DEN_JSON_COLON:
        if (byte == ':')
            scan->place = DEN_JSON_VALUE;
        return byte == ':' || is_blank(byte);
    case DEN_JSON_TEXT:
    case DEN_JSON_ESCAPE:
    case DEN_JSON_UNICODE:
        return follow_text(scan, byte);
    case DEN_JSON_WORD:
        if (*scan->word != byte)
            return false;
        if (*++scan->word == '\0')
            scan->place = DEN_JSON_AFTER;
        return true;
    case DEN_JSON_AFTER:
        return follow_value(scan, byte);
    default:
        return follow_number(scan, byte);
    }
}
