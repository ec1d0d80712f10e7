/* Routes: which path and method leads where, as a table.
 *
 * A path is matched segment by segment; "{name}" stands for one segment, "{name*}" at the end for
 * all that is left. What they stood for is in request->values. The first row that matches wins, so
 * fixed paths stand before patterns. */
#ifndef DEN_API_ROUTES_H
#define DEN_API_ROUTES_H

#include "api/http_request.h"
#include "guard/access.h"

typedef enum MHD_Result (*den_route_handler)(struct den_request *request);
/* Takes a piece of a POST's body, which is then not gathered; what it refuses, the request is
 * answered with. The handler follows when all of it was taken. */
typedef enum den_status (*den_route_receiver)(struct den_request *request, const char *bytes,
                                              size_t length, struct den_error *err);
/* The body of an error as the surface's clients expect it; `code` NULL: the status's own. */
typedef json_t *(*den_error_shape)(unsigned http, const struct den_error *error, const char *code);

struct den_route {
    const char *path;
    bool is_open;               /* needs no token */
    enum den_scope scope;       /* what its methods need; nothing said: admin */
    enum den_scope get_scope;   /* what GET needs, where less will do */
    den_error_shape error;      /* NULL: OpenAI's */
    den_route_receiver receive; /* of `post`; NULL: the body is gathered */
    size_t receive_bytes_max;   /* 0: DEN_DOCUMENT_BYTES_MAX */
    den_route_handler get, post, put, patch, remove; /* HEAD goes to `get`; NULL: 405 */
};

/* NULL: no such path. */
const struct den_route *den_route_find(const char *path, struct den_route_values *out_values);
/* The right that a method of the route needs: here, and nowhere else, is it decided. */
enum den_scope den_route_scope(const struct den_route *route, const char *method);
/* The rows of the table in order; NULL past the last. */
const struct den_route *den_route_at(size_t index);

/* "GET, HEAD, POST": what the Allow header says. */
enum { DEN_ROUTE_ALLOW_BYTES = 48 };
void den_route_allow(const struct den_route *route, char out[DEN_ROUTE_ALLOW_BYTES]);

enum MHD_Result den_route_health(struct den_request *request);
enum MHD_Result den_route_models(struct den_request *request);
enum MHD_Result den_route_model(struct den_request *request);
enum MHD_Result den_route_chat(struct den_request *request);
enum MHD_Result den_route_completions(struct den_request *request);
enum MHD_Result den_route_embeddings(struct den_request *request);
enum MHD_Result den_route_openapi(struct den_request *request);
enum MHD_Result den_route_responses(struct den_request *request);
enum MHD_Result den_route_response(struct den_request *request);
enum MHD_Result den_route_response_delete(struct den_request *request);
enum MHD_Result den_route_response_items(struct den_request *request);
enum MHD_Result den_route_server(struct den_request *request);
enum MHD_Result den_route_login(struct den_request *request);
enum MHD_Result den_route_logout(struct den_request *request);
enum MHD_Result den_route_tokens(struct den_request *request);
enum MHD_Result den_route_create_token(struct den_request *request);
enum MHD_Result den_route_revoke_token(struct den_request *request);
enum MHD_Result den_route_activity(struct den_request *request);
enum MHD_Result den_route_downloads_list(struct den_request *request);
enum MHD_Result den_route_downloads_add(struct den_request *request);
enum MHD_Result den_route_download_get(struct den_request *request);
enum MHD_Result den_route_download_change(struct den_request *request);
enum MHD_Result den_route_download_delete(struct den_request *request);
enum MHD_Result den_route_page(struct den_request *request);

#endif
