/* Given files: a process's whole view of the file system, where it has none.
 *
 * The sandboxed worker can open nothing. Its model's files come to it as read-only descriptors with
 * the paths they had outside; this table holds the two together. While a table is set, the
 * readers in base/file.h look paths up here and nowhere else, so the code above them need not
 * know. A file that is only known by name (no descriptor) exists and appears in its folder's
 * listing but can't be read; a folder exists where some file lies below it. The table is set
 * once, before the threads that read it, and never changes. */
#ifndef DEN_BASE_GIVEN_FILES_H
#define DEN_BASE_GIVEN_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_given_file {
    const char *path; /* as den_path_join() writes it */
    int descriptor;   /* -1: known by name only */
};

/* Copies the table; the descriptors stay open for as long as the process lives. */
enum den_status den_given_files_set(const struct den_given_file *files, size_t count,
                                    struct den_error *err);
/* Back to the file system (tests). The descriptors stay the caller's. */
void den_given_files_clear(void);
bool den_given_files_are_set(void);

/* NULL: no such file. */
const struct den_given_file *den_given_files_find(const char *path);
bool den_given_files_is_folder(const char *path);
/* Calls `entry` for each file and folder right below `folder`. False: there is no such folder. */
bool den_given_files_list(const char *folder, void (*entry)(void *context, const char *name),
                          void *context);

#endif
