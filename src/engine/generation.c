/* See generation.h. What a generation is made of, and what it is told of each token. All memory is
 * taken at creation: a step allocates nothing (the sampler's and stream's rules included), which
 * tests/unit/engine/test_generation.c counts. What happens in a step is in generation_step.c. */
#include "engine/generation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/generation_parts.h"
#include "text/answer_format.h"
#include "text/constraint.h"
#include "text/stream_bytes.h"

enum { TEXT_RESERVED = 4096 }; /* a token's text is far shorter; a longer one grows the buffer */

const char *den_finish_text(enum den_finish finish)
{
    static const char *const texts[] = {
        [DEN_FINISH_NONE] = "",         [DEN_FINISH_STOP] = "stop",
        [DEN_FINISH_LENGTH] = "length", [DEN_FINISH_CANCELLED] = "cancelled",
        [DEN_FINISH_ERROR] = "error",
    };

    return texts[finish];
}

static enum den_status check_tokens(const char *what, const den_token *tokens, size_t count,
                                    size_t vocabulary, struct den_error *err)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (tokens[i] < 0 || (size_t)tokens[i] >= vocabulary)
            return den_fail(err, DEN_INVALID, "%s token %zu is %d; the vocabulary has %zu", what, i,
                            (int)tokens[i], vocabulary);
    return DEN_OK;
}

static enum den_status check_options(const struct den_engine *engine,
                                     const struct den_generation_options *options,
                                     struct den_error *err)
{
    size_t vocabulary = den_engine_description(engine)->vocabulary;

    if (options->prompt_count == 0)
        return den_fail(err, DEN_INVALID, "the prompt is empty; it must have a token at least");
    if (options->prompt_count >= engine->context_tokens)
        return den_fail(err, DEN_CONTEXT_FULL,
                        "the prompt has %zu tokens; the context holds %zu, one of them for the "
                        "answer at least",
                        options->prompt_count, engine->context_tokens);
    if (check_tokens("prompt", options->prompt, options->prompt_count, vocabulary, err) != DEN_OK ||
        check_tokens("resumed", options->resume, options->resume_count, vocabulary, err) !=
            DEN_OK ||
        check_tokens("predicted", options->predicted, options->predicted_count, vocabulary, err) !=
            DEN_OK)
        return err->status;
    if (options->logprobs > DEN_LOGPROBS_MAX)
        return den_fail(err, DEN_INVALID, "%d alternatives are asked for; at most %d are told",
                        options->logprobs, DEN_LOGPROBS_MAX);
    return DEN_OK;
}

static enum den_status take_memory(struct den_generation *generation,
                                   const struct den_generation_options *options,
                                   struct den_error *err)
{
    size_t known = den_tokenizer_size(generation->engine->tokenizer);
    size_t i;

    den_buffer_init(&generation->text, DEN_FILE_TEXT_BYTES_MAX);
    generation->prompt = calloc(generation->prompt_count, sizeof *generation->prompt);
    if (!generation->prompt || !den_buffer_reserve(&generation->text, TEXT_RESERVED))
        return den_fail(err, DEN_NO_MEMORY, "generation: out of memory");
    memcpy(generation->prompt, options->prompt, options->prompt_count * sizeof *options->prompt);
    if (options->resume_count > 0)
        memcpy(generation->prompt + options->prompt_count, options->resume,
               options->resume_count * sizeof *options->resume);
    if (options->constraint && options->alternative) {
        generation->mask_words = (known + 31) / 32;
        generation->mask = calloc(generation->mask_words, sizeof *generation->mask);
        if (!generation->mask)
            return den_fail(err, DEN_NO_MEMORY, "generation: out of memory");
    }
    if (known <= generation->vocabulary)
        return DEN_OK;
    generation->padded_logits = calloc(known, sizeof *generation->padded_logits);
    if (!generation->padded_logits)
        return den_fail(err, DEN_NO_MEMORY, "generation: out of memory");
    for (i = generation->vocabulary; i < known; i++)
        generation->padded_logits[i] = -INFINITY;
    return DEN_OK;
}

/* A constraint that forbids the token is out, as long as another allows it. */
static enum den_status accept_constrained(struct den_generation *generation, den_token token,
                                          struct den_error *err)
{
    bool is_accepted = false, is_held = false;
    int i;

    for (i = 0; i < 2; i++) {
        struct den_error why = { 0 };

        if (!generation->constraints[i])
            continue;
        is_held = true;
        if (den_constraint_accept(generation->constraints[i], token, &why) == DEN_OK) {
            is_accepted = true;
        } else {
            generation->constraints[i] = NULL;
            *err = why;
        }
    }
    if (is_held && !is_accepted)
        return err->status;
    *err = (struct den_error){ 0 };
    return DEN_OK;
}

enum den_status den_generation_take_token(struct den_generation *generation, den_token token,
                                          bool *out_stopped, struct den_error *err)
{
    const struct den_tokenizer *tokenizer = generation->engine->tokenizer;
    struct den_token_text piece = generation->marks ? den_answer_format_piece(tokenizer, token)
                                                    : den_tokenizer_piece(tokenizer, token);

    if (generation->is_speculating) {
        den_speculation_push(&generation->speculation, token);
        generation->result.foretold_tokens = generation->speculation.foretold;
    }
    if (accept_constrained(generation, token, err) != DEN_OK ||
        den_sampler_accept(generation->sampler, token, err) != DEN_OK ||
        den_stream_push_bytes(generation->stream, piece.bytes, piece.length, &generation->text,
                              out_stopped, err) != DEN_OK)
        return err->status;
    generation->result.generated_tokens++;
    return DEN_OK;
}

static enum den_status take_resumed(struct den_generation *generation,
                                    const struct den_generation_options *options,
                                    struct den_error *err)
{
    size_t i;

    for (i = 0; i < options->resume_count && !generation->is_stopped; i++)
        if (den_generation_take_token(generation, options->resume[i], &generation->is_stopped,
                                      err) != DEN_OK)
            return err->status;
    den_sampler_skip(generation->sampler, options->resume_drawn);
    generation->is_untold = options->resume_count > 0;
    return DEN_OK;
}

static enum den_status start_speculation(struct den_generation *generation,
                                         const struct den_generation_options *options,
                                         struct den_error *err)
{
    const struct den_engine *engine = generation->engine;
    struct den_speculation *speculation = &generation->speculation;
    size_t predicted = options->predicted_count;

    if (engine->speculation == DEN_SPECULATION_OFF || options->speculation == DEN_SPECULATION_OFF)
        return DEN_OK;
    if (predicted > engine->context_tokens) /* no answer is longer */
        predicted = engine->context_tokens;
    if (den_speculation_init(speculation, engine->context_tokens, options->predicted, predicted,
                             err) != DEN_OK)
        return err->status;
    speculation->always = engine->speculation == DEN_SPECULATION_ALWAYS ||
                          options->speculation == DEN_SPECULATION_ALWAYS;
    den_speculation_begin(speculation, options->prompt, options->prompt_count);
    generation->is_speculating = true;
    generation->result.predicted_tokens = predicted;
    return engine->draft ? den_draft_text_create(engine->draft, &generation->draft, err) : DEN_OK;
}

static enum den_status take_parts(struct den_generation *generation,
                                  const struct den_generation_options *options,
                                  struct den_error *err)
{
    const struct den_tokenizer *tokenizer = generation->engine->tokenizer;
    size_t i;

    if (take_memory(generation, options, err) != DEN_OK)
        return err->status;
    if (den_sampler_create(&options->sampler, tokenizer, &generation->sampler, err) != DEN_OK ||
        den_stream_create(tokenizer, options->stops, options->stop_count, &generation->stream,
                          err) != DEN_OK)
        return err->status;
    for (i = 0; i < options->prompt_count; i++)
        if (den_sampler_accept(generation->sampler, options->prompt[i], err) != DEN_OK)
            return err->status;
    if (start_speculation(generation, options, err) != DEN_OK)
        return err->status;
    return take_resumed(generation, options, err);
}

/* Takes what is cached of the prompt; one token at least stays to be evaluated. */
static void begin_prompt(struct den_generation *generation,
                         const struct den_generation_options *options)
{
    struct den_generation_result *result = &generation->result;
    struct den_prefix_outcome outcome =
        den_session_begin(generation->session, generation->prompt, generation->prompt_count);

    generation->prompt_done = outcome.cached;
    result->prompt_tokens = options->prompt_count;
    result->cached_tokens =
        outcome.cached < options->prompt_count ? outcome.cached : options->prompt_count;
    result->miss = outcome.miss;
    result->miss_at = outcome.at;
}

enum den_status den_generation_create(struct den_engine *engine, struct den_session *session,
                                      const struct den_generation_options *options,
                                      struct den_generation **out, struct den_error *err)
{
    struct den_generation *generation;

    if (check_options(engine, options, err) != DEN_OK)
        return err->status;
    generation = calloc(1, sizeof *generation);
    if (!generation)
        return den_fail(err, DEN_NO_MEMORY, "generation: out of memory");
    generation->engine = engine;
    generation->session = session;
    generation->prompt_count = options->prompt_count + options->resume_count;
    generation->max_tokens = options->max_tokens;
    generation->ignore_end = options->ignore_end;
    generation->logprobs = options->logprobs;
    generation->constraints[0] = options->constraint;
    generation->constraints[1] = options->alternative;
    generation->marks = options->marks;
    generation->on_event = options->on_event;
    generation->context = options->context;
    generation->vocabulary = den_engine_description(engine)->vocabulary;
    if (take_parts(generation, options, err) != DEN_OK)
        goto fail;
    begin_prompt(generation, options);
    generation->result.stop = -1;
    generation->result.seed = den_sampler_seed(generation->sampler);
    *out = generation;
    return DEN_OK;
fail:
    den_generation_destroy(generation);
    return err->status;
}

void den_generation_destroy(struct den_generation *generation)
{
    if (!generation)
        return;
    den_draft_text_destroy(generation->draft);
    den_speculation_deinit(&generation->speculation);
    den_stream_destroy(generation->stream);
    den_sampler_destroy(generation->sampler);
    den_buffer_deinit(&generation->text);
    free(generation->prompt);
    free(generation->padded_logits);
    free(generation->mask);
    free(generation);
}

void den_generation_cancel(struct den_generation *generation)
{
    atomic_store_explicit(&generation->cancel, true, memory_order_relaxed);
}

bool den_generation_is_done(const struct den_generation *generation)
{
    return generation->state == STATE_DONE;
}

const struct den_generation_result *den_generation_result(const struct den_generation *generation)
{
    return &generation->result;
}
