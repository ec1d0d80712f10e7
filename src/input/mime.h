/* MIME: headers and bodies of mails (RFC 5322, 2045 to 2047), as far as reading needs them. */
#ifndef DEN_INPUT_MIME_H
#define DEN_INPUT_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Where the headers at `text` end; *out_body is where the body begins. */
size_t den_mime_headers(const char *text, size_t length, size_t *out_body);
/* The header `name`, unfolded and with encoded words decoded, in UTF-8, appended to `out`; false:
 * there is none. */
bool den_mime_header(const char *headers, size_t length, const char *name, struct den_buffer *out);
/* The parameter `name` of a header's value ("text/plain; charset=utf-8"), unquoted; RFC 2231's
 * "name*" is decoded. */
bool den_mime_parameter(const char *value, const char *name, struct den_buffer *out);
/* Text with encoded words ("=?utf-8?q?...?=") as UTF-8. */
void den_mime_words(const char *text, size_t length, struct den_buffer *out);
/* A body, decoded: `encoding` is "base64", "quoted-printable" or what means neither. */
void den_mime_decode(const char *encoding, const char *text, size_t length, struct den_buffer *out);

#endif
