/* Processes: other people's, new ones, and threads that were there before the lock. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

extern char **environ;

/* --- the driver, which outside has the same user or more --- */

static int signal_driver(void)
{
    return outcome(kill(bait.driver_pid, 0));
}
static int signal_everybody(void)
{
    /* Ignored by who does not ask for it. Where Landlock hides each of them the answer is success
     * all the same, so that wall is not counted. */
    return outcome(kill(-1, SIGURG));
}
static int signal_thread_of_driver(void)
{
    return outcome(syscall(SYS_tgkill, bait.driver_pid, bait.driver_pid, 0));
}
static int open_driver(void)
{
    return outcome(syscall(SYS_pidfd_open, bait.driver_pid, 0));
}
static int take_descriptor_of_driver(void)
{
    long fd = syscall(SYS_pidfd_open, bait.driver_pid, 0);

    return fd < 0 ? errno : outcome(syscall(SYS_pidfd_getfd, fd, 0, 0));
}
static int trace_driver(void)
{
    return outcome(ptrace(PTRACE_SEIZE, bait.driver_pid, NULL, NULL));
}
static int be_traced(void)
{
    return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
static int reach_driver_memory(long number)
{
    char bytes[16] = "overwritten";
    struct iovec here = { bytes, sizeof bytes };
    struct iovec there = { (void *)bait.driver_memory, sizeof bytes };

    return outcome(syscall(number, bait.driver_pid, &here, 1, &there, 1, 0));
}
static int read_driver_memory(void)
{
    return reach_driver_memory(SYS_process_vm_readv);
}
static int write_driver_memory(void)
{
    return reach_driver_memory(SYS_process_vm_writev);
}
static int limit_driver(void)
{
    struct rlimit limit;

    return outcome(prlimit((pid_t)bait.driver_pid, RLIMIT_NOFILE, NULL, &limit));
}
static int move_driver(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return outcome(sched_setaffinity((pid_t)bait.driver_pid, sizeof set, &set));
}
static int find_driver_list(void)
{
    void *head;
    size_t length;

    return outcome(syscall(SYS_get_robust_list, bait.driver_pid, &head, &length));
}

/* --- new processes --- */

static int make_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return outcome(pid);
}
static int make_in(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0UL);

    if (pid == 0)
        _exit(0);
    return outcome(pid);
}
static int make_in_user_namespace(void)
{
    return make_in(CLONE_NEWUSER);
}
static int make_in_all_namespaces(void)
{
    return make_in(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
}
static int make_by_clone3(void)
{
    struct clone_args arguments = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);

    if (pid == 0)
        _exit(0);
    return outcome(pid);
}
static int run_program(void)
{
    char *const argv[] = { (char *)"true", NULL };

    execve("/usr/bin/true", argv, environ); /* its exit without an answer counts as escaped */
    return errno;
}
static int run_memory(void)
{
    static const char script[] = "#!/bin/true\n";
    char *const argv[] = { (char *)"x", NULL };
    int fd = memfd_create("x", 0);

    if (fd < 0 || write(fd, script, sizeof script - 1) < 0)
        return errno;
    syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    return errno;
}
static int change_user(void)
{
    return outcome(syscall(SYS_setresuid, 0, 0, 0));
}
static int raise_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { ~0u, ~0u, 0 }, { 0 } };

    return outcome(syscall(SYS_capset, &header, data));
}
static int read_environment(void)
{
    char **entry;

    for (entry = environ; *entry; entry++)
        if (strncmp(*entry, "LANG=", 5) != 0 && strncmp(*entry, "TZ=", 3) != 0)
            return ESCAPED;
    return ENOENT;
}
static int type_into_terminal(void)
{
    ioctl(FD_TERMINAL, TIOCSCTTY, 0);
    return outcome(ioctl(FD_TERMINAL, TIOCSTI, "x"));
}

/* --- a thread that was there before --- */

static sem_t go, gone;
static int (*thread_attempt)(void);
static int thread_outcome;

static void *wait_and_try(void *unused)
{
    (void)unused;
    sem_wait(&go);
    errno = 0;
    thread_outcome = thread_attempt();
    sem_post(&gone);
    return NULL;
}

void start_early_thread(void)
{
    pthread_t thread;

    sem_init(&go, 0, 0);
    sem_init(&gone, 0, 0);
    pthread_create(&thread, NULL, wait_and_try, NULL);
}

static int on_early_thread(int (*attempt)(void))
{
    thread_attempt = attempt;
    sem_post(&go);
    sem_wait(&gone);
    return thread_outcome;
}
static int open_passwd(void)
{
    return outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}
static int write_tmp(void)
{
    return outcome(open("/tmp", O_TMPFILE | O_RDWR, 0600));
}
static int open_socket(void)
{
    return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int hold_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };

    if (syscall(SYS_capget, &header, data) != 0)
        return errno;
    return data[0].effective | data[0].permitted | data[1].effective ? ESCAPED : EPERM;
}
static int early_open(void)
{
    return on_early_thread(open_passwd);
}
static int early_write(void)
{
    return on_early_thread(write_tmp);
}
static int early_socket(void)
{
    return on_early_thread(open_socket);
}
static int early_capabilities(void)
{
    return on_early_thread(hold_capabilities);
}

const struct attempt process_attempts[] = {
    { "signal its parent", BY_NAMESPACES | BY_LANDLOCK_6 | BY_SECCOMP, signal_driver },
    { "signal everybody", BY_NAMESPACES | BY_SECCOMP, signal_everybody },
    { "signal its parent's thread", BY_NAMESPACES | BY_LANDLOCK_6 | BY_SECCOMP,
      signal_thread_of_driver },
    { "open its parent by pidfd", BY_NAMESPACES | BY_SECCOMP, open_driver },
    { "take a descriptor of its parent", BY_ALL, take_descriptor_of_driver },
    { "trace its parent", BY_ALL, trace_driver },
    { "be traced", BY_SECCOMP, be_traced },
    { "read its parent's memory", BY_ALL, read_driver_memory },
    { "write its parent's memory", BY_ALL, write_driver_memory },
    { "read its parent's limits", BY_NAMESPACES | BY_SECCOMP, limit_driver },
    { "move its parent to a core", BY_NAMESPACES | BY_SECCOMP, move_driver },
    { "find its parent's lock list", BY_ALL, find_driver_list },
    { "fork", BY_SECCOMP, make_process },
    { "clone into a user namespace", BY_SECCOMP, make_in_user_namespace },
    { "clone into all namespaces", BY_SECCOMP, make_in_all_namespaces },
    { "clone3 into a user namespace", BY_SECCOMP, make_by_clone3 },
    { "run a program", BY_ALL, run_program },
    { "run a program from memory", BY_NAMESPACES | BY_LANDLOCK | BY_SECCOMP, run_memory },
    { "become root", BY_SECCOMP | BY_KERNEL, change_user },
    { "raise capabilities", BY_SECCOMP | BY_KERNEL, raise_capabilities },
    { "find a variable it was not given", BY_LIMITS, read_environment },
    { "type into a terminal", BY_SECCOMP, type_into_terminal },
    { "open a file on an earlier thread", BY_ALL, early_open },
    { "write a file on an earlier thread", BY_ALL, early_write },
    { "open a socket on an earlier thread", BY_SECCOMP, early_socket },
    { "hold a capability on an earlier thread", BY_LIMITS | BY_SECCOMP, early_capabilities },
};
const size_t process_attempt_count = COUNT(process_attempts);
