/* Checked arithmetic, compared at its edges with arithmetic that is wide enough. */
#include "test.h"

#include "base/checked.h"

static const size_t edges[] = {
    0,
    1,
    2,
    3,
    7,
    8,
    63,
    64,
    65,
    4095,
    4096,
    (size_t)1 << 31,
    UINT32_MAX,
    (size_t)1 << 32,
    (size_t)1 << 62,
    (size_t)1 << 63,
    SIZE_MAX - 64,
    SIZE_MAX - 1,
    SIZE_MAX,
};
enum { EDGES = sizeof edges / sizeof edges[0] };

__extension__ typedef unsigned __int128 wide;

static void agrees_with_wide_arithmetic(void **state)
{
    int i, j;

    for (i = 0; i < EDGES; i++) {
        for (j = 0; j < EDGES; j++) {
            size_t out = 12345;
            wide sum = (wide)edges[i] + edges[j];
            wide product = (wide)edges[i] * edges[j];

            assert_int_equal(den_checked_add(edges[i], edges[j], &out), sum <= SIZE_MAX);
            assert_true(out == (sum <= SIZE_MAX ? (size_t)sum : 12345));
            out = 12345;
            assert_int_equal(den_checked_multiply(edges[i], edges[j], &out), product <= SIZE_MAX);
            assert_true(out == (product <= SIZE_MAX ? (size_t)product : 12345));
        }
    }
}

static void aligns(void **state)
{
    int i, shift;

    for (i = 0; i < EDGES; i++) {
        for (shift = 0; shift < 64; shift++) {
            size_t alignment = (size_t)1 << shift;
            wide wanted = ((wide)edges[i] + alignment - 1) / alignment * alignment;
            size_t out = 12345;
            /* the sum on the way may overflow although the result, 0 padding, would fit */
            bool fits = (wide)edges[i] + alignment - 1 <= SIZE_MAX;

            assert_int_equal(den_checked_align(edges[i], alignment, &out), fits);
            assert_true(out == (fits ? (size_t)wanted : 12345));
        }
    }
}

static void checks_ranges(void **state)
{
    int i, j, k;

    for (i = 0; i < EDGES; i++)
        for (j = 0; j < EDGES; j++)
            for (k = 0; k < EDGES; k++)
                assert_int_equal(den_checked_range(edges[i], edges[j], edges[k]),
                                 (wide)edges[i] + edges[j] <= edges[k]);
}

int base_test_checked(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_wide_arithmetic),
        cmocka_unit_test(aligns),
        cmocka_unit_test(checks_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
