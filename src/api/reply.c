/* See reply.h. */
#include "api/reply.h"

#include <string.h>
#include <time.h>

/* Nothing that is not the page's own: no other host, no inline script, no frame around it. */
static const char policy[] = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; "
                             "frame-ancestors 'none'; form-action 'none'; object-src 'none'";

static const char *code_of(const struct den_error *error)
{
    switch (error->status) {
    case DEN_CONTEXT_FULL:
        return "context_length_exceeded";
    case DEN_UNAUTHORIZED:
        return "invalid_api_key";
    case DEN_BUSY:
        return "rate_limit_exceeded";
    case DEN_NOT_FOUND:
        return "not_found";
    case DEN_TOO_LARGE:
        return "request_too_large";
    case DEN_UNSUPPORTED:
        return "unsupported_value";
    default:
        return NULL;
    }
}

/* "'messages[0].role' must be ..." names messages[0].role. */
static json_t *parameter_of(const struct den_error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.[]";
    const char *text = error->message;
    size_t length;

    if (error->status == DEN_CONTEXT_FULL && *text != '\'')
        return json_string("messages");
    if (*text++ != '\'')
        return json_null();
    length = strspn(text, allowed);
    return length > 0 && text[length] == '\'' ? json_stringn(text, length) : json_null();
}

json_t *den_error_json(const struct den_error *error, const char *code)
{
    const char *named = code ? code : code_of(error);
    json_t *message = json_string(error->message);

    if (!message) /* bytes from outside that are no UTF-8 */
        message = json_string(den_status_text(error->status));
    return json_pack("{s:{s:o, s:s, s:o, s:s?}}", "error", "message", message, "type",
                     den_status_type(error->status), "param", parameter_of(error), "code", named);
}

json_t *den_time_json(int64_t unix_time)
{
    const time_t seconds = (time_t)unix_time;
    struct tm parts;
    char text[40] = "";

    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value); /* fails only without memory: then it is absent
                                                     */
}

enum MHD_Result den_reply_queue(struct den_request *request, unsigned http,
                                struct MHD_Response *response, const char *cache)
{
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    request->http = http;
    add_header(response, "Cache-Control", cache);
    if (!MHD_get_response_header(response, "Content-Security-Policy")) /* a file's is stricter */
        add_header(response, "Content-Security-Policy", policy);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Referrer-Policy", "no-referrer");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (*request->cookie)
        add_header(response, "Set-Cookie", request->cookie);
    result = MHD_queue_response(request->connection, http, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result den_reply_json(struct den_request *request, unsigned http, json_t *value)
{
    struct den_buffer text;
    struct den_error err = { 0 };
    struct MHD_Response *response;
    char allow[DEN_ROUTE_ALLOW_BYTES];

    den_buffer_init(&text, DEN_HTTP_REPLY_BYTES_MAX);
    if (!value || den_json_show(value, &text, &err) != DEN_OK) {
        json_decref(value);
        den_buffer_deinit(&text);
        return MHD_NO; /* out of memory: the connection closes */
    }
    json_decref(value);
    den_buffer_append_byte(&text, '\n');
    response = MHD_create_response_from_buffer(text.length, text.data, MHD_RESPMEM_MUST_COPY);
    den_buffer_deinit(&text);
    if (!response)
        return MHD_NO;
    add_header(response, "Content-Type", "application/json");
    if (http == 401)
        add_header(response, "WWW-Authenticate", "Bearer");
    if (http == 429)
        add_header(response, "Retry-After", "1");
    if (http == 405 && request->route) {
        den_route_allow(request->route, allow);
        add_header(response, "Allow", allow);
    }
    return den_reply_queue(request, http, response, "no-store");
}

static json_t *openai_shape(unsigned http, const struct den_error *error, const char *code)
{
    (void)http;
    return den_error_json(error, code);
}

den_error_shape den_reply_shape(const struct den_request *request)
{
    return request->route && request->route->error ? request->route->error : openai_shape;
}

enum MHD_Result den_reply_error(struct den_request *request, const struct den_error *error,
                                const char *code)
{
    unsigned http = (unsigned)den_status_http(error->status);

    if (error->status == DEN_CANCELLED) /* by the server's own stop; a client's would not be here */
        http = 503;
    return den_reply_json(request, http, den_reply_shape(request)(http, error, code));
}
