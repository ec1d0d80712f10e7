/* Opening an engine: sizes chosen, sizes refused, both forms of a model. */
#include "engine/tiny.h"

static void expect_refusal(struct den_engine_options options, enum den_status status,
                           const char *word)
{
    struct den_engine *engine = NULL;
    struct den_error err = { 0 };
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s", DEN_FIXTURES, options.path);
    options.path = path;
    options.threads = 1;
    if (den_engine_open(&options, &engine, &err) != status || !strstr(err.message, word))
        fail_msg("status %d: '%s'", err.status, err.message);
    assert_null(engine);
}

static void chooses_sizes(void **state)
{
    struct den_engine *engine = tiny_open("llama", (struct den_engine_options){ 0 });

    assert_int_equal(den_engine_context(engine), 64); /* as trained */
    assert_int_equal(den_engine_batch_rows(engine), 512);
    assert_string_equal(den_engine_description(engine)->architecture, "llama");
    assert_int_equal(den_device_threads(den_engine_device(engine)), 2);
    assert_non_null(den_engine_tokenizer(engine));
    assert_non_null(den_engine_chat(engine));
    assert_true(den_engine_load_seconds(engine) > 0);
    den_engine_close(engine);
    engine = tiny_open("llama", (struct den_engine_options){
                                    .context_tokens = 33, .sequences = 5, .batch_rows = 2 });
    assert_int_equal(den_engine_context(engine), 33);
    assert_int_equal(den_engine_batch_rows(engine), 5); /* every sequence can take a step */
    den_engine_close(engine);
}

static void opens_both_forms(void **state)
{
    struct den_engine *engine = tiny_open("qwen3.gguf", (struct den_engine_options){ 0 });

    assert_string_equal(den_engine_description(engine)->architecture, "qwen3");
    assert_int_equal(den_tokenizer_size(den_engine_tokenizer(engine)), TINY_VOCABULARY);
    den_engine_close(engine);
    engine = tiny_open("qwen3", (struct den_engine_options){ 0 });
    assert_int_equal(den_tokenizer_size(den_engine_tokenizer(engine)), TINY_VOCABULARY);
    den_engine_close(engine);
}

static void refuses_impossible_options(void **state)
{
    expect_refusal((struct den_engine_options){ .path = "llama", .context_tokens = 65 },
                   DEN_INVALID, "trained with 64");
    expect_refusal(
        (struct den_engine_options){ .path = "llama", .sequences = DEN_SEQUENCES_MAX + 1 },
        DEN_INVALID, "sequences");
    expect_refusal(
        (struct den_engine_options){ .path = "llama", .batch_rows = DEN_BATCH_ROWS_MAX + 1 },
        DEN_INVALID, "rows");
    expect_refusal((struct den_engine_options){ .path = "nowhere" }, DEN_NOT_FOUND, "nowhere");
}

static void closes_nothing(void **state)
{
    den_engine_close(NULL);
    den_session_destroy(NULL);
}

int engine_test_engine(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_sizes),
        cmocka_unit_test(opens_both_forms),
        cmocka_unit_test(refuses_impossible_options),
        cmocka_unit_test(closes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
