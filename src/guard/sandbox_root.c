/* Sandbox: an empty root, no capabilities, nobody's identity.
 *
 * The root becomes a tmpfs of one inode, read-only: pivot_root() puts it in the old one's place
 * for all threads, and the old root is unmounted lazily, which takes its folders away from
 * everybody who has no descriptor of them. This takes CAP_SYS_ADMIN in our user namespace, the
 * one capability that sandbox_child.c kept; it is dropped right after. */
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

void den_sandbox_read_birth(const char *text, struct den_sandbox_birth *out)
{
    size_t i;

    memset(out, 0, sizeof *out);
    if (!text) {
        snprintf(out->why, sizeof out->why, "not started by den_sandbox_spawn()");
        return;
    }
    out->spawned = true;
    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++) {
        char *end;

        out->parent_namespaces[i] = strtoull(text, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
    text = strchr(text, ';');
    snprintf(out->why, sizeof out->why, "%.*s", DEN_SANDBOX_WHY_MAX - 1, text ? text + 1 : "");
}

/* A namespace is ours when it is not the parent's. */
void den_sandbox_check_namespaces(const struct den_sandbox_birth *birth,
                                  struct den_sandbox_report *report)
{
    size_t i;

    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++) {
        struct stat info;
        bool known =
            birth->parent_namespaces[i] != 0 && stat(den_sandbox_namespace_files[i], &info) == 0;
        bool up = known && info.st_ino != birth->parent_namespaces[i];

        den_sandbox_mark(report, (enum den_sandbox_wall_id)i, up, "%s",
                         up            ? ""
                         : *birth->why ? birth->why
                         : known       ? "it is the parent's"
                                       : "/proc is not there to tell");
    }
}

int den_sandbox_mount_root(const char *options)
{
    static const char *const folders[] = { "/tmp", "/dev", "/usr", "/proc" };
    size_t i;
    int error = ENOENT;

    for (i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (mount("den", folders[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0)
            return chdir(folders[i]) == 0 ? 0 : errno;
        error = errno;
    }
    return error;
}

int den_sandbox_enter_root(const char **out_step)
{
    *out_step = "pivot to the new root";
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        return errno;
    *out_step = "unmount the old root";
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return errno;
    *out_step = "make the root read-only";
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              NULL) != 0)
        return errno;
    return 0;
}

static int replace_root(const char **out_step)
{
    int error;

    *out_step = "make mounts private";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return errno;
    *out_step = "mount an empty root";
    error = den_sandbox_mount_root("size=4k,nr_inodes=1,mode=0500");
    return error ? error : den_sandbox_enter_root(out_step);
}

/* Looks, rather than believes: "." and ".." and nothing else. */
static bool is_root_empty(void)
{
    DIR *folder = opendir("/");
    const struct dirent *entry;
    int others = 0;

    if (!folder)
        return false;
    while ((entry = readdir(folder)) != NULL)
        others += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return others == 0;
}

void den_sandbox_empty_root(struct den_sandbox_report *report)
{
    const char *step;
    int error;

    if (!report->walls[DEN_WALL_MOUNT].up) {
        den_sandbox_mark(report, DEN_WALL_ROOT, false, "there is no mount namespace");
        return;
    }
    error = replace_root(&step);
    if (error)
        den_sandbox_mark(report, DEN_WALL_ROOT, false, "can't %s: %s", step, strerror(error));
    else
        den_sandbox_mark(report, DEN_WALL_ROOT, is_root_empty(), "%s",
                         is_root_empty() ? "" : "the new root is not empty");
}

void den_sandbox_check_identity(struct den_sandbox_report *report)
{
    uid_t real, effective, saved;
    bool up = getresuid(&real, &effective, &saved) == 0 && real && effective && saved;

    den_sandbox_mark(report, DEN_WALL_IDENTITY, up, up ? "uid %u" : "uid %u is root",
                     (unsigned)geteuid());
}

void den_sandbox_drop_capabilities(struct den_sandbox_report *report)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };
    unsigned long capability;
    int bounding = 0, error = den_sandbox_clear_capabilities();
    unsigned held;

    if (syscall(SYS_capget, &header, data) != 0)
        error = errno;
    for (capability = 0; capability < 64; capability++)
        bounding += prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
    held = data[0].effective | data[0].permitted | data[0].inheritable | data[1].effective |
           data[1].permitted | data[1].inheritable;
    if (error)
        den_sandbox_mark(report, DEN_WALL_CAPABILITIES, false, "%s", strerror(error));
    else if (bounding > 0)
        den_sandbox_mark(report, DEN_WALL_CAPABILITIES, held == 0,
                         "the bounding set stays; without new privileges it gives nothing");
    else
        den_sandbox_mark(report, DEN_WALL_CAPABILITIES, held == 0, "%s",
                         held ? "some are still held" : "");
}
