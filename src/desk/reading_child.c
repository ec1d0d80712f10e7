/* Reading: the child. See reading_process.h for what it is given.
 *
 * What libraries look up in files (libxml2's tables, the C library's converters of encodings) is
 * looked up before the lock: afterwards nothing can be opened. Then the first byte of the document
 * is read. Each part is written as one line at once, so that neither side holds two.
 *
 * Whatever goes wrong here is told in the last line, as far as it can still be told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "desk/reading_parts.h"
#include "desk/reading_process.h"
#include "guard/sandbox.h"
#include "input/reader.h"

enum { FILE_FD = 3, LINES_FD = 4, MEMBER_FD = 5, ANSWER_FD = 6, FILES_MAX = 32 };

static struct den_buffer line; /* the one that is written */

static enum den_status write_line(json_t *object, struct den_error *err)
{
    size_t done = 0;

    den_buffer_clear(&line);
    if (!object)
        return den_fail(err, DEN_NO_MEMORY, "reader: out of memory");
    den_json_write(object, &line, err);
    json_decref(object);
    if (err->status != DEN_OK)
        return err->status;
    den_buffer_append_byte(&line, '\n');
    if (den_buffer_status(&line, "reader: a part", err) != DEN_OK)
        return err->status;
    while (done < line.length) {
        ssize_t count = write(LINES_FD, line.data + done, line.length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return den_fail_errno(err, DEN_IO, "reader: nobody listens");
        done += (size_t)count;
    }
    return DEN_OK;
}

static enum den_status write_part(void *context, const struct den_part *part, struct den_error *err)
{
    (void)context;
    return write_line(den_part_json(part), err);
}

static enum den_status write_facts(void *context, const struct den_document_facts *facts,
                                   struct den_error *err)
{
    (void)context;
    return write_line(
        json_pack("{s:{s:s, s:s, s:s, s:I, s:I}}", "facts", "title",
                  facts->title ? facts->title : "", "author", facts->author ? facts->author : "",
                  "note", facts->note ? facts->note : "", "part_count",
                  (json_int_t)facts->part_count, "created", (json_int_t)facts->created),
        err);
}

/* --- members: the front has other programs read them while this process waits --- */

static enum den_status write_member(const struct den_document_member *member, struct den_error *err)
{
    size_t done = 0;

    while (done < member->length) {
        ssize_t count = pwrite(MEMBER_FD, (const char *)member->bytes + done, member->length - done,
                               (off_t)done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return den_fail(err, DEN_TOO_LARGE, "%s: is too large to be read within another file",
                            member->path);
        done += (size_t)count;
    }
    return DEN_OK;
}

static bool hear(void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t count = read(ANSWER_FD, (char *)bytes + done, length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

static enum den_status hand_member(void *context, const struct den_document_member *member,
                                   char out_note[DEN_MEMBER_NOTE_BYTES], struct den_error *err)
{
    struct den_reading_answer answer = { 0 };

    (void)context;
    if (write_member(member, err) != DEN_OK ||
        write_line(json_pack("{s:{s:s, s:I}}", "member", "path", member->path, "bytes",
                             (json_int_t)member->length),
                   err) != DEN_OK)
        return err->status;
    if (!hear(&answer, sizeof answer))
        return den_fail(err, DEN_IO, "reader: nobody answers");
    answer.sentence[sizeof answer.sentence - 1] = '\0';
    if (answer.has_failed)
        return den_fail(err, DEN_BAD_FILE, "%s", answer.sentence);
    snprintf(out_note, DEN_MEMBER_NOTE_BYTES, "%s", answer.sentence);
    return DEN_OK;
}

static void lock_in(void)
{
    const struct rlimit seconds = { DEN_READING_CPU_SECONDS_MAX, DEN_READING_CPU_SECONDS_MAX };
    struct den_sandbox_report report;
    struct den_sandbox_lock options = { .memory_bytes = DEN_READING_MEMORY_BYTES,
                                        .files_max = FILES_MAX };
    struct den_error err = { 0 };
    struct stat info;

    /* the file is mapped, which counts */
    if (fstat(FILE_FD, &info) == 0 && info.st_size > 0)
        options.memory_bytes += (size_t)info.st_size;
    setrlimit(RLIMIT_CPU, &seconds);
    den_reader_prepare();
    if (den_sandbox_lock(&options, &report, &err) != DEN_OK)
        _exit(den_status_exit(err.status));
}

static enum den_status serve(char **argv, struct den_error *err)
{
    struct den_document_sink sink = { .part = write_part, .facts = write_facts };
    struct stat info;
    struct den_reader_source source = {
        .fd = FILE_FD,
        .format = (enum den_format)strtoul(argv[3], NULL, 10),
        .first_number = strtoul(argv[4], NULL, 10),
        .name = argv[6],
    };

    if (fstat(ANSWER_FD, &info) == 0 && S_ISSOCK(info.st_mode))
        sink.member = hand_member;
    switch ((enum den_reader_mode)strtoul(argv[2], NULL, 10)) {
    case DEN_READER_FILE:
        return den_reader_read(&source, &sink, err);
    case DEN_READER_LAYOUT:
        return den_reader_read_pdf_layout(&source, &sink, err);
    case DEN_READER_RECOGNISED:
        return den_reader_read_recognised(&source, strtod(argv[5], NULL), &sink, err);
    }
    return den_fail(err, DEN_INVALID, "reader: there is no way '%s' to read", argv[2]);
}

void den_reading_serve_if_asked(int argc, char **argv)
{
    struct den_error err = { 0 }, last = { 0 };
    struct stat info;

    if (argc != 7 || strcmp(argv[1], DEN_READER_VERB) != 0 || fstat(LINES_FD, &info) != 0 ||
        !S_ISFIFO(info.st_mode))
        return;
    lock_in();
    den_buffer_init(&line, DEN_READING_LINE_BYTES_MAX);
    serve(argv, &err);
    write_line(
        json_pack("{s:{s:i, s:s}}", "end", "status", (int)err.status, "message", err.message),
        &last);
    _exit(0);
}
