/* Where a model comes from, as people write it.
 *
 *     smollm2                              a name of the catalogue
 *     hf:owner/repo                        a repository of the hub; Den picks the quantization
 *     hf:owner/repo:Q8_0                   ... this quantization
 *     hf:owner/repo:model-q8_0.gguf        ... this file
 *     https://host/path/model.gguf         one GGUF file
 *
 * hf.co/owner/repo:TAG and huggingface.co/owner/repo:TAG, as Ollama's users write it, and the
 * address of a repository's or file's page are read as the hub's. A trailing ":latest" is ignored
 * on a catalogue name. */
#ifndef DEN_DESK_HUB_SOURCE_H
#define DEN_DESK_HUB_SOURCE_H

#include <stdbool.h>

#include "desk/download_address.h"

enum den_hub_source_kind { DEN_HUB_CATALOGUE, DEN_HUB_REPOSITORY, DEN_HUB_URL };

struct den_hub_source {
    enum den_hub_source_kind kind;
    char name[128];       /* of the catalogue; of the file of a URL */
    char repository[200]; /* owner/repo */
    char selector[256];   /* a file or a quantization; "": Den picks */
    struct den_download_url url;
};
enum den_status den_hub_source_parse(const char *text, struct den_hub_source *out,
                                     struct den_error *err);

/* Names from outside become names of files: one part of a path, of letters, digits, '.', '_', '-',
 * '+' and spaces inside it, beginning with neither '.' nor '-', of at most 200 bytes. */
bool den_hub_name_is_safe(const char *name);
/* The same of up to three parts joined by '/'. */
bool den_hub_path_is_safe(const char *path);

#endif
