/* strftime as Python offers it to templates: local time, English names, %f as microseconds. */
#ifndef DEN_TEXT_JINJA_TIME_H
#define DEN_TEXT_JINJA_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Appends the Unix time `now`; false when it has no calendar date. */
bool den_jinja_format_time(int64_t now, const char *format, size_t length, struct den_buffer *out);

#endif
