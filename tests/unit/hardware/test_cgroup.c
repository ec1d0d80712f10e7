/* Control groups of both versions, built as folders in a temporary place. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "hardware/cgroup.h"

static char root[64];

static void write_text(const char *name, const char *text)
{
    struct den_error err = { 0 };
    char path[512];
    char *slash;

    snprintf(path, sizeof path, "%s/%s", root, name);
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(den_folder_create(path, &err), DEN_OK);
    *slash = '/';
    assert_int_equal(den_file_write(path, text, strlen(text), &err), DEN_OK);
}

static int make_root(void **state)
{
    snprintf(root, sizeof root, "/tmp/den-cgroup-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void absence_is_no_limit(void **state)
{
    struct den_cgroup group = { .cores = 7 };

    den_cgroup_read(root, &group);
    assert_true(group.cores == 0);
    assert_int_equal(group.memory_bytes, 0);
}

static void version_2_takes_the_tightest(void **state)
{
    struct den_cgroup group;

    write_text("proc/self/cgroup", "0::/a/b\n");
    write_text("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    write_text("sys/fs/cgroup/a/b/memory.max", "4000000\n");
    write_text("sys/fs/cgroup/a/b/memory.current", "1000000\n");
    write_text("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
    write_text("sys/fs/cgroup/a/memory.max", "max\n");
    write_text("sys/fs/cgroup/cpu.max", "400000 100000\n");
    den_cgroup_read(root, &group);
    assert_true(group.cores == 2.5);
    assert_int_equal(group.memory_bytes, 4000000);
    assert_int_equal(group.memory_used_bytes, 1000000);
}

static void version_2_reads_the_mount_of_a_container(void **state)
{
    struct den_cgroup group;

    write_text("proc/self/cgroup", "0::/host/path/not/here\n");
    write_text("sys/fs/cgroup/cpu.max", "150000 100000\n");
    den_cgroup_read(root, &group);
    assert_true(group.cores == 1.5);
}

static void version_1(void **state)
{
    struct den_cgroup group;

    write_text("proc/self/cgroup", "5:cpuset:/x\n4:memory:/m\n3:cpu,cpuacct:/c\nnonsense\n1:\n");
    write_text("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "300000\n");
    write_text("sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
    write_text("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    write_text("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    write_text("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "5000000\n");
    write_text("sys/fs/cgroup/memory/m/memory.usage_in_bytes", "17\n");
    write_text("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    den_cgroup_read(root, &group);
    assert_true(group.cores == 3);
    assert_int_equal(group.memory_bytes, 5000000);
    assert_int_equal(group.memory_used_bytes, 17);
}

int hardware_test_cgroup(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absence_is_no_limit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_2_takes_the_tightest, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_2_reads_the_mount_of_a_container, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(version_1, make_root, remove_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
