/* Page numbers in words. */
#include <string.h>

#include "test.h"

#include "desk/page_ranges.h"

static const char *write_pages(const size_t *pages, size_t count)
{
    static char text[512];
    struct den_page_ranges ranges = { 0 };
    size_t i;

    for (i = 0; i < count; i++)
        den_page_ranges_add(&ranges, pages[i]);
    den_page_ranges_write(&ranges, text, sizeof text);
    return text;
}
#define PAGES(...)                                                                                 \
    write_pages((const size_t[]){ __VA_ARGS__ }, sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t))

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(PAGES(3), "page 3");
    assert_string_equal(PAGES(3, 3), "page 3");
    assert_string_equal(PAGES(3, 5), "pages 3 and 5");
    assert_string_equal(PAGES(3, 4), "pages 3 and 4");
    assert_string_equal(PAGES(3, 4, 5), "pages 3 to 5");
    assert_string_equal(PAGES(3, 4, 9), "pages 3 to 4 and 9");
    assert_string_equal(PAGES(1, 3, 7, 8, 9, 12), "pages 1, 3, 7 to 9 and 12");
}

static void test_many(void **state)
{
    struct den_page_ranges ranges = { 0 };
    char text[1024], small[20];
    size_t i;

    (void)state;
    for (i = 0; i < 100; i++)
        den_page_ranges_add(&ranges, 2 * i + 1);
    den_page_ranges_write(&ranges, text, sizeof text);
    assert_non_null(strstr(text, ", and 36 more"));
    den_page_ranges_write(&ranges, small, sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
}

int desk_test_page_ranges(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_many) };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
