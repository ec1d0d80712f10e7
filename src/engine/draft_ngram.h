/* Drafts by looking back: where the last tokens of a text stood before in it, what followed them
 * there is a guess at what follows now. Code that is edited, a quotation, a list that goes on: the
 * answer repeats its prompt, and the guess costs no model.
 *
 * The text (a prediction that the client sent, the prompt, the answer so far) is kept with an index
 * of its pairs of tokens: a hash table of the last place of each pair, and from each place a link
 * to the one before it. While the answer goes on as the place did, the place moves along and
 * nothing is searched. Adding a token costs a hash; a search looks at a bounded number of places.
 */
#ifndef DEN_ENGINE_DRAFT_NGRAM_H
#define DEN_ENGINE_DRAFT_NGRAM_H

#include "base/status.h"
#include "text/tokenizer.h"

struct den_draft_ngram;

/* Holds texts of up to `capacity` tokens; further ones are ignored. */
enum den_status den_draft_ngram_create(size_t capacity, struct den_draft_ngram **out,
                                       struct den_error *err);
void den_draft_ngram_destroy(struct den_draft_ngram *draft);

/* Appends text that is given, and searches at its end. DEN_TOKEN_NONE parts two texts: no match
 * and no guess goes across. */
void den_draft_ngram_append(struct den_draft_ngram *draft, const den_token *tokens, size_t count);
/* Guesses next what stands at `place` of the text. */
void den_draft_ngram_follow(struct den_draft_ngram *draft, size_t place);
/* Appends a token of the answer. True: it is the one that was guessed. */
bool den_draft_ngram_push(struct den_draft_ngram *draft, den_token token);

/* The place of the text that is followed; SIZE_MAX: none. */
size_t den_draft_ngram_place(const struct den_draft_ngram *draft);
/* How many tokens before the end are those before the place that is followed, or have been guessed
 * since it is followed; 0: there is no guess. */
size_t den_draft_ngram_matched(const struct den_draft_ngram *draft);
/* Writes up to `count` tokens that are guessed to come next and returns how many. */
size_t den_draft_ngram_guess(const struct den_draft_ngram *draft, den_token *out, size_t count);

#endif
