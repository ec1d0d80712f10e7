/* GET / and the page's files: gzipped in the program, revalidated by ETag. */
#include <string.h>

#include "api/assets.h"
#include "api/reply.h"
#include "api/routes.h"

/* If-None-Match is a list of tags, each perhaps weak (W/"..."), or "*". */
static bool has_tag(const char *list, const char *etag)
{
    return list && (strcmp(list, "*") == 0 || strstr(list, etag) != NULL);
}

enum MHD_Result den_route_page(struct den_request *request)
{
    const struct den_asset *asset = den_asset_find(request->path);
    const char *known = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_IF_NONE_MATCH);
    struct MHD_Response *response;
    unsigned http = 200;

    if (has_tag(known, asset->etag)) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        http = 304;
    } else {
        response = MHD_create_response_from_buffer(asset->bytes, (void *)asset->data,
                                                   MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        return MHD_NO;
    if (http == 200) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->content_type);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, asset->etag);
    return den_reply_queue(request, http, response, "no-cache");
}
