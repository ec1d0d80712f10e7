/* Plain text and code: encodings, blocks, places in the original. */
#include "test.h"

#include <string.h>

#include "collect.h"

static struct collect collect;
static struct den_error err;

/* Each block's bytes of the original must be what `original` has at its place. */
static void assert_source(const char *original, size_t block, const char *wanted)
{
    const struct den_block *found = &collect.parts[0].blocks[block];

    assert_int_equal(found->source_end - found->source_start, strlen(wanted));
    assert_memory_equal(original + found->source_start, wanted, strlen(wanted));
}

static void keeps_blocks_and_places(void **state)
{
    static const char text[] = "\xEF\xBB\xBF"
                               "first\r\nline\r\n\r\n  \r\nsecond\x01 \xFF end\n";

    assert_int_equal(collect_text(text, "a.txt", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 1);
    assert_int_equal(collect.parts[0].kind, DEN_PART_FILE);
    assert_string_equal(collect.parts[0].label, "");
    assert_block(&collect.parts[0], 0, "paragraph", "first\nline");
    assert_block(&collect.parts[0], 1, "paragraph", "second  \xEF\xBF\xBD end");
    assert_source(text, 0, "first\r\nline");
    assert_source(text, 1, "second\x01 \xFF end");
    assert_int_equal(collect.facts, 1);
    collect_free(&collect);
}

static void knows_encodings(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
        size_t start, end; /* of the second block */
    } cases[] = {
        { "\xFF\xFE"
          "a\0\n\0\n\0\x60\x4F\x3D\xD8\x00\xDE",
          14, "\xE4\xBD\xA0\xF0\x9F\x98\x80", 8, 14 },
        { "\xFE\xFF"
          "\0a\0\n\0\n\x4F\x60\xD8\x3D\xDE\x00",
          14, "\xE4\xBD\xA0\xF0\x9F\x98\x80", 8, 14 },
        { "a\0b\0c\0d\0e\0f\0g\0h\0\n\0\n\0i\0", 22, "i", 20, 22 },
        { "\xC4\xE3\xBA\xC3\n\n\xD6\xD0\xB9\xFA\x95\x32\x82\x36", 14,
          "\xE4\xB8\xAD\xE5\x9B\xBD\xF0\xA0\x80\x80", 6, 14 },
        { "caf\xE9\n\n\x93gar\xE7on\x94", 15, "\xE2\x80\x9Cgar\xC3\xA7on\xE2\x80\x9D", 6, 14 },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = i == 4 ? 14 : cases[i].length;

        assert_int_equal(collect_bytes(cases[i].bytes, length, "a.txt", &collect, &err), DEN_OK);
        assert_int_equal(collect.parts[0].block_count, 2);
        assert_block(&collect.parts[0], 1, "paragraph", cases[i].text);
        assert_int_equal(collect.parts[0].blocks[1].source_start, cases[i].start);
        assert_int_equal(collect.parts[0].blocks[1].source_end, cases[i].end);
        collect_free(&collect);
    }
}

static void keeps_functions_whole(void **state)
{
    static const char text[] =
        "#include <x.h>\n\nint f(void)\n{\n    int a;\n\n    return a;\n}\n\n"
        "int g;\n";

    assert_int_equal(collect_text(text, "a.c", &collect, &err), DEN_OK);
    assert_int_equal(collect.parts[0].block_count, 3);
    assert_block(&collect.parts[0], 1, "code", "int f(void)\n{\n    int a;\n\n    return a;\n}");
    assert_source(text, 2, "int g;");
    collect_free(&collect);
}

static void splits_what_is_too_long(void **state)
{
    size_t length = (20u << 20) + 7, total = 0, i;
    char *text = malloc(length);

    memset(text, 'a', length);
    for (i = 100; i < length; i += 101)
        text[i] = i % 909 ? ' ' : '\n';
    assert_int_equal(collect_bytes(text, length, "a.txt", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 3);
    for (i = 0; i < 3; i++) {
        assert_true(collect.parts[i].length <= DEN_DOCUMENT_PART_TEXT_MAX);
        assert_int_equal(collect.parts[i].number, 1);
        total += collect.parts[i].length;
    }
    assert_true(total > length - 8 && total <= length);
    collect_free(&collect);
    for (i = 0; i + 3 < length; i += 3) /* more blocks than a part may have */
        memcpy(text + i, "b\n\n", 3);
    assert_int_equal(collect_bytes(text, 600000, "a.txt", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 4);
    for (total = i = 0; i < 4; i++)
        total += collect.parts[i].block_count;
    assert_int_equal(total, 200000);
    collect_free(&collect);
    free(text);
}

static void says_what_it_cannot_read(void **state)
{
    assert_int_equal(collect_bytes("", 0, "a.txt", &collect, &err), DEN_BAD_FILE);
    assert_string_equal(err.message,
                        "a.txt: is empty: it has no bytes at all; fetch or save it again");
    assert_int_equal(collect_bytes("\x7F"
                                   "ELF\0\0\0\0\0",
                                   9, "a.txt", &collect, &err),
                     DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "Markdown"));
    assert_int_equal(
        collect_bytes("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0", 9, "a.doc", &collect, &err),
        DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, ".docx"));
    assert_int_equal(collect_text("%PDF-1.4", "a.pdf", &collect, &err), DEN_UNSUPPORTED);
    assert_int_equal(collect.count, 0);
}

static enum den_status refuse_part(void *context, const struct den_part *part,
                                   struct den_error *failure)
{
    ++*(int *)context;
    return den_fail(failure, DEN_CANCELLED, "enough");
}

static void ends_where_the_sink_ends(void **state)
{
    int calls = 0;
    struct den_document_sink sink = { .context = &calls, .part = refuse_part };
    struct den_reader_source source = { .fd = memory_file("a\n\nb", 4), .name = "a.txt" };

    err = (struct den_error){ 0 };
    assert_int_equal(den_reader_read(&source, &sink, &err), DEN_CANCELLED);
    assert_string_equal(err.message, "enough");
    assert_int_equal(calls, 1);
    close(source.fd);
}

int input_test_read_text(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_blocks_and_places),  cmocka_unit_test(knows_encodings),
        cmocka_unit_test(keeps_functions_whole),    cmocka_unit_test(splits_what_is_too_long),
        cmocka_unit_test(says_what_it_cannot_read), cmocka_unit_test(ends_where_the_sink_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
