/* Speculation: evaluating tokens that are only guessed to come, several in one step.
 *
 * A step of five rows costs far less than five steps of one, because the weights are read once. So
 * where the next tokens can be guessed, the guesses are evaluated behind the token that is known;
 * then the sampler chooses as it always does, from one row after the other, with the same random
 * numbers, and as long as it chooses what was guessed, the next row is already there. The first
 * choice that was not guessed makes the rest worthless, and the session forgets it. What comes out
 * is, bit for bit, what would have come out without guesses; only the time differs.
 *
 * Whether it pays is decided anew in each step. Guesses are followed along for free whether they
 * are evaluated or not, so the chance that one is right is known, for guesses of each kind (how
 * long the match is, or the draft model); what further rows cost is measured (step_costs.h). A
 * guess is evaluated where it raises the tokens that the whole batch gets out of a second. */
#ifndef DEN_ENGINE_SPECULATION_H
#define DEN_ENGINE_SPECULATION_H

#include "engine/draft_ngram.h"
#include "engine/step_costs.h"

enum den_speculation_mode {
    DEN_SPECULATION_AUTO,  /* where it gains */
    DEN_SPECULATION_OFF,   /* never */
    DEN_SPECULATION_ALWAYS /* wherever there is a guess, for tests */
};

enum {
    DEN_GUESSES_MAX = 24, /* evaluated in one step for one generation */
    DEN_GUESS_KINDS = 7
};

/* What one generation guesses. */
struct den_speculation {
    struct den_draft_ngram *ngram;
    bool always;      /* all guesses are evaluated that there is room for */
    size_t predicted; /* tokens that the client predicts: the answer begins as they do ... */
    size_t foretold;  /* ... and how many tokens of the answer were foretold by them */
    float right[DEN_GUESS_KINDS], seen[DEN_GUESS_KINDS]; /* guesses, older ones counting less */
    den_token guesses[DEN_GUESSES_MAX];
    float chances[DEN_GUESSES_MAX]; /* that guess j and all before it are right */
    bool from_model;                /* of the draft model, not from the text */
    size_t count;                   /* guesses there are ... */
    size_t chosen;                  /* ... and those that are to be evaluated */
};

/* `predicted` is what the client thinks that the answer will be. `capacity` limits prompt and
 * answer. */
enum den_status den_speculation_init(struct den_speculation *speculation, size_t capacity,
                                     const den_token *predicted, size_t predicted_count,
                                     struct den_error *err);
void den_speculation_deinit(struct den_speculation *speculation);
/* The prompt, and what is resumed; once. */
void den_speculation_begin(struct den_speculation *speculation, const den_token *tokens,
                           size_t count);
/* A token of the answer. */
void den_speculation_push(struct den_speculation *speculation, den_token token);
/* Fills in up to `most` guesses and their chances. */
void den_speculation_guess(struct den_speculation *speculation, size_t most);

/* Sets `chosen` of each so that the batch gets the most tokens a second out of `rows` rows that it
 * has without guesses, of which `decodes` yield a token, and up to `room` more. */
struct den_speculation_plan {
    const struct den_step_costs *costs;
    struct den_speculation *const *speculations;
    size_t count;
    size_t rows, decodes, room;
};
void den_speculation_choose(const struct den_speculation_plan *plan);

#endif
