/* Everything goes out as one file and comes back: all of it, or nothing. */
#include "library_scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zip.h>

#include "desk/backup.h"
#include "space/space.h"
#include "store/database_copy.h"

static const struct den_backup *all(void)
{
    static struct den_backup backup;

    backup =
        (struct den_backup){ .database = database, .originals = originals, .threads = threads };
    return &backup;
}

static void make_two(void)
{
    start_ingest();
    forget(upload("a.txt", "The first of two texts.", NULL, false));
    forget(upload("b.txt", "The second of two texts.", NULL, false));
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 2);
    stop_ingest();
    forget(make_thread("{'id': 't1', 'title': 'Before'}"));
    ask("t1", "{'id': 'q1', 'content': 'one'}");
}

static void back_up(char path[160])
{
    json_t *manifest = NULL;

    snprintf(path, 160, "%s/all.den-backup", scratch_folder);
    assert_ok(den_backup_write(all(), path, &manifest, &err));
    assert_string_equal(text_at(manifest, "format"), "den.backup");
    json_decref(manifest);
}

/* As after the backup: other documents, other conversations. */
static void change_everything(void)
{
    change_rows("DELETE FROM documents");
    assert_ok(den_originals_sweep(originals, &err));
    change_rows("DELETE FROM threads");
    start_ingest();
    forget(upload("c.txt", "A third text.", NULL, false));
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 1);
    stop_ingest();
}

static size_t count_files(void)
{
    char command[256], line[32] = "";
    FILE *found;

    snprintf(command, sizeof command, "find %s/originals -type f ! -name '.*' | wc -l",
             scratch_folder);
    found = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, found));
    pclose(found);
    return strtoul(line, NULL, 10);
}

static void expect_before(void)
{
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE name IN ('a.txt', 'b.txt')"),
                     2);
    assert_int_equal(count_of("SELECT count(*) FROM documents"), 2);
    assert_int_equal(count_of("SELECT count(*) FROM threads WHERE title = 'Before'"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 2);
    assert_ok(den_database_check(database, &err));
}

static size_t find_by_vector(const char *text)
{
    float vector[FAKE_WIDTH];
    struct den_space_query query = { .vector = vector, .width = FAKE_WIDTH, .count = 5 };
    struct den_space_result found = { 0 };
    size_t count;

    count_letters(text, strlen(text), vector);
    assert_ok(den_space_search(space, &query, &found, &err));
    count = found.count;
    den_space_result_free(&found);
    return count;
}

static void everything_comes_back(void **state)
{
    json_t *counts = NULL;
    char path[160];

    make_two();
    assert_int_equal(find_by_vector("The first of two texts."), 2); /* the index is in memory */
    back_up(path);
    change_everything();
    assert_int_equal(find_by_vector("A third text."), 1);
    assert_ok(den_backup_restore(all(), path, &counts, &err));
    assert_string_equal(text_at(counts, "documents"), "2");
    assert_string_equal(text_at(counts, "threads"), "1");
    json_decref(counts);
    expect_before();
    assert_int_equal(count_files(), 2);
    assert_int_equal(find_by_vector("The first of two texts."), 2);
    /* and again over itself, and work goes on */
    assert_ok(den_backup_restore(all(), path, &counts, &err));
    json_decref(counts);
    expect_before();
    start_ingest();
    forget(upload("d.txt", "A fourth text.", NULL, false));
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 3);
    assert_int_equal(find_by_vector("A fourth text."), 3);
}

static void what_was_under_way_has_ended(void **state)
{
    json_t *counts = NULL;
    char path[160];

    make_two();
    change_rows("UPDATE messages SET finish = NULL, role = 'assistant'");
    change_rows("UPDATE documents SET state = 'reading' WHERE name = 'a.txt'");
    back_up(path);
    assert_ok(den_backup_restore(all(), path, &counts, &err));
    json_decref(counts);
    assert_int_equal(count_of("SELECT count(*) FROM messages WHERE error_code = 'interrupted'"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE state = 'waiting'"), 1);
}

static void listeners_begin_again(void **state)
{
    struct den_listener *listener;
    json_t *counts = NULL;
    bool lost = false;
    char path[160];

    make_two();
    back_up(path);
    assert_ok(den_listener_create(events, NULL, &listener, &err));
    assert_ok(den_backup_restore(all(), path, &counts, &err));
    json_decref(counts);
    assert_null(den_listener_take(listener, &lost));
    assert_true(lost);
    den_listener_destroy(listener);
}

/* Holds the database until somebody is about to replace it: then nobody is let in. */
static void *hold_until_asked(void *context)
{
    while (den_database_hold(database))
        den_database_let_go(database);
    atomic_store((atomic_bool *)context, true);
    den_database_let_go(database); /* the one that the test has taken */
    return NULL;
}

static void work_that_is_under_way_is_waited_for(void **state)
{
    atomic_bool was_asked = false;
    json_t *counts = NULL;
    pthread_t holder;
    char path[160];

    make_two();
    back_up(path);
    assert_true(den_database_hold(database));
    assert_int_equal(pthread_create(&holder, NULL, hold_until_asked, &was_asked), 0);
    assert_ok(den_backup_restore(all(), path, &counts, &err));
    assert_true(atomic_load(&was_asked));
    json_decref(counts);
    pthread_join(holder, NULL);
    assert_true(den_database_hold(database));
    den_database_let_go(database);
    expect_before();
}

/* --- what is not as it should be --- */

static void alter(const char *path, const char *name, const char *bytes, size_t length)
{
    int code = 0;
    zip_t *zip = zip_open(path, 0, &code);
    zip_source_t *source;

    assert_non_null(zip);
    if (!bytes) {
        assert_int_equal(zip_delete(zip, (zip_uint64_t)zip_name_locate(zip, name, 0)), 0);
    } else {
        source = zip_source_buffer(zip, bytes, length, 0);
        assert_true(zip_file_add(zip, name, source, ZIP_FL_OVERWRITE) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

static void expect_refusal(const char *path, const char *said)
{
    json_t *counts = NULL;

    assert_fails(den_backup_restore(all(), path, &counts, &err), DEN_BAD_FILE);
    if (!strstr(err.message, said))
        fail_msg("'%s' does not say '%s'", err.message, said);
    assert_fails(den_backup_verify(all(), path, &counts, &err), DEN_BAD_FILE);
    assert_int_equal(count_of("SELECT count(*) FROM documents"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE name = 'c.txt'"), 1);
    assert_int_equal(count_files(), 1);
}

static void first_original(const char *path, char out[128])
{
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    zip_int64_t i;

    assert_non_null(zip);
    for (i = 0; i < zip_get_num_entries(zip, 0); i++)
        if (strncmp(zip_get_name(zip, (zip_uint64_t)i, 0), "originals/", 10) == 0)
            snprintf(out, 128, "%s", zip_get_name(zip, (zip_uint64_t)i, 0));
    zip_discard(zip);
}

static void a_damaged_backup_changes_nothing(void **state)
{
    char path[160], copy[160], command[512], name[128];
    json_t *manifest = NULL;

    make_two();
    back_up(path);
    change_everything();
    assert_ok(den_backup_verify(all(), path, &manifest, &err));
    json_decref(manifest);
    assert_int_equal(count_files(), 1);
    snprintf(copy, sizeof copy, "%s/copy.zip", scratch_folder);
#define COPY()                                                                                     \
    snprintf(command, sizeof command, "cp %s %s", path, copy);                                     \
    assert_int_equal(system(command), 0)
    COPY();
    alter(copy, "den.db", "SQLite format 3", 15);
    expect_refusal(copy, "not the one that was written");
    COPY();
    first_original(copy, name);
    alter(copy, name, "The first of two texts?", 23);
    expect_refusal(copy, "");
    COPY();
    alter(copy, name, NULL, 0);
    expect_refusal(copy, "is missing");
    COPY();
    alter(copy, "manifest.json", "{\"format\": \"den.backup\", \"version\": 7}", 38);
    expect_refusal(copy, "update Den");
    COPY();
    alter(copy, "../../x", "x", 1);
    expect_refusal(copy, "which no backup has");
    snprintf(command, sizeof command, "head -c 3000 %s > %s", path, copy);
    assert_int_equal(system(command), 0);
    expect_refusal(copy, "cut or damaged");
}

int desk_test_backup(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(everything_comes_back),
        LIBRARY_TEST(what_was_under_way_has_ended),
        LIBRARY_TEST(listeners_begin_again),
        LIBRARY_TEST(work_that_is_under_way_is_waited_for),
        LIBRARY_TEST(a_damaged_backup_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
