/* Attention of encoders against softmax sums in double: texts of many lengths in one batch, odd
 * head widths, every number of threads with the same bits. */
#include "device_case.h"

#include "device/text_attention.h"

static const size_t lengths[] = { 1, 2, 15, 16, 17, 48, 49, 100, 3, 257 };
enum { TEXTS = sizeof lengths / sizeof lengths[0] };

static double exact(const struct den_text_attention *op, size_t text, size_t row, size_t head,
                    size_t column)
{
    size_t first = op->begin[text], end = op->begin[text + 1], r, k;
    const float *query = op->qkv + row * op->stride + head * op->head_width;
    double most = -INFINITY, sum = 0, value = 0;
    double *scores = malloc((end - first) * sizeof *scores);

    for (r = first; r < end; r++) {
        const float *key = op->qkv + r * op->stride + (op->heads + head) * op->head_width;

        scores[r - first] = 0;
        for (k = 0; k < op->head_width; k++)
            scores[r - first] += (double)query[k] * (double)key[k];
        scores[r - first] *= (double)op->scale;
        most = fmax(most, scores[r - first]);
    }
    for (r = first; r < end; r++) {
        double weight = exp(scores[r - first] - most);

        sum += weight;
        value += weight *
                 (double)op->qkv[r * op->stride + (2 * op->heads + head) * op->head_width + column];
    }
    free(scores);
    return value / sum;
}

static void agrees_with_doubles(void **state)
{
    static const size_t shapes[][2] = { { 3, 32 }, { 2, 7 }, { 1, 64 }, { 4, 20 } };
    size_t begin[TEXTS + 1] = { 0 }, shape, t, row, i;
    int threads;

    for (t = 0; t < TEXTS; t++)
        begin[t + 1] = begin[t] + lengths[t];
    for (shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
        size_t heads = shapes[shape][0], width = shapes[shape][1], rows = begin[TEXTS];
        size_t out = heads * width;
        float *qkv = random_floats(rows * (3 * out + 5), -2, 2);
        float *found = malloc(rows * out * sizeof *found), *again = malloc(rows * out * 4);
        struct den_text_attention op = { .qkv = qkv,
                                         .stride = 3 * out + 5,
                                         .heads = heads,
                                         .head_width = width,
                                         .scale = 0.4f,
                                         .begin = begin,
                                         .texts = TEXTS,
                                         .output = found };

        for (threads = 1; threads <= 3; threads++) {
            struct den_device *device = device_of(threads, NULL);
            struct den_error err = { 0 };

            op.output = threads == 1 ? found : again;
            assert_int_equal(den_device_text_workspace(device, 257, width, &err), DEN_OK);
            den_device_text_attention(device, &op);
            if (threads > 1)
                assert_memory_equal(found, again, rows * out * sizeof *found);
            den_device_destroy(device);
        }
        for (t = 0; t < TEXTS; t++)
            for (row = begin[t]; row < begin[t + 1]; row += 1 + row % 3)
                for (i = row % 2; i < out; i += 5) {
                    double want = exact(&op, t, row, i / width, i % width);

                    if (!(fabs(want - (double)found[row * out + i]) < 1e-5))
                        fail_msg("text %zu, row %zu, %zu: %g, should be %g", t, row, i,
                                 (double)found[row * out + i], want);
                }
        free(qkv);
        free(found);
        free(again);
    }
}

static void refuses_too_large(void **state)
{
    struct den_device *device = device_of(1, NULL);
    struct den_error err = { 0 };

    assert_int_equal(den_device_text_workspace(device, 16, 100000, &err), DEN_TOO_LARGE);
    err = (struct den_error){ 0 };
    assert_int_equal(den_device_text_workspace(device, SIZE_MAX / 2, 64, &err), DEN_TOO_LARGE);
    den_device_destroy(device);
}

int device_test_cpu_text_attention(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_doubles),
        cmocka_unit_test(refuses_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
