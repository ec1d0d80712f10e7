/* GET /api/server: what this server is, how it is guarded, and what right the asker has. */
#include <string.h>

#include "api/reply.h"
#include "api/server_parts.h"
#include "guard/sandbox_report.h"

static json_t *address_json(const struct den_server *server)
{
    bool is_ipv6 = strchr(server->address, ':') != NULL;

    return json_sprintf("%s://%s%s%s:%u", server->certificate ? "https" : "http",
                        is_ipv6 ? "[" : "", server->address, is_ipv6 ? "]" : "",
                        (unsigned)server->port);
}

enum MHD_Result den_route_server(struct den_request *request)
{
    struct den_server *server = request->server;

    return den_reply_json(request, 200,
                          json_pack("{s:s, s:o, s:b, s:s, s:o, s:b, s:s?}", "version", DEN_VERSION,
                                    "address", address_json(server), "token_required",
                                    (int)den_access_is_required(server->access), "scope",
                                    den_scope_text(request->scope), "sandbox",
                                    den_sandbox_report_json(den_server_sandbox(server)), "tls",
                                    server->certificate != NULL, "home", server->home));
}
