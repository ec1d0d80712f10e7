/* The inside of a generation, shared by generation.c (creation) and generation_step.c (running). */
#ifndef DEN_ENGINE_GENERATION_PARTS_H
#define DEN_ENGINE_GENERATION_PARTS_H

#include "base/buffer.h"
#include "engine/draft_model.h"
#include "engine/engine_parts.h"
#include "engine/generation.h"

enum den_generation_state { STATE_PROMPT, STATE_DECODE, STATE_DONE };

struct den_generation {
    struct den_engine *engine;
    struct den_session *session;
    struct den_sampler *sampler;
    struct den_stream *stream;
    struct den_buffer text;
    enum den_generation_state state;
    atomic_bool cancel;
    den_token *prompt;   /* (prompt_count): the prompt, then what is resumed */
    size_t prompt_count; /* of both */
    size_t prompt_done;
    bool is_waiting; /* another generation is about to read the page that this one needs next */
    bool is_untold;  /* what is resumed has not been passed on yet */
    bool is_stopped; /* ... and ends with a stop string */
    size_t max_tokens;
    bool ignore_end;
    int logprobs;
    void (*on_event)(void *context, const struct den_generation_event *event);
    void *context;
    struct den_constraint *constraints[2]; /* those that have allowed all so far */
    uint32_t *mask;                        /* room for what either allows; NULL: not needed */
    size_t mask_words;
    bool marks;
    den_token next[1 + DEN_GUESSES_MAX]; /* sampled, not yet evaluated; then guesses */
    bool is_speculating;
    struct den_speculation speculation;
    struct den_draft_text *draft; /* NULL: no draft model */
    /* Where the tokenizer knows tokens that the model has no logit for: the logits with those at
     * minus infinity. NULL otherwise. */
    float *padded_logits;
    size_t vocabulary;
    struct den_token_logprob top[DEN_LOGPROBS_MAX];
    double start_seconds; /* 0: not begun */
    double first_seconds; /* when the prompt had been read */
    struct den_generation_result result;
};

/* Tells the parts of a token that is now in the answer; its text goes to `text`. */
enum den_status den_generation_take_token(struct den_generation *generation, den_token token,
                                          bool *out_stopped, struct den_error *err);

/* Guesses what follows the tokens of the first `count` steps, which decode, and adds to the steps
 * what is worth it, at most `room` rows. */
void den_generations_draft(struct den_engine *engine, size_t count, size_t room);

#endif
