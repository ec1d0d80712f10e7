/* Folders for files in work: locked while somebody has them, gone afterwards, tidied when nobody
 * does; and what is said of a disk without room. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "base/file.h"
#include "desk/scratch_folder.h"

static char home[64];

static int make_home(void **state)
{
    snprintf(home, sizeof home, "/tmp/den-scratch-test-XXXXXX");
    return mkdtemp(home) ? 0 : 1;
}

static int remove_home(void **state)
{
    den_folder_remove(home);
    return 0;
}

static void what_is_in_use_stays(void **state)
{
    struct den_scratch mine, left;
    struct den_error err = { 0 };
    char path[DEN_PATH_BYTES_MAX];

    assert_int_equal(den_scratch_open(home, &mine, &err), DEN_OK);
    assert_int_equal(den_scratch_open(home, &left, &err), DEN_OK);
    assert_int_equal(den_scratch_file(&left, "x", path, &err), DEN_OK);
    assert_int_equal(den_file_write(path, "x", 1, &err), DEN_OK);
    close(left.fd); /* as if its maker had died */
    den_scratch_tidy(home);
    assert_false(den_file_is_folder(left.path));
    assert_true(den_file_is_folder(mine.path));
    snprintf(path, sizeof path, "%s", mine.path);
    den_scratch_close(&mine);
    assert_false(den_file_is_folder(path));
    den_scratch_close(&mine);
}

static void a_full_disk_is_told_with_its_room(void **state)
{
    struct den_error err = { 0 };
    char path[DEN_PATH_BYTES_MAX];

    assert_int_equal(den_disk_check(home, 1, "backup", &err), DEN_OK);
    assert_int_equal(den_disk_check(home, UINT64_MAX / 2, "backup", &err), DEN_IO);
    assert_non_null(strstr(err.message, "MiB free"));
    assert_non_null(strstr(err.message, home));
    snprintf(path, sizeof path, "%s/not/there/yet", home);
    err = (struct den_error){ 0 };
    errno = ENOSPC;
    assert_int_equal(den_disk_fail(&err, "export", path), DEN_IO);
    assert_non_null(strstr(err.message, "the disk is full"));
    err = (struct den_error){ 0 };
    errno = EEXIST;
    assert_int_equal(den_disk_fail(&err, "export", path), DEN_IN_USE);
}

static void a_file_gets_its_name(void **state)
{
    char from[DEN_PATH_BYTES_MAX], to[DEN_PATH_BYTES_MAX];
    struct den_error err = { 0 };

    snprintf(from, sizeof from, "%s/part", home);
    snprintf(to, sizeof to, "%s/whole", home);
    assert_int_equal(den_file_write(from, "x", 1, &err), DEN_OK);
    assert_int_equal(den_disk_settle(from, to, &err), DEN_OK);
    assert_true(den_file_exists(to));
    assert_int_equal(den_disk_settle(from, to, &err), DEN_IO);
}

int desk_test_scratch_folder(int argc, char **argv)
{
#define HOME_TEST(name) cmocka_unit_test_setup_teardown(name, make_home, remove_home)
    const struct CMUnitTest tests[] = {
        HOME_TEST(what_is_in_use_stays),
        HOME_TEST(a_full_disk_is_told_with_its_room),
        HOME_TEST(a_file_gets_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
