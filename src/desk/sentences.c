/* See sentences.h. */
#include "desk/sentences.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { MARKER_DIGITS_MAX = 3 };

static const char *const abbreviations[] = {
    "mr",  "mrs", "ms", "dr",   "prof", "st",  "vs",  "etc", "e.g",
    "i.e", "fig", "no", "nr",   "art",  "sec", "vol", "pp",  "approx",
    "inc", "ltd", "co", "corp", "jr",   "sr",  "cf",  "al",  "dept",
};

size_t den_sentence_marker(const char *text, size_t length, size_t out_numbers[DEN_MARKER_NUMBERS],
                           size_t *out_count)
{
    size_t at = 0, count = 0, digits;

    if (length < 3 || text[0] != '[')
        return 0;
    do {
        for (at++; at < length && count > 0 && text[at] == ' '; at++)
            ;
        out_numbers[count] = 0;
        for (digits = 0; at < length && isdigit((unsigned char)text[at]); at++, digits++)
            out_numbers[count] = out_numbers[count] * 10 + (size_t)(text[at] - '0');
        if (digits == 0 || digits > MARKER_DIGITS_MAX)
            return 0;
        count++;
    } while (at < length && text[at] == ',' && count < DEN_MARKER_NUMBERS);
    if (at >= length || text[at] != ']')
        return 0;
    *out_count = count;
    return at + 1;
}

/* The word before the full stop at `at` is a known abbreviation, or a single letter. */
static bool is_abbreviated(const char *text, size_t start, size_t at)
{
    size_t from = at, i;

    while (from > start && (isalpha((unsigned char)text[from - 1]) || text[from - 1] == '.'))
        from--;
    if (from > start && !isspace((unsigned char)text[from - 1]) && text[from - 1] != '(')
        return false;
    if (at - from == 1 && isupper((unsigned char)text[from]))
        return true;
    for (i = 0; i < sizeof abbreviations / sizeof abbreviations[0]; i++)
        if (strlen(abbreviations[i]) == at - from &&
            strncasecmp(text + from, abbreviations[i], at - from) == 0)
            return true;
    return false;
}

/* Bytes of the end mark at `at`; 0: there is none. */
static size_t end_mark(const char *text, size_t start, size_t at, size_t length)
{
    uint32_t code;
    size_t step;

    if (text[at] == '!' || text[at] == '?')
        return 1;
    if (text[at] == '.') {
        const unsigned char next = at + 1 < length ? (unsigned char)text[at + 1] : ' ';

        if (!isspace(next) && !strchr("\"')]*_", next) && next != '[' && next < 0x80)
            return 0;
        return is_abbreviated(text, start, at) ? 0 : 1;
    }
    if ((unsigned char)text[at] < 0x80)
        return 0;
    step = den_utf8_decode(text + at, length - at, &code);
    return code == 0x3002 || code == 0xff01 || code == 0xff1f ? step : 0;
}

static size_t skip_closing(const char *text, size_t at, size_t length)
{
    for (;;) {
        if (at < length && strchr("\"')*_", text[at]) && text[at] != '\0')
            at++;
        else if (at + 2 < length && (memcmp(text + at, "\xE2\x80\x9D", 3) == 0 ||
                                     memcmp(text + at, "\xE2\x80\x99", 3) == 0 ||
                                     memcmp(text + at, "\xEF\xBC\x89", 3) == 0))
            at += 3;
        else
            return at;
    }
}

/* Behind the markers at `at`, with blanks before each; `at` where there is none. */
static size_t skip_markers(const char *text, size_t at, size_t length)
{
    size_t end = at, next, bytes, numbers[DEN_MARKER_NUMBERS], count;

    for (;;) {
        for (next = end; next < length && text[next] == ' '; next++)
            ;
        bytes = den_sentence_marker(text + next, length - next, numbers, &count);
        if (bytes == 0)
            return end;
        end = next + bytes;
    }
}

static bool is_fence(const char *text, size_t at, size_t length)
{
    return at + 3 <= length && memcmp(text + at, "```", 3) == 0;
}

static size_t skip_code(const char *text, size_t at, size_t length)
{
    const char *close;

    at += 3;
    close = at < length ? memmem(text + at, length - at, "\n```", 4) : NULL;
    return close ? (size_t)(close - text) + 4 : length;
}

static size_t skip_space(const char *text, size_t at, size_t length)
{
    while (at < length && isspace((unsigned char)text[at]))
        at++;
    return at;
}

/* From `start`, which is no white space: where the sentence ends. */
static struct den_sentence next_sentence(const char *text, size_t start, size_t length)
{
    struct den_sentence found = { .start = start };
    size_t at = start, mark, markers, numbers[DEN_MARKER_NUMBERS], count;

    while (at < length && text[at] != '\n') {
        mark = end_mark(text, start, at, length);
        if (mark > 0) {
            at += mark;
            while (at < length && (mark = end_mark(text, start, at, length)) > 0)
                at += mark;
            at = skip_closing(text, at, length);
            break;
        }
        at++;
    }
    found.end = at;
    while (found.end > start && isspace((unsigned char)text[found.end - 1]))
        found.end--;
    found.markers_end = skip_markers(text, found.end, length);
    /* a line without an end mark may end with its markers */
    for (markers = found.end; markers > start && text[markers - 1] == ']';) {
        size_t open = markers - 1;

        while (open > start && text[open] != '[')
            open--;
        if (den_sentence_marker(text + open, markers - open, numbers, &count) != markers - open)
            break;
        for (markers = open; markers > start && text[markers - 1] == ' '; markers--)
            ;
    }
    found.end = markers > start ? markers : found.end;
    return found;
}

size_t den_sentences_split(const char *text, size_t length, struct den_sentence *out,
                           size_t capacity)
{
    size_t at = skip_space(text, 0, length), count = 0;

    while (at < length && count < capacity) {
        struct den_sentence found;

        if (is_fence(text, at, length)) {
            found = (struct den_sentence){ .start = at, .is_code = true };
            found.end = found.markers_end = skip_code(text, at, length);
        } else {
            found = next_sentence(text, at, length);
        }
        out[count++] = found;
        at = skip_space(text, found.markers_end > at ? found.markers_end : at + 1, length);
    }
    return count;
}

/* --- going round --- */

enum { LOOP_WORDS_MAX = 6, LOOP_TIMES = 3, LOOKED_AT_WORDS = 512, LOOKED_AT_SENTENCES = 64 };

struct word {
    const char *start;
    size_t length;
};

static bool is_same(const struct word *a, const struct word *b)
{
    return a->length == b->length && memcmp(a->start, b->start, a->length) == 0;
}

static size_t read_words(const char *text, size_t length, struct word *out)
{
    size_t count = 0, at = 0;

    while (count < LOOKED_AT_WORDS) {
        size_t start;

        while (at < length && text[at] == ' ')
            at++;
        if (at == length)
            break;
        start = at;
        while (at < length && text[at] != ' ')
            at++;
        out[count++] = (struct word){ text + start, at - start };
    }
    return count;
}

/* Where the second time begins, in bytes; `length`: it does not go round. */
static size_t find_loop(const char *text, size_t length)
{
    struct word words[LOOKED_AT_WORDS];
    const size_t count = read_words(text, length, words);
    size_t period, i;

    for (period = 1; period <= LOOP_WORDS_MAX; period++) {
        size_t alike = 0;

        for (i = period; i < count; i++) {
            alike = is_same(&words[i], &words[i - period]) ? alike + 1 : 0;
            if (alike == (LOOP_TIMES - 1) * period)
                return (size_t)(words[i + 1 - alike].start - text);
        }
    }
    return length;
}

size_t den_sentences_cut_loops(char *text, size_t length)
{
    struct den_sentence sentences[LOOKED_AT_SENTENCES];
    size_t count = den_sentences_split(text, length, sentences, LOOKED_AT_SENTENCES), i;

    if (count > LOOKED_AT_SENTENCES)
        count = LOOKED_AT_SENTENCES;
    for (i = count; i-- > 0;) { /* from the last: places before it stay */
        const struct den_sentence *sentence = &sentences[i];
        const size_t size = sentence->end - sentence->start;
        const size_t loop = sentence->is_code ? size : find_loop(text + sentence->start, size);
        size_t from = i == 0 ? sentence->start + loop : sentence->start;
        const size_t to = i == 0 ? sentence->end : sentence->markers_end;

        if (loop == size)
            continue;
        while (from > 0 && text[from - 1] == ' ')
            from--;
        memmove(text + from, text + to, length - to);
        length -= to - from;
    }
    text[length] = '\0';
    return length;
}
