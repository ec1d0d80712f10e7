/* Assets: the page's files, gzipped inside the program. cmake/page.cmake generates the definition
 * from web/ (web/embed.py). Every client of today accepts gzip, so no other form is kept. */
#ifndef DEN_API_ASSETS_H
#define DEN_API_ASSETS_H

#include <stddef.h>

struct den_asset {
    const char *path;          /* "/src/main.js"; "/" is index.html */
    const char *content_type;  /* with charset */
    const char *etag;          /* with its quotes; changes with the content */
    const unsigned char *data; /* gzip: send Content-Encoding: gzip */
    size_t bytes;
};

/* NULL: no such file. The path is what the request line holds, without the query. */
const struct den_asset *den_asset_find(const char *path);

#endif
