/* rooms: desk base */
/* robots.txt of any shape: it always ends, and its own address may always be fetched. The first
 * line is the path, the rest the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/web_page.h"
#include "desk/web_robots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    char path[512], name[256];
    const char *text;

    if (!line)
        return 0;
    snprintf(path, sizeof path, "/%.*s", (int)(line - data), (const char *)data);
    text = (const char *)line + 1;
    size -= (size_t)(line + 1 - data);
    den_robots_allow(text, size, "den", path);
    if (!den_robots_allow(text, size, "den", "/robots.txt"))
        abort();
    den_web_page_name(path, "text/html", name);
    if (strchr(name, '/') || strlen(name) >= sizeof name)
        abort();
    return 0;
}
