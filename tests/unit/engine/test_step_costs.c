/* What is learned of steps' costs, on a machine whose load changes. */
#include "engine/step_costs.h"

#include "test.h"

static void knows_what_it_was_told(void **state)
{
    struct den_step_costs costs = { 0 };
    size_t i;

    assert_float_equal(den_step_costs_estimate(&costs, 1), 1, 0);
    assert_true(den_step_costs_estimate(&costs, 9) > den_step_costs_estimate(&costs, 5));
    for (i = 0; i < 400; i++) {
        den_step_costs_learn(&costs, 1, 0.010);
        den_step_costs_learn(&costs, 5, 0.012);
        den_step_costs_learn(&costs, 9, 0.030);
    }
    assert_float_equal(den_step_costs_estimate(&costs, 5), 1.2, 0.03);
    assert_float_equal(den_step_costs_estimate(&costs, 9), 3.0, 0.05);
    assert_float_equal(den_step_costs_estimate(&costs, 3), 1.1, 0.03);  /* between */
    assert_float_equal(den_step_costs_estimate(&costs, 7), 2.1, 0.05);  /* between */
    assert_float_equal(den_step_costs_estimate(&costs, 17), 5.0, 0.05); /* beyond */
}

/* All steps become slower or faster at once: the shape stays. */
static void is_not_misled_by_load(void **state)
{
    struct den_step_costs costs = { 0 };
    size_t i;

    for (i = 0; i < 2000; i++) {
        double load = i / 100 % 2 ? 3 : 1;

        if (i % 97 == 5) /* one step in a hundred loses its core for long */
            load *= 20;
        den_step_costs_learn(&costs, i % 2 ? 1 : 6, load * (i % 2 ? 0.01 : 0.02));
    }
    assert_in_range((size_t)(den_step_costs_estimate(&costs, 6) * 100), 170, 240);
}

static void ignores_what_says_nothing(void **state)
{
    struct den_step_costs costs = { 0 };

    den_step_costs_learn(&costs, 0, 1);
    den_step_costs_learn(&costs, DEN_COSTED_ROWS_MAX + 1, 1);
    den_step_costs_learn(&costs, 2, 0);
    assert_true(costs.unit <= 0);
    den_step_costs_learn(&costs, 4, 1);
    assert_true(costs.unit > 0);
    assert_true(den_step_costs_estimate(&costs, 1000) > den_step_costs_estimate(&costs, 64));
}

int engine_test_step_costs(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_it_was_told),
        cmocka_unit_test(is_not_misled_by_load),
        cmocka_unit_test(ignores_what_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
