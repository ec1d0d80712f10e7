/* See import_text.h. */
#include "desk/import_text.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD";

/* --- the outline --- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(const struct den_import_text *text, size_t at)
{
    while (at < text->length && is_space(text->data[at]))
        at++;
    return at;
}

static char char_at(const struct den_import_text *text, size_t at)
{
    return at < text->length ? text->data[at] : '\0';
}

/* Past the string that begins at `at`; the length of the text where it does not end. */
static size_t skip_string(const struct den_import_text *text, size_t at)
{
    for (at++; at < text->length; at++) {
        if (text->data[at] == '\\')
            at++;
        else if (text->data[at] == '"')
            return at + 1;
    }
    return text->length;
}

/* Past the value that begins at `at`: strings whole, brackets counted, anything else up to a comma
 * or bracket. A value that does not end gives the length + 1. */
static size_t skip_value(const struct den_import_text *text, size_t at)
{
    size_t depth = 0;

    while (at < text->length) {
        char c = text->data[at];

        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return at;
        if (c == '"') {
            at = skip_string(text, at);
        } else {
            depth += c == '[' || c == '{';
            depth -= depth > 0 && (c == ']' || c == '}');
            at++;
            if (depth > 0 || (c != ']' && c != '}'))
                continue;
        }
        if (depth == 0)
            return at;
    }
    return depth == 0 ? text->length : text->length + 1;
}

static bool is_key(const struct den_import_text *text, size_t from, size_t to, const char *key)
{
    size_t length = strlen(key);

    return to - from == length + 2 && memcmp(text->data + from + 1, key, length) == 0;
}

/* The members of the object that the file is. One of them may be the list. */
static void look_for_list(struct den_import_text *text, size_t at)
{
    size_t whole = at, key, key_end, value_end;

    for (at++;;) {
        at = key = skip_space(text, at);
        if (char_at(text, at) != '"')
            break;
        key_end = skip_string(text, at);
        at = skip_space(text, key_end);
        if (char_at(text, at) != ':')
            break;
        at = skip_space(text, at + 1);
        if (char_at(text, at) == '[' && (is_key(text, key, key_end, "threads") ||
                                         is_key(text, key, key_end, "conversations"))) {
            text->is_list = true;
            text->at = at + 1;
            return;
        }
        value_end = skip_value(text, at);
        if (is_key(text, key, key_end, "folders")) {
            text->folders_at = at;
            text->folders_end = value_end;
        }
        at = skip_space(text, value_end);
        if (char_at(text, at) != ',')
            break;
        at++;
    }
    text->at = whole;
}

enum den_status den_import_text_open(struct den_import_text *text, const char *data, size_t length,
                                     struct den_error *err)
{
    size_t at;

    *text = (struct den_import_text){ .data = data, .length = length };
    if (length >= 4 && memcmp(data, "PK\3\4", 4) == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "import: this is a ZIP archive; unpack it and import the JSON file in it "
                        "(conversations.json)");
    at = length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    at = skip_space(text, at);
    if (char_at(text, at) == '[') {
        text->is_list = true;
        text->at = at + 1;
    } else if (char_at(text, at) == '{') {
        look_for_list(text, at);
    } else {
        return den_fail(err, DEN_BAD_FILE,
                        "import: this is not a JSON file; Den reads its own exports, OpenAI's "
                        "conversations.json and Open WebUI's chat exports");
    }
    return DEN_OK;
}

/* --- repair --- */

static int hex_value(const char *text)
{
    int value = 0, i;

    for (i = 0; i < 4; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The length of the escape at `text`, which begins with a backslash; *out_bad: it stands for
 * nothing that UTF-8 can hold. */
static size_t measure_escape(const char *text, size_t length, bool *out_bad)
{
    int first, second;

    *out_bad = false;
    if (length < 6 || text[1] != 'u')
        return length < 2 ? length : 2;
    first = hex_value(text + 2);
    if (first == 0 || (first >= 0xdc00 && first <= 0xdfff)) {
        *out_bad = true;
    } else if (first >= 0xd800 && first <= 0xdbff) {
        second = length >= 12 && text[6] == '\\' && text[7] == 'u' ? hex_value(text + 8) : -1;
        *out_bad = second < 0xdc00 || second > 0xdfff;
        return *out_bad ? 6 : 12;
    }
    return 6;
}

static void repair(const char *text, size_t length, struct den_buffer *out)
{
    size_t at = 0, from = 0, step;
    uint32_t code;
    bool is_bad;

    while (at < length) {
        if (text[at] == '\\') {
            step = measure_escape(text + at, length - at, &is_bad);
        } else {
            step = den_utf8_decode(text + at, length - at, &code);
            is_bad = code == DEN_UTF8_REPLACEMENT && memcmp(text + at, replacement, step) != 0;
        }
        if (is_bad) {
            den_buffer_append(out, text + from, at - from);
            den_buffer_append_text(out, replacement);
            from = at + step;
        }
        at += step;
    }
    den_buffer_append(out, text + from, length - from);
}

enum den_status den_import_text_parse(const struct den_import_text *text, size_t from, size_t to,
                                      json_t **out_value, struct den_error *err)
{
    struct den_buffer repaired;

    if (to - from > DEN_IMPORT_THREAD_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "it has %zu bytes; at most %u are read", to - from,
                        DEN_IMPORT_THREAD_BYTES_MAX);
    den_buffer_init(&repaired, DEN_IMPORT_THREAD_BYTES_MAX * 4ul);
    repair(text->data + from, to - from, &repaired);
    if (den_buffer_status(&repaired, "import", err) == DEN_OK)
        den_json_parse(repaired.data, repaired.length, "it", out_value, err);
    den_buffer_deinit(&repaired);
    return err->status;
}

bool den_import_text_next(struct den_import_text *text, json_t **out_value, struct den_error *err)
{
    size_t from = skip_space(text, text->at), to;

    if (from >= text->length || text->data[from] == ']')
        return false;
    to = skip_value(text, from);
    if (to > text->length || to == from) {
        text->at = text->length;
        den_fail(err, DEN_BAD_FILE,
                 to == from ? "there is no JSON at byte %zu"
                            : "it is cut off; it began at byte %zu",
                 from);
        return true;
    }
    text->at = skip_space(text, to);
    if (!text->is_list)
        text->at = text->length;
    else if (char_at(text, text->at) == ',')
        text->at++;
    else if (char_at(text, text->at) != ']')
        text->at = text->length; /* what follows is no list any more */
    den_import_text_parse(text, from, to, out_value, err);
    return true;
}
