/* Sandbox, inside: what the sandbox_*.c files share. See sandbox.h for what it is about. */
#ifndef DEN_GUARD_SANDBOX_PARTS_H
#define DEN_GUARD_SANDBOX_PARTS_H

#include <stdint.h>
#include <sys/types.h>

#include "guard/sandbox.h"

/* X(name, text, is it needed for DEN_SANDBOX_FULL). MDWE is not: where the kernel lacks it, seccomp
 * refuses executable memory. */
#define DEN_SANDBOX_WALL_TABLE(X)                                                                  \
    X(USER, "user namespace", true)                                                                \
    X(PID, "pid namespace", true)                                                                  \
    X(MOUNT, "mount namespace", true)                                                              \
    X(NETWORK, "network namespace", true)                                                          \
    X(IPC, "ipc namespace", true)                                                                  \
    X(UTS, "uts namespace", true)                                                                  \
    X(CGROUP, "cgroup namespace", true)                                                            \
    X(ROOT, "empty root", true)                                                                    \
    X(IDENTITY, "unprivileged user", true)                                                         \
    X(CAPABILITIES, "no capabilities", true)                                                       \
    X(PRIVILEGES, "no new privileges", true)                                                       \
    X(LIMITS, "resource limits", true)                                                             \
    X(ENVIRONMENT, "empty environment", true)                                                      \
    X(DESCRIPTORS, "no inherited descriptors", true)                                               \
    X(LIFELINE, "dies with its parent", true)                                                      \
    X(LANDLOCK, "Landlock", true)                                                                  \
    X(SECCOMP, "seccomp", true)                                                                    \
    X(EXECUTION, "no new executable memory", false)

enum den_sandbox_wall_id {
#define DEN_SANDBOX_WALL_ENUM(name, text, needed) DEN_WALL_##name,
    DEN_SANDBOX_WALL_TABLE(DEN_SANDBOX_WALL_ENUM)
#undef DEN_SANDBOX_WALL_ENUM
        DEN_WALL_COUNT
};
enum { DEN_SANDBOX_NAMESPACES = DEN_WALL_CGROUP + 1 }; /* the first walls, in this order */

/* The variable in which den_sandbox_spawn() tells the child what it did: the inode numbers of the
 * parent's own namespaces, in the table's order, and why there are no new ones ("" if there are):
 * "4026531837 4026531836 ...;why". */
#define DEN_SANDBOX_VARIABLE "DEN_SANDBOX"
extern const char *const den_sandbox_namespace_files[DEN_SANDBOX_NAMESPACES];

/* For tests: the same with walls left out, to see that each of the others stands alone. */
enum den_sandbox_without {
    DEN_WITHOUT_NAMESPACES = 1, /* and the empty root with them */
    DEN_WITHOUT_LANDLOCK = 2,
    DEN_WITHOUT_SECCOMP = 4
};
enum den_status den_sandbox_spawn_without(const struct den_sandbox_spawn *options, unsigned without,
                                          pid_t *out_pid, struct den_error *err);
enum den_status den_sandbox_lock_without(const struct den_sandbox_lock *options, unsigned without,
                                         struct den_sandbox_report *out, struct den_error *err);

/* Marks a wall as up, or not, with the reason or a detail. */
void den_sandbox_mark(struct den_sandbox_report *report, enum den_sandbox_wall_id id, bool up,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A report that another process wrote: false when it is none; its names become ours. */
bool den_sandbox_adopt_report(struct den_sandbox_report *report);
/* The level that these walls make. */
enum den_sandbox_level den_sandbox_judge(const struct den_sandbox_report *report);
/* "empty root, Landlock": those that are needed for the full level and not up. */
void den_sandbox_name_missing(const struct den_sandbox_report *report, char *out, size_t capacity);

/* The steps of den_sandbox_lock(), each of which marks its walls. */
struct den_sandbox_birth { /* what DEN_SANDBOX_VARIABLE says */
    bool spawned;
    uint64_t parent_namespaces[DEN_SANDBOX_NAMESPACES]; /* 0: not known */
    char why[DEN_SANDBOX_WHY_MAX];
};
void den_sandbox_read_birth(const char *text, struct den_sandbox_birth *out);

void den_sandbox_check_namespaces(const struct den_sandbox_birth *birth,
                                  struct den_sandbox_report *report);
void den_sandbox_empty_root(struct den_sandbox_report *report);
/* Mounts a tmpfs on a folder that everybody has, and goes there. 0, or an errno. */
int den_sandbox_mount_root(const char *options);
/* What is mounted here becomes the root, the old one goes. 0, or an errno at *out_step. */
int den_sandbox_enter_root(const char **out_step);
void den_sandbox_check_identity(struct den_sandbox_report *report);
void den_sandbox_drop_capabilities(struct den_sandbox_report *report);
void den_sandbox_check_birth(const struct den_sandbox_birth *birth,
                             struct den_sandbox_report *report);
void den_sandbox_limit(const struct den_sandbox_lock *options, struct den_sandbox_report *report);
/* Lowers a limit of the process (RLIMIT_...) for good; one that is lower stays. */
bool den_sandbox_lower(int resource, uint64_t value);
void den_sandbox_refuse_execution(struct den_sandbox_report *report);
void den_sandbox_filter_calls(struct den_sandbox_report *report);

/* A ruleset that allows nothing, or -1 with *out_why set; the caller closes it. */
int den_sandbox_landlock_create(int *out_abi, const char **out_why);
/* Applies it to the calling thread; safe in a signal handler. 0, or an errno. */
int den_sandbox_landlock_enter(int ruleset);

/* Of the calling thread, with raw calls only (safe in a signal handler and after clone()). */
int den_sandbox_clear_capabilities(void);

/* Runs `step` in a signal handler on every other thread of this process; returns how many of them
 * failed (a non-zero return) or did not answer within five seconds. */
int den_sandbox_on_other_threads(int (*step)(int argument), int argument);

/* --- programs of others (sandbox_program.c) --- */

enum {
    DEN_PROGRAM_STDIN = 3,
    DEN_PROGRAM_STDOUT,
    DEN_PROGRAM_STDERR,
    DEN_PROGRAM_REPORT,
    DEN_PROGRAM_INPUT,
    DEN_PROGRAM_END
};

/* A root of the system's programs and libraries, an empty /tmp, and the file at `input_fd` (-1:
 * none), which is at `input_path` outside where that can be seen, as /input. */
void den_sandbox_program_root(int input_fd, const char *input_path,
                              struct den_sandbox_report *report);
/* Adds to a ruleset what a program may do: read and run the system's files, read its input and,
 * in a root of its own, write to /tmp. 0, or an errno. */
int den_sandbox_landlock_allow_program(int ruleset, int abi, int input_fd, bool own_root);
void den_sandbox_filter_program(struct den_sandbox_report *report);

/* --- den_sandbox_spawn(): between clone() and exec --- */

enum { DEN_SANDBOX_NOBODY = 65534 };
struct den_sandbox_delivery {
    const struct den_sandbox_spawn *options;
    char *const *environment;
    int program_fd, null_fd; /* null_fd: /dev/null, read and write */
    int gate_fds[2];         /* the child waits here for one byte */
    int status_fds[2];       /* and writes one when it waits; later a failure, or end of file */
    bool namespaces;
    bool become_nobody;
};
struct den_sandbox_failure {
    int step; /* index into den_sandbox_steps */
    int error;
};
extern const char *const den_sandbox_steps[];
/* The rest of the child's life up to the program; ends the process if it can't. */
__attribute__((noreturn)) void den_sandbox_deliver(const struct den_sandbox_delivery *delivery);

#endif
