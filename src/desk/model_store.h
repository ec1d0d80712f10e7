/* Model store: models that come into $DEN_HOME/models from this disk, and that leave it.
 *
 * What is imported appears whole or not at all: files are linked (or copied, where disks differ)
 * into a hidden folder beside the models, which then gets its name. What is removed loses its name
 * first, and its files after that. Nothing outside of the models folder is ever removed. */
#ifndef DEN_DESK_MODEL_STORE_H
#define DEN_DESK_MODEL_STORE_H

#include <stddef.h>

#include "base/limits.h"
#include "base/status.h"

/* `path`: a GGUF file (of a split one, any part) or a folder with config.json and safetensors; "~/"
 * is the user's home. `name` NULL or "": made from the path. DEN_IN_USE where the name is taken,
 * DEN_BAD_FILE where it is no model. Writes the model's name to `out_name`. */
enum den_status den_model_import(const char *path, const char *name,
                                 char out_name[DEN_MODEL_NAME_BYTES_MAX], struct den_error *err);

/* Removes the files of the installed model `name`; its worker must have ended. DEN_FORBIDDEN where
 * they are not in the models folder. */
enum den_status den_model_remove(const char *name, struct den_error *err);

#endif
