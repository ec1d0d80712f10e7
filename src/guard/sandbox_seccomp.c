/* Sandbox: seccomp, the list of system calls that are left.
 *
 * A worker that has its model and its wire needs to compute, to wait, and to talk over
 * descriptors it holds. Everything else is one of three kinds. Calls that libraries try and can
 * do without (opening a file, asking for a terminal) fail with an errno. Calls whose meaning lies
 * in an argument are allowed for harmless values. What remains, and with it every subsystem of
 * the kernel that a worker has no use for, ends the process: nothing of ours makes such a call,
 * so whoever does is not us.
 *
 * A filter sees numbers, never what a pointer points to; hence no rule on a path or an address.
 * Executable memory is refused here even where the kernel has no MDWE. Calls of another ABI
 * (32-bit, x32) end the process too. clone3() hides its flags behind a pointer, so it answers
 * ENOSYS and libc falls back to clone(). The filter goes to all threads at once (TSYNC). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* names for anonymous memory, Linux 5.17 */
#endif

enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* of arch_prctl(), Linux 5.16 */

static const int allowed[] = {
    /* the descriptors that are there */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwritev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fstat),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(memfd_create),
    SCMP_SYS(ftruncate),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    /* memory */
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(mincore),
    SCMP_SYS(msync),
    SCMP_SYS(membarrier),
    /* threads and signals of its own */
    SCMP_SYS(futex),
    SCMP_SYS(futex_waitv),
    SCMP_SYS(set_robust_list),

    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),

    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_get_priority_max),
    SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(getcpu),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    /* clocks, and who it is */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrusage),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    SCMP_SYS(getcwd),
    SCMP_SYS(getrlimit),
};

/* What libraries try: the answer is an error, and they go on. */
static const struct {
    int call, error;
} refused[] = {
    { SCMP_SYS(clone3), ENOSYS },
    { SCMP_SYS(open), EACCES },
    { SCMP_SYS(openat), EACCES },
    { SCMP_SYS(openat2), EACCES },
    { SCMP_SYS(stat), EACCES },
    { SCMP_SYS(lstat), EACCES },
    { SCMP_SYS(statx), EACCES },
    { SCMP_SYS(access), EACCES },
    { SCMP_SYS(faccessat), EACCES },
    { SCMP_SYS(faccessat2), EACCES },
    { SCMP_SYS(readlink), EACCES },
    { SCMP_SYS(readlinkat), EACCES },
    { SCMP_SYS(statfs), EACCES },
    { SCMP_SYS(ioctl), ENOTTY },
    { SCMP_SYS(getpriority), EPERM },
    { SCMP_SYS(setpriority), EPERM },
    { SCMP_SYS(sched_setscheduler), EPERM },
    { SCMP_SYS(mbind), EPERM },
    { SCMP_SYS(get_mempolicy), EPERM },
    { SCMP_SYS(set_mempolicy), EPERM },
    { SCMP_SYS(mlock), EPERM },
    { SCMP_SYS(mlock2), EPERM },
    { SCMP_SYS(mlockall), EPERM },
    { SCMP_SYS(setrlimit), EPERM },
};

#define ALLOW(filter, call, ...)                                                                   \
    seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(call),                                 \
                           sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) /                        \
                               sizeof(struct scmp_arg_cmp),                                        \
                           (const struct scmp_arg_cmp[]){ __VA_ARGS__ })
#define REFUSE(filter, error, call, ...)                                                           \
    seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(error), SCMP_SYS(call),                          \
                           sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) /                        \
                               sizeof(struct scmp_arg_cmp),                                        \
                           (const struct scmp_arg_cmp[]){ __VA_ARGS__ })

/* Of the argument `index`, the bits in `mask` must be exactly `value`. */
static struct scmp_arg_cmp bits(unsigned index, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){ index, SCMP_CMP_MASKED_EQ, mask, value };
}

static struct scmp_arg_cmp is(unsigned index, uint64_t value)
{
    return (struct scmp_arg_cmp){ index, SCMP_CMP_EQ, value, 0 };
}

static int add_lists(scmp_filter_ctx filter)
{
    size_t i;
    int failed = 0;

    for (i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused[i].error),
                                   refused[i].call, 0);
    return failed;
}

/* Threads share memory and handlers and are in no new namespace; a new process would be neither. */
static int add_clone(scmp_filter_ctx filter)
{
    const uint64_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const uint64_t never = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                           CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PTRACE |
                           CLONE_UNTRACED | CLONE_VFORK | CLONE_PARENT | CLONE_PIDFD;

    return ALLOW(filter, clone, bits(0, thread | never, thread));
}

static int add_memory(scmp_filter_ctx filter)
{
    int failed = ALLOW(filter, mmap, bits(2, PROT_EXEC, 0));

    failed |= REFUSE(filter, EACCES, mmap, bits(2, PROT_EXEC, PROT_EXEC));
    failed |= ALLOW(filter, mprotect, bits(2, PROT_EXEC, 0));
    failed |= REFUSE(filter, EACCES, mprotect, bits(2, PROT_EXEC, PROT_EXEC));
    return failed;
}

static int add_descriptors(scmp_filter_ctx filter)
{
    static const int commands[] = { F_GETFD,
                                    F_SETFD,
                                    F_GETFL,
                                    F_DUPFD,
                                    F_DUPFD_CLOEXEC,
                                    F_SETFL,
                                    1033 /* F_ADD_SEALS */,
                                    1034 /* F_GET_SEALS */ };
    size_t i;
    int failed = 0;

    for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
        failed |= ALLOW(filter, fcntl, is(1, (uint64_t)commands[i]));
    /* libc's fstat() asks this way; a path is of no use in an empty root */
    failed |= ALLOW(filter, newfstatat, bits(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
    failed |= REFUSE(filter, EACCES, newfstatat, bits(3, AT_EMPTY_PATH, 0));
    failed |= ALLOW(filter, sendto, is(4, 0)); /* send(): no address */
    return failed;
}

/* Of itself alone: abort() and raise(), its limits (to read them), where a thread
 * runs and what it is called, and the registers of AMX (hardware/cpu.c asks for them). */
static int add_self(scmp_filter_ctx filter)
{
    const uint64_t self = (uint64_t)getpid();
    int failed = ALLOW(filter, tgkill, is(0, self));

    failed |= ALLOW(filter, prlimit64, is(0, 0), is(2, 0));
    failed |= ALLOW(filter, prlimit64, is(0, self), is(2, 0));
    failed |= ALLOW(filter, sched_setaffinity, is(0, 0));
    failed |= ALLOW(filter, prctl, is(0, PR_SET_NAME));
    failed |= ALLOW(filter, prctl, is(0, PR_GET_NAME));
    failed |= ALLOW(filter, prctl, is(0, PR_GET_DUMPABLE));
    failed |= REFUSE(filter, EPERM, prctl, is(0, PR_SET_VMA));
#ifdef __x86_64__
    failed |= ALLOW(filter, arch_prctl, is(0, REQUEST_PERMISSION), is(1, TILE_DATA));
#endif
    return failed;
}

static int load(scmp_filter_ctx filter)
{
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    /* The filter must not switch on a mitigation that slows down arithmetic: what it protects,
     * one part of a process from another, does not exist here. */
    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    failed |= add_lists(filter) | add_clone(filter) | add_memory(filter) | add_descriptors(filter) |
              add_self(filter);
    return failed ? -EINVAL : seccomp_load(filter);
}

void den_sandbox_filter_calls(struct den_sandbox_report *report)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int error = filter ? load(filter) : -ENOMEM;

    if (error)
        den_sandbox_mark(report, DEN_WALL_SECCOMP, false, "%s", strerror(-error));
    else
        den_sandbox_mark(report, DEN_WALL_SECCOMP, true, "%zu calls allowed, %zu refused",
                         sizeof allowed / sizeof allowed[0] + 10,
                         sizeof refused / sizeof refused[0]);
    if (filter)
        seccomp_release(filter);
}
