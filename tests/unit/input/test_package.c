/* Packages: members, paths that lead outside, relationships. */
#include "test.h"

#include <string.h>

#include "collect.h"
#include "input/package.h"

static void joins_paths(void **state)
{
    static const struct {
        const char *base, *target, *path;
    } cases[] = { { "word/document.xml", "styles.xml", "word/styles.xml" },
                  { "word/document.xml", "../a/./b.xml", "a/b.xml" },
                  { "word/document.xml", "/a.xml", "a.xml" },
                  { "", "word/document.xml", "word/document.xml" },
                  { "a/b/c", "../../x", "x" },
                  { "a/b", "../../x", NULL },
                  { "a", "../x", NULL } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = den_package_path(cases[i].base, cases[i].target);

        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        else
            assert_null(path);
        free(path);
    }
}

static void reads_members(void **state)
{
    struct den_error err = { 0 };
    struct den_input input = { .name = "lease.docx" };
    struct den_relations relations;
    struct den_package *package;
    struct den_member *member;
    struct den_buffer text;
    uint64_t inflated = 0;
    char *bytes = fixture_read("lease.docx", &input.length);
    char *document;

    input.data = bytes;
    input.inflated = &inflated;
    assert_int_equal(den_package_open(&input, &package, &err), DEN_OK);
    assert_true(den_package_count(package) > 5);
    document = den_package_main(package, "none", &err);
    assert_string_equal(document, "word/document.xml");
    assert_int_equal(den_relations_read(package, document, &relations, &err), DEN_OK);
    assert_string_equal(den_relations_by_type(&relations, "styles"), "word/styles.xml");
    assert_null(den_relations_by_id(&relations, "none"));
    den_buffer_init(&text, 1 << 20);
    assert_int_equal(den_package_member_open(package, document, &member, &err), DEN_OK);
    assert_int_equal(den_member_read_all(member, &text, &err), DEN_OK);
    assert_non_null(strstr(text.data, "Three months"));
    assert_true(inflated >= text.length);
    den_member_close(member);
    assert_int_equal(den_package_member_open(package, "none", &member, &err), DEN_BAD_FILE);
    assert_string_equal(err.message, "lease.docx: has no 'none'");
    den_buffer_deinit(&text);
    den_relations_free(&relations);
    free(document);
    den_package_close(package);
    free(bytes);
}

int input_test_package(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_paths),
        cmocka_unit_test(reads_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
