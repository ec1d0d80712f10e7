/* See support.h. */
#include "desk/support.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { WORD_BYTES = 40 };

/* How much each says; what is missing is taken off. */
static const double WORDS_WEIGHT = 0.55, COSINE_WEIGHT = 0.45;
static const double MISSING_NUMBER = 0.45, MISSING_NAME = 0.3, OTHER_SIGN = 0.55;
static const double COSINE_LOW = 0.2; /* of texts that have nothing to do with each other */

static const char *const empty_words[] = {
    "a",       "about",     "according", "after",  "also",    "an",     "and",       "are",
    "as",      "at",        "be",        "been",   "before",  "but",    "by",        "can",
    "could",   "did",       "do",        "does",   "for",     "from",   "had",       "has",
    "have",    "he",        "her",       "his",    "how",     "if",     "in",        "into",
    "is",      "it",        "its",       "may",    "more",    "most",   "no",        "not",
    "never",   "of",        "on",        "or",     "our",     "out",    "over",      "she",
    "so",      "some",      "such",      "than",   "that",    "the",    "their",     "them",
    "then",    "there",     "these",     "they",   "this",    "those",  "to",        "under",
    "up",      "was",       "we",        "were",   "what",    "when",   "where",     "which",
    "while",   "who",       "will",      "with",   "would",   "you",    "your",      "document",
    "answer",  "answers",   "question",  "source", "sources", "states", "mentioned", "provided",
    "passage", "documents",
};
static const char *const negations[] = {
    "not", "no", "never", "without", "none", "neither", "nor", "cannot", "nobody", "nothing",
};
static const char *const number_words[] = {
    "zero",  "one",   "two",  "three", "four",   "five",   "six",
    "seven", "eight", "nine", "ten",   "eleven", "twelve",
};

static uint32_t hash(const char *text, size_t length)
{
    uint32_t value = 2166136261u;

    while (length-- > 0)
        value = (value ^ (unsigned char)*text++) * 16777619u;
    return value;
}

static bool is_listed(const char *const *list, size_t count, const char *word)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

#define LISTED(list, word) is_listed(list, sizeof(list) / sizeof(list)[0], word)

static void put(uint32_t *list, size_t *count, size_t capacity, uint32_t value)
{
    if (*count < capacity)
        list[(*count)++] = value;
}

#define PUT(list, count, value) put(list, count, sizeof(list) / sizeof(list)[0], value)

/* "signed", "signing" and "signs" are "sign": the same rough cut for both sides is enough. */
static size_t cut_stem(char *word, size_t length)
{
    static const char *const ends[] = { "ings", "ing", "ies", "ied", "ed", "es", "s", "ly" };
    size_t i;

    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t end = strlen(ends[i]);

        if (length >= end + 3 && memcmp(word + length - end, ends[i], end) == 0) {
            length -= end;
            break;
        }
    }
    if (length > 3 && (word[length - 1] == 'e' || word[length - 1] == 'y'))
        length--;
    if (length > 3 && word[length - 1] == word[length - 2] && word[length - 1] != 's')
        length--;
    word[length] = '\0';
    return length;
}

/* --- reading --- */

struct reader {
    const char *text;
    size_t length, at;
    bool at_beginning; /* of a sentence: a capital says nothing */
    struct den_terms *out;
};

/* Digits with points and commas: "1,200.50" is "1200.5". */
static void read_number(struct reader *reader)
{
    char digits[WORD_BYTES];
    size_t kept = 0;
    bool has_point = false;

    while (reader->at < reader->length && kept < sizeof digits) {
        const char c = reader->text[reader->at];
        const bool goes_on =
            reader->at + 1 < reader->length && isdigit((unsigned char)reader->text[reader->at + 1]);

        if (isdigit((unsigned char)c)) {
            digits[kept++] = c;
        } else if (c == '.' && goes_on && !has_point) {
            digits[kept++] = c;
            has_point = true;
        } else if (c != ',' || !goes_on) {
            break;
        }
        reader->at++;
    }
    while (has_point && kept > 0 && digits[kept - 1] == '0')
        kept--;
    if (kept > 0 && digits[kept - 1] == '.')
        kept--;
    PUT(reader->out->numbers, &reader->out->number_count, hash(digits, kept));
}

static void take_word(struct reader *reader, char *word, size_t length, bool has_capital)
{
    struct den_terms *out = reader->out;
    size_t i;

    if (LISTED(negations, word))
        out->is_negated = true;
    for (i = 0; i < sizeof number_words / sizeof number_words[0]; i++)
        if (strcmp(word, number_words[i]) == 0) {
            char digits[8];

            digits[0] = (char)('0' + i / 10);
            digits[1] = (char)('0' + i % 10);
            if (i != 1) /* "one" is rarely a number */
                PUT(out->numbers, &out->number_count, hash(digits + (i < 10), i < 10 ? 1 : 2));
            return;
        }
    if (LISTED(empty_words, word) || length < 2)
        return;
    length = cut_stem(word, length);
    PUT(out->words, &out->word_count, hash(word, length));
    if (has_capital && !reader->at_beginning)
        PUT(out->names, &out->name_count, hash(word, length));
}

static void read_word(struct reader *reader)
{
    const bool has_capital = isupper((unsigned char)reader->text[reader->at]);
    char word[WORD_BYTES];
    bool is_contracted = false;
    size_t length = 0;

    while (reader->at < reader->length) {
        const unsigned char c = (unsigned char)reader->text[reader->at];

        if (c == '\'' || (c == 0xE2 && reader->at + 2 < reader->length &&
                          memcmp(reader->text + reader->at, "\xE2\x80\x99", 3) == 0)) {
            const size_t step = c == '\'' ? 1 : 3;

            if (reader->at + step < reader->length && reader->text[reader->at + step] == 't')
                reader->out->is_negated = is_contracted = true; /* "isn't" */
            break;
        }
        if (!isalnum(c) && c < 0x80)
            break;
        if (length < WORD_BYTES - 1)
            word[length++] = (char)tolower(c);
        reader->at++;
    }
    word[length] = '\0';
    if (!is_contracted)
        take_word(reader, word, length, has_capital);
    reader->at_beginning = false;
}

static bool is_chinese(uint32_t code)
{
    return (code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff);
}

/* Each pair of neighbours in a run of Chinese is a word. "Not" is one of three characters. */
static void read_chinese(struct reader *reader)
{
    size_t previous = reader->at, step;
    uint32_t code;

    for (; reader->at < reader->length; reader->at += step) {
        step = den_utf8_decode(reader->text + reader->at, reader->length - reader->at, &code);
        if (!is_chinese(code))
            break;
        if (code == 0x4e0d || code == 0x6ca1 || code == 0x65e0)
            reader->out->is_negated = true;
        if (previous < reader->at)
            PUT(reader->out->words, &reader->out->word_count,
                hash(reader->text + previous, reader->at + step - previous));
        previous = reader->at;
    }
    reader->at_beginning = false;
}

static int compare(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static size_t make_set(uint32_t *list, size_t count)
{
    size_t i, kept = 0;

    qsort(list, count, sizeof *list, compare);
    for (i = 0; i < count; i++)
        if (kept == 0 || list[kept - 1] != list[i])
            list[kept++] = list[i];
    return kept;
}

void den_terms_read(const char *text, size_t length, struct den_terms *out)
{
    struct reader reader = { text, length, 0, true, out };
    uint32_t code;
    size_t step;

    out->word_count = out->number_count = out->name_count = 0;
    out->is_negated = false;
    while (reader.at < length) {
        const unsigned char c = (unsigned char)text[reader.at];

        step = den_utf8_decode(text + reader.at, length - reader.at, &code);
        if (isdigit(c)) {
            read_number(&reader);
            reader.at_beginning = false;
        } else if (is_chinese(code)) {
            read_chinese(&reader);
        } else if (isalpha(c) || (c >= 0xC3 && c < 0xE2)) {
            read_word(&reader);
        } else {
            if (c == '.' || c == '!' || c == '?' || c == ':' || c == '\n')
                reader.at_beginning = true;
            reader.at += step;
        }
    }
    out->word_count = make_set(out->words, out->word_count);
    out->number_count = make_set(out->numbers, out->number_count);
    out->name_count = make_set(out->names, out->name_count);
}

/* --- comparing --- */

static bool holds(const uint32_t *list, size_t count, uint32_t value)
{
    return bsearch(&value, list, count, sizeof value, compare) != NULL;
}

double den_support_words(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around)
{
    double found = 0;
    size_t i;

    if (claim->word_count + claim->number_count == 0)
        return 0;
    for (i = 0; i < claim->word_count; i++) {
        if (holds(piece->words, piece->word_count, claim->words[i]))
            found += 1;
        else if (around && holds(around->words, around->word_count, claim->words[i]))
            found += 0.25; /* near by */
    }
    for (i = 0; i < claim->number_count; i++)
        found += holds(piece->numbers, piece->number_count, claim->numbers[i]);
    return found / (double)(claim->word_count + claim->number_count);
}

double den_support_score(const struct den_terms *claim, const struct den_terms *piece,
                         const struct den_terms *around, double cosine)
{
    const double words = den_support_words(claim, piece, around);
    double score = words, near;
    size_t i;

    if (!isnan(cosine)) {
        near = cosine < COSINE_LOW ? 0 : (cosine - COSINE_LOW) / (1 - COSINE_LOW);
        score = WORDS_WEIGHT * words + COSINE_WEIGHT * near;
    }
    for (i = 0; i < claim->number_count; i++)
        if (!holds(piece->numbers, piece->number_count, claim->numbers[i])) {
            score -= MISSING_NUMBER;
            break;
        }
    for (i = 0; i < claim->name_count; i++)
        if (!holds(piece->words, piece->word_count, claim->names[i]) &&
            !(around && holds(around->words, around->word_count, claim->names[i]))) {
            score -= MISSING_NAME;
            break;
        }
    if (claim->is_negated != piece->is_negated)
        score -= OTHER_SIGN;
    return score < 0 ? 0 : score > 1 ? 1 : score;
}
