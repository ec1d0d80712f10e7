/* Reading: running poppler and tesseract.
 *
 * What a program prints goes to a file in memory, whose size the kernel limits, so that there is
 * nothing to pump; what it complains of comes through a pipe, of which the beginning is kept. The
 * pipe's end is the program's end. Who takes too long, by its own computing or by the clock, is
 * killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "desk/reading_parts.h"
#include "desk/reading_tools.h"
#include "guard/sandbox_program.h"

enum { TICK_MS = 100, CLOCK_FACTOR = 5 };

struct running {
    const struct den_program_run *run;
    pid_t pid;
    int complaints_fd;
    char complaint[512];
    size_t length;
    double deadline;
    bool has_ended;
    int status;
};

/* One line of valid text, whatever came. */
static void clean(const char *bytes, size_t length, char *out, size_t capacity)
{
    size_t at = 0, used = 0;

    while (at < length && used + 5 < capacity) {
        uint32_t code;

        at += den_utf8_decode(bytes + at, length - at, &code);
        if (code < 0x20 || code == 0x7F)
            code = ' ';
        used += den_utf8_encode(code, out + used);
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

static void hear_complaint(struct running *running, bool *out_closed)
{
    char bytes[4096];
    ssize_t count = read(running->complaints_fd, bytes, sizeof bytes);
    size_t room = sizeof running->complaint - running->length;

    *out_closed = count == 0;
    if (count <= 0)
        return;
    if ((size_t)count < room)
        room = (size_t)count;
    memcpy(running->complaint + running->length, bytes, room);
    running->length += room;
}

/* Until it ends, is cancelled, or has taken too long. */
static enum den_status await_end(struct running *running, struct den_error *err)
{
    const struct timespec tick = { 0, 10000000 };
    bool closed = false;

    while (!running->has_ended) {
        struct pollfd poller = { .fd = running->complaints_fd, .events = POLLIN };

        if (running->run->cancel && atomic_load(running->run->cancel))
            return den_fail(err, DEN_CANCELLED, "reading was cancelled");
        if (den_clock_seconds() > running->deadline)
            return den_fail(err, DEN_BAD_FILE, "%s took longer than %u seconds and was ended",
                            running->run->name, CLOCK_FACTOR * running->run->seconds_max);
        if (!closed && poll(&poller, 1, TICK_MS) > 0)
            hear_complaint(running, &closed);
        if (closed) {
            running->has_ended = waitpid(running->pid, &running->status, WNOHANG) == running->pid;
            if (!running->has_ended)
                nanosleep(&tick, NULL);
        }
    }
    return DEN_OK;
}

static enum den_status explain(const struct running *running, struct den_error *err)
{
    const char *name = running->run->name;

    if (WIFEXITED(running->status))
        return DEN_OK;
    if (WTERMSIG(running->status) == SIGKILL)
        return den_fail(err, DEN_BAD_FILE,
                        "%s took more than %u seconds of computing, and was "
                        "ended",
                        name, running->run->seconds_max);
    return den_fail(err, DEN_BAD_FILE, "%s broke on it (signal %d)", name,
                    WTERMSIG(running->status));
}

static enum den_status start(struct running *running, int stdin_fd, int output_fd,
                             struct den_error *err)
{
    const struct den_program_run *run = running->run;
    struct den_sandbox_program program = {
        .argv = run->argv,
        .stdin_fd = stdin_fd,
        .stdout_fd = output_fd,
        .input_fd = run->input_fd,
        .memory_bytes = DEN_PROGRAM_MEMORY_BYTES,
        .output_bytes = run->output_max ? run->output_max : DEN_PROGRAM_OUTPUT_BYTES_MAX,
        .seconds_max = run->seconds_max,
    };
    char path[64];
    int fds[2];

    if (!den_sandbox_program_find(run->name, path))
        return den_fail(err, DEN_UNSUPPORTED, "%s is not installed; it comes with the package %s",
                        run->name, den_reading_package(run->name));
    program.path = path;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return den_fail_errno(err, DEN_IO, "reading: no pipe");
    program.stderr_fd = fds[1];
    den_sandbox_program_spawn(&program, &running->pid, NULL, err);
    close(fds[1]);
    running->complaints_fd = fds[0];
    running->deadline = den_clock_seconds() + CLOCK_FACTOR * run->seconds_max;
    if (err->status != DEN_OK)
        close(fds[0]);
    return err->status;
}

enum den_status den_program_run(const struct den_program_run *run, struct den_program_result *out,
                                struct den_error *err)
{
    struct running running = { .run = run };
    int output_fd = memfd_create("output", MFD_CLOEXEC), stdin_fd = -1;
    struct stat info;

    if (output_fd < 0)
        return den_fail_errno(err, DEN_NO_MEMORY, "reading: no file in memory");
    if (run->stdin_fd >= 0 && (stdin_fd = den_reading_reopen(run->stdin_fd, err)) < 0)
        goto fail;
    if (start(&running, stdin_fd, output_fd, err) != DEN_OK)
        goto fail;
    if (await_end(&running, err) != DEN_OK) {
        kill(running.pid, SIGKILL);
        while (waitpid(running.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(running.complaints_fd);
    if (err->status != DEN_OK || explain(&running, err) != DEN_OK)
        goto fail;
    if (fstat(output_fd, &info) != 0) {
        den_fail_errno(err, DEN_IO, "reading: %s printed nothing that can be read", run->name);
        goto fail;
    }
    if (stdin_fd >= 0)
        close(stdin_fd);
    *out = (struct den_program_result){ .output_fd = output_fd,
                                        .output_bytes = (size_t)info.st_size,
                                        .exit_code = WEXITSTATUS(running.status) };
    clean(running.complaint, running.length, out->complaint, sizeof out->complaint);
    return DEN_OK;
fail:
    if (stdin_fd >= 0)
        close(stdin_fd);
    close(output_fd);
    return err->status;
}

enum den_status den_program_text(const struct den_program_result *result, char **out,
                                 struct den_error *err)
{
    char *text = malloc(result->output_bytes + 1);
    size_t done = 0;

    if (!text)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    while (done < result->output_bytes) {
        ssize_t count =
            pread(result->output_fd, text + done, result->output_bytes - done, (off_t)done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    text[done] = '\0';
    *out = text;
    return DEN_OK;
}
