/* rooms: text tensor base */
/* Answers of arbitrary bytes, whole and cut. The first byte chooses the family, the second the
 * options, the third where to cut. Nothing may be lost: all text that is no mark comes out, and how
 * the answer was cut must not show. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/answer_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sources[] = {
    "<tool_call><think>",
    "<|start_header_id|>",
    "[TOOL_CALLS][THINK]",
    "[TOOL_CALLS][ARGS]",
    "<start_of_turn>",
    "<function=<parameter=<tool_call>",
    "<|channel|><|message|>",
    "<|START_ACTION|><|START_THINKING|>",
    ("<\357\275\234tool\342\226\201calls\342\226\201begin\357\275\234>"
     "<\357\275\234tool\342\226\201sep\357\275\234>```json"),
    "<|tool|><|/tool|>",
};

enum { KINDS = 4, FIRST_WITH_DROPS = 6, DEPTH_MAX = 64 };

struct parts {
    struct den_buffer joined[KINDS]; /* by kind; arguments of all calls in one */
    struct den_buffer arguments;     /* of the last call */
    size_t calls, malformed;
};

/* JSON by recursive descent: the first byte after the value at `at`, NULL where there is none. The
 * parser scans with states, so that the two have nothing in common. */
static const char *skip_json(const char *at, const char *end, int depth);

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && ++at < end && *at == 'u') {
            if (end - at < 5 || strspn(at + 1, "0123456789abcdefABCDEF") < 4)
                return NULL;
            at += 4;
        } else if (at < end && at[-1] == '\\' && !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_bracket(const char *at, const char *end, int depth)
{
    const char close = *at == '{' ? '}' : ']';

    at = skip_blanks(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    for (;;) {
        at = skip_blanks(at, end);
        if (close == '}') {
            if (at == end || *at != '"' || !(at = skip_text(at, end)))
                return NULL;
            at = skip_blanks(at, end);
            if (at == end || *at++ != ':')
                return NULL;
        }
        at = skip_json(at, end, depth + 1);
        if (!at || (at = skip_blanks(at, end)) == end)
            return NULL;
        if (*at == close)
            return at + 1;
        if (*at++ != ',')
            return NULL;
    }
}

static const char *skip_json(const char *at, const char *end, int depth)
{
    static const char *const words[] = { "true", "false", "null" };
    size_t i, length;

    at = skip_blanks(at, end);
    if (at == end || depth > DEPTH_MAX)
        return NULL;
    if (*at == '{' || *at == '[')
        return skip_bracket(at, end, depth);
    if (*at == '"')
        return skip_text(at, end);
    for (i = 0; i < 3; i++)
        if ((size_t)(end - at) >= strlen(words[i]) && strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    at += *at == '-';
    length = strspn(at, "0123456789"); /* the buffer is terminated */
    if (length == 0 || (length > 1 && *at == '0'))
        return NULL;
    at += length;
    if (*at == '.') {
        length = strspn(at + 1, "0123456789");
        if (length == 0)
            return NULL;
        at += 1 + length;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        length = strspn(at, "0123456789");
        if (length == 0)
            return NULL;
        at += length;
    }
    return at;
}

static void check_arguments(struct parts *parts)
{
    const struct den_buffer *text = &parts->arguments;
    const char *end = text->data + text->length;
    const char *last;

    if (parts->calls == 0)
        return;
    last = skip_blanks(text->data, end);
    last = last < end && *last == '{' ? skip_json(last, end, 1) : NULL;
    parts->malformed += !last || skip_blanks(last, end) != end;
    den_buffer_clear(&parts->arguments);
}

static void keep(void *context, const struct den_answer_part *part)
{
    struct parts *parts = context;

    if (part->kind == DEN_ANSWER_TOOL_CALL) {
        check_arguments(parts);
        if (part->tool_index != parts->calls++ || part->length == 0)
            abort();
    } else if (part->kind == DEN_ANSWER_TOOL_ARGUMENTS) {
        if (part->tool_index + 1 != parts->calls)
            abort();
        den_buffer_append(&parts->arguments, part->text, part->length);
    }
    den_buffer_append(&parts->joined[part->kind], part->text, part->length);
}

static const char *parse(const uint8_t *data, size_t size, size_t cut, struct parts *parts)
{
    const struct den_answer_parser_options options = {
        .format =
            den_answer_format_find(sources[data[0] % (sizeof sources / sizeof *sources)], NULL),
        .tools = (data[1] & 1) == 0,
        .reasoning = (data[1] & 2) == 0,
        .opened = (data[1] & 4) != 0,
        .handler = keep,
        .context = parts
    };
    struct den_answer_parser *parser = NULL;
    struct den_error err = { 0 };
    const char *note = NULL;
    const char *text = (const char *)data + 3;
    size_t length = size - 3, i;

    parts->calls = 0;
    parts->malformed = 0;
    den_buffer_init(&parts->arguments, 1 << 24);
    for (i = 0; i < KINDS; i++)
        den_buffer_init(&parts->joined[i], 1 << 24);
    if (den_answer_parser_create(&options, &parser, &err) != DEN_OK ||
        den_answer_parser_push(parser, text, cut, &err) != DEN_OK ||
        den_answer_parser_push(parser, text + cut, length - cut, &err) != DEN_OK ||
        den_answer_parser_finish(parser, &note, &err) != DEN_OK ||
        den_answer_parser_calls(parser) != parts->calls)
        abort();
    check_arguments(parts);
    den_buffer_deinit(&parts->arguments);
    if (!note && parts->malformed > 0 && den_utf8_is_valid(text, length))
        abort();
    note = note ? "noted" : NULL; /* the text dies with the parser */
    den_answer_parser_destroy(parser);
    return note;
}

/* Without a call and with reasoning left alone, what goes in comes out. */
static void check_lossless(const uint8_t *data, size_t size, const struct parts *parts)
{
    const struct den_buffer *text = &parts->joined[DEN_ANSWER_TEXT];

    if ((data[1] & 2) == 0 || parts->calls > 0 ||
        data[0] % (sizeof sources / sizeof *sources) >= FIRST_WITH_DROPS)
        return;
    if (text->length != size - 3 || memcmp(text->data, data + 3, size - 3) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts whole, cut;
    const char *note, *cut_note;
    size_t i;

    if (size < 3)
        return 0;
    note = parse(data, size, size - 3, &whole);
    cut_note = parse(data, size, size > 3 ? data[2] % (size - 2) : 0, &cut);
    if (note != cut_note)
        abort();
    for (i = 0; i < KINDS; i++) {
        if (whole.joined[i].length != cut.joined[i].length ||
            memcmp(whole.joined[i].data, cut.joined[i].data, cut.joined[i].length) != 0)
            abort();
    }
    check_lossless(data, size, &whole);
    for (i = 0; i < KINDS; i++) {
        den_buffer_deinit(&whole.joined[i]);
        den_buffer_deinit(&cut.joined[i]);
    }
    return 0;
}
