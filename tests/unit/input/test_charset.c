/* Encodings that headers name, and the rule for those that nobody names. */
#include "test.h"

#include <string.h>

#include "input/charset.h"

static const char *append(const char *charset, const char *bytes, size_t length)
{
    static struct den_buffer out;

    if (out.length_max == 0)
        den_buffer_init(&out, 65536);
    den_buffer_clear(&out);
    return den_charset_append(&out, charset, bytes, length) ? out.data : NULL;
}

static void knows_names(void **state)
{
    assert_string_equal(append("ISO-8859-1", "caf\xE9", 4), "caf\xC3\xA9");
    assert_string_equal(append("us-ascii", "\x93q\x94", 3), "\xE2\x80\x9Cq\xE2\x80\x9D");
    assert_string_equal(append("gb2312", "\xC4\xE3", 2), "\xE4\xBD\xA0");
    assert_string_equal(append("iso-2022-jp", "\x1B$B$\"\x1B(B", 8), "\xE3\x81\x82");
    assert_string_equal(append("koi8-r", "\xC1", 1), "\xD0\xB0");
    assert_null(append("no-such-charset", "a", 1));
    assert_null(append("../../lib/evil", "a", 1));
    assert_null(append("", "a", 1));
}

static void replaces_what_means_nothing(void **state)
{
    assert_string_equal(append("shift_jis", "a\x81", 2), "a\xEF\xBF\xBD");
    assert_string_equal(append("utf-8",
                               "a\xFF"
                               "b",
                               3),
                        "a\xEF\xBF\xBD"
                        "b");
    assert_string_equal(append("windows-1252", "\x81", 1), "\xEF\xBF\xBD");
}

static enum den_charset guessed(const char *bytes, size_t length)
{
    struct den_error err = { 0 };
    struct den_decoded decoded;
    enum den_charset charset;

    assert_int_equal(den_decode(bytes, length, NULL, &decoded, &err), DEN_OK);
    charset = decoded.charset;
    den_decoded_free(&decoded);
    return charset;
}

static void guesses(void **state)
{
    assert_int_equal(guessed("plain", 5), DEN_CHARSET_UTF8);
    assert_int_equal(guessed("\xE4\xBD\xA0", 3), DEN_CHARSET_UTF8);
    assert_int_equal(guessed("\xC4\xE3\xBA\xC3", 4), DEN_CHARSET_GB18030);
    assert_int_equal(guessed("\xE9t\xE9 et \xE0 c\xF4t\xE9", 14), DEN_CHARSET_WINDOWS_1252);
    assert_int_equal(guessed("Stra\xDF"
                             "e, M\xE4rz, \xFC"
                             "ber",
                             18),
                     DEN_CHARSET_WINDOWS_1252);
}

/* A header is believed, but not against text that is valid UTF-8. */
static void weighs_what_a_header_says(void **state)
{
    struct den_error err = { 0 };
    struct den_decoded decoded;

    assert_int_equal(den_decode("\xC4\xE3", 2, "big5", &decoded, &err), DEN_OK);
    assert_int_equal(decoded.charset, DEN_CHARSET_NAMED);
    assert_int_equal(den_decoded_source(&decoded, 3), 0);
    den_decoded_free(&decoded);
    assert_int_equal(den_decode("\xC3\xA9", 2, "iso-8859-1", &decoded, &err), DEN_OK);
    assert_int_equal(decoded.charset, DEN_CHARSET_UTF8);
    den_decoded_free(&decoded);
}

int input_test_charset(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),
        cmocka_unit_test(replaces_what_means_nothing),
        cmocka_unit_test(guesses),
        cmocka_unit_test(weighs_what_a_header_says),
    };

    den_charset_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
