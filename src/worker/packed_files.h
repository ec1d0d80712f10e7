/* Packed files by name: where a model's packed weights lie, whether they are still its own, and how
 * they get there. What is in one: tensor/packed_file.h; how it is used: tensor/packed_store.h.
 *
 * A model below $DEN_HOME/models has its packed file beside it: models/x/.model.gguf.packed, or
 * .packed in the folder of a folder; the dot hides it from the catalogue. A model elsewhere has it
 * in $DEN_HOME/packed, named by a hash of its path; what has not been used there for 30 days goes
 * when another is made. Models of less than DEN_PACKED_MODEL_BYTES_MIN have none.
 *
 * A file is made as NAME.part, locked, so that of several processes one makes it, and renamed when
 * it is on the disk. Whatever ends its making leaves a .part, which the next maker empties.
 *
 * Two things tie it to its model. The identity of the source's files (names, sizes, times) is
 * compared here before anybody maps it; what is in them is compared by the process that maps it.
 * And its own modification time is set to a fixed date as the last step: a process that packed it
 * may still hold a descriptor to write to, and any later write changes that time, which makes the
 * file a stranger. */
#ifndef DEN_WORKER_PACKED_FILES_H
#define DEN_WORKER_PACKED_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/status.h"

struct den_model_files;

struct den_packed_files {
    char path[DEN_PATH_BYTES_MAX]; /* "": this model has none */
    uint64_t files;                /* identity of the source's files */
    uint64_t source_bytes;
    int finished;            /* -1: there is none that fits */
    uint64_t finished_stamp; /* tells one finished file from the next; 0: none */
    int unfinished;          /* -1: none; the lock is held as long as it, or a copy, is open */
};

/* No failure is one of the model's: without a name, a home or a lock there are no descriptors. An
 * unfinished file is begun only where no finished one fits. $DEN_PACKED "off" turns all of this
 * off, "all" includes small models. */
void den_packed_files_open(const char *model_path, const struct den_model_files *files,
                           struct den_packed_files *out);
/* Closes descriptors; an unfinished file is removed. */
void den_packed_files_close(struct den_packed_files *packed);
/* Gives the unfinished file `bytes` on the disk. False: there is no room, or the number is none
 * that packing this model could come to. */
bool den_packed_files_make_room(const struct den_packed_files *packed, uint64_t bytes);
/* The unfinished file is complete: it is synced, and becomes the finished one. May take seconds. */
enum den_status den_packed_files_finish(struct den_packed_files *packed, struct den_error *err);
/* Removes the finished file, which is not what it should be. */
void den_packed_files_reject(const struct den_packed_files *packed);

/* What a model that is being removed leaves. */
void den_packed_files_remove(const char *model_path);
/* On the disk, for the model; 0: nothing. */
uint64_t den_packed_files_bytes(const char *model_path);

#endif
