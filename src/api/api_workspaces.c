/* /api/workspaces, and the documents of each and of a thread. */
#include "api/api_workspaces.h"

#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/workspaces.h"

enum MHD_Result den_route_workspaces_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list = NULL;

    den_workspaces_list(den_request_threads(request), &list, &err);
    return den_reply_result(request, MHD_HTTP_OK, list, &err);
}

enum MHD_Result den_route_workspaces_create(struct den_request *request)
{
    json_t *fields = NULL, *workspace = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_workspace_create(den_request_threads(request), fields, &workspace, &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, workspace, &err);
}

enum MHD_Result den_route_workspace_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *workspace = NULL;

    den_workspace_get(den_request_threads(request), den_request_value(request, 0), &workspace,
                      &err);
    return den_reply_result(request, MHD_HTTP_OK, workspace, &err);
}

/* Handlers whose body is an object and whose first {name} an id. */
typedef enum den_status (*changer)(struct den_threads *threads, const char *id,
                                   const json_t *fields, json_t **out, struct den_error *err);

static enum MHD_Result change(struct den_request *request, changer function)
{
    json_t *fields = NULL, *changed = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        function(den_request_threads(request), den_request_value(request, 0), fields, &changed,
                 &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, changed, &err);
}

enum MHD_Result den_route_workspace_change(struct den_request *request)
{
    return change(request, den_workspace_change);
}

enum MHD_Result den_route_workspace_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_workspace_delete(den_request_threads(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

/* --- documents --- */

enum MHD_Result den_route_workspace_documents(struct den_request *request)
{
    struct den_workspace_document_list list = { .before = den_request_query(request, "before"),
                                                .words = den_request_query(request, "q"),
                                                .state = den_request_query(request, "state") };
    struct den_error err = { 0 };
    json_t *found = NULL;

    if (den_request_limit(request, DEN_PAGE_THREADS_MAX, &list.limit, &err) == DEN_OK)
        den_workspace_documents(den_request_threads(request), den_request_value(request, 0), &list,
                                &found, &err);
    return den_reply_result(request, MHD_HTTP_OK, found, &err);
}

enum MHD_Result den_route_workspace_link(struct den_request *request)
{
    return change(request, den_workspace_link);
}

enum MHD_Result den_route_workspace_pin(struct den_request *request)
{
    json_t *fields = NULL, *changed = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_workspace_pin(den_request_threads(request), den_request_value(request, 0),
                          den_request_value(request, 1), fields, &changed, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, changed, &err);
}

enum MHD_Result den_route_workspace_unlink(struct den_request *request)
{
    struct den_error err = { 0 };

    den_workspace_unlink(den_request_threads(request), den_request_value(request, 0),
                         den_request_value(request, 1), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_thread_attach(struct den_request *request)
{
    return change(request, den_thread_attach);
}

enum MHD_Result den_route_thread_detach(struct den_request *request)
{
    struct den_error err = { 0 };

    den_thread_detach(den_request_threads(request), den_request_value(request, 0),
                      den_request_value(request, 1), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
