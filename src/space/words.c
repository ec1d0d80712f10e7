/* See words.h. */
#include "space/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "store/full_text.h"

/* Function words, and what questions are made of. In the order of strcmp(). */
static const char *const left_out[] = {
    "a",
    "about",
    "above",
    "after",
    "again",
    "against",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "anyone",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "below",
    "between",
    "both",
    "but",
    "by",
    "can",
    "cannot",
    "could",
    "d",
    "did",
    "do",
    "does",
    "doing",
    "don",
    "done",
    "down",
    "during",
    "each",
    "etc",
    "ever",
    "every",
    "few",
    "for",
    "from",
    "further",
    "get",
    "give",
    "given",
    "had",
    "has",
    "have",
    "having",
    "he",
    "her",
    "here",
    "hers",
    "him",
    "his",
    "how",
    "however",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "ll",
    "m",
    "many",
    "may",
    "me",
    "might",
    "more",
    "most",
    "much",
    "must",
    "my",
    "no",
    "nor",
    "not",
    "now",
    "of",
    "off",
    "on",
    "once",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "own",
    "please",
    "re",
    "s",
    "same",
    "shall",
    "she",
    "should",
    "so",
    "some",
    "such",
    "t",
    "tell",
    "than",
    "that",
    "the",
    "their",
    "theirs",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "to",
    "too",
    "under",
    "until",
    "up",
    "us",
    "ve",
    "very",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "within",
    "would",
    "you",
    "your",
    "yours",
    "\xe4\xba\x86",             /* 了 */
    "\xe4\xbb\x80\xe4\xb9\x88", /* 什么 */
    "\xe5\x90\x97",             /* 吗 */
    "\xe5\x91\xa2",             /* 呢 */
    "\xe5\x93\xaa\xe4\xba\x9b", /* 哪些 */
    "\xe5\xa6\x82\xe4\xbd\x95", /* 如何 */
    "\xe6\x80\x8e\xe4\xb9\x88", /* 怎么 */
    "\xe6\x98\xaf\xe4\xbb\x80", /* 是什 */
    "\xe6\x98\xaf\xe5\x90\xa6", /* 是否 */
    "\xe7\x9a\x84",             /* 的 */
};

static int compare(const void *left, const void *right)
{
    return strcmp(left, *(const char *const *)right);
}

static bool is_left_out(const char *word)
{
    return bsearch(word, left_out, sizeof left_out / sizeof left_out[0], sizeof left_out[0],
                   compare) != NULL;
}

/* Punctuation and blanks beyond ASCII: the index's tokenizer takes them for boundaries, and here
 * they must not glue two words to a phrase. */
static bool is_boundary(uint32_t code)
{
    if (code < 0x80)
        return !((code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
                 (code >= 'A' && code <= 'Z'));
    return (code >= 0x80 && code <= 0xa9) || (code >= 0xab && code <= 0xb4) ||
           (code >= 0xb6 && code <= 0xb9) || (code >= 0xbb && code <= 0xbf) || code == 0xd7 ||
           code == 0xf7 || (code >= 0x2000 && code <= 0x206f) ||
           (code >= 0x2100 && code <= 0x2bff) || (code >= 0x2e00 && code <= 0x2e7f) ||
           (code >= 0x3000 && code <= 0x3004) || (code >= 0x3008 && code <= 0x3020) ||
           (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff0f) ||
           (code >= 0xff1a && code <= 0xff20) || (code >= 0xff3b && code <= 0xff40) ||
           (code >= 0xff5b && code <= 0xff65) || code == DEN_UTF8_REPLACEMENT ||
           (code >= 0x1f000 && code <= 0x1faff);
}

static void add(struct den_words *words, const char *text, size_t length, bool is_prefix)
{
    struct den_word *word = &words->word[words->count];
    size_t i;

    if (words->count == DEN_SPACE_TERMS_MAX || length == 0 || length >= sizeof word->text)
        return;
    for (i = 0; i < length; i++)
        word->text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    word->text[length] = '\0';
    word->is_prefix = is_prefix;
    for (i = 0; i < words->count; i++)
        if (strcmp(words->word[i].text, word->text) == 0)
            return;
    if (!is_left_out(word->text))
        words->count++;
}

/* Bytes of the run at `text` of characters that are all paired, or all of words. */
static size_t run_length(const char *text, size_t length, bool is_paired)
{
    size_t at = 0;

    while (at < length) {
        uint32_t code;
        size_t step = den_utf8_decode(text + at, length - at, &code);

        if (is_boundary(code) || den_full_text_is_paired(code) != is_paired)
            break;
        at += step;
    }
    return at;
}

static void add_pairs(struct den_words *words, const char *text, size_t length)
{
    uint32_t ignored;
    size_t at = 0, first = den_utf8_decode(text, length, &ignored);

    if (first == length) {
        add(words, text, length, true);
        return;
    }
    while (at + first < length) {
        size_t second = den_utf8_decode(text + at + first, length - at - first, &ignored);

        add(words, text + at, first + second, false);
        at += first;
        first = second;
    }
}

void den_words_split(const char *text, struct den_words *out)
{
    size_t length = strlen(text), at = 0;

    out->count = 0;
    while (at < length && out->count < DEN_SPACE_TERMS_MAX) {
        uint32_t code;
        size_t step = den_utf8_decode(text + at, length - at, &code);
        bool is_paired = den_full_text_is_paired(code);

        if (is_boundary(code)) {
            at += step;
            continue;
        }
        step = run_length(text + at, length - at, is_paired);
        if (is_paired)
            add_pairs(out, text + at, step);
        else
            add(out, text + at, step, false);
        at += step;
    }
}

void den_words_quote(const struct den_word *word, struct den_buffer *out)
{
    const char *at;

    den_buffer_append_byte(out, '"');
    for (at = word->text; *at; at++) {
        den_buffer_append_byte(out, *at);
        if (*at == '"')
            den_buffer_append_byte(out, '"');
    }
    den_buffer_append_byte(out, '"');
    if (word->is_prefix)
        den_buffer_append_byte(out, '*');
}
