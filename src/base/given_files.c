/* See given_files.h. A model has a handful of files, seldom a few hundred: a plain array that is
 * walked through is enough. */
#include "base/given_files.h"

#include <stdlib.h>
#include <string.h>

static struct {
    struct den_given_file *files; /* NULL: no table is set */
    size_t count;
} given;

void den_given_files_clear(void)
{
    size_t i;

    for (i = 0; i < given.count; i++)
        free((void *)given.files[i].path);
    free(given.files);
    given.files = NULL;
    given.count = 0;
}

enum den_status den_given_files_set(const struct den_given_file *files, size_t count,
                                    struct den_error *err)
{
    size_t i;

    den_given_files_clear();
    given.files = calloc(count ? count : 1, sizeof *given.files);
    if (!given.files)
        return den_fail(err, DEN_NO_MEMORY, "given files: out of memory");
    for (i = 0; i < count; i++) {
        given.files[i].descriptor = files[i].descriptor;
        given.files[i].path = strdup(files[i].path);
        if (!given.files[i].path) {
            den_given_files_clear();
            return den_fail(err, DEN_NO_MEMORY, "given files: out of memory");
        }
        given.count++;
    }
    return DEN_OK;
}

bool den_given_files_are_set(void)
{
    return given.files != NULL;
}

const struct den_given_file *den_given_files_find(const char *path)
{
    size_t i;

    for (i = 0; i < given.count; i++)
        if (strcmp(given.files[i].path, path) == 0)
            return &given.files[i];
    return NULL;
}

/* What follows `folder` and a slash in `path`; NULL where it is not below. */
static const char *below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (strncmp(path, folder, length) != 0)
        return NULL;
    if (length > 0 && folder[length - 1] == '/')
        return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

bool den_given_files_is_folder(const char *path)
{
    size_t i;

    for (i = 0; i < given.count; i++)
        if (below(given.files[i].path, path))
            return true;
    return false;
}

/* True where an earlier file lies in the same folder `name` (of `length` bytes) below `folder`. */
static bool is_told(const char *folder, const char *name, size_t length, size_t index)
{
    size_t i;

    for (i = 0; i < index; i++) {
        const char *other = below(given.files[i].path, folder);

        if (other && strncmp(other, name, length) == 0 && other[length] == '/')
            return true;
    }
    return false;
}

bool den_given_files_list(const char *folder, void (*entry)(void *context, const char *name),
                          void *context)
{
    bool found = false;
    size_t i;

    for (i = 0; i < given.count; i++) {
        const char *name = below(given.files[i].path, folder);
        char part[256];
        size_t length;

        if (!name)
            continue;
        found = true;
        length = strcspn(name, "/");
        if (length >= sizeof part || (name[length] == '/' && is_told(folder, name, length, i)))
            continue;
        memcpy(part, name, length);
        part[length] = '\0';
        entry(context, part);
    }
    return found;
}
