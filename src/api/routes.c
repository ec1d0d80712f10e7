/* See routes.h. The page's own files come last: any other path is looked for among them. */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/assets.h"

static const struct den_route routes[] = {
    { .path = "/health", .is_open = true, .get = den_route_health },
    { .path = "/v1/models", .get = den_route_models },
    { .path = "/v1/models/{id*}", .get = den_route_model },
    { .path = "/v1/health", .is_open = true, .get = den_route_health },
    { .path = "/tokenize", .error = den_llama_error, .post = den_route_llama_tokenize },
    { .path = "/detokenize", .error = den_llama_error, .post = den_route_llama_detokenize },
    { .path = "/apply-template", .error = den_llama_error, .post = den_route_llama_template },
    { .path = "/completion", .error = den_llama_error, .post = den_route_llama_completion },
    { .path = "/completions", .error = den_llama_error, .post = den_route_llama_completion },
    { .path = "/props", .error = den_llama_error, .get = den_route_llama_props },
    { .path = "/slots", .error = den_llama_error, .get = den_route_llama_slots },
    { .path = "/metrics", .get = den_route_metrics },
    { .path = "/v1/rerank", .error = den_llama_error, .post = den_route_rerank },
    { .path = "/rerank", .error = den_llama_error, .post = den_route_rerank },
    { .path = "/v1/reranking", .error = den_llama_error, .post = den_route_rerank },
    { .path = "/reranking", .error = den_llama_error, .post = den_route_rerank },
    { .path = "/v1/chat/completions", .post = den_route_chat },
    { .path = "/v1/completions", .post = den_route_completions },
    { .path = "/v1/embeddings", .post = den_route_embeddings },
    { .path = "/v1/responses", .post = den_route_responses },
    { .path = "/v1/responses/{id}",
      .get = den_route_response,
      .remove = den_route_response_delete },
    { .path = "/v1/responses/{id}/input_items", .get = den_route_response_items },
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
