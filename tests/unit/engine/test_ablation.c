/* Ablation on a tiny model: every row comes once, with figures that fit together; what can't be
 * measured is refused; the engine's answers are those of before. */
#include "engine/tiny.h"

#include "engine/ablation.h"

struct rows {
    size_t count;
    bool has_batching, has_reuse;
};

static void take_row(void *context, const struct den_ablation_row *row)
{
    struct rows *rows = context;

    rows->count++;
    assert_true(row->with.low > 0 && row->without.low > 0 && row->gain > 0);
    assert_true(row->with.low <= row->with.median && row->with.median <= row->with.high);
    assert_true(row->without.low <= row->without.median &&
                row->without.median <= row->without.high);
    /* a median of ratios lies within the ratios of the extremes */
    assert_true(row->gain <= row->with.high / row->without.low * (1 + 1e-9));
    assert_true(row->gain >= row->with.low / row->without.high * (1 - 1e-9));
    rows->has_batching |= strstr(row->name, "batch") != NULL;
    rows->has_reuse |= strcmp(row->figure, "first token") == 0;
}

static struct den_ablation_options tiny_options(char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/models/llama", DEN_FIXTURES);
    return (struct den_ablation_options){ .engine = { .path = path, .threads = 2 },
                                          .prompt = 48,
                                          .generate = 4,
                                          .sequences = 3,
                                          .depth = 8,
                                          .runs = 3 };
}

static void measures_every_row(void **state)
{
    char path[512];
    const struct den_ablation_options options = tiny_options(path, sizeof path);
    struct rows rows = { 0 };
    struct den_error err = { 0 };

    if (den_ablation_run(&options, take_row, &rows, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_true(rows.count >= 14); /* five fusions twice, batching, reuse, threads twice */
    assert_true(rows.has_batching && rows.has_reuse);
}

static void refuses_nothing_to_compare(void **state)
{
    char path[512];
    struct den_ablation_options options[4];
    size_t i;

    for (i = 0; i < 4; i++)
        options[i] = tiny_options(path, sizeof path);
    options[0].sequences = 1;
    options[1].runs = 0;
    options[2].prompt = 0;
    options[3].generate = 0;
    for (i = 0; i < 4; i++) {
        struct rows rows = { 0 };
        struct den_error err = { 0 };

        assert_int_equal(den_ablation_run(&options[i], take_row, &rows, &err), DEN_INVALID);
        assert_int_equal(rows.count, 0);
    }
}

int engine_test_ablation(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_every_row),
        cmocka_unit_test(refuses_nothing_to_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
