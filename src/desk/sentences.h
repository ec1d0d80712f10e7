/* Sentences: where a text's sentences begin and end, in English and Chinese.
 *
 * A sentence ends with its mark (. ! ? and the full-width ones), with quotes and brackets that
 * close behind it, and with citation markers ("[2]") behind those; or with its line. A full stop
 * inside a number, after one letter or after a known abbreviation ends nothing. Fenced code is one
 * block, which holds no sentences. */
#ifndef DEN_DESK_SENTENCES_H
#define DEN_DESK_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

struct den_sentence {
    size_t start, end;  /* bytes, without white space around and without markers behind */
    size_t markers_end; /* behind the last marker; `end` where there is none */
    bool is_code;       /* a fenced block */
};
/* Up to `capacity` sentences; returns how many there are of them. */
size_t den_sentences_split(const char *text, size_t length, struct den_sentence *out,
                           size_t capacity);

/* Takes out of `text` what goes round, as small models do: a sentence in which up to six words come
 * three times in a row ("Lease 2019 2019 2019 ...") goes with its markers; of the first one, what
 * comes before the second time is left. Returns the new length; ends with NUL. */
size_t den_sentences_cut_loops(char *text, size_t length);

/* One marker, "[12]" or "[1, 2]", at the beginning of `text`: its bytes and numbers; 0: none. */
enum { DEN_MARKER_NUMBERS = 4 };
size_t den_sentence_marker(const char *text, size_t length, size_t out_numbers[DEN_MARKER_NUMBERS],
                           size_t *out_count);

#endif
