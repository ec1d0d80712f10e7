/* Access: who may do what over HTTP.
 *
 * A scope is a right that includes the ones after it. A token carries one: `admin` may do
 * everything, `chat` may ask models and read and write conversations, `read` may see models,
 * state and figures but no conversation. A route says which it needs (api/routes.c); nothing else
 * decides.
 *
 * Tokens are kept in one file, of which each entry holds a name, the scope and a SHA-256 hash:
 * 256 random bits need no slow hash, and who reads the file can't use it. The text is shown once,
 * when the token is made. The file is locked, read again and replaced whole for each change, so
 * that `den token` and a running server see each other's within a request.
 *
 * {"tokens": [{"id", "name", "scope", "sha256" (64 hex digits), "created", "last_used"}]}
 *
 * Besides these there may be a master token (--token, or $DEN_HOME/token) with the scope admin. A
 * page can trade any token for a session, whose secret lives in a cookie that scripts can't read;
 * sessions are kept in memory and end with the program, with their token, or after 30 days.
 *
 * Where no token is required (loopback), who shows none, or one that is not ours, has the scope
 * admin: clients want some key, and on one's own machine any will do. A token of ours is still
 * held to its scope there, and one that looks like ours but is not known is refused: it was
 * revoked. */
#ifndef DEN_GUARD_ACCESS_H
#define DEN_GUARD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* From the mightiest to none; a route that names no scope needs the first. */
enum den_scope { DEN_SCOPE_ADMIN, DEN_SCOPE_CHAT, DEN_SCOPE_READ, DEN_SCOPE_NONE };

const char *den_scope_text(enum den_scope scope);
/* "read", "chat" or "admin". */
enum den_status den_scope_read(const char *text, enum den_scope *out, struct den_error *err);
bool den_scope_allows(enum den_scope held, enum den_scope needed);

enum {
    DEN_ACCESS_ID_LENGTH = 12,
    DEN_ACCESS_TOKEN_LENGTH = 47, /* "den_" and 43 letters */
    DEN_ACCESS_HASH_BYTES = 32,
    DEN_ACCESS_COOKIE_BYTES_MAX = 160 /* "den_session=SECRET; Path=/; ..." */
};
struct den_access_token {
    char id[DEN_ACCESS_ID_LENGTH + 1];
    char name[DEN_TOKEN_NAME_BYTES_MAX + 1];
    enum den_scope scope;
    int64_t created_ms, last_used_ms; /* Unix time; 0: never */
    unsigned char hash[DEN_ACCESS_HASH_BYTES];
};

struct den_access;

struct den_access_options {
    const char *path;   /* of the file; it need not exist. NULL: no tokens but the master */
    const char *master; /* NULL: none */
    bool required;      /* nobody without a token */
};
enum den_status den_access_open(const struct den_access_options *options, struct den_access **out,
                                struct den_error *err);
void den_access_close(struct den_access *access);
bool den_access_is_required(const struct den_access *access);

/* What a request shows; NULL where it has no such header. */
struct den_credentials {
    const char *authorization; /* "Bearer TOKEN" */
    const char *api_key;       /* x-api-key: TOKEN; with both, the lesser right counts */
    const char *cookie;        /* "a=b; den_session=SECRET"; looked at when neither is there */
};
/* The scope that they give; DEN_UNAUTHORIZED when they give none. */
enum den_status den_access_judge(struct den_access *access, const struct den_credentials *shown,
                                 enum den_scope *out, struct den_error *err);

/* Makes a token; *out_token is shown to its owner now or never. */
enum den_status den_access_create(struct den_access *access, const char *name, enum den_scope scope,
                                  struct den_access_token *out,
                                  char out_token[DEN_ACCESS_TOKEN_LENGTH + 1],
                                  struct den_error *err);
/* *out_tokens is freed with free(). */
enum den_status den_access_list(struct den_access *access, struct den_access_token **out_tokens,
                                size_t *out_count, struct den_error *err);
enum den_status den_access_revoke(struct den_access *access, const char *id, struct den_error *err);

/* Trades a token for a session: the secret for the cookie den_session. */
enum den_status den_access_login(struct den_access *access, const char *token,
                                 char out_secret[DEN_ACCESS_TOKEN_LENGTH + 1],
                                 struct den_error *err);
/* Ends the session that the Cookie header names, if any. */
void den_access_logout(struct den_access *access, const char *cookie);

#endif
