/* See routes.h. The page's own files come last: any other path is looked for among them. */
#include "api/routes.h"

#include <string.h>

#include "api/assets.h"

static const struct den_route routes[] = {
    { .path = "/health", .is_open = true, .allow = "GET, HEAD", .get = den_route_health },
    { .path = "/v1/models", .allow = "GET, HEAD", .get = den_route_models },
    { .path = "/v1/models/", .is_prefix = true, .allow = "GET, HEAD", .get = den_route_model },
    { .path = "/v1/chat/completions", .allow = "POST", .post = den_route_chat },
};

/* The page holds no data of its user, and must load before it can ask for the token. */
static const struct den_route page = { .is_open = true,
                                       .allow = "GET, HEAD",
                                       .get = den_route_page };

const struct den_route *den_route_find(const char *path)
{
    size_t i;

    for (i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        size_t length = strlen(routes[i].path);

        if (routes[i].is_prefix ? strncmp(path, routes[i].path, length) == 0 && path[length]
                                : strcmp(path, routes[i].path) == 0)
            return &routes[i];
    }
    return den_asset_find(path) ? &page : NULL;
}
