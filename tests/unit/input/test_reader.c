/* The reader's door: what it takes, how parts are numbered, where it stops. */
#include "test.h"

#include <string.h>

#include "collect.h"

static struct collect collect;
static struct den_error err;

static void numbers_stretches(void **state)
{
    struct den_document_sink sink = { .context = &collect,
                                      .part = collect_part,
                                      .facts = collect_facts };
    static const char text[] =
        "<doc><page width=\"1\" height=\"1\"></page><page width=\"1\"></page></doc>";
    struct den_reader_source source = { .fd = memory_file(text, strlen(text)),
                                        .name = "a.pdf",
                                        .first_number = 33 };

    memset(&collect, 0, sizeof collect);
    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read_pdf_layout(&source, &sink, &err), DEN_OK);
    assert_int_equal(collect.parts[0].number, 33);
    assert_int_equal(collect.parts[1].number, 34);
    assert_int_equal(collect.facts, 1);
    close(source.fd);
    collect_free(&collect);
}

static void takes_regular_files_only(void **state)
{
    struct den_document_sink sink = { .context = &collect,
                                      .part = collect_part,
                                      .facts = collect_facts };
    struct den_reader_source source = { .fd = -1, .name = "a" };
    int ends[2];

    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read(&source, &sink, &err), DEN_IO);
    assert_int_equal(pipe(ends), 0);
    source.fd = ends[0];
    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read(&source, &sink, &err), DEN_BAD_FILE);
    close(ends[0]);
    close(ends[1]);
    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read_recognised(&source, 0, &sink, &err), DEN_INVALID);
}

static void refuses_what_is_too_large(void **state)
{
    struct den_document_sink sink = { .context = &collect,
                                      .part = collect_part,
                                      .facts = collect_facts };
    struct den_reader_source source = { .fd = memfd_create("large", MFD_CLOEXEC), .name = "a" };

    assert_int_equal(ftruncate(source.fd, (off_t)DEN_DOCUMENT_BYTES_MAX + 1), 0);
    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read(&source, &sink, &err), DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "at most"));
    close(source.fd);
}

/* A mailbox of more mails than a document may have parts. */
static void bounds_the_number_of_parts(void **state)
{
    static const char mail[] = "From a\nA: b\n\nc\n\n";
    size_t count = DEN_DOCUMENT_PARTS_MAX + 1, i;
    char *box = malloc(count * strlen(mail));

    for (i = 0; i < count; i++)
        memcpy(box + i * strlen(mail), mail, strlen(mail));
    assert_int_equal(collect_bytes(box, count * strlen(mail), "a.mbox", &collect, &err),
                     DEN_TOO_LARGE);
    assert_int_equal(collect.count, DEN_DOCUMENT_PARTS_MAX);
    assert_int_equal(collect.facts, 0);
    collect_free(&collect);
    free(box);
}

int input_test_reader(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stretches),
        cmocka_unit_test(takes_regular_files_only),
        cmocka_unit_test(refuses_what_is_too_large),
        cmocka_unit_test(bounds_the_number_of_parts),
    };

    den_reader_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
