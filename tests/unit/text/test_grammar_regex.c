/* Patterns and formats, through strings of a schema. */
#include "grammar_try.h"

static void pattern(const char *regex, const char *good, const char *bad)
{
    json_t *schema = json_pack("{s: s, s: s}", "type", "string", "pattern", regex);
    char *source = json_dumps(schema, 0);

    takes(source, good);
    refuses(source, bad);
    free(source);
    json_decref(schema);
}

static void format(const char *name, const char *good, const char *bad)
{
    json_t *schema = json_pack("{s: s, s: s}", "type", "string", "format", name);
    char *source = json_dumps(schema, 0);

    takes(source, good);
    refuses(source, bad);
    free(source);
    json_decref(schema);
}

static void patterns_are_searched_for(void **state)
{
    pattern("b", "\"b\"\n\"abc\"", "\"\"\n\"a\"");
    pattern("^b", "\"b\"\n\"bc\"", "\"ab\"");
    pattern("b$", "\"b\"\n\"ab\"", "\"ba\"");
    pattern("^a|b$", "\"ax\"\n\"xb\"", "\"xa\"\n\"bx\"");
    pattern("^(a|b){2}$", "\"ab\"\n\"bb\"", "\"a\"\n\"aba\"");
    pattern("^$", "\"\"", "\"a\"");
    fails("{\"pattern\": \"a$b\"}", DEN_INVALID, "contradicts itself");
}

static void constructs_mean_what_they_should(void **state)
{
    pattern("^\\d{2,3}-[^a-c\\s]+$", "\"12-x\"\n\"123-dd\"",
            "\"1-x\"\n\"12-a\"\n\"12- \"\n\"1234-x\"");
    pattern("^(?:x|yz)*?\\.\\u00e9\\x41$",
            "\".\xc3\xa9"
            "A\"\n\"xyz.\xc3\xa9"
            "A\"",
            "\"x\"\n\"y.\xc3\xa9"
            "A\"");
    pattern("^(?<name>\\w+)\\/\\W$", "\"a_1/-\"", "\"/-\"\n\"a/b\"");
    pattern("^[\\w.-]+$", "\"a.b-c\"", "\"a b\"");
    pattern("^[^\\w]$", "\"-\"", "\"a\"\n\"\xc3\xa9\"");
    pattern("^.$", "\"\xf0\x9f\x98\x80\"\n\"\\\"\"\n\"\\\\\"", "\"\\n\"\n\"ab\"");
    pattern("^[\\n\"]{2}$", "\"\\n\\\"\"", "\"\\n\"\n\"n\\\"\"");
    pattern("^a{2}b{,3}$", "\"aab{,3}\"", "\"aabbb\"");
    pattern("^\\u{1F600}[\\]\\\\]$", "\"\xf0\x9f\x98\x80]\"\n\"\xf0\x9f\x98\x80\\\\\"", "\"]\"");
}

static void bad_patterns_are_named(void **state)
{
    fails("{\"pattern\": \"(?=a)\"}", DEN_UNSUPPORTED, "lookaround");
    fails("{\"properties\": {\"a\": {\"pattern\": \"(a)\\\\1\"}}}", DEN_UNSUPPORTED,
          "#/properties/a/pattern");
    fails("{\"pattern\": \"\\\\bx\"}", DEN_UNSUPPORTED, "boundaries");
    fails("{\"pattern\": \"\\\\p{L}\"}", DEN_UNSUPPORTED, "Unicode");
    fails("{\"pattern\": \"(a\"}", DEN_INVALID, "')' is missing");
    fails("{\"pattern\": \"a)\"}", DEN_INVALID, "')'");
    fails("{\"pattern\": \"[a\"}", DEN_INVALID, "']'");
    fails("{\"pattern\": \"*a\"}", DEN_INVALID, "nothing to repeat");
    fails("{\"pattern\": \"a**\"}", DEN_INVALID, "nothing to repeat");
    fails("{\"pattern\": \"[z-a]\"}", DEN_INVALID, "out of order");
    fails("{\"pattern\": \"a{3,2}\"}", DEN_INVALID, "out of order");
    fails("{\"pattern\": \"\\\\\"}", DEN_INVALID, "backslash");
    fails("{\"pattern\": 1}", DEN_INVALID, "must be strings");
}

static void formats_are_held_to(void **state)
{
    format("date", "\"2024-02-29\"\n\"2000-02-29\"\n\"1999-12-31\"",
           "\"2023-02-29\"\n\"1900-02-29\"\n\"2024-13-01\"\n\"2024-04-31\"\n\"0000-01-01\"\n\"2024-"
           "1-1\"");
    format("time", "\"23:59:59Z\"\n\"00:00:00.25+14:00\"",
           "\"24:00:00Z\"\n\"00:00:60Z\"\n\"00:00:00\"");
    format("date-time", "\"2024-02-29T12:00:00-05:30\"",
           "\"2024-02-29 12:00:00Z\"\n\"2024-02-29\"");
    format("duration", "\"P1Y2M3DT4H5M6S\"\n\"P3W\"\n\"PT5M\"", "\"P\"\n\"PT\"\n\"P1Y3D\"\n\"1D\"");
    format("uuid", "\"123e4567-e89b-12d3-a456-426614174000\"",
           "\"123e4567e89b12d3a456426614174000\"");
    format("email", "\"a.b+c@mail.example.org\"", "\"a@b\n@b.de\"\n\"a b@c.de\"\n\"a.@c.de\"");
    format("hostname", "\"example.org\"\n\"a-b.c1.de\"",
           "\"-a.de\"\n\"a-.de\"\n\"a..de\"\n\"1.2.3.4\"");
    format("ipv4", "\"0.0.0.0\"\n\"255.199.10.1\"", "\"256.1.1.1\"\n\"1.1.1\"\n\"01.1.1.1\"");
    format("ipv6", "\"::\"\n\"::1\"\n\"fe80::1\"\n\"1:2:3:4:5:6:7:8\"",
           "\"1:2:3\"\n\":::\"\n\"1::2::3\"");
    format("uri", "\"https://example.org:8080/a/b?c=d#e\"", "\"example.org\"\n\"http://\"");
    format("json-pointer", "\"\"\n\"/a~1b/0\"", "\"a\"\n\"/~2\"");
    format("int32", "\"anything\"", "1");
}

static void several_hold_at_once(void **state)
{
    takes("{\"pattern\": \"^a\", \"allOf\": [{\"pattern\": \"z$\"}], \"minLength\": 3, "
          "\"maxLength\": 4}",
          "\"abz\"\n\"abcz\"");
    refuses("{\"pattern\": \"^a\", \"allOf\": [{\"pattern\": \"z$\"}], \"minLength\": 3, "
            "\"maxLength\": 4}",
            "\"az\"\n\"abcdz\"\n\"abc\"\n\"bbz\"");
    fails("{\"pattern\": \"^a$\", \"minLength\": 2}", DEN_INVALID, "contradicts itself");
}

int text_test_grammar_regex(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_searched_for),
        cmocka_unit_test(constructs_mean_what_they_should),
        cmocka_unit_test(bad_patterns_are_named),
        cmocka_unit_test(formats_are_held_to),
        cmocka_unit_test(several_hold_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
