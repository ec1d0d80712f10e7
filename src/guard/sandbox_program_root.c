/* Sandbox for programs: the root they see, and what Landlock lets them do in it.
 *
 *     /usr                  the system's, read-only, with its programs, libraries, fonts and data
 *     /bin /sbin /lib*      links into it, or the folders where a system still has them apart
 *     /etc/fonts /etc/alternatives /etc/ld.so.cache /var/cache/fontconfig   read-only
 *     /dev/null
 *     /tmp                  64 MiB in memory, nothing in it can be run
 *     /input                the file, read-only
 *
 * The input comes as a descriptor that was opened in the parent's mount namespace, and the kernel
 * binds only what lies in our own. So the same file is looked up by its path, and bound if it is
 * the very one; where it can't be (a file in memory, a folder that our user may not enter) its
 * bytes are copied to the new root, which costs memory as long as the program runs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* Linux 5.12, on all processors */
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* The kernel's struct mount_attr and bits of it, for headers that are older. */
struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};
enum { READ_ONLY = 1, NO_SETUID = 2, NO_DEVICES = 4 };

/* What is bound, by their paths in the old and the new root; what is not there is left out. */
static const char *const system_paths[] = { "usr",
                                            "bin",
                                            "sbin",
                                            "lib",
                                            "lib32",
                                            "lib64",
                                            "libx32",
                                            "etc/fonts",
                                            "etc/alternatives",
                                            "etc/ld.so.cache",
                                            "var/cache/fontconfig" };
enum { SYSTEM_PATHS = sizeof system_paths / sizeof system_paths[0] };

/* Of what is mounted at `target`, and below it. */
static int make_read_only(const char *target)
{
    const struct attributes attributes = { .set = READ_ONLY | NO_SETUID | NO_DEVICES };

    if (syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &attributes,
                sizeof attributes) == 0)
        return 0;
    /* before Linux 5.12: the mount itself, not those below it */
    return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
                 NULL) == 0
               ? 0
               : errno;
}

static int bind_read_only(const char *source, const char *target)
{
    if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) != 0)
        return errno;
    return make_read_only(target);
}

static int make_empty_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? errno : close(fd);
}

/* "usr" or "etc/fonts": as a link where it is one, else bound. */
static int show_path(const char *path)
{
    char source[64], link[64];
    struct stat info;
    ssize_t length;

    snprintf(source, sizeof source, "/%s", path);
    if (lstat(source, &info) != 0)
        return 0;
    if (S_ISLNK(info.st_mode)) {
        length = readlink(source, link, sizeof link - 1);
        if (length <= 0)
            return errno;
        link[length] = '\0';
        return symlink(link, path) == 0 ? 0 : errno;
    }
    if (S_ISDIR(info.st_mode) ? mkdir(path, 0500) != 0 : make_empty_file(path) != 0)
        return errno;
    return bind_read_only(source, path);
}

/* --- the input --- */

/* A handle of the same file in our own mount namespace; -1 when its path leads elsewhere. */
static int find_own_handle(int input_fd, const char *path)
{
    struct stat wanted, found;
    int fd;

    if (*path != '/' || fstat(input_fd, &wanted) != 0)
        return -1;
    fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(fd, &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino)
        return fd;
    close(fd);
    return -1;
}

static int copy_input(int input_fd)
{
    struct stat info;
    off_t at = 0;
    int fd, error = 0;

    if (fstat(input_fd, &info) != 0)
        return errno;
    fd = open("input", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return errno;
    while (at < info.st_size && !error) {
        ssize_t count = sendfile(fd, input_fd, &at, (size_t)(info.st_size - at));

        if (count < 0 && errno != EINTR)
            error = errno;
        if (count == 0)
            break;
    }
    close(fd);
    return error;
}

static int show_input(int input_fd, int handle)
{
    char path[64];
    int error;

    if (input_fd < 0)
        return 0;
    if (handle < 0)
        return copy_input(input_fd);
    error = make_empty_file("input");
    if (error)
        return error;
    snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
    return bind_read_only(path, "input");
}

/* --- the root --- */

static int fill_root(int input_fd, int handle, const char **out_step)
{
    size_t i;
    int error = 0;

    *out_step = "make folders";
    if (mkdir("etc", 0700) != 0 || mkdir("var", 0700) != 0 || mkdir("var/cache", 0700) != 0 ||
        mkdir("dev", 0700) != 0 || mkdir("tmp", 0700) != 0 || make_empty_file("dev/null") != 0)
        return errno;
    for (i = 0; i < SYSTEM_PATHS && !error; i++) {
        *out_step = system_paths[i];
        error = show_path(system_paths[i]);
    }
    if (error)
        return error;
    *out_step = "show /dev/null";
    if (mount("/dev/null", "dev/null", NULL, MS_BIND, NULL) != 0)
        return errno;
    *out_step = "show the input";
    error = show_input(input_fd, handle);
    if (error)
        return error;
    *out_step = "mount /tmp";
    if (mount("den", "tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "size=64m,nr_inodes=1024,mode=0700") != 0)
        return errno;
    return 0;
}

static int build_root(int input_fd, const char *input_path, const char **out_step)
{
    char options[96];
    struct stat info = { 0 };
    int error, handle = -1;

    *out_step = "make mounts private";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return errno;
    if (input_fd >= 0) {
        handle = find_own_handle(input_fd, input_path); /* before /tmp is covered */
        fstat(input_fd, &info);
    }
    *out_step = "mount a new root";
    snprintf(options, sizeof options, "size=%lld,nr_inodes=64,mode=0700",
             (handle < 0 ? (long long)info.st_size : 0) + (64 << 10));
    error = den_sandbox_mount_root(options);
    if (!error)
        error = fill_root(input_fd, handle, out_step);
    if (!error)
        error = den_sandbox_enter_root(out_step);
    if (handle >= 0)
        close(handle);
    return error;
}

void den_sandbox_program_root(int input_fd, const char *input_path,
                              struct den_sandbox_report *report)
{
    const char *step;
    int error;

    if (!report->walls[DEN_WALL_MOUNT].up) {
        den_sandbox_mark(report, DEN_WALL_ROOT, false, "there is no mount namespace");
        return;
    }
    error = build_root(input_fd, input_path, &step);
    if (error)
        den_sandbox_mark(report, DEN_WALL_ROOT, false, "can't %s: %s", step, strerror(error));
    else
        den_sandbox_mark(report, DEN_WALL_ROOT, true, "the system's programs and libraries only");
}

/* --- Landlock --- */

enum {
    RUN = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_FOLDER = 1 << 3,
    ALL_OF_ABI_1 = 0x1fff & ~(1 << 6 | 1 << 9 | 1 << 10 | 1 << 11), /* no devices, no sockets */
    TRUNCATE = 1 << 14                                              /* ABI 3 */
};

static int allow(int ruleset, int fd, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };
    struct stat info;

    if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
        rule.allowed_access &= RUN | WRITE_FILE | READ_FILE | TRUNCATE;
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0
               ? 0
               : errno;
}

static int allow_path(int ruleset, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC), error;

    if (fd < 0)
        return 0;
    error = allow(ruleset, fd, rights);
    close(fd);
    return error;
}

int den_sandbox_landlock_allow_program(int ruleset, int abi, int input_fd, bool own_root)
{
    char path[64];
    size_t i;
    int error = 0;

    for (i = 0; i < SYSTEM_PATHS && !error; i++) {
        snprintf(path, sizeof path, "/%s", system_paths[i]);
        error = allow_path(ruleset, path, RUN | READ_FILE | READ_FOLDER);
    }
    if (!error)
        error = allow_path(ruleset, "/dev/null", READ_FILE | WRITE_FILE);
    if (!error && own_root)
        error = allow_path(ruleset, "/input", READ_FILE);
    if (!error && own_root)
        error = allow_path(ruleset, "/tmp",
                           (uint64_t)(ALL_OF_ABI_1 & ~RUN) | (abi >= 3 ? TRUNCATE : 0));
    if (!error && !own_root && input_fd >= 0) {
        error = allow(ruleset, input_fd, READ_FILE);
        if (error == EBADFD) /* a file in memory, which Landlock does not know */
            error = 0;
    }
    return error;
}
