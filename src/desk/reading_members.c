/* Reading members: PDFs and pictures within archives and mails.
 *
 * The child that reads the archive can't run poppler, and this process must not unpack. So the
 * child writes a member's bytes into a file in memory that both have, says so in a line, and waits;
 * here the same programs read it that read such a file when it comes by itself, in their own
 * sandboxes; its parts get the path in the archive before their label and go where the archive's
 * own go; then the child is answered and goes on. So there is one member in memory at a time,
 * however large the archive is, and parts come in its order.
 *
 * A child that was taken over can change the bytes while they are read: they are a stranger's
 * anyway, and only programs in sandboxes look at them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/reading_parts.h"
#include "input/part_writer.h"

struct den_reading_members {
    const struct den_reader_order *order;
    const struct den_document_sink *sink;
    int fd;         /* the member's bytes */
    int sockets[2]; /* ours, the child's */
    size_t count, part_count;
    bool sink_failed;
    const char *path; /* of the one that is read */
    char note[DEN_MEMBER_NOTE_BYTES - 1];
};

enum den_status den_reading_members_open(const struct den_reader_order *order,
                                         const struct den_document_sink *sink,
                                         struct den_reading_members **out, struct den_error *err)
{
    struct den_reading_members *members;

    *out = NULL;
    if (!order->whole)
        return DEN_OK;
    members = calloc(1, sizeof *members);
    if (!members)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    *members = (struct den_reading_members){ .order = order, .sink = sink, .sockets = { -1, -1 } };
    members->fd = memfd_create("member", MFD_CLOEXEC);
    if (members->fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, members->sockets)) {
        den_fail_errno(err, DEN_IO, "reading: no file in memory");
        den_reading_members_close(members);
        return err->status;
    }
    *out = members;
    return DEN_OK;
}

void den_reading_members_close(struct den_reading_members *members)
{
    size_t i;

    if (!members)
        return;
    if (members->fd >= 0)
        close(members->fd);
    for (i = 0; i < 2; i++)
        if (members->sockets[i] >= 0)
            close(members->sockets[i]);
    free(members);
}

void den_reading_members_descriptors(const struct den_reading_members *members, int out[2])
{
    out[0] = members->fd;
    out[1] = members->sockets[1];
}

/* --- its parts --- */

static enum den_status take_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct den_reading_members *members = context;
    char whole[2 * DEN_DOCUMENT_LABEL_BYTES_MAX + 8];
    struct den_part named = *part;
    char *label;

    snprintf(whole, sizeof whole, "%s%s%s", members->path, *part->label ? " > " : "", part->label);
    label = den_label_make(whole, strlen(whole), DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (!label)
        den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    else if (++members->part_count > DEN_DOCUMENT_PARTS_MAX)
        den_fail(err, DEN_TOO_LARGE, "%s: it has more than %d parts", members->order->name,
                 DEN_DOCUMENT_PARTS_MAX);
    else {
        named.label = label;
        named.width = named.height = 0; /* nobody can show the page, so no word has a place on it */
        named.words = NULL;
        named.word_count = 0;
        members->sink->part(members->sink->context, &named, err);
    }
    free(label);
    members->sink_failed = err->status != DEN_OK;
    return err->status;
}

/* Only what was left out is told of; the title is the archive's own. */
static enum den_status take_facts(void *context, const struct den_document_facts *facts,
                                  struct den_error *err)
{
    struct den_reading_members *members = context;

    (void)err;
    snprintf(members->note, sizeof members->note, "%s", facts->note ? facts->note : "");
    return DEN_OK;
}

/* --- a member --- */

static enum den_status check_size(struct den_reading_members *members, size_t length,
                                  struct den_error *err)
{
    struct stat info;

    if (++members->count > DEN_DOCUMENT_MEMBERS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%s: it has more than %d PDFs and pictures",
                        members->order->name, DEN_DOCUMENT_MEMBERS_MAX);
    if (fstat(members->fd, &info) != 0 || (uint64_t)info.st_size < length ||
        ftruncate(members->fd, (off_t)length) != 0)
        return den_fail(err, DEN_BAD_FILE, "%s: its reader went mad: a member is not there",
                        members->order->name);
    return DEN_OK;
}

/* By the format that its own bytes have. */
static enum den_status read_member(struct den_reading_members *members, struct den_error *err)
{
    const struct den_document_sink sink = { .context = members,
                                            .part = take_part,
                                            .facts = take_facts };
    struct den_reading reading = *members->order->whole;

    reading.fd = members->fd;
    reading.name = members->path;
    reading.format = DEN_FORMAT_UNKNOWN;
    if (den_reading_sniff(&reading, &reading.format, err) != DEN_OK)
        return err->status;
    if (reading.format == DEN_FORMAT_PDF)
        return den_reading_pdf(&reading, &sink, err);
    if (reading.format == DEN_FORMAT_PICTURE)
        return den_reading_scan(&reading, &sink, err);
    return den_fail(err, DEN_UNSUPPORTED, "%s: is neither PDF nor picture", members->path);
}

/* Never waits: a child that does not listen is none of ours. */
static enum den_status answer(struct den_reading_members *members, const struct den_error *problem,
                              struct den_error *err)
{
    struct den_reading_answer said = { .has_failed = problem->status != DEN_OK };

    snprintf(said.sentence, sizeof said.sentence, "%.*s", (int)sizeof said.sentence - 1,
             said.has_failed ? problem->message : members->note);
    if (send(members->sockets[0], &said, sizeof said, MSG_NOSIGNAL | MSG_DONTWAIT) !=
        (ssize_t)sizeof said)
        return den_fail(err, DEN_BAD_FILE, "%s: its reader does not listen", members->order->name);
    return DEN_OK;
}

enum den_status den_reading_members_take(struct den_reading_members *members, const char *path,
                                         size_t length, struct den_error *err)
{
    struct den_error problem = { 0 };
    char *label;

    if (check_size(members, length, err) != DEN_OK)
        return err->status;
    label = den_label_make(path, strlen(path), DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (!label)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    members->path = label;
    members->note[0] = '\0';
    read_member(members, &problem);
    free(label);
    members->path = "";
    if (members->sink_failed || problem.status == DEN_CANCELLED ||
        problem.status == DEN_NO_MEMORY) {
        *err = problem;
        return err->status;
    }
    if (ftruncate(members->fd, 0) != 0)
        return den_fail_errno(err, DEN_IO, "reading: the file in memory can't be emptied");
    return answer(members, &problem, err);
}
