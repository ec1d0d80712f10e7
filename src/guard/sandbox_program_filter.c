/* Sandbox for programs: seccomp, the list of system calls that are taken away.
 *
 * A program of others opens files, loads libraries, starts at exec: an allow-list as a worker has
 * (sandbox_seccomp.c) would be a list of everything that some version of libc or poppler does, and
 * break with the next. So this one names what none of them needs, and what has been the way out of
 * sandboxes: sockets, other processes, namespaces and mounts, and the kernel's large side doors
 * (bpf, io_uring, userfaultfd, keys, perf). The answer is EPERM, as from any file system; old
 * calls of another ABI end the process. clone3() hides its flags behind a pointer, so it answers
 * ENOSYS and libc falls back to clone(), of which threads are left. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

static const int taken[] = {
    /* the network, and other processes through sockets */
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    /* other processes */
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),
    SCMP_SYS(shmget),
    SCMP_SYS(shmat),
    SCMP_SYS(msgget),
    SCMP_SYS(semget),
    SCMP_SYS(mq_open),
    /* namespaces and mounts */
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(quotactl),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(fanotify_init),
    /* side doors */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(seccomp),
    SCMP_SYS(personality),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(move_pages),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(mbind),
    SCMP_SYS(vmsplice),
    /* the machine */
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
};

/* Of the argument `index`, the bits in `mask` are exactly `value`. */
static int refuse_bits(scmp_filter_ctx filter, int call, unsigned index, uint64_t mask,
                       uint64_t value)
{
    const struct scmp_arg_cmp test = { index, SCMP_CMP_MASKED_EQ, mask, value };

    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &test);
}

/* Processes of its own it can't make, in new namespaces least of all; a signal reaches only
 * itself; nothing can be typed into a terminal. */
static int add_arguments(scmp_filter_ctx filter)
{
    static const unsigned long namespaces[] = { CLONE_NEWUSER,  CLONE_NEWPID, CLONE_NEWNS,
                                                CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                                CLONE_NEWCGROUP };
    const struct scmp_arg_cmp others = { 0, SCMP_CMP_NE, (uint64_t)getpid(), 0 };
    size_t i;
    int failed = refuse_bits(filter, SCMP_SYS(clone), 0, CLONE_THREAD, 0);

    for (i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++)
        failed |= refuse_bits(filter, SCMP_SYS(clone), 0, namespaces[i], namespaces[i]);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1, &others);
    failed |= refuse_bits(filter, SCMP_SYS(ioctl), 1, 0xffffffff, TIOCSTI);
    failed |= refuse_bits(filter, SCMP_SYS(ioctl), 1, 0xffffffff, 0x541C); /* TIOCLINUX */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return failed;
}

static int load(scmp_filter_ctx filter)
{
    size_t i;
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1); /* as in sandbox_seccomp.c */
    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (i = 0; i < sizeof taken / sizeof taken[0]; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), taken[i], 0);
    failed |= add_arguments(filter);
    return failed ? -EINVAL : seccomp_load(filter);
}

void den_sandbox_filter_program(struct den_sandbox_report *report)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int error = filter ? load(filter) : -ENOMEM;

    if (error)
        den_sandbox_mark(report, DEN_WALL_SECCOMP, false, "%s", strerror(-error));
    else
        den_sandbox_mark(report, DEN_WALL_SECCOMP, true, "%zu calls taken away",
                         sizeof taken / sizeof taken[0]);
    if (filter)
        seccomp_release(filter);
}
