/* Hub: from a source to the list of files that make the model.
 *
 * A repository is asked for its listing, and what Den can run is picked from it: one GGUF file or
 * all parts of a split one, or else the folder of a Hugging Face model without what only other
 * programs read. Each file comes with its address, its size and its hash where the hub knows them.
 * The hub is whatever HF_ENDPOINT names. Nothing is written here. */
#ifndef DEN_DESK_HUB_H
#define DEN_DESK_HUB_H

#include <jansson.h>
#include <stdint.h>

#include "desk/hub_source.h"

struct den_http;

struct den_hub_file {
    char path[256];     /* below the model's folder */
    char address[1536]; /* "": it comes with the plan's package */
    uint64_t bytes;     /* 0: not known before it is asked for */
    char sha256[65];    /* hexadecimal; "": not known */
    char git_hash[41];  /* of small files: SHA-1 of "blob SIZE\0" and the content; "": not known */
};

/* Where files without an address are (download_package.h). */
struct den_hub_package {
    char name[128], version[64]; /* "": there is none */
    char sha256[65];             /* hexadecimal */
    char member[256];            /* in it: the one file, or the folder of all of them */
    bool is_folder;
};

struct den_hub_plan {
    char name[256];     /* below $DEN_HOME/models: a folder, or one file */
    bool is_file;       /* the model is the one file models/NAME */
    bool is_catalogued; /* what stands there under that name may be replaced */
    uint64_t bytes;     /* of all whose size is known */
    struct den_hub_package package;
    size_t count;
    struct den_hub_file files[DEN_HUB_FILES_MAX];
};

/* Fills the plan (its caller allocates it: it is large). */
enum den_status den_hub_plan(struct den_http *http, const char *source, struct den_hub_plan *out,
                             struct den_error *err);

/* The part that needs no network: picks from a listing, an array of {type, path, size, oid,
 * lfs: {oid, size}}. */
enum den_status den_hub_choose(const struct den_hub_source *source, const json_t *listing,
                               const char *hub, struct den_hub_plan *out, struct den_error *err);

#endif
