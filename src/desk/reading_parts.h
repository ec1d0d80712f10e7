/* Reading, inside: what the reading_*.c files share. See reading.h for what it is about. */
#ifndef DEN_DESK_READING_PARTS_H
#define DEN_DESK_READING_PARTS_H

#include "desk/reading.h"

/* The format by the first bytes, which are compared and not parsed. */
enum den_status den_reading_sniff(const struct den_reading *reading, enum den_format *out,
                                  struct den_error *err);

/* --- a reader's child (reading_child.c is it, reading_front.c speaks with it) --- */

#define DEN_READER_VERB "reader"

enum den_reader_mode {
    DEN_READER_FILE,      /* den_reader_read() */
    DEN_READER_LAYOUT,    /* den_reader_read_pdf_layout() */
    DEN_READER_RECOGNISED /* den_reader_read_recognised() */
};
struct den_reader_order {
    enum den_reader_mode mode;
    int fd; /* read from its start, wherever it stands */
    const char *name;
    enum den_format format;
    size_t first_number;
    double scale;
    const atomic_bool *cancel;
    const struct den_reading
        *whole; /* PDFs and pictures within it are read too; NULL: they are not */
};
/* What the front says to a child that handed it a member. */
struct den_reading_answer {
    unsigned char has_failed;
    char sentence[DEN_MEMBER_NOTE_BYTES - 1]; /* why, or what was left out; "" nothing */
};
enum den_status den_reading_by_child(const struct den_reader_order *order,
                                     const struct den_document_sink *sink, struct den_error *err);

/* A descriptor of the same file, for reading, with a place of its own. -1: failed. */
int den_reading_reopen(int fd, struct den_error *err);

/* --- members (reading_members.c): files within the file, which its child hands back --- */

struct den_reading_members;
/* NULL in *out where the order wants none. */
enum den_status den_reading_members_open(const struct den_reader_order *order,
                                         const struct den_document_sink *sink,
                                         struct den_reading_members **out, struct den_error *err);
void den_reading_members_close(struct den_reading_members *members);
/* The child's ends of it: {file, socket}. */
void den_reading_members_descriptors(const struct den_reading_members *members, int out[2]);
/* Reads the `length` bytes that the child has written and answers it. Fails only as the sink does,
 * and with DEN_CANCELLED and DEN_BAD_FILE where the child can't be believed. */
enum den_status den_reading_members_take(struct den_reading_members *members, const char *path,
                                         size_t length, struct den_error *err);

/* --- programs of others, in their sandbox (reading_program.c) --- */

struct den_program_run {
    const char *name; /* "pdftotext" */
    const char *const *argv;
    int stdin_fd, input_fd; /* -1: none; both are read from their start */
    size_t output_max;      /* bytes; 0: DEN_PROGRAM_OUTPUT_BYTES_MAX */
    unsigned seconds_max;   /* of computing; five times as many by the clock */
    const atomic_bool *cancel;
};
struct den_program_result {
    int output_fd; /* a memory file; the caller closes it */
    size_t output_bytes;
    int exit_code;
    char complaint[512]; /* the first of what it wrote to stderr: clean UTF-8, one line */
};
/* DEN_OK when it ran and ended by itself, whatever its exit code. DEN_UNSUPPORTED where it is not
 * installed, with the package that has it. DEN_BAD_FILE where it broke or took too long. */
enum den_status den_program_run(const struct den_program_run *run, struct den_program_result *out,
                                struct den_error *err);
/* Reads a result whole, with a zero behind; freed with free(). */
enum den_status den_program_text(const struct den_program_result *result, char **out,
                                 struct den_error *err);

/* --- PDF and pictures (reading_pdf.c, reading_scan.c) --- */

enum den_status den_reading_pdf(const struct den_reading *reading,
                                const struct den_document_sink *sink, struct den_error *err);
enum den_status den_reading_scan(const struct den_reading *reading,
                                 const struct den_document_sink *sink, struct den_error *err);

struct den_scan_page { /* a page of a PDF whose text is to be recognised */
    const struct den_reading *reading;
    size_t number;
    float width, height; /* points */
};
enum den_status den_reading_scan_page(const struct den_scan_page *page,
                                      const struct den_document_sink *sink, struct den_error *err);

#endif
