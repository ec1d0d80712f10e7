/* Support: whether a passage says what a sentence claims.
 *
 * A sentence is compared with pieces of the passages, one or two sentences long. Three things
 * speak: how many of its words of meaning the piece has (stems; pairs of Chinese characters), how
 * alike the two are in meaning (cosine of an embedding model), and what is missing: a number, a
 * name or a negation that one has and the other lacks. Alikeness alone would hold "the rent is 900
 * euros" for supported by "the rent is 1200 euros", which it is not; words alone would miss every
 * paraphrase. The weights and the threshold were set on the pairs of tests/quality/support.json,
 * whose test says how often they are right. */
#ifndef DEN_DESK_SUPPORT_H
#define DEN_DESK_SUPPORT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From so much on a sentence is held to be supported. */
#define DEN_SUPPORT_MIN 0.5

/* What a text consists of; sorted, without doubles. */
enum { DEN_TERMS_MAX = 256 };
struct den_terms {
    uint32_t words[DEN_TERMS_MAX]; /* of meaning, as hashes of their stems */
    size_t word_count;
    uint32_t numbers[32];
    size_t number_count;
    uint32_t names[32]; /* words with a capital that begin no sentence */
    size_t name_count;
    bool is_negated;
};
void den_terms_read(const char *text, size_t length, struct den_terms *out);

/* 0 to 1: how much of `claim` the words of `piece` hold. `around` is what stands around the piece
 * (its passage, with title and heading): names may come from there; NULL: nothing. */
double den_support_words(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around);
/* 0 to 1, with the cosine of the two; NAN: there is none. */
double den_support_score(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around, double cosine);

#endif
