/* The device itself: options, growing workspaces, and the operations on plain rows. */
#include "device_case.h"

static void takes_options(void **state)
{
    struct den_device_options options = { .threads = 3, .cpu_features = "scalar" };
    struct den_device *device = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_device_create(&options, &device, &err), DEN_OK);
    assert_int_equal(den_device_threads(device), 3);
    assert_string_equal(den_device_features(device), "scalar");
    den_device_destroy(device);
    options = (struct den_device_options){ 0 };
    assert_int_equal(den_device_create(&options, &device, &err), DEN_OK);
    assert_true(den_device_threads(device) >= 1);
    den_device_destroy(device);
    device = NULL;
    options.cpu_features = "mmx3";
    assert_int_equal(den_device_create(&options, &device, &err), DEN_INVALID);
    options = (struct den_device_options){ .threads = DEN_THREADS_MAX + 1 };
    assert_int_equal(den_device_create(&options, &device, &err), DEN_INVALID);
    options.threads = -1;
    assert_int_equal(den_device_create(&options, &device, &err), DEN_INVALID);
    assert_null(device);
    den_device_destroy(NULL);
}

static void grows_its_workspace(void **state)
{
    struct den_device *device = device_of(2, NULL);
    struct den_error err = { 0 };
    void *memory;

    workspace_of(device, 4, 64, 2, 16);
    workspace_of(device, 100, 32, 1, 8);
    memory = device->workspace.memory;
    assert_true(device->workspace.rows == 100 && device->workspace.width_max == 64);
    workspace_of(device, 50, 64, 2, 16);
    assert_ptr_equal(device->workspace.memory, memory);
    assert_int_equal(den_device_workspace(device, SIZE_MAX / 4, 64, 2, 16, &err), DEN_NO_MEMORY);
    assert_int_equal(den_device_workspace(device, 1, 64, DEN_HEADS_MAX + 1, 16, &err),
                     DEN_TOO_LARGE);
    assert_ptr_equal(device->workspace.memory, memory);
    den_device_destroy(device);
}

static void norms_rows(void **state)
{
    static const size_t shapes[][2] = { { 1, 5 }, { 3, 576 }, { 70, 200 } };
    size_t n, kind, accumulate, r, i;
    int threads;

    for (threads = 1; threads <= 3; threads++)
        for (n = 0; n < 3; n++)
            for (kind = 0; kind < 3; kind++)
                for (accumulate = 0; accumulate < 2; accumulate++) {
                    size_t rows = shapes[n][0], width = shapes[n][1];
                    struct den_device *device = device_of(threads, NULL);
                    float *x = random_floats(rows * width, -2, 3), *w = random_floats(width, -1, 1);
                    float *b = random_floats(width, -1, 1), *y = random_floats(rows * width, -1, 1);
                    float *before = malloc(rows * width * sizeof *before);
                    struct den_normalize op = { .norm = { kind ? w : NULL, kind == 2 ? b : NULL,
                                                          1e-5f },
                                                .input = x,
                                                .rows = rows,
                                                .width = width,
                                                .output = y,
                                                .accumulate = accumulate };

                    workspace_of(device, 1, width, 1, 16);
                    memcpy(before, y, rows * width * sizeof *y);
                    den_device_norm(device, &op);
                    for (r = 0; r < rows; r++) {
                        double mean = 0, squares = 0;

                        for (i = 0; i < width; i++)
                            mean += kind == 2 ? x[r * width + i] / (double)width : 0;
                        for (i = 0; i < width; i++)
                            squares += pow(x[r * width + i] - mean, 2);
                        for (i = 0; i < width; i++) {
                            double want = x[r * width + i];

                            if (kind)
                                want = (want - mean) / sqrt(squares / width + 1e-5) * w[i];
                            if (kind == 2)
                                want += b[i];
                            if (accumulate)
                                want += before[r * width + i];
                            assert_true(fabs(y[r * width + i] - want) < 2e-5);
                        }
                    }
                    free(x), free(w), free(b), free(y), free(before);
                    den_device_destroy(device);
                }
}

static void caps_logits(void **state)
{
    enum { ROWS = 3, WIDTH = 9001 };
    float *x = random_floats(ROWS * WIDTH, -90, 90), *y = malloc(ROWS * WIDTH * sizeof *y);
    int threads;
    size_t i;

    for (threads = 1; threads <= 3; threads++) {
        struct den_device *device = device_of(threads, NULL);

        memcpy(y, x, ROWS * WIDTH * sizeof *y);
        den_device_softcap(device, y, ROWS, WIDTH, 30);
        for (i = 0; i < ROWS * WIDTH; i++)
            assert_true(fabs(y[i] - 30 * tanh(x[i] / 30.0)) < 1e-4);
        den_device_destroy(device);
    }
    free(x);
    free(y);
}

int device_test_cpu_device(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_options),
        cmocka_unit_test(grows_its_workspace),
        cmocka_unit_test(norms_rows),
        cmocka_unit_test(caps_logits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
