/* What pdfinfo prints. */
#include <string.h>

#include "test.h"

#include "desk/reading_pdf_info.h"

static struct den_pdf_info parse(const char *text)
{
    struct den_pdf_info info;

    den_pdf_info_parse(text, strlen(text), &info);
    return info;
}

static void test_fields(void **state)
{
    const struct den_pdf_info info = parse("Title:           Lease: (2024)\n"
                                           "Author:          Ada \xE4\xB8\xAD\n"
                                           "CreationDate:    2024-01-31T13:00:00+01\n"
                                           "Pages:           17\n"
                                           "Page size:       609.714 x 789.041 pts\n");

    (void)state;
    assert_string_equal(info.title, "Lease: (2024)");
    assert_string_equal(info.author, "Ada \xE4\xB8\xAD");
    assert_int_equal(info.pages, 17);
    assert_true(info.created == 1706702400000);
    assert_true(info.width > 609 && info.width < 610 && info.height > 789);
}

static void test_a_turned_page(void **state)
{
    const struct den_pdf_info info = parse("Pages: 3\nPage    2 size:  600 x 800 pts (A4)\n"
                                           "Page    2 rot:   90\n");

    (void)state;
    assert_true(info.width == 800 && info.height == 600);
}

/* A title can look like other lines; what pdfinfo counted comes later and holds. */
static void test_a_title_that_lies(void **state)
{
    const struct den_pdf_info info = parse("Title: x\nPages: 99999\nAuthor: y\nPages:  2\n");

    (void)state;
    assert_int_equal(info.pages, 2);
}

static void test_nonsense(void **state)
{
    struct den_pdf_info info = parse("Title: \xFF\x01Untitled\nTitle: untitled\nPages: many\n"
                                     "CreationDate: yesterday\nPage size: inf x nan\nno colon\n");

    (void)state;
    assert_string_equal(info.title, "Untitled");
    assert_int_equal(info.pages, 0);
    assert_true(info.created == 0 && info.width == 0 && info.height == 0);
    info = parse("");
    assert_string_equal(info.title, "");
}

int desk_test_reading_pdf_info(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_a_turned_page),
        cmocka_unit_test(test_a_title_that_lies),
        cmocka_unit_test(test_nonsense),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
