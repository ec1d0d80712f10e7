/* Attention kernels: every set against sums in double, on all tile remainders; the online softmax
 * in pieces against the softmax of the whole. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/attention.h"
#include "tensor/type.h"

enum { QUERIES_MAX = 13, DEPTH_MAX = 70, COLUMNS_MAX = 150, STRIDE = 160 };

struct set {
    const char *name;
    struct den_attention_kernels table;
};

static size_t all_sets(struct set sets[3])
{
    size_t count = 0;

    sets[count].name = "ref";
    den_attention_kernels_ref(&sets[count++].table);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        sets[count].name = "avx2";
        den_attention_kernels_avx2(&sets[count++].table);
    }
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        sets[count].name = "avx512";
        den_attention_kernels_avx512(&sets[count++].table);
    }
#endif
    return count;
}

static uint64_t seed = 1;

static float uniform(float low, float high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (float)(seed >> 40) / (float)(1 << 24);
}

static float left[QUERIES_MAX * STRIDE], right[DEPTH_MAX * STRIDE], output[QUERIES_MAX * STRIDE],
    before[QUERIES_MAX * STRIDE];
static uint16_t right_half[DEPTH_MAX * STRIDE];
static int8_t right_codes[DEPTH_MAX * STRIDE];

enum kind { F32, F16, I8 };

static double right_value(enum kind kind, size_t index)
{
    if (kind == I8)
        return right_codes[index];
    return kind == F16 ? den_f16_to_f32(right_half[index]) : right[index];
}

static void check_product(const struct set *set, const struct den_small_product *product,
                          enum kind kind)
{
    static const char *const names[] = { "f32", "f16", "i8" };
    const double exact = kind == I8 ? 127e-5 : 1e-5;
    size_t q, c, k;

    memcpy(output, before, sizeof output);
    (kind == I8    ? set->table.multiply_i8
     : kind == F16 ? set->table.multiply_f16
                   : set->table.multiply_f32)(product);
    for (q = 0; q < QUERIES_MAX; q++)
        for (c = 0; c < STRIDE; c++) {
            double want = product->accumulate ? before[q * STRIDE + c] : 0, value;

            if (q >= product->queries || c >= product->columns) {
                assert_true(output[q * STRIDE + c] == before[q * STRIDE + c]);
                continue;
            }
            for (k = 0; k < product->depth; k++)
                want += (double)left[q * STRIDE + k] * right_value(kind, k * STRIDE + c);
            value = output[q * STRIDE + c];
            if (fabs(value - want) > exact)
                fail_msg("%s %s, %zu x %zu x %zu: [%zu][%zu] is %.9g, not %.9g", set->name,
                         names[kind], product->queries, product->depth, product->columns, q, c,
                         value, want);
        }
}

static void products(void **state)
{
    static const size_t columns[] = { 1, 5, 8, 15, 16, 17, 33, 48, 64, 65, 80, 128, 150 };
    static const size_t depths[] = { 0, 1, 17, 64, 70 };
    struct set sets[3];
    size_t count = all_sets(sets), s, queries, c, d, i;

    for (i = 0; i < QUERIES_MAX * STRIDE; i++) {
        left[i] = uniform(-1, 1);
        before[i] = uniform(-1, 1);
    }
    for (i = 0; i < DEPTH_MAX * STRIDE; i++) {
        right[i] = uniform(-1, 1);
        right_half[i] = den_f32_to_f16(right[i]);
        right_codes[i] = (int8_t)uniform(-127.9f, 127.9f);
    }
    for (s = 0; s < count; s++)
        for (queries = 1; queries <= QUERIES_MAX; queries++)
            for (c = 0; c < sizeof columns / sizeof columns[0]; c++)
                for (d = 0; d < sizeof depths / sizeof depths[0]; d++) {
                    struct den_small_product product = { .left = left,
                                                         .left_stride = STRIDE,
                                                         .queries = queries,
                                                         .depth = depths[d],
                                                         .right = right,
                                                         .right_stride = STRIDE,
                                                         .columns = columns[c],
                                                         .output = output,
                                                         .output_stride = STRIDE,
                                                         .accumulate = (int)(queries + c + d) % 2 };

                    check_product(&sets[s], &product, F32);
                    product.right = right_half;
                    check_product(&sets[s], &product, F16);
                    product.right = right_codes;
                    check_product(&sets[s], &product, I8);
                }
}

/* One row's result must not depend on how many others there are. */
static void rows_are_independent(void **state)
{
    struct set sets[3];
    size_t count = all_sets(sets), s, q;
    float alone[STRIDE];

    for (s = 0; s < count; s++) {
        struct den_small_product product = { .left = left,
                                             .left_stride = STRIDE,
                                             .queries = QUERIES_MAX,
                                             .depth = 64,
                                             .right = right_half,
                                             .right_stride = STRIDE,
                                             .columns = COLUMNS_MAX,
                                             .output = output,
                                             .output_stride = STRIDE };

        sets[s].table.multiply_f16(&product);
        product.queries = 1;
        product.output = alone;
        for (q = 0; q < QUERIES_MAX; q++) {
            product.left = left + q * STRIDE;
            sets[s].table.multiply_f16(&product);
            assert_memory_equal(alone, output + q * STRIDE, COLUMNS_MAX * sizeof *alone);
        }
    }
}

static void softmax_in_pieces(void **state)
{
    enum { TOTAL = 200 };
    struct set sets[3];
    size_t count = all_sets(sets), s, piece, i;
    float raw[TOTAL], scores[TOTAL + 1];
    double want[TOTAL];

    for (s = 0; s < count; s++)
        for (piece = 1; piece <= TOTAL; piece += piece < 20 ? 1 : 37) {
            float softcap = piece % 3 == 0 ? 5 : 0, scale = 0.3f;
            struct den_softmax row = { .maximum = -INFINITY };
            double maximum = -INFINITY, sum = 0, weight[TOTAL];
            size_t at, pieces = 0, last = 0;

            for (i = 0; i < TOTAL; i++) {
                raw[i] = uniform(-60, 60);
                want[i] = (double)scale * raw[i];
                if (softcap > 0)
                    want[i] = softcap * tanh(want[i] / softcap);
                maximum = want[i] > maximum ? want[i] : maximum;
            }
            for (i = 0; i < TOTAL; i++)
                sum += want[i] = exp(want[i] - maximum);
            memcpy(scores, raw, sizeof raw);
            scores[TOTAL] = 77;
            for (at = 0; at < TOTAL; at += piece, pieces++) {
                size_t length = TOTAL - at < piece ? TOTAL - at : piece;
                double shrink = sets[s].table.softmax(scores + at, length, scale, softcap, &row);

                if (pieces == 0)
                    assert_true(shrink == 0);
                for (i = 0; i < last; i++)
                    weight[i] *= shrink;
                for (i = at; i < at + length; i++)
                    weight[i] = scores[i];
                last = at + length;
            }
            assert_true(scores[TOTAL] == 77);
            assert_true(fabs(row.maximum - maximum) < 1e-5);
            assert_true(fabs(row.sum - sum) < 2e-5 * sum);
            for (i = 0; i < TOTAL; i++)
                if (fabs(weight[i] - want[i]) > 1e-5 * want[i] + 1e-9)
                    fail_msg("%s softmax, pieces of %zu: [%zu] is %.9g, not %.9g", sets[s].name,
                             piece, i, weight[i], want[i]);
        }
}

/* Codes of a row and its scale, equal in all sets; columns scaled, the rest untouched. */
static void codes_and_scales(void **state)
{
    float values[STRIDE], scale, want[2 * STRIDE], got[2 * STRIDE];
    struct set sets[3];
    size_t count = all_sets(sets), s, width, i;
    int8_t codes[STRIDE], expected[STRIDE];

    for (width = 1; width <= STRIDE; width++) {
        float magnitude = width % 7 == 0 ? 0 : uniform(0, 40);

        for (i = 0; i < width; i++)
            values[i] = uniform(-magnitude, magnitude);
        scale = sets[0].table.quantize(values, width, expected);
        for (i = 0; i < width; i++)
            assert_true(fabsf(expected[i] * scale - values[i]) <= scale * 0.5001f);
        for (i = 0; i < STRIDE * 2; i++)
            want[i] = i % STRIDE < width ? left[i] * right[i % STRIDE] : left[i];
        for (s = 0; s < count; s++) {
            assert_true(sets[s].table.quantize(values, width, codes) == scale);
            assert_memory_equal(codes, expected, width);
            memcpy(got, left, sizeof got);
            sets[s].table.scale_columns(got, STRIDE, 2, width, right);
            assert_memory_equal(got, want, sizeof got);
        }
    }
}

int kernels_test_attention(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(rows_are_independent),
        cmocka_unit_test(softmax_in_pieces),
        cmocka_unit_test(codes_and_scales),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
