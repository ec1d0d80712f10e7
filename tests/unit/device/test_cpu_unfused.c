/* Fusions switched off: the same sums by more passes, whichever are off, and fused again after. */
#include "device_case.h"

#include "device/fusion.h"

enum { IN = 320, OUT_1 = 96, OUT_2 = 64, OUT = OUT_1 + OUT_2, ROWS = 37 };

struct linear_test {
    struct den_device *device;
    struct den_matrix *stacked, *whole;
    struct den_tensor tensors[3];
    float *input, *weight, *bias, *before;
    int32_t from[ROWS];
};

static struct den_matrix *matrix_of(struct den_device *device, const struct den_tensor *tensors,
                                    int count)
{
    const struct den_tensor *list[2] = { &tensors[0], &tensors[count - 1] };
    struct den_matrix *matrix = NULL;
    struct den_error err = { 0 };

    if (den_matrix_create(device, list, count, DEN_PRECISION_INT8, &matrix, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return matrix;
}

static void set_up(struct linear_test *test, int threads)
{
    int i;

    test->device = device_of(threads, NULL);
    workspace_of(test->device, ROWS, IN, 1, 64);
    test->tensors[0] = random_tensor(DEN_TYPE_Q4_1, IN, OUT_1);
    test->tensors[1] = random_tensor(DEN_TYPE_Q8_0, IN, OUT_2);
    test->tensors[2] = random_tensor(DEN_TYPE_Q4_0, IN, OUT);
    test->stacked = matrix_of(test->device, test->tensors, 2);
    test->whole = matrix_of(test->device, test->tensors + 2, 1);
    test->input = random_floats((size_t)ROWS * 2 * IN, -1, 1);
    test->weight = random_floats(IN, 0.5f, 2);
    test->bias = random_floats(OUT, -1, 1);
    test->before = random_floats((size_t)ROWS * OUT, -1, 1);
    for (i = 0; i < ROWS; i++)
        test->from[i] = (i * 5 + 3) % ROWS;
}

static void tear_down(struct linear_test *test)
{
    int i;

    den_matrix_destroy(test->stacked);
    den_matrix_destroy(test->whole);
    den_device_destroy(test->device);
    for (i = 0; i < 3; i++)
        free((void *)test->tensors[i].data);
    free(test->input);
    free(test->weight);
    free(test->bias);
    free(test->before);
}

static float *run(struct linear_test *test, const struct den_linear *op, unsigned off)
{
    float *output = malloc((size_t)ROWS * OUT * sizeof *output);
    struct den_linear now = *op;
    struct den_error err = { 0 };

    assert_non_null(output);
    memcpy(output, test->before, (size_t)ROWS * OUT * sizeof *output);
    now.output = output;
    assert_int_equal(den_device_unfuse(test->device, off, &err), DEN_OK);
    den_device_linear(test->device, &now);
    assert_int_equal(den_device_unfuse(test->device, 0, &err), DEN_OK);
    return output;
}

/* Sums of IN products of int8 codes, whose inputs may have been rounded one code apart. */
static void compare(const float *a, const float *b)
{
    double error = 0, size = 0;
    size_t i;

    for (i = 0; i < (size_t)ROWS * OUT; i++) {
        error += (double)(a[i] - b[i]) * (a[i] - b[i]);
        size += (double)a[i] * a[i];
    }
    if (error > size * 1e-6)
        fail_msg("relative error %g", sqrt(error / size));
}

static void check(int threads)
{
    struct linear_test test;
    size_t rows[] = { 1, ROWS }, r, k;
    unsigned off;

    set_up(&test, threads);
    for (r = 0; r < 2; r++) {
        const struct den_linear cases[] = {
            { .matrix = test.stacked, .norm = { .weight = test.weight, .epsilon = 1e-5f } },
            { .matrix = test.whole, .gate = DEN_ACTIVATION_SILU, .accumulate = true },
            { .matrix = test.stacked, .input_rows = test.from, .accumulate = true },
            { .matrix = test.whole, .output_rows = test.from, .accumulate = true },
            { .matrix = test.stacked, .activation = DEN_ACTIVATION_GELU_TANH },
        };

        for (k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            struct den_linear op = cases[k];
            float *fused;

            op.rows = rows[r];
            op.input = test.input;
            op.input_stride = 2 * IN;
            op.output_stride = OUT;
            op.bias = test.bias;
            fused = run(&test, &op, 0);
            for (off = 1; off < 16; off++) {
                float *unfused = run(&test, &op, off);

                compare(fused, unfused);
                free(unfused);
            }
            free(fused);
        }
    }
    tear_down(&test);
}

static void sums_are_the_same(void **state)
{
    check(1);
    check(2);
}

int device_test_cpu_unfused(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sums_are_the_same) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
