/* GET /v1/models and /v1/models/{id}: OpenAI's model objects, with a "den" object of what this
 * machine knows about each; Anthropic's for its clients, which send a header of their own. */
#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "desk/workspaces.h"

/* What is known only of a model that was loaded once is left out of the others' objects. */
static json_t *model_json(const struct den_roster_entry *entry)
{
    const struct den_worker_info *info = entry->info;
    json_t *den = json_pack("{s:s, s:I}", "role", den_roster_role_text(entry->role), "parameters",
                            (json_int_t)entry->parameters);

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

static bool is_anthropic(const struct den_request *request)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "anthropic-version");
}

static json_t *shape(const struct den_request *request, const struct den_roster_entry *entry)
{
    if (!is_anthropic(request))
        return model_json(entry);
    return json_pack("{s:s, s:s, s:s, s:o}", "type", "model", "id", entry->name, "display_name",
                     *entry->title ? entry->title : entry->name, "created_at",
                     den_time_json(entry->modified_at));
}

static json_t *workspace_json(const json_t *workspace)
{
    return json_pack(
        "{s:o, s:s, s:I, s:s, s:{s:s, s:O}}", "id",
        json_sprintf("workspace:%s", json_string_value(json_object_get(workspace, "name"))),
        "object", "model", "created",
        json_integer_value(json_object_get(workspace, "created")) / 1000, "owned_by", "den", "den",
        "role", "workspace", "workspace", json_object_get(workspace, "id"));
}

/* A workspace is asked like a model, and answers from its documents. */
static void add_workspaces(const struct den_request *request, json_t *list)
{
    struct den_error ignored = { 0 };
    json_t *found = NULL, *workspace;
    size_t i;

    den_workspaces_list(den_desk_threads(den_request_desk(request)), &found, &ignored);
    json_array_foreach(json_object_get(found, "workspaces"), i, workspace)
        json_array_append_new(list, workspace_json(workspace));
    json_decref(found);
}

enum MHD_Result den_route_models(struct den_request *request)
{
    struct den_roster_entry *entries;
    struct den_error err = { 0 };
    json_t *list = json_array(), *reply;
    size_t count, i;

    if (den_roster_list(den_desk_roster(den_request_desk(request)), &entries, &count, &err) !=
        DEN_OK) {
        json_decref(list);
        return den_reply_error(request, &err, NULL);
    }
    for (i = 0; i < count; i++)
        json_array_append_new(list, shape(request, &entries[i]));
    if (is_anthropic(request))
        reply = json_pack("{s:o, s:b, s:s?, s:s?}", "data", list, "has_more", 0, "first_id",
                          count > 0 ? entries[0].name : NULL, "last_id",
                          count > 0 ? entries[count - 1].name : NULL);
    else
        reply = json_pack("{s:s, s:o}", "object", "list", "data", list);
    free(entries);
    if (!is_anthropic(request))
        add_workspaces(request, list);
    return den_reply_json(request, 200, reply);
}

enum MHD_Result den_route_model(struct den_request *request)
{
    static const char prefix[] = "workspace:";
    const char *name = den_request_value(request, 0);
    struct den_roster_entry entry;
    struct den_error err = { 0 };
    json_t *workspace = NULL, *reply;

    if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
        if (den_workspace_by_name(den_desk_threads(den_request_desk(request)),
                                  name + sizeof prefix - 1, &workspace, &err) != DEN_OK)
            return den_reply_error(request, &err, "model_not_found");
        reply = workspace_json(workspace);
        json_decref(workspace);
        return den_reply_json(request, 200, reply);
    }
    if (den_roster_find(den_desk_roster(den_request_desk(request)), den_request_value(request, 0),
                        &entry, &err) != DEN_OK)
        return den_reply_error(request, &err, "model_not_found");
    return den_reply_json(request, 200, shape(request, &entry));
}
