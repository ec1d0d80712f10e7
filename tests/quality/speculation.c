/* Guesses change no answer of the real model. First what that rests on: the logits of rows that are
 * evaluated together are those of each row alone, to the last bit, across the borders of pages (64
 * tokens) and chunks (128), for each precision and kind of cache. Then answers, greedy and sampled,
 * with guesses wherever there are any and without. */
#include <string.h>

#include "engine/generation.h"
#include "real_model.h"

enum { ROWS = 9, TOKENS = 40, SEEDS = 2 };

static const char *const prompts[] = {
    "<|im_start|>user\nRepeat this list: apples, pears, plums, cherries, apples, pears, "
    "plums.<|im_end|>\n"
    "<|im_start|>assistant\nThe list: apples, pears,",
    "def add(a, b):\n    return a + b\n\ndef sub(a, b):\n    return a - b\n\ndef mul(a, b):\n",
    "The capital of France is Paris. The capital of Italy is Rome. The capital of Spain is",
    "Once upon a time there was a king who had three sons, and",
    "1. one\n2. two\n3. three\n4. four\n5.",
};
enum { PROMPTS = sizeof prompts / sizeof prompts[0] };

static void check(enum den_status status, const struct den_error *err)
{
    if (status == DEN_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void append(struct den_engine *engine, struct den_session *session, const den_token *tokens,
                   size_t count, const float **out_logits)
{
    struct den_step step = {
        .session = session, .tokens = tokens, .count = count, .all_logits = true
    };
    struct den_error err = { 0 };

    check(den_engine_step(engine, &step, 1, NULL, &err), &err);
    *out_logits = step.logits;
}

/* The number of rows that differ. */
static size_t compare_rows(struct den_engine *engine, const char *name, size_t depth_count)
{
    const size_t depths[] = { 120, 60, 507, 250 };
    const size_t vocabulary = den_engine_description(engine)->vocabulary;
    const size_t bytes = vocabulary * sizeof(float);
    float *alone = malloc(ROWS * bytes);
    struct den_session *session = NULL;
    struct den_error err = { 0 };
    den_token text[600];
    const float *logits;
    size_t bad = 0, i, row, count;

    check(den_session_create(engine, &session, &err), &err);
    for (i = 0; i < 600; i++)
        text[i] = (den_token)((i * 7919 + i / 50) % 40000);
    for (i = 0; i < depth_count; i++) {
        den_session_truncate(session, 0);
        append(engine, session, text, depths[i], &logits);
        for (row = 0; row < ROWS; row++) {
            append(engine, session, text + depths[i] + row, 1, &logits);
            memcpy(alone + row * vocabulary, logits, bytes);
        }
        for (count = 3; count <= ROWS; count += 3) {
            den_session_truncate(session, depths[i]);
            append(engine, session, text + depths[i], count, &logits);
            for (row = 0; row < count; row++)
                if (memcmp(alone + row * vocabulary, logits + row * vocabulary, bytes) != 0) {
                    printf("%s: row %zu of %zu at %zu differs\n", name, row, count, depths[i]);
                    bad++;
                }
        }
    }
    den_session_destroy(session);
    free(alone);
    return bad;
}

struct answer {
    den_token tokens[TOKENS];
    float logprobs[TOKENS];
    size_t count, guessed, accepted;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct answer *answer = context;

    if (event->token == DEN_TOKEN_NONE || answer->count == TOKENS)
        return;
    answer->logprobs[answer->count] = event->logprob;
    answer->tokens[answer->count++] = event->token;
}

static void generate(struct den_engine *engine, const struct den_tokens *prompt, int seed,
                     enum den_speculation_mode mode, struct answer *out)
{
    struct den_generation_options options = { .prompt = prompt->items,
                                              .prompt_count = prompt->count,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = TOKENS,
                                              .logprobs = 0,
                                              .speculation = mode,
                                              .on_event = remember,
                                              .context = out };
    struct den_generation *generation = NULL;
    struct den_session *session = NULL;
    struct den_error err = { 0 };

    memset(out, 0, sizeof *out);
    options.sampler.seed = (uint64_t)seed;
    if (seed == 0)
        options.sampler.temperature = 0;
    check(den_session_create(engine, &session, &err), &err);
    check(den_generation_create(engine, session, &options, &generation, &err), &err);
    check(den_generation_run(engine, generation, &err), &err);
    out->guessed = den_generation_result(generation)->guessed_tokens;
    out->accepted = den_generation_result(generation)->accepted_tokens;
    den_generation_destroy(generation);
    den_session_destroy(session);
}

/* The number of answers that differ. */
static size_t compare_answers(struct den_engine *engine, const char *name)
{
    size_t bad = 0, guessed = 0, accepted = 0, tokens = 0, i;
    struct den_error err = { 0 };
    int seed;

    for (i = 0; i < PROMPTS; i++) {
        struct den_tokens prompt = { 0 };

        check(den_tokenizer_encode(den_engine_tokenizer(engine), prompts[i], strlen(prompts[i]),
                                   DEN_ENCODE_PARSE_SPECIAL, &prompt, &err),
              &err);
        for (seed = 0; seed < SEEDS; seed++) {
            static struct answer plain, fast;

            generate(engine, &prompt, seed, DEN_SPECULATION_OFF, &plain);
            generate(engine, &prompt, seed, DEN_SPECULATION_ALWAYS, &fast);
            guessed += fast.guessed;
            accepted += fast.accepted;
            tokens += fast.count;
            if (plain.count != fast.count ||
                memcmp(plain.tokens, fast.tokens, sizeof plain.tokens) != 0 ||
                memcmp(plain.logprobs, fast.logprobs, sizeof plain.logprobs) != 0) {
                printf("%s: prompt %zu, seed %d: another answer with guesses\n", name, i, seed);
                bad++;
            }
        }
        den_tokens_deinit(&prompt);
    }
    printf("%s: %zu tokens, %zu of %zu guesses right\n", name, tokens, accepted, guessed);
    return bad + (accepted == 0);
}

int main(void)
{
    static const struct {
        const char *name;
        struct den_engine_options options;
        size_t depths;
        bool answers;
    } kinds[] = {
        { "int8", { .context_tokens = 600 }, 4, true },
        { "int8, int8 cache", { .context_tokens = 600, .int8_cache = true }, 4, false },
        { "AVX2", { .context_tokens = 600, .cpu_features = "avx2,fma,f16c" }, 2, false },
        { "fp32", { .context_tokens = 600, .precision = DEN_PRECISION_FP32 }, 1, false },
    };
    size_t bad = 0, i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct den_engine_options options = kinds[i].options;
        struct den_engine *engine;

        options.path = real_model_path();
        engine = real_model_open(options);
        bad += compare_rows(engine, kinds[i].name, kinds[i].depths);
        printf("%s: %zu differences\n", kinds[i].name, bad);
        fflush(stdout);
        if (kinds[i].answers)
            bad += compare_answers(engine, kinds[i].name);
        den_engine_close(engine);
    }
    printf("%zu differences\n", bad);
    return bad > 0;
}
