/* JSON: what is refused, and the typed getters. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static json_t *parse(const char *text)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    if (den_json_parse(text, strlen(text), "test", &value, &err) != DEN_OK)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static void refuse(const char *text, size_t length, const char *message)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    assert_int_equal(den_json_parse(text, length, "body", &value, &err), DEN_INVALID);
    assert_null(value);
    if (strncmp(err.message, "body: ", 6) != 0 || !strstr(err.message, message))
        fail_msg("'%s', wanted '%s'", err.message, message);
}

static void refuses_malformed_text(void **state)
{
    static const char *const cases[] = { "",           " ",           "{",      "[1,]",
                                         "{\"a\":1,}", "{a:1}",       "'a'",    "[1] 2",
                                         "nul",        "01",          "1e999",  "\"\x01\"",
                                         "\"\xFF\"",   "\"\\ud800\"", "[1",     "\"",
                                         "+1",         "NaN",         "//x\n1", "\xEF\xBB\xBF{}" };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i], strlen(cases[i]), "malformed JSON at line");
    refuse("{\"a\":1,\"a\":2}", 13, "duplicate");
    refuse("[1]\0", 4, "malformed");
    refuse("1e400", 5, "malformed"); /* no double holds it */
}

static void limits_depth(void **state)
{
    char text[DEN_JSON_DEPTH_MAX * 2 + 4];
    struct den_error err = { 0 };
    json_t *value = NULL;
    size_t depth;

    for (depth = DEN_JSON_DEPTH_MAX; depth <= DEN_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        if (depth > DEN_JSON_DEPTH_MAX) {
            refuse(text, 2 * depth, "deeper than 64");
        } else {
            assert_int_equal(den_json_parse(text, 2 * depth, "x", &value, &err), DEN_OK);
            json_decref(value);
        }
    }
}

/* Brackets inside strings are no depth; closing ones there don't hide any either. */
static void counts_depth_outside_strings(void **state)
{
    char text[600];
    struct den_error err = { 0 };
    json_t *value = NULL;
    size_t i;

    memset(text, '[', 300);
    text[0] = '"';
    text[299] = '"';
    assert_int_equal(den_json_parse(text, 300, "x", &value, &err), DEN_OK);
    json_decref(value);
    for (i = 0; i < 70; i++) /* [ "]\"", [ "]\"", ... : each string would undo a level */
        snprintf(text + i * 7, 8, "[\"]\\\"\",");
    refuse(text, 70 * 7, "deeper than 64");
}

static void reads_integers(void **state)
{
    json_t *value = parse("{\"a\":5,\"b\":null,\"c\":\"5\",\"d\":5.0,\"e\":-9223372036854775808}");
    struct den_error err = { 0 };
    int64_t number = 77;

    assert_int_equal(den_json_get_integer(value, "absent", 0, 9, &number, &err), DEN_OK);
    assert_int_equal(den_json_get_integer(value, "b", 0, 9, &number, &err), DEN_OK);
    assert_int_equal(number, 77);
    assert_int_equal(den_json_get_integer(value, "a", 5, 5, &number, &err), DEN_OK);
    assert_int_equal(number, 5);
    assert_int_equal(den_json_get_integer(value, "e", INT64_MIN, 0, &number, &err), DEN_OK);
    assert_true(number == INT64_MIN);
    number = 77;
    assert_int_equal(den_json_get_integer(value, "a", 6, 9, &number, &err), DEN_INVALID);
    assert_string_equal(err.message, "'a' is 5; it must be between 6 and 9");
    assert_int_equal(den_json_get_integer(value, "c", 0, 9, &number, &err), DEN_INVALID);
    assert_string_equal(err.message, "'c' must be an integer, not a string");
    assert_int_equal(den_json_get_integer(value, "d", 0, 9, &number, &err), DEN_INVALID);
    assert_int_equal(number, 77);
    json_decref(value);
}

static void reads_numbers(void **state)
{
    json_t *value = parse("{\"a\":0.5,\"b\":2,\"c\":true}");
    struct den_error err = { 0 };
    double number = 7;

    assert_int_equal(den_json_get_number(value, "a", 0, 2, &number, &err), DEN_OK);
    assert_true(number == 0.5);
    assert_int_equal(den_json_get_number(value, "b", 0, 2, &number, &err), DEN_OK);
    assert_true(number == 2);
    assert_int_equal(den_json_get_number(value, "b", 0, 1.5, &number, &err), DEN_INVALID);
    assert_string_equal(err.message, "'b' is 2; it must be between 0 and 1.5");
    assert_int_equal(den_json_get_number(value, "c", 0, 2, &number, &err), DEN_INVALID);
    assert_true(number == 2);
    json_decref(value);
}

static void reads_truth_and_text(void **state)
{
    json_t *value = parse("{\"a\":true,\"b\":\"h\\u00e9\",\"c\":\"a\\u0000b\",\"d\":[],\"e\":0}");
    struct den_error err = { 0 };
    const char *text = "default";
    bool truth = false;

    assert_int_equal(den_json_get_bool(value, "a", &truth, &err), DEN_OK);
    assert_true(truth);
    assert_int_equal(den_json_get_bool(value, "e", &truth, &err), DEN_INVALID);
    assert_int_equal(den_json_get_text(value, "x", &text, &err), DEN_OK);
    assert_string_equal(text, "default");
    assert_int_equal(den_json_get_text(value, "b", &text, &err), DEN_OK);
    assert_string_equal(text, "h\xC3\xA9");
    assert_int_equal(den_json_get_text(value, "d", &text, &err), DEN_INVALID);
    assert_string_equal(err.message, "'d' must be a string, not an array");
    assert_int_equal(den_json_get_text(value, "c", &text, &err), DEN_INVALID);
    assert_string_equal(err.message, "'c' must not contain U+0000");
    assert_string_equal(text, "h\xC3\xA9");
    json_decref(value);
}

static void writes(void **state)
{
    json_t *value = parse("{\"b\":[1,2.5,null],\"a\":\"\xE4\xBD\xA0\\n\\u0000\"}");
    struct den_error err = { 0 };
    struct den_buffer out;

    den_buffer_init(&out, 100);
    assert_int_equal(den_json_write(value, &out, &err), DEN_OK);
    assert_string_equal(out.data, "{\"b\":[1,2.5,null],\"a\":\"\xE4\xBD\xA0\\n\\u0000\"}");
    den_buffer_deinit(&out);
    den_buffer_init(&out, 10);
    assert_int_equal(den_json_write(value, &out, &err), DEN_TOO_LARGE);
    den_buffer_deinit(&out);
    json_decref(value);
}

static void blames_the_file(void **state)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    assert_int_equal(den_json_read_file(DEN_FIXTURES "/tensor/small.gguf", &value, &err),
                     DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "small.gguf: malformed JSON"));
    err = (struct den_error){ 0 };
    assert_int_equal(den_json_read_file("absent.json", &value, &err), DEN_NOT_FOUND);
    assert_null(value);
    err = (struct den_error){ 0 };
    assert_int_equal(den_json_read_file(DEN_FIXTURES "/tensor/single/config.json", &value, &err),
                     DEN_OK);
    assert_int_equal(json_object_size(value), 2);
    json_decref(value);
}

/* tokenizer_config.json of many models: 10^30 for "unknown". */
static void integers_beyond_64_bits_are_real(void **state)
{
    static const char text[] =
        "{\"a\": 1000000000000000019884624838656, \"b\": \"10000000000000000000 \\\" 99\", "
        "\"c\": [-99999999999999999999, 12, 9223372036854775807, 0.12345678901234567890123]}";
    struct den_error err = { 0 };
    json_t *value = NULL, *list;

    assert_int_equal(den_json_parse(text, sizeof text - 1, "t", &value, &err), DEN_OK);
    assert_true(json_real_value(json_object_get(value, "a")) == 1e30);
    assert_string_equal(json_string_value(json_object_get(value, "b")),
                        "10000000000000000000 \" 99");
    list = json_object_get(value, "c");
    assert_true(json_real_value(json_array_get(list, 0)) == -1e20);
    assert_int_equal(json_integer_value(json_array_get(list, 1)), 12);
    assert_true(json_number_value(json_array_get(list, 2)) == 9223372036854775807.0);
    assert_true(json_real_value(json_array_get(list, 3)) > 0.123);
    json_decref(value);
    assert_int_equal(den_json_parse("[99999999999999999999, ", 23, "t", &value, &err), DEN_INVALID);
}

static void numbers_are_written_as_people_write_them(void **state)
{
    struct den_error err = { 0 };
    struct den_buffer text;
    json_t *value = json_pack("[f, f, f]", 0.8, 1e-7, 3.0);

    den_buffer_init(&text, 100);
    assert_int_equal(den_json_show(value, &text, &err), DEN_OK);
    assert_string_equal(text.data, "[0.8,1e-7,3.0]");
    den_buffer_deinit(&text);
    json_decref(value);
}

int base_test_json(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_beyond_64_bits_are_real),
        cmocka_unit_test(numbers_are_written_as_people_write_them),
        cmocka_unit_test(refuses_malformed_text),
        cmocka_unit_test(limits_depth),
        cmocka_unit_test(counts_depth_outside_strings),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_truth_and_text),
        cmocka_unit_test(writes),
        cmocka_unit_test(blames_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
