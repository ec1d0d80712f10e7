/* Reading: the front's side of a reader's child.
 *
 * The child was fed by strangers, so its lines are taken as theirs (reading_lines.h). A child that
 * says nothing for a minute is killed; one that takes too much memory or time is ended by the
 * limits that it has set itself before it read. Its lines are handled while it goes on; where the
 * sink is slow, the pipe fills and the child waits, which costs it nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "desk/reading_lines.h"
#include "desk/reading_parts.h"
#include "guard/sandbox.h"

enum { CHUNK_BYTES = 256 << 10, TICK_MS = 100 };

struct listener {
    const struct den_reader_order *order;
    struct den_reading_lines lines;
    double heard_at;
};

int den_reading_reopen(int fd, struct den_error *err)
{
    char path[64];
    int copy;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    copy = open(path, O_RDONLY | O_CLOEXEC);
    if (copy < 0) /* no /proc: the place is shared with the caller then */
        copy = lseek(fd, 0, SEEK_SET) == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy < 0)
        den_fail_errno(err, DEN_IO, "reading: the file can't be opened again");
    return copy;
}

/* --- the process --- */

static enum den_status listen_to(struct listener *listener, int lines_fd, struct den_error *err)
{
    const atomic_bool *cancel = listener->order->cancel;
    struct pollfd poller = { .fd = lines_fd, .events = POLLIN };
    char *chunk = malloc(CHUNK_BYTES);

    if (!chunk)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    listener->heard_at = den_clock_seconds();
    while (err->status == DEN_OK) {
        int ready = poll(&poller, 1, TICK_MS);
        ssize_t count;

        if (cancel && atomic_load(cancel)) {
            den_fail(err, DEN_CANCELLED, "%s: reading was cancelled", listener->order->name);
        } else if (ready > 0) {
            count = read(lines_fd, chunk, CHUNK_BYTES);
            if (count == 0)
                break;
            if (count > 0)
                den_reading_lines_take(&listener->lines, chunk, (size_t)count, err);
            else if (errno != EINTR)
                den_fail_errno(err, DEN_IO, "reading: the reader can't be heard");
            listener->heard_at = den_clock_seconds();
        } else if (den_clock_seconds() - listener->heard_at > DEN_READING_SILENT_SECONDS) {
            den_fail(err, DEN_BAD_FILE, "%s: its reader said nothing for %d seconds and was ended",
                     listener->order->name, DEN_READING_SILENT_SECONDS);
        }
    }
    free(chunk);
    return err->status;
}

/* What became of a child that did not say its end. */
static enum den_status explain_death(const struct listener *listener, int status,
                                     struct den_error *err)
{
    const char *name = listener->order->name;

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return den_fail(err, DEN_BAD_FILE,
                        "%s: reading it took more than %d seconds of computing, or more memory "
                        "than the machine has, and was ended",
                        name, DEN_READING_CPU_SECONDS_MAX);
    if (WIFSIGNALED(status))
        return den_fail(err, DEN_BAD_FILE, "%s: its reader broke on it (signal %d)", name,
                        WTERMSIG(status));
    return den_fail(err, DEN_BAD_FILE, "%s: its reader ended too early (exit %d)", name,
                    WEXITSTATUS(status));
}

static enum den_status spawn_reader(const struct den_reader_order *order, int lines_fd,
                                    const struct den_reading_members *members, pid_t *out,
                                    struct den_error *err)
{
    char mode[16], format[16], first[32], scale[32];
    const char *const argv[] = { "den", DEN_READER_VERB, mode,        format,
                                 first, scale,           order->name, NULL };
    int descriptors[4] = { den_reading_reopen(order->fd, err), lines_fd };
    struct den_sandbox_spawn options = { .argv = argv,
                                         .descriptors = descriptors,
                                         .descriptor_count = 2 };

    if (descriptors[0] < 0)
        return err->status;
    if (members) {
        den_reading_members_descriptors(members, descriptors + 2);
        options.descriptor_count = 4;
    }
    snprintf(mode, sizeof mode, "%d", (int)order->mode);
    snprintf(format, sizeof format, "%d", (int)order->format);
    snprintf(first, sizeof first, "%zu", order->first_number);
    snprintf(scale, sizeof scale, "%.9g", order->scale);
    den_sandbox_spawn(&options, out, err);
    close(descriptors[0]);
    return err->status;
}

enum den_status den_reading_by_child(const struct den_reader_order *order,
                                     const struct den_document_sink *sink, struct den_error *err)
{
    struct listener listener = { .order = order };
    int fds[2], status = 0;
    struct den_reading_members *members = NULL;
    pid_t pid = -1;

    if (den_reading_members_open(order, sink, &members, err) != DEN_OK)
        return err->status;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        den_reading_members_close(members);
        return den_fail_errno(err, DEN_IO, "reading: no pipe");
    }
    spawn_reader(order, fds[1], members, &pid, err);
    close(fds[1]);
    if (err->status != DEN_OK) {
        den_reading_members_close(members);
        close(fds[0]);
        return err->status;
    }
    den_reading_lines_init(&listener.lines, order->name, sink);
    listener.lines.members = members;
    listen_to(&listener, fds[0], err);
    close(fds[0]);
    den_reading_lines_deinit(&listener.lines);
    den_reading_members_close(members);
    if (err->status != DEN_OK || listener.lines.has_ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (err->status != DEN_OK)
        return err->status;
    if (!listener.lines.has_ended)
        return explain_death(&listener, status, err);
    *err = listener.lines.ending;
    return err->status;
}
