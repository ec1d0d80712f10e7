/* Replies: JSON bodies and errors, with the headers that every reply has. */
#ifndef DEN_API_REPLY_H
#define DEN_API_REPLY_H

#include "api/routes.h"

/* Sends `value` as JSON and frees it. */
enum MHD_Result den_reply_json(struct den_request *request, unsigned http, json_t *value);
/* The error in the shape of the route's surface; `code` NULL: the status's own. */
enum MHD_Result den_reply_error(struct den_request *request, const struct den_error *error,
                                const char *code);
/* Adds the security headers and `Cache-Control` and queues `response`, which it releases. */
enum MHD_Result den_reply_queue(struct den_request *request, unsigned http,
                                struct MHD_Response *response, const char *cache);

/* The shape that errors of this request have; OpenAI's where the route says nothing else. */
den_error_shape den_reply_shape(const struct den_request *request);

/* "2026-01-31T12:00:00Z" */
json_t *den_time_json(int64_t unix_time);

/* OpenAI's: {"error": {message, type, param, code}}. The parameter is what the message names in
 * quotes at its start. */
json_t *den_error_json(const struct den_error *error, const char *code);

#endif
