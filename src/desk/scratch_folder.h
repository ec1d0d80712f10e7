/* Scratch folders: where files lie that are made or received, and are gone afterwards.
 *
 * They are in Den's home, beside what they become or are made of: on the same disk. Each is locked
 * by who made it; one whose maker has died is removed when Den is started the next time. */
#ifndef DEN_DESK_SCRATCH_FOLDER_H
#define DEN_DESK_SCRATCH_FOLDER_H

#include <stdint.h>

#include "base/limits.h"
#include "base/status.h"

struct den_database;

struct den_scratch {
    char path[DEN_PATH_BYTES_MAX]; /* "": there is none */
    int fd;                        /* of the folder, with its lock */
};
enum den_status den_scratch_open(const char *home, struct den_scratch *out, struct den_error *err);
/* With all that is in it. */
void den_scratch_close(struct den_scratch *scratch);
/* A file in it. */
enum den_status den_scratch_file(const struct den_scratch *scratch, const char *name,
                                 char out[DEN_PATH_BYTES_MAX], struct den_error *err);
/* Removes those that nobody has. */
void den_scratch_tidy(const char *home);

/* The folder that the database lies in. */
void den_scratch_home(const struct den_database *database, char out[DEN_PATH_BYTES_MAX]);

/* DEN_IO unless the disk of `folder` has room for `bytes` more: what for, where, how much. */
enum den_status den_disk_check(const char *folder, uint64_t bytes, const char *what,
                               struct den_error *err);
/* What errno says of writing `what` to `path`, with the room that is left on a full disk. */
enum den_status den_disk_fail(struct den_error *err, const char *what, const char *path);

/* Flushes the file `from`, gives it the name `to` and flushes the folder. */
enum den_status den_disk_settle(const char *from, const char *to, struct den_error *err);

#endif
