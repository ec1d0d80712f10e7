/* A little writer of GGUF bytes, so that tests can say exactly what is wrong with a file. It checks
 * nothing but its own room. */
#ifndef DEN_TESTS_TENSOR_GGUF_WRITER_H
#define DEN_TESTS_TENSOR_GGUF_WRITER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WRITER_BYTES_MAX = 8192 };

struct writer {
    unsigned char bytes[WRITER_BYTES_MAX];
    size_t length;
};

/* Appends and returns where the bytes went. */
static inline size_t put_bytes(struct writer *writer, const void *bytes, size_t length)
{
    size_t at = writer->length;

    if (length > sizeof writer->bytes - at)
        abort();
    memcpy(writer->bytes + at, bytes, length);
    writer->length += length;
    return at;
}

static inline size_t put_u32(struct writer *writer, uint32_t value)
{
    return put_bytes(writer, &value, sizeof value);
}

static inline size_t put_u64(struct writer *writer, uint64_t value)
{
    return put_bytes(writer, &value, sizeof value);
}

static inline size_t put_text(struct writer *writer, const char *text)
{
    size_t at = put_u64(writer, strlen(text));

    put_bytes(writer, text, strlen(text));
    return at;
}

/* Returns where the value is. */
static inline size_t put_key_u32(struct writer *writer, const char *name, uint32_t value)
{
    put_text(writer, name);
    put_u32(writer, 4);
    return put_u32(writer, value);
}

static inline void put_header(struct writer *writer, uint64_t tensors, uint64_t keys)
{
    put_bytes(writer, "GGUF", 4);
    put_u32(writer, 3);
    put_u64(writer, tensors);
    put_u64(writer, keys);
}

static inline void pad(struct writer *writer, size_t alignment)
{
    while (writer->length % alignment != 0)
        put_bytes(writer, "", 1);
}

#endif
