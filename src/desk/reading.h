/* Reading: one file, by the programs that can read it, each in a sandbox of its own.
 *
 * The front never looks into a document. It gives the file's descriptor to a child that can only
 * compute (this same program, input/reader.h), or to poppler and tesseract in a sandbox that shows
 * them their own libraries and nothing else; what those print goes through a reader's child as
 * well. Pages without text are rendered and recognised. A child that dies, hangs, or prints
 * without end ends that reading with a sentence, nothing else. */
#ifndef DEN_DESK_READING_H
#define DEN_DESK_READING_H

#include <stdatomic.h>

#include "input/document.h"
#include "input/format.h"

struct den_reading {
    int fd; /* a regular file, read from its start; stays the caller's */
    const char *name;
    enum den_format format;    /* UNKNOWN: sniffed */
    const atomic_bool *cancel; /* looked at about every tenth of a second; NULL: none */
    const char *languages;     /* for tesseract; NULL: "eng+chi_sim" */
    bool no_recognition;       /* pages without text stay empty */
};
/* Hands parts to the sink as they come; each was checked (den_part_check). Failures as
 * den_reader_read(), and DEN_CANCELLED. */
enum den_status den_reading_run(const struct den_reading *reading,
                                const struct den_document_sink *sink, struct den_error *err);

struct den_reading_page {
    int fd;
    enum den_format format;
    size_t number; /* of the page, from 1; a picture is one */
    size_t width_max;
};
/* A page of a PDF as PNG of at most `width_max` pixels; a picture that browsers know (PNG, JPEG,
 * WebP) as it is, since nothing here could make another of it: its first bytes say which. *out is
 * freed with free(). DEN_UNSUPPORTED for formats without pages. */
enum den_status den_reading_picture(const struct den_reading_page *page, void **out,
                                    size_t *out_length, struct den_error *err);
/* "image/png" ... of what den_reading_picture() gave; NULL: browsers do not know it. */
const char *den_picture_media_type(const void *start, size_t length);

#endif
