/* An answer broken off after any token and resumed elsewhere is the answer that was not broken off:
 * the same tokens, the same text told once, the same end. */
#include "engine/tiny.h"

#include "engine/generation.h"
#include "text/constraint.h"

enum { TOKENS_MAX = 64, TEXT_MAX = 4096 };

struct told {
    den_token tokens[TOKENS_MAX];
    uint64_t drawn[TOKENS_MAX];
    size_t lengths[TOKENS_MAX]; /* of the text when the token had been told */
    size_t count;
    char text[TEXT_MAX];
    size_t length;
    size_t resumed; /* events of what was told before */
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct told *told = context;

    if (event->resumed) {
        told->resumed++;
        assert_int_equal(event->text_length, told->length);
        assert_memory_equal(event->text, told->text, told->length);
        return;
    }
    assert_true(told->length + event->text_length < TEXT_MAX);
    memcpy(told->text + told->length, event->text, event->text_length);
    told->length += event->text_length;
    if (event->token == DEN_TOKEN_NONE)
        return;
    assert_true(told->count < TOKENS_MAX);
    told->drawn[told->count] = event->drawn;
    told->lengths[told->count] = told->length;
    told->tokens[told->count++] = event->token;
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

/* Runs to the end in a session of its own. */
static struct den_generation_result finish(struct den_engine *engine,
                                           const struct den_generation_options *given)
{
    struct den_generation_options with_constraints = *given, *options = &with_constraints;
    struct den_session *session = tiny_session(engine);
    struct den_generation *generation = NULL;
    struct den_generation_result result;
    struct den_error err = { 0 };

    options->constraint = constrain(0);
    options->alternative = constrain(1);
    if (den_generation_create(engine, session, options, &generation, &err) != DEN_OK ||
        den_generation_run(engine, generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
    result = *den_generation_result(generation);
    den_generation_destroy(generation);
    den_constraint_destroy(options->constraint);
    den_constraint_destroy(options->alternative);
    den_session_destroy(session);
    return result;
}

/* What `whole` had told when it had told `count` tokens. */
static void cut(const struct told *whole, size_t count, struct told *out)
{
    *out = *whole;
    out->count = count;
    out->length = count ? whole->lengths[count - 1] : 0;
}

static void resume_everywhere(struct den_engine *engine, struct den_generation_options options)
{
    struct told whole = { 0 }, part;
    struct den_generation_result expected, got;
    size_t i;

    options.on_event = remember;
    options.context = &whole;
    expected = finish(engine, &options);
    assert_in_range(whole.count, 2, TOKENS_MAX);
    for (i = 0; i <= whole.count; i++) {
        cut(&whole, i, &part);
        options.context = &part;
        options.resume = whole.tokens;
        options.resume_count = i;
        options.resume_drawn = i ? whole.drawn[i - 1] : 0;
        got = finish(engine, &options);
        assert_int_equal(part.resumed, i > 0);
        assert_int_equal(part.count, whole.count);
        assert_memory_equal(part.tokens, whole.tokens, whole.count * sizeof whole.tokens[0]);
        assert_int_equal(part.length, whole.length);
        assert_memory_equal(part.text, whole.text, whole.length);
        assert_int_equal(got.finish, expected.finish);
        assert_int_equal(got.stop, expected.stop);
        assert_int_equal(got.generated_tokens, expected.generated_tokens);
        assert_int_equal(got.prompt_tokens, expected.prompt_tokens);
    }
}

static struct den_generation_options seeded(const den_token *prompt)
{
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = 12,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = 24,
                                              .ignore_end = true,
                                              .logprobs = -1 };

    options.sampler.seed = 20;
    options.sampler.xtc_probability = 0.5f; /* draws once or twice a token */
    options.sampler.xtc_threshold = 0.01f;
    options.sampler.repeat_penalty = 1.3f;
    options.sampler.dry_multiplier = 0.8f;
    return options;
}

static void goes_on_as_if_nothing_had_happened(void **state)
{
    const char *const models[] = { "llama", "qwen3moe", "gemma3", "llama.gguf" };
    den_token prompt[TINY_PROMPT];
    size_t i;

    tiny_prompt("llama", prompt);
    for (i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct den_engine *engine = tiny_open(models[i], (struct den_engine_options){ 0 });
        struct den_generation_options options = seeded(prompt);

        resume_everywhere(engine, options);
        options.sampler.temperature = 0;
        resume_everywhere(engine, options);
        den_engine_close(engine);
    }
}

/* Also where the tokens so far were a whole answer, and only its end had not been told. */
static void ends_as_it_would_have(void **state)
{
    struct den_engine *engine =
        tiny_open("llama", (struct den_engine_options){ .context_tokens = 30 });
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options;
    struct told told = { 0 };
    char stop[8] = "";
    const char *const stops[] = { "never said", stop };
    size_t i;

    tiny_prompt("llama", prompt);
    options = seeded(prompt);
    options.max_tokens = 0; /* the context is full */
    resume_everywhere(engine, options);
    options.on_event = remember;
    options.context = &told;
    finish(engine, &options);
    for (i = told.length / 2; i < told.length; i++)
        if (told.text[i] > ' ' && told.text[i] < 127)
            break;
    assert_true(i < told.length);
    stop[0] = told.text[i];
    options.stops = stops;
    options.stop_count = 2;
    if (memchr(told.text, stop[0], told.lengths[1]) == NULL) /* else nearly nothing is left */
        resume_everywhere(engine, options);
    den_engine_close(engine);
}

/* Held to a grammar, or to either of two, of which the first tokens choose one. */
static void goes_on_within_a_grammar(void **state)
{
    const char *const one = "root ::= \"[\" ([a-z0-9]{3} \",\"){4} \"]\"";
    const char *const other = "root ::= \"(\" ([A-Z] \";\"){6} \")\"";
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    struct den_generation_options options;
    bool seen[2] = { false, false };
    int round;

    tiny_prompt("llama", prompt);
    options = seeded(prompt);
    options.sampler = den_sampler_defaults();
    options.sampler.temperature = 2;
    options.max_tokens = 60;
    options.ignore_end = false;
    for (round = 0; round < 12; round++) {
        struct told told = { 0 };

        hold(engine, one, round % 2 ? other : NULL);
        options.sampler.seed = (uint64_t)round;
        options.on_event = remember;
        options.context = &told;
        assert_int_equal(finish(engine, &options).finish, DEN_FINISH_STOP);
        assert_true(told.text[0] == '[' || (round % 2 && told.text[0] == '('));
        assert_int_equal(told.length, told.text[0] == '[' ? 18 : 14);
        seen[told.text[0] == '('] = true;
        resume_everywhere(engine, options);
        let_go();
    }
    assert_true(seen[0] && seen[1]);
    den_engine_close(engine);
}

static void refuses_tokens_that_are_none(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    struct den_session *session = tiny_session(engine);
    den_token prompt[TINY_PROMPT], wrong[2] = { 1, 300 };
    struct den_generation_options options;
    struct den_generation *generation = NULL;
    struct den_error err = { 0 };

    tiny_prompt("llama", prompt);
    options = seeded(prompt);
    options.resume = wrong;
    options.resume_count = 2;
    assert_int_equal(den_generation_create(engine, session, &options, &generation, &err),
                     DEN_INVALID);
    assert_null(generation);
    den_session_destroy(session);
    den_engine_close(engine);
}

int engine_test_resume(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_as_if_nothing_had_happened),
        cmocka_unit_test(ends_as_it_would_have),
        cmocka_unit_test(goes_on_within_a_grammar),
        cmocka_unit_test(refuses_tokens_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
