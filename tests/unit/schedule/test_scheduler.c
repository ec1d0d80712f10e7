/* The scheduler over a fake engine, which the linker prefers to the real one: order, concurrency,
 * reuse of sessions, cancels at every stage, a full line, failures, stop. */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schedule/scheduler.h"

/* --- the fake engine: each step takes a token of each generation --- */

enum { CONTEXT = 64, FAIL_STEP = 13, FAIL_CREATE = 14 }; /* first tokens that mean trouble */

struct den_engine {
    atomic_int sessions, running_max, steps;
    atomic_bool hold; /* steps wait while it is set */
    atomic_bool fail_all;
    atomic_int unwritten, written; /* pages */
};

struct den_session {
    struct den_engine *engine;
    den_token tokens[CONTEXT];
    size_t length;
};

struct den_generation {
    struct den_generation_options options;
    struct den_session *session;
    struct den_generation_result result;
    atomic_bool cancelled;
};

size_t den_engine_context(const struct den_engine *engine)
{
    return CONTEXT;
}

/* Two pages are to be written after each end of a job. */
bool den_engine_write_prefix(struct den_engine *engine)
{
    if (engine->unwritten <= 0)
        return false;
    engine->unwritten--;
    engine->written++;
    return true;
}

enum den_status den_session_create(struct den_engine *engine, struct den_session **out,
                                   struct den_error *err)
{
    *out = calloc(1, sizeof **out);
    (*out)->engine = engine;
    engine->sessions++;
    return DEN_OK;
}

void den_session_destroy(struct den_session *session)
{
    if (session)
        session->engine->sessions--;
    free(session);
}

size_t den_session_length(const struct den_session *session)
{
    return session->length;
}

const den_token *den_session_tokens(const struct den_session *session)
{
    return session->tokens;
}

enum den_status den_generation_create(struct den_engine *engine, struct den_session *session,
                                      const struct den_generation_options *options,
                                      struct den_generation **out, struct den_error *err)
{
    size_t i = 0;

    if (options->prompt[0] == FAIL_CREATE)
        return den_fail(err, DEN_INVALID, "no such sampler");
    *out = calloc(1, sizeof **out);
    (*out)->options = *options;
    (*out)->session = session;
    while (i < session->length && i < options->prompt_count &&
           session->tokens[i] == options->prompt[i])
        i++;
    (*out)->result.cached_tokens = i;
    (*out)->result.prompt_tokens = options->prompt_count;
    memcpy(session->tokens, options->prompt, options->prompt_count * sizeof(den_token));
    session->length = options->prompt_count;
    return DEN_OK;
}

void den_generation_destroy(struct den_generation *generation)
{
    free(generation);
}

void den_generation_cancel(struct den_generation *generation)
{
    generation->cancelled = true;
}

bool den_generation_is_done(const struct den_generation *generation)
{
    return generation->result.finish != DEN_FINISH_NONE;
}

const struct den_generation_result *den_generation_result(const struct den_generation *generation)
{
    return &generation->result;
}

static void step_one(struct den_generation *generation)
{
    struct den_generation_event event = { .text = "x", .text_length = 1, .token = 1 };
    struct den_generation_result *result = &generation->result;

    if (generation->cancelled) {
        result->finish = DEN_FINISH_CANCELLED;
    } else if (generation->options.prompt[0] == FAIL_STEP) {
        result->finish = DEN_FINISH_ERROR;
        den_fail(&result->error, DEN_IO, "this one broke");
    } else {
        generation->options.on_event(generation->options.context, &event);
        if (++result->generated_tokens == generation->options.max_tokens)
            result->finish = DEN_FINISH_LENGTH;
    }
}

enum den_status den_generations_step(struct den_engine *engine,
                                     struct den_generation *const *generations, size_t count,
                                     struct den_error *err)
{
    size_t i;

    while (engine->hold && !generations[0]->cancelled)
        usleep(1000);
    engine->steps++;
    if ((int)count > engine->running_max)
        engine->running_max = (int)count;
    if (engine->fail_all)
        return den_fail(err, DEN_INTERNAL, "the device is gone");
    for (i = 0; i < count; i++)
        step_one(generations[i]);
    return DEN_OK;
}

/* --- requests --- */

struct asked {
    struct den_job *job;
    atomic_int events, ends;
    enum den_finish finish;
    size_t cached;
    int order; /* of its end among all */
    struct den_error error;
    struct den_job *cancel_from_event; /* cancelled by the first event */
};

static atomic_int ended_count;

static void on_event(void *context, const struct den_generation_event *event)
{
    struct asked *asked = context;

    assert_int_equal(asked->ends, 0);
    asked->events++;
    if (asked->cancel_from_event)
        den_job_cancel(asked->cancel_from_event);
}

static void on_end(void *context, const struct den_job_end *end)
{
    struct asked *asked = context;

    asked->finish = end->finish;
    asked->cached = end->result ? end->result->cached_tokens : 0;
    if (end->error)
        asked->error = *end->error;
    asked->order = ended_count++;
    assert_true(end->wait_seconds >= 0);
    asked->ends++;
}

static bool next_is_batch, next_is_again; /* how submit_prompt() asks */

static enum den_status submit_prompt(struct den_scheduler *scheduler, struct asked *asked,
                                     const char *prompt, size_t max_tokens, struct den_error *err)
{
    den_token tokens[2 * CONTEXT];
    struct den_job_options options = {
        .batch = next_is_batch,
        .again = next_is_again,
        .generation = { .prompt = tokens,
                        .prompt_count = strlen(prompt),
                        .max_tokens = max_tokens,
                        .sampler = den_sampler_defaults(),
                        .on_event = on_event,
                        .context = asked },
        .on_end = on_end,
    };
    size_t i;

    for (i = 0; i < strlen(prompt); i++)
        tokens[i] = prompt[i];
    return den_scheduler_submit(scheduler, &options, &asked->job, err);
}

static void submit(struct den_scheduler *scheduler, struct asked *asked, const char *prompt,
                   size_t max_tokens)
{
    struct den_error err = { 0 };

    assert_int_equal(submit_prompt(scheduler, asked, prompt, max_tokens, &err), DEN_OK);
}

static void wait_end(struct asked *asked)
{
    while (!asked->ends)
        usleep(500);
}

static void run_one(struct den_scheduler *scheduler, struct asked *asked, const char *prompt)
{
    *asked = (struct asked){ 0 };
    submit(scheduler, asked, prompt, 1);
    wait_end(asked);
    den_job_release(asked->job);
}

static struct den_scheduler *create(struct den_engine *engine, size_t sequences)
{
    struct den_scheduler *scheduler;
    struct den_error err = { 0 };

    assert_int_equal(den_scheduler_create(engine, sequences, &scheduler, &err), DEN_OK);
    return scheduler;
}

/* --- tests --- */

static void jobs_run_together_up_to_the_limit(void **state)
{
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 3);
    struct asked asked[10] = { 0 };
    int i;

    for (i = 0; i < 10; i++)
        submit(scheduler, &asked[i], "prompt", 5);
    engine.hold = false;
    for (i = 0; i < 10; i++) {
        wait_end(&asked[i]);
        assert_int_equal(asked[i].finish, DEN_FINISH_LENGTH);
        assert_int_equal(asked[i].events, 5);
        den_job_release(asked[i].job);
        assert_int_equal(asked[i].ends, 1);
    }
    assert_int_equal(engine.running_max, 3);
    assert_true(engine.sessions <= 3);
    den_scheduler_destroy(scheduler);
    assert_int_equal(engine.sessions, 0);
}

static void first_come_first_served(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 1);
    struct asked asked[6] = { 0 };
    int i;

    for (i = 0; i < 6; i++)
        submit(scheduler, &asked[i], "abc", 3);
    for (i = 0; i < 6; i++) {
        wait_end(&asked[i]);
        assert_true(i == 0 || asked[i].order > asked[i - 1].order);
        den_job_release(asked[i].job);
    }
    den_scheduler_destroy(scheduler);
}

static void interactive_jobs_overtake_batch_jobs(void **state)
{
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 1);
    struct asked asked[7] = { 0 };
    int i;

    submit(scheduler, &asked[0], "abc", 1);
    while (engine.sessions == 0)
        usleep(500);
    usleep(20000);
    for (i = 1; i < 7; i++) { /* batch, batch, interactive ... */
        next_is_batch = i == 1 || i == 2 || i == 5;
        submit(scheduler, &asked[i], "abc", 2);
    }
    next_is_batch = false;
    ended_count = 0;
    engine.hold = false;
    for (i = 0; i < 7; i++)
        wait_end(&asked[i]);
    assert_true(asked[3].order < asked[4].order && asked[4].order < asked[6].order);
    assert_true(asked[6].order < asked[1].order && asked[1].order < asked[2].order);
    assert_true(asked[2].order < asked[5].order);
    for (i = 0; i < 7; i++)
        den_job_release(asked[i].job);
    den_scheduler_destroy(scheduler);
}

static void writes_pages_when_there_is_nothing_else_to_do(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 2);
    struct asked asked;

    engine.unwritten = 5;
    run_one(scheduler, &asked, "abc");
    while (engine.written < 5)
        usleep(500);
    run_one(scheduler, &asked, "abc two"); /* and sleeps afterwards, and wakes */
    assert_int_equal(asked.finish, DEN_FINISH_LENGTH);
    den_scheduler_destroy(scheduler);
    assert_int_equal(engine.written, 5);
}

static void conversations_find_their_session_again(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 3);
    struct asked asked;

    run_one(scheduler, &asked, "sys:alice one");
    run_one(scheduler, &asked, "sys:bob one two three");
    assert_int_equal(asked.cached, 0); /* not alice's session, though "sys:" is common */
    run_one(scheduler, &asked, "other matter");
    assert_int_equal(asked.cached, 0);
    run_one(scheduler, &asked, "sys:alice one two");
    assert_int_equal(asked.cached, 13);
    run_one(scheduler, &asked, "sys:bob one two three four");
    assert_int_equal(asked.cached, 21);
    run_one(scheduler, &asked, "new"); /* takes the one unused for longest: "other" */
    run_one(scheduler, &asked, "sys:alice one two three");
    assert_int_equal(asked.cached, 17);
    assert_int_equal(engine.sessions, 3);
    den_scheduler_destroy(scheduler);
}

static void cancels_reach_running_and_waiting_jobs(void **state)
{
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 1);
    struct asked asked[4] = { 0 };
    int i;

    for (i = 0; i < 4; i++)
        submit(scheduler, &asked[i], "abc", 1000000);
    den_job_cancel(asked[2].job); /* in line */
    den_job_cancel(asked[0].job); /* runs */
    wait_end(&asked[0]);
    wait_end(&asked[2]);
    assert_int_equal(asked[0].finish, DEN_FINISH_CANCELLED);
    assert_int_equal(asked[2].finish, DEN_FINISH_CANCELLED);
    assert_int_equal(asked[2].events, 0);
    engine.hold = false;
    while (asked[1].events < 10)
        usleep(500);
    den_job_release(asked[1].job); /* cancels, too */
    assert_int_equal(asked[1].finish, DEN_FINISH_CANCELLED);
    for (i = 0; i < 4; i++)
        if (i != 1)
            den_job_release(asked[i].job);
    assert_int_equal(asked[3].ends, 1);
    den_scheduler_destroy(scheduler);
}

static void a_callback_may_cancel(void **state)
{
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 2);
    struct asked asked = { 0 };

    submit(scheduler, &asked, "abc", 1000000);
    asked.cancel_from_event = asked.job;
    engine.hold = false;
    wait_end(&asked);
    assert_int_equal(asked.finish, DEN_FINISH_CANCELLED);
    assert_int_equal(asked.events, 1); /* within one token */
    den_job_release(asked.job);
    den_scheduler_destroy(scheduler);
}

static void the_line_is_bounded(void **state)
{
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 1);
    struct asked *asked = calloc(DEN_REQUESTS_WAITING_MAX + 2, sizeof *asked);
    struct den_error err = { 0 };
    int i;

    submit(scheduler, &asked[0], "abc", 1);
    while (engine.sessions == 0) /* it has left the line */
        usleep(500);
    usleep(20000);
    for (i = 1; i <= DEN_REQUESTS_WAITING_MAX; i++)
        submit(scheduler, &asked[i], "abc", 1);
    assert_int_equal(submit_prompt(scheduler, &asked[i], "abc", 1, &err), DEN_BUSY);
    assert_null(asked[i].job);
    next_is_again = true; /* it had a place before */
    submit(scheduler, &asked[i], "abc", 1);
    next_is_again = false;
    engine.hold = false;
    for (i = 0; i <= DEN_REQUESTS_WAITING_MAX + 1; i++) {
        wait_end(&asked[i]);
        den_job_release(asked[i].job);
    }
    den_scheduler_destroy(scheduler);
    free(asked);
}

static void impossible_prompts_are_refused(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 1);
    char prompt[CONTEXT + 1];
    struct asked asked = { 0 };
    struct den_error err = { 0 };

    memset(prompt, 'a', CONTEXT);
    prompt[CONTEXT] = '\0';
    assert_int_equal(submit_prompt(scheduler, &asked, prompt, 1, &err), DEN_CONTEXT_FULL);
    assert_non_null(strstr(err.message, "64"));
    assert_null(strstr(err.message, "larger context")); /* the model has none */
    err = (struct den_error){ 0 };
    assert_int_equal(submit_prompt(scheduler, &asked, "", 1, &err), DEN_INVALID);
    run_one(scheduler, &asked, prompt + 1);
    assert_int_equal(asked.finish, DEN_FINISH_LENGTH);
    den_scheduler_destroy(scheduler);
}

static void one_failure_leaves_the_others(void **state)
{
    const char fail_step[] = { FAIL_STEP, 'x', '\0' }, fail_create[] = { FAIL_CREATE, 'x', '\0' };
    struct den_engine engine = { .hold = true };
    struct den_scheduler *scheduler = create(&engine, 4);
    struct asked good = { 0 }, bad = { 0 }, worse = { 0 };

    submit(scheduler, &good, "good", 50);
    submit(scheduler, &bad, fail_step, 50);
    submit(scheduler, &worse, fail_create, 50);
    engine.hold = false;
    wait_end(&good);
    wait_end(&bad);
    wait_end(&worse);
    assert_int_equal(good.finish, DEN_FINISH_LENGTH);
    assert_int_equal(bad.finish, DEN_FINISH_ERROR);
    assert_string_equal(bad.error.message, "this one broke");
    assert_int_equal(worse.finish, DEN_FINISH_ERROR);
    assert_int_equal(worse.error.status, DEN_INVALID);
    den_job_release(good.job);
    den_job_release(bad.job);
    den_job_release(worse.job);
    engine.fail_all = true;
    run_one(scheduler, &good, "good");
    assert_int_equal(good.finish, DEN_FINISH_ERROR);
    assert_string_equal(good.error.message, "the device is gone");
    engine.fail_all = false;
    run_one(scheduler, &good, "good");
    assert_int_equal(good.finish, DEN_FINISH_LENGTH);
    den_scheduler_destroy(scheduler);
}

static void stop_ends_all_jobs(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 2);
    struct asked asked[5] = { 0 };
    int i;

    for (i = 0; i < 5; i++)
        submit(scheduler, &asked[i], "abc", 100000000);
    while (asked[0].events == 0)
        usleep(500);
    den_scheduler_destroy(scheduler);
    for (i = 0; i < 5; i++) {
        assert_int_equal(asked[i].ends, 1);
        assert_int_equal(asked[i].finish, DEN_FINISH_CANCELLED);
        den_job_release(asked[i].job); /* after the scheduler */
    }
    assert_int_equal(engine.sessions, 0);
}

static void idle_takes_no_steps(void **state)
{
    struct den_engine engine = { 0 };
    struct den_scheduler *scheduler = create(&engine, 2);
    struct asked asked;
    int steps;

    run_one(scheduler, &asked, "abc");
    steps = engine.steps;
    usleep(50000);
    assert_int_equal(engine.steps, steps);
    den_scheduler_destroy(scheduler);
}

int schedule_test_scheduler(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_together_up_to_the_limit),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(interactive_jobs_overtake_batch_jobs),
        cmocka_unit_test(writes_pages_when_there_is_nothing_else_to_do),
        cmocka_unit_test(conversations_find_their_session_again),
        cmocka_unit_test(cancels_reach_running_and_waiting_jobs),
        cmocka_unit_test(a_callback_may_cancel),
        cmocka_unit_test(the_line_is_bounded),
        cmocka_unit_test(impossible_prompts_are_refused),
        cmocka_unit_test(one_failure_leaves_the_others),
        cmocka_unit_test(stop_ends_all_jobs),
        cmocka_unit_test(idle_takes_no_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
