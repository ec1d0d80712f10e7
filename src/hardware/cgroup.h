/* Control groups: how much CPU and memory the group that this process is in may use.
 *
 * Versions 1 and 2. The tightest limit on the path from the process's group to the root counts.
 * What can't be read is no limit: the files are absent on machines without control groups and
 * inside Den's own sandbox. */
#ifndef DEN_HARDWARE_CGROUP_H
#define DEN_HARDWARE_CGROUP_H

#include <stdint.h>

struct den_cgroup {
    double cores;          /* CPU seconds a second; 0: no limit */
    uint64_t memory_bytes; /* 0: no limit */
    uint64_t memory_used_bytes;
};

/* `root` is put before every path: "" for the machine's own, a folder in tests. */
void den_cgroup_read(const char *root, struct den_cgroup *out);

#endif
