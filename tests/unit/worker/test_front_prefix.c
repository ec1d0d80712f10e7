/* The prefix file as the front has it: what one process read, the next one need not, the file is
 * the user's alone and one process's at a time, and 0 bytes remove it. */
#include "worker/tiny_worker.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LETTERS = 1500 };

static char folder[64], prompt[LETTERS + 1];

static struct den_worker *start(uint64_t bytes)
{
    return tiny_start_long((struct den_worker_options){
        .prefix_folder = folder, .prefix_bytes = bytes, .sequences = 2 });
}

/* The path of the only file in the folder; false: there is none. */
static bool find_file(char out[600])
{
    const struct dirent *entry;
    DIR *files = opendir(folder);
    size_t count = 0;

    while (files && (entry = readdir(files)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(out, 600, "%s/%s", folder, entry->d_name);
            count++;
        }
    if (files)
        closedir(files);
    assert_true(count <= 1);
    return count == 1;
}

/* Until the process has written what it has read: it does when it is idle, page after page. */
static void wait_written(void)
{
    struct stat info = { 0 };
    int still = 0;
    char path[600];
    off_t before = 0;

    assert_true(find_file(path));
    while (still < 20) {
        usleep(50000);
        assert_int_equal(stat(path, &info), 0);
        still = info.st_size > 4096 && info.st_size == before ? still + 1 : 0;
        before = info.st_size;
    }
}

static void ask(struct den_worker *worker, struct answer *answer)
{
    struct den_worker_request request = tiny_prompt_request(prompt, 20);

    tiny_ask(worker, &request, answer);
    assert_string_equal(answer->finish, "length");
}

static int make(void **state)
{
    int i;

    (void)state;
    snprintf(folder, sizeof folder, "/tmp/den-test-prefix-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (i = 0; i < LETTERS; i++)
        prompt[i] = (char)('a' + i * i % 23);
    return 0;
}

static int clean(void **state)
{
    char path[600];

    if (find_file(path))
        unlink(path);
    rmdir(folder);
    return tiny_clean(state);
}

static void the_next_process_goes_on(void **state)
{
    static struct answer first, second;
    struct den_worker *worker = start(64 << 20);
    struct stat info;
    char path[600];
    size_t pages;

    ask(worker, &first);
    assert_int_equal(first.cached_tokens, 0);
    assert_string_equal(first.cache_miss, "first use");
    assert_true(first.prompt_tokens > 256);
    pages = (first.prompt_tokens - 1) / 64;
    assert_true(find_file(path));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_non_null(strstr(path, "/tiny-"));
    wait_written();
    den_worker_stop(worker);
    worker = start(64 << 20);
    ask(worker, &second);
    assert_int_equal(second.cached_tokens, pages * 64);
    assert_string_equal(second.text, first.text);
    den_worker_stop(worker);
    worker = start(32 << 20); /* another size: it starts anew */
    ask(worker, &second);
    assert_int_equal(second.cached_tokens, 0);
    assert_string_equal(second.text, first.text);
    den_worker_stop(worker);
}

static void one_process_has_it(void **state)
{
    struct den_worker *worker = start(32 << 20), *other;
    static struct answer first, second;

    ask(worker, &first);
    other = start(32 << 20);
    ask(other, &second); /* it works, and finds nothing */
    assert_int_equal(second.cached_tokens, 0);
    assert_string_equal(second.text, first.text);
    den_worker_stop(other);
    den_worker_stop(worker);
}

static void follows_no_link(void **state)
{
    struct den_worker *worker;
    static struct answer answer;
    struct stat info;
    char path[600], target[600];
    int descriptor;

    assert_true(find_file(path));
    snprintf(target, sizeof target, "%s.target", folder);
    descriptor = open(target, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_true(descriptor >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(target, path), 0);
    worker = start(32 << 20);
    ask(worker, &answer);
    den_worker_stop(worker);
    assert_int_equal(fstat(descriptor, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    close(descriptor);
    unlink(target);
}

static void nothing_stays_where_it_is_off(void **state)
{
    struct den_worker *worker;
    char path[600];

    assert_true(find_file(path));
    worker = start(0);
    assert_false(find_file(path));
    den_worker_stop(worker);
}

int worker_test_front_prefix(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_process_goes_on),
        cmocka_unit_test(one_process_has_it),
        cmocka_unit_test(follows_no_link),
        cmocka_unit_test(nothing_stays_where_it_is_off),
    };

    return cmocka_run_group_tests(tests, make, clean);
}
