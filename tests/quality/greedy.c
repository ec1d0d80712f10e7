/* The fp32 mode against transformers: 20 prompts, 64 greedy tokens each, on SmolLM2's dequantized
 * weights (tests/fixtures/make_smollm2_reference.py). The prompts' token ids must come out of our
 * tokenizer, and every token must be transformers' own. Where transformers' two largest logits were
 * less than 1e-4 apart, rounding alone decides: a difference there ends that prompt's comparison
 * and is told. All prompts run together, which proves the batch; the first runs alone as well. */
#include <string.h>

#include "base/json.h"
#include "engine/generation.h"
#include "real_model.h"

enum { PROMPTS_MAX = 32, TOKENS = 64 };

static const double margin_min = 1e-4;

struct answer {
    den_token tokens[TOKENS];
    size_t count;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct answer *answer = context;

    if (event->token != DEN_TOKEN_NONE && answer->count < TOKENS)
        answer->tokens[answer->count++] = event->token;
}

static void check(enum den_status status, const struct den_error *err)
{
    if (status == DEN_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static bool same_prompt(const struct den_engine *engine, const json_t *test)
{
    const json_t *expected = json_object_get(test, "prompt");
    const json_t *text = json_object_get(test, "text");
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    bool same;
    size_t i;

    check(den_tokenizer_encode(den_engine_tokenizer(engine), json_string_value(text),
                               json_string_length(text), DEN_ENCODE_PARSE_SPECIAL, &tokens, &err),
          &err);
    same = tokens.count == json_array_size(expected);
    for (i = 0; same && i < tokens.count; i++)
        same = tokens.items[i] == json_integer_value(json_array_get(expected, i));
    if (!same)
        printf("prompt %s: other token ids than transformers'\n", json_string_value(text));
    den_tokens_deinit(&tokens);
    return same;
}

static struct den_generation *start(struct den_engine *engine, struct den_session *session,
                                    const json_t *test, struct answer *answer)
{
    const json_t *ids = json_object_get(test, "prompt");
    den_token prompt[512];
    size_t count = json_array_size(ids);
    struct den_generation *generation = NULL;
    struct den_error err = { 0 };
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = count,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = TOKENS,
                                              .ignore_end = true,
                                              .logprobs = -1,
                                              .on_event = remember,
                                              .context = answer };
    size_t i;

    for (i = 0; i < count && i < sizeof prompt / sizeof prompt[0]; i++)
        prompt[i] = (den_token)json_integer_value(json_array_get(ids, i));
    options.sampler.temperature = 0;
    answer->count = 0;
    check(den_generation_create(engine, session, &options, &generation, &err), &err);
    return generation;
}

/* False where a token differs without excuse. */
static bool same_answer(const json_t *test, const struct answer *answer)
{
    const char *text = json_string_value(json_object_get(test, "text"));
    size_t i;

    for (i = 0; i < TOKENS; i++) {
        json_int_t expected =
            json_integer_value(json_array_get(json_object_get(test, "tokens"), i));
        double margin = json_number_value(json_array_get(json_object_get(test, "margins"), i));

        if (i < answer->count && answer->tokens[i] == expected)
            continue;
        printf("%.30s...: token %zu is %d, transformers' is %d, margin %g%s\n", text, i,
               i < answer->count ? (int)answer->tokens[i] : -1, (int)expected, margin,
               margin < margin_min ? " (a tie)" : "");
        return margin < margin_min;
    }
    return true;
}

int main(void)
{
    struct den_engine *engine =
        real_model_open((struct den_engine_options){ .path = real_model_path(),
                                                     .precision = DEN_PRECISION_FP32,
                                                     .context_tokens = 256,
                                                     .sequences = PROMPTS_MAX });
    static struct answer answers[PROMPTS_MAX];
    struct den_session *sessions[PROMPTS_MAX] = { NULL };
    struct den_generation *generations[PROMPTS_MAX] = { NULL };
    struct den_error err = { 0 };
    json_t *tests = NULL;
    size_t count;
    size_t good = 0;
    size_t i;

    check(den_json_read_file(DEN_FIXTURES "/smollm2_reference.json", &tests, &err), &err);
    count = json_array_size(tests);
    for (i = 0; i < count; i++) {
        check(den_session_create(engine, &sessions[i], &err), &err);
        generations[i] = start(engine, sessions[i], json_array_get(tests, i), &answers[i]);
    }
    for (i = 0; i < count; i++) /* the others are done when the first is: all advance together */
        while (!den_generation_is_done(generations[i]))
            check(den_generations_step(engine, generations, count, &err), &err);
    for (i = 0; i < count; i++) {
        const json_t *test = json_array_get(tests, i);

        good += same_prompt(engine, test) && same_answer(test, &answers[i]);
        den_generation_destroy(generations[i]);
    }
    generations[0] = start(engine, sessions[0], json_array_get(tests, 0), &answers[0]);
    check(den_generation_run(engine, generations[0], &err), &err);
    good += same_answer(json_array_get(tests, 0), &answers[0]);
    den_generation_destroy(generations[0]);
    for (i = 0; i < count; i++)
        den_session_destroy(sessions[i]);
    printf("%zu of %zu continuations are transformers' own\n", good, count + 1);
    json_decref(tests);
    den_engine_close(engine);
    return count == 20 && good == count + 1 ? 0 : 1;
}
