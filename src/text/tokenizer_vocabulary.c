/* See tokenizer_vocabulary.h. Also holds the list of tokens of tokenizer.h. */
#include "text/tokenizer_vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

void den_tokens_deinit(struct den_tokens *tokens)
{
    free(tokens->items);
    *tokens = (struct den_tokens){ 0 };
}

enum den_status den_tokens_append(struct den_tokens *tokens, const den_token *items, size_t count,
                                  struct den_error *err)
{
    size_t wanted;

    if (!den_checked_add(tokens->count, count, &wanted))
        return den_fail(err, DEN_TOO_LARGE, "tokens: more than fit in memory");
    if (wanted > tokens->capacity) {
        size_t capacity = tokens->capacity ? tokens->capacity : 64;
        den_token *grown;

        while (capacity < wanted)
            if (!den_checked_multiply(capacity, 2, &capacity))
                return den_fail(err, DEN_TOO_LARGE, "tokens: more than fit in memory");
        grown = reallocarray(tokens->items, capacity, sizeof *grown);
        if (!grown)
            return den_fail(err, DEN_NO_MEMORY, "tokens: out of memory for %zu", capacity);
        tokens->items = grown;
        tokens->capacity = capacity;
    }
    if (count > 0)
        memcpy(tokens->items + tokens->count, items, count * sizeof *items);
    tokens->count = wanted;
    return DEN_OK;
}

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93u;
    value ^= value >> 32;
    return value;
}

/* Eight bytes a step. A file that makes names collide only slows its own loading: names are bounded
 * by DEN_VOCABULARY_MAX. */
uint64_t den_vocabulary_hash(const char *text, size_t length)
{
    uint64_t hash = length * 0x9E3779B97F4A7C15u;
    uint64_t word;

    for (; length >= 8; text += 8, length -= 8) {
        memcpy(&word, text, 8);
        hash = mix(hash ^ word) + 0x9E3779B97F4A7C15u;
    }
    word = 0;
    memcpy(&word, text, length);
    return mix(hash ^ word);
}

enum den_status den_vocabulary_init(struct den_vocabulary *vocabulary, size_t capacity,
                                    size_t bytes_max, struct den_error *err)
{
    size_t slots = 64;
    size_t i;

    *vocabulary = (struct den_vocabulary){ 0 };
    if (capacity > DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: a vocabulary of %zu tokens; at most %d",
                        capacity, DEN_VOCABULARY_MAX);
    while (slots < 2 * capacity)
        slots *= 2;
    vocabulary->arena = den_arena_create(2 * (bytes_max + 64 * capacity + 16 * slots) + (1u << 20));
    if (!vocabulary->arena)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    vocabulary->names = den_arena_array(vocabulary->arena, capacity, sizeof *vocabulary->names);
    vocabulary->kinds = den_arena_array(vocabulary->arena, capacity, sizeof *vocabulary->kinds);
    vocabulary->scores = den_arena_array(vocabulary->arena, capacity, sizeof *vocabulary->scores);
    vocabulary->slots = den_arena_array(vocabulary->arena, slots, sizeof *vocabulary->slots);
    if (!vocabulary->names || !vocabulary->kinds || !vocabulary->scores || !vocabulary->slots)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for %zu tokens", capacity);
    for (i = 0; i < slots; i++)
        vocabulary->slots[i] = DEN_TOKEN_NONE;
    for (i = 0; i < capacity; i++)
        vocabulary->names[i].bytes = "";
    vocabulary->capacity = capacity;
    vocabulary->slot_count = slots;
    return DEN_OK;
}

void den_vocabulary_deinit(struct den_vocabulary *vocabulary)
{
    den_arena_destroy(vocabulary->arena);
    *vocabulary = (struct den_vocabulary){ 0 };
}

/* The slot that holds `name`, or the free one where it belongs. */
static size_t slot_of(const struct den_vocabulary *vocabulary, const char *name, size_t length)
{
    size_t slot = den_vocabulary_hash(name, length) & (vocabulary->slot_count - 1);

    for (;; slot = (slot + 1) & (vocabulary->slot_count - 1)) {
        den_token token = vocabulary->slots[slot];

        if (token == DEN_TOKEN_NONE)
            return slot;
        if (vocabulary->names[token].length == length &&
            memcmp(vocabulary->names[token].bytes, name, length) == 0)
            return slot;
    }
}

enum den_status den_vocabulary_set(struct den_vocabulary *vocabulary, size_t id, const char *name,
                                   size_t length, struct den_error *err)
{
    const char *copy;

    if (id >= vocabulary->capacity)
        return den_fail(err, DEN_BAD_FILE, "tokenizer: token id %zu in a vocabulary of %zu", id,
                        vocabulary->capacity);
    if (length > DEN_TOKEN_BYTES_MAX)
        return den_fail(err, DEN_BAD_FILE, "tokenizer: token %zu has %zu bytes; at most %d", id,
                        length, DEN_TOKEN_BYTES_MAX);
    if (vocabulary->kinds[id] != DEN_TOKEN_HOLE)
        return den_fail(err, DEN_BAD_FILE, "tokenizer: two tokens have the id %zu", id);
    copy = den_arena_text(vocabulary->arena, name, length);
    if (!copy)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for the vocabulary");
    vocabulary->names[id] = (struct den_token_text){ copy, length };
    vocabulary->kinds[id] = DEN_TOKEN_NORMAL;
    if (length > vocabulary->name_bytes_max)
        vocabulary->name_bytes_max = length;
    if (id >= vocabulary->count)
        vocabulary->count = id + 1;
    if (length > 0)
        vocabulary->slots[slot_of(vocabulary, copy, length)] = (den_token)id;
    return DEN_OK;
}

den_token den_vocabulary_find(const struct den_vocabulary *vocabulary, const char *name,
                              size_t length)
{
    if (length == 0 || length > vocabulary->name_bytes_max)
        return DEN_TOKEN_NONE;
    return vocabulary->slots[slot_of(vocabulary, name, length)];
}

den_token den_vocabulary_find_byte(const struct den_vocabulary *vocabulary, unsigned char byte)
{
    char name[8];

    snprintf(name, sizeof name, "<0x%02X>", byte);
    return den_vocabulary_find(vocabulary, name, 6);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool den_vocabulary_is_byte_name(struct den_token_text name, unsigned char *out_byte)
{
    if (name.length != 6 || memcmp(name.bytes, "<0x", 3) != 0 || name.bytes[5] != '>' ||
        hex_digit(name.bytes[3]) < 0 || hex_digit(name.bytes[4]) < 0)
        return false;
    *out_byte = (unsigned char)(hex_digit(name.bytes[3]) * 16 + hex_digit(name.bytes[4]));
    return true;
}
