/* Request: one HTTP request from its first header to its reply. */
#ifndef DEN_API_HTTP_REQUEST_H
#define DEN_API_HTTP_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/json.h"
#include "desk/desk.h"
#include "guard/access.h"

struct den_server;
struct den_route;

/* What the {names} in a route's path stood for, in order. */
struct den_route_values {
    char text[2][DEN_ROUTE_VALUE_BYTES_MAX];
};

struct den_request {
    struct den_server *server;
    struct MHD_Connection *connection;
    const char *method;
    const char *path; /* decoded, without the query */
    struct den_buffer body;
    void *received; /* what the route's receiver made of the body */
    void (*drop_received)(void *received);
    size_t received_bytes;
    size_t discarded;              /* body bytes beyond the limit, read only to be able to answer */
    struct den_error refusal;      /* not DEN_OK: the request is answered with this */
    const struct den_route *route; /* NULL: none */
    struct den_route_values values;
    enum den_scope scope;                     /* the right that its sender has */
    char cookie[DEN_ACCESS_COOKIE_BYTES_MAX]; /* the reply's Set-Cookie; "": none */
    double began;                             /* den_clock_seconds() */
    double judged;                            /* when its right was looked at last */
    unsigned http;                            /* the status of the reply; 0: none was queued */
};

/* libmicrohttpd's callbacks; `context` is the server. */
enum MHD_Result den_request_handle(void *context, struct MHD_Connection *connection,
                                   const char *url, const char *method, const char *version,
                                   const char *data, size_t *data_length, void **state);
void den_request_completed(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code);

struct den_desk *den_request_desk(const struct den_request *request);
/* The body as a JSON object; the caller owns it. */
enum den_status den_request_json(const struct den_request *request, json_t **out,
                                 struct den_error *err);

/* The part of the path that the route's first (0) or second (1) {name} stood for. */
const char *den_request_value(const struct den_request *request, size_t index);
/* The value of a header; NULL: absent. */
const char *den_request_header(const struct den_request *request, const char *name);
/* ?key=value, decoded; NULL: absent. */
const char *den_request_query(const struct den_request *request, const char *key);
/* ?limit=, the length of one page of a list, at most `most`; stays as it is where it is absent. */
enum den_status den_request_limit(const struct den_request *request, size_t most, size_t *out,
                                  struct den_error *err);

/* Waits until `event_fd` is readable (DEN_WAIT_READY), `seconds` have passed, the client has hung
 * up, the server stops or the token that was shown is worth less than the route needs (it was
 * revoked). The connection's own time limit does not run meanwhile. */
enum den_wait { DEN_WAIT_READY, DEN_WAIT_TIMEOUT, DEN_WAIT_GONE };
enum den_wait den_request_wait(struct den_request *request, int event_fd, int seconds);

#endif
