/* Every architecture against transformers: the logits of 40 tokens, in fp32, from a Hugging Face
 * folder and from the GGUF file of the same weights; and the loader's refusals. */
#include "model/fixture.h"

#include "model/layout.h"

static const struct {
    const char *name;
    bool gguf;
} models[] = {
    { "llama", false },      { "llama", true },         { "llama_yarn", false },
    { "llama_yarn", true },  { "llama_linear", false }, { "mistral", false },
    { "smollm3", false },    { "smollm3", true },       { "qwen2", false },
    { "qwen2_full", false }, { "qwen2_full", true },    { "qwen3", false },
    { "qwen3", true },       { "gemma2", false },       { "gemma2", true },
    { "gemma3", false },     { "gemma3", true },        { "phi3", false },
    { "phi3", true },        { "mixtral", false },      { "mixtral", true },
    { "qwen3moe", false },   { "qwen3moe", true },
};

enum { MODELS = sizeof models / sizeof models[0] };

static void agrees_with_transformers(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    size_t i;
    bool good = true;

    for (i = 0; i < MODELS; i++) {
        double difference;

        fixture_open(fixture, models[i].name, models[i].gguf, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
        difference = fixture_difference(fixture_run(fixture, 0, 0, FIXTURE_PROMPT),
                                        fixture->expected, FIXTURE_PROMPT * FIXTURE_VOCABULARY);
        print_message("%-12s %-6s %.2e\n", models[i].name, models[i].gguf ? "gguf" : "folder",
                      difference);
        good = good && difference < 2e-3;
        fixture_close(fixture);
    }
    free(fixture);
    assert_true(good);
}

/* longrope: a context within the original one takes the short factors. */
static void chooses_factors_by_context(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    bool gguf;

    for (gguf = false;; gguf = true) {
        fixture_open(fixture, "phi3", gguf, DEN_PRECISION_FP32, 16);
        fixture_expected("phi3", "logits_short.bin", fixture->expected, 12);
        assert_true(fixture_difference(fixture_run(fixture, 0, 0, 12), fixture->expected,
                                       12 * FIXTURE_VOCABULARY) < 2e-3);
        fixture_close(fixture);
        if (gguf)
            break;
    }
    free(fixture);
}

/* The weights here are bf16, which the default mode keeps; what differs is the cache of f16. */
static void stays_close_in_the_default_mode(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    size_t i;

    for (i = 0; i < MODELS; i++) {
        double difference;

        fixture_open(fixture, models[i].name, models[i].gguf, DEN_PRECISION_INT8, FIXTURE_CONTEXT);
        difference = fixture_difference(fixture_run(fixture, 0, 0, FIXTURE_PROMPT),
                                        fixture->expected, FIXTURE_PROMPT * FIXTURE_VOCABULARY);
        if (!(difference < 0.1))
            fail_msg("%s: %g", models[i].name, difference);
        fixture_close(fixture);
    }
    free(fixture);
}

static void ties_the_head_to_the_embedding(void **state)
{
    struct fixture *tied = malloc(sizeof *tied);
    struct fixture *apart = malloc(sizeof *apart);

    fixture_open(tied, "llama_yarn", true, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
    fixture_open(apart, "llama", true, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
    assert_true(den_model_description(tied->model)->tied_embeddings);
    assert_false(den_model_description(apart->model)->tied_embeddings);
    /* the same sizes otherwise: a token reads the same bytes in both */
    assert_int_equal(den_model_bytes_per_token(tied->model),
                     den_model_bytes_per_token(apart->model));
    fixture_close(tied);
    fixture_close(apart);
    free(tied);
    free(apart);
}

int model_test_model(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_transformers),
        cmocka_unit_test(chooses_factors_by_context),
        cmocka_unit_test(stays_close_in_the_default_mode),
        cmocka_unit_test(ties_the_head_to_the_embedding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
