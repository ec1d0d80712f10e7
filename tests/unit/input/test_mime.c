/* MIME: the examples of RFC 2045, 2047 and 2231, and what mail programs make of them. */
#include "test.h"

#include <string.h>

#include "input/mime.h"

static struct den_buffer out;

static void reset(void)
{
    if (out.length_max == 0)
        den_buffer_init(&out, 65536);
    den_buffer_clear(&out);
}

static const char *words(const char *text)
{
    reset();
    den_mime_words(text, strlen(text), &out);
    return out.data;
}

static void decodes_words(void **state)
{
    assert_string_equal(words("=?ISO-8859-1?Q?a?="), "a");
    assert_string_equal(words("=?ISO-8859-1?Q?a?= b"), "a b");
    assert_string_equal(words("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), "ab");
    assert_string_equal(words("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?b?="), "ab");
    assert_string_equal(words("=?ISO-8859-1?Q?a_b?="), "a b");
    assert_string_equal(words("=?utf-8*en?B?w6k=?= x"), "\xC3\xA9 x");
    assert_string_equal(words("=?gb2312?b?xOO6ww==?="), "\xE4\xBD\xA0\xE5\xA5\xBD");
    assert_string_equal(words("1 =? 2 =?x"), "1 =? 2 =?x");
    assert_string_equal(words("=?utf-8?q?open"), "=?utf-8?q?open");
}

static const char *decode(const char *encoding, const char *text)
{
    reset();
    den_mime_decode(encoding, text, strlen(text), &out);
    return out.data;
}

static void decodes_bodies(void **state)
{
    assert_string_equal(decode("base64", "SGVs\r\nbG8="), "Hello");
    assert_string_equal(decode("BASE64", "SGVsbG8h"), "Hello!");
    assert_string_equal(decode("base64", "S"), "");
    assert_string_equal(decode("quoted-printable", "caf=C3=A9 =\r\nend=  \r\n=zz="),
                        "caf\xC3\xA9 endzz");
    assert_string_equal(decode("8bit", "as =3D it"), "as =3D it");
}

static void finds_headers(void **state)
{
    static const char mail[] = "Subject: one\r\n two\r\nX-subject: no\r\nFROM:a@b\r\n\r\nTo: body";
    size_t body, headers = den_mime_headers(mail, strlen(mail), &body);

    assert_string_equal(mail + body, "To: body");
    reset();
    assert_true(den_mime_header(mail, headers, "Subject", &out));
    assert_string_equal(out.data, "one two");
    reset();
    assert_true(den_mime_header(mail, headers, "From", &out));
    assert_string_equal(out.data, "a@b");
    assert_false(den_mime_header(mail, headers, "To", &out));
}

static const char *parameter(const char *value, const char *name)
{
    reset();
    return den_mime_parameter(value, name, &out) ? out.data : NULL;
}

static void finds_parameters(void **state)
{
    assert_string_equal(parameter("a/b; charset=utf-8; x=\"y;z\"", "charset"), "utf-8");
    assert_string_equal(
        parameter("a/b; x=\"charset=no; \\\"\"; charset = \"q\"; charset=yes ", "charset"), "yes");
    assert_string_equal(parameter("a; filename*=iso-8859-1'en'%A3%20rates", "filename"),
                        "\xC2\xA3 rates");
    assert_null(parameter("a/b", "charset"));
    assert_null(parameter("a/b; charset", "charset"));
}

int input_test_mime(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_words),
        cmocka_unit_test(decodes_bodies),
        cmocka_unit_test(finds_headers),
        cmocka_unit_test(finds_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
