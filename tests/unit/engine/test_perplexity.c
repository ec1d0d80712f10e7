/* Perplexity against sums made from transformers' logits, and divergence from itself and others. */
#include "engine/tiny.h"

#include "engine/perplexity.h"

static double expected_loss(const char *name, const den_token *prompt, size_t first, size_t end)
{
    double loss = 0;
    size_t i;
    size_t j;

    for (i = first; i < end; i++) {
        float logits[TINY_VOCABULARY];
        double total = 0;

        tiny_expected(name, i, logits);
        for (j = 0; j < TINY_VOCABULARY; j++)
            total += exp((double)logits[j]);
        loss += log(total) - (double)logits[prompt[i + 1]];
    }
    return loss;
}

static void scores_the_second_half(void **state)
{
    struct den_engine *engine = tiny_open(
        "llama", (struct den_engine_options){ .precision = DEN_PRECISION_FP32, .batch_rows = 7 });
    den_token prompt[TINY_PROMPT];
    struct den_perplexity_result result;
    struct den_error err = { 0 };
    double loss;

    tiny_prompt("llama", prompt);
    loss = expected_loss("llama", prompt, 15, 29); /* a window of 30: predictions of 16 to 29 */
    assert_int_equal(den_perplexity_measure(engine,
                                            &(struct den_perplexity_options){
                                                .tokens = prompt, .count = 40, .context = 30 },
                                            &result, &err),
                     DEN_OK);
    assert_int_equal(result.chunks, 1);
    assert_int_equal(result.scored, 14);
    assert_true(fabs(result.perplexity / exp(loss / 14) - 1) < 1e-4);
    assert_true(result.standard_error > 0 && result.standard_error < result.perplexity);
    assert_false(result.has_reference);
    den_engine_close(engine);
}

static void count_chunks(void *context, const struct den_perplexity_result *so_far, size_t chunks)
{
    size_t *count = context;

    assert_int_equal(so_far->chunks, ++*count);
    assert_int_equal(chunks, 4);
}

static void compares_with_a_reference(void **state)
{
    struct den_engine *engine = tiny_open("qwen3", (struct den_engine_options){ 0 });
    struct den_engine *same = tiny_open("qwen3", (struct den_engine_options){ 0 });
    struct den_engine *other = tiny_open("llama", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    size_t counted = 0;
    struct den_perplexity_options options = { .tokens = prompt,
                                              .count = 40,
                                              .context = 10,
                                              .reference = same,
                                              .on_chunk = count_chunks,
                                              .on_chunk_context = &counted };
    struct den_perplexity_result result;
    struct den_error err = { 0 };

    tiny_prompt("qwen3", prompt);
    assert_int_equal(den_perplexity_measure(engine, &options, &result, &err), DEN_OK);
    assert_int_equal(counted, 4);
    assert_int_equal(result.scored, 16);
    assert_true(result.has_reference);
    assert_true(fabs(result.kl_mean) < 1e-6 && fabs(result.kl_999) < 1e-6);
    assert_true(result.top1_agreement == 1);
    assert_true(result.reference_perplexity == result.perplexity);
    counted = 0;
    options.reference = other;
    assert_int_equal(den_perplexity_measure(engine, &options, &result, &err), DEN_OK);
    assert_true(result.kl_mean > 0.1 && result.kl_999 > result.kl_mean);
    assert_true(result.top1_agreement < 0.5);
    den_engine_close(engine);
    den_engine_close(same);
    den_engine_close(other);
}

static void refuses_what_does_not_fit(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    struct den_perplexity_result result;
    const atomic_bool cancel = true;
    const struct {
        struct den_perplexity_options options;
        enum den_status status;
    } cases[] = {
        { { .tokens = prompt, .count = 40, .context = 41 }, DEN_INVALID },
        { { .tokens = prompt, .count = 40, .context = 65 }, DEN_INVALID },
        { { .tokens = prompt, .count = 40, .context = 2 }, DEN_INVALID },
        { { .tokens = prompt, .count = 40, .context = 20, .cancel = &cancel }, DEN_CANCELLED },
    };
    size_t i;

    tiny_prompt("llama", prompt);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_error err = { 0 };

        assert_int_equal(den_perplexity_measure(engine, &cases[i].options, &result, &err),
                         cases[i].status);
    }
    den_engine_close(engine);
}

/* The last token of a window is scored and never evaluated. */
static void refuses_tokens_beyond_the_vocabulary(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    den_token prompt[TINY_PROMPT];
    static const den_token bad[] = { TINY_VOCABULARY, -1, INT32_MAX };
    size_t i;

    tiny_prompt("llama", prompt);
    for (i = 0; i < 3; i++) {
        struct den_perplexity_result result;
        struct den_error err = { 0 };

        prompt[29] = bad[i];
        assert_int_equal(den_perplexity_measure(engine,
                                                &(struct den_perplexity_options){
                                                    .tokens = prompt, .count = 30, .context = 30 },
                                                &result, &err),
                         DEN_INVALID);
        assert_non_null(strstr(err.message, "vocabulary"));
    }
    den_engine_close(engine);
}

int engine_test_perplexity(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_the_second_half),
        cmocka_unit_test(compares_with_a_reference),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_tokens_beyond_the_vocabulary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
