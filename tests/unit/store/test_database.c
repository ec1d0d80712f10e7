/* Opening what is a database and what is not, transactions, and a disk that is full. */
#include "scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/database.h"
#include "store/query.h"

static struct den_database *open_scratch(void)
{
    struct den_error err = { 0 };
    struct den_database *database = NULL;

    den_database_open(scratch_path, &database, &err);
    if (!database)
        fail_msg("%s", err.message);
    return database;
}

static enum den_status fail_to_open(const char *path, const char *words)
{
    struct den_error err = { 0 };
    struct den_database *database = NULL;

    den_database_open(path, &database, &err);
    assert_null(database);
    if (!strstr(err.message, words))
        fail_msg("'%s' is not in: %s", words, err.message);
    return err.status;
}

static void set_value(struct den_database *database, const char *key, const char *value,
                      struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(database, &connection, err) != DEN_OK)
        return;
    den_execute(connection, err, "INSERT INTO settings (key, value) VALUES (?, ?)", "tt", key,
                value);
    den_connection_end(connection, err);
}

static int64_t count_values(struct den_database *database)
{
    struct den_error err = { 0 };
    struct den_connection *connection;
    struct den_query query;
    int64_t count = -1;

    assert_int_equal(den_database_read(database, &connection, &err), DEN_OK);
    assert_int_equal(den_query_start(&query, connection, &err, "SELECT count(*) FROM settings", ""),
                     DEN_OK);
    if (den_query_next(&query, &err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    assert_int_equal(den_connection_end(connection, &err), DEN_OK);
    return count;
}

static void what_was_committed_is_there_again(void **state)
{
    struct den_error err = { 0 };
    struct den_database *database = open_scratch();
    struct stat status;

    set_value(database, "a", "1", &err);
    assert_int_equal(err.status, DEN_OK);
    den_database_close(database);
    assert_int_equal(stat(scratch_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    database = open_scratch();
    assert_int_equal(count_values(database), 1);
    assert_int_equal(den_database_check(database, &err), DEN_OK);
    den_database_close(database);
}

static void a_failure_rolls_all_of_it_back(void **state)
{
    struct den_error err = { 0 };
    struct den_database *database = open_scratch();
    struct den_connection *connection;

    assert_int_equal(den_database_write(database, &connection, &err), DEN_OK);
    den_execute(connection, &err, "INSERT INTO settings (key, value) VALUES ('b', '1')", "");
    den_fail(&err, DEN_INVALID, "changed my mind");
    assert_int_equal(den_connection_end(connection, &err), DEN_INVALID);
    assert_int_equal(count_values(database), 0);
    den_database_close(database);
}

static void a_reader_sees_one_settled_state(void **state)
{
    struct den_error err = { 0 };
    struct den_database *database = open_scratch();
    struct den_connection *reader;
    struct den_query query;
    int round;

    assert_int_equal(den_database_read(database, &reader, &err), DEN_OK);
    for (round = 0; round < 2; round++) {
        den_query_start(&query, reader, &err, "SELECT count(*) FROM settings", "");
        assert_true(den_query_next(&query, &err));
        assert_int_equal(den_query_integer(&query, 0), 0);
        den_query_end(&query);
        if (round == 0)
            set_value(database, "later", "1", &err);
    }
    den_connection_end(reader, &err);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(count_values(database), 1);
    den_database_close(database);
}

static atomic_int keys_made;

static void *write_many(void *context)
{
    struct den_error err = { 0 };
    char key[32];
    int i;

    for (i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "key %d", atomic_fetch_add(&keys_made, 1));
        set_value(context, key, "1", &err);
        count_values(context);
    }
    if (err.status != DEN_OK)
        print_message("%s\n", err.message);
    return (void *)(intptr_t)err.status;
}

static void threads_take_turns(void **state)
{
    enum { COUNT = 12 }; /* more than there are readers */
    struct den_database *database = open_scratch();
    pthread_t threads[COUNT];
    size_t i;

    for (i = 0; i < COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, database), 0);
    for (i = 0; i < COUNT; i++) {
        void *status;

        pthread_join(threads[i], &status);
        assert_null(status);
    }
    assert_int_equal(count_values(database), COUNT * 20);
    den_database_close(database);
}

static void two_programs_share_the_file(void **state)
{
    struct den_error err = { 0 };
    struct den_database *first = open_scratch(), *second = open_scratch();

    set_value(first, "from the first", "1", &err);
    set_value(second, "from the second", "1", &err);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(count_values(first), 2);
    den_database_close(first);
    assert_int_equal(count_values(second), 2);
    den_database_close(second);
}

static void a_lock_of_another_program_is_named(void **state)
{
    sqlite3 *other;

    assert_int_equal(sqlite3_open(scratch_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; "
                                  "CREATE TABLE t (x)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(fail_to_open(scratch_path, "locked by another program"), DEN_BUSY);
    sqlite3_close(other);
}

static void what_is_no_database_is_refused(void **state)
{
    struct den_error err = { 0 };
    char text[8192];
    sqlite3 *other;

    memset(text, 'x', sizeof text);
    assert_int_equal(den_file_write(scratch_path, text, sizeof text, &err), DEN_OK);
    assert_int_equal(fail_to_open(scratch_path, "is not a database"), DEN_BAD_FILE);
    unlink(scratch_path);
    sqlite3_open(scratch_path, &other);
    sqlite3_exec(other, "CREATE TABLE contacts (x)", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(fail_to_open(scratch_path, "another program"), DEN_BAD_FILE);
}

static void a_cut_file_is_refused(void **state)
{
    struct stat status;

    den_database_close(open_scratch());
    assert_int_equal(stat(scratch_path, &status), 0);
    assert_int_equal(truncate(scratch_path, status.st_size / 2), 0);
    assert_int_equal(fail_to_open(scratch_path, "damaged"), DEN_BAD_FILE);
    assert_int_equal(truncate(scratch_path, 50), 0);
    assert_int_equal(fail_to_open(scratch_path, "damaged"), DEN_BAD_FILE);
}

/* Overwrites the middle of the file, as a bad disk would. */
static void damage_is_found_by_the_check(void **state)
{
    struct den_error err = { 0 };
    struct den_database *database = open_scratch();
    char bytes[4096];
    int fd;

    den_database_close(database);
    memset(bytes, 0xa5, sizeof bytes);
    fd = open(scratch_path, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, sizeof bytes, 5 * 4096), sizeof bytes);
    close(fd);
    database = open_scratch();
    assert_int_equal(den_database_check(database, &err), DEN_BAD_FILE);
    den_database_close(database);
}

static void a_folder_that_cant_be_written_is_named(void **state)
{
    assert_int_equal(fail_to_open("/proc/den.db", "can't be opened for writing"), DEN_IO);
    assert_int_equal(fail_to_open("/tmp/den-no-such-folder/den.db", "DEN_HOME"), DEN_IO);
}

/* A file that may not grow stands for a disk that is full. Nothing is lost and, once there is room,
 * all goes on. */
static void a_full_disk_loses_nothing(void **state)
{
    struct den_error err = { 0 };
    struct den_database *database = open_scratch();
    struct rlimit before, small = { 0 };
    char *text = calloc(1, 1 << 20);

    memset(text, 'x', (1 << 20) - 1);
    set_value(database, "kept", "1", &err);
    assert_int_equal(err.status, DEN_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ .rlim_cur = 256 << 10, .rlim_max = before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    set_value(database, "too long", text, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(err.status, DEN_IO);
    assert_int_equal(count_values(database), 1);
    err = (struct den_error){ 0 };
    set_value(database, "too long", text, &err);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(count_values(database), 2);
    den_database_close(database);
    free(text);
}

int store_test_database(int argc, char **argv)
{
#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_was_committed_is_there_again),
        SCRATCH_TEST(a_failure_rolls_all_of_it_back),
        SCRATCH_TEST(a_reader_sees_one_settled_state),
        SCRATCH_TEST(threads_take_turns),
        SCRATCH_TEST(two_programs_share_the_file),
        SCRATCH_TEST(a_lock_of_another_program_is_named),
        SCRATCH_TEST(what_is_no_database_is_refused),
        SCRATCH_TEST(a_cut_file_is_refused),
        SCRATCH_TEST(damage_is_found_by_the_check),
        SCRATCH_TEST(a_folder_that_cant_be_written_is_named),
        SCRATCH_TEST(a_full_disk_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
