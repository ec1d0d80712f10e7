/* Scratch: a folder for one test's files, made beside where the test runs and emptied after it. */
#ifndef DEN_TESTS_TENSOR_SCRATCH_H
#define DEN_TESTS_TENSOR_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    char folder[64];
    char path[512]; /* of the file named last */
};

static inline void scratch_create(struct scratch *scratch)
{
    snprintf(scratch->folder, sizeof scratch->folder, "scratch_XXXXXX");
    if (!mkdtemp(scratch->folder))
        abort();
}

static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
    snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->folder, name);
    return scratch->path;
}

static inline const char *scratch_write(struct scratch *scratch, const char *name,
                                        const void *bytes, size_t length)
{
    FILE *file = fopen(scratch_path(scratch, name), "wb");

    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        abort();
    return scratch->path;
}

/* Copies the file at `from`. */
static inline void scratch_copy(struct scratch *scratch, const char *name, const char *from)
{
    static unsigned char bytes[1 << 16];
    FILE *file = fopen(from, "rb");
    size_t length;

    if (!file)
        abort();
    length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    scratch_write(scratch, name, bytes, length);
}

static inline void scratch_destroy(struct scratch *scratch)
{
    DIR *listing = opendir(scratch->folder);
    struct dirent *entry;

    while (listing && (entry = readdir(listing)) != NULL)
        if (entry->d_name[0] != '.')
            unlink(scratch_path(scratch, entry->d_name));
    if (listing)
        closedir(listing);
    rmdir(scratch->folder);
}

#endif
