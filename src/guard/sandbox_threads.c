/* Sandbox: one step on every thread.
 *
 * Capabilities and Landlock belong to threads, not to the process. Threads that were started
 * before the lock are therefore interrupted by a signal and take the step in its handler, as libc
 * does for setuid(). The list of threads is read until a reading finds no thread that has not
 * taken it: a thread that was started meanwhile by one that had is locked in by inheritance and
 * takes it again, harmlessly.
 *
 * /proc may be the host's while the process lives in a pid namespace of its own; what tgkill()
 * wants is the last number of a thread's "NSpid:" line. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

enum { THREADS_MAX = 2 * DEN_SANDBOX_THREADS_MAX, WAIT_SECONDS = 5 };

static int (*step_now)(int);
static int argument_now;
static atomic_int failures;
static sem_t taken;

static void take_step(int signal)
{
    int saved = errno;

    (void)signal;
    if (step_now(argument_now) != 0)
        atomic_fetch_add(&failures, 1);
    sem_post(&taken);
    errno = saved;
}

/* The thread's id in our own pid namespace; 0: it has ended. */
static pid_t id_of(int tasks_fd, const char *name)
{
    char path[64], text[4096], *line, *end;
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "%.32s/status", name);
    fd = openat(tasks_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    line = strstr(text, "\nNSpid:");
    if (!line)
        return (pid_t)strtol(name, NULL, 10);
    end = strchr(line + 1, '\n');
    if (end)
        *end = '\0';
    return (pid_t)strtol(strrchr(line, '\t') ? strrchr(line, '\t') : line + 7, NULL, 10);
}

static bool is_known(const pid_t *ids, size_t count, pid_t id)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* False: it did not answer in time. */
static bool interrupt(pid_t id)
{
    struct timespec limit;

    if (syscall(SYS_tgkill, getpid(), id, SIGRTMAX) != 0)
        return errno == ESRCH; /* it has ended, which is as good */
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += WAIT_SECONDS;
    while (sem_timedwait(&taken, &limit) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

/* One reading of the list: how many threads were new in it; -1 when one of them did not answer. */
static int interrupt_new(DIR *tasks, pid_t *ids, size_t *count)
{
    const struct dirent *entry;
    int found = 0;

    rewinddir(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        pid_t id = entry->d_name[0] == '.' ? 0 : id_of(dirfd(tasks), entry->d_name);

        if (id == 0 || is_known(ids, *count, id))
            continue;
        if (*count == THREADS_MAX || !interrupt(id))
            return -1;
        ids[(*count)++] = id;
        found++;
    }
    return found;
}

int den_sandbox_on_other_threads(int (*step)(int argument), int argument)
{
    struct sigaction handler = { .sa_handler = take_step, .sa_flags = SA_RESTART }, before;
    pid_t ids[THREADS_MAX];
    size_t count = 1;
    DIR *tasks = opendir("/proc/self/task");
    int found;

    if (!tasks)
        return 1;
    step_now = step;
    argument_now = argument;
    atomic_store(&failures, 0);
    sem_init(&taken, 0, 0);
    sigfillset(&handler.sa_mask);
    sigaction(SIGRTMAX, &handler, &before);
    ids[0] = (pid_t)syscall(SYS_gettid);
    do
        found = interrupt_new(tasks, ids, &count);
    while (found > 0);
    if (found == 0)
        sigaction(SIGRTMAX, &before, NULL); /* else a late one may still come */
    closedir(tasks);
    return atomic_load(&failures) + (found < 0);
}
