/* See cgroup.h. /proc/self/cgroup has a line `hierarchy:controllers:path` for each hierarchy that
 * the process is in; version 2 is the one with hierarchy 0 and no controllers. A process in a
 * container may see a path of its host that is not mounted here, which is why the root of each
 * hierarchy is read as well: inside the container that is the container's own group. */
#include "hardware/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* The first line of a file without its newline; false where there is none. */
static bool read_line(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "re");
    bool read;

    if (!file)
        return false;
    read = fgets(out, (int)capacity, file) != NULL;
    fclose(file);
    if (read)
        out[strcspn(out, "\n")] = '\0';
    return read;
}

static bool read_limit(const char *folder, const char *name, char *out, size_t capacity)
{
    char path[DEN_PATH_BYTES_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    return length > 0 && (size_t)length < sizeof path && read_line(path, out, capacity);
}

static void tighten_cores(struct den_cgroup *group, double quota, double period)
{
    if (quota > 0 && period > 0 && (group->cores == 0 || quota / period < group->cores))
        group->cores = quota / period;
}

/* Version 1 writes "no limit" as the largest multiple of a page that fits in 63 bits. */
static bool tighten_memory(struct den_cgroup *group, const char *text)
{
    char *end;
    unsigned long long bytes = strtoull(text, &end, 10);

    if (end == text || bytes == 0 || bytes >= 1ULL << 62)
        return false;
    if (group->memory_bytes != 0 && bytes >= group->memory_bytes)
        return false;
    group->memory_bytes = bytes;
    return true;
}

static void read_folder_2(const char *folder, struct den_cgroup *group)
{
    char text[128];
    double quota;
    double period;

    if (read_limit(folder, "cpu.max", text, sizeof text) &&
        sscanf(text, "%lf %lf", &quota, &period) == 2)
        tighten_cores(group, quota, period);
    if (read_limit(folder, "memory.max", text, sizeof text) && tighten_memory(group, text) &&
        read_limit(folder, "memory.current", text, sizeof text))
        group->memory_used_bytes = strtoull(text, NULL, 10);
}

static void read_folder_1(const char *folder, struct den_cgroup *group)
{
    char quota[128];
    char period[128];

    if (read_limit(folder, "cpu.cfs_quota_us", quota, sizeof quota) &&
        read_limit(folder, "cpu.cfs_period_us", period, sizeof period))
        tighten_cores(group, strtod(quota, NULL), strtod(period, NULL));
    if (read_limit(folder, "memory.limit_in_bytes", quota, sizeof quota) &&
        tighten_memory(group, quota) &&
        read_limit(folder, "memory.usage_in_bytes", quota, sizeof quota))
        group->memory_used_bytes = strtoull(quota, NULL, 10);
}

/* Reads `path` below `mount` and every folder above it, down to the mount itself. */
static void read_upwards(const char *mount, const char *path, struct den_cgroup *group,
                         void (*read_folder)(const char *, struct den_cgroup *))
{
    char folder[DEN_PATH_BYTES_MAX];
    size_t base = strlen(mount);
    int length = snprintf(folder, sizeof folder, "%s%s", mount, path);

    if (length < 0 || (size_t)length >= sizeof folder)
        return;
    for (;;) {
        char *slash;

        read_folder(folder, group);
        slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < base)
            return;
        *slash = '\0';
    }
}

/* True where `name` is one of the comma-separated `list`. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (*list) {
        size_t item = strcspn(list, ",");

        if (item == length && memcmp(list, name, length) == 0)
            return true;
        list += item + (list[item] == ',');
    }
    return false;
}

void den_cgroup_read(const char *root, struct den_cgroup *out)
{
    char line[DEN_PATH_BYTES_MAX];
    char mount[DEN_PATH_BYTES_MAX];
    FILE *file;

    *out = (struct den_cgroup){ 0 };
    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    file = fopen(line, "re");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;

        if (!path)
            continue;
        *controllers++ = '\0';
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (*controllers == '\0') {
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
            read_upwards(mount, path, out, read_folder_2);
        } else if (is_listed(controllers, "cpu") || is_listed(controllers, "memory")) {
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/%s", root,
                     is_listed(controllers, "cpu") ? "cpu" : "memory");
            read_upwards(mount, path, out, read_folder_1);
        }
    }
    fclose(file);
}
