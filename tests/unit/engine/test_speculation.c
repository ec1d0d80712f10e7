/* With guesses, right, wrong or in between, an answer is the one without: the same tokens, text,
 * log-probabilities and random numbers, the same end, and the same tokens left in the session.
 * Then the choice itself: which guesses are worth a row. */
#include "engine/tiny.h"

#include "engine/generation.h"
#include "text/constraint.h"
#include "text/sampler_random.h"

enum { TOKENS_MAX = 96, TEXT_MAX = 8192, PROMPT = 24, LONG = 50 };

struct told {
    den_token tokens[TOKENS_MAX];
    uint64_t drawn[TOKENS_MAX];
    struct den_token_logprob logprobs[TOKENS_MAX][3]; /* its own, then two alternatives */
    size_t count;
    char text[TEXT_MAX];
    size_t length;
    den_token cached[256]; /* by the session at the end */
    size_t cached_count;
    size_t cancel_at; /* 0: never */
    struct den_generation *generation;
    struct den_generation_result result;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct told *told = context;
    size_t i = told->count;

    assert_true(told->length + event->text_length < TEXT_MAX);
    memcpy(told->text + told->length, event->text, event->text_length);
    told->length += event->text_length;
    if (event->token == DEN_TOKEN_NONE)
        return;
    assert_true(i < TOKENS_MAX);
    told->drawn[i] = event->drawn;
    told->tokens[i] = event->token;
    told->logprobs[i][0] = (struct den_token_logprob){ event->token, event->logprob };
    if (event->top_count == 2)
        memcpy(told->logprobs[i] + 1, event->top, 2 * sizeof *event->top);
    told->count++;
    if (told->count == told->cancel_at)
        den_generation_cancel(told->generation);
}

/* What answers are held to: a constraint is used up by an answer, so each run gets new ones. */
static struct {
    struct den_grammar_vocabulary *vocabulary; /* NULL: to nothing */
    struct den_grammar *grammars[2];
} held;

static void hold(struct den_engine *engine, const char *first, const char *second)
{
    const char *const sources[2] = { first, second };
    struct den_error err = { 0 };
    int i;

    if (den_grammar_vocabulary_create(den_engine_tokenizer(engine), &held.vocabulary, &err) !=
        DEN_OK)
        fail_msg("%s", err.message);
    for (i = 0; i < 2; i++)
        if (sources[i] && den_grammar_from_gbnf(sources[i], strlen(sources[i]), NULL, 0,
                                                &held.grammars[i], &err) != DEN_OK)
            fail_msg("%s", err.message);
}

static void let_go(void)
{
    den_grammar_destroy(held.grammars[0]);
    den_grammar_destroy(held.grammars[1]);
    den_grammar_vocabulary_destroy(held.vocabulary);
    memset(&held, 0, sizeof held);
}

static struct den_constraint *constrain(int which)
{
    const struct den_constraint_options options = { .grammar = held.grammars[which],
                                                    .vocabulary = held.vocabulary };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };

    if (options.grammar && den_constraint_create(&options, &constraint, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return constraint;
}

enum { TOGETHER_MAX = 3 };

/* Runs `count` generations side by side to their ends, each in a session of its own. */
static void run(struct den_engine *engine, const struct den_generation_options *options,
                struct told *told, size_t count)
{
    struct den_session *sessions[TOGETHER_MAX];
    struct den_generation *generations[TOGETHER_MAX];
    struct den_constraint *constraints[TOGETHER_MAX][2];
    struct den_error err = { 0 };
    bool busy = true;
    size_t i;

    for (i = 0; i < count; i++) {
        struct den_generation_options own = options[i];
        size_t cancel_at = told[i].cancel_at;

        memset(&told[i], 0, sizeof told[i]);
        told[i].cancel_at = cancel_at;
        own.on_event = remember;
        own.context = &told[i];
        own.constraint = constraints[i][0] = constrain(0);
        own.alternative = constraints[i][1] = constrain(1);
        sessions[i] = tiny_session(engine);
        if (den_generation_create(engine, sessions[i], &own, &generations[i], &err) != DEN_OK)
            fail_msg("%s", err.message);
        told[i].generation = generations[i];
    }
    while (busy) {
        if (den_generations_step(engine, generations, count, &err) != DEN_OK)
            fail_msg("%s", err.message);
        for (busy = false, i = 0; i < count; i++)
            busy = busy || !den_generation_is_done(generations[i]);
    }
    for (i = 0; i < count; i++) {
        told[i].result = *den_generation_result(generations[i]);
        told[i].cached_count = den_session_length(sessions[i]);
        assert_in_range(told[i].cached_count, 1, 256);
        memcpy(told[i].cached, den_session_tokens(sessions[i]),
               told[i].cached_count * sizeof told[i].cached[0]);
        den_generation_destroy(generations[i]);
        den_constraint_destroy(constraints[i][0]);
        den_constraint_destroy(constraints[i][1]);
        den_session_destroy(sessions[i]);
    }
}

static void same(const struct told *a, const struct told *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->tokens, b->tokens, a->count * sizeof a->tokens[0]);
    assert_memory_equal(a->drawn, b->drawn, a->count * sizeof a->drawn[0]);
    assert_memory_equal(a->logprobs, b->logprobs, a->count * sizeof a->logprobs[0]);
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->text, b->text, a->length);
    assert_int_equal(a->result.finish, b->result.finish);
    assert_int_equal(a->result.stop, b->result.stop);
    assert_int_equal(a->result.generated_tokens, b->result.generated_tokens);
    assert_int_equal(a->cached_count, b->cached_count);
    assert_memory_equal(a->cached, b->cached, a->cached_count * sizeof a->cached[0]);
}

static size_t below(struct den_random *random, size_t limit)
{
    return (size_t)(den_random_uniform(random) * (double)limit);
}

/* What might have been predicted of an answer: 0 all of it, 1 some tokens changed, 2 some left out,
 * 3 some put in, 4 anything. */
static size_t predict(const struct told *whole, int kind, struct den_random *random, den_token *out)
{
    size_t count = 0, i;

    for (i = 0; i < whole->count; i++) {
        bool hit = kind > 0 && below(random, 6) == 0;
        den_token other = (den_token)below(random, TINY_VOCABULARY);

        if (hit && kind == 2)
            continue;
        if (hit && kind == 3)
            out[count++] = other;
        out[count++] = kind == 4 || (hit && kind == 1) ? other : whole->tokens[i];
    }
    return count;
}

/* One answer without guesses, and with guesses of each kind. Returns the guesses that were right.
 */
static size_t try_guesses(struct den_engine *engine, struct den_generation_options options,
                          size_t cancel_at)
{
    static struct told plain, guessed;
    den_token predicted[2 * TOKENS_MAX];
    struct den_random random;
    size_t accepted = 0;
    int kind;

    den_random_init(&random, options.sampler.seed + 1);
    options.speculation = DEN_SPECULATION_OFF;
    plain.cancel_at = cancel_at;
    run(engine, &options, &plain, 1);
    assert_int_equal(plain.result.guessed_tokens, 0);
    for (kind = 0; kind < 6; kind++) {
        options.speculation = DEN_SPECULATION_ALWAYS;
        options.predicted = predicted;
        options.predicted_count = kind < 5 ? predict(&plain, kind, &random, predicted) : 0;
        guessed.cancel_at = cancel_at;
        run(engine, &options, &guessed, 1);
        same(&plain, &guessed);
        assert_in_range(guessed.result.accepted_tokens, 0, guessed.result.guessed_tokens);
        assert_in_range(guessed.result.accepted_tokens, 0, guessed.count);
        accepted += guessed.result.accepted_tokens;
        assert_int_equal(guessed.result.predicted_tokens, options.predicted_count);
        assert_in_range(guessed.result.foretold_tokens, 0, guessed.result.predicted_tokens);
        if (kind == 0 && !cancel_at)
            assert_int_equal(guessed.result.foretold_tokens, plain.count);
        if (kind == 0 && plain.count > 8 && !cancel_at) /* all was known */
            assert_in_range(guessed.result.accepted_tokens, plain.count - plain.count / 8 - 3,
                            plain.count);
    }
    return accepted;
}

static struct den_generation_options prepare(const den_token *prompt, uint64_t seed)
{
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = PROMPT,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = 40,
                                              .ignore_end = true,
                                              .logprobs = 2 };

    options.sampler.seed = seed;
    return options;
}

static void changes_no_answer_of_any_model(void **state)
{
    const char *const models[] = { "llama",   "qwen3moe",   "gemma2",    "gemma3.gguf",
                                   "mixtral", "llama.gguf", "phi3.gguf", "smollm3" };
    den_token prompt[TINY_PROMPT];
    size_t i;

    tiny_prompt("llama", prompt);
    for (i = 0; i < sizeof models / sizeof models[0]; i++) {
        const enum den_precision precision = i % 2 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8;
        struct den_engine *engine =
            tiny_open(models[i], (struct den_engine_options){ .precision = precision });
        struct den_generation_options options = prepare(prompt, i);

        assert_in_range(try_guesses(engine, options, 0), 30, 1000);
        options.sampler.temperature = 0;
        assert_in_range(try_guesses(engine, options, 0), 30, 1000);
        den_engine_close(engine);
    }
}

static void changes_no_answer_of_any_sampler(void **state)
{
    struct den_engine *engine = tiny_open("llama.gguf", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    uint64_t seed;

    tiny_prompt("llama", prompt);
    for (seed = 0; seed < 40; seed++) {
        struct den_generation_options options = prepare(prompt, seed);

        options.sampler.temperature = 0.3f + 0.1f * (float)(seed % 10);
        if (seed % 2)
            options.sampler.repeat_penalty = 1.3f;
        if (seed % 3 == 0) {
            options.sampler.xtc_probability = 0.5f; /* draws once or twice a token */
            options.sampler.xtc_threshold = 0.01f;
        }
        if (seed % 5 == 0)
            options.sampler.dry_multiplier = 0.8f;
        if (seed % 7 == 0)
            options.sampler.top_k = 0;
        try_guesses(engine, options, 0);
    }
    den_engine_close(engine);
}

/* Stop strings, the context's end, the model's end token, a cancel. */
static void ends_where_it_would_have_ended(void **state)
{
    struct den_engine *engine =
        tiny_open("llama", (struct den_engine_options){ .context_tokens = 60 });
    static struct told told;
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options;
    struct den_logit_bias towards_end = { .bias = 4 };
    char stop[8] = "";
    const char *const stops[] = { "never said", stop };
    size_t i, stopped = 0, ended = 0;
    uint64_t seed;

    tiny_prompt("llama", prompt);
    while (!den_tokenizer_is_end(den_engine_tokenizer(engine), towards_end.token))
        towards_end.token++;
    options = prepare(prompt, 3);
    options.max_tokens = 0; /* the context is full */
    try_guesses(engine, options, 0);
    for (i = 1; i < 12; i++)
        try_guesses(engine, options, i);
    for (seed = 0; seed < 20; seed++) {
        options = prepare(prompt, seed);
        run(engine, &options, &told, 1);
        for (i = told.length / 3; i < told.length; i++)
            if (told.text[i] > ' ' && told.text[i] < 127)
                break;
        stop[0] = i < told.length ? told.text[i] : 'e';
        options.stops = stops;
        options.stop_count = 2;
        try_guesses(engine, options, 0);
        stopped += i < told.length;
        options = prepare(prompt, seed);
        options.ignore_end = false;
        options.sampler.logit_bias = &towards_end;
        options.sampler.logit_bias_count = 1;
        run(engine, &options, &told, 1);
        ended += told.result.finish == DEN_FINISH_STOP;
        try_guesses(engine, options, 0);
    }
    assert_in_range(stopped, 10, 20);
    assert_in_range(ended, 1, 20);
    den_engine_close(engine);
}

static void stays_within_a_grammar(void **state)
{
    const char *const one = "root ::= \"[\" ([a-c]{3} \",\"){6} \"]\"";
    const char *const other = "root ::= \"(\" ([A-C] \";\"){9} \")\"";
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    size_t accepted = 0;
    uint64_t seed;

    tiny_prompt("llama", prompt);
    for (seed = 0; seed < 16; seed++) {
        struct den_generation_options options = prepare(prompt, seed);

        options.ignore_end = false;
        options.sampler.temperature = 2;
        options.max_tokens = 0;
        hold(engine, one, seed % 2 ? other : NULL);
        accepted += try_guesses(engine, options, 0);
        let_go();
    }
    assert_in_range(accepted, 100, 10000);
    den_engine_close(engine);
}

/* Several at once, of which some guess and one reads a long prompt meanwhile; and one that goes on
 * elsewhere. */
static void changes_nothing_for_others(void **state)
{
    struct den_engine *engine = tiny_open(
        "llama.gguf", (struct den_engine_options){ .sequences = TOGETHER_MAX, .batch_rows = 40 });
    static struct told plain[TOGETHER_MAX], guessed[TOGETHER_MAX];
    struct den_generation_options options[TOGETHER_MAX];
    den_token prompt[TINY_PROMPT], long_prompt[LONG];
    size_t i, cut;

    tiny_prompt("llama", prompt);
    for (i = 0; i < LONG; i++)
        long_prompt[i] = prompt[(i * 7) % TINY_PROMPT];
    for (i = 0; i < TOGETHER_MAX; i++) {
        options[i] = prepare(prompt, i);
        options[i].prompt_count = PROMPT - i;
        options[i].speculation = DEN_SPECULATION_OFF;
    }
    options[2].prompt = long_prompt;
    options[2].prompt_count = LONG;
    for (i = 0; i < TOGETHER_MAX; i++)
        run(engine, &options[i], &plain[i], 1);
    for (i = 0; i < TOGETHER_MAX; i++) {
        options[i].predicted = plain[i].tokens;
        options[i].predicted_count = plain[i].count;
        options[i].speculation = i == 1 ? DEN_SPECULATION_AUTO : DEN_SPECULATION_ALWAYS;
    }
    run(engine, options, guessed, TOGETHER_MAX);
    for (i = 0; i < TOGETHER_MAX; i++)
        same(&plain[i], &guessed[i]);
    assert_in_range(guessed[0].result.accepted_tokens, 20, 40);
    for (cut = 1; cut < plain[0].count; cut += 5) {
        options[0].resume = plain[0].tokens;
        options[0].resume_count = cut;
        options[0].resume_drawn = plain[0].drawn[cut - 1];
        run(engine, options, guessed, 1);
        assert_int_equal(guessed[0].count + cut, plain[0].count);
        assert_memory_equal(guessed[0].tokens, plain[0].tokens + cut,
                            guessed[0].count * sizeof plain[0].tokens[0]);
        assert_memory_equal(guessed[0].text, plain[0].text, plain[0].length);
    }
    den_engine_close(engine);
}

/* All of this rests on it: a row's logits don't depend on the rows beside it, to the last bit, in
 * any precision, with any instruction set. (Across
 * pages of the cache: tests/quality/speculation.c.) */
static void a_row_is_the_same_in_any_batch(void **state)
{
    const char *const models[] = { "llama.gguf", "gemma3",      "qwen3moe",
                                   "mixtral",    "gemma2.gguf", "qwen2_full.gguf" };
    const char *const features[] = { "scalar", "avx2,fma,f16c", NULL };
    enum { ROWS = 17, DEPTHS = 3 };
    const size_t depths[DEPTHS] = { 3, 20, 46 };
    static float rows[ROWS][TINY_VOCABULARY];
    den_token prompt[TINY_PROMPT], text[160];
    struct den_error err = { 0 };
    size_t i, k, count;

    tiny_prompt("llama", prompt);
    for (i = 0; i < 160; i++)
        text[i] = prompt[(i * 11 + i / 40) % TINY_PROMPT];
    for (i = 0; i < 6 * 3 * 2; i++) {
        const struct den_engine_options options = {
            .precision = i % 2 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8,
            .cpu_features = features[i / 2 % 3],
            .int8_cache = i % 4 == 0,
        };
        struct den_engine *engine = tiny_open(models[i / 6], options);
        struct den_session *session = tiny_session(engine);

        for (k = 0; k < DEPTHS; k++) {
            struct den_step step = { .session = session, .tokens = text, .count = depths[k] };
            size_t row;

            den_session_truncate(session, 0);
            assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
            for (row = 0; row < ROWS; row++) {
                step.tokens = text + depths[k] + row;
                step.count = 1;
                assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
                memcpy(rows[row], step.logits, sizeof rows[row]);
            }
            for (count = 2; count <= ROWS; count += count < 6 ? 1 : 5) {
                den_session_truncate(session, depths[k]);
                step = (struct den_step){ .session = session,
                                          .tokens = text + depths[k],
                                          .count = count,
                                          .all_logits = true };
                assert_int_equal(den_engine_step(engine, &step, 1, NULL, &err), DEN_OK);
                if (memcmp(rows, step.logits, count * sizeof rows[0]) != 0)
                    fail_msg("%s, %s, %s: %zu rows at %zu", models[i / 6],
                             options.cpu_features ? options.cpu_features : "all",
                             i % 2 ? "fp32" : "int8", count, depths[k]);
            }
        }
        den_session_destroy(session);
        den_engine_close(engine);
    }
}

static struct den_speculation guesses_of(size_t count, float chance)
{
    struct den_speculation made = { .count = count };
    size_t i;

    for (i = 0; i < count; i++)
        made.chances[i] = i ? made.chances[i - 1] * chance : chance;
    return made;
}

static void set_costs(struct den_step_costs *costs, double row)
{
    size_t i;

    *costs = (struct den_step_costs){ .unit = 1 };
    for (i = 1; i <= DEN_COSTED_ROWS_MAX; i++) {
        costs->shape[i] = 1 + row * (double)(i - 1);
        costs->seen[i] = 1;
    }
}

static void evaluates_what_pays(void **state)
{
    struct den_step_costs costs;
    struct den_speculation one = guesses_of(20, 0.9f), two = guesses_of(20, 0.5f);
    struct den_speculation *both[2] = { &one, &two };
    struct den_speculation_plan plan = {
        .costs = &costs, .speculations = both, .count = 1, .rows = 1, .decodes = 1, .room = 100
    };
    double rate, best;
    size_t k;

    set_costs(&costs, 0.25);
    den_speculation_choose(&plan);
    for (best = 0, rate = 1, k = 0; k <= 20; k++) { /* no other number is better */
        double tokens = 1, rows = 1 + 0.25 * (double)k;
        size_t i;

        for (i = 0; i < k; i++)
            tokens += (double)one.chances[i];
        if (k == one.chosen)
            rate = tokens / rows;
        best = tokens / rows > best ? tokens / rows : best;
    }
    assert_in_range(one.chosen, 3, 10);
    assert_float_equal(rate, best, 1e-9);
    plan.room = 2; /* no more than there is room for */
    den_speculation_choose(&plan);
    assert_int_equal(one.chosen, 2);
    plan.room = 100;
    plan.count = 2;
    plan.rows = plan.decodes = 2;
    den_speculation_choose(&plan); /* the likelier guesses get the rows */
    assert_true(one.chosen > two.chosen);
    set_costs(&costs, 0.95);
    den_speculation_choose(&plan); /* rows cost what they cost alone */
    assert_int_equal(one.chosen + two.chosen, 0);
    set_costs(&costs, 0);
    plan.count = 1;
    den_speculation_choose(&plan); /* rows are free */
    assert_int_equal(one.chosen, 20);
    plan.rows = plan.decodes = DEN_COSTED_ROWS_MAX;
    den_speculation_choose(&plan); /* a full batch */
    assert_int_equal(one.chosen, 0);
}

/* Where guesses come true they are made, where they don't they are not. */
static void learns_whether_guesses_come_true(void **state)
{
    const den_token text[] = { 5, 6, 7, 8, 5, 6, 7, 9, 5, 6 };
    struct den_speculation speculation;
    struct den_error err = { 0 };
    float first, later;
    int i;

    assert_int_equal(den_speculation_init(&speculation, 1000, NULL, 0, &err), DEN_OK);
    den_speculation_begin(&speculation, text, sizeof text / sizeof text[0]);
    den_speculation_guess(&speculation, 4);
    assert_int_equal(speculation.guesses[0], 7);
    first = speculation.chances[0];
    for (i = 0; i < 60; i++) /* after 5 6 another token each time */
        den_speculation_push(&speculation, i % 3 < 2 ? 5 + i % 3 : 20 + i);
    den_speculation_push(&speculation, 5);
    den_speculation_push(&speculation, 6);
    den_speculation_guess(&speculation, 4);
    later = speculation.chances[0];
    assert_true(later < first / 2);
    for (i = 0; i < 60; i++)
        den_speculation_push(&speculation, 7 + i % 5);
    den_speculation_guess(&speculation, 4);
    assert_int_equal(speculation.count, 4);
    assert_true(speculation.chances[3] > 0.9f);
    den_speculation_deinit(&speculation);
}

int engine_test_speculation(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_no_answer_of_any_model),
        cmocka_unit_test(changes_no_answer_of_any_sampler),
        cmocka_unit_test(ends_where_it_would_have_ended),
        cmocka_unit_test(stays_within_a_grammar),
        cmocka_unit_test(changes_nothing_for_others),
        cmocka_unit_test(a_row_is_the_same_in_any_batch),
        cmocka_unit_test(evaluates_what_pays),
        cmocka_unit_test(learns_whether_guesses_come_true),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
