/* From bytes to passages that are found: read by a real sandboxed child, embedded by letters. */
#include "library_scratch.h"

#define READY "SELECT count(*) FROM documents WHERE state = 'ready'"

static void make_workspace(void)
{
    change_rows("INSERT INTO workspaces (id, name, created, updated) VALUES ('w', 'W', 0, 0)");
}

static void an_upload_is_read_and_embedded(void **state)
{
    json_t *added, *document, *part;
    char id[80];

    make_workspace();
    start_ingest();
    added =
        upload("../letters/./2024/may.txt", "Dear Ann,\n\nthe rent is due in May.\n", "w", false);
    assert_string_equal(text_at(added, "document.name"), "letters/2024/may.txt");
    assert_string_equal(text_at(added, "document.format"), "text");
    assert_string_equal(text_at(added, "document.workspaces.0"), "w");
    assert_string_equal(text_at(added, "job.total"), "1");
    snprintf(id, sizeof id, "%s", text_at(added, "document.id"));
    json_decref(added);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM items"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM jobs WHERE state = 'done'"), 1);
    assert_ok(den_document_get(documents, id, &document, &err));
    assert_string_equal(text_at(document, "part_list.0.kind"), "file");
    json_decref(document);
    assert_ok(den_document_part(documents, id, 0, &part, &err));
    assert_non_null(strstr(text_at(part, "text"), "the rent is due"));
    json_decref(part);
    assert_fails(den_document_part(documents, id, 1, &part, &err), DEN_NOT_FOUND);
}

static void the_same_bytes_are_read_once(void **state)
{
    json_t *first, *second;

    make_workspace();
    start_ingest();
    first = upload("a.txt", "One text.", NULL, false);
    wait_for(READY, 1);
    second = upload("a.txt", "One text.", "w", true);
    assert_string_equal(text_at(first, "document.id"), text_at(second, "document.id"));
    assert_string_equal(text_at(second, "job"), "null");
    assert_string_equal(text_at(second, "document.workspaces.0"), "w");
    assert_int_equal(atomic_load(&embedded), 1);
    forget(first), forget(second);
}

static void what_can_not_be_read_fails_with_a_sentence(void **state)
{
    json_t *added, *list;
    struct den_document_list options = { .state = "failed" };

    start_ingest();
    added = upload("broken.docx", "PK\003\004 this is no archive", NULL, false);
    json_decref(added);
    wait_for("SELECT count(*) FROM documents WHERE state = 'failed'", 1);
    assert_ok(den_documents_list(documents, &options, &list, &err));
    assert_true(strlen(text_at(list, "documents.0.error.message")) > 10);
    json_decref(list);
    wait_for("SELECT count(*) FROM jobs WHERE state = 'failed'", 1);
    added = upload("broken.docx", "PK\003\004 this is no archive", NULL, true);
    assert_string_equal(text_at(added, "document.state"), "waiting"); /* it is tried again */
    json_decref(added);
    wait_for("SELECT count(*) FROM documents WHERE state = 'failed'", 1);
}

static void without_a_model_words_are_kept_and_embedded_later(void **state)
{
    json_t *added;

    atomic_store(&embedder_is_there, false);
    start_ingest();
    added = upload("a.txt", "Words alone.", NULL, false);
    json_decref(added);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE note LIKE '%no embedding%'"),
                     1);
    atomic_store(&embedder_is_there, true);
    den_ingest_wake(ingest);
    wait_for("SELECT count(*) FROM vectors", 1);
    wait_for("SELECT count(*) FROM documents WHERE note = ''", 1);
}

/* Nothing else is to be done then: the new model alone is reason enough. */
static void another_model_embeds_all_again(void **state)
{
    struct den_space_embedder current;

    start_ingest();
    json_decref(upload("a.txt", "The first of two texts.", NULL, false));
    json_decref(upload("b.txt", "And this is the second.", NULL, false));
    wait_for(READY, 2);
    wait_for("SELECT count(*) FROM vectors", 2);
    atomic_store(&embedder_name, "other letters");
    den_ingest_wake(ingest);
    wait_for("SELECT count(*) FROM embedders WHERE current = 1 AND name = 'other letters'", 1);
    wait_for("SELECT count(*) FROM vectors", 2); /* those of the old model are gone */
    assert_ok(den_space_current_embedder(space, &current, &err));
    assert_string_equal(current.name, "other letters");
}

static void a_folder_is_added_without_what_is_hidden(void **state)
{
    char folder[128], path[256];
    json_t *fields, *added;

    make_workspace();
    start_ingest();
    snprintf(folder, sizeof folder, "%s/papers", scratch_folder);
    snprintf(path, sizeof path, "%s/.git", folder);
    assert_ok(den_folder_create(path, &err));
    snprintf(path, sizeof path, "%s/deep", folder);
    assert_ok(den_folder_create(path, &err));
    snprintf(path, sizeof path, "%s/.git/config", folder), write_text(path, "hidden");
    snprintf(path, sizeof path, "%s/.hidden.txt", folder), write_text(path, "hidden");
    snprintf(path, sizeof path, "%s/one.txt", folder), write_text(path, "The first.");
    snprintf(path, sizeof path, "%s/deep/two.txt", folder), write_text(path, "The second.");
    snprintf(path, sizeof path, "%s/deep/copy.txt", folder), write_text(path, "The first.");
    snprintf(path, sizeof path, "%s/deep/link.txt", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    fields = json_pack("{s:[s], s:s, s:[s]}", "paths", folder, "workspace", "w", "tags", "tax");
    assert_ok(den_ingest_add_paths(ingest, fields, &added, &err));
    json_decref(added);
    wait_for("SELECT count(*) FROM jobs WHERE state = 'done'", 1);
    assert_int_equal(count_of("SELECT count(*) FROM tasks"), 3);
    assert_int_equal(count_of("SELECT count(*) FROM tasks WHERE state = 'skipped'"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE name LIKE 'papers/%' AND "
                              "tags = '[\"tax\"]'"),
                     2);
    assert_int_equal(count_of("SELECT count(*) FROM workspace_documents"), 2);
    /* what changed keeps its document */
    snprintf(path, sizeof path, "%s/one.txt", folder), write_text(path, "The first, again.");
    assert_ok(den_ingest_add_paths(ingest, fields, &added, &err));
    json_decref(added), json_decref(fields);
    wait_for("SELECT count(*) FROM jobs WHERE state = 'done'", 2);
    assert_int_equal(count_of("SELECT count(*) FROM parts WHERE text LIKE '%again%'"), 1);
}

static void what_a_crash_left_is_done_once(void **state)
{
    json_t *added;
    int i;

    start_ingest();
    added = upload("a.txt", "The first text.", NULL, false), json_decref(added);
    wait_for(READY, 1);
    stop_ingest();
    /* one that was being read, and one that lacks its vectors */
    change_rows("UPDATE documents SET state = 'reading'");
    change_rows("UPDATE tasks SET state = 'running'");
    change_rows("UPDATE jobs SET state = 'running', ended = NULL");
    for (i = 0; i < 2; i++) {
        start_ingest();
        wait_for(READY, 1);
        wait_for("SELECT count(*) FROM jobs WHERE state = 'done'", 1);
        assert_int_equal(count_of("SELECT count(*) FROM parts"), 1);
        assert_int_equal(count_of("SELECT count(*) FROM items"), 1);
        stop_ingest();
        change_rows("UPDATE documents SET state = 'embedding'");
        change_rows("DELETE FROM vectors");
        change_rows("UPDATE tasks SET state = 'running'");
        change_rows("UPDATE jobs SET state = 'running', ended = NULL");
    }
}

static void a_failing_embedder_is_told_and_retried(void **state)
{
    json_t *added, *job;
    char id[80];

    atomic_store(&embedder_fails, true);
    start_ingest();
    added = upload("a.txt", "Some words.", NULL, false);
    snprintf(id, sizeof id, "%s", text_at(added, "job.id"));
    json_decref(added);
    wait_for("SELECT count(*) FROM documents WHERE state = 'failed'", 1);
    assert_int_equal(count_of("SELECT count(*) FROM items"), 1); /* its words are found */
    atomic_store(&embedder_fails, false);
    assert_ok(den_job_retry(jobs, id, &job, &err));
    json_decref(job);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 1);
}

static void paths_are_checked_at_once(void **state)
{
    static const char *const wrong[] = { "{'paths': []}",  "{'paths': ['relative']}",
                                         "{'paths': 'x'}", "{}",
                                         "{'paths': [1]}", "{'paths': ['/dev/null']}" };
    json_t *fields, *out;
    size_t i;

    start_ingest();
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fields = parse(wrong[i]);
        assert_fails(den_ingest_add_paths(ingest, fields, &out, &err), DEN_INVALID);
        json_decref(fields);
    }
    fields = parse("{'paths': ['/nowhere/at/all']}");
    assert_fails(den_ingest_add_paths(ingest, fields, &out, &err), DEN_NOT_FOUND);
    json_decref(fields);
    fields = parse("{'address': 'file:///etc/passwd'}");
    assert_fails(den_ingest_add_web(ingest, fields, &out, &err), DEN_INVALID);
    json_decref(fields);
    assert_int_equal(count_of("SELECT count(*) FROM jobs"), 0);
}

int desk_test_ingest(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(an_upload_is_read_and_embedded),
        LIBRARY_TEST(the_same_bytes_are_read_once),
        LIBRARY_TEST(what_can_not_be_read_fails_with_a_sentence),
        LIBRARY_TEST(without_a_model_words_are_kept_and_embedded_later),
        LIBRARY_TEST(another_model_embeds_all_again),
        LIBRARY_TEST(a_folder_is_added_without_what_is_hidden),
        LIBRARY_TEST(what_a_crash_left_is_done_once),
        LIBRARY_TEST(a_failing_embedder_is_told_and_retried),
        LIBRARY_TEST(paths_are_checked_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
