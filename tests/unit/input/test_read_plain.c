/* Markdown, CSV and JSON: their blocks and the places of these in the file. */
#include "test.h"

#include <string.h>

#include "collect.h"

static struct collect collect;
static struct den_error err;

static const struct den_part *read_part(const char *text, const char *name)
{
    assert_int_equal(collect_text(text, name, &collect, &err), DEN_OK);
    return &collect.parts[0];
}

static void assert_source(const char *original, size_t block, const char *wanted)
{
    const struct den_block *found = &collect.parts[0].blocks[block];

    assert_int_equal(found->source_end - found->source_start, strlen(wanted));
    assert_memory_equal(original + found->source_start, wanted, strlen(wanted));
}

static void reads_markdown(void **state)
{
    static const char text[] =
        "---\ntitle: My doc\n---\n# Head #\npara *one*\nline two\n\n- a\n- b\n"
        "  more\n\n| a | b \\| c |\n|---|---|\n| 1 | 2 |\n\n```c\nint x;\n\n"
        "int y;\n```\n> quote\n> more\n\nSet\n===\n#no heading\n";
    const struct den_part *part = read_part(text, "a.md");

    assert_string_equal(collect.title, "My doc");
    assert_block(part, 0, "note", "title: My doc");
    assert_block(part, 1, "heading", "Head");
    assert_source(text, 1, "# Head #");
    assert_block(part, 2, "paragraph", "para *one*\nline two");
    assert_source(text, 2, "para *one*\nline two");
    assert_block(part, 3, "list", "- a\n- b\n  more");
    assert_block(part, 4, "table", "a\tb \\| c\n1\t2");
    assert_source(text, 4, "| a | b \\| c |\n|---|---|\n| 1 | 2 |");
    assert_block(part, 5, "code", "int x;\n\nint y;");
    assert_source(text, 5, "int x;\n\nint y;\n");
    assert_block(part, 6, "paragraph", "quote\nmore");
    assert_block(part, 7, "heading", "Set");
    assert_int_equal(part->blocks[7].level, 1);
    assert_block(part, 8, "paragraph", "#no heading");
    collect_free(&collect);
}

static void survives_open_markdown(void **state)
{
    static const char *const texts[] = { "---\ntitle: x\n", "```\nopen",   "#",
                                         "|\n|-",           "- ",          "> ",
                                         "a\n---",          "~~~~\n~~~\n", "| a |\n|---|" };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        read_part(texts[i], "a.md");
        assert_int_equal(collect.count, 1);
        collect_free(&collect);
    }
}

static void reads_csv(void **state)
{
    const struct den_part *part = read_part("a;b\r\n\"q;1\";\"x \"\"y\"\"\nz\"\r\n;3", "a.csv");

    assert_block(part, 0, "table", "a\tb\nq;1\tx \"y\" z\n\t3");
    assert_int_equal(collect.parts[0].blocks[0].source_end, 26);
    collect_free(&collect);
    part = read_part("a\tb,c\n1\t2\n", "a.tsv");
    assert_block(part, 0, "table", "a\tb,c\n1\t2");
    collect_free(&collect);
    part = read_part("\"open,b", "a.csv");
    assert_block(part, 0, "table", "open,b");
    collect_free(&collect);
}

static void repeats_the_head_of_a_long_table(void **state)
{
    size_t length = 14u << 20, at = 10, i;
    char *text = malloc(length + 16);

    memcpy(text, "name,city\n", 10);
    for (; at < length; at += 16)
        memcpy(text + at, "some one,a town\n", 16);
    assert_int_equal(collect_bytes(text, at, "a.csv", &collect, &err), DEN_OK);
    assert_true(collect.count >= 2);
    for (i = 0; i < collect.count; i++)
        assert_memory_equal(collect.parts[i].text, "name\tcity\nsome one\ta town\n", 26);
    collect_free(&collect);
    free(text);
}

static void reads_json(void **state)
{
    static const char text[] = "{\"name\":\"F\\\"oo\\u00e9\\ud83d\\ude00\",\"tags\":[\"a\",\"b\"],"
                               "\"items\":[{\"x\":1,\"y\":{\"z\":true}},{\"x\":-2.5e3}],\"e\":{}}";
    const struct den_part *part = read_part(text, "a.json");

    assert_int_equal(part->block_count, 4);
    assert_block(part, 0, "paragraph", "name: F\"oo\xC3\xA9\xF0\x9F\x98\x80");
    assert_block(part, 1, "paragraph", "tags: a, b");
    assert_block(part, 2, "paragraph", "items.x: 1\nitems.y.z: true");
    assert_block(part, 3, "paragraph", "items.x: -2.5e3");
    collect_free(&collect);
    part = read_part("{\"a\":1}\n{\"a\":\"two\\nx\"}\n", "a.jsonl");
    assert_block(part, 0, "paragraph", "a: 1");
    assert_block(part, 1, "paragraph", "a: two x");
    collect_free(&collect);
}

static void takes_what_is_no_json_as_text(void **state)
{
    static const char *const texts[] = { "{\"a\":", "{\"a\" 1}",       "[1,]", "{\"a\":\"open",
                                         "{,}",     "not json at all", "[[[[[" };
    static char deep[200];
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(read_part(texts[i], "a.json")->text, texts[i]);
        collect_free(&collect);
    }
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    assert_string_equal(read_part(deep, "a.json")->text, deep);
    collect_free(&collect);
}

int input_test_read_plain(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_markdown), cmocka_unit_test(survives_open_markdown),
        cmocka_unit_test(reads_csv),      cmocka_unit_test(repeats_the_head_of_a_long_table),
        cmocka_unit_test(reads_json),     cmocka_unit_test(takes_what_is_no_json_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
