/* Server: Den over HTTP. What any OpenAI client expects under /v1, the page under /, and a guard in
 * front of both.
 *
 * One thread a connection, bounded in number (docs/adr/0003-http-threads.md says why). A request is
 * read whole, checked (Host, Origin, token), dispatched by the table in routes.c, and answered at
 * once or as a stream of server-sent events. A client that goes away ends its generation within a
 * token. */
#ifndef DEN_API_SERVER_H
#define DEN_API_SERVER_H

#include <stdint.h>

#include "desk/desk.h"

struct den_server;

struct den_server_options {
    const char *address;   /* numeric, or "localhost"; NULL: 127.0.0.1 */
    uint16_t port;         /* 0: any free one; den_server_port() tells */
    const char *token;     /* NULL: none asked for, which only a loopback address allows */
    struct den_desk *desk; /* must outlive the server */
    const char *tokens;    /* file of the scoped tokens; NULL: there are none */
    const char *home;      /* for GET /api/server; NULL: not told */
    const char *tls_certificate, *tls_key; /* PEM files; both or neither */
};

/* DEN_IN_USE when another program has the port; DEN_FORBIDDEN for an address that others can reach
 * without a token. */
enum den_status den_server_start(const struct den_server_options *options, struct den_server **out,
                                 struct den_error *err);
/* Ends all requests, then all threads. */
void den_server_stop(struct den_server *server);
uint16_t den_server_port(const struct den_server *server);

#endif
