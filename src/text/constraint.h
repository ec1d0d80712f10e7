/* Constraint: one generation's place in a grammar, and the tokens that may come next.
 *
 * A vocabulary holds a tokenizer's tokens in the shape that masks are computed from; it is made
 * once for a model, refers to the tokenizer's texts (so the tokenizer must outlive it) and is
 * read-only afterwards. A constraint walks with a generation: mask, sample, accept, and again.
 *
 * With triggers a constraint is asleep until one of them has been generated: until then every
 * token is allowed. When a trigger is complete the text from its first byte must be in the grammar
 * (the grammar's texts begin with the trigger). After the grammar's end it is asleep again, or,
 * with `once`, only an end token is allowed. Without triggers the whole answer is in the grammar
 * and then ends. */
#ifndef DEN_TEXT_CONSTRAINT_H
#define DEN_TEXT_CONSTRAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "text/grammar.h"
#include "text/tokenizer.h"

struct den_grammar_vocabulary;
enum den_status den_grammar_vocabulary_create(const struct den_tokenizer *tokenizer,
                                              struct den_grammar_vocabulary **out,
                                              struct den_error *err);
void den_grammar_vocabulary_destroy(struct den_grammar_vocabulary *vocabulary);

struct den_constraint;
struct den_constraint_options {
    const struct den_grammar *grammar;               /* must outlive the constraint ... */
    const struct den_grammar_vocabulary *vocabulary; /* ... and so must this */
    const char *const *triggers;                     /* copied */
    size_t trigger_count;                            /* 0: awake from the start */
    bool once;
};
enum den_status den_constraint_create(const struct den_constraint_options *options,
                                      struct den_constraint **out, struct den_error *err);
void den_constraint_destroy(struct den_constraint *constraint);

/* Bit `t & 31` of word `t >> 5` tells whether token t may come next: (vocabulary + 31) / 32 words,
 * valid until the next accept. NULL: all may. There is always one that may: where the grammar can
 * end, end tokens may. */
const uint32_t *den_constraint_mask(struct den_constraint *constraint);
/* Takes a generated token. DEN_INVALID for one that the mask forbids; the constraint is unchanged.
 */
enum den_status den_constraint_accept(struct den_constraint *constraint, den_token token,
                                      struct den_error *err);
/* How many of `tokens` could be accepted one after the other, as far as it is cheap to tell. The
 * constraint stays where it is; masks are no longer valid. */
size_t den_constraint_foresee(struct den_constraint *constraint, const den_token *tokens,
                              size_t count);
/* The text so far is a whole text of the grammar (or the constraint is asleep). */
bool den_constraint_can_end(const struct den_constraint *constraint);

#endif
