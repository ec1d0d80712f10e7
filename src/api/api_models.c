/* GET /v1/models and /v1/models/{id}: OpenAI's model objects, with a "den" object of what this
 * machine knows about each. */
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"

static json_t *model_json(const struct den_desk_model *model)
{
    const struct den_worker_info *info = model->info;

    return json_pack("{s:s, s:s, s:I, s:s, s:{s:s, s:s, s:I, s:I, s:I, s:i, s:s}}", "id",
                     model->name, "object", "model", "created", (json_int_t)model->loaded_at,
                     "owned_by", "den", "den", "architecture", info->architecture, "description",
                     info->description, "context_tokens", (json_int_t)info->context_tokens,
                     "parameters", (json_int_t)info->parameters, "vocabulary",
                     (json_int_t)info->vocabulary, "threads", info->threads, "cpu_features",
                     info->cpu_features ? info->cpu_features : "");
}

enum MHD_Result den_route_models(struct den_request *request)
{
    const struct den_desk *desk = den_request_desk(request);
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < den_desk_model_count(desk); i++)
        json_array_append_new(list, model_json(den_desk_model(desk, i)));
    return den_reply_json(request, 200, json_pack("{s:s, s:o}", "object", "list", "data", list));
}

enum MHD_Result den_route_model(struct den_request *request)
{
    const struct den_desk_model *model;
    struct den_error err = { 0 };

    if (den_desk_find_model(den_request_desk(request), request->path + strlen("/v1/models/"),
                            &model, &err) != DEN_OK)
        return den_reply_error(request, &err, "model_not_found");
    return den_reply_json(request, 200, model_json(model));
}
