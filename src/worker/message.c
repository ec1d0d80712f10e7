/* See message.h. */
#include "worker/message.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* --- reading --- */

struct den_message_reader den_message_reader(const void *bytes, size_t length)
{
    return (struct den_message_reader){ .at = bytes, .left = length };
}

static const unsigned char *take(struct den_message_reader *reader, size_t bytes)
{
    const unsigned char *at = reader->at;

    if (reader->failed || bytes > reader->left) {
        reader->failed = true;
        return NULL;
    }
    reader->at += bytes;
    reader->left -= bytes;
    return at;
}

uint64_t den_message_get(struct den_message_reader *reader, size_t bytes)
{
    const unsigned char *at = take(reader, bytes);
    uint64_t little = 0;

    if (at)
        memcpy(&little, at, bytes);
    return le64toh(little);
}

double den_message_get_double(struct den_message_reader *reader)
{
    uint64_t bits = den_message_get(reader, 8);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

float den_message_get_float(struct den_message_reader *reader)
{
    uint32_t bits = (uint32_t)den_message_get(reader, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

struct den_message_bytes den_message_get_bytes(struct den_message_reader *reader)
{
    size_t length = (size_t)den_message_get(reader, 4);
    const unsigned char *at = take(reader, length);

    if (!at)
        return (struct den_message_bytes){ .text = "" };
    return (struct den_message_bytes){ .text = (const char *)at, .length = length };
}

struct den_message_bytes den_message_get_text(struct den_message_reader *reader)
{
    struct den_message_bytes bytes = den_message_get_bytes(reader);

    if (den_utf8_is_valid(bytes.text, bytes.length))
        return bytes;
    reader->failed = true;
    return (struct den_message_bytes){ .text = "" };
}

bool den_message_is_whole(const struct den_message_reader *reader)
{
    return !reader->failed && reader->left == 0;
}

/* --- writing --- */

void den_message_put(struct den_buffer *out, uint64_t value, size_t bytes)
{
    uint64_t little = htole64(value);

    den_buffer_append(out, &little, bytes);
}

void den_message_put_double(struct den_buffer *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    den_message_put(out, bits, 8);
}

void den_message_put_float(struct den_buffer *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    den_message_put(out, bits, 4);
}

void den_message_put_bytes(struct den_buffer *out, const char *text, size_t length)
{
    den_message_put(out, length, 4);
    den_buffer_append(out, text, length);
}

/* --- parts --- */

size_t den_message_begin_parts(struct den_buffer *out)
{
    den_message_put(out, 0, 4);
    return out->length - 4;
}

void den_message_put_part(struct den_buffer *out, const struct den_message_part *part)
{
    den_message_put(out, part->kind, 1);
    den_message_put(out, part->tool_index, 4);
    den_message_put_bytes(out, part->text.text, part->text.length);
}

void den_message_end_parts(struct den_buffer *out, size_t place, size_t count)
{
    uint32_t little = htole32((uint32_t)count);

    if (out->status == DEN_OK)
        memcpy(out->data + place, &little, sizeof little);
}

struct den_message_part den_message_get_part(struct den_message_reader *reader)
{
    struct den_message_part part;
    uint64_t kind = den_message_get(reader, 1);

    if (kind < DEN_WORKER_TEXT || kind > DEN_WORKER_TOOL_ARGUMENTS)
        reader->failed = true;
    part.kind = reader->failed ? DEN_WORKER_TEXT : (enum den_worker_event_kind)kind;
    part.tool_index = (size_t)den_message_get(reader, 4);
    if (part.tool_index >= DEN_TOOL_CALLS_MAX)
        reader->failed = true;
    part.text = den_message_get_text(reader);
    return part;
}

/* --- tokens --- */

static void put_alternative(struct den_buffer *out, const struct den_message_alternative *one)
{
    den_message_put_float(out, one->logprob);
    den_message_put_bytes(out, one->text.text, one->text.length);
}

static struct den_message_alternative get_alternative(struct den_message_reader *reader)
{
    struct den_message_alternative one;

    one.logprob = den_message_get_float(reader);
    if (!(one.logprob <= 1e-3f)) /* also refuses NaN; rounding may reach a hair above 0 */
        reader->failed = true;
    one.text = den_message_get_bytes(reader);
    return one;
}

void den_message_put_token(struct den_buffer *out, const struct den_message_token *token)
{
    size_t i;

    den_message_put(out, (uint32_t)token->token, 4);
    den_message_put(out, token->drawn, 8);
    den_message_put(out, token->told, 1);
    if (!token->told)
        return;
    put_alternative(out, &token->own);
    den_message_put(out, token->top_count, 4);
    for (i = 0; i < token->top_count; i++)
        put_alternative(out, &token->top[i]);
}

void den_message_get_token(struct den_message_reader *reader, struct den_message_token *out)
{
    size_t i;

    *out = (struct den_message_token){ 0 };
    out->token = (int32_t)(uint32_t)den_message_get(reader, 4);
    out->drawn = den_message_get(reader, 8);
    out->told = den_message_get(reader, 1) == 1;
    if (out->token < -1)
        reader->failed = true;
    if (!out->told)
        return;
    out->own = get_alternative(reader);
    out->top_count = (size_t)den_message_get(reader, 4);
    if (out->top_count > DEN_MESSAGE_ALTERNATIVES_MAX) {
        reader->failed = true;
        out->top_count = 0;
    }
    for (i = 0; i < out->top_count; i++)
        out->top[i] = get_alternative(reader);
}

/* --- ends --- */

const char *den_message_finish_text(enum den_message_finish finish)
{
    static const char *const texts[DEN_MESSAGE_FINISHES] = { "stop", "length", "tool_calls",
                                                             "cancelled", "error" };

    return texts[finish];
}

const char *den_message_miss_text(enum den_message_miss miss)
{
    static const char *const texts[DEN_MESSAGE_MISSES] = { "none", "first use", "ends", "differs",
                                                           "evicted" };

    return texts[miss];
}

void den_message_put_end(struct den_buffer *out, const struct den_message_end *end)
{
    den_message_put(out, end->finish, 1);
    den_message_put(out, end->status, 4);
    den_message_put_bytes(out, end->error.text, end->error.length);
    den_message_put(out, end->stopped, 1);
    den_message_put_bytes(out, end->stop.text, end->stop.length);
    den_message_put(out, end->noted, 1);
    den_message_put_bytes(out, end->note.text, end->note.length);
    den_message_put(out, end->prompt_tokens, 8);
    den_message_put(out, end->cached_tokens, 8);
    den_message_put(out, end->generated_tokens, 8);
    den_message_put(out, end->predicted_tokens, 8);
    den_message_put(out, end->foretold_tokens, 8);
    den_message_put(out, end->miss, 1);
    den_message_put(out, end->miss_at, 8);
    den_message_put_double(out, end->prompt_seconds);
    den_message_put_double(out, end->generate_seconds);
    den_message_put_double(out, end->wait_seconds);
    den_message_put(out, end->seed, 8);
}

/* Seconds that can be: neither negative nor infinite nor no number. */
static double get_seconds(struct den_message_reader *reader)
{
    double seconds = den_message_get_double(reader);

    if (seconds >= 0 && seconds < 1e9)
        return seconds;
    reader->failed = true;
    return 0;
}

static uint64_t get_count(struct den_message_reader *reader)
{
    uint64_t count = den_message_get(reader, 8);

    if (count > 2 * (uint64_t)DEN_CONTEXT_TOKENS_MAX)
        reader->failed = true;
    return reader->failed ? 0 : count;
}

static enum den_message_miss get_miss(struct den_message_reader *reader)
{
    uint64_t miss = den_message_get(reader, 1);

    if (miss >= DEN_MESSAGE_MISSES)
        reader->failed = true;
    return reader->failed ? DEN_MESSAGE_NO_MISS : (enum den_message_miss)miss;
}

void den_message_get_end(struct den_message_reader *reader, struct den_message_end *out)
{
    uint64_t finish = den_message_get(reader, 1), status = den_message_get(reader, 4);

    if (finish >= DEN_MESSAGE_FINISHES || status >= DEN_STATUS_COUNT ||
        (finish == DEN_MESSAGE_ERROR) != (status != DEN_OK))
        reader->failed = true;
    if (reader->failed)
        finish = status = 0;
    *out = (struct den_message_end){ .finish = (enum den_message_finish)finish,
                                     .status = (enum den_status)status };
    out->error = den_message_get_text(reader);
    out->stopped = den_message_get(reader, 1) == 1;
    out->stop = den_message_get_text(reader);
    out->noted = den_message_get(reader, 1) == 1;
    out->note = den_message_get_text(reader);
    out->prompt_tokens = get_count(reader);
    out->cached_tokens = get_count(reader);
    out->generated_tokens = get_count(reader);
    out->predicted_tokens = get_count(reader);
    out->foretold_tokens = get_count(reader);
    if (out->foretold_tokens > out->predicted_tokens)
        reader->failed = true;
    out->miss = get_miss(reader);
    out->miss_at = get_count(reader);
    out->prompt_seconds = get_seconds(reader);
    out->generate_seconds = get_seconds(reader);
    out->wait_seconds = get_seconds(reader);
    out->seed = den_message_get(reader, 8);
}

/* --- soundness --- */

static bool parts_are_sound(struct den_message_reader *reader)
{
    uint64_t count = den_message_get(reader, 4), i;

    for (i = 0; i < count && !reader->failed; i++)
        den_message_get_part(reader);
    return den_message_is_whole(reader);
}

bool den_message_token_is_sound(const void *payload, size_t length)
{
    struct den_message_reader reader = den_message_reader(payload, length);
    struct den_message_token token;

    den_message_get_token(&reader, &token);
    return parts_are_sound(&reader);
}

bool den_message_end_is_sound(const void *payload, size_t length)
{
    struct den_message_reader reader = den_message_reader(payload, length);
    struct den_message_end end;

    den_message_get_end(&reader, &end);
    return parts_are_sound(&reader);
}

/* --- errors --- */

void den_message_put_error(struct den_buffer *out, const struct den_error *error)
{
    den_message_put(out, error->status, 4);
    den_message_put_bytes(out, error->message, strlen(error->message));
}

bool den_message_get_error(const void *payload, size_t length, struct den_error *out)
{
    struct den_message_reader reader = den_message_reader(payload, length);
    uint64_t status = den_message_get(&reader, 4);
    struct den_message_bytes text = den_message_get_text(&reader);

    if (!den_message_is_whole(&reader) || status == DEN_OK || status >= DEN_STATUS_COUNT)
        return false;
    *out = (struct den_error){ 0 };
    den_fail(out, (enum den_status)status, "%.*s", (int)(text.length < 1024 ? text.length : 1024),
             text.text);
    return true;
}
