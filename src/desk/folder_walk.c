/* See folder_walk.h. */
#include "desk/folder_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder that is being looked through; the longest path that fits is followed no further. */
struct place {
    const struct den_folder_walk *walk;
    const char *path;
    size_t root_length; /* of the path of the first folder */
    int depth;
};

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool must_stop(const struct den_folder_walk *walk)
{
    return walk->cancel && atomic_load(walk->cancel);
}

static enum den_status look_through(const struct place *place, struct den_error *err);

static enum den_status look_at(const struct place *place, const char *name, struct den_error *err)
{
    const struct den_folder_walk *walk = place->walk;
    char path[DEN_PATH_BYTES_MAX];
    struct place inside = *place;
    struct stat info;

    if (snprintf(path, sizeof path, "%s/%s", place->path, name) >= (int)sizeof path ||
        lstat(path, &info) != 0)
        return DEN_OK; /* too deep, or gone since */
    if (S_ISREG(info.st_mode))
        return walk->file(walk->context, path, path + place->root_length + 1, &info, err);
    if (!S_ISDIR(info.st_mode) || place->depth >= DEN_FOLDER_DEPTH_MAX ||
        (info.st_dev == walk->home_device && info.st_ino == walk->home_inode))
        return DEN_OK;
    inside.path = path;
    inside.depth++;
    return look_through(&inside, err);
}

static enum den_status look_through(const struct place *place, struct den_error *err)
{
    struct dirent **entries;
    int count, i;

    if (place->walk->folder &&
        place->walk->folder(place->walk->context, place->path, err) != DEN_OK)
        return err->status;
    count = scandir(place->path, &entries, is_wanted, alphasort);
    if (count < 0 && place->depth > 0)
        return DEN_OK;
    if (count < 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "%.500s", place->path);
    for (i = 0; i < count; i++) {
        if (err->status == DEN_OK && !must_stop(place->walk))
            look_at(place, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return err->status;
}

enum den_status den_folder_walk(const char *path, const struct den_folder_walk *walk,
                                struct den_error *err)
{
    const struct place place = { .walk = walk, .path = path, .root_length = strlen(path) };

    return look_through(&place, err);
}
