/* GET /v1/models and /v1/models/{id}: OpenAI's model objects, with a "den" object of what this
 * machine knows about each. */
#include <stdlib.h>

#include "api/reply.h"
#include "api/routes.h"

/* What is known only of a model that was loaded once is left out of the others' objects. */
static json_t *model_json(const struct den_roster_entry *entry)
{
    const struct den_worker_info *info = entry->info;
    json_t *den =
        json_pack("{s:s, s:I}", "role", entry->role == DEN_WORKER_EMBEDDING ? "embedding" : "chat",
                  "parameters", (json_int_t)entry->parameters);

    if (info)
        json_object_update_new(den, json_pack("{s:s, s:s, s:I, s:I, s:i, s:s}", "architecture",
                                              info->architecture, "description", info->description,
                                              "context_tokens", (json_int_t)info->context_tokens,
                                              "vocabulary", (json_int_t)info->vocabulary, "threads",
                                              info->threads, "cpu_features",
                                              info->cpu_features ? info->cpu_features : ""));
    return json_pack("{s:s, s:s, s:I, s:s, s:o}", "id", entry->name, "object", "model", "created",
                     (json_int_t)entry->modified_at, "owned_by", "den", "den", den);
}

enum MHD_Result den_route_models(struct den_request *request)
{
    struct den_roster_entry *entries;
    struct den_error err = { 0 };
    json_t *list = json_array();
    size_t count, i;

    if (den_roster_list(den_desk_roster(den_request_desk(request)), &entries, &count, &err) !=
        DEN_OK) {
        json_decref(list);
        return den_reply_error(request, &err, NULL);
    }
    for (i = 0; i < count; i++)
        json_array_append_new(list, model_json(&entries[i]));
    free(entries);
    return den_reply_json(request, 200, json_pack("{s:s, s:o}", "object", "list", "data", list));
}

enum MHD_Result den_route_model(struct den_request *request)
{
    struct den_roster_entry entry;
    struct den_error err = { 0 };

    if (den_roster_find(den_desk_roster(den_request_desk(request)), den_request_value(request, 0),
                        &entry, &err) != DEN_OK)
        return den_reply_error(request, &err, "model_not_found");
    return den_reply_json(request, 200, model_json(&entry));
}
