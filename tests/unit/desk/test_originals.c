/* Originals: what was kept is there whole, what nobody wants goes, and never the other way round,
 * with two stores on one home as well. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "desk/originals.h"
#include "desk/thread_scratch.h"
#include "store/query.h"

/* printf abc | sha256sum */
#define HASH_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct den_originals *originals;

static int open_all(void **state)
{
    open_threads(state);
    assert_ok(den_originals_open(scratch_folder, database, &originals, &err));
    return 0;
}

static int close_all(void **state)
{
    char folder[128];

    den_originals_close(originals);
    snprintf(folder, sizeof folder, "%s/originals", scratch_folder);
    den_folder_remove(folder);
    return close_threads(state);
}

static const char *path_of(const char *hash)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/originals/%.2s/%s", scratch_folder, hash, hash);
    return path;
}

static size_t files_at_top(void)
{
    char folder[128];
    struct dirent *entry;
    size_t count = 0;
    DIR *listing;

    snprintf(folder, sizeof folder, "%s/originals", scratch_folder);
    listing = opendir(folder);
    assert_non_null(listing);
    while ((entry = readdir(listing)) != NULL)
        count += strncmp(entry->d_name, "incoming-", 9) == 0;
    closedir(listing);
    return count;
}

static void keep(struct den_originals *store, const char *text, char hash[DEN_HASH_HEX + 1])
{
    struct den_incoming *incoming;
    uint64_t bytes = 0;
    size_t i;

    assert_ok(den_incoming_begin(store, &incoming, &err));
    for (i = 0; text[i]; i++)
        assert_ok(den_incoming_append(incoming, text + i, 1, &err));
    assert_ok(den_incoming_keep(incoming, hash, &bytes, &err));
    assert_int_equal(bytes, strlen(text));
}

/* A row of `hash`, and a document that names it. */
static void want(const char *hash, const char *id)
{
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    den_originals_want(connection, hash, 3, &err);
    if (id)
        den_execute(connection, &err,
                    "INSERT INTO documents (id, original, name, origin, bytes, created, updated, "
                    "state) VALUES (?, ?, 'a', 'upload', 3, 0, 0, 'ready')",
                    "tt", id, hash);
    assert_ok(den_connection_end(connection, &err));
}

static void delete_documents(void)
{
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err, "DELETE FROM documents", "");
    assert_ok(den_connection_end(connection, &err));
}

static bool is_there(const char *hash)
{
    return access(path_of(hash), F_OK) == 0;
}

static void test_keeps_what_came(void **state)
{
    char hash[DEN_HASH_HEX + 1], again[DEN_HASH_HEX + 1], text[8] = "";
    struct stat info;
    int fd;

    keep(originals, "abc", hash);
    assert_string_equal(hash, HASH_ABC);
    assert_fails(den_originals_open_file(originals, hash, &fd, &err), DEN_NOT_FOUND); /* no row */
    want(hash, "d1");
    den_originals_let_go(originals, hash);
    assert_ok(den_originals_open_file(originals, hash, &fd, &err));
    assert_int_equal(read(fd, text, sizeof text), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_ok(den_originals_add_file(originals, fd, again, &(uint64_t){ 0 }, &err));
    assert_string_equal(again, hash);
    den_originals_let_go(originals, hash);
    close(fd);
    assert_int_equal(files_at_top(), 0);
}

static void test_sweeps_what_nobody_names(void **state)
{
    char hash[DEN_HASH_HEX + 1];

    keep(originals, "abc", hash);
    want(hash, NULL);
    assert_ok(den_originals_sweep(originals, &err)); /* the row goes; the file is still held */
    assert_true(is_there(hash));
    want(hash, "d2");
    den_originals_let_go(originals, hash);
    assert_ok(den_originals_sweep(originals, &err));
    assert_true(is_there(hash));
    delete_documents();
    assert_ok(den_originals_sweep(originals, &err));
    assert_false(is_there(hash));
}

static void test_two_stores_do_not_rob_each_other(void **state)
{
    struct den_originals *other;
    char hash[DEN_HASH_HEX + 1], same[DEN_HASH_HEX + 1];

    keep(originals, "abc", hash);
    assert_ok(den_originals_open(scratch_folder, database, &other, &err));
    assert_true(is_there(hash)); /* it has no row, but it is not the only one here */
    want(hash, "d1");
    den_originals_let_go(originals, hash);
    keep(other, "abc", same); /* the same bytes come again, elsewhere */
    delete_documents();
    assert_ok(den_originals_sweep(originals, &err));
    assert_true(is_there(hash));
    want(hash, "d2");
    den_originals_let_go(other, hash);
    assert_ok(den_originals_sweep(originals, &err));
    assert_true(is_there(hash));
    den_originals_close(other);
}

static void test_opening_removes_what_a_crash_left(void **state)
{
    char wanted[DEN_HASH_HEX + 1], left[DEN_HASH_HEX + 1], path[256];

    keep(originals, "abc", wanted);
    want(wanted, "d1");
    keep(originals, "left", left);
    snprintf(path, sizeof path, "%s/originals/incoming-abcdef", scratch_folder);
    assert_ok(den_file_write(path, "half", 4, &err));
    den_originals_close(originals);
    assert_ok(den_originals_open(scratch_folder, database, &originals, &err));
    assert_true(is_there(wanted));
    assert_false(is_there(left));
    assert_int_equal(files_at_top(), 0);
}

static void count_damage(void *context, const char *hash, const char *what)
{
    assert_int_equal(strlen(hash), DEN_HASH_HEX);
    assert_true(*what != '\0');
    ++*(int *)context;
}

static void test_finds_damage(void **state)
{
    char hash[DEN_HASH_HEX + 1], again[DEN_HASH_HEX + 1];
    int count = 0, fd;

    keep(originals, "abc", hash);
    want(hash, "d1");
    den_originals_let_go(originals, hash);
    assert_ok(den_originals_check(originals, count_damage, &count, &err));
    assert_int_equal(count, 0);
    assert_ok(den_file_write(path_of(hash), "abd", 3, &err));
    assert_ok(den_originals_check(originals, count_damage, &count, &err));
    assert_int_equal(count, 1);
    assert_ok(den_file_write(path_of(hash), "ab", 2, &err));
    assert_fails(den_originals_open_file(originals, hash, &fd, &err), DEN_BAD_FILE);
    keep(originals, "abc", again); /* a file that is too short is replaced when it comes again */
    den_originals_let_go(originals, again);
    assert_ok(den_originals_open_file(originals, hash, &fd, &err));
    close(fd);
    unlink(path_of(hash));
    assert_fails(den_originals_open_file(originals, hash, &fd, &err), DEN_NOT_FOUND);
    count = 0;
    assert_ok(den_originals_check(originals, count_damage, &count, &err));
    assert_int_equal(count, 1);
}

static void test_refuses_what_is_no_hash(void **state)
{
    int fd;

    assert_fails(den_originals_open_file(originals, "../../etc/passwd", &fd, &err), DEN_INVALID);
    assert_fails(den_originals_open_file(originals, "", &fd, &err), DEN_INVALID);
}

/* RLIMIT_FSIZE stands for a disk that takes no more: the same write fails, with EFBIG. */
static void test_a_failed_write_leaves_nothing(void **state)
{
    struct rlimit before, small;
    struct den_incoming *incoming;
    static char block[1 << 16];

    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ 100000, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(den_incoming_begin(originals, &incoming, &err));
    assert_ok(den_incoming_append(incoming, block, sizeof block, &err));
    setrlimit(RLIMIT_FSIZE, &small);
    err = (struct den_error){ 0 };
    assert_int_equal(den_incoming_append(incoming, block, sizeof block, &err), DEN_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_non_null(strstr(err.message, "after 100000 bytes"));
    den_incoming_drop(incoming);
    assert_int_equal(files_at_top(), 0);
}

int desk_test_originals(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps_what_came, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_sweeps_what_nobody_names, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_two_stores_do_not_rob_each_other, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_opening_removes_what_a_crash_left, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(test_finds_damage, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_no_hash, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_a_failed_write_leaves_nothing, open_all, close_all),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
