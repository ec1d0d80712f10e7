/* Sandbox: what the process may use up, and what it was born with. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65 /* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

extern char **environ;

/* --- born with --- */

/* The descriptor of a folder would be a way around the empty root. -1: there is none. */
static int find_folder_descriptor(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found = -1;

    if (!folder)
        return -1;
    while (found < 0 && (entry = readdir(folder)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        struct stat info;

        if (entry->d_name[0] != '.' && fd != dirfd(folder) && fstat(fd, &info) == 0 &&
            S_ISDIR(info.st_mode))
            found = fd;
    }
    closedir(folder);
    return found;
}

void den_sandbox_check_birth(const struct den_sandbox_birth *birth,
                             struct den_sandbox_report *report)
{
    int death = 0, folder = find_folder_descriptor();

    den_sandbox_mark(report, DEN_WALL_ENVIRONMENT, birth->spawned, "%s",
                     birth->spawned ? "" : birth->why);
    if (folder >= 0)
        den_sandbox_mark(report, DEN_WALL_DESCRIPTORS, false, "descriptor %d is a folder", folder);
    else
        den_sandbox_mark(report, DEN_WALL_DESCRIPTORS, birth->spawned, "%s",
                         birth->spawned ? "" : birth->why);
    if (birth->spawned)
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* again: a change of user takes it away */
    prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
    den_sandbox_mark(report, DEN_WALL_LIFELINE, death == SIGKILL, "%s",
                     death == SIGKILL ? "" : "no parent-death signal is set");
}

/* --- limits --- */

bool den_sandbox_lower(int resource, uint64_t value)
{
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t)resource, &now) != 0)
        return false;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        value = now.rlim_max;
    now = (struct rlimit){ value, value };
    return setrlimit((__rlimit_resource_t)resource, &now) == 0;
}

void den_sandbox_limit(const struct den_sandbox_lock *options, struct den_sandbox_report *report)
{
    size_t file_bytes = options->file_bytes > DEN_SANDBOX_MEMFD_BYTES_MAX
                            ? options->file_bytes
                            : DEN_SANDBOX_MEMFD_BYTES_MAX;
    bool up = den_sandbox_lower(RLIMIT_CORE, 0) && den_sandbox_lower(RLIMIT_FSIZE, file_bytes) &&
              den_sandbox_lower(RLIMIT_MSGQUEUE, 0) && den_sandbox_lower(RLIMIT_RTPRIO, 0);

    if (options->files_max > 0)
        up = den_sandbox_lower(RLIMIT_NOFILE, options->files_max) && up;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they reserve terabytes */
    if (options->memory_bytes > 0)
        up = den_sandbox_lower(RLIMIT_AS, options->memory_bytes) && up;
#endif
    /* Threads are counted for a user in a namespace: without one, the user's own programs count. */
    if (report->walls[DEN_WALL_USER].up)
        up = den_sandbox_lower(RLIMIT_NPROC, DEN_SANDBOX_THREADS_MAX) && up;
    prctl(PR_SET_DUMPABLE, 0, 0, 0,
          0); /* its memory is nobody's to read, its death leaves no file */
    if (!up)
        den_sandbox_mark(report, DEN_WALL_LIMITS, false, "%s", strerror(errno));
    else
        den_sandbox_mark(report, DEN_WALL_LIMITS, true, "%zu MiB of memory, %zu descriptors%s",
                         options->memory_bytes >> 20, options->files_max,
                         report->walls[DEN_WALL_USER].up ? "" : ", threads not limited");
}

void den_sandbox_refuse_execution(struct den_sandbox_report *report)
{
    bool up = prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;

    den_sandbox_mark(report, DEN_WALL_EXECUTION, up, "%s",
                     up ? "" : "Linux 6.3 or newer is needed; seccomp refuses it instead");
}
