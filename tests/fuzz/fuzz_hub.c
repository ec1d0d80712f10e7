/* rooms: desk base */
/* A hub's listing, and a source as somebody typed it: whatever is chosen are plain names. The first
 * line is the source, the rest the listing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/hub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct den_hub_plan *plan)
{
    size_t i;

    if (plan->count == 0 || !den_hub_name_is_safe(plan->name))
        abort();
    for (i = 0; i < plan->count; i++)
        if (!den_hub_path_is_safe(plan->files[i].path) ||
            strncmp(plan->files[i].address, "https://hub.example/", 20) != 0 ||
            plan->files[i].bytes > DEN_DOWNLOAD_BYTES_MAX)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct den_hub_plan plan;
    static struct den_hub_source source;
    const uint8_t *line = memchr(data, '\n', size);
    struct den_error err = { 0 };
    json_t *listing = NULL;
    char text[512];

    if (!line)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)(line - data), (const char *)data);
    if (den_hub_source_parse(text, &source, &err) != DEN_OK || source.kind != DEN_HUB_REPOSITORY)
        return 0;
    size -= (size_t)(line + 1 - data);
    if (den_json_parse((const char *)line + 1, size, "listing", &listing, &err) == DEN_OK) {
        memset(&plan, 0, sizeof plan);
        if (den_hub_choose(&source, listing, "https://hub.example", &plan, &err) == DEN_OK)
            check(&plan);
    }
    json_decref(listing);
    return 0;
}
