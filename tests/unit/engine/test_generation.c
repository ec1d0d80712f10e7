/* Generation against a loop written out by hand, its ends, its events, and its allocations. */
#include "engine/tiny.h"

#include "base/utf8.h"
#include "engine/generation.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#else
#define COUNTS_ALLOCATIONS 1
/* glibc's own allocator under its other name, so that the usual names can count. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
static atomic_size_t allocations;

void *malloc(size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(old, bytes);
}
#endif

enum { TOKENS_MAX = 64 };

struct record {
    den_token tokens[TOKENS_MAX];
    float logprobs[TOKENS_MAX];
    size_t count;
    size_t allocations[TOKENS_MAX]; /* when the token came */
    char text[1024];
    size_t prompt_events;
    size_t prompt_done;
    den_token best; /* of the last event with alternatives */
    size_t top_count;
    struct den_generation *cancel; /* cancelled at its third token */
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct record *record = context;

    size_t used = strlen(record->text);

    assert_true(used + event->text_length < sizeof record->text);
    memcpy(record->text + used, event->text, event->text_length);
    record->prompt_done = event->prompt_done;
    if (event->token == DEN_TOKEN_NONE) {
        record->prompt_events += event->text_length == 0;
        return;
    }
#if COUNTS_ALLOCATIONS
    record->allocations[record->count] = atomic_load(&allocations);
#endif
    record->logprobs[record->count] = event->logprob;
    record->top_count = event->top_count;
    record->best = event->top_count ? event->top[0].token : DEN_TOKEN_NONE;
    record->tokens[record->count++] = event->token;
    if (record->cancel && record->count == 3)
        den_generation_cancel(record->cancel);
}

static struct den_generation_options greedy(const den_token *prompt, size_t count,
                                            struct record *record)
{
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = count,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = 12,
                                              .ignore_end = true,
                                              .logprobs = -1,
                                              .on_event = remember,
                                              .context = record };

    options.sampler.temperature = 0;
    memset(record, 0, sizeof *record);
    return options;
}

static struct den_generation *start(struct den_engine *engine, struct den_session *session,
                                    const struct den_generation_options *options)
{
    struct den_generation *generation = NULL;
    struct den_error err = { 0 };

    if (den_generation_create(engine, session, options, &generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return generation;
}

static void run(struct den_engine *engine, struct den_generation *generation)
{
    struct den_error err = { 0 };

    if (den_generation_run(engine, generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

/* The greedy continuation, one engine step a token, from an empty session. */
static void by_hand(struct den_engine *engine, const den_token *prompt, size_t count,
                    den_token *out, size_t wanted)
{
    struct den_session *session = tiny_session(engine);
    struct den_error err = { 0 };
    struct den_step step = { .session = session, .tokens = prompt, .count = count };
    size_t i;

    for (i = 0; i < wanted; i++) {
        assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
        out[i] = tiny_best(step.logits);
        step = (struct den_step){ .session = session, .tokens = &out[i], .count = 1 };
    }
    den_session_destroy(session);
}

static const struct den_engine_options fp32 = { .precision = DEN_PRECISION_FP32,
                                                .sequences = 4,
                                                .batch_rows = 16 };

static void generates_what_the_logits_say(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    struct record record;
    struct den_generation_options options;
    struct den_generation *generation;
    const struct den_generation_result *result;
    den_token prompt[TINY_PROMPT];
    den_token expected[12];
    struct den_buffer text;
    struct den_error err = { 0 };

    tiny_prompt("llama", prompt);
    by_hand(engine, prompt, 16, expected, 12);
    options = greedy(prompt, 16, &record);
    options.logprobs = 3;
    generation = start(engine, session, &options);
    run(engine, generation);
    result = den_generation_result(generation);
    assert_true(den_generation_is_done(generation));
    assert_int_equal(result->finish, DEN_FINISH_LENGTH);
    assert_string_equal(den_finish_text(result->finish), "length");
    assert_int_equal(result->prompt_tokens, 16);
    assert_int_equal(result->cached_tokens, 0);
    assert_int_equal(result->generated_tokens, 12);
    assert_true(result->prompt_seconds > 0 && result->generate_seconds > 0);
    assert_int_equal(record.count, 12);
    assert_memory_equal(record.tokens, expected, sizeof expected);
    assert_int_equal(record.top_count, 3);
    assert_int_equal(record.best, expected[11]); /* greedy: the likeliest is the one chosen */
    assert_true(record.logprobs[11] < 0 && record.logprobs[11] > -6);
    /* the stream's text is the decoder's, but for bytes that are no characters */
    den_buffer_init(&text, 4096);
    assert_int_equal(
        den_tokenizer_decode(den_engine_tokenizer(engine), expected, 12, true, &text, &err),
        DEN_OK);
    if (den_utf8_is_valid(text.data, text.length) && strlen(text.data) == text.length)
        assert_string_equal(record.text, text.data);
    assert_true(den_utf8_is_valid(record.text, strlen(record.text)));
    den_buffer_deinit(&text);
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void reads_the_prompt_in_chunks_and_tells(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32); /* 16 rows a batch */
    struct den_session *session = tiny_session(engine);
    struct record record;
    den_token prompt[TINY_PROMPT];
    den_token expected[12];
    struct den_generation_options options = greedy(prompt, TINY_PROMPT, &record);
    struct den_generation *generation;

    tiny_prompt("llama", prompt);
    generation = start(engine, session, &options);
    run(engine, generation);
    assert_int_equal(record.prompt_events, 3); /* 16, 32, 40 */
    assert_int_equal(record.prompt_done, TINY_PROMPT);
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
    engine = tiny_open("llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32 });
    by_hand(engine, prompt, TINY_PROMPT, expected, 12);
    assert_memory_equal(record.tokens, expected, sizeof expected);
    den_engine_close(engine);
}

static void reuses_the_common_prefix(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    struct record first;
    struct record second;
    den_token prompt[TINY_PROMPT];
    den_token expected[12];
    struct den_generation_options options = greedy(prompt, 14, &first);
    struct den_generation *generation;

    tiny_prompt("llama", prompt);
    generation = start(engine, session, &options);
    run(engine, generation);
    den_generation_destroy(generation);
    assert_int_equal(den_session_length(session), 14 + 11); /* the last one isn't evaluated */

    prompt[9] = (prompt[9] + 1) % 200; /* the first nine are the same */
    by_hand(engine, prompt, 14, expected, 12);
    options = greedy(prompt, 14, &second);
    generation = start(engine, session, &options);
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->cached_tokens, 9);
    assert_memory_equal(second.tokens, expected, sizeof expected);
    den_generation_destroy(generation);

    options = greedy(prompt, 14, &second); /* all of it: the last token is evaluated again */
    generation = start(engine, session, &options);
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->cached_tokens, 13);
    assert_memory_equal(second.tokens, expected, sizeof expected);
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
}

/* Three at once, with prompts of different lengths, say what each says alone. */
static void shares_a_batch_fairly(void **state)
{
    struct den_engine *engine = tiny_open("qwen3", fp32);
    struct den_session *sessions[3];
    struct den_generation *generations[3];
    struct record records[3];
    den_token prompt[TINY_PROMPT];
    den_token expected[3][12];
    const size_t lengths[3] = { 3, 16, 11 };
    struct den_error err = { 0 };
    size_t steps = 0;
    size_t i;

    tiny_prompt("qwen3", prompt);
    for (i = 0; i < 3; i++)
        by_hand(engine, prompt + i, lengths[i], expected[i], 12);
    for (i = 0; i < 3; i++) {
        struct den_generation_options options = greedy(prompt + i, lengths[i], &records[i]);

        sessions[i] = tiny_session(engine);
        generations[i] = start(engine, sessions[i], &options);
    }
    while (!den_generation_is_done(generations[0]) || !den_generation_is_done(generations[1]) ||
           !den_generation_is_done(generations[2])) {
        assert_int_equal(den_generations_step(engine, generations, 3, &err), DEN_OK);
        steps++;
    }
    for (i = 0; i < 3; i++) {
        assert_memory_equal(records[i].tokens, expected[i], sizeof expected[i]);
        den_generation_destroy(generations[i]);
        den_session_destroy(sessions[i]);
    }
    assert_in_range(steps, 12, 16); /* together, not one after the other */
    den_engine_close(engine);
}

/* Half of the rows to the oldest prompt, the others to what is read through soonest; beside an
 * answer no more than a chunk. */
static void reads_the_oldest_and_the_shortest(void **state)
{
    struct den_engine *engine =
        tiny_open("qwen3", (struct den_engine_options){ .sequences = 3, .batch_rows = 8 });
    struct den_session *sessions[3];
    struct den_generation *generations[3];
    struct record records[3];
    den_token prompt[TINY_PROMPT];
    const size_t lengths[3] = { 30, 9, 3 }, first[3] = { 0, 12, 20 };
    const size_t read[4][3] = { { 4, 1, 3 }, { 8, 4, 4 }, { 12, 7, 5 }, { 17, 9, 6 } };
    struct den_error err = { 0 };
    size_t step, i;

    tiny_prompt("qwen3", prompt);
    for (i = 0; i < 3; i++) {
        struct den_generation_options options = greedy(prompt + first[i], lengths[i], &records[i]);

        sessions[i] = tiny_session(engine);
        generations[i] = start(engine, sessions[i], &options);
    }
    for (step = 0; step < 4; step++) {
        assert_int_equal(den_generations_step(engine, generations, 3, &err), DEN_OK);
        for (i = 0; i < 3; i++)
            assert_int_equal(den_session_length(sessions[i]), read[step][i]);
    }
    for (i = 0; i < 3; i++) {
        den_generation_destroy(generations[i]);
        den_session_destroy(sessions[i]);
    }
    den_engine_close(engine);
}

static void ends_at_a_stop_string(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(engine);
    struct record record;
    den_token prompt[TINY_PROMPT];
    den_token expected[12];
    struct den_generation_options options;
    struct den_generation *generation;
    struct den_token_text piece = { NULL, 0 };
    char stop[64];
    const char *stops[] = { "no such text at all", stop };
    size_t at;

    tiny_prompt("llama", prompt);
    by_hand(engine, prompt, 16, expected, 12);
    for (at = 0; at < 12; at++) { /* the first token that is plain ASCII text */
        piece = den_tokenizer_piece(tokenizer, expected[at]);
        if (piece.length > 0 && piece.bytes[0] > ' ' && piece.bytes[0] < 127)
            break;
    }
    if (at == 12)
        skip();
    snprintf(stop, sizeof stop, "%.*s", (int)piece.length, piece.bytes);
    options = greedy(prompt, 16, &record);
    options.stops = stops;
    options.stop_count = 2;
    generation = start(engine, session, &options);
    memset(stop, 'x', sizeof stop - 1); /* the strings are copies */
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->finish, DEN_FINISH_STOP);
    assert_int_equal(record.count, at + 1);
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void ends_with_an_error_when_no_token_is_left(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    size_t size = den_tokenizer_size(den_engine_tokenizer(engine));
    struct den_logit_bias *bias = calloc(size, sizeof *bias);
    const den_token prompt = 1;
    struct record record;
    struct den_generation_options options = greedy(&prompt, 1, &record);
    struct den_generation *generation;
    size_t i;

    for (i = 0; i < size; i++)
        bias[i] = (struct den_logit_bias){ .token = (den_token)i, .bias = -INFINITY };
    options.sampler.logit_bias = bias;
    options.sampler.logit_bias_count = size;
    options.logprobs = 2;
    for (i = 0; i < 2; i++) { /* greedy, then drawn */
        options.sampler.temperature = (float)i;
        generation = start(engine, session, &options);
        run(engine, generation);
        assert_int_equal(den_generation_result(generation)->finish, DEN_FINISH_ERROR);
        assert_int_equal(den_generation_result(generation)->error.status, DEN_BAD_FILE);
        assert_int_equal(record.count, 0);
        den_generation_destroy(generation);
    }
    free(bias);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void ends_when_the_context_is_full(void **state)
{
    struct den_engine *engine =
        tiny_open("llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32,
                                                        .context_tokens = 20 });
    struct den_session *session = tiny_session(engine);
    struct record record;
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options = greedy(prompt, 16, &record);
    struct den_generation *generation;
    struct den_error err = { 0 };

    tiny_prompt("llama", prompt);
    options.max_tokens = 0;
    generation = start(engine, session, &options);
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->finish, DEN_FINISH_LENGTH);
    assert_int_equal(record.count, 5); /* 16 + 4 evaluated, one more read off the last */
    assert_int_equal(den_session_length(session), 20);
    den_generation_destroy(generation);

    options.prompt_count = 20;
    generation = NULL;
    assert_int_equal(den_generation_create(engine, session, &options, &generation, &err),
                     DEN_CONTEXT_FULL);
    assert_non_null(strstr(err.message, "20 tokens; the context holds 20"));
    assert_null(generation);
    err = (struct den_error){ 0 };
    options.prompt_count = 0;
    assert_int_equal(den_generation_create(engine, session, &options, &generation, &err),
                     DEN_INVALID);
    err = (struct den_error){ 0 };
    options.prompt_count = 3;
    prompt[2] = TINY_VOCABULARY;
    assert_int_equal(den_generation_create(engine, session, &options, &generation, &err),
                     DEN_INVALID);
    assert_non_null(strstr(err.message, "prompt token 2 is 300"));
    den_session_destroy(session);
    den_engine_close(engine);
}

static void ends_within_one_token_when_cancelled(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    struct record record;
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options = greedy(prompt, 16, &record);
    struct den_generation *generation;

    tiny_prompt("llama", prompt);
    generation = start(engine, session, &options);
    record.cancel = generation;
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->finish, DEN_FINISH_CANCELLED);
    assert_int_equal(record.count, 3);
    den_generation_destroy(generation);
    assert_int_equal(den_session_length(session), 18); /* and the session is of use still */
    generation = start(engine, session, &options);
    den_generation_cancel(generation); /* before its first step */
    run(engine, generation);
    assert_int_equal(den_generation_result(generation)->finish, DEN_FINISH_CANCELLED);
    assert_int_equal(den_generation_result(generation)->generated_tokens, 0);
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void repeats_itself_with_the_same_seed(void **state)
{
    struct den_engine *engine = tiny_open("llama", fp32);
    struct den_session *session = tiny_session(engine);
    struct record records[2];
    den_token prompt[TINY_PROMPT];
    int i;

    tiny_prompt("llama", prompt);
    for (i = 0; i < 2; i++) {
        struct den_generation_options options = greedy(prompt, 16, &records[i]);
        struct den_generation *generation;

        options.sampler.temperature = 1.5f;
        options.sampler.seed = 42;
        generation = start(engine, session, &options);
        run(engine, generation);
        assert_int_equal(den_generation_result(generation)->seed, 42);
        den_generation_destroy(generation);
    }
    assert_memory_equal(records[0].tokens, records[1].tokens, sizeof records[0].tokens);
    den_session_destroy(session);
    den_engine_close(engine);
}

static void allocates_nothing_for_a_token(void **state)
{
#if COUNTS_ALLOCATIONS
    struct den_engine *engine = tiny_open("qwen3moe", (struct den_engine_options){ 0 });
    struct den_session *session = tiny_session(engine);
    struct record record;
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options = greedy(prompt, 16, &record);
    struct den_generation *generation;
    size_t i;

    tiny_prompt("qwen3moe", prompt);
    options.max_tokens = 40;
    options.sampler = den_sampler_defaults();
    options.sampler.seed = 1;
    options.logprobs = 5;
    generation = start(engine, session, &options);
    run(engine, generation);
    assert_int_equal(record.count, 40);
    for (i = 1; i < record.count; i++)
        assert_int_equal(record.allocations[i], record.allocations[0]);
    assert_true(record.allocations[0] > 0); /* the counter counts */
    den_generation_destroy(generation);
    den_session_destroy(session);
    den_engine_close(engine);
#else
    skip();
#endif
}

int engine_test_generation(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generates_what_the_logits_say),
        cmocka_unit_test(reads_the_prompt_in_chunks_and_tells),
        cmocka_unit_test(reuses_the_common_prefix),
        cmocka_unit_test(shares_a_batch_fairly),
        cmocka_unit_test(reads_the_oldest_and_the_shortest),
        cmocka_unit_test(ends_at_a_stop_string),
        cmocka_unit_test(ends_with_an_error_when_no_token_is_left),
        cmocka_unit_test(ends_when_the_context_is_full),
        cmocka_unit_test(ends_within_one_token_when_cancelled),
        cmocka_unit_test(repeats_itself_with_the_same_seed),
        cmocka_unit_test(allocates_nothing_for_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
