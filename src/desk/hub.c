/* See hub.h. The hub's listing is GET HUB/api/models/OWNER/REPO/tree/main?recursive=true, in pages
 * that name the next one in a Link header; a file is HUB/OWNER/REPO/resolve/main/PATH, which
 * redirects to wherever its bytes are kept. */
#include "desk/hub_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "desk/catalogue_data.h"
#include "desk/download_http.h"

enum den_status den_hub_address(struct den_hub_file *file, const char *hub, const char *repository,
                                const char *path, struct den_error *err)
{
    struct den_buffer text;
    size_t i;

    den_buffer_init(&text, sizeof file->address - 1);
    den_buffer_appendf(&text, "%s/%s/resolve/main/", hub, repository);
    for (i = 0; path[i]; i++)
        den_buffer_appendf(&text, strchr(" +", path[i]) ? "%%%02X" : "%c", (unsigned char)path[i]);
    if (den_buffer_status(&text, "the address of a file", err) == DEN_OK)
        memcpy(file->address, text.data, text.length + 1);
    den_buffer_deinit(&text);
    return err->status;
}

/* --- a repository --- */

static enum den_status read_page(struct den_http *http, const char *url, json_t *listing,
                                 char *out_next, struct den_error *err)
{
    struct den_http_reply reply;
    struct den_buffer body;
    json_t *page = NULL;

    den_buffer_init(&body, DEN_HUB_LISTING_BYTES_MAX);
    if (den_http_ask(http, url, &body, NULL, &reply, err) == DEN_OK &&
        den_json_parse(body.data, body.length, "the hub's listing", &page, err) == DEN_OK) {
        if (json_is_array(page))
            json_array_extend(listing, page);
        else
            den_fail(err, DEN_BAD_FILE, "the hub's listing is no list");
        snprintf(out_next, DEN_URL_BYTES_MAX, "%s", reply.next);
    }
    json_decref(page);
    den_buffer_deinit(&body);
    return err->status;
}

static enum den_status plan_repository(struct den_http *http, const struct den_hub_source *source,
                                       struct den_hub_plan *out, struct den_error *err)
{
    struct den_download_url first, next;
    char url[DEN_URL_BYTES_MAX];
    json_t *listing = json_array();
    int pages;

    snprintf(url, sizeof url, "%s/api/models/%s/tree/main?recursive=true", den_http_hub(http),
             source->repository);
    if (den_download_url_parse(url, &first, err) == DEN_OK)
        for (pages = 0; *url && pages < DEN_HUB_PAGES_MAX && err->status == DEN_OK; pages++) {
            if (den_download_url_follow(&first, url, &next, err) != DEN_OK ||
                !den_download_url_same_origin(&first, &next))
                break; /* a listing goes on where it began */
            read_page(http, next.text, listing, url, err);
        }
    if (err->status != DEN_OK)
        den_fail_at(err, "hf:%s", source->repository);
    else
        den_hub_choose(source, listing, den_http_hub(http), out, err);
    json_decref(listing);
    return err->status;
}

/* --- the catalogue --- */

static enum den_status check_catalogued(const struct den_hub_plan *plan, struct den_error *err)
{
    size_t i;

    if (!den_hub_path_is_safe(plan->name) && !strchr(plan->name, ':'))
        return den_fail(err, DEN_INTERNAL, "models/catalogue.json: '%s' is no name", plan->name);
    for (i = 0; i < plan->count; i++)
        if (!den_hub_path_is_safe(plan->files[i].path))
            return den_fail(err, DEN_INTERNAL, "models/catalogue.json: '%s' is no file's name",
                            plan->files[i].path);
    return DEN_OK;
}

static void add_catalogued(struct den_hub_plan *plan, const json_t *item, const char *path)
{
    struct den_hub_file *file = &plan->files[plan->count++];
    const char *sha256 = json_string_value(json_object_get(item, "sha256"));

    *file = (struct den_hub_file){
        .bytes = (uint64_t)json_integer_value(json_object_get(item, "bytes")),
    };
    snprintf(file->path, sizeof file->path, "%s", path);
    snprintf(file->sha256, sizeof file->sha256, "%s", sha256 ? sha256 : "");
    plan->bytes += file->bytes;
}

/* The files whose size and hash the entry knows; these have to be true. */
static void add_known(const json_t *entry, struct den_hub_plan *out)
{
    const json_t *files = json_object_get(entry, "files"), *item;
    const char *file = json_string_value(json_object_get(entry, "file"));
    const char *name;
    size_t i;

    if (file && json_integer_value(json_object_get(entry, "bytes")) > 0 &&
        json_is_string(json_object_get(entry, "sha256")))
        add_catalogued(out, entry, file);
    json_array_foreach(files, i, item)
    {
        name = json_string_value(json_object_get(item, "name"));
        if (name && out->count < DEN_HUB_FILES_MAX)
            add_catalogued(out, item, name);
    }
}

/* What the entry does not know, the repository's listing says. */
static enum den_status plan_listed(struct den_http *http, const json_t *entry,
                                   const char *repository, struct den_hub_plan *out,
                                   struct den_error *err)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    struct den_hub_source source = { .kind = DEN_HUB_REPOSITORY };
    size_t i;

    for (i = 0; i < out->count; i++)
        if (den_hub_address(&out->files[i], den_http_hub(http), repository, out->files[i].path,
                            err) != DEN_OK)
            return err->status;
    if (out->count > 0)
        return DEN_OK;
    snprintf(source.repository, sizeof source.repository, "%s", repository);
    snprintf(source.selector, sizeof source.selector, "%s", file ? file : "");
    return plan_repository(http, &source, out, err);
}

/* Into `out`, or false where it is absent, too long, or would not be a word of its own. */
static bool take_word(const json_t *object, const char *key, char *out, size_t capacity)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (!text || strlen(text) >= capacity || !den_hub_path_is_safe(text) || strchr(text, ' '))
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static enum den_status plan_package(const json_t *package, struct den_hub_package *out,
                                    struct den_error *err)
{
    out->is_folder = json_is_string(json_object_get(package, "folder"));
    if (!take_word(package, "name", out->name, sizeof out->name) ||
        !take_word(package, "version", out->version, sizeof out->version) ||
        !take_word(package, "sha256", out->sha256, sizeof out->sha256) ||
        !take_word(package, out->is_folder ? "folder" : "member", out->member, sizeof out->member))
        return den_fail(err, DEN_INTERNAL, "models/catalogue.json: a package is described wrongly");
    return DEN_OK;
}

static enum den_status plan_entry(struct den_http *http, const json_t *entry,
                                  struct den_hub_plan *out, struct den_error *err)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *repository = json_string_value(json_object_get(entry, "hub"));
    const char *url = json_string_value(json_object_get(entry, "url"));
    const char *file = json_string_value(json_object_get(entry, "file"));

    add_known(entry, out);
    if (repository) {
        if (plan_listed(http, entry, repository, out, err) != DEN_OK)
            return err->status;
    } else if (url && file) {
        if (out->count == 0)
            add_catalogued(out, entry, file);
        if (strlen(url) >= sizeof out->files[0].address)
            return den_fail(err, DEN_INTERNAL, "models/catalogue.json: an address is too long");
        memcpy(out->files[0].address, url, strlen(url) + 1);
    } else if (plan_package(json_object_get(entry, "package"), &out->package, err) != DEN_OK) {
        return err->status;
    }
    out->is_catalogued = true;
    out->is_file = false;
    snprintf(out->name, sizeof out->name, "%s", name);
    return check_catalogued(out, err);
}

static enum den_status plan_name(struct den_http *http, const char *name, struct den_hub_plan *out,
                                 struct den_error *err)
{
    json_t *root = NULL, *item, *found = NULL;
    char names[512] = "";
    size_t used = 0, i;

    if (den_json_parse((const char *)den_catalogue_data, den_catalogue_bytes,
                       "models/catalogue.json", &root, err) != DEN_OK)
        return err->status;
    json_array_foreach(json_object_get(root, "models"), i, item)
    {
        const char *one = json_string_value(json_object_get(item, "name"));

        if (one && strcmp(one, name) == 0)
            found = item;
        if (one && used + strlen(one) + 3 < sizeof names)
            used +=
                (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", one);
    }
    if (found)
        plan_entry(http, found, out, err);
    else
        den_fail(err, DEN_NOT_FOUND,
                 "there is no model '%s' in the catalogue; write hf:owner/repo for one of the hub, "
                 "or one of: %s",
                 name, names);
    json_decref(root);
    return err->status;
}

enum den_status den_hub_plan(struct den_http *http, const char *text, struct den_hub_plan *out,
                             struct den_error *err)
{
    struct den_hub_source source;

    *out = (struct den_hub_plan){ 0 };
    if (den_hub_source_parse(text, &source, err) != DEN_OK)
        return err->status;
    switch (source.kind) {
    case DEN_HUB_CATALOGUE:
        return plan_name(http, source.name, out, err);
    case DEN_HUB_REPOSITORY:
        return plan_repository(http, &source, out, err);
    case DEN_HUB_URL:
        break;
    }
    if (strlen(source.url.text) >= sizeof out->files[0].address)
        return den_fail(err, DEN_INVALID, "the address is longer than %zu bytes",
                        sizeof out->files[0].address - 1);
    out->is_file = true;
    out->count = 1;
    snprintf(out->name, sizeof out->name, "%s", source.name);
    snprintf(out->files[0].path, sizeof out->files[0].path, "%s", source.name);
    memcpy(out->files[0].address, source.url.text, strlen(source.url.text) + 1);
    return DEN_OK;
}
