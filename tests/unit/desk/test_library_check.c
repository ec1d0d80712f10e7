/* What is damaged is found; what can be put right is; nothing that somebody made is removed. */
#include "library_scratch.h"

#include "desk/library_check.h"

static char told[4096];

static void note(void *context, const char *what, bool repaired)
{
    size_t used = strlen(told);

    (void)context;
    snprintf(told + used, sizeof told - used, "%s%s\n", what, repaired ? " [repaired]" : "");
}

static struct den_library_health check(bool repairs)
{
    const struct den_library_check options = {
        .database = database, .originals = originals, .repairs = repairs, .tell = note
    };
    struct den_library_health health = { 0 };

    told[0] = '\0';
    assert_ok(den_library_check(&options, &health, &err));
    return health;
}

static void add_two(void)
{
    start_ingest();
    forget(upload("a.txt", "The first of two texts.", NULL, false));
    forget(upload("b.txt", "The second of two texts.", NULL, false));
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 2);
    stop_ingest();
}

static void a_sound_library_is_said_to_be(void **state)
{
    struct den_library_health health;

    add_two();
    health = check(false);
    assert_string_equal(told, "");
    assert_int_equal(health.documents, 2);
    assert_int_equal(health.passages, 2);
    assert_int_equal(health.originals, 2);
    assert_int_equal(health.wrong, 0);
}

static void a_damaged_file_is_found_and_its_document_marked(void **state)
{
    struct den_document_file file;
    char id[80], path[256];
    json_t *list;

    add_two();
    assert_ok(den_documents_list(documents, &(struct den_document_list){ .words = "a.txt" }, &list,
                                 &err));
    snprintf(id, sizeof id, "%s", text_at(list, "documents.0.id"));
    json_decref(list);
    assert_ok(den_document_open(documents, id, &file, &err));
    snprintf(path, sizeof path, "%s/originals/%.2s/%s", scratch_folder, file.hash, file.hash);
    den_document_file_close(&file);
    chmod(path, 0600);
    write_text(path, "The first of two TEXTS."); /* as long, but other bytes */
    assert_int_equal(check(false).wrong, 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE state = 'failed'"), 0);
    assert_int_equal(check(true).repaired, 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE state = 'failed'"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM items"), 2); /* its text is kept */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check(false).wrong, 1);
}

static void rows_and_indexes_are_put_right(void **state)
{
    add_two();
    change_rows("INSERT INTO originals VALUES "
                "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 0)");
    change_rows("UPDATE documents SET items = 7 WHERE name = 'a.txt'");
    change_rows("INSERT INTO items_text (items_text, rowid, heading, text) SELECT 'delete', row, "
                "heading, text FROM items LIMIT 1");
    assert_int_equal(check(true).wrong, 3);
    assert_non_null(strstr(told, "1 listed files that no document wants [repaired]"));
    assert_non_null(strstr(told, "the full-text index of passages"));
    assert_int_equal(check(false).wrong, 0);
    assert_int_equal(count_of("SELECT count(*) FROM items_text WHERE items_text MATCH 'texts'"), 2);
}

int desk_test_library_check(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(a_sound_library_is_said_to_be),
        LIBRARY_TEST(a_damaged_file_is_found_and_its_document_marked),
        LIBRARY_TEST(rows_and_indexes_are_put_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
