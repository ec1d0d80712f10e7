/* Sessions and steps: logits in every arrangement, and nothing changed by a step that fails. */
#include "engine/tiny.h"

static const struct den_engine_options fp32 = { .precision = DEN_PRECISION_FP32 };

static void gives_the_logits_asked_for(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    struct den_error err = { 0 };
    den_token prompt[TINY_PROMPT];
    struct den_step step = { .session = session, .tokens = prompt, .count = 10, .no_logits = true };
    size_t i;

    tiny_prompt("llama", prompt);
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    assert_null(step.logits);
    step = (struct den_step){
        .session = session, .tokens = prompt + 10, .count = 20, .all_logits = true
    };
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    for (i = 0; i < 20; i++)
        tiny_expect_row("llama", 10 + i, step.logits + i * TINY_VOCABULARY);
    step = (struct den_step){ .session = session, .tokens = prompt + 30, .count = 10 };
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    tiny_expect_row("llama", 39, step.logits);
    assert_int_equal(den_session_length(session), TINY_PROMPT);
    assert_memory_equal(den_session_tokens(session), prompt, sizeof prompt);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void steps_several_sessions_at_once(void **state)
{
    struct den_engine *engine = tiny_open(
        "gemma3", (struct den_engine_options){ .precision = DEN_PRECISION_FP32, .sequences = 3 });
    struct den_session *sessions[3];
    struct den_error err = { 0 };
    den_token prompt[TINY_PROMPT];
    size_t at[3] = { 0, 0, 0 };
    size_t s;
    int round;

    tiny_prompt("gemma3", prompt);
    for (s = 0; s < 3; s++)
        sessions[s] = tiny_session(engine);
    for (round = 0; round < 8; round++) {
        struct den_step steps[3];

        for (s = 0; s < 3; s++)
            steps[s] = (struct den_step){ .session = sessions[s],
                                          .tokens = prompt + at[s],
                                          .count = s * 2 + 1,
                                          .no_logits = s == 1 && round % 2 == 0 };
        assert_int_equal(den_engine_step(engine, steps, 3, NULL, &err), DEN_OK);
        for (s = 0; s < 3; s++) {
            at[s] += steps[s].count;
            if (!steps[s].no_logits)
                tiny_expect_row("gemma3", at[s] - 1, steps[s].logits);
        }
    }
    for (s = 0; s < 3; s++)
        den_session_destroy(sessions[s]);
    den_engine_close(engine);
}

static void truncates_and_goes_on(void **state)
{
    struct den_engine *engine = tiny_open("qwen3", fp32);
    struct den_session *session = tiny_session(engine);
    struct den_error err = { 0 };
    den_token prompt[TINY_PROMPT];
    den_token other[TINY_PROMPT];
    struct den_step step = { .session = session, .count = TINY_PROMPT };
    size_t i;

    tiny_prompt("qwen3", prompt);
    for (i = 0; i < TINY_PROMPT; i++) /* the same beginning, another end */
        other[i] = i < 17 ? prompt[i] : (den_token)i;
    step.tokens = other;
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    den_session_truncate(session, 100);
    assert_int_equal(den_session_length(session), TINY_PROMPT);
    den_session_truncate(session, 17);
    assert_int_equal(den_session_length(session), 17);
    step.tokens = prompt + 17;
    step.count = TINY_PROMPT - 17;
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    tiny_expect_row("qwen3", TINY_PROMPT - 1, step.logits);
    den_session_destroy(session);
    den_engine_close(engine);
}

#define STEP(of, what, length)                                                                     \
    {                                                                                              \
        .session = (of), .tokens = (what), .count = (length)                                       \
    }

static void refuses_without_changing_anything(void **state)
{
    struct den_engine *engine =
        tiny_open("llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32,
                                                        .context_tokens = 50,
                                                        .batch_rows = 45,
                                                        .sequences = 2 });
    struct den_session *session = tiny_session(engine);
    struct den_session *second = tiny_session(engine);
    struct den_session *third = NULL;
    den_token prompt[TINY_PROMPT];
    const den_token wrong[] = { 5, TINY_VOCABULARY };
    const den_token negative = -1;
    const atomic_bool cancel = true;
    struct {
        struct den_step steps[2];
        size_t count;
        const atomic_bool *cancel;
        enum den_status status;
        const char *word;
    } cases[] = {
        { { STEP(session, prompt, 11) },
          1,
          NULL,
          DEN_CONTEXT_FULL,
          "51 tokens long; the context "
          "holds 50" },
        { { STEP(session, prompt, 6), STEP(second, prompt, 40) }, 2, NULL, DEN_INVALID, "45" },
        { { STEP(session, wrong, 2) }, 1, NULL, DEN_INVALID, "token 300" },
        { { STEP(session, &negative, 1) }, 1, NULL, DEN_INVALID, "token -1" },
        { { STEP(session, prompt, 0) }, 1, NULL, DEN_INVALID, "without tokens" },
        { { STEP(session, prompt, 1), STEP(session, prompt, 1) }, 2, NULL, DEN_INVALID, "twice" },
        { { STEP(session, prompt, 5), STEP(second, prompt, 5) }, 2, &cancel, DEN_CANCELLED, "" },
        { { STEP(session, prompt, 5) }, 0, NULL, DEN_INVALID, "without sessions" },
        { { STEP(session, prompt, 5) }, 3, NULL, DEN_INVALID, "at most 2" },
    };
    struct den_step step = { .session = session, .tokens = prompt, .count = TINY_PROMPT - 1 };
    struct den_error err = { 0 };
    size_t i;

    tiny_prompt("llama", prompt);
    assert_int_equal(den_session_create(engine, &third, &err), DEN_BUSY);
    err = (struct den_error){ 0 };
    step.count = TINY_PROMPT;
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        err = (struct den_error){ 0 };
        if (den_engine_step(engine, cases[i].steps, cases[i].count, cases[i].cancel, &err) !=
                cases[i].status ||
            !strstr(err.message, cases[i].word))
            fail_msg("case %zu: status %d, '%s'", i, err.status, err.message);
        assert_int_equal(den_session_length(session), TINY_PROMPT);
        assert_int_equal(den_session_length(second), 0);
    }
    err = (struct den_error){ 0 };
    den_session_truncate(session, TINY_PROMPT - 1); /* what is cached is as it was */
    step = (struct den_step){ .session = session, .tokens = prompt + TINY_PROMPT - 1, .count = 1 };
    assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
    tiny_expect_row("llama", TINY_PROMPT - 1, step.logits);
    den_session_destroy(session);
    den_session_destroy(second);
    den_engine_close(engine);
}

/* All sessions full at once, again and again, in changing order: no page is lost or shared. */
static void gives_pages_back(void **state)
{
    struct den_engine *engine = tiny_open(
        "llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32, .sequences = 4 });
    struct den_session *sessions[4] = { NULL };
    struct den_error err = { 0 };
    den_token prompt[TINY_PROMPT];
    int round;
    size_t s;

    tiny_prompt("llama", prompt);
    for (round = 0; round < 30; round++) {
        struct den_step steps[4];

        for (s = 0; s < 4; s++) {
            if ((round + (int)s) % 3 == 0) {
                den_session_destroy(sessions[s]);
                sessions[s] = NULL;
            }
            if (!sessions[s])
                sessions[s] = tiny_session(engine);
            den_session_truncate(sessions[s], 0);
            steps[s] =
                (struct den_step){ .session = sessions[s], .tokens = prompt, .count = TINY_PROMPT };
        }
        assert_int_equal(den_engine_step(engine, steps, 4, NULL, &err), DEN_OK);
        for (s = 0; s < 4; s++)
            tiny_expect_row("llama", TINY_PROMPT - 1, steps[s].logits);
        for (s = 0; s < 4; s++)
            steps[s] = (struct den_step){ .session = sessions[s], .tokens = prompt, .count = 24 };
        assert_int_equal(den_engine_step(engine, steps, 4, NULL, &err), DEN_OK); /* now full */
    }
    for (s = 0; s < 4; s++)
        den_session_destroy(sessions[s]);
    den_engine_close(engine);
}

int engine_test_session(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_logits_asked_for),
        cmocka_unit_test(steps_several_sessions_at_once),
        cmocka_unit_test(truncates_and_goes_on),
        cmocka_unit_test(refuses_without_changing_anything),
        cmocka_unit_test(gives_pages_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
