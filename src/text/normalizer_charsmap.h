/* Charsmap: SentencePiece's precompiled normalization rules.
 *
 * A blob of a little-endian u32 (bytes of the trie), a Darts double-array trie of u32 units, and
 * NUL-terminated replacement strings that the trie's values point into. Every index of a walk is
 * checked against the blob, which is untrusted. */
#ifndef DEN_TEXT_NORMALIZER_CHARSMAP_H
#define DEN_TEXT_NORMALIZER_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

struct den_charsmap;

/* Copies the blob. */
enum den_status den_charsmap_create(const char *blob, size_t bytes, struct den_charsmap **out,
                                    struct den_error *err);
void den_charsmap_destroy(struct den_charsmap *map);

/* The replacement of the longest (or, with `shortest`, the shortest) rule that `text` begins with:
 * its bytes in *out_used, 0 where there is none. *out_text is NUL-terminated. */
void den_charsmap_match(const struct den_charsmap *map, const char *text, size_t length,
                        bool shortest, size_t *out_used, const char **out_text);

/* Appends the bytes that `text` (base64) stands for. */
enum den_status den_base64_decode(const char *text, size_t length, struct den_buffer *out,
                                  struct den_error *err);

#endif
