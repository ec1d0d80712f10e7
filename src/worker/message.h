/* Messages: what the payloads of wire frames hold. JSON where a message is rare (a load, a
 * request), packed numbers where there is one for every token.
 *
 *     TOKEN   i32 token (-1: none), u64 drawn, u8 told (1: alternatives follow)
 *             [alternative: the token itself; u32 count <= 20; count alternatives]; parts
 *     END     u8 finish (enum den_message_finish), u32 status, text error, u8 stopped, text stop
 *             string, u8 noted, text note, u64 prompt, cached, generated, predicted and foretold
 *             tokens, u8 miss (enum den_message_miss), u64 token that it is about, f64 seconds of
 *             prompt, generation and waiting, u64 seed; parts
 *     parts   u32 count; count times: u8 kind (DEN_WORKER_TEXT, REASONING, TOOL_CALL,
 *             TOOL_ARGUMENTS), u32 tool index, text
 *     alternative  f32 logprob, bytes
 *     EMBED   u8 truncate, u8 batch, u32 dimensions, u32 count, count times bytes; to a reranker
 *             the first is the query that the others are scored for
 *     REPLY   to EMBED: u32 count (of a reranker: without the query), u32 width (1), count u32
 *             tokens, count * width f32
 *             to TOKENIZE: u32 count; count times: i32 id, bytes of the piece
 *             to DETOKENIZE: bytes; to TEMPLATE: u64 tokens, text
 *     bytes   u32 length, so many bytes; a text is bytes that are valid UTF-8
 *
 * Whatever is read is checked: a reader that has met anything that does not add up says so once,
 * and gives zeros from there on. */
#ifndef DEN_WORKER_MESSAGE_H
#define DEN_WORKER_MESSAGE_H

#include "base/buffer.h"
#include "worker/request.h"

/* --- numbers and bytes --- */

struct den_message_reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};
struct den_message_bytes {
    const char *text; /* not terminated */
    size_t length;
};

struct den_message_reader den_message_reader(const void *bytes, size_t length);
/* `bytes` <= 8. */
uint64_t den_message_get(struct den_message_reader *reader, size_t bytes);
double den_message_get_double(struct den_message_reader *reader);
float den_message_get_float(struct den_message_reader *reader);
struct den_message_bytes den_message_get_bytes(struct den_message_reader *reader);
struct den_message_bytes den_message_get_text(struct den_message_reader *reader); /* valid UTF-8 */
/* True where all has been read and nothing was wrong. */
bool den_message_is_whole(const struct den_message_reader *reader);

void den_message_put(struct den_buffer *out, uint64_t value, size_t bytes);
void den_message_put_double(struct den_buffer *out, double value);
void den_message_put_float(struct den_buffer *out, float value);
void den_message_put_bytes(struct den_buffer *out, const char *text, size_t length);

/* --- parts of an answer --- */

struct den_message_part {
    enum den_worker_event_kind kind;
    size_t tool_index;
    struct den_message_bytes text;
};
/* The count comes first and is not known while parts are made: begin, put, end. */
size_t den_message_begin_parts(struct den_buffer *out);
void den_message_put_part(struct den_buffer *out, const struct den_message_part *part);
void den_message_end_parts(struct den_buffer *out, size_t place, size_t count);
/* Reads the next of `count` parts. */
struct den_message_part den_message_get_part(struct den_message_reader *reader);

/* --- tokens and ends --- */

struct den_message_alternative {
    float logprob;
    struct den_message_bytes text;
};
enum { DEN_MESSAGE_ALTERNATIVES_MAX = 20 };

struct den_message_token {
    int32_t token; /* -1: none */
    uint64_t drawn;
    bool told;
    struct den_message_alternative own;
    struct den_message_alternative top[DEN_MESSAGE_ALTERNATIVES_MAX];
    size_t top_count;
};
void den_message_put_token(struct den_buffer *out, const struct den_message_token *token);
/* Then u32, the count of parts, and the parts. */
void den_message_get_token(struct den_message_reader *reader, struct den_message_token *out);

enum den_message_finish {
    DEN_MESSAGE_STOP,
    DEN_MESSAGE_LENGTH,
    DEN_MESSAGE_TOOL_CALLS,
    DEN_MESSAGE_CANCELLED,
    DEN_MESSAGE_ERROR,
    DEN_MESSAGE_FINISHES
};
const char *den_message_finish_text(enum den_message_finish finish);

/* Why no more of the prompt was cached: engine/prefix_reuse.h. */
enum den_message_miss {
    DEN_MESSAGE_NO_MISS,
    DEN_MESSAGE_FIRST_USE,
    DEN_MESSAGE_ENDS,
    DEN_MESSAGE_DIFFERS,
    DEN_MESSAGE_EVICTED,
    DEN_MESSAGE_MISSES
};
const char *den_message_miss_text(enum den_message_miss miss);

struct den_message_end {
    enum den_message_finish finish;
    enum den_status status; /* of an error */
    struct den_message_bytes error;
    bool stopped, noted;
    struct den_message_bytes stop, note;
    uint64_t prompt_tokens, cached_tokens, generated_tokens, seed;
    uint64_t predicted_tokens, foretold_tokens; /* engine/generation.h */
    enum den_message_miss miss;
    uint64_t miss_at;
    double prompt_seconds, generate_seconds, wait_seconds;
};
void den_message_put_end(struct den_buffer *out, const struct den_message_end *end);
void den_message_get_end(struct den_message_reader *reader, struct den_message_end *out);

/* Checks a whole TOKEN or END payload. */
bool den_message_token_is_sound(const void *payload, size_t length);
bool den_message_end_is_sound(const void *payload, size_t length);

/* --- errors: u32 status, text --- */

void den_message_put_error(struct den_buffer *out, const struct den_error *error);
/* False: it is none. */
bool den_message_get_error(const void *payload, size_t length, struct den_error *out);

#endif
