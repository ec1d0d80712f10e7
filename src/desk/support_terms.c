/* What a text consists of (support.h): its words of meaning, its numbers with their units, its
 * names, and what turns a meaning round. English and Chinese are known; words of other languages
 * are taken as they stand. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "desk/support.h"
#include "desk/support_poles.h"

enum { WORD_BYTES = 40 };

static const char *const empty_words[] = {
    "a",         "about",    "according", "after",     "also",     "an",     "and",     "are",
    "as",        "at",       "be",        "been",      "before",   "but",    "by",      "can",
    "could",     "did",      "do",        "does",      "for",      "from",   "had",     "has",
    "have",      "he",       "her",       "his",       "how",      "if",     "in",      "into",
    "is",        "it",       "its",       "many",      "may",      "more",   "most",    "much",
    "no",        "not",      "never",     "of",        "on",       "or",     "our",     "out",
    "over",      "she",      "so",        "some",      "such",     "than",   "that",    "the",
    "their",     "them",     "then",      "there",     "these",    "they",   "this",    "those",
    "to",        "under",    "up",        "was",       "we",       "were",   "what",    "when",
    "where",     "which",    "while",     "who",       "will",     "with",   "would",   "you",
    "your",      "document", "answer",    "answers",   "question", "source", "sources", "states",
    "mentioned", "provided", "passage",   "documents",
};
static const char *const negations[] = {
    "not",  "no",     "never",  "without", "none",   "neither", "nor",
    "deny", "cannot", "nobody", "nothing", "except", "denied",  "denies",
};
/* Behind a negation: "no more than three" denies nothing. */
static const char *const undenying[] = {
    "more", "less", "later", "earlier", "fewer", "only", "sooner", "least",
};
static const char *const number_words[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
};
static const char *const tens[] = { "twenty", "thirty",  "forty",  "fifty",
                                    "sixty",  "seventy", "eighty", "ninety" };
static const struct {
    const char *word;
    double factor;
} multiples[] = {
    { "hundred", 1e2 },
    { "thousand", 1e3 },
    { "million", 1e6 },
    { "billion", 1e9 },
};
static const char *const units[] = {
    "second", "minute", "hour",      "day",     "week",   "month",  "year",  "euro", "dollar",
    "pound",  "franc",  "cent",      "percent", "degree", "metre",  "meter", "mile", "kilometre",
    "cm",     "mm",     "kilometer", "km",      "mg",     "kg",     "gram",  "ton",  "litre",
    "liter",  "ml",     "watt",      "volt",    "page",   "person", "room",
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
    bool at_beginning;   /* of a sentence: a capital says little */
    uint32_t first_name; /* a word with a capital that began one; 0: none */
    bool may_undeny;     /* the word before is a negation */
    size_t clause_at;    /* words of the text that stood before this clause */
    bool clause_denied;
    double pending; /* a number whose rest may follow: "twenty", "1.5" */
    bool has_pending, pending_is_ten;
    struct den_terms *out;
};

static void end_clause(struct reader *reader)
{
    struct den_terms *out = reader->out;
    size_t i;

    for (i = reader->clause_at; reader->clause_denied && i < out->word_count; i++)
        PUT(out->denied, &out->denied_count, out->words[i]);
    reader->clause_at = out->word_count;
    out->is_negated = out->is_negated || reader->clause_denied;
    reader->clause_denied = reader->may_undeny = false;
}

/* Keeps the number that was read, with `unit` (NULL: none stands behind it). */
static void end_number(struct reader *reader, const char *unit)
{
    struct den_terms *out = reader->out;
    char digits[64];
    int length;

    if (!reader->has_pending)
        return;
    reader->has_pending = false;
    length = snprintf(digits, sizeof digits, "%.15g", reader->pending);
    PUT(out->numbers, &out->number_count, hash(digits, (size_t)length));
    if (!unit)
        return;
    PUT(out->measured, &out->measured_count, hash(digits, (size_t)length));
    length = snprintf(digits, sizeof digits, "%.15g %.30s", reader->pending, unit);
    PUT(out->measures, &out->measure_count, hash(digits, (size_t)length));
}

static void begin_number(struct reader *reader, double value, bool is_ten)
{
    if (reader->has_pending && reader->pending_is_ten && value > 0 && value < 10) {
        reader->pending += value;
        reader->pending_is_ten = false;
        return;
    }
    end_number(reader, NULL);
    reader->has_pending = true;
    reader->pending_is_ten = is_ten;
    reader->pending = value;
}

/* Digits with points and commas: "1,200.50" is 1200.5. */
static void read_number(struct reader *reader)
{
    char digits[WORD_BYTES];
    size_t kept = 0;
    bool has_point = false;

    while (reader->at < reader->length && kept + 1 < sizeof digits) {
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
    digits[kept] = '\0';
    begin_number(reader, strtod(digits, NULL), false);
    if (reader->at < reader->length && reader->text[reader->at] == '%')
        end_number(reader, "percent");
}

/* "forty", "twelve", "million"; "one" is rarely a number. */
static bool take_number_word(struct reader *reader, const char *word)
{
    size_t i;

    for (i = 0; i < sizeof number_words / sizeof number_words[0]; i++)
        if (strcmp(word, number_words[i]) == 0) {
            if (i != 1 || (reader->has_pending && reader->pending_is_ten))
                begin_number(reader, (double)i, false);
            return true;
        }
    for (i = 0; i < sizeof tens / sizeof tens[0]; i++)
        if (strcmp(word, tens[i]) == 0) {
            begin_number(reader, 20 + 10 * (double)i, true);
            return true;
        }
    for (i = 0; i < sizeof multiples / sizeof multiples[0] && reader->has_pending; i++)
        if (strcmp(word, multiples[i].word) == 0) {
            reader->pending *= multiples[i].factor;
            reader->pending_is_ten = false;
            return true;
        }
    return false;
}

/* "month" of "months"; NULL: no unit. */
static const char *unit_of(const char *word)
{
    const size_t length = strlen(word);
    size_t i;

    for (i = 0; i < sizeof units / sizeof units[0]; i++) {
        const size_t known = strlen(units[i]);

        if (strncmp(word, units[i], known) == 0 &&
            (length == known || (length == known + 1 && word[known] == 's')))
            return units[i];
    }
    return NULL;
}

static void take_sign(struct reader *reader, const char *word)
{
    struct den_terms *out = reader->out;
    const int8_t pole = den_support_pole(word);

    if (reader->may_undeny && LISTED(undenying, word))
        reader->clause_denied = false;
    reader->may_undeny = LISTED(negations, word);
    reader->clause_denied = reader->clause_denied || reader->may_undeny;
    if (pole != 0 && out->pole_count < sizeof out->poles)
        out->poles[out->pole_count++] = pole;
}

static void take_word(struct reader *reader, char *word, size_t length, bool has_capital)
{
    struct den_terms *out = reader->out;

    take_sign(reader, word);
    if (take_number_word(reader, word))
        return;
    end_number(reader, unit_of(word));
    if (LISTED(empty_words, word) || length < 2)
        return;
    if (length > 4 && memcmp(word, "un", 2) == 0) {
        char rest[WORD_BYTES];

        memcpy(rest, word + 2, length - 1);
        PUT(out->un, &out->un_count, hash(rest, cut_stem(rest, length - 2)));
    }
    length = cut_stem(word, length);
    PUT(out->words, &out->word_count, hash(word, length));
    if (has_capital && !reader->at_beginning) {
        PUT(out->names, &out->name_count, hash(word, length));
        if (reader->first_name) /* "Peter Lindqvist": both are names */
            PUT(out->names, &out->name_count, reader->first_name);
    }
    reader->first_name = has_capital && reader->at_beginning ? hash(word, length) : 0;
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
                reader->clause_denied = is_contracted = true; /* "isn't" */
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

/* --- Chinese --- */

static bool is_chinese(uint32_t code)
{
    return (code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff);
}

/* 0 to 9; -1: no digit. */
static int chinese_digit(uint32_t code)
{
    static const uint32_t digits[] = { 0x96f6, 0x4e00, 0x4e8c, 0x4e09, 0x56db,
                                       0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d };
    int i;

    if (code == 0x4e24) /* two, of things */
        return 2;
    if (code == 0x3007)
        return 0;
    for (i = 0; i < 10; i++)
        if (digits[i] == code)
            return i;
    return -1;
}

/* 10 to 100 million; 0: none. */
static double chinese_factor(uint32_t code)
{
    switch (code) {
    case 0x5341:
        return 10;
    case 0x767e:
        return 100;
    case 0x5343:
        return 1000;
    case 0x4e07:
        return 1e4;
    case 0x4ebf:
        return 1e8;
    default:
        return 0;
    }
}

static size_t decode(const struct reader *reader, size_t at, uint32_t *out)
{
    *out = 0;
    return at < reader->length ? den_utf8_decode(reader->text + at, reader->length - at, out) : 0;
}

/* "one" alone, and "ten parts" (very), are no numbers; nor is the hundred of "per cent". */
static bool is_no_number(const struct reader *reader, size_t start, size_t end)
{
    uint32_t first, next;

    decode(reader, start, &first);
    decode(reader, end, &next);
    if (end - start > 3)
        return false;
    if (first == 0x767e && next == 0x5206)
        return true;
    if (first == 0x4e00)
        return next != 0x4e2a && next != 0x5e74 && next != 0x6708 && next != 0x5929 &&
               next != 0x65e5 && next != 0x5468;
    return (first == 0x5341 && next == 0x5206) || chinese_factor(first) > 10;
}

/* The number at the reader, as words have it; false (and nothing is read): there is none. */
static bool read_chinese_number(struct reader *reader)
{
    double whole = 0, section = 0, current = 0;
    size_t at = reader->at, step;
    bool is_counted = false;
    uint32_t code;

    while ((step = decode(reader, at, &code)) > 0) {
        const int digit = chinese_digit(code);
        const double factor = chinese_factor(code);

        if (digit >= 0) {
            current = is_counted ? digit : current * 10 + digit; /* "2024", digit by digit */
        } else if (factor >= 1e4) {
            whole += (section + current > 0 ? section + current : 1) * factor;
            section = current = 0;
            is_counted = true;
        } else if (factor > 0) {
            section += (current > 0 ? current : 1) * factor;
            current = 0;
            is_counted = true;
        } else {
            break;
        }
        at += step;
    }
    if (at == reader->at || is_no_number(reader, reader->at, at))
        return false;
    begin_number(reader, whole + section + current, false);
    reader->at = at;
    return true;
}

static bool is_denying(uint32_t code, uint32_t next)
{
    /* "not only", "not the same", "without end", "but" */
    static const uint32_t others[] = { 0x4ec5, 0x540c, 0x65ad, 0x4f46, 0x8fc7, 0x5c11 };
    size_t i;

    if (code == 0x6ca1 || code == 0x65e0 || code == 0x672a || code == 0x52ff)
        return true;
    for (i = 0; code == 0x4e0d && i < sizeof others / sizeof others[0]; i++)
        if (next == others[i])
            return false;
    return code == 0x4e0d;
}

/* The character behind a number is its unit; one that only counts is passed over. */
static void end_chinese_number(struct reader *reader)
{
    uint32_t code;
    size_t step = decode(reader, reader->at, &code);
    char unit[8];

    if (code == 0x4e2a)
        step = decode(reader, reader->at + step, &code);
    if (!is_chinese(code) || step == 0) {
        end_number(reader, NULL);
        return;
    }
    unit[den_utf8_encode(code, unit)] = '\0';
    end_number(reader, unit);
}

/* Characters of questions and particles: a pair that has one says nothing of its own, be it a word
 * (what, how, which) or the seam between two. */
static bool is_empty_chinese(uint32_t code)
{
    static const uint32_t empty[] = { 0x4ec0, 0x4e48, 0x600e, 0x54ea, 0x8c01,
                                      0x5417, 0x5462, 0x7684, 0x4e86, 0x662f };
    size_t i;

    for (i = 0; i < sizeof empty / sizeof empty[0]; i++)
        if (empty[i] == code)
            return true;
    return false;
}

/* Each pair of neighbours in a run of Chinese is a word; numbers stand between runs. */
static void read_chinese(struct reader *reader)
{
    struct den_terms *out = reader->out;
    size_t previous = reader->at, step;
    uint32_t code, next, before = 0;

    if (reader->has_pending)
        end_chinese_number(reader);
    while ((step = decode(reader, reader->at, &code)) > 0 && is_chinese(code)) {
        if ((chinese_digit(code) >= 0 || chinese_factor(code) > 0) && read_chinese_number(reader)) {
            end_chinese_number(reader);
            previous = reader->at;
            continue;
        }
        decode(reader, reader->at + step, &next);
        if (is_denying(code, next))
            reader->clause_denied = true;
        if (previous < reader->at) {
            const char *pair = reader->text + previous;
            const size_t length = reader->at + step - previous;
            const int8_t pole = length == 6 ? den_support_pole_chinese(pair) : 0;

            if (!is_empty_chinese(before) && !is_empty_chinese(code)) {
                PUT(out->words, &out->word_count, hash(pair, length));
                out->chinese_count++;
            }
            if (pole != 0 && out->pole_count < sizeof out->poles)
                out->poles[out->pole_count++] = pole;
        }
        previous = reader->at;
        before = code;
        reader->at += step;
    }
    reader->at_beginning = false;
}

/* --- */

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

/* What stands between words. */
static void read_mark(struct reader *reader, uint32_t code, size_t step)
{
    const char c = reader->text[reader->at];

    if (c != '-' && c != ' ')
        end_number(reader, NULL);
    if (strchr(".!?:;,\n", c) || code == 0x3002 || code == 0xff0c || code == 0xff1b)
        end_clause(reader);
    if (c == '.' || c == '!' || c == '?' || c == ':' || c == '\n') {
        reader->at_beginning = true;
        reader->first_name = 0;
    }
    reader->at += step;
}

void den_terms_read(const char *text, size_t length, struct den_terms *out)
{
    struct reader reader = { .text = text, .length = length, .at_beginning = true, .out = out };
    uint32_t code;
    size_t step;

    out->word_count = out->number_count = out->name_count = out->denied_count = 0;
    out->measure_count = out->measured_count = out->un_count = out->pole_count = 0;
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
            read_mark(&reader, code, step);
        }
    }
    end_number(&reader, NULL);
    end_clause(&reader);
    out->word_count = make_set(out->words, out->word_count);
    out->denied_count = make_set(out->denied, out->denied_count);
    out->number_count = make_set(out->numbers, out->number_count);
    out->measure_count = make_set(out->measures, out->measure_count);
    out->measured_count = make_set(out->measured, out->measured_count);
    out->name_count = make_set(out->names, out->name_count);
    out->un_count = make_set(out->un, out->un_count);
}
