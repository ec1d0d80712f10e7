/* Calls: doors into the kernel that a worker has no use for. One call each; it has escaped if the
 * call does not fail. Arguments are as harmless as they can be while the call would succeed for
 * who may make it. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

#define AT(object) ((uintptr_t)(object))

static const char root[] = "/", none[] = "none", tmpfs[] = "tmpfs", here[] = ".", name[] = "escape";
static char zeros[512];
static union bpf_attr map_wanted = {
    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
};
static struct perf_event_attr counter_wanted = { .type = PERF_TYPE_SOFTWARE,
                                                 .size = sizeof(struct perf_event_attr),
                                                 .exclude_kernel = 1 };
static char handle[16] = { 8, 0, 0, 0, 1 };

const struct call_attempt call_attempts[] = {
    { "mount", BY_SECCOMP | BY_KERNEL, SYS_mount, { AT(none), AT(root), AT(tmpfs), 0, 0 } },
    { "umount", BY_SECCOMP | BY_KERNEL, SYS_umount2, { AT(root), MNT_DETACH } },
    { "pivot_root", BY_SECCOMP | BY_KERNEL, SYS_pivot_root, { AT(here), AT(here) } },
    { "chroot", BY_SECCOMP | BY_KERNEL, SYS_chroot, { AT(root) } },
    { "fsopen", BY_SECCOMP | BY_KERNEL, SYS_fsopen, { AT(tmpfs), 0 } },
    { "open_tree", BY_SECCOMP | BY_KERNEL, SYS_open_tree, { (uintptr_t)AT_FDCWD, AT(root), 1 } },
    { "unshare user", BY_SECCOMP, SYS_unshare, { CLONE_NEWUSER } },
    { "unshare mount", BY_SECCOMP | BY_KERNEL, SYS_unshare, { CLONE_NEWNS } },
    { "unshare network", BY_SECCOMP | BY_KERNEL, SYS_unshare, { CLONE_NEWNET } },
    { "setns", BY_SECCOMP | BY_KERNEL, SYS_setns, { FD_READ_ONLY, 0 } },
    { "sethostname", BY_SECCOMP | BY_KERNEL, SYS_sethostname, { AT(name), 6 } },
    { "settimeofday", BY_SECCOMP | BY_KERNEL, SYS_settimeofday, { 0, AT(zeros) } },
    { "swapon", BY_SECCOMP | BY_KERNEL, SYS_swapon, { AT(root), 0 } },
    { "reboot",
      BY_SECCOMP | BY_KERNEL,
      SYS_reboot,
      { LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF } },
    { "acct", BY_SECCOMP | BY_KERNEL, SYS_acct, { 0 } },
    { "init_module", BY_SECCOMP | BY_KERNEL, SYS_init_module, { AT(zeros), 16, AT(zeros) } },
    { "finit_module", BY_SECCOMP | BY_KERNEL, SYS_finit_module, { FD_READ_ONLY, AT(zeros), 0 } },
    { "delete_module", BY_SECCOMP | BY_KERNEL, SYS_delete_module, { AT(name), O_NONBLOCK } },
    { "kexec_load", BY_SECCOMP | BY_KERNEL, SYS_kexec_load, { 0, 0, 0, 0 } },
    { "bpf", BY_SECCOMP, SYS_bpf, { BPF_MAP_CREATE, AT(&map_wanted), sizeof map_wanted } },
    { "io_uring_setup", BY_SECCOMP, SYS_io_uring_setup, { 1, AT(zeros) } },
    { "userfaultfd", BY_SECCOMP, SYS_userfaultfd, { 1 } },
    { "perf_event_open",
      BY_SECCOMP,
      SYS_perf_event_open,
      { AT(&counter_wanted), 0, (uintptr_t)-1, (uintptr_t)-1, 0 } },
    { "add_key", BY_SECCOMP, SYS_add_key, { AT("user"), AT(name), AT(name), 6, (uintptr_t)-1 } },
    { "keyctl", BY_SECCOMP, SYS_keyctl, { 0, (uintptr_t)-3, 1 } },
    { "request_key",
      BY_SECCOMP | BY_KERNEL,
      SYS_request_key,
      { AT("user"), AT(zeros), 0, (uintptr_t)-1 } },
    { "open_by_handle_at",
      BY_SECCOMP | BY_KERNEL,
      SYS_open_by_handle_at,
      { FD_READ_ONLY, AT(handle), 0 } },
    { "name_to_handle_at",
      BY_SECCOMP,
      SYS_name_to_handle_at,
      { FD_READ_ONLY, AT(root), AT(zeros), AT(zeros), 0 } },
    { "personality", BY_SECCOMP, SYS_personality, { 0x0400000 } }, /* READ_IMPLIES_EXEC */
    { "seccomp listener", BY_SECCOMP, SYS_seccomp, { 2, 0, AT(zeros) } },
    { "fanotify_init", BY_SECCOMP, SYS_fanotify_init, { 0x200, 0 } },
    { "syslog", BY_SECCOMP | BY_KERNEL, SYS_syslog, { 3, AT(zeros), 16 } },
    { "quotactl", BY_SECCOMP | BY_KERNEL, SYS_quotactl, { 0, 0, 0, 0 } },
    { "kcmp", BY_SECCOMP, SYS_kcmp, { 1, 1, 0, 0, 0 } },
    { "move_pages", BY_SECCOMP, SYS_move_pages, { 0, 0, 0, 0, 0, 0 } },
    { "shmget", BY_SECCOMP, SYS_shmget, { 0, 4096, 01600 } },
    { "semget", BY_SECCOMP, SYS_semget, { 0, 1, 01600 } },
    { "msgget", BY_SECCOMP, SYS_msgget, { 0, 01600 } },
    { "mq_open", BY_SECCOMP, SYS_mq_open, { AT(name), O_CREAT | O_RDWR, 0600, 0 } },
    { "timer_create", BY_SECCOMP, SYS_timer_create, { 0, 0, AT(zeros) } },
    { "vmsplice", BY_SECCOMP, SYS_vmsplice, { FD_REPLY, 0, 0, 0 } },
    { "memfd_secret", BY_SECCOMP, SYS_memfd_secret, { 0 } },
    { "process_madvise", BY_SECCOMP, SYS_process_madvise, { FD_READ_ONLY, 0, 0, 0, 0 } },
#if defined(__x86_64__)
    { "iopl", BY_SECCOMP | BY_KERNEL, SYS_iopl, { 3 } },
    { "ioperm", BY_SECCOMP | BY_KERNEL, SYS_ioperm, { 0x80, 1, 1 } },
    { "modify_ldt", BY_SECCOMP, SYS_modify_ldt, { 0, AT(zeros), 16 } },
    { "arch_prctl", BY_SECCOMP, SYS_arch_prctl, { 0x1011, 0 } },
#endif
};
const size_t call_attempt_count = COUNT(call_attempts);
