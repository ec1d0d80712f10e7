/* How everything in Den reports failure: one enum, one message, one idiom.
 *
 * A function that can fail returns `enum den_status` and takes `struct den_error *err` last. On
 * failure it calls den_fail(), which fills the error and returns the status, so that `return
 * den_fail(...)` is the whole story. The error is owned by the caller, is never NULL inside the
 * library and holds DEN_OK (`= { 0 }`) when a call begins. Out-parameters are written on success
 * only. The table below is the single source of each status's text, HTTP code, exit code and OpenAI
 * error type. */
#ifndef DEN_BASE_STATUS_H
#define DEN_BASE_STATUS_H

#include <stdarg.h>

#include "base/limits.h"

/* X(name, text, HTTP code, exit code, OpenAI "type") */
#define DEN_STATUS_TABLE(X)                                                                        \
    X(OK, "ok", 200, 0, "")                                                                        \
    X(INVALID, "invalid argument", 400, 2, "invalid_request_error")                                \
    X(NOT_FOUND, "not found", 404, 3, "invalid_request_error")                                     \
    X(UNAUTHORIZED, "not authorized", 401, 4, "authentication_error")                              \
    X(FORBIDDEN, "forbidden", 403, 4, "permission_error")                                          \
    X(TOO_LARGE, "too large", 413, 5, "invalid_request_error")                                     \
    X(CONTEXT_FULL, "context length exceeded", 400, 5, "invalid_request_error")                    \
    X(BAD_FILE, "bad file", 422, 6, "invalid_request_error")                                       \
    X(UNSUPPORTED, "unsupported", 400, 7, "invalid_request_error")                                 \
    X(NO_MEMORY, "out of memory", 503, 8, "server_error")                                          \
    X(IO, "input/output error", 500, 9, "server_error")                                            \
    X(BUSY, "busy", 429, 10, "rate_limit_error")                                                   \
    X(IN_USE, "in use", 409, 11, "conflict_error")                                                 \
    X(CANCELLED, "cancelled", 499, 130, "cancelled")                                               \
    X(INTERNAL, "internal error", 500, 70, "server_error")

enum den_status {
#define DEN_STATUS_ENUM(name, text, http, code, type) DEN_##name,
    DEN_STATUS_TABLE(DEN_STATUS_ENUM)
#undef DEN_STATUS_ENUM
        DEN_STATUS_COUNT
};

struct den_error {
    enum den_status status;
    char message[DEN_ERROR_BYTES_MAX]; /* what, where, and what would be right; always terminated */
};

/* Fills `err` and returns `status`. A message that does not fit is cut at a character boundary. */
enum den_status den_fail(struct den_error *err, enum den_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As den_fail(), with ": strerror(errno)" appended. */
enum den_status den_fail_errno(struct den_error *err, enum den_status status, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message already in `err` and returns its status. */
enum den_status den_fail_at(struct den_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *den_status_text(enum den_status status);
int den_status_http(enum den_status status);
int den_status_exit(enum den_status status);
const char *den_status_type(enum den_status status);

#endif
