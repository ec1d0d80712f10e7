/* Answers, written by a writer of the test's own: what is kept, what is told, and how they end. */
#include "thread_scratch.h"

#include <math.h>
#include <pthread.h>

#include "desk/answer_parameters.h"
#include "desk/answers.h"
#include "desk/memories.h"
#include "desk/settings.h"

/* --- the writer: a thread that sends what the script says, piece by piece --- */

struct den_ticket {
    pthread_t thread;
    den_worker_handler handler;
    void *context;
    bool is_cancelled, is_side; /* Den's own question */
};

static struct script {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const char *pieces[8]; /* one that begins with '~' is reasoning */
    size_t allowed;        /* pieces that may go out */
    bool may_load, may_end;
    bool stops_late; /* somebody stops the answer just when its ticket has been given up */
    const char *finish;
    enum den_status take_status, submit_status;
    json_t *messages; /* of the last request */
    double temperature;
    int64_t max_tokens;
    char model[64];
    size_t taken, given_back;
    const char *fact; /* what a side question is answered with; NULL: it waits to be given up */
    size_t side_questions;
} script;

static struct den_answers *answers;

static void allow(size_t pieces, bool end)
{
    pthread_mutex_lock(&script.lock);
    script.allowed = pieces;
    script.may_end = end;
    script.may_load = true;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static void send_piece(struct den_ticket *ticket, const char *piece)
{
    struct den_worker_event event = { .kind = DEN_WORKER_TEXT, .text = piece };

    if (*piece == '~') {
        event.kind = DEN_WORKER_REASONING;
        event.text++;
    }
    event.text_length = strlen(event.text);
    ticket->handler(ticket->context, &event);
}

static void *write_pieces(void *context)
{
    struct den_ticket *ticket = context;
    struct den_worker_event event = { .kind = DEN_WORKER_PROGRESS,
                                      .prompt_done = 3,
                                      .prompt_total = 3 };
    struct den_error failure = { .status = DEN_INTERNAL, .message = "the writer broke" };
    size_t next = 0;

    ticket->handler(ticket->context, &event);
    pthread_mutex_lock(&script.lock);
    if (ticket->is_side && script.fact) {
        pthread_mutex_unlock(&script.lock);
        send_piece(ticket, script.fact);
        pthread_mutex_lock(&script.lock);
    }
    while (ticket->is_side && !script.fact && !ticket->is_cancelled)
        pthread_cond_wait(&script.changed, &script.lock);
    while (!ticket->is_side && !ticket->is_cancelled &&
           !(script.may_end && next >= script.allowed)) {
        if (next >= script.allowed) {
            pthread_cond_wait(&script.changed, &script.lock);
            continue;
        }
        pthread_mutex_unlock(&script.lock);
        send_piece(ticket, script.pieces[next++]);
        pthread_mutex_lock(&script.lock);
    }
    event = (struct den_worker_event){ .kind = DEN_WORKER_END,
                                       .finish = ticket->is_cancelled ? "cancelled" : script.finish,
                                       .prompt_tokens = 3,
                                       .generated_tokens = next,
                                       .generate_seconds = 0.5 };
    if (strcmp(event.finish, "error") == 0)
        event.error = &failure;
    pthread_mutex_unlock(&script.lock);
    ticket->handler(ticket->context, &event);
    return NULL;
}

static enum den_status take(void *context, const char *model, struct den_worker **out,
                            const char **out_model, size_t *out_context_tokens,
                            struct den_error *error)
{
    pthread_mutex_lock(&script.lock);
    snprintf(script.model, sizeof script.model, "%s", model);
    while (!script.may_load)
        pthread_cond_wait(&script.changed, &script.lock);
    script.taken++;
    pthread_mutex_unlock(&script.lock);
    if (script.take_status != DEN_OK) {
        script.given_back++;
        return den_fail(error, script.take_status, "there is no such model");
    }
    *out = (struct den_worker *)&script;
    *out_model = "tiny";
    *out_context_tokens = 2048;
    return DEN_OK;
}

static void give_back(void *context, struct den_worker *worker)
{
    pthread_mutex_lock(&script.lock);
    script.given_back++;
    pthread_mutex_unlock(&script.lock);
}

static enum den_status submit(struct den_worker *worker, const struct den_worker_request *request,
                              den_worker_handler handler, void *context, struct den_ticket **out,
                              struct den_error *error)
{
    struct den_ticket *ticket;

    if (script.submit_status != DEN_OK)
        return den_fail(error, script.submit_status, "the conversation is too long");
    pthread_mutex_lock(&script.lock); /* answers begin on threads of their own */
    ticket = calloc(1, sizeof *ticket);
    ticket->is_side = request->prompt != NULL;
    if (ticket->is_side) {
        assert_true(request->batch && request->grammar && request->temperature == 0);
        script.side_questions++;
    } else {
        json_decref(script.messages);
        script.messages = json_deep_copy(request->messages);
        script.temperature = request->temperature;
        script.max_tokens = request->max_tokens;
    }
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
    ticket->handler = handler;
    ticket->context = context;
    *out = ticket;
    return pthread_create(&ticket->thread, NULL, write_pieces, ticket) == 0 ? DEN_OK : DEN_INTERNAL;
}

static void cancel(struct den_ticket *ticket)
{
    pthread_mutex_lock(&script.lock);
    ticket->is_cancelled = true;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static void release(struct den_ticket *ticket)
{
    struct den_error error = { 0 };

    if (!ticket)
        return;
    cancel(ticket);
    pthread_join(ticket->thread, NULL);
    free(ticket);
    if (script.stops_late)
        den_answers_stop(answers, "a", NULL, &error);
}

static const struct den_answer_source source = {
    .take = take, .give_back = give_back, .submit = submit, .cancel = cancel, .release = release
};

/* --- around each test --- */

static int open_answers(void **state)
{
    script = (struct script){ .pieces = { "~hm ", "One", " two", " three" },
                              .finish = "stop",
                              .may_load = true };
    pthread_mutex_init(&script.lock, NULL);
    pthread_cond_init(&script.changed, NULL);
    open_threads(state);
    assert_ok(den_answers_open(threads, &source, &answers, &err));
    json_decref(make_thread("{'id': 'a', 'system': 'Be brief.', 'parameters': {'temperature': 0.5, "
                            "'max_tokens': 9}}"));
    return 0;
}

static int close_answers(void **state)
{
    allow(0, true);
    den_answers_close(answers);
    assert_int_equal(script.taken, script.given_back);
    json_decref(script.messages);
    return close_threads(state);
}

static void post(const char *fields)
{
    json_t *given = parse(fields), *made = NULL;
    bool existed;

    assert_ok(den_answers_ask(answers, "a", given, &made, &existed, &err));
    json_decref(made);
    json_decref(given);
}

static json_t *read_thread(void)
{
    json_t *thread = NULL;

    assert_ok(den_answers_get_thread(answers, "a", &thread, &err));
    return thread;
}

/* Takes events until one called `name` comes; its data. Waits on the listener's descriptor. */
static json_t *await_event(struct den_listener *listener, const char *name)
{
    for (;;) {
        bool is_lost;
        const struct den_event *event = den_listener_take(listener, &is_lost);
        json_t *data = NULL;

        assert_false(is_lost);
        if (!event) {
            usleep(1000);
            continue;
        }
        if (strcmp(event->name, name) == 0)
            data = json_loads(event->data, 0, NULL);
        den_event_release(event);
        if (data)
            return data;
    }
}

static void await_idle(void)
{
    while (den_answers_running(answers) > 0)
        usleep(1000);
}

/* --- the tests --- */

static void an_answer_is_told_and_kept(void **state)
{
    struct den_listener *listener;
    json_t *thread, *data;

    assert_ok(den_listener_create(events, "a", &listener, &err));
    allow(2, false);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r', 'attachments': [{'name': 'n.txt', "
         "'text': 'a ```` b'}]}");
    data = await_event(listener, "progress");
    assert_string_equal(text_at(data, "total"), "3");
    forget(data);
    data = await_event(listener, "reasoning");
    assert_string_equal(text_at(data, "text"), "hm ");
    assert_string_equal(text_at(data, "seq"), "1");
    forget(data);
    data = await_event(listener, "delta");
    assert_string_equal(text_at(data, "text"), "One");
    assert_string_equal(text_at(data, "seq"), "2");
    forget(data);
    thread = read_thread();
    assert_string_equal(text_at(thread, "running"), "true");
    assert_string_equal(text_at(thread, "messages.1.content"), "One");
    assert_string_equal(text_at(thread, "messages.1.reasoning"), "hm ");
    assert_string_equal(text_at(thread, "messages.1.seq"), "2");
    assert_string_equal(text_at(thread, "messages.1.finish"), "null");
    forget(thread);
    allow(4, true);
    data = await_event(listener, "end");
    assert_string_equal(text_at(data, "message.content"), "One two three");
    assert_string_equal(text_at(data, "message.finish"), "stop");
    assert_string_equal(text_at(data, "message.model"), "tiny");
    assert_string_equal(text_at(data, "message.measures.generated_tokens"), "4");
    assert_string_equal(text_at(data, "message.measures.context_tokens"), "2048");
    forget(data);
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "running"), "false");
    assert_string_equal(text_at(thread, "preview"), "One two three");
    assert_string_equal(text_at(script.messages, "0.content"), "Be brief.");
    assert_string_equal(text_at(script.messages, "1.content"),
                        "n.txt:\n`````\na ```` b\n`````\n\nCount.");
    assert_true(script.temperature == 0.5);
    assert_int_equal(script.max_tokens, 9);
    forget(thread);
    den_listener_destroy(listener);
}

static void text_reaches_the_database_meanwhile(void **state)
{
    json_t *thread = NULL;

    allow(3, false);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    do { /* den_thread_get() sees the database alone */
        json_decref(thread);
        usleep(50000);
        assert_ok(den_thread_get(threads, "a", &thread, &err));
    } while (strcmp(text_at(thread, "messages.1.content"), "One two") != 0);
    assert_string_equal(text_at(thread, "messages.1.finish"), "null");
    forget(thread);
}

static void a_stopped_answer_goes_on(void **state)
{
    json_t *more = parse("{'continue': 'r'}"), *made = NULL, *thread;
    bool existed;

    allow(2, false);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    do {
        thread = read_thread();
        existed = strcmp(text_at(thread, "messages.1.seq"), "2") == 0;
        forget(thread);
    } while (!existed);
    assert_fails(den_answers_answer(answers, "a", more, &made, &existed, &err), DEN_INVALID);
    assert_ok(den_answers_stop(answers, "a", "r", &err));
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.finish"), "stopped");
    assert_string_equal(text_at(thread, "messages.1.content"), "One");
    forget(thread);
    script.pieces[0] = " and";
    allow(1, true);
    assert_ok(den_answers_answer(answers, "a", more, &made, &existed, &err));
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.content"), "One and");
    assert_string_equal(text_at(thread, "messages.1.seq"), "3");
    assert_string_equal(text_at(thread, "messages.1.finish"), "stop");
    assert_string_equal(text_at(script.messages, "2.role"), "assistant");
    assert_string_equal(text_at(script.messages, "2.content"), "One");
    assert_ok(den_answers_stop(answers, "a", NULL, &err)); /* stopping what has ended is fine */
    forget(thread), forget(more), forget(made);
}

static void a_late_stop_finds_no_ticket(void **state)
{
    json_t *thread;

    script.stops_late = true;
    allow(2, true);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.content"), "One");
    assert_string_equal(text_at(thread, "messages.1.finish"), "stopped");
    forget(thread);
}

static void another_answer_has_its_own_model(void **state)
{
    json_t *fields = parse("{'parent': 'q', 'id': 'r2', 'model': 'other', "
                           "'parameters': {'temperature': 2}}");
    json_t *bad = parse("{'parent': 'q', 'parameters': {'temperature': 'hot'}}");
    json_t *made = NULL, *thread;
    bool existed;

    allow(2, true);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    await_idle();
    assert_fails(den_answers_answer(answers, "a", bad, &made, &existed, &err), DEN_INVALID);
    assert_ok(den_answers_answer(answers, "a", fields, &made, &existed, &err));
    assert_false(existed);
    await_idle();
    forget(made);
    assert_string_equal(script.model, "other");
    assert_true(script.temperature == 2);
    assert_int_equal(json_array_size(script.messages), 2);
    assert_ok(den_answers_answer(answers, "a", fields, &made, &existed, &err));
    assert_true(existed);
    thread = read_thread();
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 3);
    assert_string_equal(text_at(thread, "head"), "r2");
    forget(thread), forget(fields), forget(bad), forget(made);
}

static void failures_are_kept_with_the_text(void **state)
{
    json_t *thread;

    script.finish = "error";
    allow(2, true);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.content"), "One");
    assert_string_equal(text_at(thread, "messages.1.finish"), "error");
    assert_string_equal(text_at(thread, "messages.1.error.message"), "the writer broke");
    forget(thread);
    script.take_status = DEN_NOT_FOUND;
    post("{'id': 'q2', 'content': 'Count.', 'answer_id': 'r2'}");
    await_idle();
    script.take_status = DEN_OK;
    script.submit_status = DEN_CONTEXT_FULL;
    post("{'id': 'q3', 'content': 'Count.', 'answer_id': 'r3'}");
    await_idle();
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.3.error.code"), "model_not_found");
    assert_string_equal(text_at(thread, "messages.5.error.code"), "context_length_exceeded");
    forget(thread);
}

static void a_stop_need_not_wait_for_the_model(void **state)
{
    json_t *thread;

    script.may_load = false;
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    assert_ok(den_answers_stop(answers, "a", NULL, &err));
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.finish"), "stopped");
    assert_int_equal(den_answers_running(answers), 1);
    allow(4, true);
    await_idle();
    forget(thread);
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.finish"), "stopped");
    assert_string_equal(text_at(thread, "messages.1.content"), "");
    forget(thread);
}

static void the_end_of_the_program_keeps_the_text(void **state)
{
    json_t *thread;
    bool is_there;

    allow(2, false);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    do {
        thread = read_thread();
        is_there = strcmp(text_at(thread, "messages.1.seq"), "2") == 0;
        forget(thread);
    } while (!is_there);
    den_answers_close(answers);
    assert_ok(den_answers_open(threads, &source, &answers, &err));
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.content"), "One");
    assert_string_equal(text_at(thread, "messages.1.error.code"), "interrupted");
    forget(thread);
}

/* A row that a crash left, and another Den that is at work. */
static void a_crash_is_marked_by_the_next_start(void **state)
{
    struct den_message_added added = { 0 };
    json_t *fields = parse("{'id': 'q', 'content': 'x', 'answer_id': 'r'}"), *thread;
    struct den_answers *second = NULL;

    assert_ok(den_message_add(threads, "a", fields, true, &added, &err));
    den_message_added_deinit(&added);
    assert_ok(den_answers_open(threads, &source, &second, &err));
    den_answers_close(second);
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.finish"), "null"); /* ours may be writing it */
    forget(thread);
    den_answers_close(answers);
    assert_ok(den_answers_open(threads, &source, &answers, &err));
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.1.error.code"), "interrupted");
    forget(thread), forget(fields);
}

static void a_deleted_answer_ends(void **state)
{
    json_t *thread;

    allow(2, false);
    post("{'id': 'q', 'content': 'Count.', 'answer_id': 'r'}");
    assert_ok(den_message_delete(threads, "a", "q", &err));
    await_idle(); /* by itself, at the next write */
    thread = read_thread();
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 0);
    forget(thread);
}

static void there_is_an_end_to_answers(void **state)
{
    json_t *more = parse("{'id': 'last', 'content': 'x'}"), *made = NULL, *thread;
    bool existed;
    int i;

    for (i = 0; i < DEN_ANSWERS_MAX; i++) {
        char fields[96];

        snprintf(fields, sizeof fields, "{'id': 'q%d', 'content': 'Count.'}", i);
        post(fields);
    }
    assert_fails(den_answers_ask(answers, "a", more, &made, &existed, &err), DEN_BUSY);
    thread = read_thread();
    assert_int_equal(json_array_size(json_object_get(thread, "messages")), 2 * DEN_ANSWERS_MAX);
    forget(thread), forget(more);
    allow(1, true);
    await_idle();
}

static void parameters_fill_what_is_unset(void **state)
{
    json_t *lent =
        parse("{'temperature': 0.3, 'top_p': 0.5, 'max_tokens': 7, 'stop': ['x'], 'seed': 4}");
    json_t *preset = parse("{'preset': 'factual'}"), *bad = parse("{'temperature': 'hot'}");
    const char *stops[DEN_STOP_STRINGS_MAX];
    struct den_worker_request request = den_worker_request_defaults();

    request.max_tokens = 9;
    assert_ok(den_answer_parameters_fill(lent, &request, stops, &err));
    assert_true(request.temperature == 0.3 && request.top_p == 0.5);
    assert_int_equal(request.max_tokens, 9);
    assert_int_equal(request.seed, 4);
    assert_int_equal(request.stop_count, 1);
    assert_string_equal(stops[0], "x");
    assert_ok(den_answer_parameters_fill(preset, &request, stops, &err));
    assert_null(request.preset); /* it would undo the temperature */
    request = den_worker_request_defaults();
    request.preset = "creative";
    assert_ok(den_answer_parameters_fill(lent, &request, stops, &err));
    assert_true(isnan(request.temperature));
    assert_fails(den_answer_parameters_fill(bad, &request, stops, &err), DEN_INVALID);
    forget(lent), forget(preset), forget(bad);
}

/* --- memory --- */

static void switch_memory(bool on)
{
    json_t *given = json_pack("{s:b}", "memory", (int)on), *all = NULL;

    assert_ok(den_settings_change(threads, given, &all, &err));
    json_decref(all);
    json_decref(given);
}

static json_t *read_memories(void)
{
    json_t *list = NULL;

    assert_ok(den_memories_list(threads, &list, &err));
    return list;
}

static void keep_all(void)
{
    json_t *list = read_memories(), *kept = parse("{'state': 'kept'}"), *memory, *changed;
    size_t i;

    json_array_foreach(json_object_get(list, "memories"), i, memory)
    {
        changed = NULL;
        assert_ok(den_memory_change(threads, json_string_value(json_object_get(memory, "id")), kept,
                                    &changed, &err));
        json_decref(changed);
    }
    json_decref(kept);
    json_decref(list);
}

static void a_fact_is_proposed_kept_and_told(void **state)
{
    json_t *list, *thread;

    allow(2, true);
    post("{'id': 'q0', 'content': 'I am vegetarian.', 'answer_id': 'r0'}"); /* while it is off */
    await_idle();
    switch_memory(true);
    script.fact = " The user is a vegetarian.";
    post("{'id': 'q1', 'parent': 'r0', 'content': 'I am vegetarian. And you?', 'answer_id': 'r1'}");
    await_idle();
    list = read_memories();
    assert_string_equal(text_at(list, "memories.0.text"), "The user is a vegetarian.");
    assert_string_equal(text_at(list, "memories.0.state"), "proposed");
    assert_string_equal(text_at(list, "memories.0.thread"), "a");
    assert_int_equal(script.side_questions, 1);
    forget(list);
    post("{'id': 'q2', 'parent': 'r1', 'content': 'Count.', 'answer_id': 'r2'}");
    await_idle();
    assert_string_equal(text_at(script.messages, "0.content"), "Be brief."); /* not kept yet */
    keep_all();
    post("{'id': 'q3', 'parent': 'r2', 'content': 'Count.', 'answer_id': 'r3'}");
    await_idle();
    assert_string_equal(text_at(script.messages, "0.content"),
                        "Be brief.\n\nWhat is known about the user (use it only where it helps):\n"
                        "- The user is a vegetarian.\n");
    switch_memory(false);
    post("{'id': 'q4', 'parent': 'r3', 'content': 'I live in Leeds.', 'answer_id': 'r4'}");
    await_idle();
    assert_string_equal(text_at(script.messages, "0.content"), "Be brief.");
    thread = read_thread();
    assert_string_equal(text_at(thread, "messages.5.memories"), "null");
    assert_string_equal(text_at(thread, "messages.7.memories.0.text"), "The user is a vegetarian.");
    assert_string_equal(text_at(thread, "messages.9.memories"), "null");
    forget(thread);
    list = read_memories(); /* it can still be seen */
    assert_int_equal(json_array_size(json_object_get(list, "memories")), 1);
    assert_string_equal(text_at(list, "enabled"), "false");
    forget(list);
}

static void what_the_model_makes_up_is_not_proposed(void **state)
{
    json_t *list;

    allow(2, true);
    switch_memory(true);
    script.fact = " The user is a carpenter from Oslo.";
    post("{'id': 'q', 'content': 'My daughter is called Ann. My password is x.'}");
    await_idle();
    list = read_memories();
    assert_int_equal(json_array_size(json_object_get(list, "memories")), 1);
    assert_string_equal(text_at(list, "memories.0.text"), "My daughter is called Ann.");
    forget(list);
    keep_all();
    post("{'id': 'q2', 'content': 'My daughter is called Ann.'}"); /* known */
    await_idle();
    list = read_memories();
    assert_int_equal(json_array_size(json_object_get(list, "memories")), 1);
    assert_int_equal(script.side_questions, 1);
    assert_non_null(strstr(text_at(script.messages, "0.content"),
                           "- They said: \"My daughter is called Ann.\""));
    forget(list);
}

static void a_proposal_is_given_up_with_the_program(void **state)
{
    json_t *list;

    allow(2, true);
    switch_memory(true);
    script.fact = NULL; /* the model would think for ever */
    post("{'id': 'q', 'content': 'I am vegetarian.'}");
    pthread_mutex_lock(&script.lock);
    while (script.side_questions == 0)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
    den_answers_close(answers);
    assert_ok(den_answers_open(threads, &source, &answers, &err));
    list = read_memories();
    assert_int_equal(json_array_size(json_object_get(list, "memories")), 0);
    forget(list);
}

int desk_test_answers(int argc, char **argv)
{
#define ANSWER_TEST(name) cmocka_unit_test_setup_teardown(name, open_answers, close_answers)
    const struct CMUnitTest tests[] = {
        ANSWER_TEST(an_answer_is_told_and_kept),
        ANSWER_TEST(text_reaches_the_database_meanwhile),
        ANSWER_TEST(a_stopped_answer_goes_on),
        ANSWER_TEST(a_late_stop_finds_no_ticket),
        ANSWER_TEST(another_answer_has_its_own_model),
        ANSWER_TEST(failures_are_kept_with_the_text),
        ANSWER_TEST(a_stop_need_not_wait_for_the_model),
        ANSWER_TEST(the_end_of_the_program_keeps_the_text),
        ANSWER_TEST(a_crash_is_marked_by_the_next_start),
        ANSWER_TEST(a_deleted_answer_ends),
        ANSWER_TEST(there_is_an_end_to_answers),
        ANSWER_TEST(parameters_fill_what_is_unset),
        ANSWER_TEST(a_fact_is_proposed_kept_and_told),
        ANSWER_TEST(what_the_model_makes_up_is_not_proposed),
        ANSWER_TEST(a_proposal_is_given_up_with_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
