/* A draft model changes no answer either, be it the model itself, another, or one whose context is
 * shorter; and models that mean something else by a token are refused. */
#include "engine/tiny.h"

#include <unistd.h>

#include "engine/draft_model.h"
#include "engine/engine_parts.h"
#include "engine/generation.h"

enum { TOKENS_MAX = 64, PROMPT = 16, TOGETHER = 3 };

struct told {
    den_token tokens[TOKENS_MAX];
    size_t count;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct told *told = context;

    if (event->token == DEN_TOKEN_NONE)
        return;
    assert_true(told->count < TOKENS_MAX);
    told->tokens[told->count++] = event->token;
}

static struct den_engine *open_with(const char *name, const char *draft)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/models/%s", DEN_FIXTURES, draft);
    return tiny_open(name,
                     (struct den_engine_options){ .draft_path = path, .sequences = TOGETHER });
}

/* Answers to `count` prompts at once; returns how many guesses were made and were right. */
static void run(struct den_engine *engine, enum den_speculation_mode mode, float temperature,
                size_t count, struct told *told, size_t *guessed, size_t *accepted)
{
    struct den_session *sessions[TOGETHER];
    struct den_generation *generations[TOGETHER];
    struct den_error err = { 0 };
    den_token prompt[TINY_PROMPT];
    size_t i;
    bool busy = true;

    tiny_prompt("llama", prompt);
    for (i = 0; i < count; i++) {
        struct den_generation_options options = { .prompt = prompt + i,
                                                  .prompt_count = PROMPT + i,
                                                  .sampler = den_sampler_defaults(),
                                                  .max_tokens = 30,
                                                  .ignore_end = true,
                                                  .logprobs = -1,
                                                  .speculation = mode,
                                                  .on_event = remember,
                                                  .context = &told[i] };

        options.sampler.seed = i;
        options.sampler.temperature = temperature;
        told[i].count = 0;
        sessions[i] = tiny_session(engine);
        assert_int_equal(
            den_generation_create(engine, sessions[i], &options, &generations[i], &err), DEN_OK);
    }
    while (busy) {
        assert_int_equal(den_generations_step(engine, generations, count, &err), DEN_OK);
        for (busy = false, i = 0; i < count; i++)
            busy = busy || !den_generation_is_done(generations[i]);
    }
    for (i = 0; i < count; i++) {
        *guessed += den_generation_result(generations[i])->guessed_tokens;
        *accepted += den_generation_result(generations[i])->accepted_tokens;
        den_generation_destroy(generations[i]);
        den_session_destroy(sessions[i]);
    }
}

static void same(struct den_engine *engine, float temperature, size_t count, size_t *guessed,
                 size_t *accepted)
{
    static struct told plain[TOGETHER], drafted[TOGETHER];
    size_t none = 0, i;

    *guessed = *accepted = 0;
    run(engine, DEN_SPECULATION_OFF, temperature, count, plain, &none, &none);
    assert_int_equal(none, 0);
    run(engine, DEN_SPECULATION_ALWAYS, temperature, count, drafted, guessed, accepted);
    for (i = 0; i < count; i++) {
        assert_int_equal(plain[i].count, drafted[i].count);
        assert_memory_equal(plain[i].tokens, drafted[i].tokens,
                            plain[i].count * sizeof plain[i].tokens[0]);
    }
}

static void changes_no_answer(void **state)
{
    const char *const drafts[] = { "llama", "llama.gguf", "mistral", "qwen3" };
    size_t guessed, accepted, i;

    for (i = 0; i < sizeof drafts / sizeof drafts[0]; i++) {
        struct den_engine *engine = open_with("llama", drafts[i]);

        same(engine, 0, 1, &guessed, &accepted);
        assert_in_range(guessed, 1, 1000);
        if (i == 0) /* the model itself knows what it will say, when it is sure enough to guess */
            assert_int_equal(accepted, guessed);
        same(engine, 0, TOGETHER, &guessed, &accepted);
        assert_in_range(guessed, 1, 1000);
        same(engine, 0.7f, TOGETHER, &guessed, &accepted);
        den_engine_close(engine);
    }
}

/* A folder beside the fixtures' own: llama with `<unused28N>` replaced in its tokenizer. */
static void make_other(const char *folder, char digit)
{
    static const char *const files[] = { "config.json", "model.safetensors",
                                         "tokenizer_config.json" };
    struct den_error err = { 0 };
    struct den_buffer text;
    char from[512], to[512], *found;
    size_t i;

    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(from, sizeof from, "%s/models/llama/%s", DEN_FIXTURES, files[i]);
        snprintf(to, sizeof to, "%s/%s", folder, files[i]);
        unlink(to);
        assert_int_equal(symlink(from, to), 0);
    }
    snprintf(from, sizeof from, "%s/models/llama/tokenizer.json", DEN_FIXTURES);
    snprintf(to, sizeof to, "%s/tokenizer.json", folder);
    den_buffer_init(&text, 1 << 20);
    assert_int_equal(den_file_read(from, &text, &err), DEN_OK);
    found = strstr(text.data, "<unused283>");
    assert_non_null(found);
    found[9] = digit;
    assert_int_equal(den_file_write(to, text.data, text.length, &err), DEN_OK);
    den_buffer_deinit(&text);
}

static void refuses_other_vocabularies(void **state)
{
    char folder[] = "/tmp/den_draft_XXXXXX", path[512], file[512];
    struct den_engine_options options = { .path = path, .threads = 1, .draft_path = folder };
    const char *const files[] = { "config.json", "model.safetensors", "tokenizer_config.json",
                                  "tokenizer.json" };
    struct den_engine *engine = NULL;
    struct den_error err = { 0 };
    size_t i;

    snprintf(path, sizeof path, "%s/models/llama", DEN_FIXTURES);
    assert_non_null(mkdtemp(folder));
    make_other(folder, '3');
    assert_int_equal(den_engine_open(&options, &engine, &err), DEN_OK); /* the same after all */
    assert_null(den_engine_draft_refusal(engine));
    den_engine_close(engine);
    engine = NULL;
    make_other(folder, 'x');
    assert_int_equal(den_engine_open(&options, &engine, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "token 283 is another"));
    assert_null(engine);
    options.draft_if_fits = true;
    err = (struct den_error){ 0 };
    assert_int_equal(den_engine_open(&options, &engine, &err), DEN_OK);
    assert_non_null(strstr(den_engine_draft_refusal(engine), "token 283 is another"));
    den_engine_close(engine);
    engine = NULL;
    options.draft_path = "/no/such/model";
    assert_int_not_equal(den_engine_open(&options, &engine, &err), DEN_OK);
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, files[i]);
        unlink(file);
    }
    rmdir(folder);
}

/* Where guesses come true the batch has more of them; where not, fewer, then none for a while. */
static void guesses_where_it_pays(void **state)
{
    struct den_step_costs costs = { .unit = 1 };
    struct den_engine *engine = open_with("llama", "llama");
    struct den_draft_model *model = engine->draft;
    size_t good, i, none = 0;

    for (i = 0; i < 40; i++)
        den_draft_model_learn(model, 4, 4);
    good = den_draft_model_worth(model, &costs, 1);
    assert_in_range(good, 2, 8);
    for (i = 0; i < 100; i++)
        den_draft_model_learn(model, 4, 0);
    for (i = 0; i < 1000; i++)
        none += den_draft_model_worth(model, &costs, 1) == 0;
    assert_in_range(none, 980, 999);
    den_engine_close(engine);
}

int engine_test_draft_model(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_no_answer),
        cmocka_unit_test(refuses_other_vocabularies),
        cmocka_unit_test(guesses_where_it_pays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
