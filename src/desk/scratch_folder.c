/* See scratch_folder.h. */
#include "desk/scratch_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "store/database.h"

#define PREFIX "scratch-"

enum den_status den_scratch_open(const char *home, struct den_scratch *out, struct den_error *err)
{
    struct den_scratch scratch = { .fd = -1 };

    if (den_path_join(scratch.path, sizeof scratch.path, home, PREFIX "XXXXXX", err) != DEN_OK)
        return err->status;
    if (!mkdtemp(scratch.path))
        return den_disk_fail(err, "a folder for files in work", home);
    scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scratch.fd < 0 || flock(scratch.fd, LOCK_EX | LOCK_NB) != 0) {
        den_disk_fail(err, "a folder for files in work", scratch.path);
        den_scratch_close(&scratch);
        return err->status;
    }
    *out = scratch;
    return DEN_OK;
}

void den_scratch_close(struct den_scratch *scratch)
{
    if (scratch->path[0])
        den_folder_remove(scratch->path);
    if (scratch->path[0] && scratch->fd >= 0)
        close(scratch->fd);
    *scratch = (struct den_scratch){ .fd = -1 };
}

enum den_status den_scratch_file(const struct den_scratch *scratch, const char *name,
                                 char out[DEN_PATH_BYTES_MAX], struct den_error *err)
{
    return den_path_join(out, DEN_PATH_BYTES_MAX, scratch->path, name, err);
}

struct listing {
    const char *home;
};

/* One that was made a moment ago and is not locked yet may be met too: its maker then fails with a
 * sentence, and tries again. */
static void look_at(void *context, const char *name)
{
    const struct listing *listing = context;
    struct den_scratch found = { .fd = -1 };
    struct den_error ignored = { 0 };

    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 ||
        den_path_join(found.path, sizeof found.path, listing->home, name, &ignored) != DEN_OK)
        return;
    found.fd = open(found.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (found.fd < 0)
        return;
    if (flock(found.fd, LOCK_EX | LOCK_NB) == 0)
        den_scratch_close(&found);
    else
        close(found.fd);
}

void den_scratch_tidy(const char *home)
{
    struct listing listing = { home };
    struct den_error ignored = { 0 };

    den_folder_list(home, look_at, &listing, &ignored);
}

void den_scratch_home(const struct den_database *database, char out[DEN_PATH_BYTES_MAX])
{
    const char *path = den_database_path(database), *slash = strrchr(path, '/');

    snprintf(out, DEN_PATH_BYTES_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

/* --- the disk --- */

static uint64_t room_at(const char *path)
{
    char folder[DEN_PATH_BYTES_MAX];
    struct statvfs disk;
    char *slash;

    snprintf(folder, sizeof folder, "%s", path);
    while (statvfs(folder, &disk) != 0) { /* the file is not there yet: its folder */
        slash = strrchr(folder, '/');
        if (!slash)
            return statvfs(".", &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
        if (slash == folder)
            slash[1] = '\0';
        else
            *slash = '\0';
    }
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

enum den_status den_disk_check(const char *folder, uint64_t bytes, const char *what,
                               struct den_error *err)
{
    const uint64_t room = room_at(folder);

    if (bytes < room)
        return DEN_OK;
    return den_fail(err, DEN_IO,
                    "%s: the disk of %s has %llu MiB free, and %llu MiB are needed; make room and "
                    "try again",
                    what, folder, (unsigned long long)(room >> 20),
                    (unsigned long long)((bytes >> 20) + 1));
}

enum den_status den_disk_fail(struct den_error *err, const char *what, const char *path)
{
    const int error = errno;

    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return den_fail(err, DEN_IO,
                        "%s: the disk is full at %s (%llu MiB free); nothing was changed, make "
                        "room and try again",
                        what, path, (unsigned long long)(room_at(path) >> 20));
    errno = error;
    return den_fail_errno(err, error == EEXIST ? DEN_IN_USE : DEN_IO, "%s: %s", what, path);
}

static enum den_status flush(const char *path, int flags, struct den_error *err)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        den_disk_fail(err, "flushing to the disk", path);
    if (fd >= 0)
        close(fd);
    return err->status;
}

enum den_status den_disk_settle(const char *from, const char *to, struct den_error *err)
{
    char folder[DEN_PATH_BYTES_MAX];
    char *slash;

    if (flush(from, 0, err) != DEN_OK)
        return err->status;
    if (rename(from, to) != 0)
        return den_disk_fail(err, "giving the file its name", to);
    snprintf(folder, sizeof folder, "%s", to);
    slash = strrchr(folder, '/');
    if (!slash)
        snprintf(folder, sizeof folder, ".");
    else
        slash[slash == folder] = '\0';
    return flush(folder, O_DIRECTORY, err);
}
