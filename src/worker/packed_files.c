/* See packed_files.h. */
#include "worker/packed_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "schedule/scheduler.h"
#include "worker/model_files.h"

/* 2001-09-09 01:46:40 UTC: even, so that any file system can hold it. */
enum { STAMP = 1000000000, DAYS_KEPT = 30, FILES_AT = 16, SUFFIX_BYTES = 16 };

/* --- names --- */

/* The part of `path` below `folder`; NULL where it is elsewhere. */
static const char *below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* With the room that ".part" takes. */
static bool join(char out[DEN_PATH_BYTES_MAX], const char *folder, const char *name)
{
    struct den_error ignored = { 0 };

    return den_path_join(out, DEN_PATH_BYTES_MAX - SUFFIX_BYTES, folder, name, &ignored) == DEN_OK;
}

/* `real` has no links in it. */
static bool name_beside(const char *real, char out[DEN_PATH_BYTES_MAX])
{
    char folder[DEN_PATH_BYTES_MAX], name[NAME_MAX + SUFFIX_BYTES];
    const char *base = strrchr(real, '/') + 1;

    if (den_file_is_folder(real))
        return join(out, real, ".packed");
    snprintf(folder, sizeof folder, "%.*s", (int)(base - real), real);
    return snprintf(name, sizeof name, ".%s.packed", base) <= NAME_MAX - 5 &&
           join(out, folder, name);
}

/* "": the model has none. `out_elsewhere`: the folder, where it is not beside the model. */
static void find_name(const char *model_path, char out[DEN_PATH_BYTES_MAX],
                      char out_elsewhere[DEN_PATH_BYTES_MAX])
{
    char home[DEN_PATH_BYTES_MAX], models[DEN_PATH_BYTES_MAX], name[64];
    char *real = realpath(model_path, NULL), *real_models = NULL;
    struct den_error ignored = { 0 };

    out[0] = out_elsewhere[0] = '\0';
    if (!real || den_path_home(home, sizeof home, &ignored) != DEN_OK ||
        !join(models, home, "models") || !join(out_elsewhere, home, "packed"))
        goto done;
    real_models = realpath(models, NULL);
    if (real_models && below(real, real_models)) {
        out_elsewhere[0] = '\0';
        if (!name_beside(real, out))
            out[0] = '\0';
        goto done;
    }
    snprintf(name, sizeof name, "%016llx.packed",
             (unsigned long long)den_packed_sum(real, strlen(real), 0));
    if (!join(out, out_elsewhere, name))
        out[0] = '\0';
done:
    free(real_models);
    free(real);
}

static const char *part_of(const char *path, char out[DEN_PATH_BYTES_MAX])
{
    snprintf(out, DEN_PATH_BYTES_MAX, "%.*s.part", DEN_PATH_BYTES_MAX - SUFFIX_BYTES, path);
    return out;
}

/* --- identity --- */

/* Names without their folders: a home that moves keeps its packed files. */
static void identify(const struct den_model_files *files, struct den_packed_files *out)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < files->count; i++) {
        const char *name = strrchr(files->files[i].path, '/');
        struct stat info;

        name = name ? name + 1 : files->files[i].path;
        if (files->files[i].descriptor < 0 || fstat(files->files[i].descriptor, &info) != 0)
            continue;
        /* a sum of sums: a folder lists its files in any order */
        sum += den_packed_sum((uint64_t[]){ (uint64_t)info.st_size, (uint64_t)info.st_mtim.tv_sec,
                                            (uint64_t)info.st_mtim.tv_nsec,
                                            den_packed_sum(name, strlen(name), 0) },
                              4 * sizeof(uint64_t), 0);
        out->source_bytes += (uint64_t)info.st_size;
    }
    out->files = sum;
}

static bool is_stamped(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_mtim.tv_sec == STAMP && info->st_mtim.tv_nsec == 0;
}

/* --- opening --- */

static void open_finished(struct den_packed_files *packed)
{
    const struct timespec used[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
    unsigned char head[FILES_AT + 8];
    struct stat info;
    uint64_t files = 0;
    size_t i;
    int descriptor = open(packed->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (descriptor < 0)
        return;
    if (fstat(descriptor, &info) != 0 || !is_stamped(&info) ||
        pread(descriptor, head, sizeof head, 0) != (ssize_t)sizeof head) {
        close(descriptor);
        return;
    }
    for (i = 0; i < 8; i++)
        files |= (uint64_t)head[FILES_AT + i] << (8 * i);
    if (files != packed->files) {
        close(descriptor);
        return;
    }
    (void)futimens(descriptor, used); /* for the sweep; a read-only home goes without */
    packed->finished = descriptor;
    packed->finished_stamp = den_packed_sum(
        (uint64_t[]){ (uint64_t)info.st_dev, (uint64_t)info.st_ino, (uint64_t)info.st_size },
        3 * sizeof(uint64_t), files);
}

/* Locked and empty, and still the file of that name: between opening and locking another process
 * may have finished and renamed it. */
static bool lock_part(int descriptor, const char *part)
{
    struct stat mine, named;

    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &mine) == 0 &&
           S_ISREG(mine.st_mode) && lstat(part, &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev && ftruncate(descriptor, 0) == 0;
}

static void begin_unfinished(struct den_packed_files *packed)
{
    char part[DEN_PATH_BYTES_MAX];
    int descriptor = open(part_of(packed->path, part),
                          O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (descriptor < 0)
        return; /* a folder that can't be written to */
    if (lock_part(descriptor, part))
        packed->unfinished = descriptor;
    else
        close(descriptor);
}

/* Files of models elsewhere: nobody removes them with their model. */
static void sweep(const char *folder)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    const time_t now = time(NULL);

    while (listing && (entry = readdir(listing)) != NULL) {
        struct stat info;

        if (entry->d_name[0] != '.' &&
            fstatat(dirfd(listing), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && now - info.st_atim.tv_sec > DAYS_KEPT * 24 * 3600)
            unlinkat(dirfd(listing), entry->d_name, 0);
    }
    if (listing)
        closedir(listing);
}

void den_packed_files_open(const char *model_path, const struct den_model_files *files,
                           struct den_packed_files *out)
{
    const char *wish = getenv("DEN_PACKED");
    char elsewhere[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    *out = (struct den_packed_files){ .finished = -1, .unfinished = -1 };
    if (wish && strcmp(wish, "off") == 0)
        return;
    identify(files, out);
    if (out->source_bytes < DEN_PACKED_MODEL_BYTES_MIN && !(wish && strcmp(wish, "all") == 0))
        return;
    find_name(model_path, out->path, elsewhere);
    if (!*out->path)
        return;
    open_finished(out);
    if (out->finished >= 0)
        return;
    if (*elsewhere && den_folder_create(elsewhere, &ignored) == DEN_OK)
        sweep(elsewhere);
    begin_unfinished(out);
}

/* --- the end --- */

/* The name goes before the lock does. */
static void drop_unfinished(struct den_packed_files *packed, bool with_name)
{
    char part[DEN_PATH_BYTES_MAX];

    if (packed->unfinished < 0)
        return;
    if (with_name)
        unlink(part_of(packed->path, part));
    close(packed->unfinished);
    packed->unfinished = -1;
}

void den_packed_files_close(struct den_packed_files *packed)
{
    if (packed->path[0] == '\0')
        return; /* none was opened */
    if (packed->finished >= 0)
        close(packed->finished);
    packed->finished = -1;
    drop_unfinished(packed, true);
}

bool den_packed_files_make_room(const struct den_packed_files *packed, uint64_t bytes)
{
    struct statvfs disk;

    if (packed->path[0] == '\0' || packed->unfinished < 0 || bytes == 0 ||
        bytes / DEN_PACKED_GROWTH_MAX > packed->source_bytes + DEN_PACKED_MODEL_BYTES_MIN ||
        fstatvfs(packed->unfinished, &disk) != 0 ||
        (uint64_t)disk.f_bavail * disk.f_frsize < bytes + DEN_PACKED_SPARE_BYTES)
        return false;
    return fallocate(packed->unfinished, 0, 0, (off_t)bytes) == 0;
}

/* The order: the date, then every page, then a look at the date, then the name. A process that
 * writes once more has to make a page dirty again, which changes the date. */
enum den_status den_packed_files_finish(struct den_packed_files *packed, struct den_error *err)
{
    const struct timespec dates[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = STAMP } };
    char part[DEN_PATH_BYTES_MAX];
    struct stat info;

    part_of(packed->path, part);
    if (futimens(packed->unfinished, dates) != 0 || fsync(packed->unfinished) != 0 ||
        fstat(packed->unfinished, &info) != 0)
        den_fail_errno(err, DEN_IO, "%s", part);
    else if (!is_stamped(&info))
        den_fail(err, DEN_IN_USE, "%s: was written to after it was complete", part);
    else if (rename(part, packed->path) != 0)
        den_fail_errno(err, DEN_IO, "%s", packed->path);
    drop_unfinished(packed, err->status != DEN_OK);
    return err->status;
}

void den_packed_files_reject(const struct den_packed_files *packed)
{
    if (packed->finished >= 0)
        unlink(packed->path);
}

/* --- for the store of models --- */

void den_packed_files_remove(const char *model_path)
{
    char path[DEN_PATH_BYTES_MAX], elsewhere[DEN_PATH_BYTES_MAX], part[DEN_PATH_BYTES_MAX];

    find_name(model_path, path, elsewhere);
    if (!*path)
        return;
    unlink(path);
    unlink(part_of(path, part));
}

uint64_t den_packed_files_bytes(const char *model_path)
{
    char path[DEN_PATH_BYTES_MAX], elsewhere[DEN_PATH_BYTES_MAX];
    struct stat info;

    find_name(model_path, path, elsewhere);
    return *path && lstat(path, &info) == 0 && is_stamped(&info) ? (uint64_t)info.st_blocks * 512
                                                                 : 0;
}
