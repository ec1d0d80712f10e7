/* Import and removal: what becomes a model, under which name, and what is left when it does not. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk/catalogue.h"
#include "desk/model_store.h"

static char scratch[256];
static char name[DEN_MODEL_NAME_BYTES_MAX];

static const char *in_scratch(const char *path)
{
    static char joined[4][512];
    static unsigned next;
    char *out = joined[next++ % 4];

    snprintf(out, sizeof joined[0], "%s/%s", scratch, path);
    return out;
}

static void put(const char *path, const char *text)
{
    struct den_error err = { 0 };

    assert_int_equal(den_file_write(in_scratch(path), text, strlen(text), &err), DEN_OK);
}

static int set_up(void **state)
{
    struct den_error err = { 0 };

    snprintf(scratch, sizeof scratch, "/tmp/den-store-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    setenv("DEN_HOME", in_scratch("home"), 1);
    assert_int_equal(den_folder_create(in_scratch("home/models"), &err), DEN_OK);
    assert_int_equal(den_folder_create(in_scratch("from/1_Pooling"), &err), DEN_OK);
    put("from/config.json", "{}");
    put("from/model.safetensors", "weights");
    put("from/pytorch_model.bin", "code");
    put("from/1_Pooling/config.json", "{}");
    put("Some Model.Q4_0.gguf", "GGUF and more");
    return 0;
}

static enum den_status import(const char *path, const char *wanted)
{
    struct den_error err = { 0 };

    return den_model_import(in_scratch(path), wanted, name, &err);
}

/* Names in the models folder, hidden ones too. */
static int count_models(void)
{
    DIR *listing = opendir(in_scratch("home/models"));
    const struct dirent *entry;
    int count = 0;

    while ((entry = readdir(listing)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static void a_file_is_linked_and_gets_a_plain_name(void **state)
{
    struct stat from, to;

    assert_int_equal(import("Some Model.Q4_0.gguf", NULL), DEN_OK);
    assert_string_equal(name, "Some-Model.Q4_0");
    assert_int_equal(stat(in_scratch("Some Model.Q4_0.gguf"), &from), 0);
    assert_int_equal(stat(in_scratch("home/models/Some-Model.Q4_0/Some Model.Q4_0.gguf"), &to), 0);
    assert_int_equal(from.st_ino, to.st_ino);
    assert_int_equal(import("Some Model.Q4_0.gguf", NULL), DEN_IN_USE);
    assert_int_equal(count_models(), 1);
}

static void a_folder_comes_without_what_den_does_not_read(void **state)
{
    assert_int_equal(import("from/", "mine"), DEN_OK);
    assert_true(den_file_exists(in_scratch("home/models/mine/model.safetensors")));
    assert_true(den_file_exists(in_scratch("home/models/mine/1_Pooling/config.json")));
    assert_false(den_file_exists(in_scratch("home/models/mine/pytorch_model.bin")));
}

static void all_parts_of_a_split_file_come_or_none(void **state)
{
    const int before = count_models();

    put("big-00001-of-00002.gguf", "GGUF");
    assert_int_equal(import("big-00001-of-00002.gguf", NULL), DEN_NOT_FOUND);
    assert_int_equal(count_models(), before);
    put("big-00002-of-00002.gguf", "GGUF");
    assert_int_equal(import("big-00002-of-00002.gguf", NULL), DEN_OK);
    assert_string_equal(name, "big");
    assert_true(den_file_exists(in_scratch("home/models/big/big-00001-of-00002.gguf")));
}

static void what_is_no_model_leaves_nothing(void **state)
{
    const int before = count_models();
    struct den_error err = { 0 };

    put("text.gguf", "not a model");
    put("notes.txt", "GGUF");
    assert_int_equal(mkfifo(in_scratch("pipe.gguf"), 0600), 0);
    assert_int_equal(import("text.gguf", NULL), DEN_BAD_FILE);
    assert_int_equal(import("notes.txt", NULL), DEN_BAD_FILE);
    assert_int_equal(import("pipe.gguf", NULL), DEN_BAD_FILE);
    assert_int_equal(import("absent.gguf", NULL), DEN_NOT_FOUND);
    assert_int_equal(import("home", NULL), DEN_BAD_FILE);
    assert_int_equal(den_model_import("relative.gguf", NULL, name, &err), DEN_INVALID);
    assert_int_equal(import("Some Model.Q4_0.gguf", "../up"), DEN_INVALID);
    assert_int_equal(import("Some Model.Q4_0.gguf", ".hidden"), DEN_INVALID);
    assert_int_equal(import("Some Model.Q4_0.gguf", "a/b"), DEN_INVALID);
    assert_int_equal(count_models(), before);
}

static void removing_takes_the_link_and_never_what_is_outside(void **state)
{
    struct den_error err = { 0 };
    const int before = count_models();

    assert_int_equal(symlink(in_scratch("from"), in_scratch("home/models/linked")), 0);
    assert_int_equal(den_model_remove("linked", &err), DEN_OK);
    assert_true(den_file_exists(in_scratch("from/model.safetensors")));
    assert_int_equal(import("Some Model.Q4_0.gguf", "gone"), DEN_OK);
    assert_int_equal(den_model_remove("gone", &err), DEN_OK);
    assert_true(den_file_exists(in_scratch("Some Model.Q4_0.gguf")));
    assert_int_equal(count_models(), before);
    assert_int_equal(den_model_remove("gone", &err), DEN_NOT_FOUND);
    err = (struct den_error){ 0 };
    assert_int_equal(den_model_remove("../from", &err), DEN_FORBIDDEN);
    err = (struct den_error){ 0 };
    assert_int_equal(den_model_remove("..", &err), DEN_FORBIDDEN);
    err = (struct den_error){ 0 };
    assert_int_equal(den_model_remove("", &err), DEN_FORBIDDEN);
}

int desk_test_model_store(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_linked_and_gets_a_plain_name),
        cmocka_unit_test(a_folder_comes_without_what_den_does_not_read),
        cmocka_unit_test(all_parts_of_a_split_file_come_or_none),
        cmocka_unit_test(what_is_no_model_leaves_nothing),
        cmocka_unit_test(removing_takes_the_link_and_never_what_is_outside),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
