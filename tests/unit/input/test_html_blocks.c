/* HTML: what is text, what stands where, and pages that nobody closed. */
#include "test.h"

#include <string.h>

#include "collect.h"

static struct collect collect;
static struct den_error err;

static const struct den_part *page(const char *html)
{
    assert_int_equal(collect_text(html, "a.html", &collect, &err), DEN_OK);
    return &collect.parts[0];
}

static void leaves_out_what_is_no_text(void **state)
{
    const struct den_part *part =
        page("<html><head><title>T</title><style>p{}</style></head><body><nav>menu</nav>"
             "<script>x = '<p>no</p>'</script><p>yes<span hidden>no</span></p>"
             "<div style='display: none'>no</div><svg><text>no</text></svg>&lt;b&gt;&#20320;");

    assert_string_equal(part->text, "yes\n\n<b>\xE4\xBD\xA0");
    assert_string_equal(collect.title, "T");
    collect_free(&collect);
}

static void prefers_the_main_text(void **state)
{
    char html[1024];
    static const char words[] = "Many words that make a text of some length, as articles have. ";

    snprintf(html, sizeof html, "<p>site</p><main>%s%s%s</main><p>more site</p>", words, words,
             words);
    assert_null(strstr(page(html)->text, "site"));
    collect_free(&collect);
    assert_non_null(strstr(page("<p>site</p><main>short</main>")->text, "site"));
    collect_free(&collect);
    snprintf(html, sizeof html, "<p>site</p><article>%s%s%s</article>", words, words, words);
    assert_null(strstr(page(html)->text, "site"));
    collect_free(&collect);
}

static void tells_tables_from_layout(void **state)
{
    const struct den_part *part = page(
        "<table><tr><td><p>left</p><td><table><tr><th>a<th>b<tr><td>1<br>x<td>2</table></table>"
        "<table><tr><td>only one</table>");

    assert_block(part, 0, "paragraph", "left");
    assert_block(part, 1, "table", "a\tb\n1 x\t2");
    assert_block(part, 2, "paragraph", "only one");
    collect_free(&collect);
}

static void keeps_anchors_and_levels(void **state)
{
    const struct den_part *part = page("<h2 id='a b'>One</h2><a name=x></a><p>two<h6>three</h6>");

    assert_string_equal(part->blocks[0].anchor, "a b");
    assert_int_equal(part->blocks[0].level, 2);
    assert_string_equal(part->blocks[1].anchor, "x");
    assert_int_equal(part->blocks[2].level, 6);
    assert_null(part->blocks[2].anchor);
    collect_free(&collect);
}

static void knows_its_charset(void **state)
{
    static const char latin[] = "<meta charset=iso-8859-1><p>caf\xE9";
    static const char wrong_start[] = "<meta charset=utf-8><p>caf\xE9 z\0 end";
    static char wrong[20000]; /* long, so that one zero byte does not make it binary */

    assert_string_equal(page(latin)->text, "caf\xC3\xA9");
    collect_free(&collect);
    memset(wrong, ' ', sizeof wrong);
    memcpy(wrong, wrong_start, sizeof wrong_start - 1);
    assert_int_equal(collect_bytes(wrong, sizeof wrong - 1, "a.html", &collect, &err), DEN_OK);
    assert_non_null(strstr(collect.parts[0].text, "caf"));
    assert_non_null(strstr(collect.parts[0].text, "end"));
    collect_free(&collect);
}

static void bounds_nesting(void **state)
{
    static char html[200000];
    size_t i;

    for (i = 0; i + 8 < sizeof html; i += 5)
        memcpy(html + i, "<div>", 6);
    assert_int_equal(collect_text(html, "a.html", &collect, &err), DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "4096"));
    html[1000 * 5] = '\0';
    memcpy(html + 1000 * 5, "text", 5);
    assert_string_equal(page(html)->text, "text");
    collect_free(&collect);
}

int input_test_html_blocks(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_out_what_is_no_text), cmocka_unit_test(prefers_the_main_text),
        cmocka_unit_test(tells_tables_from_layout),   cmocka_unit_test(keeps_anchors_and_levels),
        cmocka_unit_test(knows_its_charset),          cmocka_unit_test(bounds_nesting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
