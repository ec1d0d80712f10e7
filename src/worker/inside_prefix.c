/* See inside.h: the prefix file that came with LOAD goes to the engine. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "worker/inside.h"

/* What tells the model's files from others without reading them: which they are, how large, and
 * when they were written last. */
struct trait {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds;
};

static struct trait trait_of(int descriptor)
{
    struct trait trait = { 0 };
    struct stat info;

    if (fstat(descriptor, &info) == 0)
        trait = (struct trait){ .device = (uint64_t)info.st_dev,
                                .inode = (uint64_t)info.st_ino,
                                .size = (uint64_t)info.st_size,
                                .seconds = info.st_mtim.tv_sec,
                                .nanoseconds = info.st_mtim.tv_nsec };
    return trait;
}

enum den_status den_inside_prefix_read(const json_t *load, struct den_inside_prefix *out,
                                       struct den_error *err)
{
    const json_t *prefix = json_object_get(load, "prefix");
    int64_t descriptor, bytes;

    *out = (struct den_inside_prefix){ .descriptor = -1 };
    if (!prefix || json_is_null(prefix))
        return DEN_OK;
    if (den_json_get_integer(prefix, "descriptor", DEN_INSIDE_WIRE + 1, INT32_MAX, &descriptor,
                             err) != DEN_OK ||
        den_json_get_integer(prefix, "bytes", 0, INT64_MAX, &bytes, err) != DEN_OK)
        return err->status;
    *out = (struct den_inside_prefix){ .descriptor = (int)descriptor, .bytes = (uint64_t)bytes };
    return DEN_OK;
}

void den_inside_prefix_use(const struct den_inside_prefix *prefix, struct den_engine *engine,
                           size_t open_files)
{
    struct den_prefix_keep_options options = { .descriptor = prefix->descriptor,
                                               .bytes_max = prefix->bytes };
    struct den_error ignored = { 0 };
    struct trait *traits;
    size_t i;

    if (prefix->descriptor < 0)
        return;
    traits = calloc(open_files + 1, sizeof *traits);
    if (!traits)
        return;
    for (i = 0; i < open_files; i++)
        traits[i] = trait_of(DEN_INSIDE_WIRE + 1 + (int)i);
    options.identity = traits;
    options.identity_bytes = open_files * sizeof *traits;
    den_engine_keep_prefixes(engine, &options, &ignored); /* it works without */
    free(traits);
}
