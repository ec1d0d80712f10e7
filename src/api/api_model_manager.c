/* /api/models, /api/roles and /api/fit: the page's model manager; and Ollama's DELETE /api/delete.
 * What changes the list tells the listeners of /api/events that it did. */
#include "api/api_model_manager.h"

#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "desk/download_job.h"
#include "desk/events.h"
#include "desk/hub_source.h"
#include "desk/model_manager.h"
#include "desk/model_store.h"
#include "desk/threads.h"

static struct den_roster *roster_of(const struct den_request *request)
{
    return den_desk_roster(den_request_desk(request));
}

static void tell(const struct den_request *request)
{
    den_events_publish(den_threads_events(den_desk_threads(den_request_desk(request))), NULL,
                       "models", json_object());
}

/* {} after a change, or the error. */
static enum MHD_Result reply_done(struct den_request *request, const struct den_error *err)
{
    if (err->status != DEN_OK)
        return den_reply_error(request, err, NULL);
    tell(request);
    return den_reply_json(request, 200, json_object());
}

enum MHD_Result den_route_models_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list;

    if (den_models_list(roster_of(request), &list, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(request, 200, list);
}

enum MHD_Result den_route_models_load(struct den_request *request)
{
    struct den_error err = { 0 };

    den_models_load(roster_of(request), den_request_value(request, 0), &err);
    return reply_done(request, &err);
}

enum MHD_Result den_route_models_unload(struct den_request *request)
{
    struct den_error err = { 0 };
    struct den_roster_entry entry;

    if (den_roster_find(roster_of(request), den_request_value(request, 0), &entry, &err) ==
            DEN_OK &&
        entry.info) /* one that was never loaded is not loaded now */
        den_roster_unload(roster_of(request), entry.name, &err);
    return reply_done(request, &err);
}

enum MHD_Result den_route_models_remove(struct den_request *request)
{
    struct den_error err = { 0 };

    den_models_remove(roster_of(request), den_request_value(request, 0), &err);
    return reply_done(request, &err);
}

enum MHD_Result den_route_models_import(struct den_request *request)
{
    const char *path = NULL, *name = NULL;
    char given[DEN_MODEL_NAME_BYTES_MAX];
    struct den_error err = { 0 };
    json_t *body = NULL, *model = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, "path", &path, &err) == DEN_OK &&
        den_json_get_text(body, "name", &name, &err) == DEN_OK) {
        if (!path || !*path)
            den_fail(&err, DEN_INVALID, "'path' is missing");
        else if (den_model_import(path, name, given, &err) == DEN_OK)
            den_models_get(roster_of(request), given, &model, &err);
    }
    json_decref(body);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    tell(request);
    return den_reply_json(request, 201, model);
}

enum MHD_Result den_route_roles(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *roles;

    if (den_models_roles(roster_of(request), &roles, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(request, 200, roles);
}

enum MHD_Result den_route_roles_change(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *body = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK)
        den_models_set_roles(roster_of(request), body, &err);
    json_decref(body);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    tell(request);
    return den_route_roles(request);
}

/* What neither the catalogue nor the folder knows, the hub is asked for: for those who may download
 * from it, too. A hub that can't be asked leaves the question as it was. */
static void measure_source(const struct den_request *request, struct den_models_question *question)
{
    struct den_hub_source *parsed = calloc(1, sizeof *parsed);
    struct den_error ignored = { 0 };

    if (parsed && request->scope == DEN_SCOPE_ADMIN && question->bytes == 0 &&
        den_hub_source_parse(question->source, parsed, &ignored) == DEN_OK &&
        parsed->kind == DEN_HUB_REPOSITORY)
        den_download_measure(question->source, &question->bytes, &ignored);
    free(parsed);
}

static bool is_unknown(const struct den_request *request, const struct den_models_question *asked,
                       struct den_fit *out, struct den_error *err)
{
    return den_models_fit(roster_of(request), asked, out, err) == DEN_NOT_FOUND;
}

enum MHD_Result den_route_fit(struct den_request *request)
{
    int64_t context = 0, conversations = 0, bytes = 0;
    struct den_models_question question = { 0 };
    struct den_error err = { 0 };
    struct den_fit fit = { 0 };
    const char *name = NULL;
    json_t *body = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, "source", &question.source, &err) == DEN_OK &&
        den_json_get_text(body, "name", &name, &err) == DEN_OK &&
        den_json_get_integer(body, "context", 0, DEN_CONTEXT_TOKENS_MAX, &context, &err) ==
            DEN_OK &&
        den_json_get_integer(body, "conversations", 0, DEN_SEQUENCES_MAX, &conversations, &err) ==
            DEN_OK &&
        den_json_get_integer(body, "bytes", 0, INT64_MAX / 4096, &bytes, &err) == DEN_OK) {
        if (!question.source)
            question.source = name;
        question.context_tokens = (size_t)context;
        question.conversations = (size_t)conversations;
        question.bytes = (uint64_t)bytes;
        if (!question.source || !*question.source) {
            den_fail(&err, DEN_INVALID, "'source' is missing");
        } else if (is_unknown(request, &question, &fit, &err)) {
            measure_source(request, &question);
            if (question.bytes > 0) {
                err = (struct den_error){ 0 };
                den_models_fit(roster_of(request), &question, &fit, &err);
            }
        }
    }
    json_decref(body);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(request, 200, den_fit_json(&fit));
}

/* Ollama's: {"model": NAME}, older clients say "name". */
enum MHD_Result den_route_ollama_delete(struct den_request *request)
{
    struct den_error err = { 0 };
    const char *name = NULL;
    json_t *body = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, json_object_get(body, "model") ? "model" : "name", &name, &err) ==
            DEN_OK) {
        if (!name || !*name)
            den_fail(&err, DEN_INVALID, "'model' is missing");
        else
            den_models_remove(roster_of(request), name, &err);
    }
    json_decref(body);
    return reply_done(request, &err);
}
