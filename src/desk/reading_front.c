/* Reading: the front's side of a reader's child.
 *
 * The child was fed by strangers, so its lines are taken as theirs: bounded in length and number,
 * parsed with bounds, checked field by field. A child that says nothing for a minute is killed; one
 * that takes too much memory or time is ended by the limits that it has set itself before it
 * read. Its lines are handled while it goes on; where the sink is slow, the pipe fills and the
 * child waits, which costs it nothing. */
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
#include "base/json.h"
#include "desk/reading_parts.h"
#include "guard/sandbox.h"

enum { CHUNK_BYTES = 256 << 10, TICK_MS = 100 };

struct listener {
    const struct den_reader_order *order;
    const struct den_document_sink *sink;
    struct den_buffer lines; /* what came and was not handled yet: the start of a line */
    size_t part_count;
    bool has_ended; /* the last line came */
    struct den_error ending;
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

/* --- lines --- */

static enum den_status take_part(struct listener *listener, const json_t *object,
                                 struct den_error *err)
{
    struct den_part part;

    if (++listener->part_count > DEN_DOCUMENT_PARTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%s: it has more than %d parts", listener->order->name,
                        DEN_DOCUMENT_PARTS_MAX);
    if (den_part_from_json(object, &part, err) != DEN_OK)
        return den_fail_at(err, "%s: its reader went mad", listener->order->name);
    listener->sink->part(listener->sink->context, &part, err);
    den_part_free(&part);
    return err->status;
}

static enum den_status get_short_text(const json_t *object, const char *key, size_t length_max,
                                      const char **out, struct den_error *err)
{
    *out = "";
    if (den_json_get_text(object, key, out, err) == DEN_OK && strlen(*out) > length_max)
        den_fail(err, DEN_BAD_FILE, "\"%s\" is longer than %zu bytes", key, length_max);
    return err->status;
}

static enum den_status take_facts(struct listener *listener, const json_t *object,
                                  struct den_error *err)
{
    struct den_document_facts facts = { 0 };
    int64_t parts = 0;

    if (get_short_text(object, "title", DEN_DOCUMENT_LABEL_BYTES_MAX, &facts.title, err) !=
            DEN_OK ||
        get_short_text(object, "author", DEN_DOCUMENT_LABEL_BYTES_MAX, &facts.author, err) !=
            DEN_OK ||
        get_short_text(object, "note", DEN_DOCUMENT_NOTE_BYTES_MAX, &facts.note, err) != DEN_OK ||
        den_json_get_integer(object, "part_count", 0, DEN_DOCUMENT_PARTS_MAX, &parts, err) !=
            DEN_OK ||
        den_json_get_integer(object, "created", INT64_MIN, INT64_MAX, &facts.created, err) !=
            DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s: its reader went mad", listener->order->name);
    }
    facts.part_count = (size_t)parts;
    return listener->sink->facts ? listener->sink->facts(listener->sink->context, &facts, err)
                                 : DEN_OK;
}

/* Only what a reader may say: it can't make us believe that we were cancelled. */
static enum den_status take_end(struct listener *listener, const json_t *object,
                                struct den_error *err)
{
    int64_t status = -1;
    const char *message = "";

    den_json_get_integer(object, "status", 0, DEN_STATUS_COUNT - 1, &status, err);
    den_json_get_text(object, "message", &message, err);
    if (err->status != DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s: its reader went mad", listener->order->name);
    }
    listener->has_ended = true;
    if (status == DEN_OK)
        return DEN_OK;
    if (status != DEN_UNSUPPORTED && status != DEN_TOO_LARGE && status != DEN_NO_MEMORY)
        status = DEN_BAD_FILE;
    den_fail(&listener->ending, (enum den_status)status, "%s", message);
    return DEN_OK;
}

static enum den_status take_line(struct listener *listener, const char *text, size_t length,
                                 struct den_error *err)
{
    json_t *object = NULL, *inner;

    if (listener->has_ended)
        return den_fail(err, DEN_BAD_FILE, "%s: its reader went on after its end",
                        listener->order->name);
    if (den_json_parse(text, length, "a line of the reader", &object, err) != DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s", listener->order->name);
    }
    if (json_object_get(object, "part"))
        take_part(listener, object, err);
    else if ((inner = json_object_get(object, "facts")) != NULL)
        take_facts(listener, inner, err);
    else if ((inner = json_object_get(object, "end")) != NULL)
        take_end(listener, inner, err);
    else
        den_fail(err, DEN_BAD_FILE, "%s: its reader said what is neither part nor facts",
                 listener->order->name);
    json_decref(object);
    return err->status;
}

static enum den_status take_bytes(struct listener *listener, const char *bytes, size_t length,
                                  struct den_error *err)
{
    size_t searched = listener->lines.length, at = 0;
    const char *newline;

    if (!den_buffer_append(&listener->lines, bytes, length))
        return den_fail(err, DEN_TOO_LARGE, "%s: a part takes more than %u MiB as JSON",
                        listener->order->name, DEN_READING_LINE_BYTES_MAX >> 20);
    while (err->status == DEN_OK && (newline = memchr(listener->lines.data + searched, '\n',
                                                      listener->lines.length - searched)) != NULL) {
        const size_t end = (size_t)(newline - listener->lines.data);

        take_line(listener, listener->lines.data + at, end - at, err);
        at = searched = end + 1;
    }
    den_buffer_consume(&listener->lines, at);
    return err->status;
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
                take_bytes(listener, chunk, (size_t)count, err);
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

static enum den_status spawn_reader(const struct den_reader_order *order, int lines_fd, pid_t *out,
                                    struct den_error *err)
{
    char mode[16], format[16], first[32], scale[32];
    const char *const argv[] = { "den", DEN_READER_VERB, mode,        format,
                                 first, scale,           order->name, NULL };
    int descriptors[2] = { den_reading_reopen(order->fd, err), lines_fd };
    const struct den_sandbox_spawn options = { .argv = argv,
                                               .descriptors = descriptors,
                                               .descriptor_count = 2 };

    if (descriptors[0] < 0)
        return err->status;
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
    struct listener listener = { .order = order, .sink = sink };
    int fds[2], status = 0;
    pid_t pid = -1;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return den_fail_errno(err, DEN_IO, "reading: no pipe");
    spawn_reader(order, fds[1], &pid, err);
    close(fds[1]);
    if (err->status != DEN_OK) {
        close(fds[0]);
        return err->status;
    }
    den_buffer_init(&listener.lines, DEN_READING_LINE_BYTES_MAX + CHUNK_BYTES);
    listen_to(&listener, fds[0], err);
    close(fds[0]);
    den_buffer_deinit(&listener.lines);
    if (err->status != DEN_OK || listener.has_ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (err->status != DEN_OK)
        return err->status;
    if (!listener.has_ended)
        return explain_death(&listener, status, err);
    *err = listener.ending;
    return err->status;
}
