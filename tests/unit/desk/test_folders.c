/* Folders and prompts: made once, listed by name, and gone without their threads. */
#include "thread_scratch.h"

#include "desk/folders.h"

static enum den_status add(enum den_shelf shelf, const char *fields, bool *existed)
{
    json_t *given = parse(fields), *made = NULL;

    err = (struct den_error){ 0 };
    den_shelf_add(threads, shelf, given, &made, existed, &err);
    json_decref(made);
    json_decref(given);
    return err.status;
}

static void folders_hold_threads(void **state)
{
    struct den_thread_list list = { .folder = "f" };
    json_t *thread, *found = NULL;
    bool existed;

    assert_int_equal(add(DEN_SHELF_FOLDERS, "{'id': 'f', 'name': 'Work'}", &existed), DEN_OK);
    assert_false(existed);
    assert_int_equal(add(DEN_SHELF_FOLDERS, "{'id': 'f', 'name': 'Work'}", &existed), DEN_OK);
    assert_true(existed);
    assert_int_equal(add(DEN_SHELF_FOLDERS, "{'id': 'f', 'name': 'Play'}", &existed), DEN_IN_USE);
    assert_int_equal(add(DEN_SHELF_FOLDERS, "{'name': ''}", &existed), DEN_INVALID);
    assert_int_equal(add(DEN_SHELF_FOLDERS, "{}", &existed), DEN_INVALID);
    thread = make_thread("{'id': 'a', 'folder': 'f'}");
    json_decref(thread);
    json_decref(make_thread("{'id': 'b'}"));
    assert_ok(den_threads_list(threads, &list, &found, &err));
    assert_string_equal(text_at(found, "threads.0.id"), "a");
    assert_int_equal(json_array_size(json_object_get(found, "threads")), 1);
    json_decref(found);
    assert_ok(den_shelf_delete(threads, DEN_SHELF_FOLDERS, "f", &err));
    assert_fails(den_shelf_delete(threads, DEN_SHELF_FOLDERS, "f", &err), DEN_NOT_FOUND);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "folder"), "null");
    json_decref(thread);
}

static void prompts_are_kept(void **state)
{
    json_t *fields = parse("{'name': 'Zusammenfassen'}"), *changed = NULL, *list = NULL;
    bool existed;

    assert_int_equal(
        add(DEN_SHELF_PROMPTS, "{'id': 'p', 'name': 'Sum up', 'text': '{{x}}'}", &existed), DEN_OK);
    assert_int_equal(add(DEN_SHELF_PROMPTS, "{'id': 'q', 'name': 'ask', 'text': '?'}", &existed),
                     DEN_OK);
    assert_int_equal(add(DEN_SHELF_PROMPTS, "{'name': 'no text'}", &existed), DEN_INVALID);
    assert_ok(den_shelf_change(threads, DEN_SHELF_PROMPTS, "p", fields, &changed, &err));
    assert_string_equal(text_at(changed, "text"), "{{x}}");
    json_decref(changed);
    assert_fails(den_shelf_change(threads, DEN_SHELF_PROMPTS, "r", fields, &changed, &err),
                 DEN_NOT_FOUND);
    assert_ok(den_shelf_list(threads, DEN_SHELF_PROMPTS, &list, &err));
    assert_string_equal(text_at(list, "prompts.0.name"), "ask");
    assert_string_equal(text_at(list, "prompts.1.name"), "Zusammenfassen");
    json_decref(list);
    json_decref(fields);
}

static void changes_are_told(void **state)
{
    struct den_listener *listener;
    const struct den_event *event;
    bool existed, is_lost;

    assert_ok(den_listener_create(events, NULL, &listener, &err));
    add(DEN_SHELF_FOLDERS, "{'id': 'f', 'name': 'Work'}", &existed);
    event = den_listener_take(listener, &is_lost);
    assert_string_equal(event->name, "folders");
    assert_string_equal(event->data, "{\"folders\":[{\"id\":\"f\",\"name\":\"Work\"}]}");
    den_event_release(event);
    den_listener_destroy(listener);
}

int desk_test_folders(int argc, char **argv)
{
#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        THREAD_TEST(folders_hold_threads),
        THREAD_TEST(prompts_are_kept),
        THREAD_TEST(changes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
