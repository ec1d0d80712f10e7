/* Threads: made once however often they are sent, listed in pages, changed, deleted and
 * restored. */
#include "thread_scratch.h"

static void a_thread_is_made_once(void **state)
{
    json_t *given = parse("{'id': 'a', 'title': 'Tea', 'system': 'Be brief.', 'model': 'm', "
                          "'parameters': {'temperature': 0.5, 'stop': ['x']}}");
    json_t *other = parse("{'id': 'a', 'title': 'Coffee'}");
    json_t *thread = NULL, *again = NULL;
    bool existed;

    assert_ok(den_thread_create(threads, given, &thread, &existed, &err));
    assert_false(existed);
    assert_string_equal(text_at(thread, "title"), "Tea");
    assert_string_equal(text_at(thread, "renamed"), "true");
    assert_string_equal(text_at(thread, "system"), "Be brief.");
    assert_string_equal(text_at(thread, "parameters.stop.0"), "x");
    assert_string_equal(text_at(thread, "running"), "false");
    assert_string_equal(text_at(thread, "head"), "null");
    assert_ok(den_thread_create(threads, given, &again, &existed, &err));
    assert_true(existed);
    assert_true(json_equal(thread, again));
    assert_fails(den_thread_create(threads, other, &again, &existed, &err), DEN_IN_USE);
    forget(given), forget(other), forget(thread), forget(again);
}

static void bad_fields_are_named(void **state)
{
    static const char *const bad[] = {
        "{'id': ''}",
        "{'id': 'a b'}",
        "{'id': 7}",
        "{'title': []}",
        "{'folder': 'nowhere'}",
        "{'parameters': {'temprature': 1}}",
        "{'parameters': {'temperature': 'hot'}}",
        "{'parameters': {'top_p': 2}}",
        "{'parameters': {'stop': 'x'}}",
        "{'parameters': {'stop': ['']}}",
        "{'parameters': {'preset': 'wild'}}",
        "{'parameters': []}",
    };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *given = parse(bad[i]), *thread = NULL;
        bool existed;

        err = (struct den_error){ 0 };
        if (den_thread_create(threads, given, &thread, &existed, &err) == DEN_OK)
            fail_msg("accepted %s", bad[i]);
        assert_true(err.message[0] == '\'');
        assert_null(thread);
        json_decref(given);
    }
}

static void the_list_comes_in_pages(void **state)
{
    struct den_thread_list list = { .limit = 3 };
    char seen[64] = "", cursor[128];
    json_t *page = NULL, *thread;
    size_t i;
    int rounds = 0;

    for (i = 0; i < 7; i++) {
        char fields[64];

        snprintf(fields, sizeof fields, "{'id': 't%zu'}", i);
        json_decref(make_thread(fields));
    }
    thread = parse("{'pinned': true}");
    json_t *changed = NULL;
    assert_ok(den_thread_change(threads, "t2", thread, &changed, &err));
    forget(changed), forget(thread);
    do {
        assert_ok(den_threads_list(threads, &list, &page, &err));
        json_array_foreach(json_object_get(page, "threads"), i, thread)
            seen[strlen(seen)] = text_at(thread, "id")[1];
        snprintf(cursor, sizeof cursor, "%s", text_at(page, "next"));
        list.before = cursor;
        json_decref(page);
        assert_true(++rounds < 10);
    } while (strcmp(cursor, "null") != 0);
    assert_string_equal(seen, "2654310"); /* the pinned one, then newest first */
    assert_int_equal(rounds, 3);
    list.before = "junk";
    assert_fails(den_threads_list(threads, &list, &page, &err), DEN_INVALID);
}

static void fields_change_one_by_one(void **state)
{
    json_t *thread = make_thread("{'id': 'a', 'system': 'S'}"), *changed = NULL;
    json_t *fields = parse("{'title': 'New', 'model': 'm2'}");
    json_t *nothing = parse("{'head': 'no-such-message'}");

    assert_ok(den_thread_change(threads, "a", fields, &changed, &err));
    assert_string_equal(text_at(changed, "title"), "New");
    assert_string_equal(text_at(changed, "renamed"), "true");
    forget(changed), forget(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "system"), "S");
    assert_string_equal(text_at(thread, "model"), "m2");
    assert_fails(den_thread_change(threads, "a", nothing, &changed, &err), DEN_NOT_FOUND);
    assert_fails(den_thread_change(threads, "b", fields, &changed, &err), DEN_NOT_FOUND);
    forget(fields), forget(nothing), forget(thread);
}

static void what_is_deleted_can_be_restored_or_purged(void **state)
{
    json_t *thread = make_thread("{'id': 'a'}"), *answer = NULL;
    bool existed;
    json_t *same = parse("{'id': 'a'}");

    ask("a", "{'id': 'q', 'content': 'hello'}");
    assert_ok(den_thread_delete(threads, "a", &answer, &err));
    assert_true(json_integer_value(json_object_get(answer, "restorable_until")) > 0);
    forget(answer), forget(thread);
    assert_fails(den_thread_get(threads, "a", &thread, &err), DEN_NOT_FOUND);
    assert_fails(den_thread_delete(threads, "a", &answer, &err), DEN_NOT_FOUND);
    assert_fails(den_thread_create(threads, same, &answer, &existed, &err), DEN_IN_USE);
    assert_ok(den_thread_restore(threads, "a", &thread, &err));
    forget(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "messages.0.content"), "hello");
    assert_ok(den_thread_purge(threads, "a", &err));
    assert_fails(den_thread_restore(threads, "a", &answer, &err), DEN_NOT_FOUND);
    assert_fails(den_thread_purge(threads, "a", &err), DEN_NOT_FOUND);
    forget(thread), forget(same);
}

/* Deeper than SQLite lets triggers nest. */
static void a_long_chain_is_purged(void **state)
{
    json_t *thread = make_thread("{'id': 'a'}");
    char fields[128];
    int i;

    ask("a", "{'id': 'm0', 'content': '0'}");
    for (i = 1; i < 1500; i++) {
        snprintf(fields, sizeof fields, "{'id': 'm%d', 'parent': 'm%d', 'content': '%d'}", i, i - 1,
                 i);
        ask("a", fields);
    }
    assert_ok(den_message_delete(threads, "a", "m100", &err));
    json_decref(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 100);
    assert_string_equal(text_at(thread, "head"), "m99");
    assert_ok(den_thread_purge(threads, "a", &err));
    json_decref(thread);
}

static void a_fork_holds_the_path(void **state)
{
    json_t *thread = make_thread("{'id': 'a', 'title': 'T', 'system': 'S'}"), *fork = NULL;

    ask("a", "{'id': 'q1', 'content': 'one', 'attachments': [{'name': 'n', 'text': 'x'}]}");
    ask("a", "{'id': 'q2', 'parent': 'q1', 'content': 'two'}");
    ask("a", "{'id': 'q3', 'parent': 'q1', 'content': 'three'}");
    assert_ok(den_thread_fork(threads, "a", "q3", &fork, &err));
    assert_string_not_equal(text_at(fork, "id"), "a");
    assert_string_equal(text_at(fork, "system"), "S");
    assert_int_equal(json_array_size(json_object_get(fork, "messages")), 2);
    assert_string_equal(text_at(fork, "messages.0.attachments.0.text"), "x");
    assert_string_equal(text_at(fork, "messages.1.content"), "three");
    assert_string_equal(text_at(fork, "messages.1.parent"), text_at(fork, "messages.0.id"));
    assert_string_equal(text_at(fork, "head"), text_at(fork, "messages.1.id"));
    assert_string_not_equal(text_at(fork, "messages.1.id"), "q3");
    forget(thread), forget(fork);
}

int desk_test_threads(int argc, char **argv)
{
#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        THREAD_TEST(a_thread_is_made_once),
        THREAD_TEST(bad_fields_are_named),
        THREAD_TEST(the_list_comes_in_pages),
        THREAD_TEST(fields_change_one_by_one),
        THREAD_TEST(what_is_deleted_can_be_restored_or_purged),
        THREAD_TEST(a_long_chain_is_purged),
        THREAD_TEST(a_fork_holds_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
