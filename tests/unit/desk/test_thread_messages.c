/* Messages: a tree, each made once however often it is sent. */
#include "thread_scratch.h"

static enum den_status add(const char *fields, bool with_answer, struct den_message_added *out)
{
    json_t *given = parse(fields);

    err = (struct den_error){ 0 };
    *out = (struct den_message_added){ 0 };
    den_message_add(threads, "a", given, with_answer, out, &err);
    json_decref(given);
    return err.status;
}

static void a_message_sent_twice_is_there_once(void **state)
{
    static const char fields[] = "{'id': 'q', 'content': 'What is tea?', 'answer_id': 'r', "
                                 "'attachments': [{'name': 'a.txt', 'text': 'leaf'}]}";
    struct den_message_added first, second, other;
    json_t *thread = make_thread("{'id': 'a'}");

    assert_int_equal(add(fields, true, &first), DEN_OK);
    assert_false(first.existed);
    assert_string_equal(text_at(first.answer, "id"), "r");
    assert_string_equal(text_at(first.answer, "finish"), "null");
    assert_true(first.answer_row > 0);
    assert_int_equal(add(fields, true, &second), DEN_OK);
    assert_true(second.existed);
    assert_int_equal(second.answer_row, 0);
    assert_true(json_equal(first.message, second.message));
    assert_true(json_equal(first.answer, second.answer));
    assert_int_equal(add("{'id': 'q', 'content': 'What is coffee?'}", true, &other), DEN_IN_USE);
    forget(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 2);
    assert_string_equal(text_at(thread, "title"), "What is tea?");
    assert_string_equal(text_at(thread, "renamed"), "false");
    assert_string_equal(text_at(thread, "preview"), "What is tea?");
    assert_string_equal(text_at(thread, "head"), "r");
    assert_string_equal(text_at(thread, "running"), "true");
    den_message_added_deinit(&first);
    den_message_added_deinit(&second);
    forget(thread);
}

static void bad_messages_are_refused_and_leave_nothing(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{'content': 7}",
        "{'content': 'x', 'parent': 'nobody'}",
        "{'content': 'x', 'role': 'assistant'}",
        "{'content': 'x', 'id': '../../etc'}",
        "{'content': 'x', 'id': 'same', 'answer_id': 'same'}",
        "{'content': 'x', 'attachments': {}}",
        "{'content': 'x', 'attachments': [{'name': 'n'}]}",
        "{'content': 'x', 'attachments': ['n']}",
        "{'content': 'x\\u0000y'}",
    };
    struct den_message_added added;
    json_t *thread = make_thread("{'id': 'a'}");
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (add(bad[i], true, &added) == DEN_OK)
            fail_msg("accepted %s", bad[i]);
    forget(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 0);
    forget(thread);
}

static void answers_are_siblings(void **state)
{
    struct den_message_added question, answer = { 0 };
    json_t *thread = make_thread("{'id': 'a'}");
    json_t *fields = parse("{'parent': 'q', 'id': 'r2'}"), *orphan = parse("{'id': 'r3'}");

    add("{'id': 'q', 'content': 'x', 'answer_id': 'r1'}", true, &question);
    assert_ok(den_message_add_answer(threads, "a", fields, &answer, &err));
    assert_string_equal(text_at(answer.answer, "parent"), "q");
    den_message_added_deinit(&answer);
    assert_ok(den_message_add_answer(threads, "a", fields, &answer, &err));
    assert_true(answer.existed);
    den_message_added_deinit(&answer);
    assert_fails(den_message_add_answer(threads, "a", orphan, &answer, &err), DEN_INVALID);
    forget(thread);
    assert_ok(den_thread_get(threads, "a", &thread, &err));
    assert_string_equal(text_at(thread, "messages.1.id"), "r1");
    assert_string_equal(text_at(thread, "messages.2.id"), "r2");
    assert_string_equal(text_at(thread, "messages.2.parent"), "q");
    den_message_added_deinit(&question);
    forget(thread), forget(fields), forget(orphan);
}

static void a_message_can_be_edited_unless_it_is_being_written(void **state)
{
    struct den_message_added question;
    json_t *thread = make_thread("{'id': 'a'}"), *changed = NULL;
    json_t *fields = parse("{'content': 'better'}");

    add("{'id': 'q', 'content': 'x', 'answer_id': 'r'}", true, &question);
    assert_ok(den_message_change(threads, "a", "q", fields, &changed, &err));
    assert_string_equal(text_at(changed, "content"), "better");
    assert_fails(den_message_change(threads, "a", "r", fields, &changed, &err), DEN_IN_USE);
    assert_fails(den_message_change(threads, "a", "z", fields, &changed, &err), DEN_NOT_FOUND);
    den_message_added_deinit(&question);
    forget(thread), forget(fields), forget(changed);
}

static void only_a_cut_answer_goes_on(void **state)
{
    struct den_message_added question, reopened;
    json_t *thread = make_thread("{'id': 'a'}");

    add("{'id': 'q', 'content': 'x', 'answer_id': 'r'}", true, &question);
    assert_fails(den_message_reopen(threads, "a", "r", &reopened, &err), DEN_INVALID);
    assert_fails(den_message_reopen(threads, "a", "q", &reopened, &err), DEN_INVALID);
    den_message_added_deinit(&question);
    forget(thread);
}

int desk_test_thread_messages(int argc, char **argv)
{
#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        THREAD_TEST(a_message_sent_twice_is_there_once),
        THREAD_TEST(bad_messages_are_refused_and_leave_nothing),
        THREAD_TEST(answers_are_siblings),
        THREAD_TEST(a_message_can_be_edited_unless_it_is_being_written),
        THREAD_TEST(only_a_cut_answer_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
