/* See report_pairs.h. */
#include "desk/report_pairs.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* Of words and meaning, each 0 to 1: half and half. Meaning of sentences that have nothing to do
 * with each other is about 0.2. */
static const double COSINE_LOW = 0.2;
static const double PAIR_MIN = 0.45;   /* from here on two are of the same matter */
static const double SAME_WORDS = 0.5;  /* ... and say the same but for numbers */
static const double AGREES_MIN = 0.75; /* ... and say the same */
static const double LONELY_MAX = 0.3;  /* below it, nothing in the other document is like it */
enum { WORDS_MIN = 3 /* that a unit has to be told of */ };

static const char *const months[] = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december",
};

/* --- two units --- */

static size_t count_common(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    size_t i = 0, k = 0, common = 0;

    while (i < a_count && k < b_count) {
        common += a[i] == b[k];
        if (a[i] == b[k])
            i++, k++;
        else if (a[i] < b[k])
            i++;
        else
            k++;
    }
    return common;
}

double den_report_word_share(const struct den_terms *a, const struct den_terms *b)
{
    const size_t all = a->word_count + b->word_count;

    if (all == 0)
        return 0;
    return 2.0 * (double)count_common(a->words, a->word_count, b->words, b->word_count) /
           (double)all;
}

/* A bit for each month that is named. */
static unsigned find_months(const char *text, size_t length)
{
    unsigned found = 0;
    size_t at = 0, bytes, i, k;

    for (; at < length; at += bytes ? bytes : 1) {
        for (bytes = 0; at + bytes < length && isalpha((unsigned char)text[at + bytes]); bytes++)
            ;
        if (bytes == 0 || !isupper((unsigned char)text[at])) /* "may" is mostly a verb */
            continue;
        for (i = 0; i < sizeof months / sizeof months[0]; i++) {
            for (k = 0; k < bytes && months[i][k] == tolower((unsigned char)text[at + k]); k++)
                ;
            if (k == bytes && (months[i][k] == '\0' || k == 3))
                found |= 1u << i;
        }
    }
    return found;
}

static bool same_set(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

bool den_report_numbers_differ(const struct den_unit *a, const struct den_unit *b)
{
    return !same_set(a->terms.numbers, a->terms.number_count, b->terms.numbers,
                     b->terms.number_count) ||
           find_months(a->text, a->length) != find_months(b->text, b->length);
}

static double cosine_of(const struct den_unit *a, const struct den_unit *b, size_t width)
{
    float sums[4] = { 0 };
    size_t i;

    for (i = 0; i + 4 <= width; i += 4) {
        sums[0] += a->vector[i] * b->vector[i];
        sums[1] += a->vector[i + 1] * b->vector[i + 1];
        sums[2] += a->vector[i + 2] * b->vector[i + 2];
        sums[3] += a->vector[i + 3] * b->vector[i + 3];
    }
    for (; i < width; i++)
        sums[0] += a->vector[i] * b->vector[i];
    return (double)(sums[0] + sums[1] + sums[2] + sums[3]);
}

static double compare(const struct den_unit *a, const struct den_unit *b, size_t width)
{
    const double words = den_report_word_share(&a->terms, &b->terms);
    double cosine;

    if (width == 0 || !a->vector || !b->vector)
        return words;
    cosine = (cosine_of(a, b, width) - COSINE_LOW) / (1 - COSINE_LOW);
    return 0.5 * words + 0.5 * (cosine < 0 ? 0 : cosine);
}

/* --- all --- */

enum den_status den_report_align(const struct den_aligner *aligner, struct den_error *err)
{
    size_t i, k;
    double score;

    for (i = 0; i < aligner->a_count; i++)
        aligner->a[i].score = -1;
    for (k = 0; k < aligner->b_count; k++)
        aligner->b[k].score = -1;
    for (i = 0; i < aligner->a_count; i++) {
        struct den_unit *a = &aligner->a[i];

        if (aligner->go_on && aligner->go_on(aligner->context, err) != DEN_OK)
            return err->status;
        for (k = 0; k < aligner->b_count; k++) {
            struct den_unit *b = &aligner->b[k];

            score = compare(a, b, aligner->width);
            if (score > a->score) {
                a->score = score;
                a->nearest = k;
            }
            if (score > b->score) {
                b->score = score;
                b->nearest = i;
            }
        }
    }
    return DEN_OK;
}

static enum den_pair_kind kind_of(const struct den_unit *a, const struct den_unit *b, double score)
{
    const double words = den_report_word_share(&a->terms, &b->terms);

    if (words >= SAME_WORDS && den_report_numbers_differ(a, b))
        return DEN_PAIR_NUMBERS;
    if (a->terms.is_negated != b->terms.is_negated || den_report_numbers_differ(a, b))
        return DEN_PAIR_DIFFERS;
    return score >= AGREES_MIN ? DEN_PAIR_AGREES : DEN_PAIR_DIFFERS;
}

static bool says_something(const struct den_unit *unit)
{
    return unit->terms.word_count + unit->terms.number_count >= WORDS_MIN;
}

/* The pair that begins with unit `i` of the first document; false: there is nothing to be told. */
static bool make_pair(const struct den_aligner *aligner, size_t i, struct den_pair *out)
{
    const struct den_unit *a = &aligner->a[i];

    if (!says_something(a))
        return false;
    if (aligner->b_count == 0 || a->score < LONELY_MAX) {
        *out = (struct den_pair){ DEN_PAIR_ONLY_A, i, SIZE_MAX, a->score };
        return true;
    }
    if (a->score < PAIR_MIN || aligner->b[a->nearest].nearest != i)
        return false;
    *out =
        (struct den_pair){ kind_of(a, &aligner->b[a->nearest], a->score), i, a->nearest, a->score };
    return true;
}

static int by_kind(const void *left, const void *right)
{
    const struct den_pair *a = left, *b = right;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

enum den_status den_report_find_pairs(const struct den_aligner *aligner, struct den_pair **out,
                                      size_t *out_count, struct den_error *err)
{
    struct den_pair *pairs;
    size_t count = 0, most, bytes, i;

    if (!den_checked_add(aligner->a_count, aligner->b_count + 1, &most) ||
        !den_checked_multiply(most, sizeof *pairs, &bytes))
        return den_fail(err, DEN_TOO_LARGE, "reports: the documents are too long");
    pairs = malloc(bytes);
    if (!pairs)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    for (i = 0; i < aligner->a_count; i++)
        count += make_pair(aligner, i, &pairs[count]);
    for (i = 0; i < aligner->b_count; i++)
        if (says_something(&aligner->b[i]) &&
            (aligner->a_count == 0 || aligner->b[i].score < LONELY_MAX))
            pairs[count++] = (struct den_pair){ DEN_PAIR_ONLY_B, SIZE_MAX, i, aligner->b[i].score };
    qsort(pairs, count, sizeof *pairs, by_kind);
    *out = pairs;
    *out_count = count;
    return DEN_OK;
}
