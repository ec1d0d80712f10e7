/* See draft_ngram.h.
 *
 *     tokens      [ prediction | NONE | prompt ................ | answer so far ]
 *                                          ^ place                             ^ end
 *                                 matched -+                          matched -+
 *
 * Guess j is the token at place + j; beyond the end it is a guess made before, so a text that runs
 * in a circle of any length is guessed for as long as is wanted.
 *
 * When a guess turns out wrong, the answer has usually left the text that it copies for a token or
 * a few: a name was changed, a word put in. A search by pairs finds back once two tokens in a row
 * are the old ones again. Before that, for a while after the loss, a single token that stands
 * shortly behind the lost place is taken as the way back; and among places that match equally
 * long, one shortly behind the lost place is preferred to the latest. */
#include "engine/draft_ngram.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum {
    PLACES_MAX = 64, /* looked at in one search: pairs such as ", the" stand everywhere */
    MATCH_MAX = 32,  /* longer matches are not told apart */
    NEAR_TOKENS = 24,
    LOST_TOKENS = 12, /* so long after a loss the old place is still thought of */
    BITS_MIN = 8
};

#define NOWHERE SIZE_MAX

struct den_draft_ngram {
    den_token *tokens;  /* (capacity) */
    uint32_t *previous; /* (capacity): of the pair that ends at i: place + 1 of the one before */
    uint32_t *heads;    /* (1 << bits): place + 1 of the last pair with this hash */
    size_t capacity, count;
    unsigned bits;
    size_t place; /* whose token is the guess; NOWHERE: none */
    size_t matched;
    size_t lost; /* where the last guess that was wrong stood; NOWHERE */
    size_t lost_at;
};

enum den_status den_draft_ngram_create(size_t capacity, struct den_draft_ngram **out,
                                       struct den_error *err)
{
    struct den_draft_ngram *draft = calloc(1, sizeof *draft);

    if (!draft || capacity >= UINT32_MAX)
        goto fail;
    draft->capacity = capacity;
    draft->place = draft->lost = NOWHERE;
    for (draft->bits = BITS_MIN; ((size_t)1 << draft->bits) < capacity;)
        draft->bits++;
    draft->tokens = calloc(capacity + 1, sizeof *draft->tokens);
    draft->previous = calloc(capacity + 1, sizeof *draft->previous);
    draft->heads = calloc((size_t)1 << draft->bits, sizeof *draft->heads);
    if (!draft->tokens || !draft->previous || !draft->heads)
        goto fail;
    *out = draft;
    return DEN_OK;
fail:
    den_draft_ngram_destroy(draft);
    return den_fail(err, DEN_NO_MEMORY, "drafts: out of memory for a text of %zu tokens", capacity);
}

void den_draft_ngram_destroy(struct den_draft_ngram *draft)
{
    if (!draft)
        return;
    free(draft->tokens);
    free(draft->previous);
    free(draft->heads);
    free(draft);
}

static size_t hash_pair(const struct den_draft_ngram *draft, size_t last)
{
    uint64_t pair =
        (uint64_t)(uint32_t)draft->tokens[last - 1] << 32 | (uint32_t)draft->tokens[last];

    return (size_t)(pair * UINT64_C(0x9E3779B97F4A7C15) >> (64 - draft->bits));
}

static void add(struct den_draft_ngram *draft, den_token token)
{
    size_t last = draft->count;
    size_t slot;

    draft->tokens[last] = token;
    draft->count++;
    draft->previous[last] = 0;
    if (last == 0 || token == DEN_TOKEN_NONE || draft->tokens[last - 1] == DEN_TOKEN_NONE)
        return;
    slot = hash_pair(draft, last);
    draft->previous[last] = draft->heads[slot];
    draft->heads[slot] = (uint32_t)last + 1;
}

/* Tokens up to and with `last` that are those up to the end. */
static size_t match_length(const struct den_draft_ngram *draft, size_t last)
{
    const den_token *tokens = draft->tokens;
    size_t end = draft->count - 1;
    size_t length = 0;

    while (length < MATCH_MAX && length <= last && tokens[last - length] == tokens[end - length] &&
           tokens[last - length] != DEN_TOKEN_NONE)
        length++;
    return length;
}

static bool is_lost(const struct den_draft_ngram *draft)
{
    return draft->lost != NOWHERE && draft->count - draft->lost_at <= LOST_TOKENS;
}

static bool is_near(const struct den_draft_ngram *draft, size_t place)
{
    return is_lost(draft) && place > draft->lost && place - draft->lost <= NEAR_TOKENS;
}

/* A single token, shortly behind the place that was lost. */
static void search_near(struct den_draft_ngram *draft)
{
    den_token token = draft->tokens[draft->count - 1];
    size_t place;

    for (place = draft->lost + 1; is_near(draft, place) && place < draft->count; place++)
        if (draft->tokens[place - 1] == token) {
            draft->place = place;
            draft->matched = 1;
            return;
        }
}

static void search(struct den_draft_ngram *draft)
{
    size_t looked = 0, place;

    draft->place = NOWHERE;
    draft->matched = 0;
    if (draft->count < 2)
        return;
    for (place = draft->previous[draft->count - 1]; place && looked < PLACES_MAX; looked++) {
        size_t length = match_length(draft, place - 1);

        if (length >= 2 &&
            (length > draft->matched || (length == draft->matched && is_near(draft, place) &&
                                         !is_near(draft, draft->place)))) {
            draft->matched = length;
            draft->place = place; /* the token behind the pair */
        }
        place = draft->previous[place - 1];
    }
    if (draft->place == NOWHERE && is_lost(draft))
        search_near(draft);
}

void den_draft_ngram_append(struct den_draft_ngram *draft, const den_token *tokens, size_t count)
{
    size_t i;

    for (i = 0; i < count && draft->count < draft->capacity; i++)
        add(draft, tokens[i]);
    draft->lost = NOWHERE;
    search(draft);
}

void den_draft_ngram_follow(struct den_draft_ngram *draft, size_t place)
{
    draft->place = place < draft->count ? place : NOWHERE;
    draft->matched = draft->place == NOWHERE ? 0 : MATCH_MAX;
}

bool den_draft_ngram_push(struct den_draft_ngram *draft, den_token token)
{
    size_t place = draft->place;
    bool as_guessed = place != NOWHERE && place < draft->count && draft->tokens[place] == token;

    if (draft->count == draft->capacity) {
        draft->place = NOWHERE;
        draft->matched = 0;
        return as_guessed;
    }
    add(draft, token);
    if (as_guessed && draft->tokens[place + 1] != DEN_TOKEN_NONE) {
        draft->place++;
        draft->matched++;
        return true;
    }
    if (place != NOWHERE) {
        draft->lost = place;
        draft->lost_at = draft->count;
    }
    search(draft);
    return as_guessed;
}

size_t den_draft_ngram_place(const struct den_draft_ngram *draft)
{
    return draft->place;
}

size_t den_draft_ngram_matched(const struct den_draft_ngram *draft)
{
    return draft->matched;
}

size_t den_draft_ngram_guess(const struct den_draft_ngram *draft, den_token *out, size_t count)
{
    size_t i;

    if (draft->place == NOWHERE)
        return 0;
    for (i = 0; i < count; i++) {
        size_t at = draft->place + i;

        out[i] = at < draft->count ? draft->tokens[at] : out[at - draft->count];
        if (out[i] == DEN_TOKEN_NONE)
            break;
    }
    return i;
}
