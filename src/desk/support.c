/* See support.h: comparing. What texts consist of is read in support_terms.c. */
#include "desk/support.h"

#include <stdlib.h>

enum { DENIED_PART = 3 }; /* a third */

/* How much each says; what is missing is taken off. */
static const double WORDS_WEIGHT = 0.55, COSINE_WEIGHT = 0.45;
static const double MISSING_NUMBER = 0.45, MISSING_NAME = 0.45, OTHER_SIGN = 0.55;
static const double COSINE_LOW = 0.2; /* of texts that have nothing to do with each other */
static const double NEAR_BY = 0.25;   /* a word that stands around the piece */

static int compare(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static bool holds(const uint32_t *list, size_t count, uint32_t value)
{
    return bsearch(&value, list, count, sizeof value, compare) != NULL;
}

#define HOLDS(terms, list, value) holds((terms)->list##s, (terms)->list##_count, value)

double den_support_words(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around)
{
    double found = 0;
    size_t i;

    if (claim->word_count + claim->number_count == 0)
        return 0;
    for (i = 0; i < claim->word_count; i++) {
        if (HOLDS(piece, word, claim->words[i]))
            found += 1;
        else if (around && HOLDS(around, word, claim->words[i]))
            found += NEAR_BY;
    }
    for (i = 0; i < claim->number_count; i++)
        found += HOLDS(piece, number, claim->numbers[i]);
    return found / (double)(claim->word_count + claim->number_count);
}

/* A number that the piece lacks, or has with another unit. */
static bool lacks_number(const struct den_terms *claim, const struct den_terms *piece)
{
    size_t i;

    for (i = 0; i < claim->number_count; i++)
        if (!HOLDS(piece, number, claim->numbers[i]))
            return true;
    for (i = 0; i < claim->measured_count; i++)
        if (!holds(piece->measured, piece->measured_count, claim->measured[i]))
            return false; /* nothing says in what the piece counts */
    for (i = 0; i < claim->measure_count; i++)
        if (!HOLDS(piece, measure, claim->measures[i]))
            return true;
    return false;
}

static bool lacks_name(const struct den_terms *claim, const struct den_terms *piece,
                       const struct den_terms *around)
{
    size_t i;

    for (i = 0; i < claim->name_count; i++)
        if (!HOLDS(piece, word, claim->names[i]) &&
            !(around && HOLDS(around, word, claim->names[i])))
            return true;
    return false;
}

/* A good part of what the two share is denied in `terms`; what shares nothing denies nothing. */
static bool denies(const struct den_terms *terms, const struct den_terms *other)
{
    size_t shared = 0, denied = 0, i;

    for (i = 0; i < terms->word_count; i++)
        if (HOLDS(other, word, terms->words[i])) {
            shared++;
            denied += holds(terms->denied, terms->denied_count, terms->words[i]);
        }
    return shared > 0 && denied * DENIED_PART >= shared;
}

/* One denies what the other says. Where both deny something, it should be the same thing. */
static bool is_turned(const struct den_terms *claim, const struct den_terms *piece)
{
    size_t i;

    if (!claim->is_negated && !piece->is_negated)
        return false;
    if (!claim->is_negated)
        return denies(piece, claim);
    if (!piece->is_negated)
        return denies(claim, piece);
    for (i = 0; i < claim->denied_count; i++)
        if (holds(piece->denied, piece->denied_count, claim->denied[i]))
            return false;
    return denies(claim, piece) || denies(piece, claim);
}

static bool has_pole(const struct den_terms *terms, int pole)
{
    size_t i;

    for (i = 0; i < terms->pole_count; i++)
        if (terms->poles[i] == pole)
            return true;
    return false;
}

/* One says "rose" and the other "fell", one "paid" and the other "unpaid". */
static bool are_opposed(const struct den_terms *claim, const struct den_terms *piece)
{
    size_t i;

    for (i = 0; i < claim->pole_count; i++) {
        const int pole = claim->poles[i];

        if (!has_pole(piece, pole) && has_pole(piece, -pole) && !has_pole(claim, -pole))
            return true;
    }
    for (i = 0; i < claim->un_count; i++)
        if (HOLDS(piece, word, claim->un[i]))
            return true;
    for (i = 0; i < piece->un_count; i++)
        if (HOLDS(claim, word, piece->un[i]))
            return true;
    return false;
}

double den_support_score(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around, double cosine)
{
    const double words = den_support_words(claim, piece, around);
    double score = words, near;

    if (!isnan(cosine)) {
        near = cosine < COSINE_LOW ? 0 : (cosine - COSINE_LOW) / (1 - COSINE_LOW);
        score = WORDS_WEIGHT * words + COSINE_WEIGHT * near;
    }
    if (lacks_number(claim, piece))
        score -= MISSING_NUMBER;
    if (lacks_name(claim, piece, around))
        score -= MISSING_NAME;
    if (is_turned(claim, piece) != are_opposed(claim, piece))
        score -= OTHER_SIGN;
    return score < 0 ? 0 : score > 1 ? 1 : score;
}
