/* safetensors by file and by folder, written by the safetensors package (make_tensor_files.py), and
 * indexes that lie. */
#include "test.h"

#include "scratch.h"
#include "tensor/safetensors.h"

static void check_content(const char *path)
{
    static const struct {
        const char *name;
        enum den_type type;
        unsigned dims;
        size_t size[4];
    } wanted[] = { { "scalar", DEN_TYPE_F32, 1, { 1, 1, 1, 1 } },
                   { "vector", DEN_TYPE_F16, 1, { 6, 1, 1, 1 } },
                   { "matrix", DEN_TYPE_F32, 2, { 6, 4, 1, 1 } },
                   { "counts", DEN_TYPE_I64, 1, { 5, 1, 1, 1 } },
                   { "bytes", DEN_TYPE_I8, 1, { 3, 1, 1, 1 } } };
    struct den_safetensors *file = NULL;
    struct den_error err = { 0 };
    size_t i;

    if (den_safetensors_open(path, &file, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(den_safetensors_count(file), 5);
    for (i = 0; i < 5; i++) {
        const struct den_tensor *tensor = den_safetensors_find(file, wanted[i].name);

        assert_non_null(tensor);
        assert_int_equal(tensor->type, wanted[i].type);
        assert_int_equal(tensor->dims, wanted[i].dims);
        assert_memory_equal(tensor->size, wanted[i].size, sizeof wanted[i].size);
    }
    assert_true(*(const float *)den_safetensors_find(file, "scalar")->data == 1);
    assert_true(((const float *)den_safetensors_find(file, "matrix")->data)[23] == 3 + 23 / 4.0f);
    assert_true(((const int64_t *)den_safetensors_find(file, "counts")->data)[4] == 4);
    assert_int_equal(((const int8_t *)den_safetensors_find(file, "bytes")->data)[0], -1);
    assert_null(den_safetensors_find(file, "__metadata__"));
    assert_null(den_safetensors_tensor(file, 5));
    den_safetensors_release(file);
    den_safetensors_close(file);
}

static void reads_files_and_folders(void **state)
{
    check_content(DEN_FIXTURES "/tensor/single/model.safetensors");
    check_content(DEN_FIXTURES "/tensor/single");
    check_content(DEN_FIXTURES "/tensor/shards");
}

/* The two shards of the fixture with this index. */
static void check_index(const char *index, enum den_status status, const char *message)
{
    struct scratch scratch;
    struct den_safetensors *file = NULL;
    struct den_error err = { 0 };

    scratch_create(&scratch);
    scratch_copy(&scratch, "a.safetensors",
                 DEN_FIXTURES "/tensor/shards/model-00001-of-00002.safetensors");
    scratch_copy(&scratch, "b.safetensors",
                 DEN_FIXTURES "/tensor/shards/model-00002-of-00002.safetensors");
    scratch_write(&scratch, "model.safetensors.index.json", index, strlen(index));
    den_safetensors_open(scratch.folder, &file, &err);
    scratch_destroy(&scratch);
    den_safetensors_close(file);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("%s\ngot %s: '%s', wanted '%s'", index, den_status_text(err.status), err.message,
                 message);
}

static void refuses_lying_indexes(void **state)
{
    check_index("{\"weight_map\":{\"scalar\":\"a.safetensors\",\"bytes\":\"b.safetensors\"}}",
                DEN_OK, "");
    check_index("{\"weight_map\":{\"bytes\":\"a.safetensors\"}}", DEN_BAD_FILE,
                "tensor 'bytes' is missing from 'a.safetensors'");
    check_index("{\"weight_map\":{\"scalar\":\"c.safetensors\"}}", DEN_NOT_FOUND,
                "c.safetensors: No such file");
    check_index("{\"weight_map\":{\"scalar\":\"../a.safetensors\"}}", DEN_BAD_FILE,
                "'../a.safetensors', which is no plain file name");
    check_index("{\"weight_map\":{\"scalar\":\"/etc/passwd\"}}", DEN_BAD_FILE, "no plain file");
    check_index("{\"weight_map\":{\"scalar\":\"..\"}}", DEN_BAD_FILE, "no plain file");
    check_index("{\"weight_map\":{\"scalar\":\"\"}}", DEN_BAD_FILE, "no plain file");
    check_index("{\"weight_map\":{\"scalar\":1}}", DEN_BAD_FILE, "no plain file");
    check_index("{\"weight_map\":{}}", DEN_BAD_FILE, "no 'weight_map'");
    check_index("{\"weight_map\":[1]}", DEN_BAD_FILE, "no 'weight_map'");
    check_index("{}", DEN_BAD_FILE, "no 'weight_map'");
    check_index("[]", DEN_BAD_FILE, "no 'weight_map'");
    check_index("{\"weight_map\":", DEN_BAD_FILE, "malformed JSON");
}

static void limits_shards(void **state)
{
    enum { ENTRY_BYTES_MAX = 32 };
    char *index = malloc((DEN_MODEL_SHARDS_MAX + 2) * ENTRY_BYTES_MAX);
    size_t at;
    int i;

    assert_non_null(index);
    at = (size_t)snprintf(index, ENTRY_BYTES_MAX, "{\"weight_map\":{");
    for (i = 0; i <= DEN_MODEL_SHARDS_MAX; i++)
        at +=
            (size_t)snprintf(index + at, ENTRY_BYTES_MAX, "%s\"t%d\":\"f%d\"", i ? "," : "", i, i);
    snprintf(index + at, ENTRY_BYTES_MAX, "}}");
    check_index(index, DEN_BAD_FILE, "names 513 files; at most 512 are allowed");
    free(index);
}

static void refuses_tensors_in_two_shards(void **state)
{
    struct scratch scratch;
    struct den_safetensors *file = NULL;
    struct den_error err = { 0 };
    const char *index =
        "{\"weight_map\":{\"scalar\":\"a.safetensors\",\"matrix\":\"b.safetensors\"}}";
    const char *shard = DEN_FIXTURES "/tensor/shards/model-00001-of-00002.safetensors";

    scratch_create(&scratch);
    scratch_copy(&scratch, "a.safetensors", shard);
    scratch_copy(&scratch, "b.safetensors", shard);
    scratch_write(&scratch, "model.safetensors.index.json", index, strlen(index));
    assert_int_equal(den_safetensors_open(scratch.folder, &file, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "appears twice"));
    scratch_destroy(&scratch);
}

static void refuses_missing_files(void **state)
{
    struct den_safetensors *file = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_safetensors_open("absent.safetensors", &file, &err), DEN_NOT_FOUND);
    assert_int_equal(den_safetensors_open(DEN_FIXTURES, &file, &err), DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "holds neither"));
    assert_null(file);
    den_safetensors_close(NULL);
}

int tensor_test_safetensors(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_and_folders), cmocka_unit_test(refuses_lying_indexes),
        cmocka_unit_test(limits_shards),           cmocka_unit_test(refuses_tensors_in_two_shards),
        cmocka_unit_test(refuses_missing_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
