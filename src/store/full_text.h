/* Full text: how passages become the words that BM25 counts.
 *
 * Letters are folded (case, accents) and English words cut to their stems, as SQLite's "porter
 * unicode61" does. Chinese, Japanese and Korean are written without blanks: of such a run every
 * pair of neighbouring characters becomes a word, and its last character one of its own, so that a
 * search for any pair finds it by the index alone, and for a single character as the beginning of
 * a pair. The tokenizer has the name "den" in CREATE VIRTUAL TABLE ... USING fts5 (..., tokenize =
 * 'den'); each connection of a database knows it. */
#ifndef DEN_STORE_FULL_TEXT_H
#define DEN_STORE_FULL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/* Makes the tokenizer known to a connection; an SQLite result code. */
int den_full_text_register(struct sqlite3 *handle);

/* Whether a character is of those that are cut into pairs. */
bool den_full_text_is_paired(uint32_t code);

#endif
