/* The bench's bookkeeping: what is measured, what is not, and the bytes it counts. */
#include "engine/tiny.h"

#include "engine/bench.h"

static void measures_what_is_asked(void **state)
{
    struct den_engine *engine =
        tiny_open("llama", (struct den_engine_options){ .sequences = 2, .batch_rows = 16 });
    const struct den_bench_options options = {
        .prompt = 40, .generate = 9, .depth = 20, .sequences = 2, .runs = 2
    };
    struct den_bench_result result;
    struct den_session *session;
    struct den_error err = { 0 };
    double steps;

    assert_int_equal(den_bench_context(&options), 40);
    assert_int_equal(den_bench_run(engine, &options, &result, &err), DEN_OK);
    assert_true(result.prompt_tokens_per_s > 0 && result.generated_tokens_per_s > 0);
    assert_true(result.load_seconds > 0 && result.peak_memory_mib > 1);
    /* 2 layers, 2 sequences, 25 tokens, 2 heads of 8 + 8 halves */
    assert_int_equal(result.cache_bytes, 2 * 2 * 25 * 2 * 16 * 2);
    assert_int_equal(result.weight_bytes, den_model_bytes_per_token(den_engine_model(engine)));
    steps = result.generated_tokens_per_s / 2;
    assert_true(fabs(result.gigabytes_per_second -
                     (double)(result.weight_bytes + result.cache_bytes) * steps / 1e9) < 1e-9);
    session = tiny_session(engine); /* its sessions are closed again */
    den_session_destroy(session);
    den_engine_close(engine);
}

/* One at a time: what is cached serves the next one, what has been generated does not. */
static void measures_in_turns(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ .sequences = 2 });
    const struct den_bench_options options = {
        .prompt = 30, .generate = 5, .depth = 20, .sequences = 2
    };
    struct den_bench_result result;
    struct den_bench *bench;
    struct den_error err = { 0 };
    double prompt = 0, generation = 0;
    int i;

    assert_int_equal(den_bench_open(engine, &options, &bench, &err), DEN_OK);
    for (i = 0; i < 20; i++) { /* the context holds 64 */
        assert_int_equal(den_bench_generation(bench, &generation, &err), DEN_OK);
        assert_int_equal(den_bench_prompt(bench, &prompt, &err), DEN_OK);
    }
    assert_true(prompt > 0 && generation > 0);
    den_bench_report(bench, prompt, generation, &result);
    assert_true(result.prompt_tokens_per_s == prompt);
    assert_true(result.generated_tokens_per_s == generation);
    assert_true(result.weight_bytes > 0 && result.gigabytes_per_second > 0);
    den_bench_close(bench);
    den_engine_close(engine);
}

static void counts_no_more_than_a_window(void **state)
{
    struct den_engine *engine = tiny_open("mistral", (struct den_engine_options){ 0 });
    struct den_bench_result result;
    struct den_error err = { 0 };

    assert_int_equal(den_bench_run(engine,
                                   &(struct den_bench_options){
                                       .generate = 4, .depth = 30, .sequences = 1, .runs = 1 },
                                   &result, &err),
                     DEN_OK);
    assert_true(result.prompt_tokens_per_s == 0);
    assert_int_equal(result.cache_bytes, 2 * 8 * 2 * 16 * 2); /* a window of 8 */
    den_engine_close(engine);
}

static void refuses_what_does_not_fit(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });
    struct den_bench_result result;
    const struct {
        struct den_bench_options options;
        enum den_status status;
    } cases[] = { { { .prompt = 65 }, DEN_INVALID },
                  { { .generate = 40, .depth = 25 }, DEN_INVALID },
                  { { .prompt = 1, .runs = 100000 }, DEN_INVALID },
                  { { .generate = 1, .sequences = 2 }, DEN_BUSY } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_error err = { 0 };

        assert_int_equal(den_bench_run(engine, &cases[i].options, &result, &err), cases[i].status);
    }
    den_engine_close(engine);
}

int engine_test_bench(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_what_is_asked),
        cmocka_unit_test(measures_in_turns),
        cmocka_unit_test(counts_no_more_than_a_window),
        cmocka_unit_test(refuses_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
