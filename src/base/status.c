/* See status.h. Messages are formatted into a fixed buffer so that reporting a failure can't itself
 * fail. */
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    int http;
    int exit_code;
    const char *type;
} status_table[DEN_STATUS_COUNT] = {
#define DEN_STATUS_ROW(name, text, http, code, type) [DEN_##name] = { text, http, code, type },
    DEN_STATUS_TABLE(DEN_STATUS_ROW)
#undef DEN_STATUS_ROW
};

/* Cutting at the buffer's end may split a character: step back to where the last whole one ends. */
static void cut_at_character(char *text, size_t capacity)
{
    size_t length = strlen(text);

    if (length + 1 < capacity)
        return;
    while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
        length--;
    if (length > 0 && (unsigned char)text[length - 1] >= 0xC0)
        length--;
    text[length] = '\0';
}

static void format_message(struct den_error *err, const char *format, va_list arguments)
{
    vsnprintf(err->message, sizeof err->message, format, arguments);
    cut_at_character(err->message, sizeof err->message);
}

enum den_status den_fail(struct den_error *err, enum den_status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    err->status = status;
    return status;
}

enum den_status den_fail_errno(struct den_error *err, enum den_status status, const char *format,
                               ...)
{
    const char *reason = strerror(errno);
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", reason);
    cut_at_character(err->message, sizeof err->message);
    err->status = status;
    return status;
}

enum den_status den_fail_at(struct den_error *err, const char *format, ...)
{
    struct den_error inner = *err;
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    format_message(err, format, arguments);
    va_end(arguments);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", inner.message);
    cut_at_character(err->message, sizeof err->message);
    return err->status;
}

const char *den_status_text(enum den_status status)
{
    return status_table[status].text;
}

int den_status_http(enum den_status status)
{
    return status_table[status].http;
}

int den_status_exit(enum den_status status)
{
    return status_table[status].exit_code;
}

const char *den_status_type(enum den_status status)
{
    return status_table[status].type;
}
