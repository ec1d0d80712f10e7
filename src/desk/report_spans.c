/* See report_spans.h. */
#include "desk/report_spans.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { SPAN_WORDS_MAX = 600, WORD_BYTES_MAX = 64, GRAMMAR_BYTES_MAX = 1 << 18 };

static const char *const number_words[] = {
    "age",   "amount", "amounts",  "area",    "balance", "cost",     "costs", "count",  "date",
    "day",   "days",   "deadline", "deposit", "due",     "duration", "euro",  "euros",  "fee",
    "fees",  "height", "length",   "many",    "month",   "months",   "much",  "number", "percent",
    "price", "prices", "quantity", "rate",    "rent",    "salary",   "score", "size",   "sum",
    "time",  "total",  "value",    "weight",  "when",    "width",    "year",  "years",  "wage",
};
static const char *const chinese_number_words[] = {
    "\xE9\x87\x91\xE9\xA2\x9D" /* amount */,   "\xE4\xBB\xB7\xE6\xA0\xBC" /* price */,
    "\xE6\x97\xA5\xE6\x9C\x9F" /* date */,     "\xE6\x97\xB6\xE9\x97\xB4" /* time */,
    "\xE6\x95\xB0\xE9\x87\x8F" /* quantity */, "\xE5\xA4\x9A\xE5\xB0\x91" /* how many */,
    "\xE5\x8F\xB7\xE7\xA0\x81" /* number */,   "\xE7\xA7\x9F\xE9\x87\x91" /* rent */,
};
/* What may stand before the digits of a number or a date. */
static const char *const before_digits[] = {
    "$",        "USD",      "EUR", "GBP",  "CHF",  "CNY",          "January",   "February",
    "March",    "April",    "May", "June", "July", "August",       "September", "October",
    "November", "December", "Jan", "Feb",  "Mar",  "Apr",          "Jun",       "Jul",
    "Aug",      "Sep",      "Oct", "Nov",  "Dec",  "\xE2\x82\xAC",
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

bool den_report_wants_number(const char *words)
{
    size_t i, length;

    for (i = 0; i < sizeof chinese_number_words / sizeof chinese_number_words[0]; i++)
        if (strstr(words, chinese_number_words[i]))
            return true;
    for (; *words; words += length ? length : 1) {
        for (length = 0; isalpha((unsigned char)words[length]); length++)
            ;
        if (length > 0 && LISTED(number_words, words, length))
            return true;
    }
    return false;
}

/* --- words --- */

/* A word without the marks around it, and what stands between it and the next one. */
struct word {
    const char *text;
    size_t length;
    char between[16]; /* "": the line ends here, or too much stands between */
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

static void set_between(struct word *word, const char *next)
{
    const char *from = word->text + word->length;
    size_t i, used = 0;

    for (i = 0; from + i < next; i++) {
        if (from[i] == '\n' || used + 1 >= sizeof word->between) {
            word->between[0] = '\0';
            return;
        }
        if (isspace((unsigned char)from[i]) && used > 0 && word->between[used - 1] == ' ')
            continue;
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

/* Chinese characters follow each other with nothing between. */
static bool goes_on(const struct word *words, size_t count, size_t i)
{
    return i + 1 < count &&
           (words[i].between[0] || words[i].text + words[i].length == words[i + 1].text);
}

static bool may_begin(const struct word *words, size_t count, size_t i, bool only_numbers)
{
    return !only_numbers || words[i].has_digit ||
           (goes_on(words, count, i) && words[i + 1].has_digit &&
            LISTED(before_digits, words[i].text, words[i].length));
}

char *den_report_span_grammar(const char *text, bool only_numbers)
{
    struct word *words = calloc(SPAN_WORDS_MAX, sizeof *words);
    struct den_buffer out;
    char *grammar = NULL;
    size_t count, starts = 0, i;

    if (!words)
        return NULL;
    den_buffer_init(&out, GRAMMAR_BYTES_MAX);
    count = split(text, words);
    den_buffer_append_text(&out, "root ::=");
    for (i = 0; i < count; i++)
        if (may_begin(words, count, i, only_numbers))
            den_buffer_appendf(&out, "%s w%zu", starts++ > 0 ? " |" : "", i);
    den_buffer_append_byte(&out, '\n');
    for (i = 0; i < count; i++) {
        den_buffer_appendf(&out, "w%zu ::= ", i);
        append_literal(&out, words[i].text, words[i].length);
        if (goes_on(words, count, i)) {
            den_buffer_append_text(&out, " (");
            append_literal(&out, words[i].between, strlen(words[i].between));
            den_buffer_appendf(&out, " w%zu)?", i + 1);
        }
        den_buffer_append_byte(&out, '\n');
    }
    if (starts > 0)
        grammar = den_buffer_take(&out);
    den_buffer_deinit(&out);
    free(words);
    return grammar;
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
