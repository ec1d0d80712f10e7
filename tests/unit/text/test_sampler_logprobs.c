/* Log-probabilities against sums in long double. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "text/sampler.h"

static void values_and_order_are_right(void **state)
{
    const size_t sizes[] = { 1, 5, 64, 129, 50001 };
    float *logits = calloc(50001, sizeof *logits);
    size_t s, i, n;

    srand(3);
    for (s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct den_token_logprob token, top[20];
        size_t count = sizes[s] < 20 ? sizes[s] : 20, asked = (size_t)rand() % sizes[s];
        long double total = 0;

        for (i = 0; i < sizes[s]; i++)
            logits[i] = (float)(rand() % 4000) / 100 - 20;
        for (i = 0; i < sizes[s]; i++)
            total += expl((long double)logits[i]);
        den_logprobs_top(logits, sizes[s], (den_token)asked, &token, top, 20);
        assert_int_equal(token.token, asked);
        assert_true(fabsl((long double)token.logprob - (logits[asked] - logl(total))) < 2e-5L);
        for (n = 0; n < count; n++) {
            size_t better = 0;

            for (i = 0; i < sizes[s]; i++)
                better += logits[i] > logits[top[n].token] ||
                          (logits[i] == logits[top[n].token] && (den_token)i < top[n].token);
            assert_int_equal(better, n);
            assert_true(fabsl((long double)top[n].logprob - (logits[top[n].token] - logl(total))) <
                        2e-5L);
        }
        for (; n < 20; n++)
            assert_int_equal(top[n].token, DEN_TOKEN_NONE);
    }
    free(logits);
}

int text_test_sampler_logprobs(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values_and_order_are_right) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
