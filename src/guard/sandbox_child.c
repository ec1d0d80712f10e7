/* Sandbox, the child between clone() and exec.
 *
 * The parent has many threads, and this is a copy of it that has one: any lock may be held for
 * ever. So nothing here allocates or calls into libc beyond thin wrappers of system calls. Even
 * setresuid() is called raw, because libc's tells all threads to follow, and they are not there.
 *
 * In order: wait until the parent has mapped our user; give up groups, user and the bounding set;
 * keep one capability in the namespace, CAP_SYS_ADMIN, as an ambient one, so that it lives
 * through exec until den_sandbox_lock() has emptied the root; tie our life to the parent's;
 * arrange the descriptors; become the program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

enum { STEP_GATE, STEP_USER, STEP_CAPABILITIES, STEP_PRIVILEGES, STEP_DESCRIPTORS, STEP_EXEC };
const char *const den_sandbox_steps[] = { "wait for its parent",  "become an unprivileged user",
                                          "set its capabilities", "give up new privileges",
                                          "arrange descriptors",  "run the program" };

enum { KERNEL_SIGNAL_SET_BYTES = 8 };

static int set_capabilities(unsigned permitted, unsigned inheritable)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = {
        { .effective = permitted, .permitted = permitted, .inheritable = inheritable }, { 0 }
    };

    return (int)syscall(SYS_capset, &header, data);
}

int den_sandbox_clear_capabilities(void)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return set_capabilities(0, 0) == 0 ? 0 : errno;
}

static bool wait_at_gate(const struct den_sandbox_delivery *delivery)
{
    char byte = 'w';
    ssize_t count;

    close(delivery->gate_fds[1]);
    close(delivery->status_fds[0]);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else the parent may not write our user map */
    if (write(delivery->status_fds[1], &byte, 1) != 1)
        return false;
    do
        count = read(delivery->gate_fds[0], &byte, 1);
    while (count < 0 && errno == EINTR);
    return count == 1; /* 0: the parent is gone */
}

/* The bounding set must go while there is CAP_SETPCAP; where that is missing the set stays, and
 * with no new privileges it means nothing. What is to be kept must be made inheritable before:
 * later the bounding set would forbid it. */
static void drop_bounding_set(unsigned kept)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };
    unsigned long capability;

    if (kept && syscall(SYS_capget, &header, data) == 0) {
        data[0].inheritable |= kept;
        syscall(SYS_capset, &header, data);
    }
    for (capability = 0; capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
}

static bool become_nobody(const struct den_sandbox_delivery *delivery)
{
    if (!delivery->become_nobody)
        return true;
    return syscall(SYS_setgroups, 0, NULL) == 0 &&
           syscall(SYS_setresgid, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY) ==
               0 &&
           syscall(SYS_setresuid, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY) == 0;
}

static bool keep_capabilities(unsigned kept)
{
    if (set_capabilities(kept, kept) != 0)
        return false;
    return !kept || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) == 0;
}

/* Tells false when the parent had gone before the tie was made. */
static bool tie_to_parent(int gate_fd)
{
    struct pollfd gate = { .fd = gate_fd, .events = POLLIN };

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return false;
    return poll(&gate, 1, 0) == 0; /* the other end is still open */
}

static void close_from(unsigned first)
{
    struct rlimit files;
    unsigned fd, end;

    if (syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    end = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536
              ? (unsigned)files.rlim_cur
              : 65536; /* before Linux 5.11 */
    for (fd = first; fd < end; fd++)
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

/* First copies above the places that will be taken, so that none is overwritten before its turn. */
static bool arrange_descriptors(const struct den_sandbox_delivery *delivery, int *program_fd,
                                int *status_fd)
{
    const struct den_sandbox_spawn *options = delivery->options;
    int first_free = 3 + (int)options->descriptor_count, i;
    int copies[DEN_SANDBOX_DESCRIPTORS_MAX], null_fd;

    *status_fd = fcntl(*status_fd, F_DUPFD_CLOEXEC, first_free);
    *program_fd = fcntl(*program_fd, F_DUPFD_CLOEXEC, first_free);
    null_fd = fcntl(delivery->null_fd, F_DUPFD_CLOEXEC, first_free);
    if (*status_fd < 0 || *program_fd < 0 || null_fd < 0)
        return false;
    for (i = 0; i < (int)options->descriptor_count; i++) {
        copies[i] = fcntl(options->descriptors[i], F_DUPFD_CLOEXEC, first_free);
        if (copies[i] < 0)
            return false;
    }
    if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 ||
        (!options->keep_stderr && dup2(null_fd, 2) < 0))
        return false;
    for (i = 0; i < (int)options->descriptor_count; i++)
        if (dup2(copies[i], 3 + i) < 0)
            return false;
    close_from((unsigned)first_free);
    return true;
}

static void reset_signals(void)
{
    unsigned char none[KERNEL_SIGNAL_SET_BYTES] = { 0 };
    struct sigaction plain = { .sa_handler = SIG_DFL };
    int number;

    for (number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, &plain, NULL);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, sizeof none);
}

static void fail_at(int status_fd, int step)
{
    struct den_sandbox_failure failure = { .step = step, .error = errno };
    ssize_t written = write(status_fd, &failure, sizeof failure);

    (void)written;
    _exit(127);
}

void den_sandbox_deliver(const struct den_sandbox_delivery *delivery)
{
    int status_fd = delivery->status_fds[1], program_fd = delivery->program_fd;
    unsigned kept = delivery->namespaces ? 1u << CAP_SYS_ADMIN : 0;

    if (!wait_at_gate(delivery))
        _exit(127);
    drop_bounding_set(kept);
    if (!become_nobody(delivery))
        fail_at(status_fd, STEP_USER);
    if (!keep_capabilities(kept))
        fail_at(status_fd, STEP_CAPABILITIES);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail_at(status_fd, STEP_PRIVILEGES);
    setsid(); /* no terminal: neither its signals nor a way to type into it */
    if (!tie_to_parent(delivery->gate_fds[0]))
        fail_at(status_fd, STEP_GATE);
    if (!arrange_descriptors(delivery, &program_fd, &status_fd))
        fail_at(status_fd, STEP_DESCRIPTORS);
    umask(077);
    if (chdir("/") != 0)
        fail_at(status_fd, STEP_DESCRIPTORS);
    reset_signals();
    syscall(SYS_execveat, program_fd, "", delivery->options->argv, delivery->environment,
            AT_EMPTY_PATH);
    fail_at(status_fd, STEP_EXEC);
    _exit(127);
}
