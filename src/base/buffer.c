/* See buffer.h. */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { CAPACITY_MIN = 256 };

static char empty[1]; /* shared by all empty buffers; never written but with its own zero */

void den_buffer_init(struct den_buffer *buffer, size_t length_max)
{
    *buffer = (struct den_buffer){ .data = empty, .length_max = length_max, .status = DEN_OK };
}

void den_buffer_deinit(struct den_buffer *buffer)
{
    if (buffer->capacity > 0)
        free(buffer->data);
    den_buffer_init(buffer, buffer->length_max);
}

static bool fail(struct den_buffer *buffer, enum den_status status)
{
    if (buffer->status == DEN_OK)
        buffer->status = status;
    return false;
}

bool den_buffer_reserve(struct den_buffer *buffer, size_t more)
{
    size_t wanted;
    size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_MIN;
    char *data;

    if (buffer->status != DEN_OK)
        return false;
    if (!den_checked_add(buffer->length, more, &wanted) || wanted > buffer->length_max)
        return fail(buffer, DEN_TOO_LARGE);
    if (wanted < buffer->capacity)
        return true;
    while (capacity <= wanted)
        if (!den_checked_multiply(capacity, 2, &capacity))
            return fail(buffer, DEN_TOO_LARGE);
    data = realloc(buffer->capacity ? buffer->data : NULL, capacity);
    if (!data)
        return fail(buffer, DEN_NO_MEMORY);
    if (buffer->capacity == 0)
        data[0] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool den_buffer_append(struct den_buffer *buffer, const void *bytes, size_t length)
{
    if (!den_buffer_reserve(buffer, length))
        return false;
    if (length > 0)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return true;
}

bool den_buffer_append_text(struct den_buffer *buffer, const char *text)
{
    return den_buffer_append(buffer, text, strlen(text));
}

bool den_buffer_append_byte(struct den_buffer *buffer, char byte)
{
    return den_buffer_append(buffer, &byte, 1);
}

bool den_buffer_appendf(struct den_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int length;
    bool fits = false;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        fail(buffer, DEN_INTERNAL);
    } else if (den_buffer_reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
        fits = true;
    }
    va_end(again);
    va_end(arguments);
    return fits;
}

void den_buffer_clear(struct den_buffer *buffer)
{
    buffer->length = 0;
    buffer->status = DEN_OK;
    if (buffer->capacity > 0)
        buffer->data[0] = '\0';
}

void den_buffer_consume(struct den_buffer *buffer, size_t count)
{
    if (count > buffer->length)
        count = buffer->length;
    if (count == 0)
        return;
    buffer->length -= count;
    memmove(buffer->data, buffer->data + count, buffer->length + 1);
}

char *den_buffer_take(struct den_buffer *buffer)
{
    char *data;

    if (!den_buffer_reserve(buffer, 0)) /* also false after an earlier failure */
        return NULL;
    data = buffer->data;
    buffer->capacity = 0;
    den_buffer_init(buffer, buffer->length_max);
    return data;
}

enum den_status den_buffer_status(const struct den_buffer *buffer, const char *what,
                                  struct den_error *err)
{
    if (buffer->status == DEN_TOO_LARGE)
        return den_fail(err, DEN_TOO_LARGE, "%s: larger than the limit of %zu bytes", what,
                        buffer->length_max);
    if (buffer->status != DEN_OK)
        return den_fail(err, buffer->status, "%s: %s", what, den_status_text(buffer->status));
    return DEN_OK;
}
