/* /api/memories: what is remembered of the user, which is nothing unless the setting "memory" is
 * true (desk/memories.h). */
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/memories.h"

enum MHD_Result den_route_memories_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list = NULL;

    den_memories_list(den_request_threads(request), &list, &err);
    return den_reply_result(request, MHD_HTTP_OK, list, &err);
}

enum MHD_Result den_route_memories_add(struct den_request *request)
{
    json_t *fields = NULL, *memory = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_memory_add(den_request_threads(request), fields, &memory, &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, memory, &err);
}

enum MHD_Result den_route_memories_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_memories_delete_all(den_request_threads(request), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_memory_change(struct den_request *request)
{
    json_t *fields = NULL, *memory = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_memory_change(den_request_threads(request), den_request_value(request, 0), fields,
                          &memory, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, memory, &err);
}

enum MHD_Result den_route_memory_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_memory_delete(den_request_threads(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
