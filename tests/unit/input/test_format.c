/* What a file is: bytes before names, names among texts. */
#include "test.h"

#include <string.h>

#include "input/format.h"

#define SNIFF(bytes, name) den_format_text(den_format_sniff(bytes, sizeof bytes - 1, name))

static void knows_magic_numbers(void **state)
{
    assert_string_equal(SNIFF("%PDF-1.7\n...", "notes.txt"), "pdf");
    assert_string_equal(SNIFF("junk before\n%PDF-1.4\n1 0 obj", "x"), "pdf");
    assert_string_equal(SNIFF("A file with\n%PDF-1.4 at its start", "x"), "text");
    assert_string_equal(SNIFF("{\\rtf1\\ansi hello}", "x.doc"), "rtf");
    assert_string_equal(SNIFF("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", "a.txt"), "picture");
    assert_string_equal(SNIFF("\xFF\xD8\xFF\xE0\0\x10JFIF", "a"), "picture");
    assert_string_equal(SNIFF("II*\0\x08\0\0\0", "a"), "picture");
    assert_string_equal(SNIFF("MM\0*\0\0\0\x08", "a"), "picture");
    assert_string_equal(SNIFF("RIFF\x10\0\0\0WEBPVP8 ", "a"), "picture");
    assert_string_equal(SNIFF("RIFF\x10\0\0\0WAVEfmt ", "a.txt"), "unknown");
    assert_string_equal(SNIFF("\x7F"
                              "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
                              "a.txt"),
                        "unknown");
    assert_string_equal(SNIFF("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0", "a.doc"), "unknown");
}

/* A local header with `name`, then `data`. */
static size_t put_member(char *out, const char *name, const char *data)
{
    size_t length = strlen(name);

    memset(out, 0, 30);
    memcpy(out, "PK\3\4", 4);
    out[26] = (char)length;
    memcpy(out + 30, name, length);
    memcpy(out + 30 + length, data, strlen(data));
    return 30 + length + strlen(data);
}

static void knows_zip_by_its_members(void **state)
{
    static const struct {
        const char *name, *data, *format;
    } cases[] = {
        { "word/document.xml", "<w/>", "word" },
        { "xl/workbook.xml", "<w/>", "sheets" },
        { "ppt/presentation.xml", "<w/>", "slides" },
        { "mimetype", "application/vnd.oasis.opendocument.text", "open_text" },
        { "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "open_sheets" },
        { "mimetype", "application/vnd.oasis.opendocument.presentation", "open_slides" },
        { "mimetype", "application/epub+zip", "epub" },
        { "docs/readme.txt", "word/document.xml", "archive" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char zip[512];
        size_t length = put_member(zip, cases[i].name, cases[i].data);

        assert_string_equal(den_format_text(den_format_sniff(zip, length, "a.txt")),
                            cases[i].format);
        length = put_member(zip, "[Content_Types].xml", "<Types/>");
        length += put_member(zip + length, cases[i].name, cases[i].data);
        if (strcmp(cases[i].name, "mimetype") != 0)
            assert_string_equal(den_format_text(den_format_sniff(zip, length, "a.txt")),
                                cases[i].format);
    }
}

/* An office file lies in a zip as it is, not compressed once more: the zip is no office file. */
static void looks_past_members(void **state)
{
    char zip[512];
    size_t inner = put_member(zip + 30 + 6, "word/document.xml", "<w/>");

    memset(zip, 0, 30);
    memcpy(zip, "PK\3\4", 4);
    zip[18] = (char)inner;
    zip[26] = 6;
    memcpy(zip + 30, "a.docx", 6);
    assert_string_equal(den_format_text(den_format_sniff(zip, 36 + inner, "a.zip")), "archive");
}

static void knows_texts_by_name(void **state)
{
    assert_string_equal(SNIFF("hello", "a.txt"), "text");
    assert_string_equal(SNIFF("hello", ""), "text");
    assert_string_equal(SNIFF("hello", "folder.md/file"), "text");
    assert_string_equal(SNIFF("hello", "A.MD"), "markdown");
    assert_string_equal(SNIFF("int x;", "src/a.c"), "code");
    assert_string_equal(SNIFF("all:\n\tcc", "b/Makefile"), "code");
    assert_string_equal(SNIFF("a,b", "a.csv"), "csv");
    assert_string_equal(SNIFF("{}", "a.jsonl"), "json");
    assert_string_equal(SNIFF("a\0b\0\0\0\0", "a.txt"), "unknown");
    assert_string_equal(SNIFF("\xFF\xFEh\0i\0", "a.txt"), "text");
    assert_string_equal(SNIFF("h\0e\0l\0l\0o\0 \0a\0l\0l\0", "a.txt"), "text");
}

static void knows_texts_by_their_beginning(void **state)
{
    assert_string_equal(SNIFF("\xEF\xBB\xBF <!-- x -->\n<!DOCTYPE html><p>", "a"), "html");
    assert_string_equal(SNIFF("<?xml version='1.0'?>\n<html xmlns='x'>", "a.txt"), "html");
    assert_string_equal(SNIFF("<p>", "a.htm"), "html");
    assert_string_equal(SNIFF("From: a@b\r\nTo: c@d\r\nSubject: x\r\n\r\nhi", "a"), "mail");
    assert_string_equal(SNIFF("From a@b Mon Jan  1\nFrom: a@b\nSubject: x\n\nhi", "all"),
                        "mailbox");
    assert_string_equal(SNIFF("From here on: nothing\n\nSubject: x", "a"), "text");
}

static void names_media_types(void **state)
{
    assert_string_equal(den_format_media_type(DEN_FORMAT_PDF, "a"), "application/pdf");
    assert_string_equal(den_format_media_type(DEN_FORMAT_PICTURE, "a.JPG"), "image/jpeg");
    assert_string_equal(den_format_media_type(DEN_FORMAT_CSV, "a.tsv"),
                        "text/tab-separated-values");
    assert_string_equal(den_format_media_type((enum den_format)77, NULL),
                        "application/octet-stream");
}

int input_test_format(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_magic_numbers),
        cmocka_unit_test(knows_zip_by_its_members),
        cmocka_unit_test(looks_past_members),
        cmocka_unit_test(knows_texts_by_name),
        cmocka_unit_test(knows_texts_by_their_beginning),
        cmocka_unit_test(names_media_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
