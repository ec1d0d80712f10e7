/* robots.txt: the cases of RFC 9309, and what else is found on the web. */
#include <string.h>

#include "test.h"

#include "base/buffer.h"
#include "desk/web_robots.h"

static bool allows(const char *text, const char *path)
{
    return den_robots_allow(text, strlen(text), "den", path);
}

static void test_groups(void **state)
{
    /* RFC 9309, 5.1, with our name in one of its places */
    static const char text[] = "User-Agent: *\n"
                               "Disallow: *.gif$\n"
                               "Disallow: /example/\n"
                               "Allow: /publications/\n"
                               "\n"
                               "User-Agent: foobot\n"
                               "Disallow:/\n"
                               "Allow:/example/page.html\n"
                               "Allow:/example/allowed.gif\n"
                               "\n"
                               "User-Agent: barbot\n"
                               "User-Agent: bazbot\n"
                               "Disallow: /example/page.html\n"
                               "\n"
                               "User-Agent: quxbot\n";
    const size_t length = sizeof text - 1;

    (void)state;
    assert_true(den_robots_allow(text, length, "foobot", "/example/page.html"));
    assert_true(den_robots_allow(text, length, "FooBot", "/example/allowed.gif"));
    assert_false(den_robots_allow(text, length, "foobot", "/example/"));
    assert_false(den_robots_allow(text, length, "foobot", "/"));
    assert_false(den_robots_allow(text, length, "barbot", "/example/page.html"));
    assert_false(den_robots_allow(text, length, "bazbot", "/example/page.html"));
    assert_true(den_robots_allow(text, length, "bazbot", "/a.gif"));
    assert_true(den_robots_allow(text, length, "quxbot", "/example/page.html"));
    assert_false(den_robots_allow(text, length, "den", "/example/page.html"));
    assert_false(den_robots_allow(text, length, "den", "/a.gif"));
    assert_true(den_robots_allow(text, length, "den", "/a.gif?x"));
    assert_true(den_robots_allow(text, length, "den", "/publications/a"));
    assert_true(den_robots_allow(text, length, "foo", "/a")); /* no part of a name */
}

static void test_longest_rule_decides(void **state)
{
    /* RFC 9309, 5.2 */
    static const char text[] = "User-Agent: den/1.0 (of a test)\n"
                               "Allow: /example/page/\n"
                               "Disallow: /example/page/disallowed.gif\n";

    (void)state;
    assert_false(allows(text, "/example/page/disallowed.gif"));
    assert_true(allows(text, "/example/page/other.gif"));
    assert_true(allows("user-agent: *\ndisallow: /p\nallow: /p\n", "/page"));
    assert_true(allows("user-agent: *\nallow: /p\ndisallow: /\n", "/page"));
    assert_false(allows("user-agent: *\nallow: /\ndisallow: /p\n", "/page"));
}

static void test_same_names_are_joined(void **state)
{
    static const char text[] = "user-agent: den\ndisallow: /a\n\nuser-agent: other\ndisallow: /\n\n"
                               "user-agent: DEN\ndisallow: /b\n";

    (void)state;
    assert_false(allows(text, "/a"));
    assert_false(allows(text, "/b"));
    assert_true(allows(text, "/c"));
}

static void test_special_characters(void **state)
{
    (void)state;
    assert_false(allows("user-agent:*\ndisallow:/a*b$", "/a-x-b"));
    assert_true(allows("user-agent:*\ndisallow:/a*b$", "/a-x-bc"));
    assert_false(allows("user-agent:*\ndisallow:/a*b", "/a-x-bc"));
    assert_false(allows("user-agent:*\ndisallow:/file-with-a-%2A.html", "/file-with-a-*.html"));
    assert_true(allows("user-agent:*\ndisallow:/file-with-a-%2A.html", "/file-with-a-x.html"));
    assert_false(allows("user-agent:*\ndisallow:/foo-%24", "/foo-$"));
    assert_false(allows("user-agent:*\ndisallow:/foo/bar?baz=quz", "/foo/bar?baz=quz"));
    assert_false(allows("user-agent:*\ndisallow:/foo/bar/\xE3\x83\x84", "/foo/bar/%E3%83%84"));
    assert_false(allows("user-agent:*\ndisallow:/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"));
    assert_false(allows("user-agent:*\ndisallow:/foo/bar/%62%61%7A", "/foo/bar/baz"));
    assert_true(allows("user-agent:*\ndisallow:/a/b", "/a%2Fb"));
}

static void test_what_is_found_on_the_web(void **state)
{
    (void)state;
    assert_true(allows("", "/"));
    assert_true(allows("<html>not found: sorry</html>", "/"));
    assert_true(allows("disallow: /\nuser-agent: *\n", "/")); /* before any name */
    assert_true(allows("user-agent: *\ndisallow:\n", "/"));
    assert_true(allows("user-agent: *\ndisallow: nonsense\n", "/nonsense"));
    assert_false(allows("\xEF\xBB\xBFUser-agent: *\r\nDisallow: / # all of it\r\n", "/x"));
    assert_false(allows("user-agent: *\nsitemap: /s\ncrawl-delay: 5\ndisallow: /x", "/x"));
    assert_false(allows("user-agent : *\n  disallow : /x  ", "/x"));
    assert_false(allows("user-agent:*\rdisallow:/x\r", "/x"));
    assert_true(allows("user-agent: *\ndisallow: /\n", "/robots.txt"));
    assert_false(den_robots_allow("user-agent:*\0\ndisallow:/x\n", 27, "den", "/x"));
}

/* Patterns made to be slow end, and forbid. */
static void test_slow_patterns_end(void **state)
{
    struct den_buffer text;
    char path[8000];
    size_t i;

    (void)state;
    den_buffer_init(&text, 1 << 20);
    den_buffer_append_text(&text, "user-agent: *\n");
    while (text.length < 390000) {
        den_buffer_append_text(&text, "disallow: /*");
        for (i = 0; i < 1000; i++)
            den_buffer_append_byte(&text, 'a');
        den_buffer_append_text(&text, "b\n");
    }
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    assert_false(den_robots_allow(text.data, text.length, "den", path));
    den_buffer_deinit(&text);
}

int desk_test_web_robots(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_longest_rule_decides),
        cmocka_unit_test(test_same_names_are_joined),
        cmocka_unit_test(test_special_characters),
        cmocka_unit_test(test_what_is_found_on_the_web),
        cmocka_unit_test(test_slow_patterns_end),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
