/* See log.h. A line is formatted whole and written with one call, so that lines of several threads
 * do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { LINE_BYTES_MAX = 2048 };

static atomic_int level_max = DEN_LOG_INFO;

void den_log_set_level(enum den_log_level level)
{
    atomic_store(&level_max, (int)level);
}

void den_log(enum den_log_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    char message[LINE_BYTES_MAX];
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    va_list arguments;

    if ((int)level > atomic_load(&level_max))
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fprintf(stderr, "%s %s %s\n", stamp, names[level], message);
}
