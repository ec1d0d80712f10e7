/* Packed files by name: beside the model or in the home, found again only while model and file are
 * what they were, made by one process at a time, and gone with the model. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tensor/packed_file.h"
#include "worker/model_files.h"
#include "worker/packed_files.h"

struct home {
    char folder[64], model[128], elsewhere[128], packed[128];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct home *home = calloc(1, sizeof *home);
    struct den_error err = { 0 };
    char path[128];

    assert_non_null(home);
    snprintf(home->folder, sizeof home->folder, "/tmp/den_packed_XXXXXX");
    assert_non_null(mkdtemp(home->folder));
    snprintf(path, sizeof path, "%s/models/m", home->folder);
    assert_int_equal(den_folder_create(path, &err), DEN_OK);
    snprintf(home->model, sizeof home->model, "%s/models/m/a.gguf", home->folder);
    snprintf(home->packed, sizeof home->packed, "%s/models/m/.a.gguf.packed", home->folder);
    snprintf(home->elsewhere, sizeof home->elsewhere, "%s/b.gguf", home->folder);
    write_file(home->model, "model a");
    write_file(home->elsewhere, "model b");
    setenv("DEN_HOME", home->folder, 1);
    setenv("DEN_PACKED", "all", 1);
    *state = home;
    return 0;
}

static int tear_down(void **state)
{
    struct home *home = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", home->folder);
    assert_int_equal(system(command), 0);
    unsetenv("DEN_HOME");
    unsetenv("DEN_PACKED");
    free(home);
    return 0;
}

static struct den_packed_files open_packed(const char *model)
{
    struct den_packed_files packed;
    struct den_model_files files = { 0 };
    struct den_error err = { 0 };

    assert_int_equal(den_model_files_open(model, &files, &err), DEN_OK);
    den_packed_files_open(model, &files, &packed);
    den_model_files_close(&files);
    return packed;
}

/* Only what packed_files.c looks at is right. */
static void make(const char *model)
{
    struct den_packed_files packed = open_packed(model);
    unsigned char bytes[8192] = { 0 };
    const struct den_packed_header header = { .key = { .files = packed.files },
                                              .bytes = DEN_PACKED_DATA_AT + 64,
                                              .table = DEN_PACKED_DATA_AT + 64 };
    struct den_error err = { 0 };

    assert_int_equal(packed.finished, -1);
    assert_true(packed.unfinished >= 0);
    assert_true(den_packed_files_make_room(&packed, 8192));
    den_packed_write(bytes, &header, NULL);
    assert_int_equal(pwrite(packed.unfinished, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(den_packed_files_finish(&packed, &err), DEN_OK);
    assert_int_equal(packed.unfinished, -1);
}

static bool is_there(const char *model)
{
    struct den_packed_files packed = open_packed(model);
    bool there = packed.finished >= 0;

    assert_true(there != (packed.unfinished >= 0));
    den_packed_files_close(&packed);
    return there;
}

static void is_made_beside_the_model(void **state)
{
    const struct home *home = *state;
    char part[160];

    assert_false(is_there(home->model));
    make(home->model);
    assert_true(den_file_exists(home->packed));
    assert_true(is_there(home->model));
    assert_true(den_packed_files_bytes(home->model) > 0);
    snprintf(part, sizeof part, "%s.part", home->packed);
    assert_false(den_file_exists(part));
    den_packed_files_remove(home->model);
    assert_false(den_file_exists(home->packed));
    assert_int_equal(den_packed_files_bytes(home->model), 0);
}

static void lies_in_the_home_for_models_elsewhere(void **state)
{
    const struct home *home = *state;
    struct den_packed_files packed;
    char folder[128];

    make(home->elsewhere);
    assert_true(is_there(home->elsewhere));
    packed = open_packed(home->elsewhere);
    snprintf(folder, sizeof folder, "%s/packed/", home->folder);
    assert_int_equal(strncmp(packed.path, folder, strlen(folder)), 0);
    den_packed_files_close(&packed);
}

static void forgets_a_changed_model(void **state)
{
    const struct home *home = *state;
    const struct timespec dates[2] = { { 0, 5000 }, { 1700000000, 5000 } };

    make(home->model);
    assert_int_equal(utimensat(AT_FDCWD, home->model, dates, 0), 0);
    assert_false(is_there(home->model));
    make(home->model);
    assert_true(is_there(home->model));
    write_file(home->model, "model A, longer");
    assert_int_equal(utimensat(AT_FDCWD, home->model, dates, 0), 0);
    assert_false(is_there(home->model));
}

/* By whoever still has a descriptor to write to. */
static void forgets_a_file_that_was_written_to(void **state)
{
    const struct home *home = *state;
    int descriptor;

    make(home->model);
    descriptor = open(home->packed, O_RDWR);
    assert_int_equal(pwrite(descriptor, "x", 1, 5000), 1);
    close(descriptor);
    assert_false(is_there(home->model));
    assert_int_equal(den_packed_files_bytes(home->model), 0);
}

static void is_made_by_one_at_a_time(void **state)
{
    const struct home *home = *state;
    struct den_packed_files first = open_packed(home->model), second = open_packed(home->model);
    struct den_error err = { 0 };

    assert_true(first.unfinished >= 0);
    assert_int_equal(second.unfinished, -1);
    assert_int_equal(second.finished, -1);
    den_packed_files_close(&second);
    assert_true(den_packed_files_make_room(&first, 100));
    assert_int_equal(den_packed_files_finish(&first, &err), DEN_OK);
    /* a death leaves a .part, which the next one takes over, empty */
    first = open_packed(home->model);
    assert_int_equal(pwrite(first.unfinished, "half", 4, 0), 4);
    close(first.unfinished);
    second = open_packed(home->model);
    assert_true(second.unfinished >= 0);
    assert_int_equal(lseek(second.unfinished, 0, SEEK_END), 0);
    den_packed_files_close(&second);
}

/* Removed while it was being made: it is not to come back. */
static void is_not_made_for_a_removed_model(void **state)
{
    const struct home *home = *state;
    struct den_packed_files packed = open_packed(home->model);
    struct den_error err = { 0 };

    assert_true(den_packed_files_make_room(&packed, 100));
    den_packed_files_remove(home->model);
    assert_int_not_equal(den_packed_files_finish(&packed, &err), DEN_OK);
    assert_false(den_file_exists(home->packed));
}

static void does_without(void **state)
{
    const struct home *home = *state;
    struct den_packed_files packed = open_packed(home->model);
    char models[128];

    assert_false(den_packed_files_make_room(&packed, 0));
    assert_false(den_packed_files_make_room(&packed, 1ull << 62)); /* no packing needs so much */
    den_packed_files_close(&packed);
    setenv("DEN_PACKED", "off", 1);
    packed = open_packed(home->model);
    assert_true(packed.finished < 0 && packed.unfinished < 0);
    unsetenv("DEN_PACKED"); /* a small model */
    packed = open_packed(home->model);
    assert_true(packed.finished < 0 && packed.unfinished < 0);
    setenv("DEN_PACKED", "all", 1);
    snprintf(models, sizeof models, "%s/models/m", home->folder);
    if (geteuid() == 0)
        return; /* may write anywhere */
    assert_int_equal(chmod(models, 0500), 0);
    packed = open_packed(home->model);
    assert_true(packed.finished < 0 && packed.unfinished < 0);
    assert_int_equal(chmod(models, 0700), 0);
}

int worker_test_packed_files(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(is_made_beside_the_model),
        TEST(lies_in_the_home_for_models_elsewhere),
        TEST(forgets_a_changed_model),
        TEST(forgets_a_file_that_was_written_to),
        TEST(is_made_by_one_at_a_time),
        TEST(is_not_made_for_a_removed_model),
        TEST(does_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
