/* Export files are cut into conversations, repaired, and never trusted. */
#include "thread_scratch.h"

#include "desk/import_text.h"

/* What comes of `file`: each value as compact JSON, or "!" for one that can't be read. */
static void expect(const char *file, const char *values)
{
    struct den_import_text text;
    char seen[512] = "";
    size_t used = 0;
    json_t *value = NULL;

    err = (struct den_error){ 0 };
    if (den_import_text_open(&text, file, strlen(file), &err) != DEN_OK) {
        snprintf(seen, sizeof seen, "no file");
        err = (struct den_error){ 0 };
    } else {
        while (den_import_text_next(&text, &value, &err)) {
            char *dump = err.status == DEN_OK ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
                                              : strdup("!");

            used += (size_t)snprintf(seen + used, sizeof seen - used, "%s ", dump);
            free(dump);
            json_decref(value);
            value = NULL;
            err = (struct den_error){ 0 };
        }
    }
    if (strcmp(seen, values) != 0)
        fail_msg("%s gives '%s', not '%s'", file, seen, values);
}

static void lists_are_cut(void **state)
{
    expect("[]", "");
    expect("[ {\"a\":1} , {\"b\":[1,{}]} ]", "{\"a\":1} {\"b\":[1,{}]} ");
    expect("\xEF\xBB\xBF[1,\"a]b\",\"c\\\"]\",null]", "1 \"a]b\" \"c\\\"]\" null ");
    expect("{\"mapping\":{}}", "{\"mapping\":{}} ");
    expect("{\"v\":1,\"threads\":[{\"a\":1},2],\"x\":3}", "{\"a\":1} 2 ");
    expect("{\"conversations\":[7]}", "7 ");
    expect("{\"nested\":{\"threads\":[1]}}", "{\"nested\":{\"threads\":[1]}} ");
}

static void bad_ones_spoil_no_others(void **state)
{
    expect("[{\"a\":tru},{\"b\":2}]", "! {\"b\":2} ");
    expect("[{\"a\":1,\"a\":2},3]", "! 3 ");
    expect("[1,,2]", "1 ! ");
    expect("[1 2]", "! ");
    expect("[{\"a\":1},{\"b\":", "{\"a\":1} ! ");
    expect("[\"cut", "! ");
    expect("[}", "! ");
    expect("", "no file");
    expect("hello", "no file");
    expect("PK\3\4zip", "no file");
    expect("{", "! ");
    expect("[", "");
}

static void what_is_no_character_is_replaced(void **state)
{
    expect("[\"\\ud83d\\ude00\"]", "\"\xF0\x9F\x98\x80\" ");
    expect("[\"\xF0\x9F\x98\x80\"]", "\"\xF0\x9F\x98\x80\" ");
    expect("[\"a\\ud83dz\"]", "\"a\xEF\xBF\xBDz\" ");
    expect("[\"\\ud83d\\n\"]", "\"\xEF\xBF\xBD\\n\" ");
    expect("[\"\\ude00\\ud83d\"]", "\"\xEF\xBF\xBD\xEF\xBF\xBD\" ");
    expect("[\"\\u0000\"]", "\"\xEF\xBF\xBD\" ");
    expect("[\"a\xFF\xC3\"]", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\" ");
    expect("[\"\xEF\xBF\xBD\"]", "\"\xEF\xBF\xBD\" ");
    expect("[\"\\\\ud83d\"]", "\"\\\\ud83d\" ");
}

static void depth_is_bounded(void **state)
{
    enum { DEPTH = 100000 };
    char *file = malloc(DEPTH * 2 + 8);

    memset(file, '[', DEPTH);
    file[DEPTH] = 0;
    expect(file, "! ");
    memset(file + DEPTH, ']', DEPTH);
    file[DEPTH * 2] = '\0';
    expect(file, "! ");
    free(file);
}

int desk_test_import_text(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_cut),
        cmocka_unit_test(bad_ones_spoil_no_others),
        cmocka_unit_test(what_is_no_character_is_replaced),
        cmocka_unit_test(depth_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
