/* Support: whether a passage says what a sentence claims.
 *
 * A sentence is compared with pieces of the passages, one or two sentences long. Three things
 * speak: how many of its words of meaning the piece has (stems; pairs of Chinese characters), how
 * alike the two are in meaning (cosine of an embedding model), and what contradicts: a number (or
 * its unit) or a name that the piece lacks, a negation or a word of the opposite meaning that one
 * has and the other lacks; two of the last ("not allowed", "forbidden") make one again. Alikeness
 * alone would hold "the rent is 900 euros" for supported by "the rent is 1200 euros", which it is
 * not; words alone would miss every paraphrase. The weights and the threshold were set on one half
 * of the pairs of tests/fixtures/support.json; the test says how often they are right on the
 * other. */
#ifndef DEN_DESK_SUPPORT_H
#define DEN_DESK_SUPPORT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From so much on a sentence is held to be supported. */
#define DEN_SUPPORT_MIN 0.5

/* What a text consists of; sorted, without doubles. All but `poles` are hashes. */
enum { DEN_TERMS_MAX = 256 };
struct den_terms {
    uint32_t words[DEN_TERMS_MAX]; /* of meaning: their stems */
    size_t word_count;
    size_t chinese_count; /* of the words: pairs of Chinese characters */
    uint32_t denied[64];  /* of them, those in a clause with a negation */
    size_t denied_count;
    uint32_t numbers[32]; /* "40", "forty" and the Chinese one are the same */
    size_t number_count;
    uint32_t measures[32]; /* numbers together with the unit behind them */
    size_t measure_count;
    uint32_t measured[32]; /* numbers that have one */
    size_t measured_count;
    uint32_t names[32]; /* words with a capital */
    size_t name_count;
    uint32_t un[8]; /* what stands behind "un": "paid" of "unpaid" */
    size_t un_count;
    int8_t poles[16]; /* words that have an opposite (support_poles.h) */
    size_t pole_count;
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
