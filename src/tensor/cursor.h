/* Cursor: the only way in which the GGUF reader touches a file's bytes.
 *
 * A cursor walks over a bounded span. Each read checks what is left first and returns false, having
 * moved nothing, where the span ends too early. Values are copied out, so nothing needs to be
 * aligned. */
#ifndef DEN_TENSOR_CURSOR_H
#define DEN_TENSOR_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct den_cursor {
    const unsigned char *data;
    size_t bytes;
    size_t at; /* <= bytes */
};

static inline size_t den_cursor_left(const struct den_cursor *cursor)
{
    return cursor->bytes - cursor->at;
}

/* *out points at the next `count` bytes, which are then passed. */
static inline bool den_cursor_take(struct den_cursor *cursor, uint64_t count,
                                   const unsigned char **out)
{
    if (count > den_cursor_left(cursor))
        return false;
    *out = cursor->data + cursor->at;
    cursor->at += (size_t)count;
    return true;
}

static inline bool den_cursor_u32(struct den_cursor *cursor, uint32_t *out)
{
    const unsigned char *bytes;

    if (!den_cursor_take(cursor, sizeof *out, &bytes))
        return false;
    memcpy(out, bytes, sizeof *out);
    return true;
}

static inline bool den_cursor_u64(struct den_cursor *cursor, uint64_t *out)
{
    const unsigned char *bytes;

    if (!den_cursor_take(cursor, sizeof *out, &bytes))
        return false;
    memcpy(out, bytes, sizeof *out);
    return true;
}

#endif
