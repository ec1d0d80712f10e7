/* Words of a question, as BM25 looks for them.
 *
 * A question is what a person typed, never a query language: each word is handed to FTS5 as a
 * quoted string, and any of them may match. Words that every text has ("what is the") are left out.
 * Of a run of Chinese every pair of neighbours is a word, as in the index (store/full_text.h); a
 * single character is looked for as the beginning of a pair. */
#ifndef DEN_SPACE_WORDS_H
#define DEN_SPACE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/status.h"

struct den_word {
    char text[DEN_SPACE_WORD_BYTES_MAX]; /* as asked, ASCII letters small */
    bool is_prefix;                      /* a single Chinese character */
    size_t items;                        /* that have it; filled in by word_search.c */
    double rarity;                       /* inverse document frequency, as bm25() counts */
};

struct den_words {
    struct den_word word[DEN_SPACE_TERMS_MAX]; /* distinct */
    size_t count;
};

/* The first DEN_SPACE_TERMS_MAX words of `text`. */
void den_words_split(const char *text, struct den_words *out);

struct den_buffer;
/* Appends a word as FTS5 takes it: "word" or "c"*. */
void den_words_quote(const struct den_word *word, struct den_buffer *out);

#endif
