/* Ollama's routes about models: which there are (/api/tags), what one is (/api/show), which are in
 * memory (/api/ps), and vectors (/api/embed, /api/embeddings). A digest here names a file of this
 * machine (its path, size and time), not its content: hashing gigabytes for a list would help
 * nobody. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "api/embed_texts.h"
#include "api/fields.h"
#include "api/ollama.h"
#include "base/clock.h"

static json_t *digest_json(const struct den_roster_entry *entry)
{
    char identity[DEN_PATH_BYTES_MAX + 64], text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0, i;

    snprintf(identity, sizeof identity, "%s:%llu:%lld", entry->path,
             (unsigned long long)entry->bytes, (long long)entry->modified_at);
    EVP_Digest(identity, strlen(identity), hash, &length, EVP_sha256(), NULL);
    for (i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return json_stringn(text, 2 * (size_t)length);
}

/* "134.5M", "1.2B", "" when not known. */
static json_t *size_json(uint64_t parameters)
{
    if (parameters == 0)
        return json_string("");
    if (parameters >= 1000000000)
        return json_sprintf("%.1fB", (double)parameters / 1e9);
    return json_sprintf("%.1fM", (double)parameters / 1e6);
}

static json_t *details_json(const struct den_roster_entry *entry)
{
    const struct den_worker_info *info = entry->info;
    const char *family = info ? info->architecture : "";
    const char *level = info ? strrchr(info->description, ' ') : NULL;
    const size_t length = strlen(entry->path);
    const bool is_gguf = length > 5 && strcmp(entry->path + length - 5, ".gguf") == 0;

    return json_pack("{s:s, s:s, s:s, s:[s], s:o, s:s}", "parent_model", "", "format",
                     is_gguf ? "gguf" : "safetensors", "family", family, "families", family,
                     "parameter_size", size_json(entry->parameters), "quantization_level",
                     level ? level + 1 : "");
}

static json_t *entry_json(const struct den_roster_entry *entry)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o}", "name", den_ollama_name_json(entry->name),
                     "model", den_ollama_name_json(entry->name), "modified_at",
                     den_time_json(entry->modified_at), "size", (json_int_t)entry->bytes, "digest",
                     digest_json(entry), "details", details_json(entry));
}

/* {"models": [...]}: all that are installed, or those in memory. */
static enum MHD_Result list_models(struct den_request *request, bool in_memory)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct den_roster_entry *entries;
    struct den_error err = { 0 };
    json_t *models = json_array(), *model;
    size_t count, i;

    if (den_roster_list(roster, &entries, &count, &err) != DEN_OK) {
        json_decref(models);
        return den_reply_error(request, &err, NULL);
    }
    for (i = 0; i < count; i++) {
        const struct den_roster_entry *entry = &entries[i];
        double left = den_roster_idle_seconds(roster) - entry->status.idle_seconds;

        if (in_memory && entry->status.state != DEN_WORKER_READY)
            continue;
        model = entry_json(entry);
        json_array_append_new(models, model);
        if (!in_memory)
            continue;
        json_object_del(model, "modified_at");
        json_object_set_new(model, "size", json_integer((json_int_t)entry->status.resident_bytes));
        json_object_set_new(model, "size_vram", json_integer(0));
        json_object_set_new(model, "context_length",
                            json_integer((json_int_t)entry->info->context_tokens));
        json_object_set_new(model, "expires_at",
                            den_time_json(den_clock_unix() + (left > 0 ? (int64_t)left : 0)));
    }
    free(entries);
    return den_reply_json(request, 200, json_pack("{s:o}", "models", models));
}

enum MHD_Result den_route_ollama_tags(struct den_request *request)
{
    return list_models(request, false);
}

enum MHD_Result den_route_ollama_ps(struct den_request *request)
{
    return list_models(request, true);
}

enum MHD_Result den_route_ollama_version(struct den_request *request)
{
    return den_reply_json(request, 200, json_pack("{s:s}", "version", DEN_VERSION));
}

enum MHD_Result den_route_ollama_absent(struct den_request *request)
{
    struct den_error err = { 0 };

    den_fail(&err, DEN_UNSUPPORTED, "%s: Den takes models as they are; see /api/pull",
             request->path);
    return den_reply_error(request, &err, NULL);
}

/* --- /api/show --- */

static json_t *capabilities_json(const struct den_worker_info *info)
{
    json_t *list = json_array();

    json_array_append_new(list, json_string(info->role == DEN_WORKER_CHAT
                                                ? "completion"
                                                : den_roster_role_text(info->role)));
    if (info->role == DEN_WORKER_CHAT) /* tools are described in words where the template can't */
        json_array_append_new(list, json_string("tools"));
    if (info->knows_reasoning)
        json_array_append_new(list, json_string("thinking"));
    return list;
}

static json_t *model_info_json(const struct den_worker_info *info)
{
    json_t *object = json_pack("{s:s, s:I}", "general.architecture", info->architecture,
                               "general.parameter_count", (json_int_t)info->parameters);
    char key[96];

    snprintf(key, sizeof key, "%.64s.context_length", info->architecture);
    json_object_set_new(object, key, json_integer((json_int_t)info->context_tokens));
    snprintf(key, sizeof key, "%.64s.embedding_length", info->architecture);
    json_object_set_new(object, key, json_integer((json_int_t)info->width));
    snprintf(key, sizeof key, "%.64s.vocab_size", info->architecture);
    json_object_set_new(object, key, json_integer((json_int_t)info->vocabulary));
    return object;
}

/* What a model is, only its worker can say: it is loaded if it never was. */
static enum den_status find_loaded(struct den_roster *roster, const char *name,
                                   struct den_roster_entry *out, struct den_error *err)
{
    struct den_worker *worker;

    if (den_roster_find(roster, name, out, err) != DEN_OK || out->info)
        return err->status;
    if (den_roster_take(roster, out->name, out->role, &worker, err) != DEN_OK)
        return err->status;
    den_roster_give_back(roster, worker);
    return den_roster_find(roster, name, out, err);
}

enum MHD_Result den_route_ollama_show(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct den_roster_entry entry;
    struct den_error err = { 0 };
    const char *name = NULL;
    json_t *body = NULL, *reply = NULL;

    if (den_request_json(request, &body, &err) == DEN_OK &&
        den_json_get_text(body, json_object_get(body, "model") ? "model" : "name", &name, &err) ==
            DEN_OK) {
        if (!name || !*name)
            den_fail(&err, DEN_INVALID, "'model' is missing");
        else if (find_loaded(roster, name, &entry, &err) == DEN_OK)
            reply = json_pack(
                "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "modelfile", "", "parameters", "",
                "license", entry.license, "template", entry.info->chat_template, "details",
                details_json(&entry), "model_info", model_info_json(entry.info), "capabilities",
                capabilities_json(entry.info), "modified_at", den_time_json(entry.modified_at));
    }
    json_decref(body);
    return err.status == DEN_OK ? den_reply_json(request, 200, reply)
                                : den_reply_error(request, &err, NULL);
}

/* --- vectors --- */

static enum den_status embed(struct den_request *request, const json_t *body, const json_t *texts,
                             struct den_embedded *out, struct den_error *err)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct den_embed_options options = { .texts = texts, .truncate = true };
    struct den_worker *worker = NULL;
    const char *model = NULL;
    size_t i;

    for (i = 0; i < json_array_size(texts); i++)
        if (!json_is_string(json_array_get(texts, i)))
            return den_fail(err, DEN_INVALID, "'input' must be a text or a list of texts");
    if (den_texts_check_count(texts, "input", err) != DEN_OK ||
        den_json_get_text(body, "model", &model, err) != DEN_OK ||
        den_json_get_bool(body, "truncate", &options.truncate, err) != DEN_OK ||
        den_json_get_integer(body, "dimensions", 0, DEN_WIDTH_MAX, &options.dimensions, err) !=
            DEN_OK)
        return err->status;
    if (!model || !*model)
        return den_fail(err, DEN_INVALID, "'model' is missing");
    if (den_roster_take(roster, model, DEN_WORKER_EMBEDDING, &worker, err) == DEN_OK)
        den_embed_texts(worker, &options, out, err);
    den_roster_give_back(roster, worker);
    return err->status;
}

static json_t *embeddings_json(const struct den_embedded *embedded)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < embedded->count; i++)
        json_array_append_new(list, den_embedded_json(embedded, i));
    return list;
}

enum MHD_Result den_route_ollama_embed(struct den_request *request)
{
    const double started_at = den_clock_seconds();
    struct den_embedded embedded = { 0 };
    struct den_error err = { 0 };
    json_t *body = NULL, *input, *texts, *reply = NULL;

    if (den_request_json(request, &body, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    input = json_object_get(body, "input");
    texts = json_is_array(input) ? json_incref(input) : json_array();
    if (json_is_string(input))
        json_array_append(texts, input);
    if (!input)
        den_fail(&err, DEN_INVALID, "'input' is missing");
    else if (!json_is_string(input) && !json_is_array(input))
        den_fail(&err, DEN_INVALID, "'input' must be a text or a list of texts");
    else if (embed(request, body, texts, &embedded, &err) == DEN_OK)
        reply = json_pack("{s:O, s:o, s:I, s:i, s:I}", "model", json_object_get(body, "model"),
                          "embeddings", embeddings_json(&embedded), "total_duration",
                          (json_int_t)((den_clock_seconds() - started_at) * 1e9), "load_duration",
                          0, "prompt_eval_count", (json_int_t)embedded.tokens);
    den_embedded_deinit(&embedded);
    json_decref(texts);
    json_decref(body);
    return err.status == DEN_OK ? den_reply_json(request, 200, reply)
                                : den_reply_error(request, &err, NULL);
}

enum MHD_Result den_route_ollama_embeddings(struct den_request *request)
{
    struct den_embedded embedded = { 0 };
    struct den_error err = { 0 };
    json_t *body = NULL, *texts, *reply = NULL;

    if (den_request_json(request, &body, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    texts = json_pack("[O*]", json_object_get(body, "prompt"));
    if (json_array_size(texts) == 0)
        den_fail(&err, DEN_INVALID, "'prompt' is missing");
    else if (embed(request, body, texts, &embedded, &err) == DEN_OK)
        reply = json_pack("{s:o}", "embedding", den_embedded_json(&embedded, 0));
    den_embedded_deinit(&embedded);
    json_decref(texts);
    json_decref(body);
    return err.status == DEN_OK ? den_reply_json(request, 200, reply)
                                : den_reply_error(request, &err, NULL);
}
