/* Memories: off unless switched on, kept and removed, and gone from the answers that had them. */
#include "thread_scratch.h"

#include "desk/memories.h"
#include "desk/settings.h"
#include "desk/workspaces.h"
#include "store/query.h"

static void switch_memory(const char *fields)
{
    json_t *given = parse(fields), *all = NULL;

    assert_ok(den_settings_change(threads, given, &all, &err));
    json_decref(all);
    json_decref(given);
}

static json_t *list(void)
{
    json_t *found = NULL;

    assert_ok(den_memories_list(threads, &found, &err));
    return found;
}

static enum den_status add(const char *fields, json_t **out)
{
    json_t *given = parse(fields);
    bool existed = false;

    *out = NULL;
    err = (struct den_error){ 0 };
    den_memory_add(threads, given, out, &existed, &err);
    json_decref(given);
    return err.status;
}

static size_t count(void)
{
    json_t *found = list();
    const size_t number = json_array_size(json_object_get(found, "memories"));

    json_decref(found);
    return number;
}

static void it_is_off_at_first(void **state)
{
    json_t *found = list(), *memory;

    assert_string_equal(text_at(found, "enabled"), "false");
    forget(found);
    assert_int_equal(add("{'text': 'The user is vegetarian.'}", &memory), DEN_FORBIDDEN);
    json_decref(make_thread("{'id': 'a'}"));
    assert_ok(den_memory_propose(threads, "a", "The user is vegetarian.", &err));
    assert_int_equal(count(), 0);
    switch_memory("{'memory': 'yes'}"); /* only true is */
    assert_int_equal(add("{'text': 'The user is vegetarian.'}", &memory), DEN_FORBIDDEN);
}

static void what_is_added_is_kept_once(void **state)
{
    json_t *memory, *again, *bad;

    switch_memory("{'memory': true}");
    assert_int_equal(add("{'text': '  The user\\n is vegetarian. '}", &memory), DEN_OK);
    assert_string_equal(text_at(memory, "text"), "The user is vegetarian.");
    assert_string_equal(text_at(memory, "state"), "kept");
    assert_string_equal(text_at(memory, "workspace"), "null");
    assert_int_equal(add("{'text': 'the user IS vegetarian.'}", &again), DEN_OK);
    assert_string_equal(text_at(again, "id"), json_string_value(json_object_get(memory, "id")));
    forget(again);
    forget(memory);
    assert_int_equal(add("{'text': '   '}", &bad), DEN_INVALID);
    assert_int_equal(add("{}", &bad), DEN_INVALID);
    assert_int_equal(add("{'text': 'The password is hunter2.'}", &bad), DEN_INVALID);
    assert_int_equal(add("{'text': 'a b', 'workspace': 'none'}", &bad), DEN_NOT_FOUND);
    assert_int_equal(count(), 1);
}

static void a_proposal_waits_to_be_kept(void **state)
{
    json_t *workspace = NULL, *found, *fields, *memory = NULL;
    struct den_connection *connection;
    bool existed;
    char id[64];

    switch_memory("{'memory': true}");
    fields = parse("{'id': 'w', 'name': 'House'}");
    assert_ok(den_workspace_create(threads, fields, &workspace, &existed, &err));
    forget(fields);
    forget(workspace);
    json_decref(make_thread("{'id': 'a', 'workspace': 'w'}"));
    assert_ok(den_memory_propose(threads, "a", "The user has a dog.", &err));
    assert_ok(den_memory_propose(threads, "a", "The user has a dog.", &err)); /* once */
    assert_ok(den_memory_propose(threads, "none", "The user has a cat.", &err));
    found = list();
    assert_int_equal(json_array_size(json_object_get(found, "memories")), 1);
    assert_string_equal(text_at(found, "memories.0.state"), "proposed");
    assert_string_equal(text_at(found, "memories.0.workspace"), "w");
    assert_string_equal(text_at(found, "memories.0.thread"), "a");
    snprintf(id, sizeof id, "%s", text_at(found, "memories.0.id"));
    forget(found);
    assert_ok(den_database_read(database, &connection, &err));
    assert_ok(den_memories_of(connection, 1, false, &found, &err));
    assert_int_equal(json_array_size(found), 0);
    forget(found);
    assert_ok(den_memories_of(connection, 1, true, &found, &err));
    assert_int_equal(json_array_size(found), 1);
    forget(found);
    assert_ok(den_connection_end(connection, &err));
    fields = parse("{'state': 'kept', 'text': 'The user has two dogs.', 'workspace': null}");
    assert_ok(den_memory_change(threads, id, fields, &memory, &err));
    assert_string_equal(text_at(memory, "state"), "kept");
    assert_string_equal(text_at(memory, "text"), "The user has two dogs.");
    assert_string_equal(text_at(memory, "workspace"), "null");
    forget(memory);
    forget(fields);
    fields = parse("{'state': 'proposed'}");
    assert_fails(den_memory_change(threads, id, fields, &memory, &err), DEN_INVALID);
    assert_fails(den_memory_change(threads, "none", fields, &memory, &err), DEN_INVALID);
    forget(fields);
}

static void what_is_removed_is_removed_from_answers(void **state)
{
    json_t *first, *second, *thread = NULL;
    struct den_connection *connection;
    char id[64];

    switch_memory("{'memory': true}");
    assert_int_equal(add("{'text': 'The user has a dog.'}", &first), DEN_OK);
    assert_int_equal(add("{'text': 'The user has a cat.'}", &second), DEN_OK);
    snprintf(id, sizeof id, "%s", text_at(first, "id"));
    json_decref(make_thread("{'id': 'a'}"));
    ask("a", "{'id': 'q', 'content': 'Hi'}");
    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err,
                "UPDATE messages SET memories = (SELECT json_group_array(json_object('id', id, "
                "'text', text)) FROM memories)",
                "");
    assert_ok(den_connection_end(connection, &err));
    assert_ok(den_memory_delete(threads, id, &err));
    assert_fails(den_memory_delete(threads, id, &err), DEN_NOT_FOUND);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "messages.0.memories.0.text"), "The user has a cat.");
    assert_int_equal(json_array_size(json_object_get(
                         json_array_get(json_object_get(thread, "messages"), 0), "memories")),
                     1);
    json_decref(thread);
    assert_ok(den_memories_delete_all(threads, &err));
    assert_int_equal(count(), 0);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "messages.0.memories"), "null");
    forget(thread);
    forget(first);
    forget(second);
}

static void changes_are_told(void **state)
{
    struct den_listener *listener;
    const struct den_event *event;
    json_t *memory;
    bool is_lost;

    switch_memory("{'memory': true}");
    assert_ok(den_listener_create(events, NULL, &listener, &err));
    assert_int_equal(add("{'text': 'The user has a dog.'}", &memory), DEN_OK);
    event = den_listener_take(listener, &is_lost);
    assert_string_equal(event->name, "memory");
    assert_non_null(strstr(event->data, "\"memory\":{"));
    den_event_release(event);
    assert_ok(den_memories_delete_all(threads, &err));
    event = den_listener_take(listener, &is_lost);
    assert_string_equal(event->name, "memory_deleted");
    assert_non_null(strstr(event->data, text_at(memory, "id")));
    den_event_release(event);
    den_listener_destroy(listener);
    forget(memory);
}

static void there_is_an_end_to_them(void **state)
{
    struct den_connection *connection;
    json_t *memory;
    char name[64];
    size_t i;

    switch_memory("{'memory': true}");
    assert_ok(den_database_write(database, &connection, &err));
    for (i = 0; i < DEN_MEMORIES_MAX; i++) {
        snprintf(name, sizeof name, "m%zu", i);
        den_execute(connection, &err,
                    "INSERT INTO memories (id, text, state, created) VALUES (?1, ?1, 'kept', 1)",
                    "t", name);
    }
    assert_ok(den_connection_end(connection, &err));
    assert_int_equal(add("{'text': 'The user has a dog.'}", &memory), DEN_TOO_LARGE);
    assert_int_equal(count(), DEN_MEMORIES_MAX);
}

int desk_test_memories(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        TEST(it_is_off_at_first),
        TEST(what_is_added_is_kept_once),
        TEST(a_proposal_waits_to_be_kept),
        TEST(what_is_removed_is_removed_from_answers),
        TEST(changes_are_told),
        TEST(there_is_an_end_to_them),
    };

    return cmocka_run_group_tests_name("desk/memories", tests, NULL, NULL);
}
