/* xoshiro256** seeded by SplitMix64, against values from an independent computation (Python). */
#include "test.h"

#include "text/sampler_random.h"

static void sequences_are_the_published_ones(void **state)
{
    static const struct {
        uint64_t seed, first, second, thousandth;
    } cases[] = {
        { 0, 0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x7aac8c483a2edd2f },
        { 1, 0xb3f2af6d0fc710c5, 0x853b559647364cea, 0xb8517c33c344d153 },
        { 0xDEADBEEFCAFE, 0x356c823b49ff5391, 0x6213c5e78530bc1e, 0x726a4b7d14efcaae },
    };
    size_t i;

    for (i = 0; i < 3; i++) {
        struct den_random random;
        int n;

        den_random_init(&random, cases[i].seed);
        assert_true(den_random_next(&random) == cases[i].first);
        assert_true(den_random_next(&random) == cases[i].second);
        for (n = 2; n < 999; n++)
            den_random_next(&random);
        assert_true(den_random_next(&random) == cases[i].thousandth);
    }
}

static void uniforms_fill_the_unit_interval(void **state)
{
    struct den_random random;
    int counts[10] = { 0 }, i;

    den_random_init(&random, 3);
    for (i = 0; i < 100000; i++) {
        double u = den_random_uniform(&random);

        assert_true(u >= 0 && u < 1);
        counts[(int)(u * 10)]++;
    }
    for (i = 0; i < 10; i++)
        assert_in_range(counts[i], 9600, 10400); /* deviation 95 */
}

int text_test_sampler_random(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_the_published_ones),
        cmocka_unit_test(uniforms_fill_the_unit_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
