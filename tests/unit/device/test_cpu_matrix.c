/* Matrices: embeddings of stacked parts, bytes, and tensors that do not fit together. */
#include "device_case.h"

static void embeds_rows(void **state)
{
    enum { IN = 96, ROWS = 40 };
    struct den_tensor parts[3] = { random_tensor(DEN_TYPE_Q4_0, IN, 50),
                                   random_tensor(DEN_TYPE_F16, IN, 17),
                                   random_tensor(DEN_TYPE_Q8_0, IN, 33) };
    const struct den_tensor *tensors[3] = { &parts[0], &parts[1], &parts[2] };
    float *output = random_floats(ROWS * (IN + 2), 0, 1), want[IN];
    int32_t tokens[ROWS];
    int threads, precision;
    size_t row, i;

    for (row = 0; row < ROWS; row++)
        tokens[row] = (int32_t)(row < 3 ? (size_t[]){ 0, 99, 50 }[row] : random_bits() % 100);
    for (threads = 1; threads <= 3; threads++)
        for (precision = 0; precision < 2; precision++) {
            struct den_device *device = device_of(threads, NULL);
            struct den_matrix *matrix = NULL;
            struct den_error err = { 0 };

            assert_int_equal(
                den_matrix_create(device, tensors, 3, (enum den_precision)precision, &matrix, &err),
                DEN_OK);
            assert_int_equal(den_matrix_out(matrix), 100);
            assert_true(den_matrix_bytes(matrix) >= parts[0].bytes + parts[1].bytes);
            den_device_embed(device, &(struct den_embed){ .matrix = matrix,
                                                          .tokens = tokens,
                                                          .rows = ROWS,
                                                          .scale = 1.5f,
                                                          .output = output,
                                                          .output_stride = IN + 2 });
            for (row = 0; row < ROWS; row++) {
                size_t token = (size_t)tokens[row], part = token < 50 ? 0 : token < 67 ? 1 : 2;

                token -= (size_t[]){ 0, 50, 67 }[part];
                den_type_to_f32(parts[part].type,
                                (const char *)parts[part].data + token * parts[part].row_bytes,
                                want, IN);
                for (i = 0; i < IN; i++)
                    assert_true(output[row * (IN + 2) + i] == 1.5f * want[i]);
            }
            den_matrix_destroy(matrix);
            den_device_destroy(device);
        }
    free(output);
    for (i = 0; i < 3; i++)
        free((void *)parts[i].data);
}

static void refuses_what_does_not_fit(void **state)
{
    struct den_tensor a = random_tensor(DEN_TYPE_F32, 64, 3),
                      b = random_tensor(DEN_TYPE_F32, 32, 3), integers = a;
    const struct den_tensor *unequal[2] = { &a, &b }, *wrong[1] = { &integers };
    struct den_device *device = device_of(2, NULL);
    struct den_matrix *matrix = NULL;
    struct den_error err = { 0 };

    b.name = "blk.0.attn_k.weight";
    assert_int_equal(den_matrix_create(device, unequal, 2, DEN_PRECISION_INT8, &matrix, &err),
                     DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "blk.0.attn_k.weight"));
    assert_non_null(strstr(err.message, "32"));
    integers.type = DEN_TYPE_I32;
    assert_int_equal(den_matrix_create(device, wrong, 1, DEN_PRECISION_INT8, &matrix, &err),
                     DEN_UNSUPPORTED);
    assert_int_equal(den_matrix_create(device, wrong, 0, DEN_PRECISION_INT8, &matrix, &err),
                     DEN_INVALID);
    assert_null(matrix);
    den_matrix_destroy(NULL);
    den_device_destroy(device);
    free((void *)a.data);
    free((void *)b.data);
}

int device_test_cpu_matrix(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeds_rows),
        cmocka_unit_test(refuses_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
