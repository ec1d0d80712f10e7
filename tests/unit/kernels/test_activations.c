/* Memory of quantized activations: arrays that do not overlap and stay inside, sizes that
 * overflow. */
#include "test.h"

#include "kernels_fixture.h"

static void arrays_fit(void **state)
{
    size_t rows, padded, bytes;

    for (rows = 1; rows < 30; rows++)
        for (padded = 32; padded <= 96; padded += 32) {
            unsigned char *memory = aligned(4 * rows * padded + 4096);
            struct den_activations x;
            struct den_wide_activations wide;

            assert_true(den_activations_bytes(rows, padded, &bytes));
            den_activations_place(&x, memory, rows, padded);
            assert_true((unsigned char *)x.scales >= (unsigned char *)x.values + rows * padded);
            assert_true(x.scaled_sums >= x.scales + rows * padded / 32);
            assert_true((unsigned char *)(x.biases + rows * padded / 16) <= memory + bytes);
            assert_null(x.fine);
            den_activations_place_fine(&x, memory, rows, padded);
            assert_true(x.fine >= (int8_t *)(x.biases + rows * padded / 16));
            assert_true((unsigned char *)x.fine + rows * padded <= memory + bytes);
            assert_true(den_wide_activations_bytes(rows, padded, &bytes));
            den_wide_activations_place(&wide, memory, rows, padded);
            assert_true((unsigned char *)wide.scales >=
                        (unsigned char *)(wide.values + den_wide_row_at(&wide, rows - 1) + 32));
            assert_true((unsigned char *)(wide.scales + rows) <= memory + bytes);
            free(memory);
        }
}

static void overflow_is_told(void **state)
{
    size_t bytes = 7;

    assert_false(den_activations_bytes(SIZE_MAX / 2, 64, &bytes));
    assert_false(den_wide_activations_bytes(SIZE_MAX / 2, 64, &bytes));
    assert_false(den_wide_activations_bytes(SIZE_MAX - 3, 32, &bytes));
    assert_int_equal(bytes, 7);
}

int kernels_test_activations(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_fit),
        cmocka_unit_test(overflow_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
