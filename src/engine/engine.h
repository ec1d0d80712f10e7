/* Engine: a loaded model, its cache, and the sessions that share them.
 *
 * An engine owns the device, the weights, the tokenizer, the chat template and a pool of cache
 * pages. A session is one mutable timeline: the tokens whose keys and values are cached.
 * den_engine_step() advances any number of sessions in one batch. One thread drives an engine at a
 * time (schedule/ sees to that); cancel flags may be set from any thread. */
#ifndef DEN_ENGINE_ENGINE_H
#define DEN_ENGINE_ENGINE_H

#include "engine/speculation.h"
#include "model/model.h"
#include "tensor/packed_store.h" /* IWYU pragma: export */
#include "text/chat.h"
#include "text/tokenizer.h"

struct den_engine;
struct den_session;

struct den_engine_options {
    const char *path; /* GGUF file or Hugging Face folder */
    int threads;      /* 0: all */
    const char *cpu_features;
    enum den_precision precision;
    bool int8_cache;       /* keys and values in 8 bits rather than 16; not with fp32 */
    size_t context_tokens; /* of each session; 0: the model's own, at most 8192 */
    size_t sequences;      /* sessions at once; 0: 1 */
    size_t batch_rows;     /* rows of one step; 0: 512 */
    enum den_speculation_mode speculation; /* of all generations */
    const char *draft_path;                /* of a smaller model that guesses; NULL: none */
    bool draft_if_fits;                    /* one with other tokens is left out, and no error */
    bool no_prefix_reuse;            /* every prompt is read anew: to measure what reuse brings */
    struct den_packed_store *packed; /* as in den_device_options */
};

enum den_status den_engine_open(const struct den_engine_options *options, struct den_engine **out,
                                struct den_error *err);
void den_engine_close(struct den_engine *engine);
const struct den_description *den_engine_description(const struct den_engine *engine);
const struct den_tokenizer *den_engine_tokenizer(const struct den_engine *engine);
const struct den_chat *den_engine_chat(const struct den_engine *engine);
const struct den_device *den_engine_device(const struct den_engine *engine);
const struct den_model *den_engine_model(const struct den_engine *engine);
/* Why the draft model was left out; NULL: it is in use, or none was given. */
const char *den_engine_draft_refusal(const struct den_engine *engine);
size_t den_engine_context(const struct den_engine *engine); /* tokens a session can hold */
size_t den_engine_batch_rows(const struct den_engine *engine);
size_t den_engine_cache_token_bytes(const struct den_engine *engine); /* of all layers */
double den_engine_load_seconds(const struct den_engine *engine);

/* DEN_BUSY when `sequences` sessions are open. */
enum den_status den_session_create(struct den_engine *engine, struct den_session **out,
                                   struct den_error *err);
void den_session_destroy(struct den_session *session);
size_t den_session_length(const struct den_session *session); /* tokens cached */
const den_token *den_session_tokens(const struct den_session *session);
/* Forgets all but the first `length` tokens. */
void den_session_truncate(struct den_session *session, size_t length);

/* What one session contributes to a step. */
struct den_step {
    struct den_session *session;
    const den_token *tokens;
    size_t count;
    bool all_logits;     /* logits of every token rather than of the last */
    bool no_logits;      /* of none (prefill before its last chunk) */
    const float *logits; /* out: (count or 1, vocabulary), valid until the next step */
};
/* Appends tokens to sessions, in one batch. The sum of counts must not pass batch_rows; a session
 * that would pass its context is DEN_CONTEXT_FULL with both lengths in the message, and nothing is
 * changed. On DEN_CANCELLED no session has changed. */
enum den_status den_engine_step(struct den_engine *engine, struct den_step *steps, size_t count,
                                const atomic_bool *cancel, struct den_error *err);

#endif
