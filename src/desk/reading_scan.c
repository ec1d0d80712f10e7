/* Reading: pictures of text, recognised by tesseract; and pages as pictures, for people to see.
 *
 * A page is rendered in grey at 200 dots per inch, which is what tesseract reads best for its
 * time, and in less where the page is so large that it would not fit its bounds. What tesseract
 * prints, a table of words with their places, goes through a reader's child as well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/reading_parts.h"
#include "desk/reading_pdf_info.h"
#include "desk/reading_tools.h"
#include "guard/sandbox_program.h"

#define LANGUAGES_DEFAULT "eng+chi_sim"
#define POINTS_PER_INCH   72.0

enum {
    DOTS_PER_INCH = 200,
    DOTS_PER_INCH_MIN = 40, /* letters are five pixels high then: nothing can be read */
    INFO_BYTES_MAX = 1 << 20,
    PNG_HEADER_BYTES = 33,
    WIDTH_DEFAULT = 1000
};

/* --- recognising --- */

/* What it is to be recognised in: one picture. */
struct picture {
    const struct den_reading *reading;
    int fd;
    size_t number;          /* of the page */
    bool is_one_of_many;    /* in a TIFF */
    double scale;           /* points for each of its pixels */
    unsigned dots_per_inch; /* 0: the picture says, or does not */
};

static enum den_status recognise(const struct picture *picture,
                                 const struct den_document_sink *sink, struct den_error *err)
{
    const struct den_reading *reading = picture->reading;
    const char *wanted = reading->languages ? reading->languages : LANGUAGES_DEFAULT;
    char languages[512], dots[16], page[64];
    const char *argv[12] = { "tesseract", "stdin", "stdout", "-l", languages };
    size_t arguments = 5;
    const struct den_program_run run = { .name = "tesseract",
                                         .argv = argv,
                                         .stdin_fd = picture->fd,
                                         .input_fd = -1,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX,
                                         .cancel = reading->cancel };
    struct den_reader_order order = { .mode = DEN_READER_RECOGNISED,
                                      .name = reading->name,
                                      .format = DEN_FORMAT_PICTURE,
                                      .first_number = picture->number,
                                      .scale = picture->scale,
                                      .cancel = reading->cancel };
    struct den_program_result result;

    den_reading_languages_choose(wanted, languages, sizeof languages);
    snprintf(dots, sizeof dots, "%u", picture->dots_per_inch);
    snprintf(page, sizeof page, "tessedit_page_number=%zu", picture->number - 1);
    if (picture->dots_per_inch != 0) {
        argv[arguments++] = "--dpi";
        argv[arguments++] = dots;
    }
    if (picture->is_one_of_many) {
        argv[arguments++] = "-c";
        argv[arguments++] = page;
    }
    argv[arguments] = "tsv";
    if (!*languages) {
        char path[64];

        return den_sandbox_program_find("tesseract", path)
                   ? den_fail(err, DEN_UNSUPPORTED,
                              "tesseract knows none of the languages %s; they come with packages "
                              "such as tesseract-ocr-eng and tesseract-ocr-chi-sim",
                              wanted)
                   : den_fail(err, DEN_UNSUPPORTED,
                              "tesseract is not installed; it comes with the package %s",
                              den_reading_package("tesseract"));
    }
    if (den_program_run(&run, &result, err) != DEN_OK)
        return err->status;
    order.fd = result.output_fd;
    if (result.exit_code != 0)
        den_fail(err, DEN_BAD_FILE, "tesseract gave up: %.200s", result.complaint);
    else
        den_reading_by_child(&order, sink, err);
    close(result.output_fd);
    return err->status;
}

/* What fits DEN_PICTURE_PIXELS_MAX; 0: nothing that could be read. */
static unsigned choose_dots(double width, double height)
{
    double inches = width / POINTS_PER_INCH * (height / POINTS_PER_INCH);
    unsigned dots = DOTS_PER_INCH;

    while (dots >= DOTS_PER_INCH_MIN && inches * dots * dots > DEN_PICTURE_PIXELS_MAX)
        dots -= 20;
    return dots >= DOTS_PER_INCH_MIN ? dots : 0;
}

enum den_status den_reading_scan_page(const struct den_scan_page *page,
                                      const struct den_document_sink *sink, struct den_error *err)
{
    const unsigned dots = choose_dots((double)page->width, (double)page->height);
    char resolution[16], number[32];
    const char *const argv[] = { "pdftoppm", "-r", resolution, "-gray",           "-f",
                                 number,     "-l", number,     DEN_SANDBOX_INPUT, NULL };
    const struct den_program_run run = { .name = "pdftoppm",
                                         .argv = argv,
                                         .stdin_fd = -1,
                                         .input_fd = page->reading->fd,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX,
                                         .cancel = page->reading->cancel };
    struct picture picture = { .reading = page->reading,
                               .number = page->number,
                               .scale = POINTS_PER_INCH / (dots ? dots : 1),
                               .dots_per_inch = dots };
    struct den_program_result result;

    if (dots == 0)
        return den_fail(err, DEN_TOO_LARGE, "the page is %.0f x %.0f points large",
                        (double)page->width, (double)page->height);
    snprintf(resolution, sizeof resolution, "%u", dots);
    snprintf(number, sizeof number, "%zu", page->number);
    if (den_program_run(&run, &result, err) != DEN_OK)
        return err->status;
    picture.fd = result.output_fd;
    if (result.exit_code != 0 || result.output_bytes == 0)
        den_fail(err, DEN_BAD_FILE, "pdftoppm gave up: %.200s", result.complaint);
    else
        recognise(&picture, sink, err);
    close(result.output_fd);
    return err->status;
}

/* --- pictures --- */

struct counted { /* a sink that knows how much went into it */
    const struct den_document_sink *sink;
    size_t parts;
    bool sink_failed;
};

static enum den_status count_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct counted *counted = context;

    counted->parts++;
    counted->sink_failed = counted->sink->part(counted->sink->context, part, err) != DEN_OK;
    return err->status;
}

static bool is_tiff(int fd)
{
    unsigned char start[4];

    return pread(fd, start, sizeof start, 0) == (ssize_t)sizeof start &&
           (memcmp(start, "II*\0", 4) == 0 || memcmp(start, "MM\0*", 4) == 0);
}

/* How many pages a TIFF has is known when one is asked for that it has not. A page that can't be
 * recognised is passed over; when another follows it, the rest is given up. */
static enum den_status scan_pages(const struct den_reading *reading,
                                  const struct den_document_sink *sink, struct den_error *err)
{
    struct counted counted = { .sink = sink };
    const struct den_document_sink counting = { .context = &counted, .part = count_part };
    struct picture picture = {
        .reading = reading, .fd = reading->fd, .scale = 1, .is_one_of_many = true
    };
    struct den_error problem = { 0 }, last = { 0 };
    size_t before;

    do {
        before = counted.parts;
        last = problem;
        problem = (struct den_error){ 0 };
        picture.number++;
        recognise(&picture, &counting, &problem);
        if (counted.sink_failed || problem.status == DEN_CANCELLED) {
            *err = problem;
            return err->status;
        }
    } while (picture.number < DEN_PDF_PAGES_MAX &&
             (counted.parts > before || (problem.status == DEN_BAD_FILE && last.status == DEN_OK)));
    if (counted.parts == 0)
        *err = problem.status != DEN_OK ? problem : last;
    if (counted.parts == 0 && err->status == DEN_OK)
        den_fail(err, DEN_BAD_FILE, "no picture was found in it");
    return err->status;
}

/* A picture's own pixels are its units. */
enum den_status den_reading_scan(const struct den_reading *reading,
                                 const struct den_document_sink *sink, struct den_error *err)
{
    const struct picture picture = {
        .reading = reading, .fd = reading->fd, .number = 1, .scale = 1
    };

    if (reading->no_recognition)
        return den_fail(err, DEN_UNSUPPORTED, "%s: is a picture, and recognising text is off",
                        reading->name);
    if (is_tiff(reading->fd))
        scan_pages(reading, sink, err);
    else
        recognise(&picture, sink, err);
    return err->status == DEN_OK ? DEN_OK : den_fail_at(err, "%s", reading->name);
}

/* --- pages to look at --- */

static enum den_status measure(const struct den_reading_page *page, struct den_pdf_info *out,
                               struct den_error *err)
{
    char number[32];
    const char *const argv[] = { "pdfinfo", "-enc", "UTF-8",           "-f", number,
                                 "-l",      number, DEN_SANDBOX_INPUT, NULL };
    const struct den_program_run run = { .name = "pdfinfo",
                                         .argv = argv,
                                         .stdin_fd = -1,
                                         .input_fd = page->fd,
                                         .output_max = INFO_BYTES_MAX,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX };
    struct den_program_result result;
    char *text = NULL;

    snprintf(number, sizeof number, "%zu", page->number);
    if (den_program_run(&run, &result, err) != DEN_OK)
        return err->status;
    if (den_program_text(&result, &text, err) == DEN_OK)
        den_pdf_info_parse(text, result.output_bytes, out);
    free(text);
    close(result.output_fd);
    if (err->status != DEN_OK)
        return err->status;
    if (strstr(result.complaint, "page range"))
        return den_fail(err, DEN_NOT_FOUND, "there is no page %zu", page->number);
    if (result.exit_code != 0 || out->width <= 0)
        return den_fail(err, DEN_BAD_FILE, "page %zu can't be shown: %.200s", page->number,
                        result.complaint);
    return DEN_OK;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* A signature, a header with these bounds, and the chunk that ends all PNGs. */
static bool is_png(const unsigned char *bytes, size_t length, size_t width_max)
{
    static const unsigned char start[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n',
                                           0,    0,   0,   13,  'I',  'H',  'D',  'R' };
    static const unsigned char end[] = { 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82 };
    uint32_t width, height;

    if (length < PNG_HEADER_BYTES + sizeof end || memcmp(bytes, start, sizeof start) != 0 ||
        memcmp(bytes + length - sizeof end, end, sizeof end) != 0)
        return false;
    width = big_endian(bytes + 16);
    height = big_endian(bytes + 20);
    return width > 0 && height > 0 && width <= width_max &&
           (uint64_t)width * height <= DEN_PICTURE_PIXELS_MAX;
}

static enum den_status render(const struct den_reading_page *page, size_t width, size_t height,
                              struct den_program_result *out, struct den_error *err)
{
    char number[32], across[32], down[32];
    const char *const argv[] = { "pdftoppm",
                                 "-png",
                                 "-f",
                                 number,
                                 "-l",
                                 number,
                                 "-scale-to-x",
                                 across,
                                 "-scale-to-y",
                                 down,
                                 DEN_SANDBOX_INPUT,
                                 NULL };
    const struct den_program_run run = { .name = "pdftoppm",
                                         .argv = argv,
                                         .stdin_fd = -1,
                                         .input_fd = page->fd,
                                         .output_max = DEN_PICTURE_BYTES_MAX,
                                         .seconds_max = DEN_PDF_PAGE_SECONDS_MAX };

    snprintf(number, sizeof number, "%zu", page->number);
    snprintf(across, sizeof across, "%zu", width);
    snprintf(down, sizeof down, "%zu", height);
    return den_program_run(&run, out, err);
}

const char *den_picture_media_type(const void *start, size_t length)
{
    if (length >= 8 && memcmp(start, "\x89PNG\r\n\x1A\n", 8) == 0)
        return "image/png";
    if (length >= 3 && memcmp(start, "\xFF\xD8\xFF", 3) == 0)
        return "image/jpeg";
    if (length >= 12 && memcmp(start, "RIFF", 4) == 0 &&
        memcmp((const char *)start + 8, "WEBP", 4) == 0)
        return "image/webp";
    return NULL;
}

/* The picture itself; words lie on its own pixels. */
static enum den_status copy_picture(const struct den_reading_page *page, void **out,
                                    size_t *out_length, struct den_error *err)
{
    struct den_program_result whole = { .output_fd = page->fd };
    char *bytes = NULL;
    struct stat info;

    if (page->number != 1)
        return den_fail(err, DEN_NOT_FOUND, "a picture has one page");
    if (fstat(page->fd, &info) != 0 || info.st_size > DEN_PICTURE_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "the picture is too large to be shown");
    whole.output_bytes = (size_t)info.st_size;
    if (den_program_text(&whole, &bytes, err) != DEN_OK)
        return err->status;
    if (!den_picture_media_type(bytes, whole.output_bytes)) {
        free(bytes);
        return den_fail(err, DEN_UNSUPPORTED,
                        "browsers do not show pictures of this kind; its original can be opened");
    }
    *out = bytes;
    *out_length = whole.output_bytes;
    return DEN_OK;
}

enum den_status den_reading_picture(const struct den_reading_page *page, void **out_png,
                                    size_t *out_length, struct den_error *err)
{
    size_t width = page->width_max ? page->width_max : WIDTH_DEFAULT;
    struct den_pdf_info info = { 0 };
    struct den_program_result result;
    double height;
    char *png = NULL;

    if (page->format == DEN_FORMAT_PICTURE)
        return copy_picture(page, out_png, out_length, err);
    if (page->format != DEN_FORMAT_PDF)
        return den_fail(err, DEN_UNSUPPORTED,
                        "a file of the format '%s' has no pages to show; its original can be "
                        "opened",
                        den_format_text(page->format));
    if (page->number == 0)
        return den_fail(err, DEN_INVALID, "pages are counted from 1");
    if (measure(page, &info, err) != DEN_OK)
        return err->status;
    height = (double)width * info.height / info.width;
    if (height < 1 || height * (double)width > DEN_PICTURE_PIXELS_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "page %zu is %.0f x %.0f points large; it can't be shown", page->number,
                        info.width, info.height);
    if (render(page, width, (size_t)height, &result, err) != DEN_OK)
        return err->status;
    if (den_program_text(&result, &png, err) == DEN_OK &&
        !is_png((const unsigned char *)png, result.output_bytes, width))
        den_fail(err, DEN_BAD_FILE, "page %zu can't be shown: %.200s", page->number,
                 *result.complaint ? result.complaint : "poppler made no picture of it");
    close(result.output_fd);
    if (err->status != DEN_OK) {
        free(png);
        return err->status;
    }
    *out_png = png;
    *out_length = result.output_bytes;
    return DEN_OK;
}
