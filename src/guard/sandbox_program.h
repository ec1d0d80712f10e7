/* Sandbox for programs of others: poppler and tesseract, which were not written to lock
 * themselves in, and read what strangers wrote.
 *
 * The program sees a root of its own: the system's programs, libraries, fonts and data,
 * read-only; an empty /tmp in memory; its input as /input. No other file of the machine is there,
 * no network, no other process, no device but /dev/null, no /proc. It holds stdin, stdout and
 * stderr and nothing else, has no rights, and can't become two processes. Memory, time and the
 * size of what it writes are limited. As with the worker, each wall stands alone, and what the
 * kernel lacks is missing without the others falling: without namespaces there is no /tmp, and
 * Landlock keeps files away. docs/internals/sandbox.md has the list.
 *
 * How: this same program is spawned as sandbox.h does it, builds the root in its new namespaces,
 * puts the walls up, and becomes the other program by exec. */
#ifndef DEN_GUARD_SANDBOX_PROGRAM_H
#define DEN_GUARD_SANDBOX_PROGRAM_H

#include "guard/sandbox.h"

enum { DEN_PROGRAM_ARGUMENTS_MAX = 32 };

struct den_sandbox_program {
    const char *path;                             /* absolute, as den_sandbox_program_find() says */
    const char *const *argv;                      /* NULL-terminated, with its name first */
    int stdin_fd, stdout_fd, stderr_fd, input_fd; /* -1: /dev/null; no input */
    size_t memory_bytes;                          /* address space at most; 0: no limit */
    size_t output_bytes;                          /* of a file that it writes (not of a pipe) */
    unsigned seconds_max;                         /* of computing; 0: no limit */
};

/* In `argv`, this is where the input is. */
#define DEN_SANDBOX_INPUT "/input"

/* *out_pid can be waited for and ended with SIGKILL; it dies with this process. *out_report (NULL:
 * not wanted) says which walls stand. DEN_UNSUPPORTED where the program can't be run. */
enum den_status den_sandbox_program_spawn(const struct den_sandbox_program *program, pid_t *out_pid,
                                          struct den_sandbox_report *out_report,
                                          struct den_error *err);

/* The same with walls left out (enum den_sandbox_without), for tests. */
enum den_status den_sandbox_program_spawn_without(const struct den_sandbox_program *program,
                                                  unsigned without, pid_t *out_pid,
                                                  struct den_sandbox_report *out_report,
                                                  struct den_error *err);

/* What a program would get here: runs one that does nothing (`den doctor`). */
enum den_status den_sandbox_program_probe(struct den_sandbox_report *out, struct den_error *err);

/* "pdftotext" -> "/usr/bin/pdftotext" where that can be run; only the system's own folders are
 * looked at, never $PATH. `out` takes 64 bytes. */
bool den_sandbox_program_find(const char *name, char out[64]);

/* main() calls this first: in a child that den_sandbox_program_spawn() made it becomes the
 * program; in any other process it returns. */
void den_sandbox_become_program(int argc, char **argv);

#endif
