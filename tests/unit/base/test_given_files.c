/* A table of given files stands in for the file system: readers see it and nothing else. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/given_files.h"

static int memory_file(const char *text)
{
    int fd = memfd_create("given", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void set(const struct den_given_file *files, size_t count)
{
    struct den_error err = { 0 };

    assert_int_equal(den_given_files_set(files, count, &err), DEN_OK);
}

static void readers_see_the_table(void **state)
{
    int fd = memory_file("{\"a\": 1}");
    const struct den_given_file files[] = { { "/m/x/config.json", fd }, { "/m/x/model.bin", -1 } };
    struct den_error err = { 0 };
    struct den_buffer text;
    struct den_map map;
    int round;

    set(files, 2);
    assert_true(den_file_exists("/m/x/config.json") && den_file_exists("/m/x/model.bin"));
    assert_false(den_file_exists("/m/x/other.json"));
    assert_false(den_file_exists("/etc/passwd")); /* which is there outside */
    assert_true(den_file_is_folder("/m/x") && den_file_is_folder("/m/x/"));
    assert_true(den_file_is_folder("/m"));
    assert_false(den_file_is_folder("/m/x/config.json") || den_file_is_folder("/etc"));
    assert_false(den_file_is_folder("/m/x/con"));
    den_buffer_init(&text, 100);
    for (round = 0; round < 2; round++) { /* also when the descriptor's place has moved */
        den_buffer_clear(&text);
        assert_int_equal(den_file_read("/m/x/config.json", &text, &err), DEN_OK);
        assert_string_equal(text.data, "{\"a\": 1}");
    }
    den_buffer_deinit(&text);
    assert_int_equal(den_map_open(&map, "/m/x/config.json", &err), DEN_OK);
    assert_memory_equal(map.data, "{\"a\": 1}", map.bytes);
    den_map_close(&map);
    assert_int_equal(den_map_open(&map, "/m/x/model.bin", &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    assert_int_equal(den_map_open(&map, "/etc/passwd", &err), DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "/etc/passwd: No such file"));
    den_given_files_clear();
    assert_true(den_file_exists("/etc/passwd"));
    close(fd);
}

static void add_name(void *context, const char *name)
{
    char *names = context;
    size_t length = strlen(names);

    snprintf(names + length, 200 - length, "%s ", name);
}

static void folders_are_listed(void **state)
{
    const struct den_given_file files[] = { { "a/b/one", -1 },
                                            { "a/b/1_Pooling/config.json", -1 },
                                            { "a/b/1_Pooling/more.json", -1 },
                                            { "a/bc/two", -1 } };
    struct den_error err = { 0 };
    char names[200] = "";

    set(files, 4);
    assert_int_equal(den_folder_list("a/b", add_name, names, &err), DEN_OK);
    assert_string_equal(names, "one 1_Pooling ");
    names[0] = '\0';
    assert_int_equal(den_folder_list("a/", add_name, names, &err), DEN_OK);
    assert_string_equal(names, "b bc ");
    assert_int_equal(den_folder_list("a/c", add_name, names, &err), DEN_NOT_FOUND);
    den_given_files_clear();
}

static void an_empty_table_is_a_table(void **state)
{
    set(NULL, 0);
    assert_true(den_given_files_are_set());
    assert_false(den_file_exists("/etc/passwd"));
    den_given_files_clear();
    assert_false(den_given_files_are_set());
}

int base_test_given_files(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_the_table),
        cmocka_unit_test(folders_are_listed),
        cmocka_unit_test(an_empty_table_is_a_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
