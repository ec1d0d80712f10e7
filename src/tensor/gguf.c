/* See gguf.h: opening one file or all parts of a split one, and finding tensors. What a single file
 * holds is checked by gguf_parse.c, keys are read by gguf_keys.c.
 *
 * A model too large for one file is split into NAME-00001-of-0000N.gguf and so on. Each part is a
 * complete GGUF file with its own tensors; the first alone carries the model's keys. Three keys tie
 * them together: split.no (from 0), split.count and, in the first, split.tensors.count. */
#include "tensor/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/gguf_parse.h"

/* "-00001-of-00005.gguf" */
enum { SPLIT_SUFFIX_BYTES = 20 };

static enum den_status no_memory(const char *path, struct den_error *err)
{
    return den_fail(err, DEN_NO_MEMORY, "gguf: %s: out of memory", path);
}

/* Begins a part; den_gguf_part_deinit() ends it, also after a failure here. */
static enum den_status open_part(struct den_gguf_part *part, const char *path,
                                 struct den_error *err)
{
    part->name = strdup(path);
    if (!part->name)
        return no_memory(path, err);
    if (den_map_open(&part->map, path, err) != DEN_OK)
        return den_fail_at(err, "gguf");
    part->data = part->map.data;
    part->bytes = part->map.bytes;
    return den_gguf_parse(part, err);
}

/* Joins the tensors of all parts. */
static enum den_status index_tensors(struct den_gguf *gguf, struct den_error *err)
{
    char what[DEN_ERROR_BYTES_MAX];
    size_t total = 0;
    size_t i;

    snprintf(what, sizeof what, "gguf: %s", den_gguf_path(gguf));
    for (i = 0; i < gguf->part_count; i++)
        total += gguf->parts[i].tensor_count;
    if (den_tensor_index_reserve(&gguf->index, total, what, err) != DEN_OK)
        return err->status;
    for (i = 0; i < gguf->part_count; i++)
        den_tensor_index_add(&gguf->index, gguf->parts[i].tensors, gguf->parts[i].tensor_count);
    return den_tensor_index_sort(&gguf->index, what, err);
}

/* The split.no and split.count of a part; 0 and 1 where it has none. */
static enum den_status split_position(const struct den_gguf_part *part, uint64_t *out_number,
                                      uint64_t *out_count, struct den_error *err)
{
    enum den_status status;

    *out_number = 0;
    *out_count = 1;
    status = den_gguf_part_u64(part, "split.count", out_count, err);
    if (status == DEN_NOT_FOUND || (status == DEN_OK && *out_count <= 1)) {
        *out_count = 1;
        return DEN_OK;
    }
    if (status != DEN_OK)
        return status;
    if (*out_count > DEN_MODEL_SHARDS_MAX)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: split.count is %llu; at most %d are allowed",
                        part->name, (unsigned long long)*out_count, DEN_MODEL_SHARDS_MAX);
    status = den_gguf_part_u64(part, "split.no", out_number, err);
    return status == DEN_NOT_FOUND ? DEN_OK : status;
}

/* Checks that `path` is named as the first of `count` parts are. */
static enum den_status check_first_name(const char *path, uint64_t count, struct den_error *err)
{
    char suffix[SPLIT_SUFFIX_BYTES + 1];
    size_t length = strlen(path);

    snprintf(suffix, sizeof suffix, "-00001-of-%05u.gguf", (unsigned)count);
    if (length > SPLIT_SUFFIX_BYTES && strcmp(path + length - SPLIT_SUFFIX_BYTES, suffix) == 0)
        return DEN_OK;
    return den_fail(err, DEN_BAD_FILE,
                    "gguf: %s: is the first of %u files but its name doesn't end in '%s', so the "
                    "others can't be found; restore the names they were published with",
                    path, (unsigned)count, suffix);
}

static enum den_status open_other_part(struct den_gguf *gguf, const char *first, uint64_t number,
                                       uint64_t count, struct den_error *err)
{
    size_t stem = strlen(first) - SPLIT_SUFFIX_BYTES;
    struct den_gguf_part *part = &gguf->parts[gguf->part_count++];
    char path[DEN_PATH_BYTES_MAX];
    uint64_t its_number;
    uint64_t its_count;

    if (snprintf(path, sizeof path, "%.*s-%05u-of-%05u.gguf", (int)stem, first,
                 (unsigned)number + 1, (unsigned)count) >= (int)sizeof path)
        return den_fail(err, DEN_INVALID, "gguf: %.64s...: the path is too long", first);
    if (open_part(part, path, err) != DEN_OK)
        return err->status;
    if (split_position(part, &its_number, &its_count, err) != DEN_OK)
        return err->status;
    if (its_number != number || its_count != count)
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: says it is part %llu of %llu; part %llu of %llu belongs here",
                        path, (unsigned long long)its_number + 1, (unsigned long long)its_count,
                        (unsigned long long)number + 1, (unsigned long long)count);
    return DEN_OK;
}

/* Opens the parts after the first, which is open. */
static enum den_status open_other_parts(struct den_gguf *gguf, const char *path,
                                        struct den_error *err)
{
    struct den_gguf_part *parts;
    uint64_t number;
    uint64_t count;
    uint64_t i;

    if (split_position(&gguf->parts[0], &number, &count, err) != DEN_OK)
        return err->status;
    if (number != 0)
        return den_fail(err, DEN_INVALID,
                        "gguf: %s: is part %llu of %llu; open the first, named '...-00001-of-"
                        "%05llu.gguf'",
                        path, (unsigned long long)number + 1, (unsigned long long)count,
                        (unsigned long long)count);
    if (count == 1)
        return DEN_OK;
    if (!gguf->parts[0].map.data)
        return den_fail(err, DEN_UNSUPPORTED,
                        "gguf: %s: is split into %llu files, which memory can't hold", path,
                        (unsigned long long)count);
    if (check_first_name(path, count, err) != DEN_OK)
        return err->status;
    parts = realloc(gguf->parts, (size_t)count * sizeof *parts);
    if (!parts)
        return no_memory(path, err);
    memset(parts + 1, 0, (size_t)(count - 1) * sizeof *parts);
    gguf->parts = parts;
    for (i = 1; i < count; i++)
        if (open_other_part(gguf, path, i, count, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* The first part says how many tensors all of them have: a check that none was swapped. */
static enum den_status check_split_total(const struct den_gguf *gguf, struct den_error *err)
{
    uint64_t wanted;
    enum den_status status =
        den_gguf_part_u64(&gguf->parts[0], "split.tensors.count", &wanted, err);

    if (status == DEN_NOT_FOUND || (status == DEN_OK && wanted == gguf->index.count))
        return DEN_OK;
    if (status != DEN_OK)
        return status;
    return den_fail(err, DEN_BAD_FILE,
                    "gguf: %s: split.tensors.count is %llu, but the parts hold %zu tensors",
                    den_gguf_path(gguf), (unsigned long long)wanted, gguf->index.count);
}

/* With one part to be filled, and nothing else. */
static struct den_gguf *create(void)
{
    struct den_gguf *gguf = calloc(1, sizeof *gguf);

    if (!gguf)
        return NULL;
    gguf->parts = calloc(1, sizeof *gguf->parts);
    if (!gguf->parts) {
        free(gguf);
        return NULL;
    }
    gguf->part_count = 1;
    return gguf;
}

enum den_status den_gguf_open(const char *path, struct den_gguf **out_gguf, struct den_error *err)
{
    struct den_gguf *gguf = create();

    if (!gguf)
        return no_memory(path, err);
    if (open_part(&gguf->parts[0], path, err) != DEN_OK ||
        open_other_parts(gguf, path, err) != DEN_OK || index_tensors(gguf, err) != DEN_OK ||
        check_split_total(gguf, err) != DEN_OK)
        goto fail;
    *out_gguf = gguf;
    return DEN_OK;
fail:
    den_gguf_close(gguf);
    return err->status;
}

enum den_status den_gguf_open_memory(const void *data, size_t bytes, const char *name,
                                     struct den_gguf **out_gguf, struct den_error *err)
{
    struct den_gguf *gguf = create();

    if (!gguf)
        return no_memory(name, err);
    gguf->parts[0].name = strdup(name);
    gguf->parts[0].data = data;
    gguf->parts[0].bytes = bytes;
    if (!gguf->parts[0].name) {
        no_memory(name, err);
        goto fail;
    }
    if (den_gguf_parse(&gguf->parts[0], err) != DEN_OK ||
        open_other_parts(gguf, name, err) != DEN_OK || index_tensors(gguf, err) != DEN_OK)
        goto fail;
    *out_gguf = gguf;
    return DEN_OK;
fail:
    den_gguf_close(gguf);
    return err->status;
}

void den_gguf_close(struct den_gguf *gguf)
{
    size_t i;

    if (!gguf)
        return;
    for (i = 0; i < gguf->part_count; i++)
        den_gguf_part_deinit(&gguf->parts[i]);
    free(gguf->parts);
    den_tensor_index_deinit(&gguf->index);
    free(gguf);
}

void den_gguf_release(const struct den_gguf *gguf)
{
    size_t i;

    for (i = 0; i < gguf->part_count; i++)
        den_map_release(&gguf->parts[i].map);
}

const char *den_gguf_path(const struct den_gguf *gguf)
{
    return gguf->parts[0].name;
}

size_t den_gguf_tensor_count(const struct den_gguf *gguf)
{
    return gguf->index.count;
}

const struct den_tensor *den_gguf_tensor(const struct den_gguf *gguf, size_t index)
{
    return den_tensor_index_at(&gguf->index, index);
}

const struct den_tensor *den_gguf_find_tensor(const struct den_gguf *gguf, const char *name)
{
    return den_tensor_index_find(&gguf->index, name);
}
