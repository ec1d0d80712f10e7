/* Sandbox: Landlock, the kernel's own list of what a thread may do with files, TCP and the
 * processes outside. A ruleset that handles everything and allows nothing.
 *
 * What a kernel can handle is its ABI number. The headers this is compiled with may be older than
 * the kernel it runs on (Debian 12's stop at ABI 2), so the newer bits are written here. A
 * ruleset that names a bit which the kernel does not know is refused, hence the table. A domain
 * holds for the thread that entered it and those it starts, so every thread has to enter. */
#include <errno.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

/* The kernel's struct landlock_ruleset_attr as of ABI 6; older ones take a shorter one. */
struct ruleset {
    uint64_t files;  /* handled_access_fs: bits 0 to 12 by ABI 1, one more with 2, 3, 5 */
    uint64_t ports;  /* handled_access_net, ABI 4: bit 0 bind TCP, bit 1 connect TCP */
    uint64_t scopes; /* scoped, ABI 6: bit 0 abstract UNIX sockets, bit 1 signals */
};

static const struct {
    uint64_t files, ports, scopes;
    size_t bytes;
} handled[] = {
    [1] = { 0x1fff, 0, 0, 8 },      /* files and folders */
    [2] = { 0x3fff, 0, 0, 8 },      /* moving between folders */
    [3] = { 0x7fff, 0, 0, 8 },      /* truncating */
    [4] = { 0x7fff, 0x3, 0, 16 },   /* TCP */
    [5] = { 0xffff, 0x3, 0, 16 },   /* ioctl() on devices */
    [6] = { 0xffff, 0x3, 0x3, 24 }, /* abstract sockets, signals */
};

int den_sandbox_landlock_create(int *out_abi, const char **out_why)
{
    const long newest = (long)(sizeof handled / sizeof handled[0]) - 1;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset ruleset;
    int fd;

    if (abi < 1) {
        *out_why = abi < 0 && errno == EOPNOTSUPP ? "the kernel has it, but it is switched off"
                   : abi < 0 && errno == ENOSYS   ? "the kernel lacks it"
                                                  : "the kernel refuses it";
        return -1;
    }
    *out_abi = (int)abi;
    abi = abi < newest ? abi : newest;
    ruleset = (struct ruleset){ handled[abi].files, handled[abi].ports, handled[abi].scopes };
    fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, handled[abi].bytes, 0);
    if (fd < 0)
        *out_why = strerror(errno);
    return fd;
}

int den_sandbox_landlock_enter(int ruleset)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return errno;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
}
