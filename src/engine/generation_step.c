/* Generations at work. A generation is in one of three states:
 *
 *     PROMPT --(last chunk evaluated, first token sampled)--> DECODE --(an end)--> DONE
 *
 * In PROMPT it wants the next tokens of its prompt evaluated, in DECODE the token it sampled last.
 * den_generations_step() asks every generation what it wants, runs one batch, and hands each its
 * logits. A decode may carry guesses behind its token (generation_draft.c). */
#include <string.h>

#include "base/clock.h"
#include "engine/generation_parts.h"
#include "text/constraint.h"

enum {
    PROMPT_SHARE_BUSY = 4, /* of a batch's rows, while others decode, a quarter reads prompts */
    PROMPT_ROWS_MIN = 32
};

/* Sends what `text` holds, with `event`'s other fields as given. */
static void send_event(struct den_generation *generation, struct den_generation_event event)
{
    event.text = generation->text.data;
    event.text_length = generation->text.length;
    event.prompt_done = generation->prompt_done;
    event.prompt_total = generation->prompt_count;
    event.drawn = den_sampler_drawn(generation->sampler);
    if (generation->on_event)
        generation->on_event(generation->context, &event);
    den_buffer_clear(&generation->text);
}

static void finish(struct den_generation *generation, enum den_finish reason)
{
    struct den_error ignored = { 0 };

    generation->state = STATE_DONE;
    den_session_share(generation->session);
    generation->result.finish = reason;
    generation->result.stop = den_stream_stop(generation->stream);
    if (generation->first_seconds > 0)
        generation->result.generate_seconds = den_clock_seconds() - generation->first_seconds;
    den_stream_finish(generation->stream, &generation->text, &ignored);
    if (generation->text.length > 0)
        send_event(generation, (struct den_generation_event){ .token = DEN_TOKEN_NONE });
}

static void finish_with_error(struct den_generation *generation, const struct den_error *err)
{
    generation->result.error = *err;
    finish(generation, DEN_FINISH_ERROR);
}

/* True where no token can follow: `evaluated` have been read, the last of the answer not. */
static bool is_full(const struct den_generation *generation, size_t evaluated)
{
    return (generation->max_tokens > 0 &&
            generation->result.generated_tokens >= generation->max_tokens) ||
           evaluated >= generation->engine->context_tokens;
}

/* Passes on the text of what is resumed. It may have been a whole answer but for its end. */
static void tell_resumed(struct den_generation *generation)
{
    generation->is_untold = false;
    send_event(generation,
               (struct den_generation_event){ .token = DEN_TOKEN_NONE, .resumed = true });
    if (generation->is_stopped)
        finish(generation, DEN_FINISH_STOP);
    else if (is_full(generation, generation->prompt_count - 1))
        finish(generation, DEN_FINISH_LENGTH);
}

/* Streams the sampled token. False: the generation has ended. */
static bool emit(struct den_generation *generation, den_token token, const float *logits)
{
    struct den_generation_event event = { .token = token, .top = generation->top };
    struct den_error err = { 0 };
    bool stopped = false;

    if (generation->logprobs >= 0) {
        struct den_token_logprob own;

        den_logprobs_top(logits, generation->vocabulary, token, &own, generation->top,
                         (size_t)generation->logprobs);
        event.logprob = own.logprob;
        event.top_count = (size_t)generation->logprobs;
    }
    if (den_generation_take_token(generation, token, &stopped, &err) != DEN_OK) {
        finish_with_error(generation, &err);
        return false;
    }
    send_event(generation, event);
    if (stopped)
        finish(generation, DEN_FINISH_STOP);
    return !stopped;
}

/* The tokens that may come next; NULL: all. */
static const uint32_t *find_mask(struct den_generation *generation)
{
    struct den_constraint *const *constraints = generation->constraints;
    const uint32_t *first = constraints[0] ? den_constraint_mask(constraints[0]) : NULL;
    const uint32_t *second = constraints[1] ? den_constraint_mask(constraints[1]) : NULL;
    size_t i;

    if (!constraints[0] || !constraints[1])
        return constraints[0] ? first : second;
    if (!first || !second)
        return NULL;
    for (i = 0; i < generation->mask_words; i++)
        generation->mask[i] = first[i] | second[i];
    return generation->mask;
}

/* No token can come. A grammar may just be complete, of a model that has no token to end with. */
static void finish_without_token(struct den_generation *generation)
{
    struct den_error err = { 0 };
    int i;

    for (i = 0; i < 2; i++)
        if (generation->constraints[i] && den_constraint_can_end(generation->constraints[i])) {
            finish(generation, DEN_FINISH_STOP);
            return;
        }
    den_fail(&err, DEN_BAD_FILE,
             "the model rates every token as impossible: its file is damaged, or a logit bias "
             "or a grammar forbids all");
    finish_with_error(generation, &err);
}

/* Chooses the next token from the logits of the last of `evaluated` tokens. */
static void advance(struct den_generation *generation, const float *logits, size_t evaluated)
{
    const struct den_tokenizer *tokenizer = generation->engine->tokenizer;
    const float *choices = logits;
    den_token token;

    if (generation->padded_logits) {
        memcpy(generation->padded_logits, logits, generation->vocabulary * sizeof *logits);
        choices = generation->padded_logits;
    }
    token = den_sampler_sample_masked(generation->sampler, choices, find_mask(generation));
    if (token == DEN_TOKEN_NONE) {
        finish_without_token(generation);
        return;
    }
    if (!generation->ignore_end && den_tokenizer_is_end(tokenizer, token)) {
        finish(generation, DEN_FINISH_STOP);
        return;
    }
    if (!emit(generation, token, logits))
        return;
    if (is_full(generation, evaluated)) {
        finish(generation, DEN_FINISH_LENGTH);
        return;
    }
    generation->next[0] = token;
    generation->state = STATE_DECODE;
    generation->result.generate_seconds = den_clock_seconds() - generation->first_seconds;
}

/* Chooses behind the known token and, as long as the choice is what was guessed, behind the next
 * one. The session then holds what it would hold without guesses. */
static void advance_guessed(struct den_generation *generation, const struct den_step *step)
{
    size_t before = generation->session->length - step->count;
    size_t row;

    for (row = 0;; row++) {
        advance(generation, step->logits + row * generation->vocabulary, before + row + 1);
        if (generation->state == STATE_DONE || row + 1 == step->count ||
            generation->next[0] != step->tokens[row + 1] ||
            atomic_load_explicit(&generation->cancel, memory_order_relaxed))
            break;
    }
    den_session_truncate(generation->session, before + row + 1);
    generation->result.guessed_tokens += step->count - 1;
    generation->result.accepted_tokens += row;
    if (generation->speculation.from_model && step->count > 1)
        den_draft_model_learn(generation->engine->draft, step->count - 1, row);
}

static void consume(struct den_generation *generation, const struct den_step *step)
{
    if (generation->state == STATE_DECODE) {
        advance_guessed(generation, step);
        return;
    }
    generation->prompt_done += step->count;
    generation->result.prompt_seconds = den_clock_seconds() - generation->start_seconds;
    send_event(generation, (struct den_generation_event){ .token = DEN_TOKEN_NONE });
    if (generation->prompt_done < generation->prompt_count)
        return;
    generation->first_seconds = den_clock_seconds();
    advance(generation, step->logits, generation->session->length);
}

/* Adds what one generation wants, at most `rows` tokens of it. */
static void want(struct den_engine *engine, struct den_generation *generation, size_t rows,
                 size_t *count)
{
    struct den_step *step = &engine->steps[*count];

    *step = (struct den_step){ .session = generation->session };
    if (generation->state == STATE_DECODE) {
        step->tokens = generation->next;
        step->count = 1;
    } else {
        size_t left = generation->prompt_count - generation->prompt_done;

        step->tokens = generation->prompt + generation->prompt_done;
        step->count = left < rows ? left : rows;
        step->no_logits = step->count < left;
    }
    engine->owners[(*count)++] = generation;
}

static struct den_reading reading_of(const struct den_generation *generation)
{
    return (struct den_reading){ .session = generation->session,
                                 .prompt = generation->prompt,
                                 .count = generation->prompt_count };
}

/* True where another prompt, further on or as far and earlier in line, reads what this one needs
 * next. The order is strict, so that the first of all never waits. */
static bool is_led(struct den_generation *const *generations, size_t total, size_t index)
{
    const struct den_generation *own = generations[index];
    const struct den_reading reading = reading_of(own);
    size_t i;

    for (i = 0; i < total; i++) {
        const struct den_generation *other = generations[i];
        const struct den_reading leader = reading_of(other);

        if (i != index && other->state == STATE_PROMPT &&
            (other->prompt_done > own->prompt_done ||
             (other->prompt_done == own->prompt_done && i < index)) &&
            den_session_follows(&reading, &leader))
            return true;
    }
    return false;
}

/* Prompts that are read side by side take from each other what they have in common. */
static void share_prompts(struct den_generation *const *generations, size_t total)
{
    size_t i;

    for (i = 0; i < total; i++)
        if (generations[i]->state == STATE_PROMPT)
            den_session_share(generations[i]->session);
    for (i = 0; i < total; i++) {
        struct den_generation *generation = generations[i];
        size_t known;

        if (generation->state != STATE_PROMPT)
            continue;
        known =
            den_session_catch_up(generation->session, generation->prompt, generation->prompt_count);
        if (generation->result.cached_tokens + (known - generation->prompt_done) <=
            generation->result.prompt_tokens)
            generation->result.cached_tokens += known - generation->prompt_done;
        generation->prompt_done = known;
    }
    for (i = 0; i < total; i++)
        generations[i]->is_waiting =
            generations[i]->state == STATE_PROMPT && is_led(generations, total, i);
}

static size_t left_of(const struct den_generation *generation)
{
    return generation->prompt_count - generation->prompt_done;
}

static bool is_reading(const struct den_generation *generation)
{
    return generation->state == STATE_PROMPT && !generation->is_waiting;
}

/* Of the prompts that can be read, the one that began first; NULL: there is none. */
static struct den_generation *find_oldest(struct den_generation *const *generations, size_t total)
{
    struct den_generation *oldest = NULL;
    size_t i;

    for (i = 0; i < total; i++)
        if (is_reading(generations[i]) &&
            (!oldest || generations[i]->start_seconds < oldest->start_seconds))
            oldest = generations[i];
    return oldest;
}

/* The one with the least left to read behind `last` (NULL: of all), `oldest` left out. */
static struct den_generation *find_shortest(struct den_generation *const *generations, size_t total,
                                            const struct den_generation *oldest,
                                            const struct den_generation *last)
{
    struct den_generation *shortest = NULL;
    bool is_behind = last == NULL;
    size_t i;

    for (i = 0; i < total; i++) {
        struct den_generation *one = generations[i];

        if (one == last) {
            is_behind = true; /* of those with as much left, the later ones still come */
            continue;
        }
        if (one == oldest || !is_reading(one))
            continue;
        if (last && (left_of(one) < left_of(last) || (left_of(one) == left_of(last) && !is_behind)))
            continue;
        if (!shortest || left_of(one) < left_of(shortest))
            shortest = one;
    }
    return shortest;
}

/* Shares `room` rows among prompts. Were all given the same, all of them would be read through
 * late and together; so half goes to the oldest, which therefore never starves, and the rest to
 * those that are done soonest. */
static void read_prompts(struct den_engine *engine, struct den_generation *const *generations,
                         size_t total, size_t room, size_t *count)
{
    struct den_generation *oldest = find_oldest(generations, total);
    struct den_generation *last = NULL;
    size_t own;

    if (!oldest || room == 0)
        return;
    own = room - room / 2 < left_of(oldest) ? room - room / 2 : left_of(oldest);
    room -= own;
    while (room > 0 && *count + 1 < engine->sequences) {
        last = find_shortest(generations, total, oldest, last);
        if (!last)
            break;
        want(engine, last, room, count);
        room -= engine->steps[*count - 1].count;
    }
    want(engine, oldest, own + room, count);
}

/* Decodes first, one row each; then prompts. While others decode, prompts get a part of the batch
 * only, so that nobody waits long for the next token. */
static size_t gather(struct den_engine *engine, struct den_generation *const *generations,
                     size_t total)
{
    size_t count = 0;
    size_t room = engine->batch_rows;
    size_t decodes;
    size_t i;

    share_prompts(generations, total);
    for (i = 0; i < total; i++)
        if (generations[i]->state == STATE_DECODE && count < engine->sequences)
            want(engine, generations[i], 1, &count);
        else if (generations[i]->state == STATE_PROMPT && generations[i]->start_seconds <= 0)
            generations[i]->start_seconds = den_clock_seconds();
    decodes = count;
    room -= count;
    if (count > 0) {
        size_t share = engine->batch_rows / PROMPT_SHARE_BUSY;

        share = share > PROMPT_ROWS_MIN ? share : PROMPT_ROWS_MIN;
        room = share < room ? share : room;
    }
    if (count < engine->sequences)
        read_prompts(engine, generations, total, room, &count);
    if (decodes > 0)
        den_generations_draft(engine, decodes, decodes == count ? engine->batch_rows - count : 0);
    return count;
}

/* What steps that only decode cost by their rows, guesses included. */
static void learn_cost(struct den_engine *engine, size_t count, double seconds)
{
    size_t rows = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        if (engine->owners[i]->state != STATE_DECODE)
            return;
        rows += engine->steps[i].count;
    }
    den_step_costs_learn(&engine->costs, rows, seconds);
}

enum den_status den_generations_step(struct den_engine *engine,
                                     struct den_generation *const *generations, size_t count,
                                     struct den_error *err)
{
    const atomic_bool *cancel = NULL;
    double start;
    size_t wanted;
    size_t i;

    for (i = 0; i < count; i++) {
        if (generations[i]->state == STATE_DONE)
            continue;
        if (generations[i]->is_untold)
            tell_resumed(generations[i]);
        if (generations[i]->state != STATE_DONE &&
            atomic_load_explicit(&generations[i]->cancel, memory_order_relaxed))
            finish(generations[i], DEN_FINISH_CANCELLED);
    }
    wanted = gather(engine, generations, count);
    if (wanted == 0)
        return DEN_OK;
    if (wanted == 1) /* alone, a cancel may break off the run itself */
        cancel = &engine->owners[0]->cancel;
    start = den_clock_seconds();
    if (den_engine_step(engine, engine->steps, wanted, cancel, err) == DEN_CANCELLED) {
        *err = (struct den_error){ 0 };
        finish(engine->owners[0], DEN_FINISH_CANCELLED);
        return DEN_OK;
    }
    learn_cost(engine, wanted, den_clock_seconds() - start);
    for (i = 0; i < wanted; i++)
        if (err->status == DEN_OK)
            consume(engine->owners[i], &engine->steps[i]);
        else
            finish_with_error(engine->owners[i], err);
    return err->status;
}

enum den_status den_generation_run(struct den_engine *engine, struct den_generation *generation,
                                   struct den_error *err)
{
    while (!den_generation_is_done(generation))
        if (den_generations_step(engine, &generation, 1, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}
