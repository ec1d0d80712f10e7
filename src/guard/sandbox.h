/* Sandbox: a process that can compute and nothing else.
 *
 * Two steps. The parent spawns the program in new namespaces with only the descriptors it is
 * meant to have (den_sandbox_spawn). The child starts its threads and libraries, then locks
 * itself in (den_sandbox_lock) before it reads the first byte that it does not trust: empty root,
 * no capabilities, no new privileges, limits, Landlock, a seccomp allow-list, no memory both
 * writable and executable. Each wall stands alone: where the kernel lacks one, the others stand
 * and the report says which is missing and why. docs/internals/sandbox.md has the matrix of
 * attempts and walls. */
#ifndef DEN_GUARD_SANDBOX_H
#define DEN_GUARD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

enum den_sandbox_level {
    DEN_SANDBOX_NONE,
    DEN_SANDBOX_LANDLOCK_ONLY, /* neither namespaces nor seccomp */
    DEN_SANDBOX_SECCOMP_ONLY,  /* neither namespaces nor Landlock */
    DEN_SANDBOX_NO_NAMESPACES, /* seccomp and Landlock */
    DEN_SANDBOX_NO_LANDLOCK,   /* namespaces, an empty root and seccomp */
    DEN_SANDBOX_FULL
};
const char *den_sandbox_level_text(enum den_sandbox_level level); /* "full", "no namespaces" ... */

enum { DEN_SANDBOX_WALLS_MAX = 24, DEN_SANDBOX_WHY_MAX = 120 };
struct den_sandbox_wall {
    const char *name; /* "user namespace", "empty root", "seccomp" ... static */
    bool up;
    char why[DEN_SANDBOX_WHY_MAX]; /* why not; or a detail ("ABI 7") */
};
struct den_sandbox_report {
    enum den_sandbox_level level;
    size_t wall_count;
    struct den_sandbox_wall walls[DEN_SANDBOX_WALLS_MAX];
};

struct den_sandbox_spawn {
    const char *const *argv; /* NULL-terminated; runs this same program (/proc/self/exe) */
    const int *descriptors;  /* become 3, 4 ... in the child, in this order; the rest are closed */
    size_t descriptor_count;
    bool keep_stderr; /* else it is /dev/null, as stdin and stdout always are */
};
/* The environment holds only what Den needs. Where namespaces are refused, the child runs without
 * them (den_sandbox_lock() finds out). *out_pid can be waited for; the child dies with this
 * process, whichever thread called. A front that runs as root gives the child the user "nobody".
 *
 * The child is the first process of its pid namespace, so that SIGTERM and the like, which it
 * does not handle, do nothing to it: end it with SIGKILL. Until it is locked it sees the host's
 * files. */
enum den_status den_sandbox_spawn(const struct den_sandbox_spawn *options, pid_t *out_pid,
                                  struct den_error *err);

struct den_sandbox_lock {
    size_t memory_bytes; /* address space at most; 0: no limit */
    size_t files_max;    /* descriptors */
    size_t
        file_bytes; /* of a file it may write; at least DEN_SANDBOX_MEMFD_BYTES_MAX in any case */
    bool require_full; /* DEN_FORBIDDEN, naming the missing walls, if a wall is not up */
};
/* In the child, once, from its first thread; afterwards only reading and writing its descriptors,
 * memory, threads of its own and clocks are left. Threads that exist already are locked in with it
 * (they must not block SIGRTMAX), and so is every later one.
 *
 * What a worker should know: opening any file fails with EACCES, so look at /proc and /sys before.
 * Memory can't become executable: PCRE2's JIT refuses and its patterns are interpreted. fork(),
 * exec and socket() kill the process with SIGSYS; so does any other call that is not on the list in
 * sandbox_seccomp.c. A memfd takes DEN_SANDBOX_MEMFD_BYTES_MAX at most. End with _exit(): what runs
 * at exit() under a sanitizer is not on the list. */
enum den_status den_sandbox_lock(const struct den_sandbox_lock *options,
                                 struct den_sandbox_report *out, struct den_error *err);

/* What a worker would get here: spawns one that locks itself in, reports and ends (`den doctor`).
 */
enum den_status den_sandbox_probe(struct den_sandbox_report *out, struct den_error *err);

/* main() calls this first: in the child that den_sandbox_probe() spawned it locks, reports and ends
 * the process; in any other it returns. */
void den_sandbox_answer_probe(int argc, char **argv);

#endif
