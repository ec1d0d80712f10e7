/* Log: one line an event on standard error, for who runs the program.
 *
 * Only the top logs: the HTTP server and the desk say what happened once it has, libraries return
 * errors. An event is a name and fields, never a sentence, so that a line can be searched for or
 * read by a program:
 *
 * 2026-03-01T12:00:00.000Z info request method=POST path=/v1/chat/completions status=200 ms=812
 * {"time": "2026-...", "level": "info", "event": "request", "method": "POST", ...}
 *
 * What people write and what models answer is never a field, at any level; nor is a token. A line
 * is written by one call, so that lines of several threads don't mix. Who does not read the log
 * must not stop the program: a line that finds the pipe full is dropped, and the next line that
 * gets through follows one that counts the dropped, `warning log_lost lines=N`. */
#ifndef DEN_BASE_LOG_H
#define DEN_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum den_log_level { DEN_LOG_NONE, DEN_LOG_ERROR, DEN_LOG_WARNING, DEN_LOG_INFO, DEN_LOG_DEBUG };

struct den_log_field {
    const char *name;
    const char *text; /* NULL: `number` counts */
    double number;
};

/* Until it is called, nothing is logged. Not while other threads log. */
void den_log_start(enum den_log_level level, bool json, int fd);
bool den_log_wants(enum den_log_level level);
void den_log(enum den_log_level level, const char *event, const struct den_log_field *fields,
             size_t count);

#endif
