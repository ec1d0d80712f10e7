/* See routes.h. The page's own files come last: any other path is looked for among them. */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/anthropic.h"
#include "api/api_documents.h"
#include "api/api_llama.h"
#include "api/api_model_manager.h"
#include "api/api_portable.h"
#include "api/api_reports.h"
#include "api/api_threads.h"
#include "api/api_workspaces.h"
#include "api/assets.h"
#include "api/ollama.h"

/* The right that a row needs, in short. A row that names none needs admin. */
#define READ .scope = DEN_SCOPE_READ
#define CHAT .scope = DEN_SCOPE_CHAT
/* The shape of its errors. */
#define ANTHROPIC .error = den_anthropic_error_json
#define OLLAMA    .error = den_ollama_error_json

static const struct den_route routes[] = {
    { .path = "/health", .is_open = true, .get = den_route_health },
    { .path = "/openapi.json", .is_open = true, .get = den_route_openapi },
    { .path = "/v1/models", READ, .get = den_route_models },
    { .path = "/v1/models/{id*}", READ, .get = den_route_model },
    { .path = "/v1/chat/completions", CHAT, .post = den_route_chat },
    { .path = "/v1/completions", CHAT, .post = den_route_completions },
    { .path = "/v1/embeddings", CHAT, .post = den_route_embeddings },
    { .path = "/v1/responses", CHAT, .post = den_route_responses },
    { .path = "/v1/responses/{id}",
      CHAT,
      .get = den_route_response,
      .remove = den_route_response_delete },
    { .path = "/v1/responses/{id}/input_items", CHAT, .get = den_route_response_items },
    { .path = "/v1/health", .is_open = true, .get = den_route_health },
    { .path = "/tokenize", CHAT, .error = den_llama_error, .post = den_route_llama_tokenize },
    { .path = "/detokenize", CHAT, .error = den_llama_error, .post = den_route_llama_detokenize },
    { .path = "/apply-template", CHAT, .error = den_llama_error, .post = den_route_llama_template },
    { .path = "/completion", CHAT, .error = den_llama_error, .post = den_route_llama_completion },
    { .path = "/completions", CHAT, .error = den_llama_error, .post = den_route_llama_completion },
    { .path = "/props", READ, .error = den_llama_error, .get = den_route_llama_props },
    { .path = "/slots", READ, .error = den_llama_error, .get = den_route_llama_slots },
    { .path = "/metrics", READ, .get = den_route_metrics },
    { .path = "/v1/rerank", CHAT, .error = den_llama_error, .post = den_route_rerank },
    { .path = "/rerank", CHAT, .error = den_llama_error, .post = den_route_rerank },
    { .path = "/v1/reranking", CHAT, .error = den_llama_error, .post = den_route_rerank },
    { .path = "/reranking", CHAT, .error = den_llama_error, .post = den_route_rerank },
    { .path = "/v1/messages", CHAT, ANTHROPIC, .post = den_route_anthropic_messages },
    { .path = "/v1/messages/count_tokens", CHAT, ANTHROPIC, .post = den_route_anthropic_count },
    { .path = "/api/chat", CHAT, OLLAMA, .post = den_route_ollama_chat },
    { .path = "/api/generate", CHAT, OLLAMA, .post = den_route_ollama_generate },
    { .path = "/api/embed", CHAT, OLLAMA, .post = den_route_ollama_embed },
    { .path = "/api/embeddings", CHAT, OLLAMA, .post = den_route_ollama_embeddings },
    { .path = "/api/tags", READ, OLLAMA, .get = den_route_ollama_tags },
    { .path = "/api/show", READ, OLLAMA, .post = den_route_ollama_show },
    { .path = "/api/ps", READ, OLLAMA, .get = den_route_ollama_ps },
    { .path = "/api/version", .is_open = true, OLLAMA, .get = den_route_ollama_version },
    { .path = "/api/pull", OLLAMA, .post = den_route_ollama_pull },
    { .path = "/api/downloads",
      .get_scope = DEN_SCOPE_READ,
      .get = den_route_downloads_list,
      .post = den_route_downloads_add },
    { .path = "/api/downloads/{id}",
      .get_scope = DEN_SCOPE_READ,
      .get = den_route_download_get,
      .patch = den_route_download_change,
      .remove = den_route_download_delete },
    { .path = "/api/create", OLLAMA, .post = den_route_ollama_absent },
    { .path = "/api/copy", OLLAMA, .post = den_route_ollama_absent },
    { .path = "/api/push", OLLAMA, .post = den_route_ollama_absent },
    { .path = "/api/delete", OLLAMA, .remove = den_route_ollama_delete },
    { .path = "/api/models", READ, .get = den_route_models_list },
    { .path = "/api/models/import", .post = den_route_models_import },
    { .path = "/api/models/{name}", .remove = den_route_models_remove },
    { .path = "/api/models/{name}/load", .post = den_route_models_load },
    { .path = "/api/models/{name}/unload", .post = den_route_models_unload },
    { .path = "/api/roles",
      .get_scope = DEN_SCOPE_READ,
      .get = den_route_roles,
      .patch = den_route_roles_change },
    { .path = "/api/fit", READ, .post = den_route_fit },
    { .path = "/api/server", READ, .get = den_route_server },
    { .path = "/api/activity", READ, .get = den_route_activity },
    { .path = "/api/login", .is_open = true, .post = den_route_login, .remove = den_route_logout },
    { .path = "/api/tokens", .get = den_route_tokens, .post = den_route_create_token },
    { .path = "/api/tokens/{id}", .remove = den_route_revoke_token },
    { .path = "/api/threads",
      CHAT,
      .get = den_route_threads_list,
      .post = den_route_threads_create },
    { .path = "/api/threads/{id}",
      CHAT,
      .get = den_route_thread_get,
      .patch = den_route_thread_change,
      .remove = den_route_thread_delete },
    { .path = "/api/threads/{id}/restore", CHAT, .post = den_route_thread_restore },
    { .path = "/api/threads/{id}/purge", CHAT, .post = den_route_thread_purge },
    { .path = "/api/threads/{id}/fork", CHAT, .post = den_route_thread_fork },
    { .path = "/api/threads/{id}/messages", CHAT, .post = den_route_messages_add },
    { .path = "/api/threads/{id}/messages/{message}",
      CHAT,
      .patch = den_route_message_change,
      .remove = den_route_message_delete },
    { .path = "/api/threads/{id}/answers", CHAT, .post = den_route_answers_add },
    { .path = "/api/threads/{id}/stop", CHAT, .post = den_route_answers_stop },
    { .path = "/api/threads/{id}/export", CHAT, .get = den_route_thread_export },
    { .path = "/api/threads/{id}/documents", CHAT, .post = den_route_thread_attach },
    { .path = "/api/threads/{id}/documents/{document}", CHAT, .remove = den_route_thread_detach },
    { .path = "/api/workspaces",
      CHAT,
      .get = den_route_workspaces_list,
      .post = den_route_workspaces_create },
    { .path = "/api/workspaces/import",
      CHAT,
      .receive = den_receive_bundle,
      .receive_bytes_max = DEN_BUNDLE_BYTES_MAX,
      .post = den_route_workspace_import },
    { .path = "/api/workspaces/{id}/export", CHAT, .get = den_route_workspace_export },
    { .path = "/api/backup", .get = den_route_backup },
    { .path = "/api/restore",
      .receive = den_receive_bundle,
      .receive_bytes_max = DEN_BUNDLE_BYTES_MAX,
      .post = den_route_restore },
    { .path = "/api/workspaces/{id}",
      CHAT,
      .get = den_route_workspace_get,
      .patch = den_route_workspace_change,
      .remove = den_route_workspace_delete },
    { .path = "/api/workspaces/{id}/documents",
      CHAT,
      .get = den_route_workspace_documents,
      .post = den_route_workspace_link },
    { .path = "/api/workspaces/{id}/documents/{document}",
      CHAT,
      .patch = den_route_workspace_pin,
      .remove = den_route_workspace_unlink },
    { .path = "/api/documents",
      CHAT,
      .receive = den_receive_document,
      .get = den_route_documents_list,
      .post = den_route_documents_add },
    { .path = "/api/documents/paths", .post = den_route_documents_paths },
    { .path = "/api/documents/web", CHAT, .post = den_route_documents_web },
    { .path = "/api/documents/read", .post = den_route_documents_read },
    { .path = "/api/documents/{id}",
      CHAT,
      .get = den_route_document_get,
      .patch = den_route_document_change,
      .remove = den_route_document_delete },
    { .path = "/api/documents/{id}/read", CHAT, .post = den_route_document_read },
    { .path = "/api/documents/{id}/original", CHAT, .get = den_route_document_original },
    { .path = "/api/documents/{id}/parts/{ordinal}", CHAT, .get = den_route_document_part },
    { .path = "/api/documents/{id}/pages/{number}", CHAT, .get = den_route_document_page },
    { .path = "/api/watched",
      .get_scope = DEN_SCOPE_CHAT,
      .get = den_route_watched_list,
      .post = den_route_watched_add },
    { .path = "/api/watched/{id}", .remove = den_route_watched_remove },
    { .path = "/api/jobs", CHAT, .get = den_route_jobs_list },
    { .path = "/api/jobs/{id}",
      CHAT,
      .get = den_route_job_get,
      .patch = den_route_job_change,
      .remove = den_route_job_delete },
    { .path = "/api/jobs/{id}/retry", CHAT, .post = den_route_job_retry },
    { .path = "/api/reports",
      CHAT,
      .get = den_route_reports_list,
      .post = den_route_reports_create },
    { .path = "/api/reports/{id}",
      CHAT,
      .get = den_route_report_get,
      .patch = den_route_report_change,
      .remove = den_route_report_delete },
    { .path = "/api/reports/{id}/csv", CHAT, .get = den_route_report_csv },
    { .path = "/api/reports/{id}/markdown", CHAT, .get = den_route_report_markdown },
    { .path = "/api/search", CHAT, .post = den_route_search },
    { .path = "/api/export", CHAT, .get = den_route_export },
    { .path = "/api/import", CHAT, .post = den_route_import },
    { .path = "/api/folders", CHAT, .get = den_route_folders_list, .post = den_route_folders_add },
    { .path = "/api/folders/{id}",
      CHAT,
      .patch = den_route_folder_change,
      .remove = den_route_folder_delete },
    { .path = "/api/prompts", CHAT, .get = den_route_prompts_list, .post = den_route_prompts_add },
    { .path = "/api/prompts/{id}",
      CHAT,
      .put = den_route_prompt_change,
      .remove = den_route_prompt_delete },
    { .path = "/api/settings",
      CHAT,
      .get = den_route_settings_get,
      .patch = den_route_settings_change },
    { .path = "/api/memories",
      CHAT,
      .get = den_route_memories_list,
      .post = den_route_memories_add,
      .remove = den_route_memories_delete },
    { .path = "/api/memories/{id}",
      CHAT,
      .patch = den_route_memory_change,
      .remove = den_route_memory_delete },
    { .path = "/api/events", CHAT, .get = den_route_events },
};

/* The page holds no data of its user, and must load before it can ask for the token. */
static const struct den_route page = { .path = "/", .is_open = true, .get = den_route_page };

/* Matches `path` with `pattern`, both without their first '/'. */
static bool matches(const char *pattern, const char *path, struct den_route_values *out)
{
    size_t value = 0;

    for (;;) {
        size_t wanted = strcspn(pattern, "/"), length = strcspn(path, "/");

        if (*pattern == '{') {
            if (pattern[wanted - 2] == '*')
                length = strlen(path);
            if (length == 0 || length >= sizeof out->text[0])
                return false;
            snprintf(out->text[value++], sizeof out->text[0], "%.*s", (int)length, path);
        } else if (wanted != length || strncmp(pattern, path, length) != 0) {
            return false;
        }
        pattern += wanted;
        path += length;
        if (!*pattern || !*path)
            return !*pattern && !*path;
        pattern++;
        path++;
    }
}

const struct den_route *den_route_find(const char *path, struct den_route_values *out_values)
{
    size_t i;

    if (*path != '/')
        return NULL;
    for (i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        struct den_route_values values = { 0 };

        if (!matches(routes[i].path + 1, path + 1, &values))
            continue;
        *out_values = values;
        return &routes[i];
    }
    return den_asset_find(path) ? &page : NULL;
}

enum den_scope den_route_scope(const struct den_route *route, const char *method)
{
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    if (route->is_open)
        return DEN_SCOPE_NONE;
    return is_get && route->get_scope > route->scope ? route->get_scope : route->scope;
}

const struct den_route *den_route_at(size_t index)
{
    return index < sizeof routes / sizeof routes[0] ? &routes[index] : NULL;
}

void den_route_allow(const struct den_route *route, char out[DEN_ROUTE_ALLOW_BYTES])
{
    const struct {
        den_route_handler handler;
        const char *name;
    } methods[] = { { route->get, "GET, HEAD" },
                    { route->post, "POST" },
                    { route->put, "PUT" },
                    { route->patch, "PATCH" },
                    { route->remove, "DELETE" } };
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].handler)
            used += (size_t)snprintf(out + used, DEN_ROUTE_ALLOW_BYTES - used, "%s%s",
                                     used > 0 ? ", " : "", methods[i].name);
}
