/* See reader.h: the file is mapped, its format found, its reader called. */
#include "input/reader.h"

#include <libxml/parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "input/readers.h"

static den_read *const readers[] = {
    [DEN_FORMAT_TEXT] = den_read_text,
    [DEN_FORMAT_CODE] = den_read_text,
    [DEN_FORMAT_MARKDOWN] = den_read_markdown,
    [DEN_FORMAT_CSV] = den_read_csv,
    [DEN_FORMAT_JSON] = den_read_json,
    [DEN_FORMAT_WORD] = den_read_word,
    [DEN_FORMAT_RTF] = den_read_rtf,
    [DEN_FORMAT_MAIL] = den_read_mail,
    [DEN_FORMAT_MAILBOX] = den_read_mailbox,
    [DEN_FORMAT_ARCHIVE] = den_read_archive,
    [DEN_FORMAT_HTML] = den_read_html,
    [DEN_FORMAT_EPUB] = den_read_epub,
    [DEN_FORMAT_OPEN_TEXT] = den_read_open_document,
    [DEN_FORMAT_OPEN_SHEETS] = den_read_open_document,
    [DEN_FORMAT_OPEN_SLIDES] = den_read_open_document,
    [DEN_FORMAT_SHEETS] = den_read_sheets,
    [DEN_FORMAT_SLIDES] = den_read_slides,
};

void den_reader_prepare(void)
{
    setenv("TZ", "UTC0",
           1); /* libzip asks for local times, which would look for a file each time */
    tzset();
    den_charset_prepare();
    xmlInitParser();
}

static enum den_status refuse_unknown(const struct den_input *input, struct den_error *err)
{
    static const char ole[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

    if (input->length >= 8 && memcmp(input->data, ole, 8) == 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "%s: an Office file of the old kind, or one with a password; save it as "
                        ".docx, .xlsx or .pptx without one",
                        input->name);
    return den_fail(err, DEN_UNSUPPORTED,
                    "%s: of a format that is not known; PDF, Word, PowerPoint, Excel, "
                    "OpenDocument, RTF, EPUB, HTML, Markdown, text, code, CSV, JSON, e-mail, "
                    "pictures and zip of these can be read",
                    input->name);
}

static enum den_status refuse_empty(const char *name, struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE,
                    "%s: is empty: it has no bytes at all; fetch or save it again", name);
}

enum den_status den_read_any(const struct den_input *input, struct den_writer *writer,
                             struct den_error *err)
{
    struct den_input known = *input;

    if (input->length == 0)
        return refuse_empty(input->name, err);
    if (known.format == DEN_FORMAT_UNKNOWN)
        known.format = den_format_sniff(input->data, input->length, input->name);
    if (known.format == DEN_FORMAT_UNKNOWN)
        return refuse_unknown(&known, err);
    if ((known.format == DEN_FORMAT_PDF || known.format == DEN_FORMAT_PICTURE) &&
        input->nesting > 0 && writer->sink->member)
        return den_writer_member(writer, input->data, input->length, err);
    if ((size_t)known.format >= sizeof readers / sizeof readers[0] || !readers[known.format])
        return den_fail(err, DEN_UNSUPPORTED, "%s: a %s within another file; add it by itself",
                        input->name, den_format_text(known.format));
    if (readers[known.format](&known, writer, err) != DEN_OK)
        return err->status;
    return den_writer_status(writer, err);
}

/* Maps the whole; *out is unmapped by the caller. */
static enum den_status map_source(const struct den_reader_source *source, struct den_input *out,
                                  struct den_error *err)
{
    struct stat about;
    void *data;

    out->name = source->name ? source->name : "file";
    out->format = source->format;
    if (fstat(source->fd, &about) != 0)
        return den_fail_errno(err, DEN_IO, "%s", out->name);
    if (!S_ISREG(about.st_mode))
        return den_fail(err, DEN_BAD_FILE, "%s: is no regular file", out->name);
    if (about.st_size == 0)
        return refuse_empty(out->name, err);
    if ((uint64_t)about.st_size > DEN_DOCUMENT_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%s: has %lld bytes; at most %llu can be read",
                        out->name, (long long)about.st_size,
                        (unsigned long long)DEN_DOCUMENT_BYTES_MAX);
    data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, source->fd, 0);
    if (data == MAP_FAILED)
        return den_fail_errno(err, DEN_NO_MEMORY, "%s: %lld bytes can't be mapped", out->name,
                              (long long)about.st_size);
    out->data = data;
    out->length = (size_t)about.st_size;
    return DEN_OK;
}

static enum den_status read_with(const struct den_reader_source *source,
                                 const struct den_document_sink *sink, den_read *read, double scale,
                                 struct den_error *err)
{
    struct den_input input = { 0 };
    struct den_writer writer;
    uint64_t inflated = 0;

    if (map_source(source, &input, err) != DEN_OK)
        return err->status;
    input.inflated = &inflated;
    input.scale = scale;
    den_writer_init(&writer, sink, source->first_number);
    if (read(&input, &writer, err) == DEN_OK) {
        den_writer_finish(&writer);
        den_writer_status(&writer, err);
    }
    den_writer_deinit(&writer);
    munmap((void *)(uintptr_t)input.data, input.length);
    return err->status;
}

enum den_status den_reader_read(const struct den_reader_source *source,
                                const struct den_document_sink *sink, struct den_error *err)
{
    return read_with(source, sink, den_read_any, 0, err);
}

enum den_status den_reader_read_pdf_layout(const struct den_reader_source *source,
                                           const struct den_document_sink *sink,
                                           struct den_error *err)
{
    return read_with(source, sink, den_read_pdf_layout, 0, err);
}

enum den_status den_reader_read_recognised(const struct den_reader_source *source, double scale,
                                           const struct den_document_sink *sink,
                                           struct den_error *err)
{
    if (!(scale > 0 && scale <= 100))
        return den_fail(err, DEN_INVALID, "%g points a pixel; 72 over the dots per inch is right",
                        scale);
    return read_with(source, sink, den_read_recognised, scale, err);
}
