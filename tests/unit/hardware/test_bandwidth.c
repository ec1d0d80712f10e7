/* Bandwidth: a buffer that a cache holds must read faster than the slowest memory in use, and no
 * machine reads a terabyte a second from one core. */
#include "test.h"

#include <string.h>

#include "hardware/bandwidth.h"

static void measures(void **state)
{
    struct den_bandwidth_options options = { .threads = 1, .bytes = 1 << 20, .seconds = 0.01 };
    struct den_error err = { 0 };
    double bytes_per_s = 0;

    assert_int_equal(den_bandwidth_measure(&options, &bytes_per_s, &err), DEN_OK);
    assert_true(bytes_per_s > 1e8 && bytes_per_s < 1e12);
}

static void refuses_what_it_cannot_share(void **state)
{
    struct den_bandwidth_options options = { .threads = 2, .bytes = 100 };
    struct den_error err = { 0 };
    double bytes_per_s = -1;

    assert_int_equal(den_bandwidth_measure(&options, &bytes_per_s, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "100 bytes"));
    err = (struct den_error){ 0 };
    options.threads = -1;
    assert_int_equal(den_bandwidth_measure(&options, &bytes_per_s, &err), DEN_INVALID);
    assert_true(bytes_per_s == -1);
}

int hardware_test_bandwidth(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures),
        cmocka_unit_test(refuses_what_it_cannot_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
