/* Packages: what pip leaves becomes the model's files or nothing. pip is the real one, its index a
 * folder (tests/fixtures/packages); where it goes wrong, a script stands in for it. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk/download_package.h"

static char scratch[256];
static struct den_download_progress progress;
static struct den_hub_plan plan;
static struct den_http *http;
static struct den_error err;

static const char *in_scratch(const char *path)
{
    static char joined[4][512];
    static unsigned next;
    char *out = joined[next++ % 4];

    snprintf(out, sizeof joined[0], "%s/%s", scratch, path);
    return out;
}

static void add(const char *path, uint64_t bytes, const char *sha256)
{
    struct den_hub_file *file = &plan.files[plan.count++];

    *file = (struct den_hub_file){ .bytes = bytes };
    snprintf(file->path, sizeof file->path, "%s", path);
    snprintf(file->sha256, sizeof file->sha256, "%s", sha256);
    plan.bytes += bytes;
}

static void use_real_python(void)
{
    const char *given = getenv("DEN_TEST_PYTHON");

    setenv("DEN_PYTHON", given && *given ? given : "python3", 1);
}

static int set_up(void **state)
{
    struct den_http_options options = { .hub = "http://127.0.0.1:9", .progress = &progress };

    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/den-package-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    setenv("PIP_NO_INDEX", "1", 1);
    setenv("PIP_FIND_LINKS", DEN_FIXTURES "/packages", 1);
    memset(&plan, 0, sizeof plan);
    memset(&progress, 0, sizeof progress);
    err = (struct den_error){ 0 };
    snprintf(plan.name, sizeof plan.name, "tiny");
    plan.package = (struct den_hub_package){
        .name = "den-tiny-model",
        .version = "1.0",
        .sha256 = "c257547e5f38e422419e0fe123df31bcf2a0ead231d9e139436663c3c6c3a241",
        .member = "den_tiny_model/model",
        .is_folder = true,
    };
    add("config.json", 23, "f68a01c5183a987078f1551e41df128be7273510adba30d0a83cc905e36d13a8");
    add("1_Pooling/config.json", 20,
        "a66f6bd8729045e903756ba0f23366e24ba708d6faab7bd85de755841129f62c");
    add("weights.bin", 4096, "c8f5d0341d54d951a71b136e6e2afcb14d11ed8489a7ae126a8fee0df6ecf193");
    use_real_python();
    return den_http_create(&options, &http, &err) == DEN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[300];

    (void)state;
    den_http_destroy(http);
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command);
}

static enum den_status fetch(void)
{
    return den_package_fetch(http, &progress, &plan, scratch, &err);
}

/* A program that stands in for Python. */
static void pretend(const char *script)
{
    assert_int_equal(den_file_write(in_scratch("python"), script, strlen(script), &err), DEN_OK);
    assert_int_equal(chmod(in_scratch("python"), 0700), 0);
    setenv("DEN_PYTHON", in_scratch("python"), 1);
}

static bool is_clean(void)
{
    return !den_file_exists(in_scratch(".package")) && !den_file_exists(in_scratch("weights.bin"));
}

static void need_pip(void)
{
    if (!den_package_is_possible())
        skip();
}

static void files_come_out_checked(void **state)
{
    struct den_buffer bytes;

    (void)state;
    need_pip();
    assert_int_equal(fetch(), DEN_OK);
    assert_false(den_file_exists(in_scratch(".package")));
    den_buffer_init(&bytes, 1 << 16);
    assert_int_equal(den_file_read(in_scratch("1_Pooling/config.json"), &bytes, &err), DEN_OK);
    assert_memory_equal(bytes.data, "{\"pooling\": \"mean\"}\n", bytes.length);
    den_buffer_deinit(&bytes);
    assert_true(den_file_exists(in_scratch("config.json")));
    assert_true(den_file_exists(in_scratch("weights.bin")));
    assert_int_equal(atomic_load(&progress.bytes_done), plan.bytes);
}

static void one_file_of_it(void **state)
{
    (void)state;
    need_pip();
    plan.files[0] = plan.files[2];
    plan.count = 1;
    plan.bytes = plan.files[0].bytes;
    plan.package.is_folder = false;
    snprintf(plan.package.member, sizeof plan.package.member, "den_tiny_model/model/weights.bin");
    assert_int_equal(fetch(), DEN_OK);
    assert_true(den_file_exists(in_scratch("weights.bin")));
}

static void another_package_is_refused(void **state)
{
    (void)state;
    need_pip();
    plan.package.sha256[0] = plan.package.sha256[0] == '0' ? '1' : '0';
    assert_int_equal(fetch(), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "pinned"));
    assert_true(is_clean());
    assert_int_equal(atomic_load(&progress.bytes_done), 0);
}

static void another_file_in_it_is_refused(void **state)
{
    (void)state;
    need_pip();
    plan.files[2].sha256[0] = plan.files[2].sha256[0] == '0' ? '1' : '0';
    assert_int_equal(fetch(), DEN_BAD_FILE);
    assert_true(is_clean());
}

static void a_missing_version_says_why(void **state)
{
    (void)state;
    need_pip();
    snprintf(plan.package.version, sizeof plan.package.version, "9.9");
    assert_int_equal(fetch(), DEN_IO);
    assert_non_null(strstr(err.message, "den-tiny-model 9.9"));
    assert_non_null(strstr(err.message, "No matching distribution"));
    assert_true(is_clean());
}

static void no_python_and_no_pip(void **state)
{
    (void)state;
    setenv("DEN_PYTHON", "/nonexistent/python", 1);
    assert_int_equal(fetch(), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "python3-pip"));
    err = (struct den_error){ 0 };
    pretend("#!/bin/sh\necho \"$0: No module named pip\" >&2\nexit 1\n");
    assert_int_equal(fetch(), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "python3-pip"));
    assert_true(is_clean());
}

/* Stopped by its own tick, in the middle of what pip does. */
static void stop_now(void *context)
{
    atomic_store(&progress.must_stop, true);
    (void)context;
}

static void a_stop_ends_the_child(void **state)
{
    struct stat info;

    (void)state;
    progress.tick = stop_now;
    pretend("#!/bin/sh\nsleep 600 &\necho $! > \"$0.pid\"\nwait\n");
    assert_int_equal(fetch(), DEN_CANCELLED);
    assert_true(is_clean());
    if (stat(in_scratch("python.pid"), &info) == 0 && info.st_size > 0) {
        char path[64] = "", line[64] = "";
        FILE *file = fopen(in_scratch("python.pid"), "r");
        int pid = 0;

        assert_int_equal(fscanf(file, "%d", &pid), 1);
        fclose(file);
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        file = fopen(path, "r");
        if (file) {
            assert_null(fgets(line, sizeof line, file)); /* at most not yet waited for */
            fclose(file);
        }
    }
}

int desk_test_download_package(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_python_and_no_pip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_the_child, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_come_out_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_file_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_package_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_in_it_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_version_says_why, set_up, tear_down),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
