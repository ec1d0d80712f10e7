/* Which files of a model are handed to its worker. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/model_files.h"

static char folder[64];

static void make(const char *name)
{
    char path[256];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int set_up(void **state)
{
    char path[256];

    snprintf(folder, sizeof folder, "/tmp/den-test-files-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/1_Pooling", folder);
    return mkdir(path, 0700);
}

static int tear_down(void **state)
{
    char command[256];

    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* 1: open; 0: by name only; -1: not there. */
static int look(const struct den_model_files *files, const char *name)
{
    char path[256];
    size_t i;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (i = 0; i < files->count; i++)
        if (strcmp(files->files[i].path, path) == 0)
            return files->files[i].descriptor >= 0;
    return -1;
}

static struct den_model_files open_files(const char *path)
{
    struct den_model_files files;
    struct den_error err = { 0 };

    if (den_model_files_open(path, &files, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return files;
}

static void a_folder_gives_what_models_have(void **state)
{
    const char *const opened[] = {
        "config.json",     "model.safetensors", "chat_template.jinja",
        "tokenizer.model", "vocab.txt",         "1_Pooling/config.json"
    };
    struct den_model_files files;
    char path[256];
    size_t i;

    for (i = 0; i < sizeof opened / sizeof opened[0]; i++)
        make(opened[i]);
    make("pytorch_model.bin");
    make("1_Pooling/secret.key");
    snprintf(path, sizeof path, "%s/pipe.json", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    files = open_files(folder);
    for (i = 0; i < sizeof opened / sizeof opened[0]; i++)
        assert_int_equal(look(&files, opened[i]), 1);
    assert_int_equal(look(&files, "pytorch_model.bin"), 0);
    assert_int_equal(look(&files, "pipe.json"), 0);
    assert_int_equal(look(&files, "1_Pooling/secret.key"), -1);
    assert_int_equal(files.open_count, 6);
    den_model_files_close(&files);
}

static void a_split_file_gives_all_parts(void **state)
{
    struct den_model_files files;
    char path[256];

    make("m-00001-of-00003.gguf");
    make("m-00002-of-00003.gguf");
    make("m-00003-of-00003.gguf");
    make("other.gguf");
    snprintf(path, sizeof path, "%s/m-00001-of-00003.gguf", folder);
    files = open_files(path);
    assert_int_equal(files.count, 3);
    assert_int_equal(look(&files, "m-00003-of-00003.gguf"), 1);
    den_model_files_close(&files);
    snprintf(path, sizeof path, "%s/m-00002-of-00003.gguf", folder);
    unlink(path);
    files = open_files(path); /* one is missing: the reader will say so */
    assert_int_equal(files.count, 2);
    den_model_files_close(&files);
    snprintf(path, sizeof path, "%s/other.gguf", folder);
    files = open_files(path);
    assert_int_equal(files.count, 1);
    den_model_files_close(&files);
}

static void nothing_gives_nothing(void **state)
{
    struct den_model_files files;
    struct den_error err = { 0 };

    files = open_files("/no/such/model.gguf");
    assert_int_equal(files.count, 0);
    den_model_files_close(&files);
    if (geteuid() != 0) {
        assert_int_equal(den_model_files_open("/etc/shadow", &files, &err), DEN_IO);
        assert_non_null(strstr(err.message, "/etc/shadow"));
    }
}

int worker_test_model_files(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_gives_what_models_have, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_split_file_gives_all_parts, set_up, tear_down),
        cmocka_unit_test(nothing_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
