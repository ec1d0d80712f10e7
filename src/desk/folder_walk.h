/* Folder walk: the files in a folder and in all that is in it, in the order of names.
 *
 * Without hidden files and folders, without links (so that nothing outside of the folder comes in),
 * without Den's own home, and no deeper than DEN_FOLDER_DEPTH_MAX. */
#ifndef DEN_DESK_FOLDER_WALK_H
#define DEN_DESK_FOLDER_WALK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/status.h"

struct den_folder_walk {
    void *context;
    /* `below` is the path below the folder; a failure ends the walk with it. */
    enum den_status (*file)(void *context, const char *path, const char *below,
                            const struct stat *info, struct den_error *err);
    /* Each folder before what is in it, the first one too; NULL: not told. */
    enum den_status (*folder)(void *context, const char *path, struct den_error *err);
    const atomic_bool *cancel; /* the walk ends early, without failing; NULL: never */
    dev_t home_device;         /* the folder that is left out */
    ino_t home_inode;
};
/* DEN_IO, DEN_NOT_FOUND where the folder itself can't be looked into; one below it that can't is
 * passed over. */
enum den_status den_folder_walk(const char *path, const struct den_folder_walk *walk,
                                struct den_error *err);

#endif
