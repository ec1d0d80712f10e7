/* See stream.h. Each stop string is a Knuth-Morris-Pratt automaton that eats the text byte by byte,
 * so the result can't depend on how the text is cut into tokens, and a byte costs O(stop strings),
 * amortised. An automaton's state is how many bytes of its stop string the text now ends with: the
 * largest state is what must be held back. When several stop strings are completed by the same byte
 * the longest wins. What leaves is valid UTF-8: ill-formed bytes become U+FFFD, and a character
 * that is not finished stays until it is. */
#include "text/stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/stream_bytes.h"

struct stop {
    char *text;
    size_t length;
    uint16_t *fallback; /* (length): the longest proper border of text[0 .. i] */
    size_t state;       /* bytes of `text` that the stream now ends with; < length */
};

struct den_stream {
    const struct den_tokenizer *tokenizer;
    struct den_buffer held;
    struct stop *stops;
    size_t stop_count;
    int stopped_by; /* index, or -1 */
};

enum { HELD_BYTES_MAX = DEN_STOP_STRING_BYTES_MAX + DEN_TOKEN_BYTES_MAX + 4 };

_Static_assert(DEN_STOP_STRING_BYTES_MAX <= UINT16_MAX, "fallback links are 16 bits");

static void build_fallback(struct stop *stop)
{
    size_t border = 0, i;

    for (i = 1; i < stop->length; i++) {
        while (border > 0 && stop->text[i] != stop->text[border])
            border = stop->fallback[border - 1];
        if (stop->text[i] == stop->text[border])
            border++;
        stop->fallback[i] = (uint16_t)border;
    }
}

static enum den_status add_stop(struct den_stream *stream, size_t index, const char *text,
                                struct den_error *err)
{
    struct stop *stop = &stream->stops[index];
    size_t length = strlen(text);

    if (length == 0)
        return den_fail(err, DEN_INVALID, "stop string %zu is empty; it would stop at once", index);
    if (length > DEN_STOP_STRING_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "stop string %zu has %zu bytes; at most %d are possible",
                        index, length, DEN_STOP_STRING_BYTES_MAX);
    stop->text = strdup(text);
    stop->fallback = calloc(length, sizeof *stop->fallback);
    if (!stop->text || !stop->fallback)
        return den_fail(err, DEN_NO_MEMORY, "stream: out of memory");
    stop->length = length;
    build_fallback(stop);
    return DEN_OK;
}

enum den_status den_stream_create(const struct den_tokenizer *tokenizer, const char *const *stops,
                                  size_t stop_count, struct den_stream **out, struct den_error *err)
{
    struct den_stream *stream;
    size_t i;

    if (stop_count > DEN_STOP_STRINGS_MAX)
        return den_fail(err, DEN_INVALID, "%zu stop strings; at most %d are possible", stop_count,
                        DEN_STOP_STRINGS_MAX);
    stream = calloc(1, sizeof *stream);
    if (!stream)
        return den_fail(err, DEN_NO_MEMORY, "stream: out of memory");
    stream->tokenizer = tokenizer;
    stream->stopped_by = -1;
    den_buffer_init(&stream->held, HELD_BYTES_MAX);
    stream->stops = calloc(stop_count ? stop_count : 1, sizeof *stream->stops);
    if (!stream->stops) {
        den_fail(err, DEN_NO_MEMORY, "stream: out of memory");
        goto fail;
    }
    stream->stop_count = stop_count;
    for (i = 0; i < stop_count; i++)
        if (add_stop(stream, i, stops[i], err) != DEN_OK)
            goto fail;
    *out = stream;
    return DEN_OK;
fail:
    den_stream_destroy(stream);
    return err->status;
}

void den_stream_destroy(struct den_stream *stream)
{
    size_t i;

    if (!stream)
        return;
    for (i = 0; i < stream->stop_count; i++) {
        free(stream->stops[i].text);
        free(stream->stops[i].fallback);
    }
    free(stream->stops);
    den_buffer_deinit(&stream->held);
    free(stream);
}

/* True when `byte` completes the stop string. */
static bool advance(struct stop *stop, char byte)
{
    while (stop->state > 0 && stop->text[stop->state] != byte)
        stop->state = stop->fallback[stop->state - 1];
    if (stop->text[stop->state] == byte)
        stop->state++;
    return stop->state == stop->length;
}

/* The index of the longest stop string that `byte` completes, or -1. */
static int advance_all(struct den_stream *stream, char byte)
{
    int found = -1;
    size_t i;

    for (i = 0; i < stream->stop_count; i++)
        if (advance(&stream->stops[i], byte) &&
            (found < 0 || stream->stops[i].length > stream->stops[found].length))
            found = (int)i;
    return found;
}

/* How much of the held text must stay because a stop string may have begun in it. */
static size_t begun_length(const struct den_stream *stream)
{
    size_t longest = 0, i;

    for (i = 0; i < stream->stop_count; i++)
        if (stream->stops[i].state > longest)
            longest = stream->stops[i].state;
    return longest;
}

/* Moves the first `length` held bytes to `out`, mended to valid UTF-8. */
static enum den_status release(struct den_stream *stream, size_t length, struct den_buffer *out,
                               struct den_error *err)
{
    const char *text = stream->held.data;
    size_t at = 0;

    if (den_utf8_is_valid(text, length)) {
        den_buffer_append(out, text, length);
    } else {
        while (at < length) {
            char bytes[4];
            uint32_t code;

            at += den_utf8_decode(text + at, length - at, &code);
            den_buffer_append(out, bytes, den_utf8_encode(code, bytes));
        }
    }
    den_buffer_consume(&stream->held, length);
    return den_buffer_status(out, "stream", err);
}

enum den_status den_stream_push_bytes(struct den_stream *stream, const char *bytes, size_t length,
                                      struct den_buffer *out, bool *out_stopped,
                                      struct den_error *err)
{
    size_t sure, i;

    for (i = 0; i < length && stream->stopped_by < 0; i++) {
        den_buffer_append_byte(&stream->held, bytes[i]);
        stream->stopped_by = advance_all(stream, bytes[i]);
    }
    if (den_buffer_status(&stream->held, "stream", err) != DEN_OK)
        return err->status;
    *out_stopped = stream->stopped_by >= 0;
    if (stream->stopped_by >= 0) {
        if (length == 0 || stream->held.length == 0)
            return DEN_OK; /* it had stopped before */
        sure = stream->held.length - stream->stops[stream->stopped_by].length;
        if (release(stream, sure, out, err) == DEN_OK)
            den_buffer_clear(&stream->held);
        return err->status;
    }
    sure = stream->held.length - begun_length(stream);
    sure -= den_utf8_incomplete_tail(stream->held.data, sure);
    return release(stream, sure, out, err);
}

enum den_status den_stream_push(struct den_stream *stream, den_token token, struct den_buffer *out,
                                bool *out_stopped, struct den_error *err)
{
    struct den_token_text piece = den_tokenizer_piece(stream->tokenizer, token);

    return den_stream_push_bytes(stream, piece.bytes, piece.length, out, out_stopped, err);
}

enum den_status den_stream_finish(struct den_stream *stream, struct den_buffer *out,
                                  struct den_error *err)
{
    return release(stream, stream->held.length, out, err);
}

int den_stream_stop(const struct den_stream *stream)
{
    return stream->stopped_by;
}
