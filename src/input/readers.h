/* Readers: one function for each format, behind den_reader_read().
 *
 * Each gets the file's bytes and a writer, and writes parts. It returns the first failure, its own
 * or the writer's; what it wrote before stays. */
#ifndef DEN_INPUT_READERS_H
#define DEN_INPUT_READERS_H

#include "input/charset.h"
#include "input/format.h"
#include "input/part_writer.h"

struct den_input {
    const char *data;
    size_t length;
    const char *name;
    enum den_format format;
    const char *charset; /* what a header says of it; NULL: nothing */
    unsigned nesting;    /* archives and mails around it */
    double scale;        /* points per pixel of a recognised picture */
    uint64_t *inflated;  /* bytes that came out of all zips so far */
};

/* Sniffs where `format` is UNKNOWN, and calls the reader. */
enum den_status den_read_any(const struct den_input *input, struct den_writer *writer,
                             struct den_error *err);

typedef enum den_status den_read(const struct den_input *input, struct den_writer *writer,
                                 struct den_error *err);
den_read den_read_text; /* and source code */
den_read den_read_markdown;
den_read den_read_csv;
den_read den_read_json;
den_read den_read_word;
den_read den_read_sheets;
den_read den_read_slides;
den_read den_read_open_document; /* .odt, .ods, .odp */
den_read den_read_epub;
den_read den_read_html;
den_read den_read_rtf;
den_read den_read_mail;
den_read den_read_mailbox;
den_read den_read_archive;
den_read den_read_pdf_layout;
den_read den_read_recognised;

#endif
