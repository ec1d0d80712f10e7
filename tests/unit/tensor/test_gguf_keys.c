/* Keys of every kind, read from a file that the gguf package wrote (make_tensor_files.py). */
#include "test.h"

#include <math.h>
#include <string.h>

#include "gguf_writer.h"
#include "tensor/gguf.h"

static int open_small(void **state)
{
    struct den_error err = { 0 };

    return den_gguf_open(DEN_FIXTURES "/tensor/small.gguf", (struct den_gguf **)state, &err) ==
                   DEN_OK
               ? 0
               : -1;
}

static int close_small(void **state)
{
    den_gguf_close(*state);
    return 0;
}

static void reads_integers(void **state)
{
    static const struct {
        const char *key;
        uint64_t value;
    } cases[] = { { "kind.u8", 200 },
                  { "kind.u16", 60000 },
                  { "kind.u32", 4000000000u },
                  { "kind.u64", UINT64_MAX },
                  { "array.uniform", 8 } };
    static const char *const negative[] = { "kind.i8", "kind.i16", "kind.i32", "kind.i64" };
    struct den_error err = { 0 };
    uint64_t value;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(den_gguf_get_u64(*state, cases[i].key, &value, &err), DEN_OK);
        assert_true(value == cases[i].value);
    }
    for (i = 0; i < sizeof negative / sizeof negative[0]; i++) {
        value = 77;
        err = (struct den_error){ 0 };
        assert_int_equal(den_gguf_get_u64(*state, negative[i], &value, &err), DEN_BAD_FILE);
        assert_non_null(strstr(err.message, negative[i]));
        assert_int_equal(value, 77);
    }
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *key;
        double value;
    } cases[] = { { "kind.f32", 0.5 },   { "kind.f64", 1e-5 },
                  { "kind.i8", -100 },   { "kind.i16", -30000 },
                  { "kind.i32", -2e9 },  { "kind.i64", -9223372036854775808.0 },
                  { "kind.u8", 200 },    { "kind.u64", 18446744073709551616.0 },
                  { "array.uniform", 8 } };
    struct den_error err = { 0 };
    double value;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(den_gguf_get_f64(*state, cases[i].key, &value, &err), DEN_OK);
        assert_true(value == cases[i].value);
    }
}

static void reads_truth_and_text(void **state)
{
    struct den_gguf_string text;
    struct den_error err = { 0 };
    bool truth = false;

    assert_int_equal(den_gguf_get_bool(*state, "kind.bool", &truth, &err), DEN_OK);
    assert_true(truth);
    assert_int_equal(den_gguf_get_string(*state, "kind.string", &text, &err), DEN_OK);
    assert_int_equal(text.length, 6);
    assert_memory_equal(text.text, "w\xC3\xB6rld", 6);
    assert_int_equal(den_gguf_get_string(*state, "general.architecture", &text, &err), DEN_OK);
    assert_memory_equal(text.text, "llama", 5);
}

static void reads_arrays(void **state)
{
    struct den_error err = { 0 };
    struct den_gguf_string text;
    enum den_gguf_kind kind;
    size_t length;

    assert_int_equal(den_gguf_get_array(*state, "array.text", &kind, &length, &err), DEN_OK);
    assert_int_equal(kind, DEN_GGUF_STRING);
    assert_int_equal(length, 4);
    assert_int_equal(den_gguf_array_string(den_gguf_array(*state, "array.text"), 0).length, 0);
    text = den_gguf_array_string(den_gguf_array(*state, "array.text"), 2);
    assert_int_equal(text.length, 6);
    assert_memory_equal(text.text, "zw\xC3\xB6lf", 6);
    text = den_gguf_array_string(den_gguf_array(*state, "array.text"), 3);
    assert_int_equal(text.length, 300);
    assert_int_equal(text.text[299], 'x');
    assert_int_equal(den_gguf_array_integer(den_gguf_array(*state, "array.integers"), 1), -1);
    assert_true(den_gguf_array_number(den_gguf_array(*state, "array.integers"), 2) == 4);
    assert_true(den_gguf_array_number(den_gguf_array(*state, "array.numbers"), 1) == -2.5);
    assert_int_equal(den_gguf_array_integer(den_gguf_array(*state, "array.truths"), 0), 1);
    assert_int_equal(den_gguf_array_integer(den_gguf_array(*state, "array.truths"), 1), 0);
}

static void answers_zero_out_of_range(void **state)
{
    assert_int_equal(den_gguf_array_string(den_gguf_array(*state, "array.text"), 4).length, 0);
    assert_string_equal(den_gguf_array_string(den_gguf_array(*state, "array.text"), SIZE_MAX).text,
                        "");
    assert_string_equal(den_gguf_array_string(den_gguf_array(*state, "array.integers"), 0).text,
                        "");
    assert_string_equal(den_gguf_array_string(den_gguf_array(*state, "absent"), 0).text, "");
    assert_string_equal(den_gguf_array_string(den_gguf_array(*state, "kind.string"), 0).text, "");
    assert_int_equal(den_gguf_array_integer(den_gguf_array(*state, "array.integers"), 3), 0);
    assert_int_equal(den_gguf_array_integer(den_gguf_array(*state, "array.text"), 0), 0);
    assert_true(den_gguf_array_number(den_gguf_array(*state, "array.numbers"), 2) == 0);
    assert_null(den_gguf_key_name(*state, den_gguf_key_count(*state)));
}

static void refuses_wrong_kinds(void **state)
{
    struct den_error err = { 0 };
    struct den_gguf_string text;
    enum den_gguf_kind kind;
    uint64_t number;
    double real;
    size_t length;
    bool truth;

    assert_int_equal(den_gguf_get_u64(*state, "kind.string", &number, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "key 'kind.string' is of kind string"));
    assert_int_equal(den_gguf_get_u64(*state, "kind.f32", &number, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_u64(*state, "kind.bool", &number, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_u64(*state, "array.integers", &number, &err), DEN_UNSUPPORTED);
    assert_int_equal(den_gguf_get_f64(*state, "kind.bool", &real, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_f64(*state, "array.text", &real, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_f64(*state, "array.numbers", &real, &err), DEN_UNSUPPORTED);
    assert_int_equal(den_gguf_get_bool(*state, "kind.u8", &truth, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_bool(*state, "array.truths", &truth, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_string(*state, "array.text", &text, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_string(*state, "kind.u8", &text, &err), DEN_BAD_FILE);
    assert_int_equal(den_gguf_get_array(*state, "kind.u8", &kind, &length, &err), DEN_BAD_FILE);
}

static void is_silent_about_absent_keys(void **state)
{
    struct den_error err = { 0 };
    struct den_gguf_string text;
    uint64_t number;
    double real;
    bool truth;

    assert_false(den_gguf_has(*state, "kind"));
    assert_true(den_gguf_has(*state, "kind.u8"));
    assert_int_equal(den_gguf_get_u64(*state, "kind.u", &number, &err), DEN_NOT_FOUND);
    assert_int_equal(den_gguf_get_f64(*state, "", &real, &err), DEN_NOT_FOUND);
    assert_int_equal(den_gguf_get_bool(*state, "zzz", &truth, &err), DEN_NOT_FOUND);
    assert_int_equal(den_gguf_get_string(*state, "kind.u88", &text, &err), DEN_NOT_FOUND);
    assert_int_equal(err.status, DEN_OK);
    assert_string_equal(err.message, "");
}

static void refuses_what_is_not_finite(void **state)
{
    static const uint32_t values[] = { 0x7F800000, 0xFF800000, 0x7FC00000 };
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct writer w = { 0 };
        struct den_gguf *gguf = NULL;
        struct den_error err = { 0 };
        double value = 5;

        put_header(&w, 0, 2);
        put_text(&w, "bad");
        put_u32(&w, 6);
        put_u32(&w, values[i]);
        put_text(&w, "empty"); /* an array without items has no value either */
        put_u32(&w, 9);
        put_u32(&w, 6);
        put_u64(&w, 0);
        assert_int_equal(den_gguf_open_memory(w.bytes, w.length, "odd", &gguf, &err), DEN_OK);
        assert_int_equal(den_gguf_get_f64(gguf, "bad", &value, &err), DEN_BAD_FILE);
        assert_non_null(strstr(err.message, "key 'bad'"));
        assert_int_equal(den_gguf_get_f64(gguf, "empty", &value, &err), DEN_BAD_FILE);
        assert_true(value == 5);
        den_gguf_close(gguf);
    }
}

static void lists_keys_in_order(void **state)
{
    assert_int_equal(den_gguf_key_count(*state), 18);
    assert_memory_equal(den_gguf_key_name(*state, 0)->text, "general.architecture", 20);
    assert_memory_equal(den_gguf_key_name(*state, 1)->text, "kind.u8", 7);
}

int tensor_test_gguf_keys(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_truth_and_text),
        cmocka_unit_test(reads_arrays),
        cmocka_unit_test(answers_zero_out_of_range),
        cmocka_unit_test(refuses_wrong_kinds),
        cmocka_unit_test(is_silent_about_absent_keys),
        cmocka_unit_test(refuses_what_is_not_finite),
        cmocka_unit_test(lists_keys_in_order),
    };

    return cmocka_run_group_tests(tests, open_small, close_small);
}
