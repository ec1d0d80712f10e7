/* JSON and JSON lines as text that reads well: "address.city: Bonn", one line a value.
 *
 * A first pass looks whether it is JSON at all, and no deeper than DEN_JSON_DEPTH_MAX; what is not
 * is read as text. The second writes; neither keeps more than the path of keys, so that a file of a
 * gigabyte costs no memory. Each member of the outermost object or array is a block, and so is each
 * object in an array near the top: a record stays together. */
#include "input/readers.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

enum { PATH_BYTES_MAX = 4096, RECORD_DEPTH_MAX = 4 };

struct json_text {
    struct den_decoded text;
    struct den_writer *writer; /* NULL in the first pass */
    size_t at;
    unsigned depth;
    bool lines; /* several values: each is a record */
    struct den_buffer path;
    bool in_row;     /* values of an array go on in one line */
    bool line_begun; /* the block has a line already */
    size_t block_at; /* where the open block began */
};

static char peek(const struct json_text *json)
{
    return json->at < json->text.length ? json->text.text[json->at] : '\0';
}

static void skip_space(struct json_text *json)
{
    while (json->at < json->text.length && strchr(" \t\r\n", peek(json)) && peek(json))
        json->at++;
}

/* --- strings and other scalars --- */

/* Past the string at `at`; its inside is [*out_start, *out_end). */
static bool take_string(struct json_text *json, size_t *out_start, size_t *out_end)
{
    if (peek(json) != '"')
        return false;
    *out_start = ++json->at;
    while (json->at < json->text.length && peek(json) != '"')
        json->at += peek(json) == '\\' ? 2 : 1;
    if (json->at >= json->text.length)
        return false;
    *out_end = json->at++;
    return true;
}

static bool take_word(struct json_text *json, size_t *out_start, size_t *out_end)
{
    *out_start = json->at;
    while (isalnum((unsigned char)peek(json)) || (peek(json) && strchr("+-.", peek(json))))
        json->at++;
    *out_end = json->at;
    return *out_end > *out_start && strchr("-0123456789tfn", json->text.text[*out_start]);
}

static uint32_t hex_code(const char *text, size_t length)
{
    uint32_t code = 0;
    size_t i;

    if (length < 4)
        return DEN_UTF8_REPLACEMENT;
    for (i = 0; i < 4; i++) {
        int c = tolower((unsigned char)text[i]);

        if (!isxdigit(c))
            return DEN_UTF8_REPLACEMENT;
        code = code * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return code;
}

/* The character that the escape at `text` (behind the backslash) means; *out_used of its bytes. */
static uint32_t unescape(const char *text, size_t length, size_t *out_used)
{
    uint32_t code, low;

    *out_used = 1;
    if (length == 0)
        return ' ';
    if (text[0] != 'u')
        return strchr("bfnrt", text[0]) ? ' ' : (unsigned char)text[0];
    code = hex_code(text + 1, length - 1);
    *out_used = length < 5 ? length : 5;
    if (code < 0xD800 || code > 0xDBFF || length < 11 || text[5] != '\\' || text[6] != 'u')
        return code;
    low = hex_code(text + 7, length - 7);
    if (low < 0xDC00 || low > 0xDFFF)
        return code;
    *out_used = 11;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

/* `take` gets what the string [start, end) means, in pieces. */
static void each_piece(const struct json_text *json, size_t start, size_t end,
                       void (*take)(void *context, const char *text, size_t length), void *context)
{
    const char *text = json->text.text;

    while (start < end) {
        size_t run = start, used;
        char bytes[4];

        while (run < end && text[run] != '\\')
            run++;
        if (run > start)
            take(context, text + start, run - start);
        start = run;
        if (start >= end)
            break;
        if (start + 1 < end && (unsigned char)text[start + 1] >= 0x80) {
            start++; /* an escaped character that is no ASCII stands for itself */
            continue;
        }
        take(context, bytes,
             den_utf8_encode(unescape(text + start + 1, end - start - 1, &used), bytes));
        start += 1 + used;
    }
}

static void take_in_writer(void *context, const char *text, size_t length)
{
    den_writer_text(context, text, length);
}

static void take_in_path(void *context, const char *text, size_t length)
{
    struct den_buffer *path = context;

    if (path->length + length < PATH_BYTES_MAX)
        den_buffer_append(path, text, length);
}

/* --- the walk --- */

static void begin_record(struct json_text *json)
{
    if (!json->writer)
        return;
    if (json->writer->in_block)
        den_writer_source(json->writer, den_decoded_source(&json->text, json->block_at),
                          den_decoded_source(&json->text, json->at));
    den_writer_block_begin(json->writer, DEN_BLOCK_PARAGRAPH, 0);
    json->block_at = json->at;
    json->line_begun = false;
    json->in_row = false;
}

static void write_scalar(struct json_text *json, size_t start, size_t end)
{
    if (!json->writer)
        return;
    if (json->in_row) {
        den_writer_string(json->writer, ", ");
    } else {
        if (json->line_begun)
            den_writer_break(json->writer, '\n');
        den_writer_text(json->writer, json->path.data, json->path.length);
        if (json->path.length > 0)
            den_writer_string(json->writer, ": ");
    }
    each_piece(json, start, end, take_in_writer, json->writer);
    json->line_begun = true;
}

static bool walk_value(struct json_text *json);

static bool walk_member(struct json_text *json)
{
    size_t kept = json->path.length, start, end;

    skip_space(json);
    if (json->depth == 1 && !json->lines)
        begin_record(json);
    if (!take_string(json, &start, &end))
        return false;
    skip_space(json);
    if (peek(json) != ':')
        return false;
    json->at++;
    if (kept > 0)
        take_in_path(&json->path, ".", 1);
    each_piece(json, start, end, take_in_path, &json->path);
    json->in_row = false;
    if (!walk_value(json))
        return false;
    json->in_row = false;
    json->path.length = kept;
    if (json->path.capacity > 0)
        json->path.data[kept] = '\0';
    return true;
}

/* The inside of an object or array up to its closing bracket. */
static bool walk_inside(struct json_text *json, bool object)
{
    char closing = object ? '}' : ']';

    json->at++;
    skip_space(json);
    if (peek(json) == closing) {
        json->at++;
        return true;
    }
    for (;;) {
        bool scalar;

        skip_space(json);
        scalar = peek(json) != '{' && peek(json) != '[';
        if (!object && !json->lines &&
            (json->depth == 1 || (peek(json) == '{' && json->depth <= RECORD_DEPTH_MAX)))
            begin_record(json);
        if (!(object ? walk_member(json) : walk_value(json)))
            return false;
        json->in_row = !object && scalar && json->depth > 1;
        skip_space(json);
        if (peek(json) == closing)
            break;
        if (peek(json) != ',')
            return false;
        json->at++;
    }
    json->in_row = false;
    json->at++;
    return true;
}

static bool walk_value(struct json_text *json)
{
    size_t start = 0, end = 0;
    char c;

    skip_space(json);
    if (json->writer && den_writer_failed(json->writer))
        return false;
    c = peek(json);
    if (c == '{' || c == '[') {
        bool done;

        if (++json->depth > DEN_JSON_DEPTH_MAX)
            return false;
        json->in_row = false;
        done = walk_inside(json, c == '{');
        json->depth--;
        return done;
    }
    if (!(c == '"' ? take_string(json, &start, &end) : take_word(json, &start, &end)))
        return false;
    write_scalar(json, start, end);
    return true;
}

/* All values of the file; false: it is no JSON. */
static bool walk_all(struct json_text *json, size_t *out_values)
{
    *out_values = 0;
    json->at = 0;
    json->depth = 0;
    for (skip_space(json); json->at < json->text.length; skip_space(json)) {
        if (json->lines || peek(json) != '{')
            begin_record(json);
        if (!walk_value(json))
            return false;
        ++*out_values;
    }
    return *out_values > 0;
}

enum den_status den_read_json(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    struct json_text json = { 0 };
    size_t values;
    bool known;

    if (den_decode(input->data, input->length, input->charset, &json.text, err) != DEN_OK)
        return den_fail_at(err, "%s", input->name);
    den_buffer_init(&json.path, PATH_BYTES_MAX);
    known = walk_all(&json, &values);
    if (known) {
        json.lines = values > 1;
        json.writer = writer;
        den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
        walk_all(&json, &values);
        begin_record(&json); /* ends the last */
        den_writer_part_end(writer);
    }
    den_buffer_deinit(&json.path);
    den_decoded_free(&json.text);
    if (!known)
        return den_read_text(input, writer, err);
    return den_writer_status(writer, err);
}
