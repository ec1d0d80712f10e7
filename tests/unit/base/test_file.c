/* Files: reading within a ceiling, and writes that appear whole or not at all, also where the
 * folder can't be written or the disk is full. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "scratch_XXXXXX";
static char path[256];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "scratch_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];

    chmod(folder, 0700);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int count_entries(void)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(listing);
    while ((entry = readdir(listing)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(listing);
    return count;
}

static void check_content(const char *name, const char *wanted)
{
    struct den_buffer buffer;
    struct den_error err = { 0 };

    den_buffer_init(&buffer, 1 << 20);
    assert_int_equal(den_file_read(in_folder(name), &buffer, &err), DEN_OK);
    assert_string_equal(buffer.data, wanted);
    den_buffer_deinit(&buffer);
}

static void writes_and_replaces(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_file_write(in_folder("a"), "one", 3, &err), DEN_OK);
    check_content("a", "one");
    assert_int_equal(den_file_write(in_folder("a"), "", 0, &err), DEN_OK);
    check_content("a", "");
    assert_int_equal(den_file_write(in_folder("a"), "two", 3, &err), DEN_OK);
    check_content("a", "two");
    assert_int_equal(count_entries(), 1); /* no temporary files */
}

/* Runs as a child so that limits and rights end with it. Exit code 0: the write failed with DEN_IO
 * and a message. */
static int failing_write_in_child(void (*restrict_it)(void), size_t length)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct den_error err = { 0 };
        char *bytes = calloc(1, length);

        in_folder("a");
        restrict_it();
        den_file_write(path, bytes, length, &err);
        if (err.status != DEN_IO || !strstr(err.message, path))
            _exit(err.status == DEN_OK ? 1 : 2);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A limit on the size of files stands in for a disk that is full. */
static void fill_disk(void)
{
    const struct rlimit limit = { 4096, 4096 };

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void keeps_the_old_content_when_full(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_file_write(in_folder("a"), "old", 3, &err), DEN_OK);
    assert_int_equal(failing_write_in_child(fill_disk, 100000), 0);
    check_content("a", "old");
    assert_int_equal(count_entries(), 1); /* nothing half-written left behind */
    assert_int_equal(failing_write_in_child(fill_disk, 100), 1); /* one that fits still goes */
}

/* Root may write anywhere, so the child becomes somebody else first. */
static void lock_folder(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        _exit(3);
}

static void keeps_the_old_content_when_locked(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_file_write(in_folder("a"), "old", 3, &err), DEN_OK);
    chmod(folder, 0555);
    assert_int_equal(failing_write_in_child(lock_folder, 10), 0);
    chmod(folder, 0700);
    check_content("a", "old");
    assert_int_equal(count_entries(), 1);
}

static void refuses_bad_targets(void **state)
{
    char longest[DEN_PATH_BYTES_MAX + 8];
    struct den_error err = { 0 };

    assert_int_equal(den_file_write("no/such/folder/file", "x", 1, &err), DEN_IO);
    assert_non_null(strstr(err.message, "No such file or directory"));
    assert_int_equal(mkdir(in_folder("d"), 0700), 0);
    assert_int_equal(den_file_write(in_folder("d"), "x", 1, &err), DEN_IO);
    assert_int_equal(count_entries(), 1);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(den_file_write(longest, "x", 1, &err), DEN_INVALID);
}

static void reads_within_the_ceiling(void **state)
{
    static char bytes[200000];
    struct den_error err = { 0 };
    struct den_buffer buffer;

    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(den_file_write(in_folder("big"), bytes, sizeof bytes, &err), DEN_OK);
    den_buffer_init(&buffer, sizeof bytes);
    assert_int_equal(den_file_read(in_folder("big"), &buffer, &err), DEN_OK);
    assert_int_equal(buffer.length, sizeof bytes);
    assert_memory_equal(buffer.data, bytes, sizeof bytes);
    den_buffer_deinit(&buffer);
    den_buffer_init(&buffer, sizeof bytes - 1);
    assert_int_equal(den_file_read(in_folder("big"), &buffer, &err), DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "big: larger than the limit of 199999 bytes"));
    den_buffer_deinit(&buffer);
}

/* Files whose size is 0 although they have content. */
static void reads_files_of_the_kernel(void **state)
{
    struct den_error err = { 0 };
    struct den_buffer buffer;

    den_buffer_init(&buffer, 100000);
    assert_int_equal(den_file_read("/proc/self/status", &buffer, &err), DEN_OK);
    assert_non_null(strstr(buffer.data, "Pid:"));
    den_buffer_deinit(&buffer);
}

static void refuses_what_is_no_file(void **state)
{
    struct den_error err = { 0 };
    struct den_buffer buffer;
    struct den_map map = { 0 };

    den_buffer_init(&buffer, 100);
    assert_int_equal(den_file_read(in_folder("absent"), &buffer, &err), DEN_NOT_FOUND);
    assert_int_equal(den_file_read(folder, &buffer, &err), DEN_INVALID);
    assert_int_equal(den_file_read("/dev/zero", &buffer, &err), DEN_INVALID);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(den_file_read(path, &buffer, &err), DEN_INVALID); /* and does not wait */
    assert_int_equal(den_map_open(&map, path, &err), DEN_INVALID);
    assert_int_equal(buffer.length, 0);
    assert_null(map.data);
    den_buffer_deinit(&buffer);
}

static void maps(void **state)
{
    struct den_error err = { 0 };
    struct den_map map = { 0 };

    assert_int_equal(den_file_write(in_folder("m"), "mapped", 6, &err), DEN_OK);
    assert_int_equal(den_map_open(&map, in_folder("m"), &err), DEN_OK);
    assert_int_equal(map.bytes, 6);
    assert_memory_equal(map.data, "mapped", 6);
    den_map_release(&map);
    assert_memory_equal(map.data, "mapped", 6); /* read again from the file */
    den_map_close(&map);
    assert_null(map.data);
    den_map_close(&map); /* twice does no harm */
    assert_int_equal(den_file_write(in_folder("m"), "", 0, &err), DEN_OK);
    assert_int_equal(den_map_open(&map, in_folder("m"), &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "the file is empty"));
}

static void creates_folders(void **state)
{
    struct den_error err = { 0 };
    struct stat info;
    char name[512];

    assert_int_equal(den_folder_create(in_folder("a/b//c/"), &err), DEN_OK);
    assert_true(den_file_is_folder(in_folder("a/b/c")));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(den_folder_create(path, &err), DEN_OK); /* exists */
    assert_int_equal(den_file_write(in_folder("f"), "", 0, &err), DEN_OK);
    assert_true(den_file_exists(path));
    assert_false(den_file_is_folder(path));
    assert_int_equal(den_folder_create(path, &err), DEN_IO);
    snprintf(name, sizeof name, "%s/below", path);
    assert_int_equal(den_folder_create(name, &err), DEN_IO);
    assert_int_equal(den_folder_create("", &err), DEN_INVALID);
}

/* Links are removed, what they lead to stays; a folder that is not there is fine. */
static void removes_folders_with_all_in_them(void **state)
{
    struct den_error err = { 0 };
    char kept[256], deep[256];

    (void)state;
    snprintf(kept, sizeof kept, "%s", in_folder("kept"));
    assert_int_equal(den_folder_create(kept, &err), DEN_OK);
    snprintf(deep, sizeof deep, "%s", in_folder("gone/a/b"));
    assert_int_equal(den_folder_create(deep, &err), DEN_OK);
    assert_int_equal(den_file_write(in_folder("gone/a/file"), "x", 1, &err), DEN_OK);
    assert_int_equal(symlink(kept, in_folder("gone/link")), 0);
    den_folder_remove(in_folder("gone"));
    assert_false(den_file_exists(in_folder("gone")));
    assert_true(den_file_is_folder(kept));
    den_folder_remove(in_folder("gone"));
    den_folder_remove(kept);
}

static void joins_paths(void **state)
{
    struct den_error err = { 0 };
    char out[8];

    assert_int_equal(den_path_join(out, sizeof out, "ab", "cde", &err), DEN_OK);
    assert_string_equal(out, "ab/cde");
    assert_int_equal(den_path_join(out, sizeof out, "/", "c", &err), DEN_OK);
    assert_string_equal(out, "/c");
    assert_int_equal(den_path_join(out, sizeof out, "abc", "def", &err), DEN_OK);
    assert_int_equal(den_path_join(out, sizeof out, "abcd", "def", &err), DEN_INVALID);
}

static void finds_its_home(void **state)
{
    struct den_error err = { 0 };
    char out[64];

    setenv("HOME", "/h", 1);
    setenv("XDG_DATA_HOME", "/d", 1);
    setenv("XDG_CONFIG_HOME", "relative", 1); /* the specification says to ignore it */
    setenv("DEN_HOME", "here", 1);
    assert_int_equal(den_path_home(out, sizeof out, &err), DEN_OK);
    assert_string_equal(out, "here");
    setenv("DEN_HOME", "", 1);
    assert_int_equal(den_path_home(out, sizeof out, &err), DEN_OK);
    assert_string_equal(out, "/d/den");
    unsetenv("XDG_DATA_HOME");
    assert_int_equal(den_path_home(out, sizeof out, &err), DEN_OK);
    assert_string_equal(out, "/h/.local/share/den");
    assert_int_equal(den_path_config(out, sizeof out, &err), DEN_OK);
    assert_string_equal(out, "/h/.config/den/config.json");
    assert_int_equal(den_path_config(out, 10, &err), DEN_INVALID);
    unsetenv("HOME");
    assert_int_equal(den_path_config(out, sizeof out, &err), DEN_NOT_FOUND);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int base_test_file(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(writes_and_replaces),
        IN_FOLDER(keeps_the_old_content_when_full),
        IN_FOLDER(keeps_the_old_content_when_locked),
        IN_FOLDER(refuses_bad_targets),
        IN_FOLDER(reads_within_the_ceiling),
        IN_FOLDER(reads_files_of_the_kernel),
        IN_FOLDER(refuses_what_is_no_file),
        IN_FOLDER(maps),
        IN_FOLDER(creates_folders),
        IN_FOLDER(removes_folders_with_all_in_them),
        cmocka_unit_test(joins_paths),
        cmocka_unit_test(finds_its_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
