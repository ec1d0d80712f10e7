/* See model_store.h. The hidden folders are called .import-XXXXXX and .removed-XXXXXX; the
 * catalogue shows no hidden names, so what a crash leaves of them is nobody's model. */
#include "desk/model_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk/catalogue.h"
#include "worker/packed_files.h"

enum { COPY_BYTES = 1 << 20, SUFFIX_BYTES = 20 /* "-00001-of-00005.gguf" */ };

static enum den_status models_folder(char *out, struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX];

    if (den_path_home(home, sizeof home, err) != DEN_OK ||
        den_path_join(out, DEN_PATH_BYTES_MAX, home, "models", err) != DEN_OK)
        return err->status;
    return den_folder_create(out, err);
}

/* --- removal --- */

enum den_status den_model_remove(const char *name, struct den_error *err)
{
    char folder[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX], grave[DEN_PATH_BYTES_MAX];
    const size_t length = strlen(name);

    if (length == 0 || length >= DEN_MODEL_NAME_BYTES_MAX || name[0] == '.' || strchr(name, '/'))
        return den_fail(err, DEN_FORBIDDEN,
                        "'%.128s' is not in Den's models folder; remove its file yourself", name);
    if (models_folder(folder, err) != DEN_OK ||
        den_path_join(path, sizeof path - 8, folder, name, err) != DEN_OK ||
        den_path_join(grave, sizeof grave, folder, ".removed-XXXXXX", err) != DEN_OK)
        return err->status;
    if (access(path, F_OK) != 0)
        memcpy(path + strlen(path), ".gguf", 6);
    if (access(path, F_OK) != 0)
        return den_fail(err, DEN_NOT_FOUND, "the model '%s' is not installed", name);
    if (!den_file_is_folder(path)) /* a folder's lies in it */
        den_packed_files_remove(path);
    if (!mkdtemp(grave))
        return den_fail_errno(err, DEN_IO, "%s", grave);
    memcpy(folder, grave, sizeof folder);
    if (den_path_join(grave, sizeof grave, folder, "model", err) != DEN_OK)
        return err->status;
    if (rename(path, grave) != 0)
        den_fail_errno(err, DEN_IO, "%s: can't be removed", path);
    den_folder_remove(folder);
    return err->status;
}

/* --- import --- */

struct import {
    char models[DEN_PATH_BYTES_MAX];
    char hidden[DEN_PATH_BYTES_MAX]; /* folder that is being filled; "": none yet */
    const char *from;                /* folder that is being read */
    size_t files, weights;           /* taken; of these with weights */
    struct den_error *err;
};

static bool ends_with(const char *text, const char *suffix)
{
    const size_t length = strlen(text), wanted = strlen(suffix);

    return length >= wanted && strcmp(text + length - wanted, suffix) == 0;
}

static enum den_status copy_bytes(int from, int to, const char *path, struct den_error *err)
{
    char *bytes = malloc(COPY_BYTES);
    ssize_t got = 0, put, done;

    if (!bytes)
        return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    while (err->status == DEN_OK && (got = read(from, bytes, COPY_BYTES)) > 0)
        for (done = 0; done < got; done += put) {
            put = write(to, bytes + done, (size_t)(got - done));
            if (put < 0) {
                den_fail_errno(err, DEN_IO, "%s: can't be copied", path);
                break;
            }
        }
    if (got < 0)
        den_fail_errno(err, DEN_IO, "%s: can't be read", path);
    if (err->status == DEN_OK && fsync(to) != 0)
        den_fail_errno(err, DEN_IO, "%s: can't be copied", path);
    free(bytes);
    return err->status;
}

static enum den_status copy_file(int from, const char *path, const char *target,
                                 struct den_error *err)
{
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (to < 0)
        return den_fail_errno(err, DEN_IO, "%s", target);
    copy_bytes(from, to, path, err);
    close(to);
    return err->status;
}

/* A hard link where the disk allows one, else a copy. A symbolic link stands for its file. What is
 * linked is the very file that was looked at (through its descriptor), whatever the name leads to
 * by then. */
static enum den_status take_file(struct import *import, const char *path, const char *name)
{
    struct den_error *err = import->err;
    char target[DEN_PATH_BYTES_MAX], descriptor[64];
    struct stat info;
    int from;

    if (den_path_join(target, sizeof target, import->hidden, name, err) != DEN_OK)
        return err->status;
    from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "%s", path);
    if (fstat(from, &info) != 0 || !S_ISREG(info.st_mode)) {
        den_fail(err, DEN_BAD_FILE, "%s: is no regular file", path);
        goto done;
    }
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", from);
    if (linkat(AT_FDCWD, descriptor, AT_FDCWD, target, AT_SYMLINK_FOLLOW) != 0)
        copy_file(from, path, target, err);
    import->files++;
done:
    close(from);
    return err->status;
}

static bool is_wanted(const char *name)
{
    static const char *const suffixes[] = { ".safetensors", ".json", ".jinja", ".model", ".txt" };
    size_t i;

    for (i = 0; name[0] != '.' && i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}

static void take_entry(void *context, const char *name)
{
    struct import *import = context;
    char path[DEN_PATH_BYTES_MAX];

    if (import->err->status != DEN_OK || !is_wanted(name) ||
        den_path_join(path, sizeof path, import->from, name, import->err) != DEN_OK ||
        den_file_is_folder(path))
        return;
    if (take_file(import, path, name) == DEN_OK && ends_with(name, ".safetensors"))
        import->weights++;
}

/* The folder, and how its vectors are pooled where it says so. */
static enum den_status take_folder(struct import *import, const char *path)
{
    struct den_error *err = import->err;
    char inner[DEN_PATH_BYTES_MAX];

    if (den_path_join(inner, sizeof inner, path, "config.json", err) != DEN_OK)
        return err->status;
    if (!den_file_exists(inner))
        return den_fail(err, DEN_BAD_FILE,
                        "'path': %s has no config.json; a model's folder has one, and safetensors",
                        path);
    import->from = path;
    if (den_folder_list(path, take_entry, import, err) != DEN_OK)
        return err->status;
    if (import->weights == 0)
        return den_fail(err, DEN_BAD_FILE, "'path': %s has no safetensors", path);
    if (den_path_join(inner, sizeof inner, path, "1_Pooling/config.json", err) != DEN_OK)
        return err->status;
    if (!den_file_exists(inner))
        return DEN_OK;
    if (den_path_join(inner, sizeof inner, import->hidden, "1_Pooling", err) != DEN_OK ||
        den_folder_create(inner, err) != DEN_OK ||
        den_path_join(inner, sizeof inner, path, "1_Pooling/config.json", err) != DEN_OK)
        return err->status;
    return take_file(import, inner, "1_Pooling/config.json");
}

/* "-00002-of-00005.gguf" at the end: 5, else 0. */
static int split_parts(const char *path)
{
    const char *suffix = path + strlen(path) - SUFFIX_BYTES;

    if (strlen(path) <= SUFFIX_BYTES || suffix[0] != '-' || strncmp(suffix + 6, "-of-", 4) != 0 ||
        strspn(suffix + 1, "0123456789") != 5 || strspn(suffix + 10, "0123456789") != 5)
        return 0;
    return (int)strtol(suffix + 10, NULL, 10);
}

static enum den_status take_gguf(struct import *import, const char *path)
{
    struct den_error *err = import->err;
    char part[DEN_PATH_BYTES_MAX];
    int parts = split_parts(path), i;
    char magic[4] = "";
    struct stat info;
    FILE *file = NULL;

    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) /* opening a pipe would wait for ever */
        file = fopen(path, "rbe");
    if (file) {
        if (fread(magic, 1, sizeof magic, file) != sizeof magic)
            magic[0] = '\0';
        fclose(file);
    }
    if (memcmp(magic, "GGUF", 4) != 0)
        return den_fail(err, DEN_BAD_FILE, "'path': %s is no GGUF file", path);
    if (parts == 0)
        return take_file(import, path, strrchr(path, '/') + 1);
    for (i = 1; i <= parts && err->status == DEN_OK; i++) {
        snprintf(part, sizeof part, "%.*s-%05d-of-%05d.gguf", (int)(strlen(path) - SUFFIX_BYTES),
                 path, i, parts);
        take_file(import, part, strrchr(part, '/') + 1);
    }
    return err->status;
}

/* "/models/Some Model.Q4_0.gguf" becomes "Some-Model.Q4_0". */
static void name_from_path(const char *path, char out[DEN_MODEL_NAME_BYTES_MAX])
{
    const char *base = strrchr(path, '/') + 1;
    size_t length = strlen(base), i;

    if (split_parts(base) > 0)
        length -= SUFFIX_BYTES;
    else if (ends_with(base, ".gguf"))
        length -= 5;
    if (length >= DEN_MODEL_NAME_BYTES_MAX)
        length = DEN_MODEL_NAME_BYTES_MAX - 1;
    for (i = 0; i < length; i++)
        out[i] =
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", base[i])
                ? base[i]
                : '-';
    out[length] = '\0';
    if (out[0] == '.')
        out[0] = '_';
}

static enum den_status choose_name(const char *path, const char *wanted,
                                   char out[DEN_MODEL_NAME_BYTES_MAX], struct den_error *err)
{
    char made[DEN_MODEL_NAME_BYTES_MAX];

    if (!wanted || !*wanted) {
        name_from_path(path, out);
    } else {
        snprintf(out, DEN_MODEL_NAME_BYTES_MAX, "%.*s", DEN_MODEL_NAME_BYTES_MAX - 1, wanted);
        snprintf(made, sizeof made, "/%.*s", DEN_MODEL_NAME_BYTES_MAX - 2, wanted);
        name_from_path(made, made);
        if (strcmp(made, wanted) != 0)
            return den_fail(
                err, DEN_INVALID,
                "'name' must be 1 to %d letters, digits, '.', '_' or '-', not beginning "
                "with '.' and not ending in '.gguf'",
                DEN_MODEL_NAME_BYTES_MAX - 2);
    }
    if (!*out)
        return den_fail(err, DEN_INVALID, "'name' is needed: %s gives none", path);
    return DEN_OK;
}

/* An absolute path with all links followed. */
static enum den_status find_source(const char *path, char out[DEN_PATH_BYTES_MAX],
                                   struct den_error *err)
{
    const char *home = getenv("HOME");
    char given[DEN_PATH_BYTES_MAX], *real;

    if (strncmp(path, "~/", 2) == 0 && home)
        snprintf(given, sizeof given, "%s/%s", home, path + 2);
    else
        snprintf(given, sizeof given, "%s", path);
    if (given[0] != '/')
        return den_fail(err, DEN_INVALID, "'path' must begin with '/' or '~/'");
    real = realpath(given, NULL);
    if (!real)
        return den_fail(err, DEN_NOT_FOUND, "'path': %.256s: %s", given, strerror(errno));
    snprintf(out, DEN_PATH_BYTES_MAX, "%s", real);
    free(real);
    return DEN_OK;
}

/* The file keeps the name it was given by: a hub's cache links names to files that are named by
 * their hash. */
static enum den_status take_model(struct import *import, const char *given, const char *real)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_error *err = import->err;

    if (den_file_is_folder(real))
        return take_folder(import, real);
    snprintf(path, sizeof path, "%s", given);
    if (!ends_with(path, ".gguf"))
        return den_fail(err, DEN_BAD_FILE, "'path': %s is neither a GGUF file nor a model's folder",
                        path);
    return take_gguf(import, path);
}

/* A rename is refused where something of that name is there already, also a moment ago. */
static enum den_status give_name(struct import *import, const char *name)
{
    struct den_error *err = import->err;
    char target[DEN_PATH_BYTES_MAX], file[DEN_PATH_BYTES_MAX];

    if (den_path_join(target, sizeof target - 8, import->models, name, err) != DEN_OK)
        return err->status;
    snprintf(file, sizeof file, "%.*s.gguf", (int)sizeof file - 8, target);
    if (access(target, F_OK) == 0 || access(file, F_OK) == 0 ||
        rename(import->hidden, target) != 0) {
        if (errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY || access(target, F_OK) == 0)
            return den_fail(err, DEN_IN_USE, "'name': there is a model '%s' already", name);
        return den_fail_errno(err, DEN_IO, "%s", target);
    }
    import->hidden[0] = '\0';
    return DEN_OK;
}

enum den_status den_model_import(const char *path, const char *name,
                                 char out_name[DEN_MODEL_NAME_BYTES_MAX], struct den_error *err)
{
    struct import import = { .err = err };
    char real[DEN_PATH_BYTES_MAX], given[DEN_PATH_BYTES_MAX], chosen[DEN_MODEL_NAME_BYTES_MAX];
    const char *home = getenv("HOME");

    if (find_source(path, real, err) != DEN_OK || models_folder(import.models, err) != DEN_OK)
        return err->status;
    snprintf(given, sizeof given, "%s%s", path[0] == '~' && home ? home : "",
             path[0] == '~' ? path + 1 : path);
    if (den_file_is_folder(real))
        snprintf(given, sizeof given, "%s", real); /* without a '/' at its end */
    if (choose_name(given, name, chosen, err) != DEN_OK ||
        den_path_join(import.hidden, sizeof import.hidden, import.models, ".import-XXXXXX", err) !=
            DEN_OK)
        return err->status;
    if (!mkdtemp(import.hidden))
        return den_fail_errno(err, DEN_IO, "%s", import.hidden);
    if (take_model(&import, given, real) == DEN_OK && give_name(&import, chosen) == DEN_OK)
        snprintf(out_name, DEN_MODEL_NAME_BYTES_MAX, "%s", chosen);
    if (import.hidden[0])
        den_folder_remove(import.hidden);
    return err->status;
}
