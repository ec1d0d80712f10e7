/* See speculation.h. */
#include "engine/speculation.h"

#include <string.h>

/* Kinds of guesses by the length of the match, and the chance given to each before it is seen.
 * The counts forget: a kind's chance is that of its last 30 guesses or so. */
static const struct {
    size_t matched; /* at least */
    float chance;
} kinds[DEN_GUESS_KINDS] = { { 0, 0.0f },  { 1, 0.3f }, { 2, 0.35f }, { 3, 0.5f },
                             { 5, 0.65f }, { 9, 0.8f }, { 17, 0.9f } };
static const float prior_weight = 2;
static const float memory = 0.97f;
/* A plan must promise this much more than none: what is gained below it, errors of the estimates
 * would eat. */
static const double margin = 1.04;

static size_t kind_of(size_t matched)
{
    size_t kind = DEN_GUESS_KINDS - 1;

    while (matched < kinds[kind].matched)
        kind--;
    return kind;
}

static float chance_of(const struct den_speculation *speculation, size_t matched)
{
    size_t kind = kind_of(matched);

    return (speculation->right[kind] + kinds[kind].chance * prior_weight) /
           (speculation->seen[kind] + prior_weight);
}

enum den_status den_speculation_init(struct den_speculation *speculation, size_t capacity,
                                     const den_token *predicted, size_t predicted_count,
                                     struct den_error *err)
{
    const den_token part = DEN_TOKEN_NONE;

    memset(speculation, 0, sizeof *speculation);
    if (den_draft_ngram_create(capacity + predicted_count + 1, &speculation->ngram, err) != DEN_OK)
        return err->status;
    den_draft_ngram_append(speculation->ngram, predicted, predicted_count);
    den_draft_ngram_append(speculation->ngram, &part, 1);
    speculation->predicted = predicted_count;
    return DEN_OK;
}

void den_speculation_deinit(struct den_speculation *speculation)
{
    den_draft_ngram_destroy(speculation->ngram);
    speculation->ngram = NULL;
}

void den_speculation_begin(struct den_speculation *speculation, const den_token *tokens,
                           size_t count)
{
    den_draft_ngram_append(speculation->ngram, tokens, count);
    if (speculation->predicted > 0)
        den_draft_ngram_follow(speculation->ngram, 0);
}

void den_speculation_push(struct den_speculation *speculation, den_token token)
{
    size_t kind = kind_of(den_draft_ngram_matched(speculation->ngram));
    size_t place = den_draft_ngram_place(speculation->ngram);
    bool right = den_draft_ngram_push(speculation->ngram, token);

    if (kind == 0) /* there was no guess */
        return;
    if (right && place < speculation->predicted && speculation->foretold < speculation->predicted)
        speculation->foretold++;
    speculation->right[kind] = speculation->right[kind] * memory + (right ? 1.0f : 0.0f);
    speculation->seen[kind] = speculation->seen[kind] * memory + 1;
}

void den_speculation_guess(struct den_speculation *speculation, size_t most)
{
    size_t matched = den_draft_ngram_matched(speculation->ngram);
    float chance = 1;
    size_t i;

    most = most < DEN_GUESSES_MAX ? most : DEN_GUESSES_MAX;
    speculation->count = den_draft_ngram_guess(speculation->ngram, speculation->guesses, most);
    speculation->chosen = 0;
    speculation->from_model = false;
    for (i = 0; i < speculation->count; i++) {
        chance *= chance_of(speculation, matched + i);
        speculation->chances[i] = chance;
    }
}

/* The generation whose next guess is the likeliest; NULL: there are no more. */
static struct den_speculation *likeliest(const struct den_speculation_plan *plan)
{
    struct den_speculation *best = NULL;
    size_t i;

    for (i = 0; i < plan->count; i++) {
        struct den_speculation *one = plan->speculations[i];

        if (one->chosen < one->count &&
            (!best || one->chances[one->chosen] > best->chances[best->chosen]))
            best = one;
    }
    return best;
}

/* Takes `rows` guesses, the likeliest first, and returns how many rows of them raise the rate the
 * most. Chances only fall within a generation, so the likeliest come first among any number. */
static size_t take(const struct den_speculation_plan *plan, size_t rows)
{
    double tokens = (double)plan->decodes;
    double best_rate = margin * tokens / den_step_costs_estimate(plan->costs, plan->rows);
    size_t best = 0, i;

    for (i = 0; i < plan->count; i++)
        plan->speculations[i]->chosen = 0;
    for (i = 1; i <= rows; i++) {
        struct den_speculation *one = likeliest(plan);
        double rate;

        if (!one)
            break;
        tokens += (double)one->chances[one->chosen++];
        rate = tokens / den_step_costs_estimate(plan->costs, plan->rows + i);
        if (rate > best_rate || one->always) {
            best_rate = rate;
            best = i;
        }
    }
    return best;
}

void den_speculation_choose(const struct den_speculation_plan *plan)
{
    size_t rows = plan->room, best;

    if (plan->rows >= DEN_COSTED_ROWS_MAX)
        rows = 0;
    else if (rows > DEN_COSTED_ROWS_MAX - plan->rows)
        rows = DEN_COSTED_ROWS_MAX - plan->rows;
    best = take(plan, rows);
    if (best < rows)
        take(plan, best);
}
