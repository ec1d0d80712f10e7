/* See reading.h. This file decides who reads a file; reading_front.c speaks with readers of
 * our own, reading_pdf.c and reading_scan.c have poppler and tesseract do it. */
#include "desk/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "desk/reading_parts.h"

enum den_status den_reading_sniff(const struct den_reading *reading, enum den_format *out,
                                  struct den_error *err)
{
    char *start = malloc(DEN_FORMAT_SNIFF_BYTES);
    ssize_t length;

    if (!start)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    do
        length = pread(reading->fd, start, DEN_FORMAT_SNIFF_BYTES, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        den_fail_errno(err, DEN_IO, "%s can't be read", reading->name);
    else
        *out = den_format_sniff(start, (size_t)length, reading->name);
    free(start);
    return err->status;
}

enum den_status den_reading_run(const struct den_reading *reading,
                                const struct den_document_sink *sink, struct den_error *err)
{
    struct den_reading known = *reading;
    struct den_reader_order order = { .mode = DEN_READER_FILE, .fd = reading->fd };

    if (!known.name)
        known.name = "file";
    if (known.format == DEN_FORMAT_UNKNOWN &&
        den_reading_sniff(&known, &known.format, err) != DEN_OK)
        return err->status;
    if (known.format == DEN_FORMAT_PDF)
        return den_reading_pdf(&known, sink, err);
    if (known.format == DEN_FORMAT_PICTURE)
        return den_reading_scan(&known, sink, err);
    order.name = known.name;
    order.format = known.format;
    order.cancel = known.cancel;
    if (known.format == DEN_FORMAT_ARCHIVE || known.format == DEN_FORMAT_MAIL ||
        known.format == DEN_FORMAT_MAILBOX)
        order.whole = &known;
    return den_reading_by_child(&order, sink, err);
}
