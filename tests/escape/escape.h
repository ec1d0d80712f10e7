/* Escape: attempts to get out of the sandbox, each in a sandbox of its own.
 *
 * An attempt is a function that tries one thing and returns ESCAPED if it came true, or the errno
 * with which the kernel refused; a call that seccomp answers by ending the process does not return
 * at all. Each runs in a process that was spawned and locked exactly as a worker is.
 *
 * An attempt names the walls any one of which denies it (`walls`). Whole, the sandbox must deny
 * everything. With a wall left out (--without), or not there on this machine, an attempt must still
 * be denied if one of its other walls stands, and is skipped if none does. So each wall is seen to
 * work by itself. */
#ifndef DEN_TESTS_ESCAPE_H
#define DEN_TESTS_ESCAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    BY_NAMESPACES = 1, /* and the empty root, and having no capabilities outside */
    BY_LANDLOCK = 2,   /* as of ABI 2 */
    BY_LANDLOCK_4 = 4, /* TCP */
    BY_LANDLOCK_6 = 8, /* abstract sockets and signals */
    BY_SECCOMP = 16,
    BY_MDWE = 32,
    BY_LIMITS = 64,   /* and by what the process was born with: environment, descriptors, seals */
    BY_THREADS = 128, /* a limit on threads: with a user namespace only */
    BY_KERNEL = 256   /* without capabilities any kernel denies it */
};
#define BY_ALL (BY_NAMESPACES | BY_LANDLOCK | BY_SECCOMP)

enum { ESCAPED = -1 };
struct attempt {
    const char *name;
    unsigned walls;
    int (*run)(void);
};

/* A system call that is an escape if it does not fail. */
struct call_attempt {
    const char *name;
    unsigned walls;
    long number;
    uintptr_t arguments[6];
};

/* What the driver holds out as bait; the same in every attempt. */
struct bait {
    int tcp_port, udp_port; /* listening on 127.0.0.1 */
    char folder[64];        /* holds "secret" (a file, open to all) and "socket" (listening) */
    char abstract[32];      /* the name of a listening abstract socket */
    int driver_pid;
    uintptr_t driver_memory; /* a page of the driver's that holds a secret */
    unsigned long long mount_namespace_fd;
    size_t memory_bytes, files_max;
};
extern struct bait bait;

/* Descriptors that an attempt holds. */
enum {
    FD_REPLY = 3,
    FD_READ_ONLY, /* bait's secret, read-only */
    FD_SEALED,    /* a memfd, sealed against writing, read-write */
    FD_TERMINAL,  /* the slave of a pseudo-terminal */
    FD_END
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
extern const struct attempt file_attempts[], network_attempts[], process_attempts[],
    resource_attempts[];
extern const size_t file_attempt_count, network_attempt_count, process_attempt_count,
    resource_attempt_count;
extern const struct call_attempt call_attempts[];
extern const size_t call_attempt_count;

/* Started before the lock: a thread that waits, to try later what the first thread tries. */
void start_early_thread(void);

/* ESCAPED when `result` is not negative, else errno. */
int outcome(long result);

#endif
