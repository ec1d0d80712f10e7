/* llama-server's GET /props and /slots. Den has no fixed slots: requests run together as they come
 * and the rest wait in line. What is shown as slots are the requests that run now, and at least one
 * place. Nothing of what people write is shown. */
#include <stdlib.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/reply.h"

/* The chat model that serves requests without a model's name, or the one in ?model=. A reply is an
 * error object where there is none. */
static enum den_status find_model(struct den_request *request, struct den_worker **out,
                                  struct den_error *err)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));

    return den_roster_take(roster, den_request_query(request, "model"), DEN_WORKER_CHAT, out, err);
}

static json_t *slot_json(int index, const struct den_worker_info *info, bool is_processing)
{
    return json_pack("{s:i, s:i, s:I, s:b, s:b, s:{}, s:{s:b, s:b, s:i}}", "id", index, "id_task",
                     is_processing ? index : -1, "n_ctx", (json_int_t)info->context_tokens,
                     "speculative", 0, "is_processing", is_processing, "params", "next_token",
                     "has_next_token", is_processing, "has_new_line", 0, "n_remain", -1);
}

static size_t count_slots(const struct den_worker_status *status)
{
    return status->running > 0 ? status->running : 1;
}

enum MHD_Result den_route_llama_props(struct den_request *request)
{
    struct den_worker *worker = NULL;
    struct den_worker_status status = { 0 };
    struct den_error err = { 0 };
    const struct den_worker_info *info;
    json_t *reply;

    if (find_model(request, &worker, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    info = den_worker_info(worker);
    den_worker_status(worker, &status);
    reply = json_pack(
        "{s:o, s:I, s:s, s:s, s:s, s:{s:b, s:b}, s:s, s:b}", "default_generation_settings",
        slot_json(0, info, false), "total_slots", (json_int_t)count_slots(&status), "model_path",
        info->model_name, "model_alias", info->model_name, "chat_template",
        info->chat_template ? info->chat_template : "", "modalities", "vision", 0, "audio", 0,
        "build_info", "den-" DEN_VERSION, "is_sleeping", status.state == DEN_WORKER_ASLEEP);
    json_object_set_new(reply, "chat_template_caps",
                        json_pack("{s:b, s:b}", "supports_tools", info->knows_tools,
                                  "supports_reasoning", info->knows_reasoning));
    den_roster_give_back(den_desk_roster(den_request_desk(request)), worker);
    return den_reply_json(request, MHD_HTTP_OK, reply);
}

enum MHD_Result den_route_llama_slots(struct den_request *request)
{
    struct den_worker *worker = NULL;
    struct den_worker_status status = { 0 };
    struct den_error err = { 0 };
    json_t *reply = json_array();
    size_t i;

    if (find_model(request, &worker, &err) != DEN_OK) {
        json_decref(reply);
        return den_reply_error(request, &err, NULL);
    }
    den_worker_status(worker, &status);
    for (i = 0; i < count_slots(&status); i++)
        json_array_append_new(reply,
                              slot_json((int)i, den_worker_info(worker), i < status.running));
    den_roster_give_back(den_desk_roster(den_request_desk(request)), worker);
    return den_reply_json(request, MHD_HTTP_OK, reply);
}
