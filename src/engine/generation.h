/* Generation: one request from prompt to last token, as a state machine that a loop of one or of
 * many can drive.
 *
 * A generation wants tokens evaluated (a chunk of its prompt, then the token it sampled last),
 * takes the logits, samples, streams text to its callback, and ends at an end token, a stop string,
 * its token limit, a full context or a cancel. den_generations_step() gathers what all of them want
 * into one batch, running decodes first and prompt chunks in what room is left, so that a long
 * prompt does not stall the others for longer than a chunk. */
#ifndef DEN_ENGINE_GENERATION_H
#define DEN_ENGINE_GENERATION_H

#include "engine/engine.h"
#include "engine/prefix_reuse.h"
#include "text/sampler.h"
#include "text/stream.h"

enum den_finish {
    DEN_FINISH_NONE,
    DEN_FINISH_STOP,
    DEN_FINISH_LENGTH,
    DEN_FINISH_CANCELLED,
    DEN_FINISH_ERROR
};
const char *den_finish_text(enum den_finish finish); /* OpenAI's: "stop", "length", ... */

enum { DEN_LOGPROBS_MAX = 20 };

struct den_constraint;

struct den_generation_event {
    const char *text; /* newly certain text; may be "" */
    size_t text_length;
    den_token token; /* DEN_TOKEN_NONE when the event is progress or the held-back rest */
    float logprob;   /* of the token, when asked for */
    const struct den_token_logprob *top;
    size_t top_count;
    size_t prompt_done;  /* prompt tokens evaluated (cached and resumed ones included) ... */
    size_t prompt_total; /* ... of so many */
    uint64_t drawn;      /* random numbers drawn for the tokens so far */
    bool resumed;        /* the text of `resume`, which was told before */
};

struct den_generation_options {
    const den_token *prompt; /* copied */
    size_t prompt_count;
    struct den_sampler_options sampler;
    const char *const *stops; /* copied */
    size_t stop_count;
    size_t max_tokens; /* 0: until the context is full */
    bool ignore_end;   /* go on past end tokens (benchmarks) */
    int logprobs;      /* -1: none; else that many alternatives, up to DEN_LOGPROBS_MAX */
    /* NULL: none. With an alternative each token must be allowed by one of the two, and by the same
     * one as the tokens before it. Owned by the caller, outlive the generation. */
    struct den_constraint *constraint, *alternative;
    bool marks; /* control tokens that are marks of an answer format (answer_format.h) are text */
    /* An answer that was begun elsewhere with the same options and goes on here: its tokens so far
     * are read like a prompt, the sampler and the constraint are told of them, and the text that
     * they make comes in one event of its own (`resumed`). The seed must be given. What follows is
     * what would have followed. */
    const den_token *resume; /* copied */
    size_t resume_count;
    uint64_t resume_drawn; /* `drawn` of the last of them */
    /* What the answer will probably be (a file that is to be edited): read by nobody but the
     * speculation. Copied. */
    const den_token *predicted;
    size_t predicted_count;
    enum den_speculation_mode speculation; /* the engine's OFF goes before it */
    void (*on_event)(void *context, const struct den_generation_event *event);
    void *context;
};

struct den_generation_result {
    enum den_finish finish;
    int stop; /* index of the stop string that ended it, or -1 */
    size_t prompt_tokens;
    size_t cached_tokens;      /* prompt tokens found in the cache */
    enum den_prefix_miss miss; /* why not more, when it began ... */
    size_t miss_at;            /* ... and the token that this is about */
    size_t generated_tokens;   /* resumed ones included */
    size_t guessed_tokens;     /* evaluated before they were known ... */
    size_t accepted_tokens;    /* ... and found to be right */
    size_t predicted_tokens;   /* of `predicted`; 0 where nothing speculates */
    size_t foretold_tokens;    /* of these, the tokens of the answer that they foretold */
    uint64_t seed;
    double prompt_seconds;
    double generate_seconds;
    struct den_error error; /* when finish is ERROR */
};

struct den_generation;

/* Reuses the longest beginning of `prompt` that is cached anywhere (prefix_reuse.h). A prompt that
 * leaves no room in the context is DEN_CONTEXT_FULL and says both lengths. The session must outlive
 * the generation. */
enum den_status den_generation_create(struct den_engine *engine, struct den_session *session,
                                      const struct den_generation_options *options,
                                      struct den_generation **out, struct den_error *err);
void den_generation_destroy(struct den_generation *generation);
/* From any thread; takes effect within one token. */
void den_generation_cancel(struct den_generation *generation);
bool den_generation_is_done(const struct den_generation *generation);
const struct den_generation_result *den_generation_result(const struct den_generation *generation);

/* One batch over all that are not done. An error of one ends that one (finish ERROR), not the
 * others. */
enum den_status den_generations_step(struct den_engine *engine,
                                     struct den_generation *const *generations, size_t count,
                                     struct den_error *err);
/* Steps until the one is done. */
enum den_status den_generation_run(struct den_engine *engine, struct den_generation *generation,
                                   struct den_error *err);

#endif
