/* Model files: everything that a worker may need of a model, as open descriptors.
 *
 * The front parses no model file, so it can't know which ones a reader will ask for; it goes by
 * names. A file: itself, and all parts of a split GGUF ("-00002-of-00005.gguf"). A folder: what
 * has a suffix that model files have, also in its folders (sentence encoders keep a part of their
 * configuration in "1_Pooling/config.json"). Of the rest the names are told, so that a reader's
 * message can say what is there instead of a model. */
#ifndef DEN_WORKER_MODEL_FILES_H
#define DEN_WORKER_MODEL_FILES_H

#include "base/given_files.h"

struct den_model_files {
    struct den_given_file *files; /* paths are ours, descriptors too */
    size_t count, capacity;
    size_t open_count; /* with a descriptor */
};

/* A path with nothing behind it gives no files: the reader will say so. DEN_IO where a file can't
 * be opened. */
enum den_status den_model_files_open(const char *path, struct den_model_files *out,
                                     struct den_error *err);
void den_model_files_close(struct den_model_files *files);

#endif
