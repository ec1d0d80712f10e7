/* POST /api/search: passages, with all that led to each. */
#include "api/api_threads.h"
#include "api/api_workspaces.h"
#include "api/reply.h"
#include "desk/retrieval.h"

enum MHD_Result den_route_search(struct den_request *request)
{
    struct den_desk *desk = den_request_desk(request);
    json_t *fields = NULL, *found = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_retrieval_answer(den_desk_retrieval(desk), den_desk_threads(desk), fields, &found,
                             &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, found, &err);
}
