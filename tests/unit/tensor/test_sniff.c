/* What a wrong file is taken for, and names made fit for messages. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/quoted.h"
#include "tensor/sniff.h"

/* From an allocation of exactly that size. */
static const char *sniff(const char *bytes, size_t length)
{
    char *exact = malloc(length ? length : 1);
    const char *phrase;

    assert_non_null(exact);
    memcpy(exact, bytes, length);
    phrase = den_sniff(exact, length);
    free(exact);
    return phrase;
}

static void recognises_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *part;
    } cases[] = {
        { "GGUF", 4, "looks like a GGUF" },
        { "\x20\0\0\0\0\0\0\0{\"w\"", 12, "looks like a safetensors" },
        { "PK\3\4", 4, "zip archive" },
        { "\x80\2}q", 4, "pickle" },
        { "version https://git-lfs.github.com/spec/v1", 42, "Git LFS" },
        { "<html><body>Not found", 21, "HTML" },
        { "<!doctype HTML>", 15, "HTML" },
        { "tjgg\1\0\0\0", 8, "before GGUF" },
        { "\x7F"
          "ELF\2",
          5, "program" },
        { "{\"a\":1}", 7, "looks like JSON" },
        { "\0\0\0\0\0\0\0\0\0\0\0\0", 12, "begins with zeros" },
        { "hello", 5, "unknown" },
        { "PK", 2, "unknown" },
        { "\0\0\0\0\0\0\0\x80{}", 10, "unknown" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!strstr(sniff(cases[i].bytes, cases[i].length), cases[i].part))
            fail_msg("case %zu: '%s', wanted '%s'", i, sniff(cases[i].bytes, cases[i].length),
                     cases[i].part);
}

static void quotes_what_is_not_printable(void **state)
{
    char longest[200];

    memset(longest, 'x', sizeof longest);
    assert_string_equal(den_quoted("blk.0", 5).text, "blk.0");
    assert_string_equal(den_quoted("", 0).text, "");
    assert_string_equal(den_quoted("a\0b\x1B\n\xC3\xA9~", 8).text, "a?b????~");
    assert_int_equal(strlen(den_quoted(longest, 80).text), 80);
    assert_int_equal(strlen(den_quoted(longest, 81).text), 83);
    assert_string_equal(den_quoted(longest, 200).text + 80, "...");
}

int tensor_test_sniff(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises_files),
        cmocka_unit_test(quotes_what_is_not_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
