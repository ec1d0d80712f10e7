/* Buffer: growable bytes with a ceiling.
 *
 * A buffer is embedded (init/deinit) and remembers its first failure, so that a run of appends
 * needs one check at the end: after out of memory or a passed ceiling, further appends do nothing
 * and den_buffer_status() says which it was. The bytes are always followed by a terminating zero
 * that `length` does not count. Growth doubles: appends cost O(1) amortised. */
#ifndef DEN_BASE_BUFFER_H
#define DEN_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_buffer {
    char *data; /* terminated; "" while empty */
    size_t length;
    size_t capacity; /* of the allocation; 0 while `data` is the static "" */
    size_t length_max;
    enum den_status status;
};

void den_buffer_init(struct den_buffer *buffer, size_t length_max);
void den_buffer_deinit(struct den_buffer *buffer);

bool den_buffer_append(struct den_buffer *buffer, const void *bytes, size_t length);
bool den_buffer_append_text(struct den_buffer *buffer, const char *text);
bool den_buffer_append_byte(struct den_buffer *buffer, char byte);
bool den_buffer_appendf(struct den_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool den_buffer_reserve(struct den_buffer *buffer, size_t more);

/* Forgets the content and any failure, keeps the allocation. */
void den_buffer_clear(struct den_buffer *buffer);
/* Drops the first `count` bytes (at most `length`). */
void den_buffer_consume(struct den_buffer *buffer, size_t count);
/* Hands the allocation to the caller (free() it) and empties the buffer. NULL when out of memory
 * and after any failed append: half a text is not handed out. */
char *den_buffer_take(struct den_buffer *buffer);

/* DEN_OK, or the failure an append met, reported under the name `what`. */
enum den_status den_buffer_status(const struct den_buffer *buffer, const char *what,
                                  struct den_error *err);

#endif
