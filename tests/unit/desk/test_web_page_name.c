/* Names of files for web addresses. */
#include <string.h>

#include "test.h"

#include "base/utf8.h"
#include "desk/web_page.h"

static const char *name_of(const char *address, const char *media_type)
{
    static char name[256];

    den_web_page_name(address, media_type, name);
    assert_true(den_utf8_is_valid(name, strlen(name)));
    assert_null(strchr(name, '/'));
    return name;
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(name_of("https://a.org/b/c.pdf?x=/y#z", "application/pdf"), "c.pdf");
    assert_string_equal(name_of("https://a.org/b/c", "text/html"), "c.html");
    assert_string_equal(name_of("https://a.org/b/c.HTM", "text/html"), "c.HTM");
    assert_string_equal(name_of("https://a.org/", "text/html"), "a.org.html");
    assert_string_equal(name_of("https://a.org", "text/plain"), "a.org.txt");
    assert_string_equal(name_of("https://a.org/main.c", "text/plain"), "main.c");
    assert_string_equal(name_of("https://a.org/main.c", ""), "main.c");
    assert_string_equal(name_of("https://a.org/%E4%B8%AD.md", "text/markdown"), "\xE4\xB8\xAD.md");
}

static void test_hostile_names(void **state)
{
    char address[2000] = "https://a.org/";

    (void)state;
    assert_string_equal(name_of("https://a.org/..%2f..%2fetc%2fpasswd", ""), "-.-..-etc-passwd");
    assert_string_equal(name_of("https://a.org/%2e%2e", "text/html"), "-..html");
    assert_string_equal(name_of("https://a.org/a%00b%0Ac%", ""), "a-b-c%");
    assert_non_null(strstr(name_of("https://a.org/%FF%FE.txt", ""), ".txt"));
    memset(address + 14, 'x', sizeof address - 15);
    address[sizeof address - 1] = '\0';
    assert_true(strlen(name_of(address, "text/html")) < 256);
    assert_non_null(strstr(name_of(address, "text/html"), ".html"));
}

int desk_test_web_page_name(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hostile_names),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
