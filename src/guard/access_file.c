/* Access: the file of tokens; its format is in access.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "guard/access_parts.h"

struct den_access_stamp den_access_stamp_of(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return (struct den_access_stamp){ 0 };
    return (struct den_access_stamp){ info.st_ino, (uint64_t)info.st_size,
                                      (int64_t)info.st_ctim.tv_sec * 1000000000 +
                                          info.st_ctim.tv_nsec };
}

static bool read_hex(const char *text, unsigned char out[DEN_ACCESS_HASH_BYTES])
{
    size_t i;

    if (strlen(text) != 2 * (size_t)DEN_ACCESS_HASH_BYTES ||
        strspn(text, "0123456789abcdef") != 2 * (size_t)DEN_ACCESS_HASH_BYTES)
        return false;
    for (i = 0; i < DEN_ACCESS_HASH_BYTES; i++) {
        const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

        out[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return true;
}

static enum den_status read_entry(const json_t *entry, struct den_access_token *out,
                                  struct den_error *err)
{
    const char *id = "", *name = "", *scope = "", *hash = "";

    if (den_json_get_text(entry, "id", &id, err) != DEN_OK ||
        den_json_get_text(entry, "name", &name, err) != DEN_OK ||
        den_json_get_text(entry, "scope", &scope, err) != DEN_OK ||
        den_json_get_text(entry, "sha256", &hash, err) != DEN_OK ||
        den_json_get_integer(entry, "created", 0, INT64_MAX, &out->created_ms, err) != DEN_OK ||
        den_json_get_integer(entry, "last_used", 0, INT64_MAX, &out->last_used_ms, err) != DEN_OK ||
        den_scope_read(scope, &out->scope, err) != DEN_OK)
        return err->status;
    if (strlen(id) != DEN_ACCESS_ID_LENGTH || strlen(name) > DEN_TOKEN_NAME_BYTES_MAX ||
        !read_hex(hash, out->hash))
        return den_fail(err, DEN_BAD_FILE, "'%.40s' is no token's entry", id);
    memcpy(out->id, id, strlen(id) + 1);
    memcpy(out->name, name, strlen(name) + 1);
    return DEN_OK;
}

enum den_status den_access_read(const char *path, struct den_access_tokens *out,
                                struct den_error *err)
{
    json_t *file, *list, *entry;
    struct stat info;
    size_t i;

    out->count = 0;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? DEN_OK
                               : den_fail_errno(err, DEN_IO, "tokens: can't look at %s", path);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return den_fail(err, DEN_FORBIDDEN,
                        "tokens: %s can be reached by others (mode %o); run: chmod 600 %s", path,
                        (unsigned)(info.st_mode & 0777), path);
    if (den_json_read_file(path, &file, err) != DEN_OK)
        return err->status;
    list = json_object_get(file, "tokens");
    if (!json_is_array(list) || json_array_size(list) > DEN_TOKENS_MAX)
        den_fail(err, DEN_BAD_FILE, "'tokens' must be a list of at most %d", DEN_TOKENS_MAX);
    else
        json_array_foreach(list, i, entry)
        {
            memset(&out->tokens[i], 0, sizeof out->tokens[i]);
            if (read_entry(entry, &out->tokens[i], err) != DEN_OK)
                break;
            out->count = i + 1;
        }
    json_decref(file);
    if (err->status == DEN_OK)
        return DEN_OK;
    out->count = 0;
    err->status = DEN_BAD_FILE;
    return den_fail_at(err, "tokens: %s", path);
}

static json_t *entry_json(const struct den_access_token *token)
{
    char hex[2 * DEN_ACCESS_HASH_BYTES + 1];
    size_t i;

    for (i = 0; i < DEN_ACCESS_HASH_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", token->hash[i]);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "id", token->id, "name", token->name,
                     "scope", den_scope_text(token->scope), "sha256", hex, "created",
                     (json_int_t)token->created_ms, "last_used", (json_int_t)token->last_used_ms);
}

enum den_status den_access_write(const char *path, const struct den_access_tokens *tokens,
                                 struct den_error *err)
{
    json_t *list = json_array(), *file;
    struct den_buffer text;
    size_t i;

    for (i = 0; i < tokens->count; i++)
        json_array_append_new(list, entry_json(&tokens->tokens[i]));
    file = json_pack("{s:o}", "tokens", list);
    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (den_json_write(file, &text, err) == DEN_OK && den_buffer_append_byte(&text, '\n'))
        den_file_write(path, text.data, text.length, err); /* mode 0600 */
    den_buffer_deinit(&text);
    json_decref(file);
    return err->status;
}

int den_access_lock(const char *path, struct den_error *err)
{
    char name[DEN_PATH_BYTES_MAX];
    int fd;

    if ((size_t)snprintf(name, sizeof name, "%s.lock", path) >= sizeof name) {
        den_fail(err, DEN_INVALID, "tokens: the path '%.100s...' is too long", path);
        return -1;
    }
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) {
            close(fd);
            fd = -1;
        }
    if (fd < 0)
        den_fail_errno(err, DEN_IO, "tokens: can't lock %s", name);
    return fd;
}
