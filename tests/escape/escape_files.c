/* Files: reading and writing the host's, by every road, and what descriptors of files allow. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "escape.h"

static int read_file(const char *path)
{
    char bytes[16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno;
    return read(fd, bytes, sizeof bytes) > 0 ? ESCAPED : errno ? errno : ENODATA;
}

static int write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno;
    unlink(path);
    return ESCAPED;
}

static const char *bait_path(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", bait.folder, name);
    return path;
}

static int read_passwd(void)
{
    return read_file("/etc/passwd");
}
static int read_secret(void)
{
    return read_file(bait_path("secret"));
}
static int read_by_dots(void)
{
    char path[512];

    snprintf(path, sizeof path, "../../../../../../../..%s/secret", bait.folder);
    return read_file(path);
}
static int read_by_folder_descriptor(void)
{
    int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

    if (folder < 0)
        return errno;
    fd = openat(folder, bait_path("secret") + 1, O_RDONLY);
    return outcome(fd);
}
static int read_by_double_chroot(void)
{
    int i;

    if (chroot(bait.folder) != 0 && chroot("/") != 0)
        return errno;
    for (i = 0; i < 32; i++)
        if (chdir("..") != 0)
            return errno;
    return chroot(".") != 0 ? errno : read_file("etc/passwd");
}
static int read_other_environment(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/environ", bait.driver_pid);
    return read_file(path);
}
static int read_other_memory(void)
{
    char path[64], bytes[16];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/mem", bait.driver_pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    return outcome(pread(fd, bytes, sizeof bytes, (off_t)bait.driver_memory));
}
static int read_first_environment(void)
{
    return read_file("/proc/1/environ");
}
static int list_processes(void)
{
    return read_file("/proc/self/status");
}
static int list_sys(void)
{
    return read_file("/sys/kernel/notes");
}
static int list_root(void)
{
    char bytes[1024];
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long count, place;
    int entries = 0;

    if (fd < 0)
        return errno;
    count = syscall(SYS_getdents64, fd, bytes, sizeof bytes);
    for (place = 0; place < count; entries++)
        place += *(unsigned short *)(bytes + place + 16);
    return count < 0 ? errno : entries > 2 ? ESCAPED : ENOENT; /* "." and ".." are there */
}
static int see_that_a_file_exists(void)
{
    struct stat info;

    return outcome(stat(bait_path("secret"), &info));
}
static int write_beside_secret(void)
{
    return write_file(bait_path("planted"));
}
static int write_usr(void)
{
    return write_file("/usr/bin/planted");
}
static int write_root(void)
{
    return write_file("/planted");
}
static int write_core_pattern(void)
{
    return outcome(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC));
}
static int make_unnamed_file(void)
{
    return outcome(open("/", O_TMPFILE | O_RDWR, 0600));
}
static int make_folder(void)
{
    return outcome(mkdir("/folder", 0700));
}
static int make_link_out(void)
{
    return outcome(symlink("/etc", "/link"));
}
static int link_secret(void)
{
    char other[256];

    snprintf(other, sizeof other, "%s/linked", bait.folder);
    return outcome(link(bait_path("secret"), other));
}
static int rename_secret(void)
{
    char other[256];

    snprintf(other, sizeof other, "%s/renamed", bait.folder);
    return outcome(rename(bait_path("secret"), other));
}
static int remove_secret(void)
{
    return outcome(unlink(bait_path("victim")));
}
static int truncate_secret(void)
{
    return outcome(truncate(bait_path("victim"), 1));
}
static int change_mode(void)
{
    return outcome(chmod(bait_path("victim"), 0777));
}
static int make_device(void)
{
    return outcome(mknod("/device", S_IFBLK | 0600, 0x801));
}
static int watch_files(void)
{
    long fd = syscall(SYS_inotify_init1, 0);

    return fd < 0 ? errno : outcome(syscall(SYS_inotify_add_watch, fd, bait.folder, 0x3));
}

/* --- what the descriptors that it holds allow --- */

static int reopen_for_writing(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", FD_READ_ONLY);
    return outcome(open(path, O_RDWR));
}
static int write_read_only(void)
{
    return outcome(write(FD_READ_ONLY, "x", 1));
}
static int truncate_read_only(void)
{
    return outcome(ftruncate(FD_READ_ONLY, 0));
}
static int map_read_only_for_writing(void)
{
    void *map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, FD_READ_ONLY, 0);

    return map == MAP_FAILED ? errno : ESCAPED;
}
static int change_mode_by_descriptor(void)
{
    return outcome(fchmod(FD_READ_ONLY, 0777));
}
static int write_sealed(void)
{
    return outcome(write(FD_SEALED, "x", 1));
}
static int truncate_sealed(void)
{
    return outcome(ftruncate(FD_SEALED, 1));
}
static int punch_sealed(void)
{
    return outcome(fallocate(FD_SEALED, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
}
static int map_sealed_for_writing(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, FD_SEALED, 0);

    return map == MAP_FAILED ? errno : ESCAPED;
}
static int find_more_descriptors(void)
{
    int fd;

    for (fd = FD_END; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return ESCAPED;
    return EBADF;
}

const struct attempt file_attempts[] = {
    { "read /etc/passwd", BY_ALL, read_passwd },
    { "read a file open to all", BY_ALL, read_secret },
    { "read it by ../../..", BY_ALL, read_by_dots },
    { "read it below a descriptor of /", BY_ALL, read_by_folder_descriptor },
    { "chroot twice and climb", BY_ALL | BY_KERNEL, read_by_double_chroot },
    { "read /proc/PARENT/environ", BY_ALL, read_other_environment },
    { "read /proc/PARENT/mem", BY_ALL, read_other_memory },
    { "read /proc/1/environ", BY_ALL, read_first_environment },
    { "read /proc/self/status", BY_ALL, list_processes },
    { "read /sys", BY_ALL, list_sys },
    { "list /", BY_ALL, list_root },
    { "see that a file exists", BY_NAMESPACES | BY_SECCOMP, see_that_a_file_exists },
    { "write into /tmp", BY_ALL, write_beside_secret },
    { "write into /usr", BY_ALL, write_usr },
    { "write into /", BY_ALL, write_root },
    { "write core_pattern", BY_ALL, write_core_pattern },
    { "make an unnamed file", BY_ALL, make_unnamed_file },
    { "make a folder", BY_ALL, make_folder },
    { "make a symbolic link", BY_ALL, make_link_out },
    { "make a hard link", BY_ALL, link_secret },
    { "rename a file", BY_ALL, rename_secret },
    { "remove a file", BY_ALL, remove_secret },
    { "truncate a file by its path", BY_NAMESPACES | BY_SECCOMP, truncate_secret },
    { "change a file's mode", BY_NAMESPACES | BY_SECCOMP, change_mode },
    { "make a block device", BY_ALL, make_device },
    { "watch a folder", BY_NAMESPACES | BY_SECCOMP, watch_files },
    { "reopen a descriptor for writing", BY_ALL, reopen_for_writing },
    { "write to a read-only descriptor", BY_LIMITS, write_read_only },
    { "truncate a read-only descriptor", BY_LIMITS, truncate_read_only },
    { "map a read-only descriptor for writing", BY_LIMITS, map_read_only_for_writing },
    { "fchmod a read-only descriptor", BY_SECCOMP, change_mode_by_descriptor },
    { "write to a sealed memfd", BY_LIMITS, write_sealed },
    { "truncate a sealed memfd", BY_LIMITS, truncate_sealed },
    { "punch a hole in a sealed memfd", BY_LIMITS, punch_sealed },
    { "map a sealed memfd for writing", BY_LIMITS, map_sealed_for_writing },
    { "find a descriptor it was not given", BY_LIMITS, find_more_descriptors },
};
const size_t file_attempt_count = COUNT(file_attempts);
