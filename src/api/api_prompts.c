/* /api/folders, /api/prompts and /api/settings: the small things people keep. */
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/folders.h"
#include "desk/settings.h"

static enum MHD_Result list(struct den_request *request, enum den_shelf shelf)
{
    struct den_error err = { 0 };
    json_t *items = NULL;

    den_shelf_list(den_request_threads(request), shelf, &items, &err);
    return den_reply_result(request, MHD_HTTP_OK, items, &err);
}

static enum MHD_Result add(struct den_request *request, enum den_shelf shelf)
{
    json_t *fields = NULL, *item = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_shelf_add(den_request_threads(request), shelf, fields, &item, &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, item, &err);
}

static enum MHD_Result change(struct den_request *request, enum den_shelf shelf)
{
    json_t *fields = NULL, *item = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_shelf_change(den_request_threads(request), shelf, den_request_value(request, 0), fields,
                         &item, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, item, &err);
}

static enum MHD_Result erase(struct den_request *request, enum den_shelf shelf)
{
    struct den_error err = { 0 };

    den_shelf_delete(den_request_threads(request), shelf, den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_folders_list(struct den_request *request)
{
    return list(request, DEN_SHELF_FOLDERS);
}

enum MHD_Result den_route_folders_add(struct den_request *request)
{
    return add(request, DEN_SHELF_FOLDERS);
}

enum MHD_Result den_route_folder_change(struct den_request *request)
{
    return change(request, DEN_SHELF_FOLDERS);
}

enum MHD_Result den_route_folder_delete(struct den_request *request)
{
    return erase(request, DEN_SHELF_FOLDERS);
}

enum MHD_Result den_route_prompts_list(struct den_request *request)
{
    return list(request, DEN_SHELF_PROMPTS);
}

enum MHD_Result den_route_prompts_add(struct den_request *request)
{
    return add(request, DEN_SHELF_PROMPTS);
}

enum MHD_Result den_route_prompt_change(struct den_request *request)
{
    return change(request, DEN_SHELF_PROMPTS);
}

enum MHD_Result den_route_prompt_delete(struct den_request *request)
{
    return erase(request, DEN_SHELF_PROMPTS);
}

enum MHD_Result den_route_settings_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *settings = NULL;

    den_settings_get(den_request_threads(request), &settings, &err);
    return den_reply_result(request, MHD_HTTP_OK, settings, &err);
}

enum MHD_Result den_route_settings_change(struct den_request *request)
{
    json_t *changes = NULL, *settings = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &changes, &err) == DEN_OK)
        den_settings_change(den_request_threads(request), changes, &settings, &err);
    json_decref(changes);
    return den_reply_result(request, MHD_HTTP_OK, settings, &err);
}
