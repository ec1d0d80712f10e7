/* Files: read-only maps, bounded reads, and writes that appear whole or not at all.
 *
 * Where a table of given files is set (base/given_files.h: a sandboxed process), maps, reads,
 * den_file_exists(), den_file_is_folder() and den_folder_list() see that table instead of the file
 * system. */
#ifndef DEN_BASE_FILE_H
#define DEN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

struct den_map {
    const unsigned char *data; /* NULL for an empty file */
    size_t bytes;
};

/* Maps a regular file read-only and shared. An empty file is an error (DEN_BAD_FILE). */
enum den_status den_map_open(struct den_map *out_map, const char *path, struct den_error *err);
void den_map_close(struct den_map *map);
/* Tells the kernel that the pages are not needed again soon; they stay readable. */
void den_map_release(const struct den_map *map);

/* Appends the whole file to `buffer`, whose ceiling applies. */
enum den_status den_file_read(const char *path, struct den_buffer *buffer, struct den_error *err);
/* Writes through a temporary file beside `path`, synced and renamed: the old content or the new,
 * never a part. */
enum den_status den_file_write(const char *path, const void *bytes, size_t length,
                               struct den_error *err);
bool den_file_exists(const char *path);
bool den_file_is_folder(const char *path);
/* Calls `entry` for each name in the folder, in no particular order. */
enum den_status den_folder_list(const char *path, void (*entry)(void *context, const char *name),
                                void *context, struct den_error *err);
/* Creates `path` and its missing parents with mode 0700. */
enum den_status den_folder_create(const char *path, struct den_error *err);
/* Removes a folder and all in it, as far as that can be done; links are removed, not followed. */
void den_folder_remove(const char *path);

/* Joins `folder` and `name` into `out` of `capacity` bytes; fails when it does not fit. */
enum den_status den_path_join(char *out, size_t capacity, const char *folder, const char *name,
                              struct den_error *err);
/* $DEN_HOME, else $XDG_DATA_HOME/den, else ~/.local/share/den. */
enum den_status den_path_home(char *out, size_t capacity, struct den_error *err);
/* $XDG_CONFIG_HOME/den/config.json, else ~/.config/den/config.json. */
enum den_status den_path_config(char *out, size_t capacity, struct den_error *err);

#endif
