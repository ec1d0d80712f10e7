/* Quantization of activations: the definition, checked on ref; every set against ref. */
#include "test.h"

#include <math.h>

#include "kernels_fixture.h"

enum { ROWS = 3 };

static const size_t widths[] = { 1, 7, 31, 32, 33, 64, 96, 100, 576, 1000, 1536 };
enum { WIDTHS = sizeof widths / sizeof widths[0] };

static void keeps_the_definition(void **state)
{
    static float input[64];
    struct den_activations x = make_activations(2, 64);
    struct den_kernels ref;
    int k;

    den_kernels_select(0, &ref);
    for (k = 0; k < 32; k++)
        input[k] = (float)(k % 3 - 1) * 0.5f;
    for (k = 32; k < 64; k++)
        input[k] = (float)(k - 40) / 23.0f * 2.54f; /* amax 2.54: scale 0.02 */
    ref.quantize.row(input, 64, &x, 1);
    for (k = 0; k < 32; k++)
        assert_int_equal(x.values[32 + k], (k % 3 - 1) * 127);
    for (k = 32; k < 64; k++)
        assert_int_equal(x.values[64 + 32 + k - 32], (int)lrint((k - 40) / 23.0 * 127));
    assert_true(fabsf(x.scales[1] - 0.5f / 127) < 1e-9f && fabsf(x.scales[3] - 0.02f) < 1e-8f);
    assert_int_equal(x.biases[2], -8 * -127); /* 6 ones less, 5 more: k % 3 over 16 */
    assert_true(fabsf(x.scaled_sums[1] - x.scales[1] * (float)(x.biases[2] + x.biases[3]) / -8) <
                1e-6f);
    free(x.values);
}

/* Fine codes: what the first rounding left, in steps of 1/256. */
static void keeps_the_definition_of_fine(void **state)
{
    static float input[256];
    struct den_activations x = make_activations(1, 256);
    struct den_kernels ref;
    int k, sum = 0;

    den_activations_place_fine(&x, x.values, 1, 256);
    den_kernels_select(0, &ref);
    for (k = 0; k < 32; k++)
        input[k] = (float)(127 - k * 8) + (float)(k % 7) * 0.08f;
    input[0] = 127;
    input[31] = -3.499f;
    for (k = 32; k < 256; k++) /* the mean of the groups' largest is 51 */
        input[k] = k % 2 ? 40.3f : -20.1f;
    ref.quantize.row(input, 256, &x, 0);
    for (k = 0; k < 32; k++) {
        double rest = (double)input[k] - x.values[k];

        assert_int_equal(x.values[k], lrintf(input[k]));
        assert_int_equal(x.fine[k], k == 31 ? -127 : lrint(rest * 256)); /* -127.7, cut */
        sum += 256 * x.values[k] + x.fine[k];
    }
    assert_true(x.scales[0] == 1.0f / 256);
    assert_int_equal(x.biases[0] + x.biases[1], -8 * sum);
    assert_true(fabsf(x.scaled_sums[0] - (float)sum / 256) < 1e-4f);
    assert_int_equal(x.has_fine[0], 1);
    for (k = 32; k < 256; k++) {
        assert_int_equal(x.fine[k], 0);
        assert_int_equal(x.has_fine[k / 32], 0);
    }
    assert_true(fabsf(x.scales[1] - 40.3f / 127 / 256) < 1e-8f);
    ref.quantize.piece(input + 32, 224, &x, 0, 32);
    for (k = 1; k < 8; k++)
        assert_true(x.has_fine[k] && x.fine[32 * k] == lrint(-20.1 * 127 / 40.3 * 256) + 63 * 256);
    free(x.values);
}

static int code_of(const struct den_activations *x, size_t i)
{
    return x->fine ? 256 * x->values[i] + x->fine[i] : x->values[i];
}

/* Ties and last bits of the norm may fall either way: one step of the code, no more (where a coarse
 * code ends fine ones are cut, which costs another; without fine codes a step is 256). */
static void compare(const struct den_activations *a, const struct den_activations *b, int steps_max,
                    const char *set, size_t width)
{
    size_t groups = a->in_padded / DEN_GROUP * ROWS, i, h;

    for (i = 0; i < groups && a->fine; i++)
        assert_int_equal(a->has_fine[i], b->has_fine[i]);
    for (i = 0; i < groups * DEN_GROUP; i++)
        if (abs(code_of(a, i) - code_of(b, i)) > (!a->fine                     ? 1
                                                  : a->has_fine[i / DEN_GROUP] ? 2
                                                                               : 256) *
                                                     steps_max)
            fail_msg("%s, width %zu: value %zu is %d, ref %d", set, width, i, code_of(b, i),
                     code_of(a, i));
    for (i = 0; i < groups; i++) {
        int sums[2] = { 0, 0 };

        for (h = 0; h < DEN_GROUP; h++)
            sums[h / DEN_HALF_GROUP] += code_of(b, i * DEN_GROUP + h);
        assert_int_equal(b->biases[2 * i], -8 * sums[0]);
        assert_int_equal(b->biases[2 * i + 1], -8 * sums[1]);
        assert_true(fabsf(a->scales[i] - b->scales[i]) <= 1e-6f * a->scales[i]);
        assert_true(fabsf(b->scaled_sums[i] - b->scales[i] * (float)(sums[0] + sums[1])) <=
                    1e-6f * fabsf(b->scaled_sums[i]));
    }
}

static void quantize_all(const struct den_kernels *table, const float *input, size_t width, int how,
                         const struct den_activations *x)
{
    size_t r;

    for (r = 0; r < ROWS; r++) {
        const float *row = input + r * 2 * width;

        if (how == 0)
            table->quantize.row(row, width, x, r);
        else if (how == 1)
            table->quantize.norm_row(row, row + width, 1e-5f, width, x, r);
        else
            den_gate_quantize_row(table, table->vector.gate_silu, row, width, x, r);
    }
}

static void sets_agree_with_ref(void **state)
{
    struct den_kernels ref, table;
    size_t count, set, w, i;
    int how;

    den_kernel_sets(&count);
    den_kernels_select(0, &ref);
    for (set = 0; set < count; set++) {
        const char *name;

        if (!select_set(set, &table, &name)) {
            print_message("%s: not on this processor\n", name);
            continue;
        }
        for (w = 0; w < WIDTHS; w++)
            for (how = 0; how < 6; how++) {
                float *input = malloc(ROWS * 2 * widths[w] * sizeof *input);
                struct den_activations a = make_activations(ROWS, widths[w]);
                struct den_activations b = make_activations(ROWS, widths[w]);

                if (how >= 3) {
                    den_activations_place_fine(&a, a.values, ROWS, a.in_padded);
                    den_activations_place_fine(&b, b.values, ROWS, b.in_padded);
                }
                fill_random(input, ROWS * 2 * widths[w]);
                for (i = 0; i < ROWS * 2 * widths[w]; i++) /* a third of it loud */
                    input[i] *= how >= 3 && i % widths[w] < 96 ? 9 : 1;
                quantize_all(&ref, input, widths[w], how % 3, &a);
                quantize_all(&table, input, widths[w], how % 3, &b);
                compare(&a, &b, how % 3 == 0 ? 0 : 1, name, widths[w]);
                free(input);
                free(a.values);
                free(b.values);
            }
    }
}

/* The definition of the wide row, and that every set keeps it to the bit. */
static void wide_rows(void **state)
{
    size_t count, set, w, k, r;

    den_kernel_sets(&count);
    for (set = 0; set < count; set++)
        for (w = 0; w < WIDTHS; w++) {
            struct den_wide_activations x = make_wide_activations(ROWS, widths[w]);
            float *input = malloc(widths[w] * sizeof *input), amax = 0;
            struct den_kernels table;
            const char *name;

            fill_random(input, widths[w]);
            for (k = 0; k < widths[w]; k++)
                amax = fmaxf(amax, fabsf(input[k]));
            if (select_set(set, &table, &name)) {
                for (r = 0; r < ROWS; r++)
                    table.quantize.wide_row(input, widths[w], &x, r);
                assert_true(fabsf(x.scales[1] - amax / 4095) <= 1e-6f * amax / 4095);
                for (k = 0; k < x.in_padded; k++) {
                    int16_t code = x.values[(k / 32 * 12 + 1) * 32 + k % 32];

                    if (k < widths[w])
                        assert_true(fabs(code - (double)input[k] * 4095 / (double)amax) < 0.501);
                    else
                        assert_int_equal(code, 0);
                }
                memset(input, 0, widths[w] * sizeof *input);
                table.quantize.wide_row(input, widths[w], &x, 2);
                assert_true(x.scales[2] == 0 && x.values[2 * 32] == 0);
            }
            free(input);
            free(x.values);
        }
}

/* Zeros, the smallest and the largest numbers: finite scales, codes within -127 .. 127. */
static void survives_extremes(void **state)
{
    static const float levels[] = { 0, 1e-45f, 1e-38f, 1e-31f, 2e-30f, 1, 3e38f };
    size_t count, set, i, k;

    den_kernel_sets(&count);
    for (set = 0; set < count; set++)
        for (i = 0; i < sizeof levels / sizeof levels[0]; i++) {
            struct den_activations x;
            struct den_kernels table;
            const char *name;
            float input[32];

            if (!select_set(set, &table, &name))
                continue;
            x = make_activations(1, 32);
            for (k = 0; k < 32; k++)
                input[k] = k % 2 ? levels[i] : -levels[i];
            table.quantize.row(input, 32, &x, 0);
            assert_true(isfinite(x.scales[0]) && isfinite(x.scaled_sums[0]));
            for (k = 0; k < 32; k++)
                assert_int_equal(x.values[k], levels[i] < 1e-30f ? 0 : k % 2 ? 127 : -127);
            free(x.values);
        }
}

int kernels_test_quantize(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_definition), cmocka_unit_test(keeps_the_definition_of_fine),
        cmocka_unit_test(sets_agree_with_ref),  cmocka_unit_test(wide_rows),
        cmocka_unit_test(survives_extremes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
