/* Reading: PDF, with poppler's programs and readers of our own.
 *
 * pdfinfo says how many pages there are. They are read in stretches: pdftotext prints the words of
 * some pages with their places, a reader's child makes parts of what it printed. So a document of
 * 2,000 pages takes no more memory than one of thirty. A stretch that fails is read again page by
 * page, and only the page that breaks poppler is lost. A page that has next to no text is a
 * picture, or blank: it is rendered and recognised (reading_scan.c).
 *
 * Pages that are lost do not end the document: the note at its end names them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "desk/page_ranges.h"
#include "desk/reading_parts.h"
#include "desk/reading_pdf_info.h"
#include "guard/sandbox_program.h"

enum {
    INFO_BYTES_MAX = 1 << 20,
    SCAN_LETTERS_MAX = 16 /* a page with fewer may be a scan with a page number printed on it */
};

struct pdf {
    const struct den_reading *reading;
    const struct den_document_sink *sink;
    struct den_pdf_info info;
    size_t page_count; /* that are read */
    size_t next_page;  /* the first that has not been handed over */
    bool sink_failed;  /* the failure is the sink's, or a cancellation: nothing is tried again */
    struct den_page_ranges unreadable, unrecognised;
    char why_unrecognised[256];
};

/* --- recognising --- */

static size_t count_letters(const struct den_part *part)
{
    size_t count = 0, i;

    for (i = 0; i < part->length && count < SCAN_LETTERS_MAX; i++)
        count += (unsigned char)part->text[i] > ' ';
    return count;
}

static enum den_status hand_over(struct pdf *pdf, const struct den_part *part,
                                 struct den_error *err)
{
    if (pdf->sink->part(pdf->sink->context, part, err) != DEN_OK)
        pdf->sink_failed = true;
    return err->status;
}

struct recognised { /* where the recognised text of one page goes */
    struct pdf *pdf;
    const struct den_part *plain; /* what pdftotext found */
    bool is_better;
};

static enum den_status take_recognised(void *context, const struct den_part *part,
                                       struct den_error *err)
{
    struct recognised *recognised = context;

    if (part->length <= recognised->plain->length || part->number != recognised->plain->number)
        return DEN_OK;
    recognised->is_better = true;
    return hand_over(recognised->pdf, part, err);
}

static void note_unrecognised(struct pdf *pdf, size_t page, const struct den_error *why)
{
    if (pdf->unrecognised.count == 0)
        snprintf(pdf->why_unrecognised, sizeof pdf->why_unrecognised, "%.250s", why->message);
    den_page_ranges_add(&pdf->unrecognised, page);
}

static enum den_status recognise(struct pdf *pdf, const struct den_part *part,
                                 struct den_error *err)
{
    struct recognised recognised = { .pdf = pdf, .plain = part };
    const struct den_document_sink sink = { .context = &recognised, .part = take_recognised };
    const struct den_scan_page page = { pdf->reading, part->number, part->width, part->height };
    struct den_error problem = { 0 };

    den_reading_scan_page(&page, &sink, &problem);
    if (problem.status != DEN_OK && (pdf->sink_failed || problem.status == DEN_CANCELLED)) {
        pdf->sink_failed = true;
        *err = problem;
        return err->status;
    }
    if (problem.status != DEN_OK)
        note_unrecognised(pdf, part->number, &problem);
    return recognised.is_better ? DEN_OK : hand_over(pdf, part, err);
}

/* --- stretches --- */

static enum den_status take_page(void *context, const struct den_part *part, struct den_error *err)
{
    struct pdf *pdf = context;

    if (part->number + 1 < pdf->next_page || part->number > pdf->page_count)
        return den_fail(err, DEN_BAD_FILE, "page %zu came out of order", part->number);
    pdf->next_page = part->number + 1;
    if (!pdf->reading->no_recognition && count_letters(part) < SCAN_LETTERS_MAX)
        return recognise(pdf, part, err);
    return hand_over(pdf, part, err);
}

/* Hands over pages from `first` to `last`, as far as it comes. */
static enum den_status read_stretch(struct pdf *pdf, size_t first, size_t last,
                                    struct den_error *err)
{
    char from[32], to[32];
    const char *const argv[] = { "pdftotext", "-bbox-layout",    "-enc", "UTF-8", "-f", from, "-l",
                                 to,          DEN_SANDBOX_INPUT, "-",    NULL };
    const struct den_program_run run = { .name = "pdftotext",
                                         .argv = argv,
                                         .stdin_fd = -1,
                                         .input_fd = pdf->reading->fd,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX,
                                         .cancel = pdf->reading->cancel };
    const struct den_document_sink sink = { .context = pdf, .part = take_page };
    struct den_reader_order order = { .mode = DEN_READER_LAYOUT,
                                      .name = pdf->reading->name,
                                      .format = DEN_FORMAT_PDF,
                                      .first_number = first,
                                      .cancel = pdf->reading->cancel };
    struct den_program_result result;

    snprintf(from, sizeof from, "%zu", first);
    snprintf(to, sizeof to, "%zu", last);
    if (den_program_run(&run, &result, err) != DEN_OK)
        return err->status;
    order.fd = result.output_fd;
    if (result.exit_code != 0)
        den_fail(err, DEN_BAD_FILE, "pdftotext gave up: %.200s", result.complaint);
    else
        den_reading_by_child(&order, &sink, err);
    close(result.output_fd);
    return err->status;
}

/* Whether reading may go on after `problem`. */
static bool can_go_on(const struct pdf *pdf, const struct den_error *problem)
{
    return !pdf->sink_failed && problem->status != DEN_CANCELLED &&
           problem->status != DEN_UNSUPPORTED && problem->status != DEN_FORBIDDEN;
}

/* The pages of a stretch that failed, each by itself. */
static enum den_status read_pages(struct pdf *pdf, size_t last, struct den_error *err)
{
    while (pdf->next_page <= last) {
        const size_t page = pdf->next_page;
        struct den_error problem = { 0 };

        read_stretch(pdf, page, page, &problem);
        if (problem.status != DEN_OK && !can_go_on(pdf, &problem)) {
            *err = problem;
            return err->status;
        }
        if (pdf->next_page == page) {
            den_page_ranges_add(&pdf->unreadable, page);
            pdf->next_page = page + 1;
        }
    }
    return DEN_OK;
}

static enum den_status read_all(struct pdf *pdf, struct den_error *err)
{
    while (pdf->next_page <= pdf->page_count) {
        const size_t first = pdf->next_page;
        const size_t left = pdf->page_count - first;
        const size_t last =
            first + (left < DEN_PDF_STRETCH_PAGES ? left : DEN_PDF_STRETCH_PAGES - 1);
        struct den_error problem = { 0 };

        read_stretch(pdf, first, last, &problem);
        if (problem.status != DEN_OK && !can_go_on(pdf, &problem)) {
            *err = problem;
            return err->status;
        }
        if (read_pages(pdf, last, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* --- the whole --- */

/* The first thing that poppler says, which often repeats itself: "Syntax Error: ... Syntax ...". */
static int find_first(const char *complaint, const char **out)
{
    enum { SHOWN_MAX = 200 };
    static const char kind[] = "Syntax Error: ";
    const char *next;
    size_t length;

    *out = *complaint ? complaint : "no word";
    if (strncmp(*out, kind, sizeof kind - 1) == 0)
        *out += sizeof kind - 1;
    next = strstr(*out, " Syntax ");
    length = next ? (size_t)(next - *out) : strlen(*out);
    return length < SHOWN_MAX ? (int)length : SHOWN_MAX;
}

static enum den_status refuse(const struct pdf *pdf, const struct den_program_result *result,
                              struct den_error *err)
{
    const char *name = pdf->reading->name, *complaint;
    int length;

    if (strstr(result->complaint, "password") || strstr(result->complaint, "encrypt"))
        return den_fail(err, DEN_UNSUPPORTED,
                        "%s: is locked with a password; save a copy without one", name);
    length = find_first(result->complaint, &complaint);
    return den_fail(err, DEN_BAD_FILE,
                    "%s: is a PDF that is damaged or not whole (poppler: %.*s); fetch or export it "
                    "again",
                    name, length, complaint);
}

static enum den_status ask_info(struct pdf *pdf, struct den_error *err)
{
    static const char *const argv[] = { "pdfinfo", "-isodates",       "-enc",
                                        "UTF-8",   DEN_SANDBOX_INPUT, NULL };
    const struct den_program_run run = { .name = "pdfinfo",
                                         .argv = argv,
                                         .stdin_fd = -1,
                                         .input_fd = pdf->reading->fd,
                                         .output_max = INFO_BYTES_MAX,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX,
                                         .cancel = pdf->reading->cancel };
    struct den_program_result result;
    char *text = NULL;

    if (den_program_run(&run, &result, err) != DEN_OK)
        return den_fail_at(err, "%s", pdf->reading->name);
    if (result.exit_code != 0)
        refuse(pdf, &result, err);
    else if (den_program_text(&result, &text, err) == DEN_OK)
        den_pdf_info_parse(text, result.output_bytes, &pdf->info);
    free(text);
    close(result.output_fd);
    if (err->status == DEN_OK && pdf->info.pages == 0)
        den_fail(err, DEN_BAD_FILE, "%s: has no pages", pdf->reading->name);
    return err->status;
}

static void write_note(const struct pdf *pdf, char *out, size_t capacity)
{
    char pages[1024];
    size_t length = 0;

    *out = '\0';
    if (pdf->unreadable.count > 0) {
        den_page_ranges_write(&pdf->unreadable, pages, sizeof pages);
        length += (size_t)snprintf(out, capacity, "%s could not be read.", pages);
        *out = 'P';
    }
    if (pdf->unrecognised.count > 0 && length < capacity) {
        den_page_ranges_write(&pdf->unrecognised, pages, sizeof pages);
        *pages = 'P';
        length +=
            (size_t)snprintf(out + length, capacity - length, "%s%s could not be recognised: %s.",
                             length ? " " : "", pages, pdf->why_unrecognised);
    }
    if (pdf->info.pages > pdf->page_count && length < capacity)
        snprintf(out + length, capacity - length,
                 "%sIt has %zu pages, of which the first %zu were read.", length ? " " : "",
                 pdf->info.pages, pdf->page_count);
}

static enum den_status tell_facts(const struct pdf *pdf, const char *note, struct den_error *err)
{
    const struct den_document_facts facts = { .title = pdf->info.title,
                                              .author = pdf->info.author,
                                              .note = note,
                                              .part_count = pdf->page_count,
                                              .created = pdf->info.created };

    return pdf->sink->facts ? pdf->sink->facts(pdf->sink->context, &facts, err) : DEN_OK;
}

enum den_status den_reading_pdf(const struct den_reading *reading,
                                const struct den_document_sink *sink, struct den_error *err)
{
    struct pdf *pdf = calloc(1, sizeof *pdf);
    char note[DEN_DOCUMENT_NOTE_BYTES_MAX];

    if (!pdf)
        return den_fail(err, DEN_NO_MEMORY, "reading: out of memory");
    pdf->reading = reading;
    pdf->sink = sink;
    pdf->next_page = 1;
    if (ask_info(pdf, err) != DEN_OK)
        goto end;
    pdf->page_count =
        pdf->info.pages < DEN_PDF_PAGES_MAX ? pdf->info.pages : (size_t)DEN_PDF_PAGES_MAX;
    if (tell_facts(pdf, "", err) != DEN_OK || read_all(pdf, err) != DEN_OK)
        goto end;
    if (pdf->unreadable.count == pdf->page_count) {
        den_fail(err, DEN_BAD_FILE, "%s: none of its %zu pages could be read", reading->name,
                 pdf->page_count);
        goto end;
    }
    write_note(pdf, note, sizeof note);
    tell_facts(pdf, note, err);
end:
    free(pdf);
    return err->status;
}
