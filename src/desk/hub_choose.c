/* What of a repository is the model. Its listing is a stranger's: names that could not be files of
 * ours are passed over as if they were not there, numbers are checked, and the hash of a file goes
 * with it.
 *
 * GGUF repositories hold the same model in many quantizations. Q4_K_M is the usual trade of size
 * for quality; where it is missing, the next in `preferred` is taken, and where none is, the
 * message lists the files. A split model counts as one candidate, whole or not at all. */
#include "desk/hub_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"

static const char *const preferred[] = { "Q4_K_M", "Q4_0", "Q5_K_M", "Q8_0", "Q4_K_S", "Q5_K_S",
                                         "Q4_1",   "Q5_0", "Q6_K",   "BF16", "F16",    "F32" };

struct candidate {
    const char *path;
    const json_t *item;
    size_t stem;     /* bytes of the path before "-00001-of-00003.gguf" or ".gguf" */
    int part, parts; /* 1 of 1 where it is not split */
};

struct listing {
    struct candidate *items;
    size_t count;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), wanted = strlen(end);

    return length > wanted && strcasecmp(text + length - wanted, end) == 0;
}

static int digits_at(const char *text)
{
    int value = 0, i;

    for (i = 0; i < 5; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static void read_split(struct candidate *one)
{
    static const char form[] = "-00001-of-00003.gguf";
    const size_t length = strlen(one->path);
    const char *tail;

    one->stem = length - 5;
    one->part = one->parts = 1;
    if (length <= sizeof form - 1)
        return;
    tail = one->path + length - (sizeof form - 1);
    if (tail[0] != '-' || digits_at(tail + 1) < 1 || strncmp(tail + 6, "-of-", 4) != 0 ||
        digits_at(tail + 10) < 1)
        return;
    one->stem = (size_t)(tail - one->path);
    one->part = digits_at(tail + 1);
    one->parts = digits_at(tail + 10);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct candidate *)a)->path, ((const struct candidate *)b)->path);
}

/* The GGUF files, in order of name; those that only add pictures to a model are left out. */
static enum den_status find_ggufs(const json_t *listing, struct listing *out, struct den_error *err)
{
    const json_t *item;
    size_t i;

    out->items = calloc(json_array_size(listing) + 1, sizeof *out->items);
    if (!out->items)
        return den_fail(err, DEN_NO_MEMORY, "hub: out of memory");
    json_array_foreach(listing, i, item)
    {
        const char *path = json_string_value(json_object_get(item, "path"));

        if (!path || !ends_in(path, ".gguf") || !den_hub_path_is_safe(path) ||
            strncasecmp(base_of(path), "mmproj", 6) == 0)
            continue;
        out->items[out->count] = (struct candidate){ .path = path, .item = item };
        read_split(&out->items[out->count++]);
    }
    qsort(out->items, out->count, sizeof *out->items, by_path);
    return DEN_OK;
}

/* "model-Q4_K_M.gguf" has the tag Q4_K_M; "model-Q4_K_M_L.gguf" and "model-IQ4_K_M.gguf" do not. */
static bool has_tag(const struct candidate *one, const char *tag)
{
    const size_t length = strlen(tag);
    const char *name = base_of(one->path), *end = one->path + one->stem;
    const char *at;

    for (at = name; at + length <= end; at++)
        if (strncasecmp(at, tag, length) == 0 && (at == name || strchr("-._", at[-1])) &&
            (at + length == end || strchr("-.", at[length])))
            return true;
    return false;
}

static bool is_same_model(const struct candidate *a, const struct candidate *b)
{
    return a->stem == b->stem && a->parts == b->parts && strncmp(a->path, b->path, a->stem) == 0;
}

/* The only model with that tag; of several, where `any` will do, the one with the shortest name. */
static const struct candidate *find_tag(const struct listing *list, const char *tag, bool any)
{
    const struct candidate *found = NULL;
    size_t i;

    for (i = 0; i < list->count; i++) {
        const struct candidate *one = &list->items[i];

        if (!has_tag(one, tag) || (found && is_same_model(one, found)))
            continue;
        if (found && !any)
            return NULL;
        if (!found || one->stem < found->stem)
            found = one;
    }
    return found;
}

static const struct candidate *find_wanted(const struct listing *list, const char *selector)
{
    size_t i;

    for (i = 0; i < list->count; i++)
        if (strcmp(list->items[i].path, selector) == 0 ||
            strcmp(base_of(list->items[i].path), selector) == 0)
            return &list->items[i];
    return find_tag(list, selector, false);
}

static const struct candidate *find_best(const struct listing *list)
{
    const struct candidate *found = NULL;
    size_t i;

    for (i = 0; !found && i < sizeof preferred / sizeof preferred[0]; i++)
        found = find_tag(list, preferred[i], true);
    if (!found && list->count > 0 && is_same_model(&list->items[0], &list->items[list->count - 1]))
        found = &list->items[0];
    return found;
}

/* --- into the plan --- */

static void copy_hash(char *out, size_t capacity, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (length == capacity - 1 && strspn(text, "0123456789abcdef") == length)
        memcpy(out, text, capacity);
}

static enum den_status add_file(struct den_hub_plan *plan, const json_t *item, const char *path,
                                struct den_error *err)
{
    const json_t *lfs = json_object_get(item, "lfs");
    const json_int_t bytes =
        json_integer_value(json_object_get(json_is_object(lfs) ? lfs : item, "size"));
    struct den_hub_file *file = &plan->files[plan->count];

    if (plan->count == DEN_HUB_FILES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "the model has more than %d files", DEN_HUB_FILES_MAX);
    if (bytes < 0 || (uint64_t)bytes > DEN_DOWNLOAD_BYTES_MAX)
        return den_fail(err, DEN_BAD_FILE, "the hub says that %s has %lld bytes", path,
                        (long long)bytes);
    *file = (struct den_hub_file){ .bytes = (uint64_t)bytes };
    snprintf(file->path, sizeof file->path, "%s", path);
    if (json_is_object(lfs))
        copy_hash(file->sha256, sizeof file->sha256,
                  json_string_value(json_object_get(lfs, "oid")));
    else
        copy_hash(file->git_hash, sizeof file->git_hash,
                  json_string_value(json_object_get(item, "oid")));
    plan->bytes += file->bytes;
    plan->count++;
    return DEN_OK;
}

static enum den_status plan_gguf(const struct listing *list, const struct candidate *first,
                                 struct den_hub_plan *plan, struct den_error *err)
{
    const char *name = base_of(first->path);
    size_t i;

    plan->is_file = first->parts == 1;
    snprintf(plan->name, sizeof plan->name, "%.*s",
             plan->is_file ? (int)strlen(name) : (int)(first->path + first->stem - name), name);
    for (i = 0; i < list->count; i++) {
        const struct candidate *one = &list->items[i];

        if (!is_same_model(one, first))
            continue;
        if (one->part != (int)plan->count + 1)
            break; /* in order of name the parts are in order, too */
        if (add_file(plan, one->item, one->path, err) != DEN_OK)
            return err->status;
    }
    if (plan->count != (size_t)first->parts)
        return den_fail(err, DEN_BAD_FILE, "%s is in %d parts, and part %zu is missing", plan->name,
                        first->parts, plan->count + 1);
    return DEN_OK;
}

/* "1_Pooling/config.json": the steps of a sentence-transformers model. */
static bool is_step(const char *path)
{
    const size_t digits = strspn(path, "0123456789");

    return digits > 0 && digits < 3 && path[digits] == '_';
}

static bool belongs(const char *path, bool has_model_weights)
{
    const char *name = base_of(path);

    if (!den_hub_path_is_safe(path) || (name != path && !is_step(path)))
        return false;
    if (ends_in(name, ".safetensors"))
        return !has_model_weights || strncmp(name, "consolidated", 12) != 0;
    if (name != path)
        return ends_in(name, ".json");
    return ends_in(name, ".json") || ends_in(name, ".jinja") || strcmp(name, "vocab.txt") == 0 ||
           strcmp(name, "merges.txt") == 0 ||
           (strncmp(name, "tokenizer", 9) == 0 && !ends_in(name, ".bin"));
}

static bool lists(const json_t *listing, const char *begin, const char *end)
{
    const json_t *item;
    size_t i;

    json_array_foreach(listing, i, item)
    {
        const char *path = json_string_value(json_object_get(item, "path"));

        if (path && strncmp(path, begin, strlen(begin)) == 0 && !strchr(path, '/') &&
            (!*end || ends_in(path, end)))
            return true;
    }
    return false;
}

static enum den_status plan_folder(const json_t *listing, const char *repository,
                                   struct den_hub_plan *plan, struct den_error *err)
{
    const bool has_model_weights = lists(listing, "model", ".safetensors");
    const json_t *item;
    size_t i;

    snprintf(plan->name, sizeof plan->name, "%s", base_of(repository));
    json_array_foreach(listing, i, item)
    {
        const char *path = json_string_value(json_object_get(item, "path"));
        const char *type = json_string_value(json_object_get(item, "type"));

        if (path && (!type || strcmp(type, "file") == 0) && belongs(path, has_model_weights) &&
            add_file(plan, item, path, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* "a.gguf (1.2 GB), b.gguf (...)": as many as fit into a message. */
static void list_files(const json_t *listing, const struct listing *ggufs, char *out,
                       size_t capacity)
{
    const size_t count = ggufs->count ? ggufs->count : json_array_size(listing);
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < count; i++) {
        const json_t *item = ggufs->count ? ggufs->items[i].item : json_array_get(listing, i);
        const char *path = json_string_value(json_object_get(item, "path"));
        char one[320];
        int length;

        if (!path || !den_hub_path_is_safe(path))
            continue;
        length = snprintf(one, sizeof one, "%s%s (%.1f MB)", used ? ", " : "", path,
                          (double)json_integer_value(json_object_get(item, "size")) / 1e6);
        if (used + (size_t)length + 6 > capacity) {
            snprintf(out + used, capacity - used, ", ...");
            return;
        }
        memcpy(out + used, one, (size_t)length + 1);
        used += (size_t)length;
    }
}

static enum den_status fail_listing(const struct den_hub_source *source, const json_t *listing,
                                    const struct listing *ggufs, struct den_error *err)
{
    char files[640];

    list_files(listing, ggufs, files, sizeof files);
    if (*source->selector)
        return den_fail(err, DEN_NOT_FOUND, "%s has no '%s', or more than one; it has: %s",
                        source->repository, source->selector, files);
    if (ggufs->count > 0)
        return den_fail(err, DEN_NOT_FOUND, "%s: name the file, as in hf:%s:FILE; it has: %s",
                        source->repository, source->repository, files);
    if (lists(listing, "pytorch_model", ".bin"))
        return den_fail(err, DEN_UNSUPPORTED,
                        "%s has its weights as a PyTorch pickle only, which can run code and is "
                        "not read; look for a repository with safetensors or GGUF files",
                        source->repository);
    return den_fail(err, DEN_NOT_FOUND,
                    "%s holds no model that Den can run (GGUF, or config.json with safetensors); "
                    "it has: %s",
                    source->repository, files);
}

enum den_status den_hub_choose(const struct den_hub_source *source, const json_t *listing,
                               const char *hub, struct den_hub_plan *out, struct den_error *err)
{
    struct listing ggufs = { 0 };
    const struct candidate *found;
    size_t i;

    if (find_ggufs(listing, &ggufs, err) != DEN_OK)
        return err->status;
    found = *source->selector ? find_wanted(&ggufs, source->selector) : find_best(&ggufs);
    if (found)
        plan_gguf(&ggufs, found, out, err);
    else if (!*source->selector && ggufs.count == 0 && lists(listing, "config.json", "") &&
             lists(listing, "", ".safetensors"))
        plan_folder(listing, source->repository, out, err);
    else
        fail_listing(source, listing, &ggufs, err);
    free(ggufs.items);
    for (i = 0; err->status == DEN_OK && i < out->count; i++) {
        struct den_hub_file *file = &out->files[i];

        if (den_hub_address(file, hub, source->repository, file->path, err) == DEN_OK && found)
            memmove(file->path, base_of(file->path), strlen(base_of(file->path)) + 1);
    }
    return err->status;
}
