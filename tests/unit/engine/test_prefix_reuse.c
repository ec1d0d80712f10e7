/* Prefix reuse with real keys and values: whatever is taken from elsewhere, what follows is what
 * would have followed; shared pages are never written; no page is ever lost. */
#include "engine/long_tiny.h"

#include "engine/engine_parts.h"
#include "engine/generation.h"

enum { TEXT = 400, ANSWER = 6 };

static uint32_t seed = 11;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 12) % below;
}

/* A text that is the same for the same number. */
static void make_text(uint32_t number, den_token *out, size_t count)
{
    uint32_t state = number * 2654435761u + 1;
    size_t i;

    for (i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (den_token)((state >> 12) % TINY_VOCABULARY);
    }
}

struct answer {
    den_token tokens[ANSWER];
    float logprobs[ANSWER];
    size_t count;
    struct den_generation_result result;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct answer *answer = context;

    if (event->token == DEN_TOKEN_NONE)
        return;
    answer->logprobs[answer->count] = event->logprob;
    answer->tokens[answer->count++] = event->token;
}

static struct den_generation *start(struct den_session *session, const den_token *prompt,
                                    size_t count, struct answer *answer)
{
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = count,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = ANSWER,
                                              .ignore_end = true,
                                              .on_event = remember,
                                              .context = answer };
    struct den_generation *generation = NULL;
    struct den_error err = { 0 };

    options.sampler.temperature = 0;
    *answer = (struct answer){ .count = 0 };
    if (den_generation_create(session->engine, session, &options, &generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return generation;
}

static void ask(struct den_session *session, const den_token *prompt, size_t count,
                struct answer *answer)
{
    struct den_generation *generation = start(session, prompt, count, answer);
    struct den_error err = { 0 };

    if (den_generation_run(session->engine, generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
    answer->result = *den_generation_result(generation);
    den_generation_destroy(generation);
}

static void expect_same(const struct answer *got, const struct answer *wanted)
{
    size_t i;

    assert_int_equal(got->count, ANSWER);
    assert_memory_equal(got->tokens, wanted->tokens, sizeof got->tokens);
    for (i = 0; i < ANSWER; i++)
        assert_true(fabsf(got->logprobs[i] - wanted->logprobs[i]) < 1e-3f);
}

static const struct den_engine_options options = {
    .precision = DEN_PRECISION_FP32, .sequences = 3, .batch_rows = 96, .context_tokens = 512
};

static struct den_engine *open_without(const char *name)
{
    struct den_engine_options without = options;

    without.no_prefix_reuse = true;
    return long_open(name, without);
}

/* Whole pages of the prompt that the tree has. */
static size_t known_pages(const struct den_engine *engine, const den_token *prompt, size_t count)
{
    int32_t page = DEN_PREFIX_ROOT;
    size_t pages = 0;

    for (; (pages + 1) * DEN_PAGE_TOKENS <= count; pages++) {
        page = den_prefix_tree_find(engine->tree, page, prompt + pages * DEN_PAGE_TOKENS);
        if (page == DEN_PREFIX_ROOT)
            break;
    }
    return pages;
}

static void expect_nothing_lost(struct den_engine *engine, size_t pages)
{
    struct den_prefix_tree_counts counts = den_prefix_tree_counts(engine->tree);

    assert_true(den_prefix_tree_is_sound(engine->tree));
    assert_int_equal(counts.free + counts.unused, pages);
    assert_int_equal(counts.known, counts.unused);
}

/* Prompts that have beginnings of all lengths in common, in few sessions, through a pool that is
 * too small for all of them. Full attention, sliding windows, and both in one model. */
static void answers_as_if_nothing_were_kept(void **state)
{
    static const char *const models[] = { "llama", "mistral", "gemma3", "qwen3" };
    size_t m, round, reused;

    for (m = 0; m < sizeof models / sizeof models[0]; m++) {
        struct den_engine *engine = long_open(models[m], options);
        struct den_engine *plain = open_without(models[m]);
        struct den_session *sessions[3], *other = tiny_session(plain);

        for (round = 0; round < 3; round++)
            sessions[round] = tiny_session(engine);
        for (round = 0, reused = 0; round < 40; round++) {
            size_t common = draw(TEXT), count = common + 1 + draw((uint32_t)(TEXT - common));
            struct answer got, wanted;
            den_token prompt[TEXT];

            make_text(draw(2), prompt, common);
            make_text(3 + draw(3), prompt + common, count - common);
            ask(sessions[draw(3)], prompt, count, &got);
            ask(other, prompt, count, &wanted);
            expect_same(&got, &wanted);
            assert_int_equal(wanted.result.cached_tokens, 0);
            reused += got.result.cached_tokens;
            assert_true(den_prefix_tree_is_sound(engine->tree));
        }
        assert_true(reused > 2000);
        for (round = 0; round < 3; round++)
            den_session_destroy(sessions[round]);
        den_session_destroy(other);
        expect_nothing_lost(engine, 24);
        den_engine_close(engine);
        den_engine_close(plain);
    }
}

static const float *append(struct den_session *session, const den_token *tokens, size_t count)
{
    struct den_step step = { .session = session, .count = count, .tokens = tokens };
    struct den_error err = { 0 };

    if (den_engine_step(session->engine, &step, 1, NULL, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return step.logits;
}

/* What reuse rests on: a page has the same bits however its tokens came, so that it does not matter
 * which session filled it, with what beside it. */
static void pages_are_the_same_however_they_were_read(void **state)
{
    static const size_t chunks[] = { 96, 1, 5, 33 };
    int precision;

    for (precision = 0; precision < 2; precision++) {
        struct den_engine_options plain = options;
        unsigned char *first;
        struct den_engine *engine;
        den_token prompt[128];
        size_t bytes, i, at;

        plain.no_prefix_reuse = true;
        plain.precision = precision ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8;
        engine = long_open("qwen3", plain);
        bytes = den_kv_pool_page_bytes(engine->pool);
        first = malloc(2 * bytes);
        make_text(1, prompt, 128);
        for (i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
            struct den_session *session = tiny_session(engine);

            for (at = 0; at < 128; at += chunks[i])
                append(session, prompt + at, 128 - at < chunks[i] ? 128 - at : chunks[i]);
            for (at = 0; at < 2; at++) {
                const unsigned char *page = den_kv_pool_page(engine->pool, session->pages[at]);

                if (i == 0)
                    memcpy(first + at * bytes, page, bytes);
                assert_memory_equal(page, first + at * bytes, bytes);
            }
            den_session_destroy(session);
        }
        free(first);
        den_engine_close(engine);
    }
}

static void finds_what_another_session_read(void **state)
{
    struct den_engine *engine = long_open("llama", options);
    struct den_session *first = tiny_session(engine), *second = tiny_session(engine);
    den_token prompt[300];
    struct answer one, two;

    make_text(1, prompt, 300);
    ask(first, prompt, 300, &one);
    assert_int_equal(one.result.cached_tokens, 0);
    assert_int_equal(one.result.miss, DEN_PREFIX_FIRST_USE);
    ask(second, prompt, 300, &two);
    expect_same(&two, &one);
    assert_int_equal(two.result.cached_tokens, 256);
    assert_int_equal(two.result.miss, DEN_PREFIX_ENDS);
    assert_int_equal(two.result.miss_at, 256);
    assert_int_equal(first->pages[3], second->pages[3]); /* one page, two holders */
    assert_int_equal(known_pages(engine, prompt, 300), 4);
    ask(second, prompt, 256, &two); /* one token is left to be read */
    assert_int_equal(two.result.cached_tokens, 255);
    den_session_destroy(first);
    den_session_destroy(second);
    second = tiny_session(engine);
    ask(second, prompt, 300, &two); /* they are gone, what they read is not */
    assert_int_equal(two.result.cached_tokens, 256);
    ask(second, prompt, 300, &two); /* the session's own last page as well */
    assert_int_equal(two.result.cached_tokens, 299);
    assert_int_equal(two.result.miss, DEN_PREFIX_NO_MISS);
    expect_same(&two, &one);
    den_session_destroy(second);
    expect_nothing_lost(engine, 24);
    den_engine_close(engine);
}

static void says_why_not(void **state)
{
    struct den_engine_options one_session = options;
    struct den_engine *engine;
    struct den_session *session;
    den_token prompt[400], other[400];
    struct answer answer;

    one_session.sequences = 1; /* 8 pages */
    engine = long_open("llama", one_session);
    session = tiny_session(engine);
    make_text(1, prompt, 400);
    make_text(1, other, 400);
    ask(session, prompt, 200, &answer);
    ask(session, prompt, 400, &answer); /* goes on where the other ended */
    assert_int_equal(answer.result.cached_tokens, 200);
    assert_true(answer.result.miss == DEN_PREFIX_ENDS || answer.result.miss == DEN_PREFIX_DIFFERS);
    other[150] = other[150] ? 0 : 1;
    ask(session, other, 400, &answer); /* a copy of the part that agrees */
    assert_int_equal(answer.result.cached_tokens, 150);
    assert_int_equal(answer.result.miss, DEN_PREFIX_DIFFERS);
    assert_int_equal(answer.result.miss_at, 150);
    make_text(2, other, 400);
    ask(session, other, 400, &answer); /* takes pages that the first had */
    assert_int_equal(answer.result.miss, DEN_PREFIX_FIRST_USE);
    ask(session, prompt, 400, &answer);
    assert_int_equal(answer.result.miss, DEN_PREFIX_EVICTED);
    assert_int_equal(answer.result.miss_at, answer.result.cached_tokens / 64 * 64);
    assert_string_equal(den_prefix_miss_text(answer.result.miss), "evicted");
    den_session_destroy(session);
    expect_nothing_lost(engine, 8);
    den_engine_close(engine);
}

/* Two sessions share pages; one is cut inside of one and goes another way. */
static void writes_no_shared_page(void **state)
{
    struct den_engine *engine = long_open("qwen3", options), *plain = open_without("qwen3");
    struct den_session *first = tiny_session(engine), *second = tiny_session(engine);
    struct den_session *other = tiny_session(plain);
    den_token prompt[200], different[90];
    struct answer one, two, after, wanted;

    make_text(1, prompt, 200);
    make_text(2, different, 90);
    ask(first, prompt, 200, &one);
    ask(second, prompt, 200, &two);
    den_session_truncate(second, 100);
    assert_int_equal(second->pages[1], first->pages[1]);
    append(second, different, 90);
    assert_int_not_equal(second->pages[1], first->pages[1]);
    assert_int_equal(second->pages[0], first->pages[0]);
    ask(first, prompt, 200, &after);
    expect_same(&after, &one);
    memcpy(prompt + 100, different, 90 * sizeof *prompt);
    ask(second, prompt, 190, &after); /* what was appended is right, too */
    assert_int_equal(after.result.cached_tokens, 189);
    ask(other, prompt, 190, &wanted);
    expect_same(&after, &wanted);
    den_session_destroy(first);
    den_session_destroy(second);
    den_session_destroy(other);
    expect_nothing_lost(engine, 24);
    den_engine_close(engine);
    den_engine_close(plain);
}

/* Drafts that are taken back fill pages for a moment. */
static void keeps_no_draft(void **state)
{
    struct den_engine *engine = long_open("llama", options);
    struct den_session *session = tiny_session(engine);
    den_token prompt[130], drafts[70];
    size_t i;

    make_text(1, prompt, 130);
    make_text(2, drafts, 70);
    append(session, prompt, 60);
    for (i = 60; i < 130; i++) {
        append(session, drafts, 70);
        den_session_truncate(session, i);
        append(session, prompt + i, 1);
        assert_true(den_prefix_tree_counts(engine->tree).known <= i / 64);
    }
    append(session, drafts, 1);
    assert_int_equal(den_prefix_tree_counts(engine->tree).known, 2);
    assert_int_equal(known_pages(engine, prompt, 130), 2);
    den_session_destroy(session);
    expect_nothing_lost(engine, 24);
    den_engine_close(engine);
}

/* Three prompts at once, of which two differ at the end only and one is short. */
static void reads_a_common_beginning_once(void **state)
{
    struct den_engine *engine = long_open("llama", options), *plain = open_without("llama");
    struct den_session *sessions[3], *other = tiny_session(plain);
    struct den_generation *generations[3];
    struct answer answers[3], wanted;
    struct den_error err = { 0 };
    den_token prompts[3][TEXT];
    const size_t counts[3] = { 330, 350, 40 };
    size_t i;

    for (i = 0; i < 3; i++) {
        make_text(1, prompts[i], TEXT);
        sessions[i] = tiny_session(engine);
    }
    make_text(2, prompts[1] + 300, 100);
    for (i = 0; i < 3; i++)
        generations[i] = start(sessions[i], prompts[i], counts[i], &answers[i]);
    while (!den_generation_is_done(generations[0]) || !den_generation_is_done(generations[1]) ||
           !den_generation_is_done(generations[2]))
        assert_int_equal(den_generations_step(engine, generations, 3, &err), DEN_OK);
    assert_int_equal(den_generation_result(generations[0])->cached_tokens, 0);
    assert_int_equal(den_generation_result(generations[1])->cached_tokens, 256);
    assert_int_equal(den_generation_result(generations[2])->cached_tokens, 0);
    for (i = 0; i < 3; i++) {
        ask(other, prompts[i], counts[i], &wanted);
        expect_same(&answers[i], &wanted);
        den_generation_destroy(generations[i]);
        den_session_destroy(sessions[i]);
    }
    den_session_destroy(other);
    expect_nothing_lost(engine, 24);
    den_engine_close(engine);
    den_engine_close(plain);
}

/* The one that others wait for is cancelled. */
static void waits_for_nobody_who_is_gone(void **state)
{
    struct den_engine *engine = long_open("llama", options);
    struct den_session *sessions[2] = { tiny_session(engine), tiny_session(engine) };
    struct den_generation *generations[2];
    struct answer answers[2];
    struct den_error err = { 0 };
    den_token prompt[TEXT];
    size_t i;

    make_text(1, prompt, TEXT);
    for (i = 0; i < 2; i++)
        generations[i] = start(sessions[i], prompt, TEXT, &answers[i]);
    assert_int_equal(den_generations_step(engine, generations, 2, &err), DEN_OK);
    assert_int_equal(den_session_length(sessions[1]), 0); /* it waits */
    den_generation_cancel(generations[0]);
    for (i = 0; i < 40 && !den_generation_is_done(generations[1]); i++)
        assert_int_equal(den_generations_step(engine, generations, 2, &err), DEN_OK);
    assert_true(den_generation_is_done(generations[1]));
    assert_int_equal(den_generation_result(generations[1])->cached_tokens, 64);
    assert_int_equal(answers[1].count, ANSWER);
    for (i = 0; i < 2; i++) {
        den_generation_destroy(generations[i]);
        den_session_destroy(sessions[i]);
    }
    expect_nothing_lost(engine, 24);
    den_engine_close(engine);
}

/* Sessions that grow, are cut anywhere, begin anew and end, with full contexts among them: a step
 * that passed its checks always finds a page, and no page is lost. */
static void never_runs_out_of_pages(void **state)
{
    struct den_engine *engine =
        long_open("llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32,
                                                        .sequences = 3,
                                                        .batch_rows = 128,
                                                        .context_tokens = 192 });
    struct den_session *sessions[3] = { NULL };
    den_token text[192];
    size_t step;

    for (step = 0; step < 600; step++) {
        size_t s = draw(3), length = sessions[s] ? den_session_length(sessions[s]) : 0;

        make_text(draw(2), text, 192);
        if (!sessions[s]) {
            sessions[s] = tiny_session(engine);
        } else if (draw(12) == 0) {
            den_session_destroy(sessions[s]);
            sessions[s] = NULL;
        } else if (draw(4) == 0) {
            den_session_truncate(sessions[s], draw((uint32_t)length + 1));
        } else if (draw(4) == 0) {
            den_session_begin(sessions[s], text, 1 + draw(191));
        } else if (length < 192) {
            size_t most = 192 - length < 128 ? 192 - length : 128;

            append(sessions[s], text + length, 1 + draw((uint32_t)most));
        }
        assert_true(den_prefix_tree_is_sound(engine->tree));
    }
    for (step = 0; step < 3; step++)
        den_session_destroy(sessions[step]);
    expect_nothing_lost(engine, 9);
    den_engine_close(engine);
}

int engine_test_prefix_reuse(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_if_nothing_were_kept),
        cmocka_unit_test(pages_are_the_same_however_they_were_read),
        cmocka_unit_test(finds_what_another_session_read),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(writes_no_shared_page),
        cmocka_unit_test(keeps_no_draft),
        cmocka_unit_test(reads_a_common_beginning_once),
        cmocka_unit_test(waits_for_nobody_who_is_gone),
        cmocka_unit_test(never_runs_out_of_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
