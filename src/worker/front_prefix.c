/* See front.h: the file in which a model's read prompts outlive its process.
 *
 * The front opens it, so that the process has no path, and reads no byte of it: whatever a process
 * that was taken over writes there is read by the next process only, inside its sandbox. The file
 * is the user's alone (0600), for what people wrote can be got back from keys and values. One
 * process has it at a time: a second server on the same folder starts without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "worker/front.h"

enum {
    NAME_LETTERS = 48,
    FIRST_PLACE = 3 /* of the first descriptor that a process is given: sandbox.h */
};

/* "smollm2-1f0c2e4d.prefix": the name for people, a sum of the path to tell apart. */
static bool make_path(const struct den_worker *worker, char out[DEN_PATH_BYTES_MAX])
{
    char name[NAME_LETTERS + 24];
    struct den_error ignored = { 0 };
    const char *at, *model = strrchr(worker->model_name, '/');
    uint32_t sum = 2166136261u;
    size_t length = 0;

    for (at = worker->model_path; *at; at++)
        sum = (sum ^ (unsigned char)*at) * 16777619u;
    for (at = model ? model + 1 : worker->model_name; *at && length < NAME_LETTERS; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || *at == '-' || (*at == '.' && length > 0);

        name[length++] = is_plain ? *at : '_';
    }
    snprintf(name + length, sizeof name - length, "-%08x.prefix", (unsigned)sum);
    return den_path_join(out, DEN_PATH_BYTES_MAX, worker->prefix_folder, name, &ignored) == DEN_OK;
}

void den_front_prefix_open(struct den_worker *worker)
{
    char path[DEN_PATH_BYTES_MAX];
    struct stat info;
    int descriptor;

    worker->prefix_file = -1;
    if (!worker->prefix_folder || !make_path(worker, path))
        return;
    if (worker->options.prefix_bytes == 0) {
        unlink(path);
        return;
    }
    if (mkdir(worker->prefix_folder, 0700) != 0 && errno != EEXIST)
        return;
    descriptor =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (descriptor < 0)
        return;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) || fchmod(descriptor, 0600) != 0 ||
        flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        close(descriptor);
        return;
    }
    worker->prefix_file = descriptor;
}

size_t den_front_prefix_place(struct den_worker *worker, int *descriptors, size_t count)
{
    if (worker->prefix_file < 0)
        return 0;
    descriptors[count] = worker->prefix_file;
    worker->prefix_place = FIRST_PLACE + (int)count;
    return 1;
}

json_t *den_front_prefix_describe(const struct den_worker *worker)
{
    if (worker->prefix_file < 0)
        return json_null();
    return json_pack("{s:i, s:I}", "descriptor", worker->prefix_place, "bytes",
                     (json_int_t)worker->options.prefix_bytes);
}

/* The lock stays with the process, whose descriptor is the same open file. */
void den_front_prefix_close(struct den_worker *worker)
{
    if (worker->prefix_file >= 0)
        close(worker->prefix_file);
    worker->prefix_file = -1;
}
