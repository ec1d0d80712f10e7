/* Vocabulary: the tokens of a model by id and by name.
 *
 * Names are arbitrary bytes. Ids run from 0; a hole that the file left is a token with an empty
 * name that nothing finds. Finding a name is one hash lookup. Filled once, then read-only. */
#ifndef DEN_TEXT_TOKENIZER_VOCABULARY_H
#define DEN_TEXT_TOKENIZER_VOCABULARY_H

#include "base/arena.h"
#include "text/tokenizer.h"

/* GGUF's numbers (tokenizer.ggml.token_type). */
enum den_token_kind {
    DEN_TOKEN_HOLE = 0,
    DEN_TOKEN_NORMAL = 1,
    DEN_TOKEN_UNKNOWN = 2,
    DEN_TOKEN_CONTROL = 3,
    DEN_TOKEN_USER = 4,
    DEN_TOKEN_UNUSED = 5,
    DEN_TOKEN_BYTE = 6
};

struct den_vocabulary {
    struct den_arena *arena; /* holds names and all arrays */
    struct den_token_text *names;
    uint8_t *kinds;
    float *scores;
    size_t count;
    size_t capacity;
    den_token *slots; /* open addressing by the name's hash; DEN_TOKEN_NONE is free */
    size_t slot_count;
    size_t name_bytes_max;
};

uint64_t den_vocabulary_hash(const char *text, size_t length);

/* Room for `capacity` tokens with ids below it. */
enum den_status den_vocabulary_init(struct den_vocabulary *vocabulary, size_t capacity,
                                    size_t bytes_max, struct den_error *err);
void den_vocabulary_deinit(struct den_vocabulary *vocabulary);
/* Sets token `id` (below the capacity), copying the name. Names that repeat find the later one. */
enum den_status den_vocabulary_set(struct den_vocabulary *vocabulary, size_t id, const char *name,
                                   size_t length, struct den_error *err);
den_token den_vocabulary_find(const struct den_vocabulary *vocabulary, const char *name,
                              size_t length);
/* The token "<0xXX>" of a byte, or DEN_TOKEN_NONE. */
den_token den_vocabulary_find_byte(const struct den_vocabulary *vocabulary, unsigned char byte);
/* True where `name` is "<0xXX>"; *out_byte gets the byte. */
bool den_vocabulary_is_byte_name(struct den_token_text name, unsigned char *out_byte);

#endif
