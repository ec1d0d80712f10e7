/* Log: one line an event, on stderr, written by the top of the program only (library code returns
 * errors instead). A line is "2026-01-31T10:00:00Z level room: message". Message content (prompts,
 * answers, file text) is never logged. */
#ifndef DEN_BASE_LOG_H
#define DEN_BASE_LOG_H

enum den_log_level { DEN_LOG_ERROR, DEN_LOG_WARNING, DEN_LOG_INFO, DEN_LOG_DEBUG };

/* Lines above `level` are dropped; DEN_LOG_INFO at start. */
void den_log_set_level(enum den_log_level level);
void den_log(enum den_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
