/* The type table and the 16-bit floats, the latter against their definition for all 65,536 values
 * and against an exact rounding in double precision. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "tensor/type.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void knows_its_types(void **state)
{
    assert_string_equal(den_type_info(12)->text, "Q4_K");
    assert_int_equal(den_type_info(12)->elements, 256);
    assert_int_equal(den_type_info(12)->bytes, 144);
    assert_null(den_type_info(4)->text); /* Q4_2, withdrawn from the format */
    assert_null(den_type_info(DEN_TYPE_COUNT)->text);
    assert_null(den_type_info(UINT32_MAX)->text);
    assert_true(den_type_is_quantized(DEN_TYPE_MXFP4));
    assert_false(den_type_is_quantized(DEN_TYPE_BF16));
    assert_false(den_type_is_quantized((enum den_type)4));
}

static void measures_rows(void **state)
{
    size_t bytes = 99;

    assert_true(den_type_row_bytes(DEN_TYPE_Q4_1, 576, &bytes));
    assert_int_equal(bytes, 576 / 32 * 20);
    assert_true(den_type_row_bytes(DEN_TYPE_I64, 0, &bytes));
    assert_int_equal(bytes, 0);
    bytes = 99;
    assert_false(den_type_row_bytes(DEN_TYPE_Q4_K, 576, &bytes)); /* 2.25 blocks */
    assert_false(den_type_row_bytes((enum den_type)4, 32, &bytes));
    assert_false(den_type_row_bytes(DEN_TYPE_F32, SIZE_MAX / 2, &bytes)); /* wraps */
    assert_int_equal(bytes, 99);
}

/* The value that IEEE 754 gives to a binary16. */
static double defined_value(uint16_t half)
{
    int exponent = half >> 10 & 31;
    int fraction = half & 1023;
    double sign = half & 0x8000 ? -1 : 1;

    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static void reads_every_f16(void **state)
{
    uint32_t half;

    for (half = 0; half < 65536; half++) {
        double wanted = defined_value((uint16_t)half);
        float value = den_f16_to_f32((uint16_t)half);

        if (isnan(wanted)) {
            assert_true(isnan(value));
        } else {
            assert_true((double)value == wanted);
            assert_int_equal(signbit(value) != 0, half >> 15);
            assert_int_equal(den_f32_to_f16(value), half);
        }
    }
}

/* Every f16 against what lies just below, at and just above the middle to its neighbour. */
static void rounds_f16_to_nearest_even(void **state)
{
    uint32_t half;

    for (half = 0; half < 0x7BFF; half++) {
        float low = den_f16_to_f32((uint16_t)half);
        float high = den_f16_to_f32((uint16_t)(half + 1));
        float middle = (low + high) / 2; /* exact: f32 has 13 more bits */
        uint32_t even = half & 1 ? half + 1 : half;

        assert_int_equal(den_f32_to_f16(nextafterf(middle, low)), half);
        assert_int_equal(den_f32_to_f16(middle), even);
        assert_int_equal(den_f32_to_f16(nextafterf(middle, high)), half + 1);
        assert_int_equal(den_f32_to_f16(-middle), even | 0x8000);
    }
    assert_int_equal(den_f32_to_f16(65504.0f), 0x7BFF);
    assert_int_equal(den_f32_to_f16(65519.996f), 0x7BFF);
    assert_int_equal(den_f32_to_f16(65520.0f), 0x7C00); /* halfway to 65536: to even, infinity */
    assert_int_equal(den_f32_to_f16(3e38f), 0x7C00);
    assert_int_equal(den_f32_to_f16(-INFINITY), 0xFC00);
    assert_int_equal(den_f32_to_f16(1e-40f), 0);
    assert_int_equal(den_f32_to_f16(NAN) & 0x7E00, 0x7E00);
    assert_int_equal(den_f32_to_f16(of_bits(0xFF800001)) & 0xFE00, 0xFE00); /* stays a NaN */
}

static void converts_bf16(void **state)
{
    uint32_t brain;

    for (brain = 0; brain < 65536; brain++) {
        uint32_t bits = brain << 16;
        bool nan = (bits & 0x7FFFFFFF) > 0x7F800000;

        assert_int_equal(bits_of(den_bf16_to_f32((uint16_t)brain)), bits);
        if (nan) {
            assert_true(isnan(den_bf16_to_f32(den_f32_to_bf16(of_bits(bits)))));
            continue;
        }
        assert_int_equal(den_f32_to_bf16(of_bits(bits)), brain);
        if ((bits & 0x7F800000) == 0x7F800000)
            continue;
        assert_int_equal(den_f32_to_bf16(of_bits(bits | 0x7FFF)), brain);
        assert_int_equal(den_f32_to_bf16(of_bits(bits | 0x8000)), brain + (brain & 1));
        assert_int_equal(den_f32_to_bf16(of_bits(bits | 0x8001)), brain + 1);
    }
    assert_true(isnan(den_bf16_to_f32(den_f32_to_bf16(of_bits(0x7F800001)))));
}

int tensor_test_type(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_types), cmocka_unit_test(measures_rows),
        cmocka_unit_test(reads_every_f16), cmocka_unit_test(rounds_f16_to_nearest_even),
        cmocka_unit_test(converts_bf16),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
