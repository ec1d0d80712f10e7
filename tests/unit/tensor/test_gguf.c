/* Opening whole GGUF files, one and split, written by the gguf package (make_tensor_files.py). */
#include "test.h"

#include "gguf_writer.h"
#include "scratch.h"
#include "tensor/gguf.h"

static void check_values(const struct den_tensor *tensor, int index)
{
    static float values[1024];
    size_t elements = den_tensor_elements(tensor);
    size_t i;

    assert_true(elements <= 1024);
    den_type_to_f32(tensor->type, tensor->data, values, elements);
    for (i = 0; i < elements; i++) {
        float wanted = (float)index + 1 + (float)i / 4;
        float tolerance = den_type_is_quantized(tensor->type) ? 0.2f : 0;

        assert_true(values[i] >= wanted - tolerance && values[i] <= wanted + tolerance);
    }
}

static void reads_tensors(void **state)
{
    static const struct {
        const char *name;
        enum den_type type;
        unsigned dims;
        size_t size[4];
        size_t bytes;
    } wanted[] = { { "plain.weight", DEN_TYPE_F32, 2, { 5, 3, 1, 1 }, 60 },
                   { "half.weight", DEN_TYPE_F16, 1, { 7, 1, 1, 1 }, 14 },
                   { "packed.weight", DEN_TYPE_Q8_0, 2, { 64, 2, 1, 1 }, 136 },
                   { "cube.weight", DEN_TYPE_F32, 4, { 5, 4, 3, 2 }, 480 } };
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    int i;

    assert_int_equal(den_gguf_open(DEN_FIXTURES "/tensor/small.gguf", &gguf, &err), DEN_OK);
    assert_int_equal(den_gguf_tensor_count(gguf), 4);
    assert_string_equal(den_gguf_path(gguf), DEN_FIXTURES "/tensor/small.gguf");
    for (i = 0; i < 4; i++) {
        const struct den_tensor *tensor = den_gguf_find_tensor(gguf, wanted[i].name);

        assert_non_null(tensor);
        assert_ptr_equal(tensor, den_gguf_tensor(gguf, (size_t)i));
        assert_string_equal(tensor->name, wanted[i].name);
        assert_int_equal(tensor->type, wanted[i].type);
        assert_int_equal(tensor->dims, wanted[i].dims);
        assert_memory_equal(tensor->size, wanted[i].size, sizeof wanted[i].size);
        assert_int_equal(tensor->bytes, wanted[i].bytes);
        assert_int_equal(tensor->row_bytes * den_tensor_rows(tensor), wanted[i].bytes);
        check_values(tensor, i);
    }
    assert_null(den_gguf_find_tensor(gguf, "absent"));
    assert_null(den_gguf_find_tensor(gguf, ""));
    assert_null(den_gguf_tensor(gguf, 4));
    den_gguf_release(gguf);
    check_values(den_gguf_tensor(gguf, 3), 3); /* still readable */
    den_gguf_close(gguf);
}

#define PART(n) DEN_FIXTURES "/tensor/split-0000" #n "-of-00003.gguf"

static void joins_split_files(void **state)
{
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    uint64_t value;
    char name[32];
    int i;

    assert_int_equal(den_gguf_open(PART(1), &gguf, &err), DEN_OK);
    assert_int_equal(den_gguf_tensor_count(gguf), 6);
    for (i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "part.%d.weight", i);
        assert_non_null(den_gguf_find_tensor(gguf, name));
        check_values(den_gguf_find_tensor(gguf, name), i);
    }
    assert_int_equal(den_gguf_get_u64(gguf, "kind.u32", &value, &err), DEN_OK);
    assert_int_equal(value, 7);
    den_gguf_close(gguf);
}

/* Copies the parts given (0: leave out) as parts 1, 2 and 3 and expects `message`. */
static void check_split(const char *const from[3], enum den_status status, const char *message)
{
    static const char *const names[] = { "m-00001-of-00003.gguf", "m-00002-of-00003.gguf",
                                         "m-00003-of-00003.gguf" };
    struct scratch scratch;
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    int i;

    scratch_create(&scratch);
    for (i = 0; i < 3; i++)
        if (from[i])
            scratch_copy(&scratch, names[i], from[i]);
    den_gguf_open(scratch_path(&scratch, names[0]), &gguf, &err);
    scratch_destroy(&scratch);
    den_gguf_close(gguf);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("got %s: '%s', wanted '%s'", den_status_text(err.status), err.message, message);
}

static void refuses_broken_splits(void **state)
{
    check_split((const char *[]){ PART(1), PART(2), PART(3) }, DEN_OK, "");
    check_split((const char *[]){ PART(1), PART(2), NULL }, DEN_NOT_FOUND,
                "m-00003-of-00003.gguf: No such file");
    check_split((const char *[]){ PART(1), PART(3), PART(3) }, DEN_BAD_FILE,
                "says it is part 3 of 3; part 2 of 3 belongs here");
    check_split((const char *[]){ PART(2), PART(2), PART(3) }, DEN_INVALID, "is part 2 of 3");
    check_split((const char *[]){ PART(1), DEN_FIXTURES "/tensor/small.gguf", PART(3) },
                DEN_BAD_FILE, "says it is part 1 of 1");
}

/* A first part of `count` files with one tensor (unless that is left out), under `name`. */
static void check_first(const char *name, uint32_t count, uint32_t total, enum den_status status,
                        const char *message)
{
    struct writer w = { 0 };
    struct scratch scratch;
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };

    put_header(&w, 0, 3);
    put_key_u32(&w, "split.no", 0);
    put_key_u32(&w, "split.count", count);
    put_key_u32(&w, "split.tensors.count", total);
    scratch_create(&scratch);
    den_gguf_open(scratch_write(&scratch, name, w.bytes, w.length), &gguf, &err);
    scratch_destroy(&scratch);
    den_gguf_close(gguf);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("got %s: '%s', wanted '%s'", den_status_text(err.status), err.message, message);
}

static void refuses_broken_first_parts(void **state)
{
    check_first("a.gguf", 1, 0, DEN_OK, "");
    check_first("a.gguf", 2, 0, DEN_BAD_FILE, "doesn't end in '-00001-of-00002.gguf'");
    check_first("a-00001-of-00003.gguf", 2, 0, DEN_BAD_FILE, "-00001-of-00002.gguf");
    check_first("-00001-of-00002.gguf", 2, 0, DEN_NOT_FOUND, "-00002-of-00002.gguf");
    check_first("a.gguf", 513, 0, DEN_BAD_FILE, "split.count is 513");
    check_first("a.gguf", UINT32_MAX, 0, DEN_BAD_FILE, "split.count is 4294967295");
    check_first("a.gguf", 1, 5, DEN_BAD_FILE, "split.tensors.count is 5");
}

/* The three keys must be integers; `odd` is given as text. */
static void check_odd_kind(const char *odd)
{
    static const char *const keys[] = { "split.no", "split.count", "split.tensors.count" };
    struct writer w = { 0 };
    struct scratch scratch;
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    int i;

    put_header(&w, 0, 3);
    for (i = 0; i < 3; i++) {
        if (strcmp(keys[i], odd) != 0) {
            put_key_u32(&w, keys[i], i == 1 && strcmp(odd, "split.no") == 0 ? 2 : 0);
            continue;
        }
        put_text(&w, keys[i]);
        put_u32(&w, 8);
        put_text(&w, "two");
    }
    scratch_create(&scratch);
    den_gguf_open(scratch_write(&scratch, "a.gguf", w.bytes, w.length), &gguf, &err);
    scratch_destroy(&scratch);
    assert_null(gguf);
    assert_int_equal(err.status, DEN_BAD_FILE);
    if (!strstr(err.message, odd) || !strstr(err.message, "it must be an integer"))
        fail_msg("%s", err.message);
}

static void refuses_split_keys_of_other_kinds(void **state)
{
    check_odd_kind("split.no");
    check_odd_kind("split.count");
    check_odd_kind("split.tensors.count");
}

static void refuses_split_memory(void **state)
{
    struct writer w = { 0 };
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };

    put_header(&w, 0, 1);
    put_key_u32(&w, "split.count", 2);
    assert_int_equal(den_gguf_open_memory(w.bytes, w.length, "m", &gguf, &err), DEN_UNSUPPORTED);
}

static void refuses_what_is_no_file(void **state)
{
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    struct scratch scratch;

    assert_int_equal(den_gguf_open("absent.gguf", &gguf, &err), DEN_NOT_FOUND);
    assert_string_equal(err.message, "gguf: absent.gguf: No such file or directory");
    assert_int_equal(den_gguf_open(DEN_FIXTURES, &gguf, &err), DEN_INVALID);
    assert_int_equal(den_gguf_open("/dev/zero", &gguf, &err), DEN_INVALID);
    scratch_create(&scratch);
    assert_int_equal(den_gguf_open(scratch_write(&scratch, "e", "", 0), &gguf, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "the file is empty"));
    scratch_destroy(&scratch);
    assert_null(gguf);
    den_gguf_close(NULL);
}

int tensor_test_gguf(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tensors),
        cmocka_unit_test(joins_split_files),
        cmocka_unit_test(refuses_broken_splits),
        cmocka_unit_test(refuses_broken_first_parts),
        cmocka_unit_test(refuses_split_keys_of_other_kinds),
        cmocka_unit_test(refuses_split_memory),
        cmocka_unit_test(refuses_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
