/* What a path can be: models of each form, and everything that people name by mistake. */
#include "test.h"

#include "scratch.h"
#include "tensor/weights.h"

static void opens_a_gguf_file(void **state)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;

    assert_int_equal(den_weights_open(DEN_FIXTURES "/tensor/small.gguf", &weights, &err), DEN_OK);
    assert_non_null(den_weights_gguf(weights));
    assert_null(den_weights_config(weights));
    assert_string_equal(den_weights_path(weights), DEN_FIXTURES "/tensor/small.gguf");
    assert_int_equal(den_weights_tensor_count(weights), 4);
    assert_int_equal(den_weights_bytes(weights), 60 + 14 + 136 + 480);
    assert_string_equal(den_weights_tensor(weights, 1)->name, "half.weight");
    assert_null(den_weights_find(weights, "absent"));
    den_weights_release(weights);
    den_buffer_init(&text, 100);
    assert_int_equal(den_weights_read_text(weights, "tokenizer.json", &text, &err), DEN_NOT_FOUND);
    den_buffer_deinit(&text);
    den_weights_close(weights);
}

static void opens_a_hugging_face_folder(const char *path)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;

    assert_int_equal(den_weights_open(path, &weights, &err), DEN_OK);
    assert_null(den_weights_gguf(weights));
    assert_int_equal(
        json_integer_value(json_object_get(den_weights_config(weights), "hidden_size")), 6);
    assert_int_equal(den_weights_tensor_count(weights), 5);
    assert_int_equal(den_weights_bytes(weights), 4 + 12 + 96 + 40 + 3);
    assert_int_equal(den_weights_find(weights, "matrix")->size[0], 6);
    den_weights_release(weights);
    den_buffer_init(&text, 100);
    assert_int_equal(den_weights_read_text(weights, "tokenizer.json", &text, &err), DEN_OK);
    assert_string_equal(text.data, "{}\n");
    assert_int_equal(den_weights_read_text(weights, "absent.json", &text, &err), DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "absent.json"));
    den_buffer_deinit(&text);
    den_weights_close(weights);
}

static void opens_hugging_face_folders(void **state)
{
    opens_a_hugging_face_folder(DEN_FIXTURES "/tensor/single");
    opens_a_hugging_face_folder(DEN_FIXTURES "/tensor/shards");
    opens_a_hugging_face_folder(DEN_FIXTURES "/tensor/shards/");
}

static void opens_a_folder_with_one_gguf(void **state)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct scratch scratch;

    scratch_create(&scratch);
    scratch_copy(&scratch, "m.gguf", DEN_FIXTURES "/tensor/small.gguf");
    scratch_write(&scratch, "README.md", "a model", 7);
    assert_int_equal(den_weights_open(scratch.folder, &weights, &err), DEN_OK);
    assert_non_null(den_weights_gguf(weights));
    assert_string_equal(den_weights_path(weights), scratch.folder);
    den_weights_close(weights);
    scratch_destroy(&scratch);

    scratch_create(&scratch); /* the later parts of a split model are not models */
    scratch_copy(&scratch, "split-00001-of-00003.gguf",
                 DEN_FIXTURES "/tensor/split-00001-of-00003.gguf");
    scratch_copy(&scratch, "split-00002-of-00003.gguf",
                 DEN_FIXTURES "/tensor/split-00002-of-00003.gguf");
    scratch_copy(&scratch, "split-00003-of-00003.gguf",
                 DEN_FIXTURES "/tensor/split-00003-of-00003.gguf");
    assert_int_equal(den_weights_open(scratch.folder, &weights, &err), DEN_OK);
    assert_int_equal(den_weights_tensor_count(weights), 6);
    den_weights_close(weights);
    scratch_destroy(&scratch);
}

/* A folder with the files named (empty ones), ended by NULL. */
static void check_folder(const char *const *names, enum den_status status, const char *message)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct scratch scratch;

    scratch_create(&scratch);
    for (; *names; names++)
        scratch_write(&scratch, *names, "", 0);
    den_weights_open(scratch.folder, &weights, &err);
    scratch_destroy(&scratch);
    assert_null(weights);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("got %s: '%s', wanted '%s'", den_status_text(err.status), err.message, message);
}

static void explains_folders_without_a_model(void **state)
{
    check_folder((const char *[]){ NULL }, DEN_NOT_FOUND, "holds no weights; a model is a .gguf");
    check_folder((const char *[]){ "config.json", "tokenizer.json", NULL }, DEN_NOT_FOUND,
                 "holds no weights");
    check_folder((const char *[]){ "model.safetensors", NULL }, DEN_NOT_FOUND, "no config.json");
    check_folder((const char *[]){ "config.json", "other.safetensors", NULL }, DEN_NOT_FOUND,
                 "under other names");
    check_folder((const char *[]){ "config.json", "pytorch_model.bin", NULL }, DEN_UNSUPPORTED,
                 "PyTorch checkpoint");
    check_folder((const char *[]){ "a.gguf", "b.gguf", NULL }, DEN_INVALID, "holds 2 GGUF models");
    check_folder((const char *[]){ "config.json", "model.safetensors", NULL }, DEN_BAD_FILE,
                 "config.json: malformed JSON");
    check_folder((const char *[]){ "a.gguf", NULL }, DEN_BAD_FILE, "a.gguf: the file is empty");
}

static void check_file(const char *name, const char *text, enum den_status status,
                       const char *message)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct scratch scratch;

    scratch_create(&scratch);
    den_weights_open(scratch_write(&scratch, name, text, strlen(text)), &weights, &err);
    scratch_destroy(&scratch);
    assert_null(weights);
    if (err.status != status || !strstr(err.message, message))
        fail_msg("got %s: '%s', wanted '%s'", den_status_text(err.status), err.message, message);
}

static void explains_files_of_other_kinds(void **state)
{
    check_file("m.gguf", "", DEN_BAD_FILE, "the file is empty");
    check_file("m.gguf", "GGU", DEN_BAD_FILE, "not a GGUF file");
    check_file("m.gguf", "PK\3\4....", DEN_BAD_FILE, "a zip archive (a PyTorch checkpoint?)");
    check_file("m.gguf", "version https://git-lfs.github.com/spec/v1\noid", DEN_BAD_FILE,
               "a Git LFS pointer: the download is incomplete");
    check_file("m.gguf", "<!DOCTYPE html><html>404", DEN_BAD_FILE, "an HTML page");
    check_file("model.safetensors", "anything", DEN_INVALID, "name the folder that holds it");
}

static void explains_missing_paths(void **state)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_weights_open("no/such/model", &weights, &err), DEN_NOT_FOUND);
    assert_string_equal(err.message, "model: no/such/model: No such file or directory; a model is "
                                     "a .gguf file, or a folder with config.json and "
                                     "model.safetensors");
    assert_int_equal(den_weights_open("", &weights, &err), DEN_NOT_FOUND);
    assert_int_equal(den_weights_open("/dev/null", &weights, &err), DEN_INVALID);
    assert_null(weights);
    den_weights_close(NULL);
}

static void refuses_a_config_that_is_no_object(void **state)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct scratch scratch;

    scratch_create(&scratch);
    scratch_copy(&scratch, "model.safetensors", DEN_FIXTURES "/tensor/single/model.safetensors");
    scratch_write(&scratch, "config.json", "[1]", 3);
    assert_int_equal(den_weights_open(scratch.folder, &weights, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "config.json: is no JSON object"));
    scratch_destroy(&scratch);
}

int tensor_test_weights(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_a_gguf_file),
        cmocka_unit_test(opens_hugging_face_folders),
        cmocka_unit_test(opens_a_folder_with_one_gguf),
        cmocka_unit_test(explains_folders_without_a_model),
        cmocka_unit_test(explains_files_of_other_kinds),
        cmocka_unit_test(explains_missing_paths),
        cmocka_unit_test(refuses_a_config_that_is_no_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
