/* The sampler's exponentials against libm in double precision. */
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "text/sampler_math.h"

static void exp_agrees_with_libm(void **state)
{
    double worst = 0;
    float x;

    for (x = -86.9f; x <= 0; x += 0.00137f) {
        double right = exp((double)x);
        double off = fabs(den_exp_negative(x) - right) / right;

        worst = off > worst ? off : worst;
    }
    assert_true(worst < 2e-7);
    assert_true(den_exp_negative(0) == 1.0f);
    assert_true(den_exp_negative(-88) == 0.0f);
    assert_true(den_exp_negative(-INFINITY) == 0.0f);
}

static void sums_and_maxima_of_every_length(void **state)
{
    float values[203];
    size_t count, i;

    srand(7);
    for (i = 0; i < 203; i++)
        values[i] = (float)(rand() % 2000) / 100 - 15;
    for (count = 1; count <= 203; count++) {
        double sum = 0, above = 0;
        float maximum = -INFINITY;

        for (i = 0; i < count; i++)
            maximum = fmaxf(maximum, values[i]);
        for (i = 0; i < count; i++) {
            sum += exp((double)values[i] - maximum);
            above += values[i] >= -2.0f ? exp((double)values[i] - maximum) : 0;
        }
        assert_true(den_values_max(values, count) == maximum);
        assert_true(fabs(den_values_exp_sum(values, count, maximum, -INFINITY) / sum - 1) < 1e-6);
        assert_true(fabs(den_values_exp_sum(values, count, maximum, -2.0f) - above) < 1e-6 * sum);
    }
}

static void odd_values_do_no_harm(void **state)
{
    float values[6] = { NAN, 1, -INFINITY, INFINITY, -FLT_MAX, NAN };
    float clean[6];

    den_values_copy_clean(clean, values, 6);
    assert_true(clean[0] == -INFINITY && clean[1] == 1 && clean[2] == -INFINITY);
    assert_true(clean[3] == FLT_MAX && clean[4] == -FLT_MAX && clean[5] == -INFINITY);
    assert_true(den_values_max(values, 6) == INFINITY);
    assert_true(den_values_max(values, 1) == -INFINITY);
    assert_true(den_values_max(values, 0) == -INFINITY);
    assert_true(den_values_exp_sum(values, 3, 1, -INFINITY) == 1.0);
}

int text_test_sampler_math(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_agrees_with_libm),
        cmocka_unit_test(sums_and_maxima_of_every_length),
        cmocka_unit_test(odd_values_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
