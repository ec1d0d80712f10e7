/* The fit formula's arithmetic, its verdicts, and the shapes it refuses. That the sum is the memory
 * of a real process is tests/api/test_fit.py's to show. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/pack.h"
#include "schedule/fit.h"

static struct den_fit_shape read_shape(const char *text)
{
    struct den_error err = { 0 };
    struct den_fit_shape shape = { 0 };
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    assert_int_equal(den_fit_shape_read(value, &shape, &err), DEN_OK);
    json_decref(value);
    return shape;
}

#define SMOLLM2                                                                                    \
    "\"layers\": 30, \"width\": 576, \"heads\": 9, \"kv_heads\": 3, \"head_width\": 64, "          \
    "\"ffn_width\": 1536, \"vocabulary\": 49152, \"context\": 8192, \"tied\": true"

static void a_quantization_gives_the_types_that_the_file_has(void **state)
{
    const struct den_fit_shape told = read_shape("{" SMOLLM2 ", \"embedding_type\": \"Q8_0\", "
                                                 "\"types\": {\"Q4_1\": 106168320}}");
    const struct den_fit_shape named = read_shape("{" SMOLLM2 ", \"quantization\": \"Q4_1\"}");

    assert_true(fabs(told.layer_bytes - 106168320.0 * 5 / 8) < 1);
    assert_true(fabs(named.layer_bytes - told.layer_bytes) < 1);
    assert_true(fabs(named.embedding_bytes - told.embedding_bytes) < 1);
    assert_true(fabs(told.read_bytes - told.layer_bytes - told.embedding_bytes) < 1);
    assert_true(told.head_bytes == 0);
}

/* The bits a weight that fit_shape.c states are those of the packed layout. */
static void packed_bits_are_those_of_the_kernels(void **state)
{
    static const enum den_type types[] = { DEN_TYPE_F32,  DEN_TYPE_F16,    DEN_TYPE_BF16,
                                           DEN_TYPE_Q4_0, DEN_TYPE_Q4_1,   DEN_TYPE_Q4_K,
                                           DEN_TYPE_Q8_0, DEN_TYPE_Q6_K,   DEN_TYPE_Q3_K,
                                           DEN_TYPE_Q5_0, DEN_TYPE_Q5_1,   DEN_TYPE_Q2_K,
                                           DEN_TYPE_Q5_K, DEN_TYPE_IQ4_XS, DEN_TYPE_IQ4_NL };
    const size_t in = 1024, out = 4096;
    struct den_error err = { 0 };
    enum den_pack_format format;
    struct den_packed plan;
    char text[512];
    size_t i;

    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct den_type_info *info = den_type_info(types[i]);
        struct den_fit_shape shape;

        assert_int_equal(den_pack_choose(types[i], true, &format, &err), DEN_OK);
        assert_int_equal(den_pack_plan(format, in, out, &plan, &err), DEN_OK);
        snprintf(text, sizeof text,
                 "{\"layers\": 1, \"width\": 1024, \"heads\": 16, \"ffn_width\": 1024, "
                 "\"vocabulary\": 4096, \"context\": 512, \"tied\": true, \"types\": "
                 "{\"%s\": %zu}, \"embedding_type\": \"%s\"}",
                 info->text, in * out, info->text);
        shape = read_shape(text);
        assert_true(fabs(shape.layer_bytes - (double)(plan.panels * plan.panel_bytes)) < 1);
        assert_true(
            fabs(shape.layer_file_bytes - (double)(in * out / info->elements * info->bytes)) < 1);
    }
}

static void only_the_experts_that_are_used_are_read(void **state)
{
    const struct den_fit_shape shape =
        read_shape("{\"layers\": 4, \"width\": 512, \"heads\": 8, \"ffn_width\": 512, "
                   "\"experts\": 8, \"experts_used\": 2, \"expert_width\": 1024, "
                   "\"vocabulary\": 1000, \"context\": 512, \"quantization\": \"F16\"}");

    const double experts = 4.0 * 8 * 3 * 512 * 1024 * 2;

    assert_true(fabs(shape.layer_bytes + shape.head_bytes - shape.read_bytes - experts * 6 / 8) <
                1);
    assert_true(shape.layer_bytes > experts);
}

static void shapes_that_cannot_be_are_refused(void **state)
{
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{" SMOLLM2 "}",
        "{" SMOLLM2 ", \"quantization\": \"Q9_Z\"}",
        "{" SMOLLM2 ", \"types\": {\"Q4_1\": -1}, \"embedding_type\": \"Q8_0\"}",
        "{" SMOLLM2 ", \"types\": {\"Q4_1\": 10}}",
        "{" SMOLLM2 ", \"layers\": 0, \"quantization\": \"Q4_1\"}",
        "{\"layers\": 1, \"width\": 99999999, \"heads\": 1, \"ffn_width\": 1, \"vocabulary\": 1, "
        "\"context\": 1, \"quantization\": \"F16\"}",
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct den_error err = { 0 };
        struct den_fit_shape shape;
        json_t *value = json_loads(wrong[i], 0, NULL);

        assert_non_null(value);
        assert_int_not_equal(den_fit_shape_read(value, &shape, &err), DEN_OK);
        json_decref(value);
    }
}

/* Each page of 64 tokens is 64 * 30 layers * 3 heads * 128 halves. */
static void each_page_of_the_cache_counts_once(void **state)
{
    const struct den_fit_shape shape = read_shape("{" SMOLLM2 ", \"quantization\": \"Q4_1\"}");
    const uint64_t page = 64ull * 30 * 3 * 128 * 2;
    struct den_fit_settings settings = { .context_tokens = 4096, .threads = 2 };
    const uint64_t base = den_fit_memory(&shape, &settings);

    settings.context_tokens = 4096 + 64;
    assert_int_equal(den_fit_memory(&shape, &settings), base + page);
    settings.context_tokens = 4096 + 1;
    assert_int_equal(den_fit_memory(&shape, &settings), base + page);
    settings.context_tokens = 4096;
    settings.conversations = 2;
    assert_int_equal(den_fit_memory(&shape, &settings), base + 64 * page + 8 * 49152);
    settings = (struct den_fit_settings){ .threads = 2 };
    assert_int_equal(den_fit_memory(&shape, &settings), base + 64 * page); /* 8192 tokens */
    settings =
        (struct den_fit_settings){ .context_tokens = 4096, .threads = 2, .int8_cache = true };
    assert_int_equal(den_fit_memory(&shape, &settings), base - 64 * 64ull * 30 * 3 * (128 - 8));
}

static void the_verdict_follows_the_room_there_is(void **state)
{
    const struct den_fit_shape shape = read_shape("{" SMOLLM2 ", \"quantization\": \"Q4_1\"}");
    struct den_fit_settings settings = { .threads = 2 };
    struct den_fit_machine machine = { .read_bytes_per_s = 10e9, .read_share = 0.5 };
    const uint64_t needed = den_fit_memory(&shape, &settings);
    struct den_fit fit;

    machine.free_bytes = 2 * needed;
    fit = den_fit(&shape, &settings, &machine);
    assert_int_equal(fit.verdict, DEN_FIT_FITS);
    assert_int_equal(fit.context_tokens, 8192);
    assert_true(fit.memory_bytes <= needed && fit.tokens_per_s > 40 && fit.tokens_per_s < 53);
    machine.budget_bytes = needed + needed / 20; /* the smaller of the two counts */
    assert_int_equal(den_fit(&shape, &settings, &machine).verdict, DEN_FIT_TIGHT);
    machine.budget_bytes = needed - needed / 5;
    fit = den_fit(&shape, &settings, &machine);
    assert_int_equal(fit.verdict, DEN_FIT_TIGHT);
    assert_in_range(fit.context_tokens, 512, 8191);
    settings.context_tokens = fit.context_tokens;
    assert_true(den_fit_memory(&shape, &settings) <= machine.budget_bytes);
    settings.context_tokens += 64;
    assert_true(den_fit_memory(&shape, &settings) > machine.budget_bytes);
    machine.free_bytes = 50 << 20;
    fit = den_fit(&shape, &settings, &machine);
    assert_int_equal(fit.verdict, DEN_FIT_TOO_LARGE);
    assert_int_equal(fit.context_tokens, 0);
    assert_non_null(strstr(fit.why, "smaller"));
}

static void a_size_alone_gives_a_guess_that_grows_with_it(void **state)
{
    const struct den_fit_settings settings = { .context_tokens = 2048, .threads = 2 };
    uint64_t last = 0, bytes;

    for (bytes = 1 << 20; bytes < 100ull << 30; bytes *= 3) {
        const struct den_fit_shape shape = den_fit_shape_of_bytes(bytes);
        const uint64_t memory = den_fit_memory(&shape, &settings);

        assert_true(memory > bytes && memory > last && memory < 2 * bytes + (1ull << 30));
        last = memory;
    }
}

int schedule_test_fit(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantization_gives_the_types_that_the_file_has),
        cmocka_unit_test(packed_bits_are_those_of_the_kernels),
        cmocka_unit_test(only_the_experts_that_are_used_are_read),
        cmocka_unit_test(shapes_that_cannot_be_are_refused),
        cmocka_unit_test(each_page_of_the_cache_counts_once),
        cmocka_unit_test(the_verdict_follows_the_room_there_is),
        cmocka_unit_test(a_size_alone_gives_a_guess_that_grows_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
