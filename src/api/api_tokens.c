/* Scoped tokens (/api/tokens), and trading one for a cookie (/api/login).
 *
 * The page can't keep a token where a script could read it, and must survive a reload. So it
 * sends the token once and gets a cookie that only the browser sees (HttpOnly), that it sends to
 * this server alone and never on behalf of another site's page (SameSite=Strict). The cookie
 * holds a secret of its own, not the token. */
#include <stdio.h>
#include <stdlib.h>

#include "api/reply.h"
#include "api/server_parts.h"

static json_t *token_json(const struct den_access_token *token)
{
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:o}", "id", token->id, "name", token->name, "scope",
        den_scope_text(token->scope), "created", (json_int_t)token->created_ms, "last_used",
        token->last_used_ms ? json_integer((json_int_t)token->last_used_ms) : json_null());
}

enum MHD_Result den_route_tokens(struct den_request *request)
{
    struct den_access_token *tokens;
    struct den_error err = { 0 };
    size_t count, i;
    json_t *list;

    if (den_access_list(request->server->access, &tokens, &count, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    list = json_array();
    for (i = 0; i < count; i++)
        json_array_append_new(list, token_json(&tokens[i]));
    free(tokens);
    return den_reply_json(request, 200, json_pack("{s:o}", "tokens", list));
}

enum MHD_Result den_route_create_token(struct den_request *request)
{
    const char *name = "", *scope_text = "";
    char text[DEN_ACCESS_TOKEN_LENGTH + 1];
    struct den_access_token token;
    struct den_error err = { 0 };
    enum den_scope scope;
    json_t *body, *made;

    if (den_request_json(request, &body, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    if (den_json_get_text(body, "name", &name, &err) == DEN_OK &&
        den_json_get_text(body, "scope", &scope_text, &err) == DEN_OK &&
        den_scope_read(scope_text, &scope, &err) == DEN_OK)
        den_access_create(request->server->access, name, scope, &token, text, &err);
    json_decref(body);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    made = token_json(&token);
    json_object_set_new(made, "token", json_string(text));
    return den_reply_json(request, 201, made);
}

enum MHD_Result den_route_revoke_token(struct den_request *request)
{
    struct den_error err = { 0 };

    if (den_access_revoke(request->server->access, den_request_value(request, 0), &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(request, 200, json_object());
}

/* --- the page's cookie --- */

static void set_cookie(struct den_request *request, const char *secret, long seconds)
{
    snprintf(request->cookie, sizeof request->cookie,
             "den_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%ld%s", secret, seconds,
             request->server->certificate ? "; Secure" : "");
}

enum MHD_Result den_route_login(struct den_request *request)
{
    char secret[DEN_ACCESS_TOKEN_LENGTH + 1];
    struct den_error err = { 0 };
    const char *token = "";
    json_t *body;

    if (den_request_json(request, &body, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    if (den_json_get_text(body, "token", &token, &err) == DEN_OK)
        den_access_login(request->server->access, token, secret, &err);
    json_decref(body);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    set_cookie(request, secret, DEN_SESSION_SECONDS_MAX);
    return den_reply_json(request, 200, json_object());
}

enum MHD_Result den_route_logout(struct den_request *request)
{
    den_access_logout(request->server->access, den_request_header(request, MHD_HTTP_HEADER_COOKIE));
    set_cookie(request, "", 0);
    return den_reply_json(request, 200, json_object());
}
