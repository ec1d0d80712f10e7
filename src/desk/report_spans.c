/* See report_spans.h. */
#include "desk/report_spans.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "desk/support.h"

enum {
    SPAN_WORDS_MAX = 400, /* of the text; a few sentences have a hundred */
    RUN_WORDS_MAX = 12,   /* of a value */
    NUMBER_WORDS_MAX = 4, /* of a number with what it counts, or a date */
    WORD_BYTES_MAX = 64,
    GRAMMAR_BYTES_MAX = 1 << 19
};

static const char *const date_words[] = { "date", "dated", "day", "deadline", "when", "due" };
static const char *const money_words[] = {
    "amount", "amounts", "balance", "cost", "costs", "deposit", "euro",
    "euros",  "expense", "fee",     "fees", "money", "price",   "prices",
    "pay",    "rent",    "salary",  "sum",  "total", "value",   "wage",
};
static const char *const number_words[] = {
    "age",   "area",   "count", "days",   "duration", "height",   "length",
    "many",  "months", "much",  "number", "percent",  "quantity", "rate",
    "score", "size",   "time",  "weight", "width",    "year",     "years",
};
static const char *const chinese_words[][2] = {
    /* dates */
    { "\xE6\x97\xA5\xE6\x9C\x9F", "d" },
    { "\xE5\x93\xAA\xE5\xA4\xA9", "d" },
    /* amount, price, rent, cost */
    { "\xE9\x87\x91\xE9\xA2\x9D", "m" },
    { "\xE4\xBB\xB7\xE6\xA0\xBC", "m" },
    { "\xE7\xA7\x9F\xE9\x87\x91", "m" },
    { "\xE8\xB4\xB9\xE7\x94\xA8", "m" },
    /* quantity, how many, number, time */
    { "\xE6\x95\xB0\xE9\x87\x8F", "n" },
    { "\xE5\xA4\x9A\xE5\xB0\x91", "n" },
    { "\xE5\x8F\xB7\xE7\xA0\x81", "n" },
    { "\xE6\x97\xB6\xE9\x97\xB4", "n" },
};
static const char *const months[] = {
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Sept",
    "Oct",
    "Nov",
    "Dec",
    "\xE5\xB9\xB4" /* year */,
    "\xE6\x9C\x88" /* month */,
};
static const char *const currencies[] = {
    "$",      "USD",          "EUR",      "GBP",      "CHF",          "CNY",
    "euro",   "euros",        "dollar",   "dollars",  "yuan",         "francs",
    "pounds", "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE5\x85\x83",
};

static bool same_word(const char *text, size_t length, const char *word)
{
    size_t i;

    if (strlen(word) != length)
        return false;
    for (i = 0; i < length; i++)
        if (tolower((unsigned char)text[i]) != tolower((unsigned char)word[i]))
            return false;
    return true;
}

static bool is_listed(const char *const *list, size_t count, const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (same_word(text, length, list[i]))
            return true;
    return false;
}

#define LISTED(list, text, length) is_listed(list, sizeof(list) / sizeof(list)[0], text, length)

/* What the words speak of first: "when the rent is due" asks for a date. */
static enum den_span_kind kind_of(const char *words)
{
    size_t i, length;

    for (i = 0; i < sizeof chinese_words / sizeof chinese_words[0]; i++)
        if (strstr(words, chinese_words[i][0]))
            return *chinese_words[i][1] == 'd'   ? DEN_SPAN_DATE
                   : *chinese_words[i][1] == 'm' ? DEN_SPAN_MONEY
                                                 : DEN_SPAN_NUMBER;
    for (; *words; words += length ? length : 1) {
        for (length = 0; isalpha((unsigned char)words[length]); length++)
            ;
        if (length == 0)
            continue;
        if (LISTED(date_words, words, length))
            return DEN_SPAN_DATE;
        if (LISTED(money_words, words, length))
            return DEN_SPAN_MONEY;
        if (LISTED(number_words, words, length))
            return DEN_SPAN_NUMBER;
    }
    return DEN_SPAN_WORDS;
}

enum den_span_kind den_report_span_kind(const char *name, const char *description)
{
    const enum den_span_kind kind = kind_of(name);

    return kind == DEN_SPAN_WORDS ? kind_of(description) : kind;
}

/* --- words --- */

/* A word without the marks around it, and what stands between it and the next one. */
struct word {
    const char *text;
    size_t length;
    char between[16];
    bool goes_on; /* the next word is of the same sentence */
    bool has_digit;
};

static bool is_chinese(uint32_t code)
{
    return (code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff);
}

/* Full-width marks end words as ASCII ones do. */
static bool is_wide_mark(uint32_t code)
{
    return (code >= 0x3000 && code <= 0x303f) || (code >= 0xff01 && code <= 0xff20) ||
           (code >= 0x2010 && code <= 0x205e);
}

/* The bytes of the word at `text`, 0: none begins here. Chinese characters are words each, runs of
 * digits and letters with what joins them ("1,200.50", "INV-17", "a/b", "10:30", "x@y.de") one. */
static size_t word_length(const char *text, size_t length)
{
    size_t at = 0, step;
    uint32_t code;

    while (at < length) {
        const unsigned char c = (unsigned char)text[at];

        step = den_utf8_decode(text + at, length - at, &code);
        if (c >= 0x80 ? is_wide_mark(code) : !isalnum(c) && !strchr("$%#+_&", c)) {
            const bool joins = at > 0 && at + 1 < length && c < 0x80 && strchr(".,-/:@'", c) &&
                               isalnum((unsigned char)text[at - 1]) &&
                               isalnum((unsigned char)text[at + 1]);

            if (!joins)
                break;
        }
        if (is_chinese(code) && at > 0)
            break;
        at += step;
        if (is_chinese(code))
            break;
    }
    return at;
}

static bool has_digit(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (isdigit((unsigned char)text[i]))
            return true;
    return false;
}

/* A sentence ends there, or a line. */
static bool ends_run(const char *from, const char *next)
{
    uint32_t code;
    size_t step;

    for (; from < next; from += step) {
        step = den_utf8_decode(from, (size_t)(next - from), &code);
        if (*from == '\n' || strchr(";!?|", *from) || is_wide_mark(code) ||
            (strchr(".:", *from) && from + 1 < next && isspace((unsigned char)from[1])))
            return true;
    }
    return false;
}

/* "St. Mary" and "No. 5" go on. */
static bool is_short(const struct word *word)
{
    return word->length <= 2 && !word->has_digit;
}

static void set_between(struct word *word, const char *next)
{
    const char *from = word->text + word->length;
    size_t i, used = 0;

    word->goes_on = true;
    if (ends_run(from, next) && !(is_short(word) && *from == '.'))
        word->goes_on = false;
    for (i = 0; from + i < next && word->goes_on; i++) {
        if (isspace((unsigned char)from[i]) && used > 0 && word->between[used - 1] == ' ')
            continue;
        if (used + 1 >= sizeof word->between)
            word->goes_on = false;
        else
            word->between[used++] = isspace((unsigned char)from[i]) ? ' ' : from[i];
    }
    word->between[used] = '\0';
}

static size_t split(const char *text, struct word *out)
{
    const size_t length = strlen(text);
    size_t at = 0, count = 0, bytes, step;
    uint32_t code;

    while (at < length && count < SPAN_WORDS_MAX) {
        bytes = word_length(text + at, length - at);
        if (bytes == 0 || bytes > WORD_BYTES_MAX) {
            step = den_utf8_decode(text + at, length - at, &code);
            at += bytes ? bytes : step;
            continue;
        }
        out[count] = (struct word){ .text = text + at,
                                    .length = bytes,
                                    .has_digit = has_digit(text + at, bytes) };
        if (count > 0)
            set_between(&out[count - 1], text + at);
        count++;
        at += bytes;
    }
    return count;
}

/* --- the grammar --- */

static void append_literal(struct den_buffer *out, const char *text, size_t length)
{
    size_t i;

    den_buffer_append_byte(out, '"');
    for (i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            den_buffer_append_byte(out, '\\');
        if ((unsigned char)text[i] >= 0x20)
            den_buffer_append_byte(out, text[i]);
    }
    den_buffer_append_byte(out, '"');
}

/* Whether a word of the list is beside word `i`, within a run. */
static bool is_beside(const struct word *words, size_t count, size_t i, const char *const *list,
                      size_t list_count)
{
    if (is_listed(list, list_count, words[i].text, words[i].length))
        return true;
    if (i > 0 && words[i - 1].goes_on &&
        is_listed(list, list_count, words[i - 1].text, words[i - 1].length))
        return true;
    return i + 1 < count && words[i].goes_on &&
           is_listed(list, list_count, words[i + 1].text, words[i + 1].length);
}

/* "2024-05-03", "3.5.2024", "12/31/99" */
static bool is_written_date(const struct word *word)
{
    size_t i, marks = 0, digits = 0;

    for (i = 0; i < word->length; i++) {
        digits += isdigit((unsigned char)word->text[i]) != 0;
        marks += strchr("-./", word->text[i]) != NULL;
    }
    return marks == 2 && digits + marks == word->length && digits >= 4;
}

/* "$340.50" is one word. */
static bool has_currency(const struct word *word)
{
    return word->has_digit && (*word->text == '$' || (unsigned char)*word->text >= 0x80);
}

/* Words that say nothing by themselves begin no value. */
static bool is_empty_word(const struct word *word)
{
    struct den_terms terms;

    den_terms_read(word->text, word->length, &terms);
    return terms.word_count + terms.number_count == 0;
}

static bool is_date_word(const struct word *word)
{
    return word->has_digit || LISTED(months, word->text, word->length);
}

static bool is_currency(const struct word *word)
{
    return LISTED(currencies, word->text, word->length);
}

/* Whether a value of the kind begins at word `i`. */
static bool may_begin(const struct word *words, size_t count, size_t i, enum den_span_kind kind)
{
    const struct word *word = &words[i];
    const bool before_digits = word->goes_on && i + 1 < count && words[i + 1].has_digit;

    switch (kind) {
    case DEN_SPAN_WORDS:
        return !is_empty_word(word);
    case DEN_SPAN_NUMBER:
        return word->has_digit;
    case DEN_SPAN_MONEY:
        if (i > 0 && words[i - 1].goes_on && is_currency(&words[i - 1]) &&
            !(i > 1 && words[i - 2].goes_on && words[i - 2].has_digit))
            return false; /* it began before */
        if (word->has_digit)
            return has_currency(word) ||
                   is_beside(words, count, i, currencies, sizeof currencies / sizeof *currencies);
        return before_digits && is_currency(word);
    case DEN_SPAN_DATE:
        if (i > 0 && words[i - 1].goes_on && is_date_word(&words[i - 1]) && !is_written_date(word))
            return false; /* it began before */
        if (word->has_digit)
            return is_written_date(word) ||
                   is_beside(words, count, i, months, sizeof months / sizeof *months);
        return before_digits && is_date_word(word);
    }
    return false;
}

/* Whether the word after `i` belongs to the same value: surely, perhaps or not. */
enum belonging { BELONGS_NOT, BELONGS_PERHAPS, BELONGS };

static enum belonging belongs(const struct word *words, size_t i, enum den_span_kind kind)
{
    const struct word *next = &words[i + 1];

    switch (kind) {
    case DEN_SPAN_MONEY:
        return (words[i].has_digit && is_currency(next)) ||
                       (is_currency(&words[i]) && next->has_digit)
                   ? BELONGS
                   : BELONGS_NOT;
    case DEN_SPAN_DATE:
        return is_date_word(next) && !is_written_date(&words[i]) ? BELONGS : BELONGS_NOT;
    default:
        return BELONGS_PERHAPS;
    }
}

/* Word `first`, and as many of those that follow as may belong to it: w ( " " w ( " " w )? )? */
static void append_run(struct den_buffer *out, const struct word *words, size_t count, size_t first,
                       enum den_span_kind kind)
{
    const size_t most = kind == DEN_SPAN_WORDS ? RUN_WORDS_MAX : NUMBER_WORDS_MAX;
    size_t i = first, open = 0;

    append_literal(out, words[i].text, words[i].length);
    for (; i + 1 < count && words[i].goes_on && i + 1 - first < most; i++) {
        const enum belonging next = belongs(words, i, kind);

        if (next == BELONGS_NOT)
            break;
        open += next == BELONGS_PERHAPS;
        den_buffer_append_text(out, next == BELONGS ? " " : " (");
        if (words[i].between[0]) { /* Chinese characters have nothing between */
            append_literal(out, words[i].between, strlen(words[i].between));
            den_buffer_append_byte(out, ' ');
        }
        append_literal(out, words[i + 1].text, words[i + 1].length);
    }
    while (open-- > 0)
        den_buffer_append_text(out, ")?");
}

/* How many runs of the kind there are. */
static size_t append_runs(struct den_buffer *out, const struct word *words, size_t count,
                          enum den_span_kind kind)
{
    size_t i, starts = 0;

    den_buffer_append_text(out, "root ::= ");
    for (i = 0; i < count; i++)
        if (may_begin(words, count, i, kind)) {
            if (starts++ > 0)
                den_buffer_append_text(out, " | ");
            append_run(out, words, count, i, kind);
        }
    den_buffer_append_byte(out, '\n');
    return starts;
}

char *den_report_span_grammar(const char *text, enum den_span_kind kind)
{
    struct word *words = calloc(SPAN_WORDS_MAX, sizeof *words);
    struct den_buffer out;
    char *grammar = NULL;
    size_t count, starts;

    if (!words)
        return NULL;
    den_buffer_init(&out, GRAMMAR_BYTES_MAX);
    count = split(text, words);
    starts = append_runs(&out, words, count, kind);
    if (starts == 0 && (kind == DEN_SPAN_MONEY || kind == DEN_SPAN_DATE)) {
        den_buffer_clear(&out);
        starts = append_runs(&out, words, count, DEN_SPAN_NUMBER);
    }
    if (starts > 0)
        grammar = den_buffer_take(&out);
    den_buffer_deinit(&out);
    free(words);
    return grammar;
}

bool den_report_has_span(const char *text, enum den_span_kind kind)
{
    struct word *words = calloc(SPAN_WORDS_MAX, sizeof *words);
    const size_t count = words ? split(text, words) : 0;
    bool found = false;
    size_t i;

    for (i = 0; i < count && !found; i++)
        found = may_begin(words, count, i, kind);
    free(words);
    return found;
}

/* --- whether it is there --- */

/* Lower case, white space made single blanks; free() it. */
static char *make_plain(const char *text)
{
    char *plain = malloc(strlen(text) + 1);
    size_t used = 0;

    if (!plain)
        return NULL;
    for (; *text; text++)
        if (!isspace((unsigned char)*text))
            plain[used++] = (char)tolower((unsigned char)*text);
        else if (used > 0 && plain[used - 1] != ' ')
            plain[used++] = ' ';
    while (used > 0 && plain[used - 1] == ' ')
        used--;
    plain[used] = '\0';
    return plain;
}

static bool is_inside_word(char a, char b)
{
    return isalnum((unsigned char)a) && isalnum((unsigned char)b);
}

/* "12" does not stand in "312", nor "1,200" in "1,200.50" or "21,200". */
static bool has_borders(const char *text, const char *at, size_t length)
{
    const char *end = at + length;

    if (at > text && is_inside_word(at[-1], *at))
        return false;
    if (*end && is_inside_word(end[-1], *end))
        return false;
    if (at > text + 1 && isdigit((unsigned char)*at) && strchr(".,", at[-1]) &&
        isdigit((unsigned char)at[-2]))
        return false;
    return !(isdigit((unsigned char)end[-1]) && *end && strchr(".,", *end) &&
             isdigit((unsigned char)end[1]));
}

bool den_report_stands_in(const char *value, const char *text)
{
    char *wanted = make_plain(value), *plain = make_plain(text);
    const char *at = plain;
    const size_t length = wanted ? strlen(wanted) : 0;
    bool found = false;

    while (plain && length > 0 && !found && (at = strstr(at, wanted)) != NULL)
        found = has_borders(plain, at++, length);
    free(wanted);
    free(plain);
    return found;
}
