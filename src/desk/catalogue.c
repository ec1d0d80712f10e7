/* See catalogue.h. Everything lives in one arena and the parsed list; entries of the built-in list
 * come first, then what else is in the folder. */
#include "desk/catalogue.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "desk/catalogue_data.h"
#include "worker/forecast.h"

enum { ENTRIES_MAX = 4096, ARENA_BYTES_MAX = 16 << 20 };

const char den_catalogue_default[] = "smollm2";

struct den_catalogue {
    struct den_arena *arena;
    json_t *list; /* what catalogue.json holds */
    struct den_catalogue_entry entries[ENTRIES_MAX];
    size_t count;
    char folder[DEN_PATH_BYTES_MAX]; /* $DEN_HOME/models */
};

static const char *copy_text(struct den_catalogue *catalogue, const char *text)
{
    return text ? den_arena_text(catalogue->arena, text, strlen(text)) : "";
}

static const char *join(struct den_catalogue *catalogue, const char *folder, const char *name,
                        struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (den_path_join(path, sizeof path, folder, name, err) != DEN_OK)
        return NULL;
    return copy_text(catalogue, path);
}

/* Where it comes from, as `den pull` would take it. */
static const char *source_of(struct den_catalogue *catalogue, const json_t *item)
{
    const char *hub = json_string_value(json_object_get(item, "hub"));
    const char *file = json_string_value(json_object_get(item, "file"));
    const char *url = json_string_value(json_object_get(item, "url"));
    const char *package =
        json_string_value(json_object_get(json_object_get(item, "package"), "name"));
    char text[512];

    if (hub)
        snprintf(text, sizeof text, "hf:%s%s%s", hub, file ? ":" : "", file ? file : "");
    else if (url)
        snprintf(text, sizeof text, "%s", url);
    else
        snprintf(text, sizeof text, "%s%s", package ? "package " : "", package ? package : "");
    return copy_text(catalogue, text);
}

/* About the size of its files, from the shape. */
static uint64_t estimate_bytes(const json_t *shape_json)
{
    struct den_fit_shape shape;
    struct den_error err = { 0 };

    if (den_fit_shape_read(shape_json, &shape, &err) != DEN_OK)
        return 0;
    return (uint64_t)(shape.is_encoder ? 2 * shape.layer_bytes + shape.embedding_file_bytes
                                       : shape.layer_file_bytes + shape.embedding_file_bytes +
                                             shape.head_file_bytes);
}

static enum den_status add_listed(struct den_catalogue *catalogue, const json_t *item,
                                  struct den_error *err)
{
    struct den_catalogue_entry *entry = &catalogue->entries[catalogue->count];
    const char *file = json_string_value(json_object_get(item, "file"));

    *entry = (struct den_catalogue_entry){
        .name = copy_text(catalogue, json_string_value(json_object_get(item, "name"))),
        .title = copy_text(catalogue, json_string_value(json_object_get(item, "title"))),
        .role = copy_text(catalogue, json_string_value(json_object_get(item, "role"))),
        .license = copy_text(catalogue, json_string_value(json_object_get(item, "license"))),
        .parameters = (uint64_t)json_integer_value(json_object_get(item, "parameters")),
        .bytes = (uint64_t)json_integer_value(json_object_get(item, "bytes")),
        .source = source_of(catalogue, item),
        .modalities = json_object_get(item, "modalities"),
        .shape = json_object_get(item, "shape"),
        .in_catalogue = true,
        .is_packaged = !json_object_get(item, "hub") && !json_object_get(item, "url"),
    };
    if (entry->bytes == 0 && entry->shape)
        entry->bytes = estimate_bytes(entry->shape);
    entry->path = join(catalogue, catalogue->folder, entry->name, err);
    if (entry->path && file)
        entry->path = join(catalogue, entry->path, file, err);
    if (!entry->path)
        return err->status;
    entry->installed = den_file_exists(entry->path);
    catalogue->count++;
    return DEN_OK;
}

static enum den_status read_listed(struct den_catalogue *catalogue, struct den_error *err)
{
    json_t *item;
    size_t i;

    if (den_json_parse((const char *)den_catalogue_data, den_catalogue_bytes,
                       "models/catalogue.json", &catalogue->list, err) != DEN_OK)
        return err->status;
    json_array_foreach(json_object_get(catalogue->list, "models"), i, item)
    {
        if (add_listed(catalogue, item, err) != DEN_OK)
            break;
    }
    return err->status;
}

static bool is_listed(const struct den_catalogue *catalogue, const char *name)
{
    size_t i;

    for (i = 0; i < catalogue->count; i++)
        if (catalogue->entries[i].in_catalogue && strcmp(catalogue->entries[i].name, name) == 0)
            return true;
    return false;
}

static bool is_model_name(const char *name, const char *path)
{
    size_t length = strlen(name);

    if (name[0] == '.')
        return false;
    return den_file_is_folder(path) || (length > 5 && strcmp(name + length - 5, ".gguf") == 0);
}

/* Of the regular files in a model's folder, without its folders: theirs are small. Hidden ones are
 * no part of the model: packed weights (worker/packed_files.h). */
struct folder_sum {
    const char *folder;
    uint64_t bytes;
};

static void add_file(void *context, const char *name)
{
    struct folder_sum *sum = context;
    struct den_error err = { 0 };
    char path[DEN_PATH_BYTES_MAX];
    struct stat info;

    if (name[0] != '.' && den_path_join(path, sizeof path, sum->folder, name, &err) == DEN_OK &&
        stat(path, &info) == 0 && S_ISREG(info.st_mode))
        sum->bytes += (uint64_t)info.st_size;
}

uint64_t den_catalogue_path_bytes(const char *path)
{
    struct folder_sum sum = { .folder = path };
    struct den_error err = { 0 };
    struct stat info;

    if (stat(path, &info) != 0)
        return 0;
    if (S_ISREG(info.st_mode))
        return (uint64_t)info.st_size;
    den_folder_list(path, add_file, &sum, &err);
    return sum.bytes;
}

static enum den_status add_found(struct den_catalogue *catalogue, const char *name,
                                 struct den_error *err)
{
    struct den_catalogue_entry *entry = &catalogue->entries[catalogue->count];
    const char *path = join(catalogue, catalogue->folder, name, err);
    struct stat info;

    if (!path)
        return err->status;
    if (!is_model_name(name, path) || is_listed(catalogue, name) || stat(path, &info) != 0)
        return DEN_OK;
    *entry = (struct den_catalogue_entry){
        .name = copy_text(catalogue, name),
        .title = "",
        .role = "chat",
        .license = "",
        .bytes = den_catalogue_path_bytes(path),
        .source = "",
        .installed = true,
        .path = path,
    };
    catalogue->count++;
    return DEN_OK;
}

static enum den_status read_folder(struct den_catalogue *catalogue, struct den_error *err)
{
    DIR *listing = opendir(catalogue->folder);
    struct dirent *found;

    if (!listing)
        return DEN_OK; /* nothing installed yet */
    while (err->status == DEN_OK && catalogue->count < ENTRIES_MAX &&
           (found = readdir(listing)) != NULL)
        add_found(catalogue, found->d_name, err);
    closedir(listing);
    return err->status;
}

enum den_status den_catalogue_create(struct den_catalogue **out, struct den_error *err)
{
    struct den_catalogue *catalogue = calloc(1, sizeof *catalogue);
    char home[DEN_PATH_BYTES_MAX];

    if (!catalogue)
        return den_fail(err, DEN_NO_MEMORY, "catalogue: out of memory");
    catalogue->arena = den_arena_create(ARENA_BYTES_MAX);
    if (!catalogue->arena) {
        den_fail(err, DEN_NO_MEMORY, "catalogue: out of memory");
        goto fail;
    }
    if (den_path_home(home, sizeof home, err) != DEN_OK ||
        den_path_join(catalogue->folder, sizeof catalogue->folder, home, "models", err) != DEN_OK)
        goto fail;
    if (read_listed(catalogue, err) != DEN_OK || read_folder(catalogue, err) != DEN_OK)
        goto fail;
    *out = catalogue;
    return DEN_OK;
fail:
    den_catalogue_destroy(catalogue);
    return err->status;
}

void den_catalogue_destroy(struct den_catalogue *catalogue)
{
    if (!catalogue)
        return;
    den_arena_destroy(catalogue->arena);
    json_decref(catalogue->list);
    free(catalogue);
}

size_t den_catalogue_count(const struct den_catalogue *catalogue)
{
    return catalogue->count;
}

const struct den_catalogue_entry *den_catalogue_at(const struct den_catalogue *catalogue,
                                                   size_t index)
{
    return &catalogue->entries[index];
}

static enum den_status copy_path(const char *path, char *out, size_t capacity,
                                 struct den_error *err)
{
    size_t length = strlen(path);

    if (length >= capacity)
        return den_fail(err, DEN_INVALID, "%.64s...: the path is too long", path);
    memcpy(out, path, length + 1);
    return DEN_OK;
}

/* "smollm2, minilm": what the message for an unknown name offers. */
static void list_names(const struct den_catalogue *catalogue, char *out, size_t capacity)
{
    size_t used = 0;
    size_t i;

    out[0] = '\0';
    for (i = 0; i < catalogue->count; i++) {
        const char *name = catalogue->entries[i].name;
        size_t length = strlen(name);

        if (used + length + 3 > capacity)
            return;
        if (used > 0) {
            memcpy(out + used, ", ", 2);
            used += 2;
        }
        memcpy(out + used, name, length + 1);
        used += length;
    }
}

const struct den_catalogue_entry *den_catalogue_find(const struct den_catalogue *catalogue,
                                                     const char *name)
{
    size_t i;

    for (i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->entries[i].name, name) == 0 ||
            (*name && strcmp(catalogue->entries[i].source, name) == 0))
            return &catalogue->entries[i];
    return NULL;
}

enum den_status den_catalogue_resolve(const struct den_catalogue *catalogue, const char *name,
                                      char *out, size_t capacity, struct den_error *err)
{
    char names[512];
    char path[DEN_PATH_BYTES_MAX];
    size_t i;

    for (i = 0; i < catalogue->count; i++) {
        const struct den_catalogue_entry *entry = &catalogue->entries[i];

        if (strcmp(entry->name, name) != 0)
            continue;
        if (!entry->installed)
            return den_fail(err, DEN_NOT_FOUND,
                            "model '%s' is not installed: %s is missing; den pull %s installs it",
                            name, entry->path, name);
        return copy_path(entry->path, out, capacity, err);
    }
    if (den_file_exists(name))
        return copy_path(name, out, capacity, err);
    if (name[0] != '.' && !strchr(name, '/') && strlen(name) < 256 &&
        den_path_join(path, sizeof path - 5, catalogue->folder, name, err) == DEN_OK) {
        memcpy(path + strlen(path), ".gguf", 6);
        if (den_file_exists(path))
            return copy_path(path, out, capacity, err);
    }
    list_names(catalogue, names, sizeof names);
    return den_fail(err, DEN_NOT_FOUND,
                    "model '%s': no such file or folder, and no model of that name; there are: %s",
                    name, names);
}
