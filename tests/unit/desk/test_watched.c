/* Watched folders: new, changed, renamed, copied and removed files, as they come and over a restart
 * of the program. */
#include "library_scratch.h"

#include "desk/watched.h"

static struct den_watched *watched;
static char folder[128];

static void start_watching(void)
{
    struct den_watched_options options = { .database = database,
                                           .documents = documents,
                                           .settle_seconds = 0.2 };

    start_ingest();
    options.jobs = jobs;
    options.ingest = ingest;
    assert_ok(den_watched_open(&options, &watched, &err));
}

static void stop_watching(void)
{
    den_watched_close(watched);
    watched = NULL;
    stop_ingest();
}

static int open_watched(void **state)
{
    if (open_library(state) != 0)
        return 1;
    snprintf(folder, sizeof folder, "%s/papers", scratch_folder);
    assert_ok(den_folder_create(folder, &err));
    return 0;
}

static int close_watched(void **state)
{
    den_watched_close(watched);
    watched = NULL;
    return close_library(state);
}

static const char *at(const char *name)
{
    static char paths[2][256];
    static size_t turn;
    char *path = paths[turn++ % 2];

    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static void watch_folder(void)
{
    json_t *fields = json_pack("{s:s}", "path", folder), *out = NULL;
    bool existed;

    assert_ok(den_watched_add(watched, fields, &out, &existed, &err));
    assert_false(existed);
    assert_string_equal(text_at(out, "path"), folder);
    json_decref(out);
    assert_ok(den_watched_add(watched, fields, &out, &existed, &err));
    assert_true(existed);
    forget(out), forget(fields);
}

#define TEXTS(words) "SELECT count(*) FROM parts WHERE text LIKE '%" words "%'"
#define READY        "SELECT count(*) FROM documents WHERE state = 'ready'"
#define FIRST        "SELECT row FROM documents ORDER BY row LIMIT 1"

static void what_happens_in_a_folder_happens_in_the_library(void **state)
{
    int64_t first, tasks;

    write_text(at("one.txt"), "The first paper.");
    write_text(at("two.txt"), "The second paper.");
    start_watching();
    watch_folder();
    wait_for(READY, 2);
    first = count_of(FIRST);
    assert_ok(den_folder_create(at("deep/er"), &err));
    write_text(at("deep/er/three.txt"), "The third paper.");
    wait_for(READY, 3);
    write_text(at("one.txt"), "The first paper, amended.");
    wait_for(TEXTS("amended"), 1);
    wait_for(READY, 3);
    assert_int_equal(count_of(FIRST), first); /* it kept its document */
    tasks = count_of("SELECT count(*) FROM tasks");
    assert_int_equal(rename(at("one.txt"), at("deep/uno.txt")), 0);
    wait_for("SELECT count(*) FROM documents WHERE address LIKE '%/deep/uno.txt'", 1);
    assert_int_equal(count_of(FIRST), first);
    assert_int_equal(count_of(READY), 3);
    assert_int_equal(count_of("SELECT count(*) FROM tasks"), tasks + 1);
    assert_int_equal(unlink(at("two.txt")), 0);
    wait_for("SELECT count(*) FROM documents", 2);
    assert_int_equal(count_of(TEXTS("second")), 0);
    wait_for("SELECT count(*) FROM originals", 2);
}

static void copies_are_one_document_until_they_differ(void **state)
{
    write_text(at("a.txt"), "The same.");
    write_text(at("b.txt"), "The same.");
    start_watching();
    watch_folder();
    wait_for("SELECT count(*) FROM watched_files", 2);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents"), 1);
    write_text(at("a.txt"), "Not the same any more.");
    wait_for(READY, 2);
    assert_int_equal(count_of(TEXTS("The same.")), 1);
    assert_int_equal(unlink(at("b.txt")), 0);
    wait_for("SELECT count(*) FROM documents", 1);
    assert_int_equal(count_of(TEXTS("any more")), 1);
}

static void a_start_finds_what_happened_meanwhile(void **state)
{
    size_t read_before;

    write_text(at("stays.txt"), "It stays.");
    write_text(at("goes.txt"), "It goes.");
    write_text(at("changes.txt"), "It changes.");
    write_text(at("unread.bin"), "\001\002\003\004");
    start_watching();
    watch_folder();
    wait_for("SELECT count(*) FROM watched_files", 4);
    wait_for(READY, 3);
    stop_watching();
    read_before = atomic_load(&embedded);
    assert_int_equal(unlink(at("goes.txt")), 0);
    write_text(at("changes.txt"), "It has changed, as was said.");
    start_watching();
    wait_for(TEXTS("as was said"), 1);
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 2);
    wait_for("SELECT count(*) FROM watched_files", 3);
    assert_int_equal(atomic_load(&embedded), read_before + 1); /* the others were left alone */
}

static void a_folder_that_is_not_is_refused(void **state)
{
    static const char *const wrong[] = { "{}", "{'path': 'x'}", "{'path': 3}",
                                         "{'path': '/etc/passwd'}" };
    json_t *fields, *out = NULL;
    bool existed;
    size_t i;

    start_watching();
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fields = parse(wrong[i]);
        assert_fails(den_watched_add(watched, fields, &out, &existed, &err), DEN_INVALID);
        json_decref(fields);
    }
    fields = parse("{'path': '/nowhere'}");
    assert_fails(den_watched_add(watched, fields, &out, &existed, &err), DEN_NOT_FOUND);
    json_decref(fields);
    fields = parse("{'path': '/tmp', 'workspace': 'none'}");
    assert_fails(den_watched_add(watched, fields, &out, &existed, &err), DEN_NOT_FOUND);
    json_decref(fields);
    assert_fails(den_watched_remove(watched, "none", &err), DEN_NOT_FOUND);
}

static void a_folder_that_is_gone_is_said(void **state)
{
    json_t *list;
    char id[80];

    start_watching();
    watch_folder();
    wait_for("SELECT count(*) FROM watched_folders WHERE scanned IS NOT NULL", 1);
    assert_int_equal(rmdir(folder), 0);
    wait_for("SELECT count(*) FROM watched_folders WHERE error IS NOT NULL", 1);
    assert_ok(den_watched_list(watched, &list, &err));
    assert_non_null(strstr(text_at(list, "watched.0.error"), "No such file"));
    snprintf(id, sizeof id, "%s", text_at(list, "watched.0.id"));
    json_decref(list);
    assert_ok(den_watched_remove(watched, id, &err));
    assert_int_equal(count_of("SELECT count(*) FROM watched_folders"), 0);
}

int desk_test_watched(int argc, char **argv)
{
#define WATCHED_TEST(name) cmocka_unit_test_setup_teardown(name, open_watched, close_watched)
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(what_happens_in_a_folder_happens_in_the_library),
        WATCHED_TEST(copies_are_one_document_until_they_differ),
        WATCHED_TEST(a_start_finds_what_happened_meanwhile),
        WATCHED_TEST(a_folder_that_is_not_is_refused),
        WATCHED_TEST(a_folder_that_is_gone_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
