/* What is read again: a document that failed, by the task that failed; one whose reader has learned
 * something; and what was read before stays until the new text is there. */
#include "library_scratch.h"

#define READY "SELECT count(*) FROM documents WHERE state = 'ready'"

static void add_ready(const char *name, const char *text, char out_id[80])
{
    json_t *added = upload(name, text, NULL, false);

    snprintf(out_id, 80, "%s", text_at(added, "document.id"));
    json_decref(added);
}

static void a_failed_one_is_tried_by_its_task(void **state)
{
    json_t *added, *again;
    char id[80], job[80];

    start_ingest();
    added = upload("bad.docx", "PK\003\004 no archive", NULL, false);
    snprintf(id, sizeof id, "%s", text_at(added, "document.id"));
    snprintf(job, sizeof job, "%s", text_at(added, "job.id"));
    json_decref(added);
    wait_for("SELECT count(*) FROM jobs WHERE state = 'failed'", 1);
    forget(upload("worse.docx", "PK\003\004 no archive either", NULL, false));
    wait_for("SELECT count(*) FROM tasks WHERE state = 'failed'", 2);
    assert_ok(den_ingest_retry(ingest, id, &again, &err));
    assert_string_equal(text_at(again, "document.id"), id);
    assert_string_equal(text_at(again, "job.id"), job);
    json_decref(again);
    wait_for("SELECT count(*) FROM tasks WHERE state = 'failed' AND tries = 2", 1);
    assert_int_equal(count_of("SELECT count(*) FROM tasks"), 2); /* the other was not tried */
    assert_fails(den_ingest_retry(ingest, "none", &again, &err), DEN_NOT_FOUND);
}

static void a_ready_one_is_read_anew(void **state)
{
    json_t *again;
    char id[80];

    start_ingest();
    add_ready("a.txt", "The text as it was.", id);
    wait_for(READY, 1);
    change_rows("UPDATE parts SET text = 'something older'");
    assert_ok(den_ingest_retry(ingest, id, &again, &err));
    assert_true(json_is_object(json_object_get(again, "job")));
    json_decref(again);
    wait_for("SELECT count(*) FROM parts WHERE text LIKE '%as it was%'", 1);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM parts"), 1);
    assert_int_equal(count_of("SELECT count(*) FROM items"), 1);
    wait_for("SELECT count(*) FROM vectors", 1);
}

/* The bytes can't be read now; what was read of them before is still found. */
static void what_was_read_stays_when_it_fails(void **state)
{
    json_t *again;
    char id[80];

    start_ingest();
    add_ready("a.docx", "PK\003\004 this was read once", id);
    wait_for("SELECT count(*) FROM documents WHERE state = 'failed'", 1);
    change_rows("INSERT INTO parts (document, ordinal, kind, number, text) SELECT row, 0, 'file', "
                "1, 'The old text.' FROM documents");
    change_rows("INSERT INTO items (document, part, ordinal, start, stop, text, tokens) SELECT "
                "document, row, 0, 0, 13, text, 4 FROM parts");
    change_rows("UPDATE documents SET state = 'ready', parts = 1, items = 1, error_code = NULL");
    assert_ok(den_ingest_retry(ingest, id, &again, &err));
    json_decref(again);
    wait_for("SELECT count(*) FROM tasks WHERE state = 'failed'", 2);
    wait_for(READY, 1);
    assert_int_equal(count_of("SELECT count(*) FROM parts WHERE text = 'The old text.'"), 1);
    wait_for("SELECT count(*) FROM vectors", 1);
}

static void what_an_older_reader_read_is_found(void **state)
{
    static const char mail[] = "From: a@b\nTo: c@d\nSubject: Roof\nDate: Fri, 01 Mar 2024 10:00:00 "
                               "+0100\n\nIt leaks.\n";
    json_t *fields = json_object(), *again;
    char id[80];

    start_ingest();
    add_ready("a.eml", mail, id);
    add_ready("a.txt", "A text.", id);
    wait_for(READY, 2);
    assert_ok(den_ingest_read_again(ingest, fields, &again, &err));
    assert_string_equal(text_at(again, "job"), "null");
    json_decref(again);
    change_rows("UPDATE documents SET reader = 1"); /* as an older Den left them */
    assert_ok(den_ingest_read_again(ingest, fields, &again, &err));
    assert_string_equal(text_at(again, "job.total"), "1");
    json_decref(again);
    wait_for("SELECT count(*) FROM documents WHERE format = 'mail' AND state = 'ready' AND reader "
             "> 1",
             1);
    assert_ok(den_ingest_read_again(ingest, fields, &again, &err));
    assert_string_equal(text_at(again, "job"), "null");
    json_decref(again), json_decref(fields);
    fields = json_pack("{s:[s]}", "documents", "none");
    assert_fails(den_ingest_read_again(ingest, fields, &again, &err), DEN_NOT_FOUND);
    json_decref(fields);
    fields = json_pack("{s:[]}", "documents");
    assert_fails(den_ingest_read_again(ingest, fields, &again, &err), DEN_INVALID);
    json_decref(fields);
}

int desk_test_ingest_again(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(a_failed_one_is_tried_by_its_task),
        LIBRARY_TEST(a_ready_one_is_read_anew),
        LIBRARY_TEST(what_was_read_stays_when_it_fails),
        LIBRARY_TEST(what_an_older_reader_read_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
