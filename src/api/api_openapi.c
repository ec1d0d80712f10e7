/* GET /openapi.json: the description of all that is served, for people's tools and for tests. */
#include "api/openapi_data.h"
#include "api/reply.h"
#include "api/routes.h"

enum MHD_Result den_route_openapi(struct den_request *request)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        den_openapi_bytes, (void *)den_openapi_data, MHD_RESPMEM_PERSISTENT);

    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-cache");
}
