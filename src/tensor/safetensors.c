/* See safetensors.h: one file, or a folder with one, or with several and an index. What a single
 * file holds is checked by safetensors_shard.c.
 *
 * The index of a model of several files (shards) is { "weight_map": { "name": "file", ... } }. Its
 * file names come from a stranger: they must be plain names in the same folder. */
#include "tensor/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "tensor/quoted.h"
#include "tensor/safetensors_shard.h"
#include "tensor/tensor_index.h"

struct den_safetensors {
    size_t shard_count;
    struct den_shard *shards;
    struct den_tensor_index index;
};

static enum den_status no_memory(const char *path, struct den_error *err)
{
    return den_fail(err, DEN_NO_MEMORY, "safetensors: %s: out of memory", path);
}

/* Joins the tensors of all shards. */
static enum den_status index_tensors(struct den_safetensors *file, const char *path,
                                     struct den_error *err)
{
    char what[DEN_ERROR_BYTES_MAX];
    size_t total = 0;
    size_t i;

    snprintf(what, sizeof what, "safetensors: %s", path);
    for (i = 0; i < file->shard_count; i++)
        total += file->shards[i].tensor_count;
    if (den_tensor_index_reserve(&file->index, total, what, err) != DEN_OK)
        return err->status;
    for (i = 0; i < file->shard_count; i++)
        den_tensor_index_add(&file->index, file->shards[i].tensors, file->shards[i].tensor_count);
    return den_tensor_index_sort(&file->index, what, err);
}

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && !strchr(name, '/');
}

/* The set of shard names that a weight_map mentions, as an object { "file": null }. */
static json_t *collect_names(const json_t *weight_map, const char *path, struct den_error *err)
{
    json_t *names = json_object();
    const char *tensor;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)weight_map, tensor, value)
    {
        const char *name = json_string_value(value);

        if (!name || !is_plain_name(name)) {
            den_fail(err, DEN_BAD_FILE,
                     "safetensors: %s: tensor '%s' is said to be in '%s', which is no plain file "
                     "name",
                     path, den_quoted(tensor, strlen(tensor)).text,
                     name ? den_quoted(name, strlen(name)).text : "");
            break;
        }
        if (json_object_set_new(names, name, json_null()) != 0) {
            no_memory(path, err);
            break;
        }
    }
    if (err->status == DEN_OK && json_object_size(names) > DEN_MODEL_SHARDS_MAX)
        den_fail(err, DEN_BAD_FILE, "safetensors: %s: names %zu files; at most %d are allowed",
                 path, json_object_size(names), DEN_MODEL_SHARDS_MAX);
    if (err->status == DEN_OK && json_object_size(names) == 0)
        den_fail(err, DEN_BAD_FILE,
                 "safetensors: %s: has no 'weight_map' that names a tensor's file", path);
    if (err->status == DEN_OK)
        return names;
    json_decref(names);
    return NULL;
}

/* Every tensor that the index promises must be there. */
static enum den_status check_promised(const struct den_safetensors *file, const json_t *weight_map,
                                      const char *path, struct den_error *err)
{
    const char *tensor;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)weight_map, tensor, value)
    {
        if (!den_safetensors_find(file, tensor))
            return den_fail(
                err, DEN_BAD_FILE, "safetensors: %s: tensor '%s' is missing from '%s'", path,
                den_quoted(tensor, strlen(tensor)).text,
                den_quoted(json_string_value(value), strlen(json_string_value(value))).text);
    }
    return DEN_OK;
}

static enum den_status open_shards(struct den_safetensors *file, json_t *names, const char *folder,
                                   struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    const char *name;
    json_t *value;
    struct den_shard *shards = calloc(json_object_size(names), sizeof *shards);

    if (!shards)
        return no_memory(folder, err);
    free(file->shards);
    file->shards = shards;
    json_object_foreach(names, name, value)
    {
        if (den_path_join(path, sizeof path, folder, name, err) != DEN_OK)
            return err->status;
        file->shard_count++;
        if (den_shard_open(&file->shards[file->shard_count - 1], path, err) != DEN_OK)
            return err->status;
    }
    return index_tensors(file, folder, err);
}

static enum den_status open_index(struct den_safetensors *file, const char *folder,
                                  const char *path, struct den_error *err)
{
    json_t *index = NULL;
    json_t *names = NULL;
    const json_t *weight_map;

    if (den_json_read_file(path, &index, err) != DEN_OK)
        return den_fail_at(err, "safetensors");
    weight_map = json_object_get(index, "weight_map");
    names = collect_names(weight_map, path, err);
    if (names && open_shards(file, names, folder, err) == DEN_OK)
        check_promised(file, weight_map, path, err);
    json_decref(names);
    json_decref(index);
    return err->status;
}

static enum den_status open_single(struct den_safetensors *file, const char *path,
                                   struct den_error *err)
{
    file->shard_count = 1;
    if (den_shard_open(&file->shards[0], path, err) != DEN_OK)
        return err->status;
    return index_tensors(file, path, err);
}

static enum den_status open_folder(struct den_safetensors *file, const char *folder,
                                   struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (den_path_join(path, sizeof path, folder, "model.safetensors", err) != DEN_OK)
        return err->status;
    if (den_file_exists(path))
        return open_single(file, path, err);
    if (den_path_join(path, sizeof path, folder, "model.safetensors.index.json", err) != DEN_OK)
        return err->status;
    if (den_file_exists(path))
        return open_index(file, folder, path, err);
    return den_fail(err, DEN_NOT_FOUND,
                    "safetensors: %s: holds neither model.safetensors nor "
                    "model.safetensors.index.json",
                    folder);
}

/* With room for one shard. */
static struct den_safetensors *create(void)
{
    struct den_safetensors *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->shards = calloc(1, sizeof *file->shards);
    if (!file->shards) {
        free(file);
        return NULL;
    }
    return file;
}

enum den_status den_safetensors_open(const char *path, struct den_safetensors **out,
                                     struct den_error *err)
{
    struct den_safetensors *file = create();

    if (!file)
        return no_memory(path, err);
    if (den_file_is_folder(path))
        open_folder(file, path, err);
    else
        open_single(file, path, err);
    if (err->status != DEN_OK)
        goto fail;
    *out = file;
    return DEN_OK;
fail:
    den_safetensors_close(file);
    return err->status;
}

enum den_status den_safetensors_open_memory(const void *data, size_t bytes, const char *name,
                                            struct den_safetensors **out, struct den_error *err)
{
    struct den_safetensors *file = create();

    if (!file)
        return no_memory(name, err);
    file->shard_count = 1;
    if (den_shard_open_memory(&file->shards[0], data, bytes, name, err) != DEN_OK ||
        index_tensors(file, name, err) != DEN_OK)
        goto fail;
    *out = file;
    return DEN_OK;
fail:
    den_safetensors_close(file);
    return err->status;
}

void den_safetensors_close(struct den_safetensors *file)
{
    size_t i;

    if (!file)
        return;
    for (i = 0; i < file->shard_count; i++)
        den_shard_deinit(&file->shards[i]);
    free(file->shards);
    den_tensor_index_deinit(&file->index);
    free(file);
}

void den_safetensors_release(const struct den_safetensors *file)
{
    size_t i;

    for (i = 0; i < file->shard_count; i++)
        den_map_release(&file->shards[i].map);
}

size_t den_safetensors_count(const struct den_safetensors *file)
{
    return file->index.count;
}

const struct den_tensor *den_safetensors_tensor(const struct den_safetensors *file, size_t index)
{
    return den_tensor_index_at(&file->index, index);
}

const struct den_tensor *den_safetensors_find(const struct den_safetensors *file, const char *name)
{
    return den_tensor_index_find(&file->index, name);
}
