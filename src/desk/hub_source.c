/* See hub_source.h. */
#include "desk/hub_source.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES_MAX = 200, PATH_PARTS_MAX = 3 };

static bool part_is_safe(const char *name, size_t length)
{
    size_t i;

    if (length == 0 || length > NAME_BYTES_MAX || name[0] == '.' || name[0] == '-' ||
        name[0] == ' ' || name[length - 1] == ' ')
        return false;
    for (i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-+ ", name[i]))
            return false;
    return true;
}

bool den_hub_name_is_safe(const char *name)
{
    return part_is_safe(name, strlen(name));
}

bool den_hub_path_is_safe(const char *path)
{
    int parts = 0;

    for (;;) {
        const size_t length = strcspn(path, "/");

        if (!part_is_safe(path, length) || ++parts > PATH_PARTS_MAX)
            return false;
        if (path[length] == '\0')
            return true;
        path += length + 1;
    }
}

static bool copy(char *out, size_t capacity, const char *text, size_t length)
{
    if (length >= capacity)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), wanted = strlen(end);

    return length > wanted && strcasecmp(text + length - wanted, end) == 0;
}

/* "owner/repo", "owner/repo:selector" */
static enum den_status read_repository(const char *text, struct den_hub_source *out,
                                       struct den_error *err)
{
    const size_t length = strcspn(text, ":");
    const char *slash;

    out->kind = DEN_HUB_REPOSITORY;
    if (!copy(out->repository, sizeof out->repository, text, length) ||
        (slash = strchr(out->repository, '/')) == NULL || strchr(slash + 1, '/') ||
        !den_hub_path_is_safe(out->repository) || strchr(out->repository, ' '))
        return den_fail(err, DEN_INVALID,
                        "'%.200s' is no repository of the hub; write hf:owner/repo or "
                        "hf:owner/repo:Q8_0",
                        text);
    if (text[length] == '\0' || strcasecmp(text + length, ":latest") == 0)
        return DEN_OK;
    text += length + 1;
    if (!copy(out->selector, sizeof out->selector, text, strlen(text)) ||
        !den_hub_path_is_safe(out->selector))
        return den_fail(err, DEN_INVALID,
                        "'%.200s' is neither a file nor a quantization; write for instance "
                        "hf:%s:Q8_0",
                        text, out->repository);
    return DEN_OK;
}

/* The path of the hub's own pages: /owner/repo, /owner/repo/blob/main/FILE. */
static enum den_status read_page(const char *path, struct den_hub_source *out,
                                 struct den_error *err)
{
    char text[sizeof out->repository + sizeof out->selector];
    const char *slash = strchr(path, '/'), *rest;
    const char *views[] = { "/blob/main/", "/resolve/main/", "/tree/main" };
    size_t length, i;

    length = slash ? (size_t)(slash - path) + 1 + strcspn(slash + 1, "/?") : strlen(path);
    rest = path + length;
    for (i = 0; i < sizeof views / sizeof views[0]; i++)
        if (strncmp(rest, views[i], strlen(views[i])) == 0) {
            rest += strlen(views[i]);
            break;
        }
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)length, path,
             *rest && *rest != '/' && *rest != '?' ? ":" : "", (int)strcspn(rest, "?"),
             *rest == '/' ? "" : rest);
    return read_repository(text, out, err);
}

static enum den_status read_url(const char *text, struct den_hub_source *out, struct den_error *err)
{
    const char *path, *name;

    if (den_download_url_parse(text, &out->url, err) != DEN_OK)
        return err->status;
    path = strstr(out->url.text, "://") + 3;
    path += strcspn(path, "/?");
    if (strcmp(out->url.host, "huggingface.co") == 0 || strcmp(out->url.host, "hf.co") == 0)
        return read_page(*path == '/' ? path + 1 : path, out, err);
    out->kind = DEN_HUB_URL;
    name = path;
    while (name[strcspn(name, "/?")] == '/')
        name += strcspn(name, "/?") + 1;
    if (!copy(out->name, sizeof out->name, name, strcspn(name, "?")) ||
        !ends_in(out->name, ".gguf") || !den_hub_name_is_safe(out->name))
        return den_fail(err, DEN_INVALID,
                        "'%.200s' does not name a GGUF file; the last part of the address must be "
                        "a plain name that ends in .gguf",
                        text);
    return DEN_OK;
}

enum den_status den_hub_source_parse(const char *text, struct den_hub_source *out,
                                     struct den_error *err)
{
    static const char *const prefixes[] = { "hf:", "hf.co/", "huggingface.co/" };
    size_t i, length = strlen(text);

    *out = (struct den_hub_source){ 0 };
    if (strstr(text, "://"))
        return read_url(text, out, err);
    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncasecmp(text, prefixes[i], strlen(prefixes[i])) == 0)
            return read_repository(text + strlen(prefixes[i]), out, err);
    out->kind = DEN_HUB_CATALOGUE;
    if (length > 7 && strcmp(text + length - 7, ":latest") == 0)
        length -= 7;
    if (!copy(out->name, sizeof out->name, text, length) ||
        (!den_hub_name_is_safe(out->name) && !strchr(out->name, ':')) || strchr(out->name, '/'))
        return den_fail(err, DEN_INVALID,
                        "'%.200s' is no source of a model; it takes a name of 'den models', "
                        "hf:owner/repo, hf:owner/repo:FILE or the address of a GGUF file",
                        text);
    return DEN_OK;
}
