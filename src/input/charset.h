/* Charset: bytes of any encoding to UTF-8.
 *
 * Most texts are UTF-8 and stay where they are. What is not is guessed: a byte order mark decides,
 * then whether the whole is valid UTF-8, then whether high bytes come in pairs that are common
 * Chinese characters (GB18030), and what is left is windows-1252, in which every byte means
 * something. */
#ifndef DEN_INPUT_CHARSET_H
#define DEN_INPUT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum den_charset {
    DEN_CHARSET_UTF8,
    DEN_CHARSET_UTF16_LE,
    DEN_CHARSET_UTF16_BE,
    DEN_CHARSET_GB18030,
    DEN_CHARSET_WINDOWS_1252,
    DEN_CHARSET_NAMED /* by a header; places in the original are not known */
};

struct den_decoded {
    const char *text; /* UTF-8, but for strays that the writer replaces */
    size_t length;
    enum den_charset charset;
    const unsigned char *bytes; /* the original, behind its mark */
    size_t skipped;             /* bytes of the mark */
    size_t text_at, byte_at;    /* a place known in both */
    struct den_buffer owned;
};

/* Keeps the converters of common encodings loaded, so that they are there when no file can be
 * opened any more. */
void den_charset_prepare(void);

/* `charset` (of a mail's header, say) may be NULL or unknown: guessed. `bytes` must outlive it. */
enum den_status den_decode(const void *bytes, size_t length, const char *charset,
                           struct den_decoded *out, struct den_error *err);
void den_decoded_free(struct den_decoded *decoded);

/* The byte of the original where the character at `at` of the text begins. Calls go forward. */
size_t den_decoded_source(struct den_decoded *decoded, size_t at);

/* Appends `bytes` as UTF-8; false: the charset is not known. Bytes without meaning become U+FFFD.
 */
bool den_charset_append(struct den_buffer *out, const char *charset, const char *bytes,
                        size_t length);

#endif
