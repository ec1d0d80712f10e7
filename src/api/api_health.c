/* GET /health: is the server there. Says nothing that a stranger should not know. */
#include "api/reply.h"
#include "api/routes.h"

enum MHD_Result den_route_health(struct den_request *request)
{
    return den_reply_json(request, 200,
                          json_pack("{s:s, s:s}", "status", "ok", "version", DEN_VERSION));
}
