/* Format: what a file is, by its first bytes and its name.
 *
 * Bytes win over names: a PDF called "notes.txt" is a PDF. The name decides between formats that
 * are all plain text. */
#ifndef DEN_INPUT_FORMAT_H
#define DEN_INPUT_FORMAT_H

#include <stddef.h>

enum den_format {
    DEN_FORMAT_UNKNOWN,
    DEN_FORMAT_PDF,
    DEN_FORMAT_WORD,        /* .docx */
    DEN_FORMAT_SLIDES,      /* .pptx */
    DEN_FORMAT_SHEETS,      /* .xlsx */
    DEN_FORMAT_OPEN_TEXT,   /* .odt */
    DEN_FORMAT_OPEN_SHEETS, /* .ods */
    DEN_FORMAT_OPEN_SLIDES, /* .odp */
    DEN_FORMAT_RTF,
    DEN_FORMAT_EPUB,
    DEN_FORMAT_HTML,
    DEN_FORMAT_MARKDOWN,
    DEN_FORMAT_TEXT,
    DEN_FORMAT_CODE,
    DEN_FORMAT_CSV,     /* and TSV */
    DEN_FORMAT_JSON,    /* and JSON lines */
    DEN_FORMAT_MAIL,    /* .eml */
    DEN_FORMAT_MAILBOX, /* .mbox */
    DEN_FORMAT_PICTURE, /* PNG, JPEG, WebP, TIFF: its text is recognised */
    DEN_FORMAT_ARCHIVE  /* zip of any of these */
};
const char *den_format_text(enum den_format format); /* "pdf", "word", "open_text" ... */
const char *den_format_media_type(enum den_format format, const char *name);

/* Grows when the readers of a format find more than they did: what an older one read is worth being
 * read again. */
int den_format_reader_version(enum den_format format);

/* `start`: the file's first bytes, up to DEN_FORMAT_SNIFF_BYTES of them; of a zip also the names of
 * its members decide, which are looked for in these bytes. `name` may hold folders. */
enum den_format den_format_sniff(const void *start, size_t length, const char *name);

#endif
