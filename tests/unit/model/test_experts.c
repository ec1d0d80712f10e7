/* The router's choice against a plain sort. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "model/parts.h"

enum { EXPERTS = 37, ROUNDS = 500 };

static void chooses_the_largest(void **state)
{
    int round;

    srand(7);
    for (round = 0; round < ROUNDS; round++) {
        size_t used = (size_t)(rand() % EXPERTS) + 1;
        float logits[EXPERTS];
        int32_t chosen[EXPERTS];
        float scales[EXPERTS];
        double all = 0;
        double some = 0;
        size_t i;
        size_t j;
        bool renormalise = round % 2 == 0;

        for (i = 0; i < EXPERTS; i++) {
            logits[i] = (float)(rand() % 1000) / 100;
            all += exp(logits[i]);
        }
        den_experts_choose(logits, EXPERTS, used, renormalise, chosen, scales);
        for (i = 0; i < used; i++) {
            size_t larger = 0;

            some += exp(logits[chosen[i]]);
            for (j = 0; j < EXPERTS; j++) /* its rank; equal ones rank by number */
                larger += logits[j] > logits[chosen[i]] ||
                          (logits[j] == logits[chosen[i]] && (int32_t)j < chosen[i]);
            assert_int_equal(larger, i);
        }
        for (i = 0; i < used; i++)
            assert_true(fabs(exp(logits[chosen[i]]) / (renormalise ? some : all) - scales[i]) <
                        1e-5);
    }
}

/* Rubbish in, but never an index out of range. */
static void survives_nan(void **state)
{
    float logits[EXPERTS];
    int32_t chosen[EXPERTS];
    float scales[EXPERTS];
    size_t i;

    for (i = 0; i < EXPERTS; i++)
        logits[i] = i % 3 ? NAN : (float)i;
    den_experts_choose(logits, EXPERTS, 8, true, chosen, scales);
    for (i = 0; i < 8; i++)
        assert_in_range(chosen[i], 0, EXPERTS - 1);
}

int model_test_experts(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_largest),
        cmocka_unit_test(survives_nan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
