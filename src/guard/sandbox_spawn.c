/* Sandbox: starting the child.
 *
 * All children are born on one thread, the nursery, which lives as long as the process: the
 * kernel sends a child's parent-death signal when the *thread* that made it ends, and who calls
 * den_sandbox_spawn() may be anybody. It makes the child with one clone() that asks for all
 * namespaces. Where that is refused (a container without user namespaces, a hardened kernel) or
 * the user map can't be written, a second clone() asks for none; why is handed on in the
 * environment, so that the child can report it.
 *
 * The child runs this same program through a descriptor of /proc/self/exe, not through its path:
 * the user "nobody", whom a front run by root makes the child, needs no right to the folders
 * above it.
 *
 * Talk between the two until exec: the child writes a byte (it waits), the parent writes the maps
 * and a byte (go on), the child's status pipe closes by exec (all is well) or brings a step and
 * an errno. sandbox_child.c has the child's side. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

enum {
    NAMESPACE_FLAGS = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                      CLONE_NEWUTS | CLONE_NEWCGROUP,
    ENVIRONMENT_MAX = 12,
    ENVIRONMENT_BYTES = 4096
};

/* What is handed on where it is set: the time zone (for templates that ask for the date) and, in a
 * build with sanitizers, their options. */
static const char *const handed_on[] = {
    "TZ",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
#endif
};

const char *const den_sandbox_namespace_files[DEN_SANDBOX_NAMESPACES] = {
    "/proc/self/ns/user", "/proc/self/ns/pid", "/proc/self/ns/mnt",   "/proc/self/ns/net",
    "/proc/self/ns/ipc",  "/proc/self/ns/uts", "/proc/self/ns/cgroup"
};

struct environment {
    char *entries[ENVIRONMENT_MAX]; /* into `bytes` */
    size_t count, used;
    char bytes[ENVIRONMENT_BYTES];
};

/* Drops what does not fit. */
static void set_variable(struct environment *environment, const char *name, const char *value)
{
    size_t room = sizeof environment->bytes - environment->used;
    char *entry = environment->bytes + environment->used;
    int length = snprintf(entry, room, "%s=%s", name, value);

    if (length < 0 || (size_t)length >= room || environment->count + 1 >= ENVIRONMENT_MAX)
        return;
    environment->entries[environment->count++] = entry;
    environment->used += (size_t)length + 1;
}

static void make_environment(struct environment *environment, const char *why)
{
    char birth[512] = "";
    size_t i, length = 0;

    memset(environment, 0, sizeof *environment);
    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++) {
        struct stat info = { 0 };

        if (stat(den_sandbox_namespace_files[i], &info) != 0)
            info.st_ino = 0;
        length += (size_t)snprintf(birth + length, sizeof birth - length, "%s%llu", i ? " " : "",
                                   (unsigned long long)info.st_ino);
    }
    snprintf(birth + length, sizeof birth - length, ";%.119s", why);
    set_variable(environment, DEN_SANDBOX_VARIABLE, birth);
    set_variable(environment, "LANG", "C.UTF-8");
    for (i = 0; i < sizeof handed_on / sizeof handed_on[0]; i++)
        if (getenv(handed_on[i]))
            set_variable(environment, handed_on[i], getenv(handed_on[i]));
}

/* --- the parent's side of the handshake --- */

static bool write_file_of(pid_t pid, const char *name, const char *text)
{
    char path[64];
    bool done;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* The child is user 65534 inside: outside the same where root may say so, else who we are. */
static bool map_user(pid_t pid, bool become_nobody)
{
    unsigned uid = become_nobody ? DEN_SANDBOX_NOBODY : geteuid();
    unsigned gid = become_nobody ? DEN_SANDBOX_NOBODY : getegid();
    char line[64];

    if (!become_nobody && !write_file_of(pid, "setgroups", "deny"))
        return false;
    snprintf(line, sizeof line, "%d %u 1\n", DEN_SANDBOX_NOBODY, gid);
    if (!write_file_of(pid, "gid_map", line))
        return false;
    snprintf(line, sizeof line, "%d %u 1\n", DEN_SANDBOX_NOBODY, uid);
    return write_file_of(pid, "uid_map", line);
}

static ssize_t read_fully(int fd, void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t count = read(fd, (char *)bytes + done, length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static void reap(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static void close_pair(int fds[2])
{
    if (fds[0] >= 0)
        close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
    fds[0] = fds[1] = -1;
}

/* Leads the child from its birth to exec. */
static enum den_status lead(struct den_sandbox_delivery *delivery, pid_t pid, struct den_error *err)
{
    struct den_sandbox_failure failure = { 0 };
    char byte = 'g';

    close(delivery->gate_fds[0]);
    close(delivery->status_fds[1]);
    delivery->gate_fds[0] = delivery->status_fds[1] = -1;
    if (read_fully(delivery->status_fds[0], &byte, 1) != 1)
        return den_fail(err, DEN_IO, "sandbox: the child ended before it began");
    if (delivery->namespaces && !map_user(pid, delivery->become_nobody))
        return den_fail_errno(err, DEN_UNSUPPORTED, "sandbox: can't map the child's user");
    if (write(delivery->gate_fds[1], &byte, 1) != 1)
        return den_fail_errno(err, DEN_IO, "sandbox: the child can't be reached");
    if (read_fully(delivery->status_fds[0], &failure, sizeof failure) != sizeof failure)
        return DEN_OK; /* the pipe closed by exec */
    errno = failure.error;
    return den_fail_errno(err, failure.error == EPERM ? DEN_UNSUPPORTED : DEN_IO,
                          "sandbox: the child can't %s", den_sandbox_steps[failure.step]);
}

static enum den_status try_spawn(struct den_sandbox_delivery *delivery, pid_t *out_pid,
                                 struct den_error *err)
{
    unsigned long flags = SIGCHLD | (delivery->namespaces ? NAMESPACE_FLAGS : 0);
    pid_t pid = -1;

    delivery->gate_fds[0] = delivery->gate_fds[1] = -1;
    delivery->status_fds[0] = delivery->status_fds[1] = -1;
    if (pipe2(delivery->gate_fds, O_CLOEXEC) != 0 || pipe2(delivery->status_fds, O_CLOEXEC) != 0) {
        den_fail_errno(err, DEN_IO, "sandbox: no pipe");
        goto fail;
    }
    pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0UL);
    if (pid == 0)
        den_sandbox_deliver(delivery);
    if (pid < 0) {
        den_fail_errno(err, DEN_UNSUPPORTED, "sandbox: can't make a process%s",
                       delivery->namespaces ? " in new namespaces" : "");
        goto fail;
    }
    if (lead(delivery, pid, err) != DEN_OK)
        goto fail;
    close_pair(delivery->gate_fds);
    close_pair(delivery->status_fds);
    *out_pid = pid;
    return DEN_OK;
fail:
    if (pid > 0)
        reap(pid);
    close_pair(delivery->gate_fds);
    close_pair(delivery->status_fds);
    return err->status;
}

/* From the most to the least: as nobody in namespaces, as ourselves in namespaces, as nobody
 * without them, as ourselves without them. The first two differ for root alone. */
static enum den_status spawn(const struct den_sandbox_spawn *options, bool with_namespaces,
                             pid_t *out_pid, struct den_error *err)
{
    struct den_sandbox_delivery delivery = { .options = options };
    struct environment *environment = calloc(1, sizeof *environment);
    char why[DEN_SANDBOX_WHY_MAX] = "";
    int attempt;

    delivery.program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    delivery.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!environment || delivery.program_fd < 0 || delivery.null_fd < 0) {
        den_fail_errno(err, DEN_IO, "sandbox: can't open the program and /dev/null");
        goto end;
    }
    if (!with_namespaces)
        snprintf(why, sizeof why, "left out");
    for (attempt = with_namespaces ? 0 : 2; attempt < 4; attempt++) {
        delivery.namespaces = attempt < 2;
        delivery.become_nobody = attempt % 2 == 0;
        if (delivery.become_nobody && geteuid() != 0)
            continue;
        make_environment(environment, why);
        delivery.environment = environment->entries;
        *err = (struct den_error){ 0 };
        if (try_spawn(&delivery, out_pid, err) != DEN_UNSUPPORTED)
            break;
        if (delivery.namespaces)
            snprintf(why, sizeof why, "%.*s", DEN_SANDBOX_WHY_MAX - 1, err->message);
    }
end:
    if (delivery.program_fd >= 0)
        close(delivery.program_fd);
    if (delivery.null_fd >= 0)
        close(delivery.null_fd);
    free(environment);
    return err->status;
}

/* --- the nursery --- */

struct order {
    const struct den_sandbox_spawn *options;
    bool with_namespaces;
    pid_t pid;
    struct den_error *err;
};

static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER; /* one caller at a time */
static struct order *order;                                 /* guarded by it */
static sem_t ordered, delivered;
static pid_t nursery_of; /* the process that has the thread: a fork does not inherit it */

static void *run_nursery(void *unused)
{
    (void)unused;
    for (;;) {
        while (sem_wait(&ordered) != 0)
            continue;
        spawn(order->options, order->with_namespaces, &order->pid, order->err);
        sem_post(&delivered);
    }
    return NULL;
}

static enum den_status open_nursery(struct den_error *err)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int failed;

    if (nursery_of == getpid())
        return DEN_OK;
    sem_init(&ordered, 0, 0);
    sem_init(&delivered, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no signal is ever handled there */
    failed = pthread_create(&thread, &attributes, run_nursery, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failed)
        return den_fail(err, DEN_NO_MEMORY, "sandbox: no thread to start processes from");
    nursery_of = getpid();
    return DEN_OK;
}

enum den_status den_sandbox_spawn_without(const struct den_sandbox_spawn *options, unsigned without,
                                          pid_t *out_pid, struct den_error *err)
{
    struct order mine = { .options = options,
                          .with_namespaces = !(without & DEN_WITHOUT_NAMESPACES),
                          .err = err };

    if (options->descriptor_count > DEN_SANDBOX_DESCRIPTORS_MAX)
        return den_fail(err, DEN_INVALID, "sandbox: %zu descriptors; a child takes at most %d",
                        options->descriptor_count, DEN_SANDBOX_DESCRIPTORS_MAX);
    pthread_mutex_lock(&counter);
    if (open_nursery(err) == DEN_OK) {
        order = &mine;
        sem_post(&ordered);
        while (sem_wait(&delivered) != 0)
            continue;
        order = NULL;
    }
    pthread_mutex_unlock(&counter);
    if (err->status == DEN_OK)
        *out_pid = mine.pid;
    return err->status;
}

enum den_status den_sandbox_spawn(const struct den_sandbox_spawn *options, pid_t *out_pid,
                                  struct den_error *err)
{
    return den_sandbox_spawn_without(options, 0, out_pid, err);
}
