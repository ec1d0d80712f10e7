/* Reading PDF and pictures: by poppler and tesseract where they are installed (skipped where they
 * are not). Sound files give their text, hostile ones a sentence, and the front is there after
 * each. The files are made by tests/fixtures/make_pdfs.py. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "desk/reading.h"
#include "desk/reading_tools.h"
#include "guard/sandbox_program.h"

__attribute__((constructor)) static void be_a_program_if_asked(int argc, char **argv)
{
    den_sandbox_become_program(argc, argv);
}

enum { PAGES_MAX = 8 };
struct seen {
    size_t parts, words;
    size_t numbers[PAGES_MAX];
    bool scanned[PAGES_MAX];
    char texts[PAGES_MAX][1024];
    char last_label[256];
    size_t part_count;
    int64_t created;
    char title[128], author[128], note[1024];
};

static enum den_status see_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct seen *seen = context;
    struct den_error check = { 0 };

    (void)err;
    assert_int_equal(den_part_check(part, &check), DEN_OK);
    assert_true(seen->parts < PAGES_MAX);
    seen->numbers[seen->parts] = part->number;
    seen->scanned[seen->parts] = part->scanned;
    snprintf(seen->texts[seen->parts], sizeof seen->texts[0], "%.*s", (int)part->length,
             part->text);
    snprintf(seen->last_label, sizeof seen->last_label, "%s", part->label);
    seen->words += part->word_count;
    seen->parts++;
    return DEN_OK;
}

static enum den_status see_facts(void *context, const struct den_document_facts *facts,
                                 struct den_error *err)
{
    struct seen *seen = context;

    (void)err;
    snprintf(seen->title, sizeof seen->title, "%s", facts->title);
    snprintf(seen->author, sizeof seen->author, "%s", facts->author);
    snprintf(seen->note, sizeof seen->note, "%s", facts->note);
    seen->part_count = facts->part_count;
    seen->created = facts->created;
    return DEN_OK;
}

static bool has(const char *tool)
{
    char path[64];

    return den_sandbox_program_find(tool, path);
}

static int open_fixture(const char *name)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/pdf/%s", DEN_FIXTURES, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static enum den_status read_fixture(const char *name, struct seen *seen, struct den_error *err)
{
    const struct den_document_sink sink = { .context = seen, .part = see_part, .facts = see_facts };
    struct den_reading reading = { .fd = open_fixture(name), .name = name };

    *err = (struct den_error){ 0 };
    *seen = (struct seen){ 0 };
    den_reading_run(&reading, &sink, err);
    close(reading.fd);
    return err->status;
}

#define NEED(tool)                                                                                 \
    do {                                                                                           \
        (void)state;                                                                               \
        if (!has(tool))                                                                            \
            skip();                                                                                \
    } while (0)
#define assert_reads(name)                                                                         \
    do {                                                                                           \
        if (read_fixture(name, &seen, &err) != DEN_OK)                                             \
            fail_msg("%s: %s", name, err.message);                                                 \
    } while (0)
#define assert_holds(text, part)                                                                   \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in '%s'", part, text);                                           \
    } while (0)

static struct seen seen;
static struct den_error err;

static void test_text_with_facts(void **state)
{
    NEED("pdftotext");
    assert_reads("text.pdf");
    assert_int_equal(seen.parts, 2);
    assert_int_equal(seen.part_count, 2);
    assert_int_equal(seen.numbers[0], 1);
    assert_int_equal(seen.numbers[1], 2);
    assert_holds(seen.texts[0], "The rent is 940 dollars a month.");
    assert_holds(seen.texts[1], "The landlord repairs the roof and the heating.");
    assert_true(seen.words > 20);
    assert_false(seen.scanned[0]);
    assert_string_equal(seen.title, "Lease (2024)");
    assert_string_equal(seen.author, "Ada Moss");
    assert_string_equal(seen.note, "");
    assert_true(seen.created == 1706702400000);
}

static void test_columns_one_after_the_other(void **state)
{
    const char *left, *right;

    NEED("pdftotext");
    assert_reads("columns.pdf");
    left = strstr(seen.texts[0], "the left one has ended");
    right = strstr(seen.texts[0], "Second column begins");
    assert_non_null(left);
    assert_non_null(right);
    assert_true(left < right);
}

static void test_scanned_page_is_recognised(void **state)
{
    NEED("pdftoppm");
    NEED("tesseract");
    assert_reads("scanned.pdf");
    assert_int_equal(seen.parts, 1);
    assert_true(seen.scanned[0]);
    assert_holds(seen.texts[0], "hardware store");
    assert_holds(seen.texts[0], "86 dollars");
    assert_true(seen.words >= 10);
}

static void test_mixed_page_by_page(void **state)
{
    NEED("pdftoppm");
    NEED("tesseract");
    assert_reads("mixed.pdf");
    assert_int_equal(seen.parts, 3);
    assert_false(seen.scanned[0]);
    assert_holds(seen.texts[0], "The rent is 940 dollars");
    assert_true(seen.scanned[1]);
    assert_holds(seen.texts[1], "copper pipes");
    assert_int_equal(seen.numbers[2], 3);
    assert_string_equal(seen.texts[2], "");
    assert_string_equal(seen.note, "");
}

static void test_pictures(void **state)
{
    static const char *const names[] = { "picture.jpg", "picture.webp" };
    size_t i;

    NEED("tesseract");
    for (i = 0; i < 2; i++) {
        assert_reads(names[i]);
        assert_int_equal(seen.parts, 1);
        assert_true(seen.scanned[0]);
        assert_holds(seen.texts[0], "copper pipes");
    }
}

static void test_recognising_can_be_off(void **state)
{
    const struct den_document_sink sink = { .context = &seen,
                                            .part = see_part,
                                            .facts = see_facts };
    struct den_reading reading = { .name = "scanned.pdf", .no_recognition = true };

    NEED("pdftotext");
    seen = (struct seen){ 0 };
    err = (struct den_error){ 0 };
    reading.fd = open_fixture("scanned.pdf");
    assert_int_equal(den_reading_run(&reading, &sink, &err), DEN_OK);
    close(reading.fd);
    assert_int_equal(seen.parts, 1);
    assert_string_equal(seen.texts[0], "");
}

static void test_one_bad_page_is_not_the_end(void **state)
{
    NEED("pdftotext");
    assert_reads("broken.pdf");
    assert_int_equal(seen.parts, 3);
    assert_holds(seen.texts[0], "The rent is 940 dollars");
    assert_holds(seen.texts[2], "The landlord repairs the roof");
}

static void test_hostile_files_end_with_a_sentence(void **state)
{
    static const struct {
        const char *name, *says;
        enum den_status status;
    } cases[] = {
        { "locked.pdf", "password", DEN_UNSUPPORTED }, { "truncated.pdf", "damaged", DEN_BAD_FILE },
        { "loop.pdf", "damaged", DEN_BAD_FILE },       { "many.pdf", "damaged", DEN_BAD_FILE },
        { "empty.pdf", "empty", DEN_BAD_FILE },
    };
    size_t i;

    NEED("pdftotext");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_fixture(cases[i].name, &seen, &err) != cases[i].status)
            fail_msg("%s: status %d: %s", cases[i].name, (int)err.status, err.message);
        assert_holds(err.message, cases[i].says);
        assert_int_equal(seen.parts, 0);
    }
    if (read_fixture("deep.pdf", &seen, &err) == DEN_OK) /* poppler's versions differ */
        assert_holds(seen.texts[0], "there is a page");
    else
        assert_int_equal(err.status, DEN_BAD_FILE);
    assert_reads("text.pdf"); /* and all is as before */
}

static void test_a_page_too_large_to_recognise(void **state)
{
    NEED("tesseract");
    assert_reads("huge_page.pdf");
    assert_int_equal(seen.parts, 1);
    assert_holds(seen.note, "Page 1 could not be recognised");
}

/* What isn't a PDF but its first bytes. */
static void test_random_bytes(void **state)
{
    const struct den_document_sink sink = { .context = &seen,
                                            .part = see_part,
                                            .facts = see_facts };
    unsigned char bytes[20000];
    unsigned round, seed = 7;
    size_t i;

    NEED("pdftotext");
    for (round = 0; round < 4; round++) {
        struct den_reading reading = { .fd = memfd_create("x", MFD_CLOEXEC), .name = "x.pdf" };

        for (i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
        memcpy(bytes, "%PDF-1.7\n", 9);
        assert_int_equal(write(reading.fd, bytes, sizeof bytes), sizeof bytes);
        err = (struct den_error){ 0 };
        assert_int_equal(den_reading_run(&reading, &sink, &err), DEN_BAD_FILE);
        close(reading.fd);
    }
}

static void test_page_as_picture(void **state)
{
    struct den_reading_page page = { .format = DEN_FORMAT_PDF, .number = 2, .width_max = 300 };
    unsigned char *png = NULL;
    size_t length = 0;

    NEED("pdftoppm");
    err = (struct den_error){ 0 };
    page.fd = open_fixture("text.pdf");
    if (den_reading_picture(&page, (void **)&png, &length, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_memory_equal(png, "\x89PNG", 4);
    assert_int_equal(png[18] << 8 | png[19], 300); /* width, and height in proportion */
    assert_int_equal(png[22] << 8 | png[23], 388);
    free(png);
    page.number = 3;
    assert_int_equal(den_reading_picture(&page, (void **)&png, &length, &err), DEN_NOT_FOUND);
    close(page.fd);
    page = (struct den_reading_page){ .format = DEN_FORMAT_PDF, .number = 1, .width_max = 300 };
    page.fd = open_fixture("truncated.pdf");
    err = (struct den_error){ 0 };
    assert_int_equal(den_reading_picture(&page, (void **)&png, &length, &err), DEN_BAD_FILE);
    close(page.fd);
    page = (struct den_reading_page){ .format = DEN_FORMAT_PICTURE, .number = 1 };
    page.fd = open_fixture("picture.jpg");
    err = (struct den_error){ 0 };
    assert_int_equal(den_reading_picture(&page, (void **)&png, &length, &err), DEN_OK);
    assert_string_equal(den_picture_media_type(png, length), "image/jpeg");
    free(png);
    page.number = 2;
    assert_int_equal(den_reading_picture(&page, (void **)&png, &length, &err), DEN_NOT_FOUND);
    close(page.fd);
    page.format = DEN_FORMAT_TEXT;
    assert_int_equal(den_reading_picture(&page, (void **)&png, &length, &err), DEN_UNSUPPORTED);
}

/* --- within other files --- */

/* A mail with the file at `path` attached, as a memory file. */
static int make_mail(const char *path, const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int fd = open_fixture(path), mail = memfd_create("mail", MFD_CLOEXEC);
    unsigned char bytes[3];
    ssize_t count;
    int column = 0;

    dprintf(mail,
            "From: a@b\nTo: c@d\nDate: Fri, 01 Mar 2024 10:00:00 +0100\nSubject: Papers\n"
            "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nPlease read.\n--x\n"
            "Content-Type: application/octet-stream; name=\"%s\"\n"
            "Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n",
            name);
    while ((count = read(fd, bytes, 3)) > 0) {
        unsigned bits = (unsigned)bytes[0] << 16 | (count > 1 ? (unsigned)bytes[1] << 8 : 0) |
                        (count > 2 ? bytes[2] : 0);

        dprintf(mail, "%c%c%c%c%s", letters[bits >> 18], letters[bits >> 12 & 63],
                count > 1 ? letters[bits >> 6 & 63] : '=', count > 2 ? letters[bits & 63] : '=',
                ++column % 18 == 0 ? "\n" : "");
    }
    dprintf(mail, "\n--x--\n");
    close(fd);
    return mail;
}

static enum den_status read_mail(const char *path, const char *name)
{
    const struct den_document_sink sink = { .context = &seen,
                                            .part = see_part,
                                            .facts = see_facts };
    struct den_reading reading = { .fd = make_mail(path, name), .name = "papers.eml" };

    err = (struct den_error){ 0 };
    seen = (struct seen){ 0 };
    den_reading_run(&reading, &sink, &err);
    close(reading.fd);
    return err.status;
}

static void test_attached_to_a_mail(void **state)
{
    NEED("pdftotext");
    assert_int_equal(read_mail("text.pdf", "lease.pdf"), DEN_OK);
    assert_int_equal(seen.parts, 3);
    assert_holds(seen.texts[0], "Please read.");
    assert_holds(seen.texts[1], "The rent is 940 dollars a month.");
    assert_holds(seen.texts[2], "The landlord repairs the roof and the heating.");
    assert_int_equal(seen.numbers[2], 2);
    assert_string_equal(seen.last_label, "Papers > lease.pdf");
    assert_string_equal(seen.title, "Papers");
    assert_string_equal(seen.note, "");
    assert_int_equal(read_mail("locked.pdf", "lease.pdf"), DEN_OK);
    assert_int_equal(seen.parts, 1);
    assert_holds(seen.note, "password");
    assert_int_equal(read_mail("broken.pdf", "lease.pdf"), DEN_OK);
    assert_true(seen.parts >= 3);
}

static void test_a_picture_attached_to_a_mail(void **state)
{
    NEED("tesseract");
    assert_int_equal(read_mail("picture.jpg", "photo.jpg"), DEN_OK);
    assert_int_equal(seen.parts, 2);
    assert_true(seen.scanned[1]);
    assert_string_equal(seen.last_label, "Papers > photo.jpg");
}

int desk_test_reading_pdf(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_with_facts),
        cmocka_unit_test(test_columns_one_after_the_other),
        cmocka_unit_test(test_scanned_page_is_recognised),
        cmocka_unit_test(test_mixed_page_by_page),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_recognising_can_be_off),
        cmocka_unit_test(test_one_bad_page_is_not_the_end),
        cmocka_unit_test(test_hostile_files_end_with_a_sentence),
        cmocka_unit_test(test_a_page_too_large_to_recognise),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_page_as_picture),
        cmocka_unit_test(test_attached_to_a_mail),
        cmocka_unit_test(test_a_picture_attached_to_a_mail),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
