/* /api/downloads: the models that are on their way. What is fetched, only an administrator
 * decides; how far it is, everybody may see. */
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/downloads.h"

static struct den_downloads *downloads_of(const struct den_request *request)
{
    return den_desk_downloads(den_request_desk(request));
}

enum MHD_Result den_route_downloads_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list = NULL;

    den_downloads_list(downloads_of(request), &list, &err);
    return den_reply_result(request, MHD_HTTP_OK, list, &err);
}

enum MHD_Result den_route_downloads_add(struct den_request *request)
{
    json_t *body = NULL, *download = NULL;
    struct den_error err = { 0 };
    const char *source = NULL;
    bool existed = false;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, "source", &source, &err) == DEN_OK) {
        if (!source || !*source)
            den_fail(&err, DEN_INVALID,
                     "'source' is missing: a model's name, hf:owner/repo or the "
                     "address of a GGUF file");
        else
            den_downloads_add(downloads_of(request), source, &download, &existed, &err);
    }
    json_decref(body);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, download, &err);
}

enum MHD_Result den_route_download_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *download = NULL;

    den_downloads_get(downloads_of(request), den_request_value(request, 0), &download, &err);
    return den_reply_result(request, MHD_HTTP_OK, download, &err);
}

enum MHD_Result den_route_download_change(struct den_request *request)
{
    json_t *body = NULL, *download = NULL;
    struct den_error err = { 0 };
    const char *state = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, "state", &state, &err) == DEN_OK)
        den_downloads_set(downloads_of(request), den_request_value(request, 0), state ? state : "",
                          &download, &err);
    json_decref(body);
    return den_reply_result(request, MHD_HTTP_OK, download, &err);
}

enum MHD_Result den_route_download_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_downloads_remove(downloads_of(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
