/* See http_request.h. libmicrohttpd calls den_request_handle() once when the headers are there,
 * then for each piece of the body, then once more at its end; the reply is queued in that last
 * call, so that a client always gets to send what it began. Only a body that announces itself as
 * too large is refused at once. */
#include "api/http_request.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/server_parts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "guard/access.h"
#include "guard/origin.h"

enum { JUDGE_SECONDS = 2 /* a revoked token ends what it has open within so long */ };

static const char *header(const struct den_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

/* --- checks, in this order: who asks, for what, with which right --- */

static enum den_status check_sender(const struct den_request *request, struct den_error *err)
{
    const char *host = header(request, MHD_HTTP_HEADER_HOST);
    const char *origin = header(request, MHD_HTTP_HEADER_ORIGIN);

    if (!den_host_is_allowed(host, request->server->address))
        return den_fail(err, DEN_FORBIDDEN,
                        "the Host header '%.100s' is not this server's; use http://127.0.0.1:%u",
                        host ? host : "", request->server->port);
    if (!den_origin_is_allowed(origin, host))
        return den_fail(err, DEN_FORBIDDEN,
                        "requests from the page '%.100s' are not allowed; only Den's own page may "
                        "send them",
                        origin);
    return DEN_OK;
}

/* A browser says where a request began, also where it sends no Origin: a GET by a picture or a
 * script of another page. Following a link to the page itself is fine. */
static enum den_status check_site(const struct den_request *request, struct den_error *err)
{
    const char *site = header(request, "Sec-Fetch-Site");

    if (!site || (request->route && request->route->is_open) ||
        strcasecmp(site, "same-origin") == 0 || strcasecmp(site, "none") == 0)
        return DEN_OK;
    return den_fail(err, DEN_FORBIDDEN,
                    "requests from other pages (Sec-Fetch-Site: %.40s) are "
                    "not allowed; only Den's own page may send them",
                    site);
}

static enum den_status check_right(struct den_request *request, struct den_error *err)
{
    const struct den_credentials shown = {
        .authorization = header(request, MHD_HTTP_HEADER_AUTHORIZATION),
        .api_key = header(request, "x-api-key"),
        .cookie = header(request, MHD_HTTP_HEADER_COOKIE),
    };
    enum den_scope needed;

    request->scope = DEN_SCOPE_NONE;
    if (request->route && request->route->is_open)
        return DEN_OK;
    if (den_access_judge(request->server->access, &shown, &request->scope, err) != DEN_OK)
        return err->status;
    needed = request->route ? den_route_scope(request->route, request->method) : DEN_SCOPE_READ;
    if (den_scope_allows(request->scope, needed))
        return DEN_OK;
    return den_fail(err, DEN_FORBIDDEN,
                    "%.20s %.100s needs a token with the scope '%s'; this one has '%s'",
                    request->method, request->route->path, den_scope_text(needed),
                    den_scope_text(request->scope));
}

/* A body that goes to the route's receiver, not to memory. */
static bool is_received(const struct den_request *request)
{
    return request->refusal.status == DEN_OK && request->route && request->route->receive &&
           strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;
}

/* Who has shown no token gets little memory. */
static size_t body_bytes_max(const struct den_request *request)
{
    if (is_received(request))
        return request->route->receive_bytes_max ? request->route->receive_bytes_max
                                                 : DEN_DOCUMENT_BYTES_MAX;
    return request->route && request->route->is_open ? DEN_HTTP_OPEN_BODY_BYTES_MAX
                                                     : DEN_HTTP_BODY_BYTES_MAX;
}

static enum den_status check_length(const struct den_request *request, struct den_error *err)
{
    const char *text = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);

    if (text && strtoull(text, NULL, 10) > body_bytes_max(request))
        return den_fail(err, DEN_TOO_LARGE, "the body has %.20s bytes; at most %zu are possible",
                        text, body_bytes_max(request));
    return DEN_OK;
}

static void check_headers(struct den_request *request)
{
    struct den_error *err = &request->refusal;

    if (check_sender(request, err) != DEN_OK || check_site(request, err) != DEN_OK ||
        check_right(request, err) != DEN_OK)
        return;
    if (!request->route)
        den_fail(err, DEN_NOT_FOUND, "there is no route '%.200s'; docs/API.md lists them",
                 den_utf8_is_valid(request->path, strlen(request->path)) ? request->path : "");
}

/* --- dispatch --- */

static bool is_method(const struct den_request *request, const char *method)
{
    return strcmp(request->method, method) == 0;
}

static enum MHD_Result reply_method(struct den_request *request)
{
    struct den_error err = { 0 };

    char allow[DEN_ROUTE_ALLOW_BYTES];

    den_route_allow(request->route, allow);
    den_fail(&err, DEN_INVALID, "%s does not take %.20s; it takes %s", request->path,
             request->method, allow);
    return den_reply_json(request, 405, den_reply_shape(request)(405, &err, "method_not_allowed"));
}

static enum MHD_Result reply_options(struct den_request *request)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    char allow[DEN_ROUTE_ALLOW_BYTES];

    den_route_allow(request->route, allow);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    return den_reply_queue(request, MHD_HTTP_NO_CONTENT, response, "no-store");
}

/* NULL: the route does not take the method. */
static den_route_handler handler_of(const struct den_request *request)
{
    const struct den_route *route = request->route;
    const struct {
        const char *method;
        den_route_handler handler;
    } handlers[] = {
        { MHD_HTTP_METHOD_GET, route->get },     { MHD_HTTP_METHOD_HEAD, route->get },
        { MHD_HTTP_METHOD_POST, route->post },   { MHD_HTTP_METHOD_PUT, route->put },
        { MHD_HTTP_METHOD_PATCH, route->patch }, { MHD_HTTP_METHOD_DELETE, route->remove },
    };
    size_t i;

    for (i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (is_method(request, handlers[i].method))
            return handlers[i].handler;
    return NULL;
}

static enum MHD_Result dispatch(struct den_request *request)
{
    den_route_handler handler;
    struct den_error err = { 0 };

    if (request->refusal.status != DEN_OK)
        return den_reply_error(request, &request->refusal, NULL);
    if (is_method(request, MHD_HTTP_METHOD_OPTIONS))
        return reply_options(request);
    handler = handler_of(request);
    if (!handler)
        return reply_method(request);
    if (request->discarded > 0 || request->body.status == DEN_TOO_LARGE) {
        den_fail(&err, DEN_TOO_LARGE, "the body is larger than %zu bytes", body_bytes_max(request));
        return den_reply_error(request, &err, NULL);
    }
    if (den_buffer_status(&request->body, "request", &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return handler(request);
}

/* --- reading --- */

static enum MHD_Result begin(struct den_server *server, struct MHD_Connection *connection,
                             const char *url, const char *method, void **state)
{
    struct den_request *request = calloc(1, sizeof *request);
    struct den_error err = { 0 };

    if (!request)
        return MHD_NO;
    *state = request;
    request->server = server;
    request->connection = connection;
    request->method = method;
    request->path = url;
    request->began = request->judged = den_clock_seconds();
    request->route = den_route_find(url, &request->values);
    den_buffer_init(&request->body, DEN_HTTP_BODY_BYTES_MAX);
    check_headers(request);
    if (check_length(request, &err) != DEN_OK)
        return den_reply_error(request,
                               request->refusal.status != DEN_OK ? &request->refusal : &err, NULL);
    return MHD_YES;
}

/* What a refused request sends is read and dropped. */
static enum MHD_Result take_body(struct den_request *request, const char *data, size_t length)
{
    if (is_received(request) && request->discarded == 0 &&
        request->route->receive(request, data, length, &request->refusal) == DEN_OK) {
        request->received_bytes += length;
        return MHD_YES;
    }
    if (request->refusal.status == DEN_OK && request->discarded == 0 &&
        request->body.length + length <= body_bytes_max(request)) {
        den_buffer_append(&request->body, data, length);
        return MHD_YES;
    }
    den_buffer_deinit(&request->body);
    request->discarded += length;
    return request->discarded <= DEN_HTTP_BODY_BYTES_MAX ? MHD_YES : MHD_NO;
}

enum MHD_Result den_request_handle(void *context, struct MHD_Connection *connection,
                                   const char *url, const char *method, const char *version,
                                   const char *data, size_t *data_length, void **state)
{
    struct den_request *request = *state;
    enum MHD_Result result;

    (void)version;
    if (!request)
        return begin(context, connection, url, method, state);
    if (*data_length > 0) {
        result = take_body(request, data, *data_length);
        *data_length = 0;
        return result;
    }
    den_server_mark(context, socket_of(connection), true);
    return dispatch(request);
}

/* One line a request. The path has no query, whose words may be somebody's. */
static void log_request(const struct den_request *request)
{
    const struct den_log_field fields[] = {
        { "method", request->method, 0 },
        { "path", request->path, 0 },
        { "status", NULL, request->http },
        { "ms", NULL, (double)(long)((den_clock_seconds() - request->began) * 1000) },
        { "bytes_in", NULL,
          (double)(request->body.length + request->received_bytes + request->discarded) },
        { "scope", den_scope_text(request->scope), 0 },
    };
    enum den_log_level level = request->http >= 500                           ? DEN_LOG_ERROR
                               : request->http == 401 || request->http == 403 ? DEN_LOG_WARNING
                                                                              : DEN_LOG_INFO;

    den_log(level, "request", fields, sizeof fields / sizeof fields[0]);
}

void den_request_completed(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code)
{
    struct den_request *request = *state;

    (void)code;
    if (!request)
        return;
    den_server_mark(context, socket_of(connection), false);
    den_metrics_count(request->server->metrics, request->route, request->http,
                      den_clock_seconds() - request->began);
    log_request(request);
    den_buffer_deinit(&request->body);
    if (request->received)
        request->drop_received(request->received);
    free(request);
    *state = NULL;
}

/* --- for the routes --- */

struct den_desk *den_request_desk(const struct den_request *request)
{
    return request->server->desk;
}

const char *den_request_value(const struct den_request *request, size_t index)
{
    return request->values.text[index];
}

const char *den_request_header(const struct den_request *request, const char *name)
{
    return header(request, name);
}

const char *den_request_query(const struct den_request *request, const char *key)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, key);
}

enum den_status den_request_limit(const struct den_request *request, size_t most, size_t *out,
                                  struct den_error *err)
{
    const char *text = den_request_query(request, "limit");
    unsigned long limit;
    char *end;

    if (!text)
        return DEN_OK;
    errno = 0;
    limit = strtoul(text, &end, 10);
    if (errno || *end || *text < '0' || *text > '9' || limit == 0)
        return den_fail(err, DEN_INVALID, "'limit' must be a number from 1 to %zu", most);
    *out = limit < most ? limit : most;
    return DEN_OK;
}

enum den_status den_request_json(const struct den_request *request, json_t **out,
                                 struct den_error *err)
{
    json_t *body;

    if (request->body.length == 0)
        return den_fail(err, DEN_INVALID, "the body is empty; it must be a JSON object");
    if (den_json_parse(request->body.data, request->body.length, "body", &body, err) != DEN_OK)
        return err->status;
    if (!json_is_object(body)) {
        json_decref(body);
        return den_fail(err, DEN_INVALID, "the body must be a JSON object");
    }
    *out = body;
    return DEN_OK;
}

/* Whoever has lost the right to what is still being sent gets no more of it. */
static bool has_right_still(struct den_request *request)
{
    struct den_error ignored = { 0 };
    const enum den_scope scope = request->scope;
    bool has_right;

    if (den_clock_seconds() < request->judged + JUDGE_SECONDS)
        return true;
    request->judged = den_clock_seconds();
    has_right = check_right(request, &ignored) == DEN_OK;
    request->scope = scope; /* the log tells of the right that it began with */
    return has_right;
}

enum den_wait den_request_wait(struct den_request *request, int event_fd, int seconds)
{
    struct den_server *server = request->server;
    struct pollfd fds[3] = { { .fd = event_fd, .events = POLLIN },
                             { .fd = socket_of(request->connection), .events = POLLRDHUP },
                             { .fd = server->stop_fd, .events = POLLIN } };
    const double until = den_clock_seconds() + seconds;
    int ready, left;
    bool may;

    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    do {
        left = seconds < 0 ? JUDGE_SECONDS : (int)(until - den_clock_seconds() + 1);
        ready = poll(fds, 3, (left < JUDGE_SECONDS ? left : JUDGE_SECONDS) * 1000);
        may = has_right_still(request);
    } while (may && ((ready < 0 && errno == EINTR) ||
                     (ready == 0 && (seconds < 0 || den_clock_seconds() < until))));
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)DEN_HTTP_IDLE_SECONDS_MAX);
    if (!may || ready < 0 || fds[1].revents || fds[2].revents)
        return DEN_WAIT_GONE;
    return fds[0].revents ? DEN_WAIT_READY : DEN_WAIT_TIMEOUT;
}
