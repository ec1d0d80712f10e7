/* Quoted: a name out of a file, made fit for a message.
 *
 * Names in model files are chosen by strangers. Printed raw they could carry terminal escapes,
 * newlines that forge log lines, or bytes that are no UTF-8 and so break a JSON answer. A quoted
 * name is printable ASCII (anything else becomes '?'), cut after 80 bytes with "...". */
#ifndef DEN_TENSOR_QUOTED_H
#define DEN_TENSOR_QUOTED_H

#include <stddef.h>

struct den_quoted {
    char text[88];
};

/* Use it inside the call: den_fail(err, ..., "tensor '%s'", den_quoted(name, length).text). */
struct den_quoted den_quoted(const char *name, size_t length);

#endif
