/* UTF-8: decoding that never reads past the end and never trusts its input.
 *
 * An ill-formed sequence decodes as U+FFFD and advances by the length of its maximal well-formed
 * prefix (Unicode 15, section 3.9, "substitution of maximal subparts"), which is what Python,
 * browsers and Rust do. */
#ifndef DEN_BASE_UTF8_H
#define DEN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEN_UTF8_REPLACEMENT 0xFFFDu

/* Decodes one code point of the `length` > 0 bytes at `text`; *out_code gets it. Returns the bytes
 * consumed (>= 1). */
size_t den_utf8_decode(const char *text, size_t length, uint32_t *out_code);

/* Writes `code` (at most 0x10FFFF) to `out` (4 bytes); returns the bytes written. Surrogates become
 * U+FFFD. */
size_t den_utf8_encode(uint32_t code, char out[4]);

bool den_utf8_is_valid(const char *text, size_t length);

/* How many bytes at the end belong to a character that is begun but not finished (0 to 3): those a
 * stream holds back. */
size_t den_utf8_incomplete_tail(const char *text, size_t length);

/* Code points in `text`, each ill-formed subpart counting as one. */
size_t den_utf8_count(const char *text, size_t length);

#endif
