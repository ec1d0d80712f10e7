/* Catalogue: the models that Den knows by name, and where a model's name leads on this machine.
 *
 * A name is looked up in this order: a catalogue name ("smollm2"), whose files are
 * $DEN_HOME/models/NAME/; a path to a file or folder; anything in $DEN_HOME/models (NAME,
 * NAME.gguf). The catalogue itself is models/catalogue.json, built in. */
#ifndef DEN_DESK_CATALOGUE_H
#define DEN_DESK_CATALOGUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_catalogue;

struct den_catalogue_entry {
    const char *name;
    const char *title;
    const char *role; /* "chat", "embedding", "speech" */
    const char *license;
    uint64_t parameters;
    uint64_t bytes;           /* of its files; about as many where nobody knows for certain */
    const char *source;       /* "hf:owner/repo:file", a URL, "package NAME"; "": unknown */
    const json_t *modalities; /* NULL: unknown */
    const json_t *shape;      /* for worker/forecast.h; NULL: unknown */
    bool in_catalogue;        /* false: found in the models folder only */
    bool is_packaged;         /* it takes a Python with pip to fetch it (download_package.h) */
    bool installed;
    const char *path; /* of the file or folder; where it would be when not installed */
};

/* The default model's name. */
extern const char den_catalogue_default[];

/* Reads the built-in list and looks at what $DEN_HOME/models holds. */
enum den_status den_catalogue_create(struct den_catalogue **out, struct den_error *err);
void den_catalogue_destroy(struct den_catalogue *catalogue);
size_t den_catalogue_count(const struct den_catalogue *catalogue);
const struct den_catalogue_entry *den_catalogue_at(const struct den_catalogue *catalogue,
                                                   size_t index);

/* The entry of that name, or whose source it is; NULL: none. */
const struct den_catalogue_entry *den_catalogue_find(const struct den_catalogue *catalogue,
                                                     const char *name);

/* Of a file, or of the files in a folder. */
uint64_t den_catalogue_path_bytes(const char *path);

/* The path that `name` leads to, written to `out` of `capacity` bytes. DEN_NOT_FOUND says how to
 * install it or which names there are. */
enum den_status den_catalogue_resolve(const struct den_catalogue *catalogue, const char *name,
                                      char *out, size_t capacity, struct den_error *err);

#endif
