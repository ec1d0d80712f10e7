/* See access.h. One lock guards the tokens in memory and the sessions. Comparing is of hashes,
 * over all tokens and in constant time each, so that no time tells how near a guess was. */
#include "guard/access.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "guard/access_parts.h"
#include "guard/api_token.h"

enum { LAST_USED_EVERY_MS = 60000 }; /* how often the file is written to say so */

static const char prefix[] = "den_", cookie_name[] = "den_session=", master_id[] = "master";

struct session {
    unsigned char hash[DEN_ACCESS_HASH_BYTES]; /* of the secret */
    char id[DEN_ACCESS_ID_LENGTH + 1];         /* of its token; "": the place is free */
    int64_t since_ms;
    uint64_t number; /* logins before it */
};

struct den_access {
    pthread_mutex_t lock;
    char *path; /* NULL: no file */
    bool required, has_master;
    unsigned char master[DEN_ACCESS_HASH_BYTES];
    struct den_access_stamp stamp;
    int64_t written_ms; /* when last_used was last written */
    struct den_access_tokens held;
    uint64_t logins;
    struct session sessions[DEN_SESSIONS_MAX];
};

/* --- scopes --- */

static const char *const scope_texts[] = { "admin", "chat", "read", "none" };

const char *den_scope_text(enum den_scope scope)
{
    return scope_texts[scope];
}

enum den_status den_scope_read(const char *text, enum den_scope *out, struct den_error *err)
{
    int scope;

    for (scope = DEN_SCOPE_ADMIN; scope < DEN_SCOPE_NONE; scope++)
        if (strcmp(text, scope_texts[scope]) == 0) {
            *out = (enum den_scope)scope;
            return DEN_OK;
        }
    return den_fail(err, DEN_INVALID, "'scope' is '%.40s'; it must be read, chat or admin", text);
}

bool den_scope_allows(enum den_scope held, enum den_scope needed)
{
    return held <= needed;
}

/* --- helpers --- */

static void hash_text(const char *text, unsigned char out[DEN_ACCESS_HASH_BYTES])
{
    SHA256((const unsigned char *)text, strlen(text), out);
}

static bool is_same(const unsigned char *a, const unsigned char *b)
{
    return CRYPTO_memcmp(a, b, DEN_ACCESS_HASH_BYTES) == 0;
}

static enum den_status make_secret(char out[DEN_ACCESS_TOKEN_LENGTH + 1], struct den_error *err)
{
    memcpy(out, prefix, sizeof prefix - 1);
    return den_api_token_make(out + sizeof prefix - 1, err);
}

/* --- opening --- */

enum den_status den_access_open(const struct den_access_options *options, struct den_access **out,
                                struct den_error *err)
{
    struct den_access *access = calloc(1, sizeof *access);

    if (!access)
        return den_fail(err, DEN_NO_MEMORY, "access: out of memory");
    pthread_mutex_init(&access->lock, NULL);
    access->required = options->required;
    if (options->master) {
        access->has_master = true;
        hash_text(options->master, access->master);
    }
    if (options->path) {
        access->path = strdup(options->path);
        if (!access->path) {
            den_fail(err, DEN_NO_MEMORY, "access: out of memory");
            goto fail;
        }
        access->stamp = den_access_stamp_of(access->path);
        if (den_access_read(access->path, &access->held, err) != DEN_OK)
            goto fail;
    }
    *out = access;
    return DEN_OK;
fail:
    den_access_close(access);
    return err->status;
}

void den_access_close(struct den_access *access)
{
    if (!access)
        return;
    pthread_mutex_destroy(&access->lock);
    OPENSSL_cleanse(access->sessions, sizeof access->sessions);
    free(access->path);
    free(access);
}

bool den_access_is_required(const struct den_access *access)
{
    return access->required;
}

/* --- the file; all with the lock held --- */

/* Takes up what another program changed. A file that can't be read leaves no token valid. */
static void refresh(struct den_access *access)
{
    struct den_error ignored = { 0 };
    struct den_access_stamp now;

    if (!access->path)
        return;
    now = den_access_stamp_of(access->path);
    if (now.inode == access->stamp.inode && now.bytes == access->stamp.bytes &&
        now.changed_ns == access->stamp.changed_ns)
        return;
    access->stamp = now;
    den_access_read(access->path, &access->held, &ignored);
}

/* Changes the file: reads it again under its lock, lets `change` work on it, writes it. */
static enum den_status change_file(struct den_access *access,
                                   enum den_status (*change)(struct den_access_tokens *tokens,
                                                             const void *context,
                                                             struct den_error *err),
                                   const void *context, struct den_error *err)
{
    struct den_access_tokens *fresh = calloc(1, sizeof *fresh);
    int lock = -1;

    if (!access->path || !fresh) {
        den_fail(err, access->path ? DEN_NO_MEMORY : DEN_UNSUPPORTED, "tokens: %s",
                 access->path ? "out of memory" : "this server keeps none");
        goto end;
    }
    lock = den_access_lock(access->path, err);
    if (lock < 0 || den_access_read(access->path, fresh, err) != DEN_OK ||
        change(fresh, context, err) != DEN_OK ||
        den_access_write(access->path, fresh, err) != DEN_OK)
        goto end;
    access->held = *fresh;
    access->stamp = den_access_stamp_of(access->path);
end:
    if (lock >= 0)
        close(lock);
    free(fresh);
    return err->status;
}

static enum den_status merge_last_used(struct den_access_tokens *tokens, const void *context,
                                       struct den_error *err)
{
    const struct den_access_tokens *held = context;
    size_t i, k;

    (void)err;
    for (i = 0; i < tokens->count; i++)
        for (k = 0; k < held->count; k++)
            if (strcmp(tokens->tokens[i].id, held->tokens[k].id) == 0 &&
                held->tokens[k].last_used_ms > tokens->tokens[i].last_used_ms)
                tokens->tokens[i].last_used_ms = held->tokens[k].last_used_ms;
    return DEN_OK;
}

static void note_use(struct den_access *access, struct den_access_token *token)
{
    struct den_error ignored = { 0 };
    struct den_access_tokens *held;
    int64_t now = den_clock_unix_ms();

    token->last_used_ms = now;
    if (now - access->written_ms < LAST_USED_EVERY_MS)
        return;
    access->written_ms = now;
    held = malloc(sizeof *held);
    if (held) {
        *held = access->held;
        change_file(access, merge_last_used, held, &ignored); /* worth no refusal */
    }
    free(held);
}

/* --- judging; with the lock held --- */

/* The scope of a token, and whose it is. */
static bool find_token(struct den_access *access, const char *text, enum den_scope *out_scope,
                       char out_id[DEN_ACCESS_ID_LENGTH + 1])
{
    unsigned char hash[DEN_ACCESS_HASH_BYTES];
    struct den_access_token *found = NULL;
    size_t i;

    hash_text(text, hash);
    for (i = 0; i < access->held.count; i++)
        if (is_same(access->held.tokens[i].hash, hash))
            found = &access->held.tokens[i];
    if (found) {
        *out_scope = found->scope;
        memcpy(out_id, found->id, sizeof found->id);
        note_use(access, found);
        return true;
    }
    if (!access->has_master || !is_same(access->master, hash))
        return false;
    *out_scope = DEN_SCOPE_ADMIN;
    memcpy(out_id, master_id, sizeof master_id);
    return true;
}

/* The scope that a session's token has now; false: it has been revoked. */
static bool scope_of(const struct den_access *access, const char *id, enum den_scope *out)
{
    size_t i;

    *out = DEN_SCOPE_ADMIN;
    if (strcmp(id, master_id) == 0)
        return access->has_master;
    for (i = 0; i < access->held.count; i++)
        if (strcmp(access->held.tokens[i].id, id) == 0) {
            *out = access->held.tokens[i].scope;
            return true;
        }
    return false;
}

/* The value of the cookie den_session, which ends at a ';' or a blank. */
static bool read_cookie(const char *cookie, char out[DEN_ACCESS_TOKEN_LENGTH + 1])
{
    const char *place = cookie;

    while ((place = strstr(place, cookie_name)) != NULL) {
        size_t length = strcspn(place + sizeof cookie_name - 1, "; \t");

        if ((place == cookie || strchr("; \t", place[-1])) && length == DEN_ACCESS_TOKEN_LENGTH) {
            memcpy(out, place + sizeof cookie_name - 1, length);
            out[length] = '\0';
            return true;
        }
        place += sizeof cookie_name - 1;
    }
    return false;
}

static struct session *find_session(struct den_access *access, const char *cookie)
{
    char secret[DEN_ACCESS_TOKEN_LENGTH + 1];
    unsigned char hash[DEN_ACCESS_HASH_BYTES];
    struct session *found = NULL;
    size_t i;

    if (!cookie || !read_cookie(cookie, secret))
        return NULL;
    hash_text(secret, hash);
    for (i = 0; i < DEN_SESSIONS_MAX; i++)
        if (*access->sessions[i].id && is_same(access->sessions[i].hash, hash))
            found = &access->sessions[i];
    if (found && den_clock_unix_ms() - found->since_ms > (int64_t)DEN_SESSION_SECONDS_MAX * 1000)
        *found = (struct session){ 0 };
    return found && *found->id ? found : NULL;
}

static bool judge_token(struct den_access *access, const char *token, enum den_scope *out)
{
    char id[DEN_ACCESS_ID_LENGTH + 1];

    if (token && find_token(access, token, out, id))
        return true;
    *out = DEN_SCOPE_ADMIN;
    return !access->required && !(token && strncmp(token, prefix, sizeof prefix - 1) == 0);
}

/* The token in "Bearer TOKEN"; NULL for any other kind of authorization, which is not ours. */
static const char *bearer_token(const char *authorization)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    return authorization + 7 + strspn(authorization + 7, " ");
}

static bool judge_all(struct den_access *access, const struct den_credentials *shown,
                      enum den_scope *out)
{
    enum den_scope scope = DEN_SCOPE_ADMIN, other = DEN_SCOPE_ADMIN;
    struct session *session;

    if (shown->authorization || shown->api_key) {
        if (shown->authorization &&
            !judge_token(access, bearer_token(shown->authorization), &scope))
            return false;
        if (shown->api_key && !judge_token(access, shown->api_key, &other))
            return false;
        *out = scope > other ? scope : other;
        return true;
    }
    session = find_session(access, shown->cookie);
    if (session && scope_of(access, session->id, out))
        return true;
    *out = DEN_SCOPE_ADMIN;
    return !access->required;
}

enum den_status den_access_judge(struct den_access *access, const struct den_credentials *shown,
                                 enum den_scope *out, struct den_error *err)
{
    enum den_scope scope = DEN_SCOPE_NONE;
    bool known;

    pthread_mutex_lock(&access->lock);
    refresh(access);
    known = judge_all(access, shown, &scope);
    pthread_mutex_unlock(&access->lock);
    if (!known)
        return den_fail(err, DEN_UNAUTHORIZED,
                        shown->authorization || shown->api_key
                            ? "the API token is not known here; it may have been revoked"
                            : "this server needs its API token: send the header 'Authorization: "
                              "Bearer TOKEN'; den serve printed where the token is kept");
    *out = scope;
    return DEN_OK;
}

/* --- tokens --- */

static enum den_status add_token(struct den_access_tokens *tokens, const void *context,
                                 struct den_error *err)
{
    if (tokens->count == DEN_TOKENS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokens: there are %d, which is the most; revoke one",
                        DEN_TOKENS_MAX);
    tokens->tokens[tokens->count++] = *(const struct den_access_token *)context;
    return DEN_OK;
}

static enum den_status remove_token(struct den_access_tokens *tokens, const void *context,
                                    struct den_error *err)
{
    size_t i;

    for (i = 0; i < tokens->count; i++)
        if (strcmp(tokens->tokens[i].id, context) == 0) {
            tokens->tokens[i] = tokens->tokens[--tokens->count];
            return DEN_OK;
        }
    return den_fail(err, DEN_NOT_FOUND, "there is no token '%.40s'", (const char *)context);
}

enum den_status den_access_create(struct den_access *access, const char *name, enum den_scope scope,
                                  struct den_access_token *out,
                                  char out_token[DEN_ACCESS_TOKEN_LENGTH + 1],
                                  struct den_error *err)
{
    struct den_access_token token = { .scope = scope, .created_ms = den_clock_unix_ms() };
    char text[DEN_ACCESS_TOKEN_LENGTH + 1], id[DEN_API_TOKEN_LENGTH + 1];
    size_t length = strlen(name);

    if (length == 0 || length > DEN_TOKEN_NAME_BYTES_MAX || !den_utf8_is_valid(name, length))
        return den_fail(err, DEN_INVALID, "'name' must have 1 to %d bytes of text",
                        DEN_TOKEN_NAME_BYTES_MAX);
    if (make_secret(text, err) != DEN_OK || den_api_token_make(id, err) != DEN_OK)
        return err->status;
    memcpy(token.id, id, DEN_ACCESS_ID_LENGTH);
    if (token.id[0] == '-')
        token.id[0] = 'm'; /* else `den token revoke` would take it for an option */
    memcpy(token.name, name, length);
    hash_text(text, token.hash);
    pthread_mutex_lock(&access->lock);
    change_file(access, add_token, &token, err);
    pthread_mutex_unlock(&access->lock);
    if (err->status == DEN_OK) {
        *out = token;
        memcpy(out_token, text, sizeof text);
    }
    OPENSSL_cleanse(text, sizeof text);
    return err->status;
}

enum den_status den_access_list(struct den_access *access, struct den_access_token **out_tokens,
                                size_t *out_count, struct den_error *err)
{
    struct den_access_token *copy;

    pthread_mutex_lock(&access->lock);
    refresh(access);
    copy = malloc((access->held.count + 1) * sizeof *copy);
    if (copy) {
        memcpy(copy, access->held.tokens, access->held.count * sizeof *copy);
        *out_tokens = copy;
        *out_count = access->held.count;
    }
    pthread_mutex_unlock(&access->lock);
    return copy ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "tokens: out of memory");
}

enum den_status den_access_revoke(struct den_access *access, const char *id, struct den_error *err)
{
    pthread_mutex_lock(&access->lock);
    change_file(access, remove_token, id, err);
    pthread_mutex_unlock(&access->lock);
    return err->status;
}

/* --- sessions --- */

/* A free place, else the oldest. */
static struct session *choose_place(struct den_access *access)
{
    struct session *oldest = &access->sessions[0];
    size_t i;

    for (i = 0; i < DEN_SESSIONS_MAX; i++) {
        if (!*access->sessions[i].id)
            return &access->sessions[i];
        if (access->sessions[i].number < oldest->number)
            oldest = &access->sessions[i];
    }
    return oldest;
}

enum den_status den_access_login(struct den_access *access, const char *token,
                                 char out_secret[DEN_ACCESS_TOKEN_LENGTH + 1],
                                 struct den_error *err)
{
    struct session session = { .since_ms = den_clock_unix_ms() };
    char secret[DEN_ACCESS_TOKEN_LENGTH + 1];
    enum den_scope scope;
    bool known;

    if (make_secret(secret, err) != DEN_OK)
        return err->status;
    hash_text(secret, session.hash);
    pthread_mutex_lock(&access->lock);
    refresh(access);
    known = find_token(access, token, &scope, session.id);
    if (known) {
        session.number = access->logins++;
        *choose_place(access) = session;
    }
    pthread_mutex_unlock(&access->lock);
    if (!known)
        return den_fail(err, DEN_UNAUTHORIZED, "'token' is not known here");
    memcpy(out_secret, secret, sizeof secret);
    return DEN_OK;
}

void den_access_logout(struct den_access *access, const char *cookie)
{
    struct session *session;

    pthread_mutex_lock(&access->lock);
    session = find_session(access, cookie);
    if (session)
        *session = (struct session){ 0 };
    pthread_mutex_unlock(&access->lock);
}
