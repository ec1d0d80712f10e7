/* UTF-8 against hand-made cases of Unicode 15, tables 3-7 to 3-11. */
#include "test.h"

#include <string.h>

#include "base/utf8.h"

static void decodes_each_length(void **state)
{
    uint32_t code;

    assert_int_equal(den_utf8_decode("a", 1, &code), 1);
    assert_int_equal(code, 'a');
    assert_int_equal(den_utf8_decode("\xC3\xA9", 2, &code), 2);
    assert_int_equal(code, 0xE9);
    assert_int_equal(den_utf8_decode("\xE4\xBD\xA0", 3, &code), 3);
    assert_int_equal(code, 0x4F60);
    assert_int_equal(den_utf8_decode("\xF0\x9F\x98\x80", 4, &code), 4);
    assert_int_equal(code, 0x1F600);
}

static void replaces_maximal_subparts(void **state)
{
    /* table 3-8: F0 80 80 41 is four replacements... the lead can't be followed by 80 */
    static const struct {
        const char *text;
        size_t used;
    } cases[] = { { "\xC0\xAF", 1 },     { "\xE0\x80\x80", 1 }, { "\xED\xA0\x80", 1 },
                  { "\xF4\x91\x92", 1 }, { "\xE1\x80", 2 },     { "\xF0\x91\x92", 3 },
                  { "\x80", 1 },         { "\xFF", 1 } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code;

        assert_int_equal(den_utf8_decode(cases[i].text, strlen(cases[i].text), &code),
                         cases[i].used);
        assert_int_equal(code, DEN_UTF8_REPLACEMENT);
        assert_false(den_utf8_is_valid(cases[i].text, strlen(cases[i].text)));
    }
}

static void round_trips_every_scalar_value(void **state)
{
    uint32_t code;

    for (code = 1; code <= 0x10FFFF; code++) {
        uint32_t back;
        char bytes[4];
        size_t length = den_utf8_encode(code, bytes);

        assert_int_equal(den_utf8_decode(bytes, length, &back), length);
        assert_int_equal(back, code >= 0xD800 && code <= 0xDFFF ? DEN_UTF8_REPLACEMENT : code);
    }
}

static void finds_incomplete_tails(void **state)
{
    assert_int_equal(den_utf8_incomplete_tail("", 0), 0);
    assert_int_equal(den_utf8_incomplete_tail("abc", 3), 0);
    assert_int_equal(den_utf8_incomplete_tail("a\xF0", 2), 1);
    assert_int_equal(den_utf8_incomplete_tail("a\xF0\x9F", 3), 2);
    assert_int_equal(den_utf8_incomplete_tail("a\xF0\x9F\x98", 4), 3);
    assert_int_equal(den_utf8_incomplete_tail("a\xF0\x9F\x98\x80", 5), 0);
    assert_int_equal(den_utf8_incomplete_tail("\x80\x80", 2), 0);
    assert_int_equal(den_utf8_incomplete_tail("\xE0\x80", 2), 0);
}

static void counts_characters(void **state)
{
    assert_int_equal(den_utf8_count("a\xC3\xA9\xFFz", 5), 4);
}

int base_test_utf8(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_each_length),
        cmocka_unit_test(replaces_maximal_subparts),
        cmocka_unit_test(round_trips_every_scalar_value),
        cmocka_unit_test(finds_incomplete_tails),
        cmocka_unit_test(counts_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
