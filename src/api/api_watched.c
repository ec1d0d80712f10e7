/* /api/watched: folders of this machine whose files are in the library. Which ones, only an
 * administrator decides. */
#include "api/api_documents.h"
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/library.h"
#include "desk/watched.h"

static struct den_watched *watched_of(const struct den_request *request)
{
    return den_library_watched(den_desk_library(den_request_desk(request)));
}

enum MHD_Result den_route_watched_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list = NULL;

    den_watched_list(watched_of(request), &list, &err);
    return den_reply_result(request, MHD_HTTP_OK, list, &err);
}

enum MHD_Result den_route_watched_add(struct den_request *request)
{
    json_t *fields = NULL, *folder = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_watched_add(watched_of(request), fields, &folder, &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, folder, &err);
}

enum MHD_Result den_route_watched_remove(struct den_request *request)
{
    struct den_error err = { 0 };

    den_watched_remove(watched_of(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
