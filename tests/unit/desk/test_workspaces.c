/* Workspaces: what they keep, which names they take, what ties documents and threads to them. */
#include "thread_scratch.h"

#include "desk/workspaces.h"
#include "store/query.h"

static json_t *make(const char *fields)
{
    json_t *given = parse(fields), *workspace = NULL;
    bool existed;

    assert_ok(den_workspace_create(threads, given, &workspace, &existed, &err));
    json_decref(given);
    return workspace;
}

static void add_document(const char *id, const char *name)
{
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err,
                "INSERT OR IGNORE INTO originals (hash, bytes, created) VALUES ('00', 1, 1)", "");
    den_execute(
        connection, &err,
        "INSERT INTO documents (id, original, name, origin, bytes, created, updated, state) "
        "VALUES (?, '00', ?, 'upload', 1, 1, 1, 'ready')",
        "tt", id, name);
    assert_ok(den_connection_end(connection, &err));
}

static void keeps_what_was_said(void **state)
{
    json_t *made = make("{'id':'w1','name':'Papers','model':'m','system':'Be brief.','parameters':"
                        "{'temperature':0},'retrieval':{'count':3},'tags':['a','b']}"),
           *fields, *changed = NULL, *got = NULL;

    assert_string_equal(text_at(made, "retrieval.count"), "3");
    assert_string_equal(text_at(made, "retrieval.rewrite"), "auto");
    assert_string_equal(text_at(made, "retrieval.diversity"), "null");
    assert_string_equal(text_at(made, "documents"), "0");
    fields = parse("{'retrieval':{'only_documents':true},'name':'Letters'}");
    assert_ok(den_workspace_change(threads, "w1", fields, &changed, &err));
    assert_ok(den_workspace_get(threads, "w1", &got, &err));
    assert_string_equal(text_at(got, "name"), "Letters");
    assert_string_equal(text_at(got, "retrieval.count"), "3"); /* stays */
    assert_string_equal(text_at(got, "retrieval.only_documents"), "true");
    assert_string_equal(text_at(got, "tags.1"), "b");
    assert_string_equal(text_at(got, "system"), "Be brief.");
    forget(made);
    forget(fields);
    forget(changed);
    forget(got);
}

static void names_are_its_own(void **state)
{
    json_t *fields = parse("{'name':'LETTERS'}"), *out = NULL;
    bool existed;

    forget(make("{'id':'w1','name':'Letters'}"));
    assert_fails(den_workspace_create(threads, fields, &out, &existed, &err), DEN_IN_USE);
    json_decref(fields);
    fields = parse("{'id':'w1','name':'Letters'}");
    assert_ok(den_workspace_create(threads, fields, &out, &existed, &err));
    assert_true(existed);
    forget(out);
    json_decref(fields);
    assert_ok(den_workspace_by_name(threads, "leTTers", &out, &err));
    assert_string_equal(text_at(out, "id"), "w1");
    forget(out);
    assert_fails(den_workspace_by_name(threads, "absent", &out, &err), DEN_NOT_FOUND);
}

static void refuses_what_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{'name':'  '}",
        "{'name':7}",
        "{'name':'a','retrieval':7}",
        "{'name':'a','retrieval':{'count':0}}",
        "{'name':'a','retrieval':{'count':51}}",
        "{'name':'a','retrieval':{'diversity':2}}",
        "{'name':'a','retrieval':{'rewrite':'perhaps'}}",
        "{'name':'a','retrieval':{'threshold':1}}",
        "{'name':'a','tags':'b'}",
        "{'name':'a','tags':['']}",
        "{'name':'a','parameters':{'heat':1}}",
        "{'name':'a','id':'no blanks'}",
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *fields = parse(wrong[i]), *out = NULL;
        bool existed;

        assert_fails(den_workspace_create(threads, fields, &out, &existed, &err), DEN_INVALID);
        json_decref(fields);
    }
}

static void documents_are_in_several(void **state)
{
    const struct den_workspace_document_list two = { .limit = 2 };
    json_t *ids = parse("{'documents':['d1','d2','d3']}"), *out = NULL, *pin;
    struct den_workspace_document_list list = two;
    char next[64];

    forget(make("{'id':'w1','name':'One'}"));
    forget(make("{'id':'w2','name':'Two'}"));
    add_document("d1", "a/may.pdf");
    add_document("d2", "june.txt");
    assert_fails(den_workspace_link(threads, "w1", ids, &out, &err), DEN_NOT_FOUND);
    add_document("d3", "july.txt");
    assert_ok(den_workspace_link(threads, "w1", ids, &out, &err));
    assert_string_equal(text_at(out, "documents"), "3"); /* and none of the refused call */
    forget(out);
    assert_ok(den_workspace_link(threads, "w2", ids, &out, &err));
    forget(out);
    assert_ok(den_workspace_link(threads, "w1", ids, &out, &err)); /* again: nothing changes */
    assert_string_equal(text_at(out, "documents"), "3");
    forget(out);
    pin = parse("{'pinned':true}");
    assert_ok(den_workspace_pin(threads, "w1", "d2", pin, &out, &err));
    forget(out);
    forget(pin);
    assert_ok(den_workspace_documents(threads, "w1", &list, &out, &err));
    assert_string_equal(text_at(out, "documents.0.id"), "d3");
    assert_string_equal(text_at(out, "documents.1.pinned"), "true");
    assert_int_equal(json_array_size(json_object_get(
                         json_array_get(json_object_get(out, "documents"), 0), "workspaces")),
                     2);
    snprintf(next, sizeof next, "%s", text_at(out, "next"));
    forget(out);
    list.before = next;
    assert_ok(den_workspace_documents(threads, "w1", &list, &out, &err));
    assert_string_equal(text_at(out, "documents.0.name"), "a/may.pdf");
    assert_string_equal(text_at(out, "next"), "null");
    forget(out);
    list = (struct den_workspace_document_list){ .words = "JUN" };
    assert_ok(den_workspace_documents(threads, "w1", &list, &out, &err));
    assert_int_equal(json_array_size(json_object_get(out, "documents")), 1);
    forget(out);
    assert_ok(den_workspace_unlink(threads, "w1", "d2", &err));
    assert_fails(den_workspace_unlink(threads, "w1", "d2", &err), DEN_NOT_FOUND);
    assert_ok(den_workspace_delete(threads, "w1", &err));
    assert_fails(den_workspace_delete(threads, "w1", &err), DEN_NOT_FOUND);
    assert_ok(den_workspace_get(threads, "w2", &out, &err));
    assert_string_equal(text_at(out, "documents"), "3");
    forget(out);
    forget(ids);
}

static void threads_belong_to_one(void **state)
{
    struct den_thread_list list = { .workspace = "w1" };
    json_t *out = NULL, *fields;

    forget(make("{'id':'w1','name':'One'}"));
    forget(make_thread("{'id':'t1','workspace':'w1'}"));
    forget(make_thread("{'id':'t2'}"));
    assert_ok(den_threads_list(threads, &list, &out, &err));
    assert_int_equal(json_array_size(json_object_get(out, "threads")), 1);
    assert_string_equal(text_at(out, "threads.0.workspace"), "w1");
    forget(out);
    list.workspace = "";
    assert_ok(den_threads_list(threads, &list, &out, &err));
    assert_string_equal(text_at(out, "threads.0.id"), "t2");
    forget(out);
    fields = parse("{'workspace':'absent'}");
    assert_fails(den_thread_change(threads, "t2", fields, &out, &err), DEN_NOT_FOUND);
    json_decref(fields);
    fields = parse("{'workspace':null}");
    assert_ok(den_thread_change(threads, "t1", fields, &out, &err));
    assert_string_equal(text_at(out, "workspace"), "null");
    forget(out);
    json_decref(fields);
    add_document("d1", "may.pdf");
    fields = parse("{'documents':['d1']}");
    assert_ok(den_thread_attach(threads, "t1", fields, &out, &err));
    assert_string_equal(text_at(out, "documents.0.name"), "may.pdf");
    forget(out);
    json_decref(fields);
    assert_ok(den_thread_detach(threads, "t1", "d1", &err));
    assert_fails(den_thread_detach(threads, "t1", "d1", &err), DEN_NOT_FOUND);
    assert_ok(den_thread_get(threads, "t1", &out, &err));
    assert_int_equal(json_array_size(json_object_get(out, "documents")), 0);
    forget(out);
}

static void listeners_are_told(void **state)
{
    struct den_listener *listener;
    const struct den_event *event;
    bool lost;

    assert_ok(den_listener_create(events, NULL, &listener, &err));
    forget(make("{'id':'w1','name':'One'}"));
    event = den_listener_take(listener, &lost);
    assert_non_null(event);
    assert_string_equal(event->name, "workspace");
    assert_string_equal(event->data, "{\"id\":\"w1\"}");
    den_event_release(event);
    assert_ok(den_workspace_delete(threads, "w1", &err));
    event = den_listener_take(listener, &lost);
    assert_non_null(event);
    assert_string_equal(event->name, "workspace_deleted");
    den_event_release(event);
    den_listener_destroy(listener);
}

int desk_test_workspaces(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        T(keeps_what_was_said),      T(names_are_its_own),     T(refuses_what_is_wrong),
        T(documents_are_in_several), T(threads_belong_to_one), T(listeners_are_told),
    };

    return cmocka_run_group_tests_name("desk/workspaces", tests, NULL, NULL);
}
