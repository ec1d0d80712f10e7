/* See model_files.h. */
#include "worker/model_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* "-00001-of-00005.gguf" */
enum { SPLIT_SUFFIX_BYTES = 20 };

void den_model_files_close(struct den_model_files *files)
{
    size_t i;

    for (i = 0; i < files->count; i++) {
        if (files->files[i].descriptor >= 0)
            close(files->files[i].descriptor);
        free((void *)(uintptr_t)files->files[i].path);
    }
    free(files->files);
    *files = (struct den_model_files){ 0 };
}

/* Takes the descriptor over, also on failure. */
static enum den_status add(struct den_model_files *files, const char *path, int descriptor,
                           struct den_error *err)
{
    char *copy = strdup(path);

    if (files->count == files->capacity) {
        size_t capacity = files->capacity ? 2 * files->capacity : 16;
        struct den_given_file *more = realloc(files->files, capacity * sizeof *more);

        if (!more)
            goto fail;
        files->files = more;
        files->capacity = capacity;
    }
    if (!copy)
        goto fail;
    files->files[files->count++] =
        (struct den_given_file){ .path = copy, .descriptor = descriptor };
    files->open_count += descriptor >= 0;
    return DEN_OK;
fail:
    free(copy);
    if (descriptor >= 0)
        close(descriptor);
    return den_fail(err, DEN_NO_MEMORY, "model: %s: out of memory", path);
}

/* A file that is gone is no file; one that is none (a pipe, a device) is known by name. */
static enum den_status open_one(struct den_model_files *files, const char *path,
                                struct den_error *err)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;

    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR))
        return DEN_OK;
    if (descriptor < 0)
        return den_fail_errno(err, DEN_IO, "model: %s", path);
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(descriptor);
        return add(files, path, -1, err);
    }
    if (files->open_count >= DEN_WORKER_FILES_MAX) {
        close(descriptor);
        return den_fail(err, DEN_TOO_LARGE, "model: %s: is one of more than %d files of a model",
                        path, DEN_WORKER_FILES_MAX);
    }
    return add(files, path, descriptor, err);
}

/* --- a file, perhaps one of several parts --- */

/* The number in five digits, or 0. */
static unsigned read_five(const char *digits)
{
    unsigned value = 0;
    int i;

    for (i = 0; i < 5; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 0;
        value = 10 * value + (unsigned)(digits[i] - '0');
    }
    return value;
}

/* How many parts the name says there are; 1 for a name of another form. */
static unsigned count_parts(const char *path)
{
    size_t length = strlen(path);
    const char *suffix = path + length - SPLIT_SUFFIX_BYTES;
    unsigned count;

    if (length <= SPLIT_SUFFIX_BYTES || suffix[0] != '-' || strncmp(suffix + 6, "-of-", 4) != 0 ||
        strcmp(suffix + 15, ".gguf") != 0 || read_five(suffix + 1) == 0)
        return 1;
    count = read_five(suffix + 10);
    return count >= 1 && count <= DEN_MODEL_SHARDS_MAX ? count : 1;
}

static enum den_status open_file(struct den_model_files *files, const char *path,
                                 struct den_error *err)
{
    unsigned parts = count_parts(path), i;
    char part[DEN_PATH_BYTES_MAX];

    if (parts == 1)
        return open_one(files, path, err);
    for (i = 1; i <= parts; i++) {
        if (snprintf(part, sizeof part, "%.*s-%05u-of-%05u.gguf",
                     (int)(strlen(path) - SPLIT_SUFFIX_BYTES), path, i, parts) >= (int)sizeof part)
            return den_fail(err, DEN_INVALID, "model: %.64s...: the path is too long", path);
        if (open_one(files, part, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* --- a folder --- */

struct walk {
    struct den_model_files *files;
    const char *folder;
    bool is_inner;
    struct den_error *err;
};

static bool is_model_name(const char *name)
{
    static const char *const suffixes[] = { ".json", ".jinja",       ".model",
                                            ".txt",  ".safetensors", ".gguf" };
    size_t i;

    for (i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t length = strlen(name), wanted = strlen(suffixes[i]);

        if (length > wanted && strcmp(name + length - wanted, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static void visit(void *context, const char *name)
{
    struct walk *walk = context;
    char path[DEN_PATH_BYTES_MAX];

    if (walk->err->status != DEN_OK ||
        den_path_join(path, sizeof path, walk->folder, name, walk->err) != DEN_OK)
        return;
    if (den_file_is_folder(path)) {
        struct walk inner = { walk->files, path, true, walk->err };

        if (!walk->is_inner && name[0] != '.')
            den_folder_list(path, visit, &inner, walk->err);
    } else if (is_model_name(name)) {
        open_one(walk->files, path, walk->err);
    } else if (!walk->is_inner && name[0] != '.') {
        add(walk->files, path, -1, walk->err);
    }
}

/* --- */

enum den_status den_model_files_open(const char *path, struct den_model_files *out,
                                     struct den_error *err)
{
    struct den_model_files files = { 0 };
    struct walk walk = { &files, path, false, err };

    if (den_file_is_folder(path)) {
        if (den_folder_list(path, visit, &walk, err) != DEN_OK)
            den_fail_at(err, "model");
    } else {
        open_file(&files, path, err);
    }
    if (err->status != DEN_OK) {
        den_model_files_close(&files);
        return err->status;
    }
    *out = files;
    return DEN_OK;
}
