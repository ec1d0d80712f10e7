/* Chunk units: the smallest stretches that a chunk is put together from.
 *
 * A unit is a sentence, a row of a table, an item of a list, or lines of code without a blank one
 * between; none has more than `tokens_max` tokens: a longer one is cut at lines, then at words,
 * then between characters. Units follow each other with nothing but blank between them. */
#ifndef DEN_INPUT_CHUNK_UNITS_H
#define DEN_INPUT_CHUNK_UNITS_H

#include "input/chunks.h"

struct den_unit {
    size_t start, end; /* bytes of the part's text; neither begins nor ends with a blank */
    size_t tokens;
    size_t block;
    unsigned cuts; /* how finely it was cut already */
    bool first;    /* of its block */
};

struct den_units {
    struct den_unit *items;
    size_t count, capacity;
};

enum den_status den_units_make(const struct den_part *part, const struct den_chunk_options *options,
                               size_t tokens_max, struct den_units *out, struct den_error *err);
void den_units_free(struct den_units *units);

/* Where the sentence that begins at `at` ends, in a text of `length` bytes. */
size_t den_sentence_end(const char *text, size_t length, size_t at);

#endif
