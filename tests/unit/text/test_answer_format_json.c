/* The byte-wise scan agrees with jansson on what is JSON, and with the end of the first value. */
#include "answer_case.h"

#include "text/answer_format_json.h"

static bool scan(const char *text)
{
    struct den_json_scan place;

    den_json_scan_init(&place);
    for (; *text; text++)
        if (!den_json_scan_byte(&place, *text))
            return false;
    return den_json_scan_is_whole(&place);
}

static void expect_like_jansson(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    if ((value != NULL) != scan(text))
        fail_msg("%s: jansson says %s", text, value ? "yes" : "no");
    json_decref(value);
}

static const char *const texts[] = {
    "{}",
    "[]",
    "[1]",
    "[1,]",
    "[,1]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1}",
    "[[[]]]",
    "[}",
    "{]",
    "[1 2]",
    "[\"a\" \"b\"]",
    "[-1]",
    "[-]",
    "[01]",
    "[0]",
    "[0.5]",
    "[.5]",
    "[5.]",
    "[1e5]",
    "[1e]",
    "[1e+]",
    "[1E-2]",
    "[1.5e+3,2]",
    "[true]",
    "[tru]",
    "[truex]",
    "[null]",
    "[false,null]",
    "[nul]",
    "[\"\\n\"]",
    "[\"\\x\"]",
    "[\"\\u00e9\"]",
    "[\"\\u00g0\"]",
    "[\"a",
    "{\"a\": {\"b\": [1, {\"c\": \"}\"}]}}",
    " [ 1 , 2 ] ",
    "{\"\\\"\": 1}",
    "{1: 2}",
    "{\"a\": 1 \"b\": 2}",
    "[+1]",
    "[1-2]",
    "[--1]",
    "[1]]",
    "[1]x",
    "",
    "[\"\\u12\"]",
    "{'a': 1}",
    "[1.2.3]",
    "[0x1]",
    "[1e5.2]",
    "[{},[],\"\"]",
    "{\"a\":[}]}",
    "[true false]",
    "[-0]",
    "[-01]",
    "[00]",
    "[\"\\",
    "[\"\\/\"]",
};

static void agrees_with_jansson(void **state)
{
    size_t i, cut;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char copy[128];

        expect_like_jansson(texts[i]);
        for (cut = 0; cut < strlen(texts[i]); cut++) { /* and all of their beginnings */
            memcpy(copy, texts[i], cut);
            copy[cut] = '\0';
            expect_like_jansson(copy);
        }
    }
}

static void bounds_depth(void **state)
{
    char text[DEN_JSON_DEPTH_MAX * 2 + 3] = "";

    memset(text, '[', DEN_JSON_DEPTH_MAX);
    memset(text + DEN_JSON_DEPTH_MAX, ']', DEN_JSON_DEPTH_MAX);
    assert_true(scan(text));
    memset(text, '[', DEN_JSON_DEPTH_MAX + 1);
    memset(text + DEN_JSON_DEPTH_MAX + 1, ']', DEN_JSON_DEPTH_MAX + 1);
    assert_false(scan(text));
}

int text_test_answer_format_json(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(bounds_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
