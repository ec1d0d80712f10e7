/* Routes: which path and method leads where, as a table. */
#ifndef DEN_API_ROUTES_H
#define DEN_API_ROUTES_H

#include "api/request.h"

typedef enum MHD_Result (*den_route_handler)(struct den_request *request);

struct den_route {
    const char *path;
    bool is_prefix; /* path ends in '/', and something follows it */
    bool is_open;   /* needs no token */
    const char *allow;
    den_route_handler get, post; /* HEAD goes to `get`; NULL: 405 */
};

/* NULL: no such path. */
const struct den_route *den_route_find(const char *path);

enum MHD_Result den_route_health(struct den_request *request);
enum MHD_Result den_route_models(struct den_request *request);
enum MHD_Result den_route_model(struct den_request *request);
enum MHD_Result den_route_chat(struct den_request *request);
enum MHD_Result den_route_page(struct den_request *request);

#endif
