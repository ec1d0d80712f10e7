/* See sampler_history.h. The penalties are those of Keskar et al. (CTRL, 2019) for repeat, OpenAI's
 * for frequency and presence; DRY is p-e-w's (2024). Details follow llama.cpp's samplers, so that
 * settings carry over. */
#include "text/sampler_history.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static size_t window_of(int last_n)
{
    return last_n < 0 ? SIZE_MAX : (size_t)last_n;
}

static bool is_penalising(const struct den_sampler_options *options)
{
    return options->repeat_penalty != 1.0f || options->frequency_penalty != 0.0f ||
           options->presence_penalty != 0.0f;
}

enum den_status den_history_init(struct den_history *history,
                                 const struct den_sampler_options *options, size_t vocabulary,
                                 const uint8_t *breakers, struct den_error *err)
{
    *history = (struct den_history){
        .vocabulary = vocabulary,
        .window = is_penalising(options) ? window_of(options->penalty_last_n) : 0,
        .dry_window = options->dry_multiplier > 0 ? window_of(options->dry_penalty_last_n) : 0,
        .repeat_penalty = options->repeat_penalty,
        .frequency_penalty = options->frequency_penalty,
        .presence_penalty = options->presence_penalty,
        .dry_multiplier = options->dry_multiplier,
        .dry_base = options->dry_base,
        .dry_allowed_length = (size_t)options->dry_allowed_length,
    };
    if (history->window > 0) {
        history->counts = calloc(vocabulary, sizeof *history->counts);
        history->places = calloc(vocabulary, sizeof *history->places);
        history->distinct = calloc(vocabulary, sizeof *history->distinct);
        if (!history->counts || !history->places || !history->distinct)
            goto fail;
    }
    if (history->dry_window > 0) {
        history->dry_lengths = calloc(vocabulary, sizeof *history->dry_lengths);
        if (!history->dry_lengths)
            goto fail;
    }
    if (history->dry_window > 0 && breakers) {
        history->breakers = malloc(vocabulary);
        if (!history->breakers)
            goto fail;
        memcpy(history->breakers, breakers, vocabulary);
    }
    return DEN_OK;
fail:
    den_history_deinit(history);
    return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for %zu tokens", vocabulary);
}

void den_history_deinit(struct den_history *history)
{
    free(history->breakers);
    free(history->tokens);
    free(history->z);
    free(history->counts);
    free(history->places);
    free(history->distinct);
    free(history->dry_lengths);
    *history = (struct den_history){ 0 };
}

static void count_token(struct den_history *history, den_token token)
{
    if (history->counts[token]++ == 0) {
        history->places[token] = (uint32_t)history->distinct_count;
        history->distinct[history->distinct_count++] = token;
    }
}

static void forget_token(struct den_history *history, den_token token)
{
    if (--history->counts[token] == 0) {
        den_token last = history->distinct[--history->distinct_count];

        history->distinct[history->places[token]] = last;
        history->places[last] = history->places[token];
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Room for one more: a bounded history slides its last window to the front when twice the window
 * is full (O(1) amortised); an unbounded one grows. */
static enum den_status make_room(struct den_history *history, struct den_error *err)
{
    size_t keep = larger(history->window, history->dry_window);
    size_t capacity = history->capacity ? history->capacity * 2 : 256;
    den_token *tokens;
    uint32_t *z;

    if (history->count < history->capacity)
        return DEN_OK;
    if (keep <= history->count / 2) {
        memmove(history->tokens, history->tokens + history->count - keep,
                keep * sizeof *history->tokens);
        history->count = keep;
        return DEN_OK;
    }
    tokens = realloc(history->tokens, capacity * sizeof *tokens);
    if (!tokens)
        return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for %zu tokens of history",
                        capacity);
    history->tokens = tokens;
    if (history->dry_window > 0) {
        z = realloc(history->z, capacity * sizeof *z);
        if (!z)
            return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for %zu tokens of history",
                            capacity);
        history->z = z;
    }
    history->capacity = capacity;
    return DEN_OK;
}

enum den_status den_history_accept(struct den_history *history, den_token token,
                                   struct den_error *err)
{
    if (token < 0 || (size_t)token >= history->vocabulary)
        return den_fail(err, DEN_INVALID, "sampler: token %d is outside the vocabulary of %zu",
                        token, history->vocabulary);
    if (history->window == 0 && history->dry_window == 0)
        return DEN_OK;
    if (make_room(history, err) != DEN_OK)
        return err->status;
    if (history->window > 0) {
        if (history->window <= history->count)
            forget_token(history, history->tokens[history->count - history->window]);
        count_token(history, token);
    }
    history->tokens[history->count++] = token;
    return DEN_OK;
}

static void apply_penalties(const struct den_history *history, float *logits)
{
    size_t i;

    for (i = 0; i < history->distinct_count; i++) {
        den_token token = history->distinct[i];
        float *logit = &logits[token];

        if (*logit <= 0)
            *logit *= history->repeat_penalty;
        else
            *logit /= history->repeat_penalty;
        *logit -=
            (float)history->counts[token] * history->frequency_penalty + history->presence_penalty;
    }
}

/* How many of the last tokens come after the last breaker: no repetition reaches across one. */
static size_t unbroken_length(const struct den_history *history, size_t window)
{
    size_t i;

    if (!history->breakers)
        return window;
    for (i = 0; i < window; i++)
        if (history->breakers[history->tokens[history->count - 1 - i]])
            break;
    return i;
}

/* The Z array of the reversed window: z[i] is how long the ending of the text before its last i
 * tokens agrees with the ending of the text itself. */
static void match_endings(const struct den_history *history, size_t window)
{
    const den_token *newest = history->tokens + history->count - 1;
    uint32_t *z = history->z;
    size_t left = 0, right = 0; /* the match [left, right) that reaches furthest */
    size_t i;

    for (i = 1; i < window; i++) {
        size_t length = 0;

        if (i < right) {
            length = z[i - left];
            if (length > right - i)
                length = right - i;
        }
        while (i + length < window &&
               newest[-(ptrdiff_t)length] == newest[-(ptrdiff_t)(i + length)])
            length++;
        z[i] = (uint32_t)length;
        if (i + length > right) {
            left = i;
            right = i + length;
        }
    }
}

/* multiplier * base^exponent, by squaring: the same bits everywhere, which pow() does not promise.
 */
static float dry_penalty(const struct den_history *history, size_t exponent)
{
    double power = 1, square = history->dry_base;

    for (; exponent > 0; exponent /= 2) {
        if (exponent & 1)
            power *= square;
        square *= square;
    }
    power *= history->dry_multiplier;
    return power < FLT_MAX ? (float)power : FLT_MAX;
}

static void apply_dry(struct den_history *history, float *logits)
{
    const den_token *newest = history->tokens + history->count - 1;
    size_t window = history->dry_window < history->count ? history->dry_window : history->count;
    size_t limit, i;

    if (window <= history->dry_allowed_length)
        return;
    limit = unbroken_length(history, window);
    if (limit < history->dry_allowed_length)
        return;
    match_endings(history, window);
    for (i = 1; i < window; i++) {
        size_t length = history->z[i] < limit ? history->z[i] : limit;
        den_token next = newest[-(ptrdiff_t)(i - 1)]; /* what followed that earlier ending */

        if (length >= history->dry_allowed_length && length > history->dry_lengths[next])
            history->dry_lengths[next] = (uint32_t)length;
    }
    for (i = 1; i < window; i++) {
        den_token next = newest[-(ptrdiff_t)(i - 1)];
        size_t length = history->dry_lengths[next];

        history->dry_lengths[next] = 0;
        if (length > 0 && !(history->breakers && history->breakers[next]))
            logits[next] -= dry_penalty(history, length - history->dry_allowed_length);
    }
}

void den_history_apply(struct den_history *history, float *logits)
{
    if (history->window > 0)
        apply_penalties(history, logits);
    if (history->dry_window > 0 && history->count > 0)
        apply_dry(history, logits);
}
