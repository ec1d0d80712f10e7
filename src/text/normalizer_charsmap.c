/* See normalizer_charsmap.h. A unit of the trie holds a label in bits 0 to 7 (and bit 31, clear
 * for a node), a flag for a leaf in bit 8, and an offset from bit 10 on, times 256 where bit 9 is
 * set; a leaf's unit holds a value in its lower 31 bits. */
#include "text/normalizer_charsmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

struct den_charsmap {
    uint32_t *units;
    size_t unit_count;
    char *strings; /* terminated */
    size_t string_bytes;
};

void den_charsmap_destroy(struct den_charsmap *map)
{
    if (!map)
        return;
    free(map->units);
    free(map->strings);
    free(map);
}

enum den_status den_charsmap_create(const char *blob, size_t bytes, struct den_charsmap **out,
                                    struct den_error *err)
{
    struct den_charsmap *map;
    uint32_t trie_bytes = 0;

    if (bytes >= 4)
        memcpy(&trie_bytes, blob, 4);
    if (bytes < 4 || trie_bytes > bytes - 4 || trie_bytes % 4 != 0 || trie_bytes == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer: precompiled charsmap of %zu bytes claims a trie of %u bytes",
                        bytes, trie_bytes);
    map = calloc(1, sizeof *map);
    if (!map)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for the charsmap");
    map->unit_count = trie_bytes / 4;
    map->string_bytes = bytes - 4 - trie_bytes;
    map->units = malloc(trie_bytes);
    map->strings = calloc(map->string_bytes + 1, 1);
    if (!map->units || !map->strings) {
        den_charsmap_destroy(map);
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for the charsmap");
    }
    memcpy(map->units, blob + 4, trie_bytes);
    memcpy(map->strings, blob + 4 + trie_bytes, map->string_bytes);
    *out = map;
    return DEN_OK;
}

static size_t offset_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & (1u << 9)) >> 6);
}

void den_charsmap_match(const struct den_charsmap *map, const char *text, size_t length,
                        bool shortest, size_t *out_used, const char **out_text)
{
    size_t node = offset_of(map->units[0]);
    size_t i;

    *out_used = 0;
    for (i = 0; i < length && text[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)text[i];
        uint32_t unit;

        node ^= byte;
        if (node >= map->unit_count)
            return;
        unit = map->units[node];
        if ((unit & 0x800000FFu) != byte)
            return;
        node ^= offset_of(unit);
        if ((unit >> 8 & 1) && node < map->unit_count) {
            size_t value = map->units[node] & 0x7FFFFFFFu;

            if (value < map->string_bytes) {
                *out_used = i + 1;
                *out_text = map->strings + value;
                if (shortest)
                    return;
            }
        }
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum den_status den_base64_decode(const char *text, size_t length, struct den_buffer *out,
                                  struct den_error *err)
{
    uint32_t bits = 0;
    int count = 0;
    size_t i;

    while (length > 0 && text[length - 1] == '=')
        length--;
    for (i = 0; i < length; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            return den_fail(err, DEN_BAD_FILE, "tokenizer: byte %zu isn't base64", i);
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            den_buffer_append_byte(out, (char)(bits >> count & 0xFF));
        }
    }
    return den_buffer_status(out, "tokenizer: base64", err);
}
