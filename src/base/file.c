/* See file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/given_files.h"
#include "base/limits.h"

/* The size and kind that `fd`, which stays open, says it has. */
static enum den_status check_regular(const char *path, int fd, size_t *out_bytes,
                                     struct den_error *err)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return den_fail_errno(err, DEN_IO, "%s", path);
    if (!S_ISREG(info.st_mode))
        return den_fail(err, DEN_INVALID, "%s: not a regular file", path);
    *out_bytes = (size_t)info.st_size;
    return DEN_OK;
}

/* A descriptor of our own for a file of the table. */
static enum den_status open_given(const char *path, int *out_fd, size_t *out_bytes,
                                  struct den_error *err)
{
    const struct den_given_file *given = den_given_files_find(path);
    int fd;

    if (!given)
        return den_fail(err, DEN_NOT_FOUND, "%s: %s", path, strerror(ENOENT));
    if (given->descriptor < 0)
        return den_fail(err, DEN_INVALID, "%s: not a regular file of a model", path);
    if (check_regular(path, given->descriptor, out_bytes, err) != DEN_OK)
        return err->status;
    fd = dup(given->descriptor);
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "%s", path);
    *out_fd = fd;
    return DEN_OK;
}

static enum den_status open_regular(const char *path, int *out_fd, size_t *out_bytes,
                                    struct den_error *err)
{
    int fd;

    if (den_given_files_are_set())
        return open_given(path, out_fd, out_bytes, err);
    /* not blocking: a named pipe without a writer would hold us here; files don't care */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "%s", path);
    if (check_regular(path, fd, out_bytes, err) != DEN_OK) {
        close(fd);
        return err->status;
    }
    *out_fd = fd;
    return DEN_OK;
}

enum den_status den_map_open(struct den_map *out_map, const char *path, struct den_error *err)
{
    size_t bytes = 0;
    void *data;
    int fd = -1;

    if (open_regular(path, &fd, &bytes, err) != DEN_OK)
        return err->status;
    if (bytes == 0) {
        close(fd);
        return den_fail(err, DEN_BAD_FILE, "%s: the file is empty", path);
    }
    data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return den_fail_errno(err, DEN_IO, "%s: can't map %zu bytes", path, bytes);
    *out_map = (struct den_map){ .data = data, .bytes = bytes };
    return DEN_OK;
}

void den_map_close(struct den_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->bytes);
    *map = (struct den_map){ 0 };
}

void den_map_release(const struct den_map *map)
{
    if (map->data)
        madvise((void *)(uintptr_t)map->data, map->bytes, MADV_DONTNEED);
}

enum den_status den_file_read(const char *path, struct den_buffer *buffer, struct den_error *err)
{
    size_t bytes = 0, at = 0;
    ssize_t got;
    int fd = -1;

    if (open_regular(path, &fd, &bytes, err) != DEN_OK)
        return err->status;
    den_buffer_reserve(buffer,
                       bytes); /* one allocation for the usual case; a failure shows below */
    for (;;) {
        char block[65536];

        got = pread(fd, block, sizeof block, (off_t)at); /* a given file's place is shared */
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            close(fd);
            return den_fail_errno(err, DEN_IO, "%s", path);
        }
        if (got == 0 || !den_buffer_append(buffer, block, (size_t)got))
            break;
        at += (size_t)got;
    }
    close(fd);
    return den_buffer_status(buffer, path, err);
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

enum den_status den_file_write(const char *path, const void *bytes, size_t length,
                               struct den_error *err)
{
    char temporary[DEN_PATH_BYTES_MAX];
    int fd;

    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return den_fail(err, DEN_INVALID, "%.64s...: the path is too long", path);
    fd = mkstemp(temporary);
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "%s: can't create a file beside it", path);
    if (!write_all(fd, bytes, length) || fsync(fd) != 0) {
        den_fail_errno(err, DEN_IO, "%s: can't write %zu bytes", path, length);
        close(fd);
        unlink(temporary);
        return err->status;
    }
    close(fd);
    if (rename(temporary, path) != 0) {
        den_fail_errno(err, DEN_IO, "%s: can't be replaced", path);
        unlink(temporary);
        return err->status;
    }
    return DEN_OK;
}

bool den_file_exists(const char *path)
{
    struct stat info;

    if (den_given_files_are_set()) {
        errno = ENOENT;
        return den_given_files_find(path) || den_given_files_is_folder(path);
    }
    return stat(path, &info) == 0;
}

bool den_file_is_folder(const char *path)
{
    struct stat info;

    if (den_given_files_are_set())
        return den_given_files_is_folder(path);
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum den_status den_folder_list(const char *path, void (*entry)(void *context, const char *name),
                                void *context, struct den_error *err)
{
    const struct dirent *found;
    DIR *listing;

    if (den_given_files_are_set()) {
        if (den_given_files_list(path, entry, context))
            return DEN_OK;
        return den_fail(err, DEN_NOT_FOUND, "%s: can't list the folder: %s", path,
                        strerror(ENOENT));
    }
    listing = opendir(path);
    if (!listing)
        return den_fail_errno(err, DEN_IO, "%s: can't list the folder", path);
    while ((found = readdir(listing)) != NULL)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            entry(context, found->d_name);
    closedir(listing);
    return DEN_OK;
}

enum den_status den_folder_create(const char *path, struct den_error *err)
{
    char partial[DEN_PATH_BYTES_MAX];
    size_t length = strlen(path);
    size_t i;

    if (length == 0 || length >= sizeof partial)
        return den_fail(err, DEN_INVALID, "'%.64s': not a usable folder path", path);
    memcpy(partial, path, length + 1);
    for (i = 1; i <= length; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        partial[i] = '\0';
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return den_fail_errno(err, DEN_IO, "%s: can't create the folder", partial);
        partial[i] = i < length ? '/' : '\0';
    }
    if (!den_file_is_folder(path))
        return den_fail(err, DEN_IO, "%s: exists and is not a folder", path);
    return DEN_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void den_folder_remove(const char *path)
{
    enum { DESCRIPTORS = 16 };

    nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

enum den_status den_path_join(char *out, size_t capacity, const char *folder, const char *name,
                              struct den_error *err)
{
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";

    if (snprintf(out, capacity, "%s%s%s", folder, slash, name) >= (int)capacity)
        return den_fail(err, DEN_INVALID, "%.64s.../%.64s: the path is too long", folder, name);
    return DEN_OK;
}

/* The first of: $variable/suffix, ~/fallback/suffix. */
static enum den_status user_path(char *out, size_t capacity, const char *variable,
                                 const char *fallback, const char *suffix, struct den_error *err)
{
    const char *base = getenv(variable);
    const char *user = getenv("HOME");
    char folder[DEN_PATH_BYTES_MAX];

    if (base && base[0] == '/')
        return den_path_join(out, capacity, base, suffix, err);
    if (!user || user[0] != '/')
        return den_fail(err, DEN_NOT_FOUND, "neither $%s nor $HOME names a folder; set one of them",
                        variable);
    if (den_path_join(folder, sizeof folder, user, fallback, err) != DEN_OK)
        return err->status;
    return den_path_join(out, capacity, folder, suffix, err);
}

enum den_status den_path_home(char *out, size_t capacity, struct den_error *err)
{
    const char *home = getenv("DEN_HOME");

    if (home && home[0] != '\0') {
        if (snprintf(out, capacity, "%s", home) >= (int)capacity)
            return den_fail(err, DEN_INVALID, "$DEN_HOME: the path is too long");
        return DEN_OK;
    }
    return user_path(out, capacity, "XDG_DATA_HOME", ".local/share", "den", err);
}

enum den_status den_path_config(char *out, size_t capacity, struct den_error *err)
{
    return user_path(out, capacity, "XDG_CONFIG_HOME", ".config", "den/config.json", err);
}
