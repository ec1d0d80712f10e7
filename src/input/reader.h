/* Reader: turns the bytes of one file into parts (input/document.h), in a process of its own.
 *
 * Nothing here opens anything: the file comes as a descriptor that can be mapped, and what was
 * read goes to a sink, part by part, so that memory does not grow with the number of pages.
 * Readers trust no byte: each has bounds on depth, on size after decompression, on the number of
 * parts.
 *
 * Formats that other programs read (PDF, pictures) come here as those programs' output. */
#ifndef DEN_INPUT_READER_H
#define DEN_INPUT_READER_H

#include "input/document.h"
#include "input/format.h"

struct den_reader_source {
    int fd;                 /* of a regular file or a memory file */
    const char *name;       /* for the format's sake and for labels; never opened */
    enum den_format format; /* UNKNOWN: sniffed */
    /* Parts get numbers from here on, where the whole is read in stretches; 0: from 1. */
    size_t first_number;
};

/* Loads what converters of encodings need and forgets the time zone; called once by a process that
 * only reads, while files can still be opened. */
void den_reader_prepare(void);

/* DEN_BAD_FILE says what is wrong at which place; DEN_UNSUPPORTED for formats that no reader knows
 * (the message names those that can be read); DEN_TOO_LARGE beyond a limit. Parts that were handed
 * over before a failure stay good. */
enum den_status den_reader_read(const struct den_reader_source *source,
                                const struct den_document_sink *sink, struct den_error *err);

/* What pdftotext -bbox-layout printed (pages with words and boxes), and what tesseract printed as
 * TSV of one page's picture. `scale`: points per pixel of that picture. */
enum den_status den_reader_read_pdf_layout(const struct den_reader_source *source,
                                           const struct den_document_sink *sink,
                                           struct den_error *err);
enum den_status den_reader_read_recognised(const struct den_reader_source *source, double scale,
                                           const struct den_document_sink *sink,
                                           struct den_error *err);

#endif
