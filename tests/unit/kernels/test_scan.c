/* Scans: every set against ref, which is compared with sums made here. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

enum { ROWS_MAX = 67, STRIDE_MAX = 1024 };

static uint64_t seed = 1;

static int any(int low, int high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (int)((seed >> 33) % (uint64_t)(high - low + 1));
}

static size_t all_sets(struct den_kernels tables[8])
{
    static const uint32_t features[] = { 0, DEN_CPU_AVX2, DEN_CPU_AVX2 | DEN_CPU_AVX512,
                                         DEN_CPU_AVX2 | DEN_CPU_AVX512 | DEN_CPU_VNNI };
    size_t count = 0;

    den_kernels_select(0, &tables[count++]);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        den_kernels_select(features[1] | DEN_CPU_FMA | DEN_CPU_F16C, &tables[count++]);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        den_kernels_select(features[2] | DEN_CPU_FMA | DEN_CPU_F16C, &tables[count++]);
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl"))
        den_kernels_select(features[3] | DEN_CPU_FMA | DEN_CPU_F16C, &tables[count++]);
#endif
    return count;
}

/* With rows of nothing but the largest codes as well, where 16 bits would run over. */
static void codes_multiply_exactly(void **state)
{
    static int8_t query[STRIDE_MAX], rows[ROWS_MAX * STRIDE_MAX];
    struct den_kernels tables[8];
    size_t count = all_sets(tables), s, stride, r, i;
    int32_t sums[ROWS_MAX];

    (void)state;
    for (stride = 64; stride <= STRIDE_MAX; stride *= 4)
        for (s = 0; s < count; s++) {
            for (i = 0; i < stride; i++)
                query[i] = (int8_t)(s % 2 ? 127 - 254 * (int)(i % 2) : any(-127, 127));
            for (i = 0; i < ROWS_MAX * stride; i++)
                rows[i] = (int8_t)(i < stride ? -127 : i < 2 * stride ? 127 : any(-127, 127));
            tables[s].scan.dot_i8(query, rows, ROWS_MAX, stride, sums);
            for (r = 0; r < ROWS_MAX; r++) {
                int32_t want = 0;

                for (i = 0; i < stride; i++)
                    want += query[i] * rows[r * stride + i];
                assert_int_equal(sums[r], want);
            }
        }
}

static void floats_multiply_nearly(void **state)
{
    static float query[STRIDE_MAX], exact[STRIDE_MAX];
    static int8_t codes[STRIDE_MAX];
    static uint16_t halves[STRIDE_MAX];
    struct den_kernels tables[8];
    size_t count = all_sets(tables), s, width, i;

    (void)state;
    for (width = 1; width <= 1024; width = width < 100 ? width + 1 : width * 2)
        for (s = 0; s < count; s++) {
            size_t stride = (width + 63) / 64 * 64;
            double by_codes = 0, by_halves = 0;

            memset(query, 0, sizeof query);
            memset(codes, 0, sizeof codes);
            for (i = 0; i < width; i++) {
                query[i] = (float)any(-1000, 1000) / 1000;
                codes[i] = (int8_t)any(-127, 127);
                exact[i] = (float)any(-512, 512) / 512;
                by_codes += (double)query[i] * codes[i];
                by_halves += (double)query[i] * (double)exact[i];
            }
            tables[0].vector.to_f16(exact, width, halves);
            assert_true(fabs((double)tables[s].scan.dot_f32_i8(query, codes, stride) - by_codes) <
                        1e-2 + 1e-5 * fabs(by_codes));
            assert_true(fabs((double)tables[s].scan.dot_f32_f16(query, halves, width) - by_halves) <
                        1e-4 + 1e-5 * fabs(by_halves));
        }
}

static void wrong(const int8_t *query, const int8_t *rows, size_t count, size_t stride,
                  int32_t *out)
{
    size_t r;

    (void)query;
    (void)rows;
    (void)stride;
    for (r = 0; r < count; r++)
        out[r] = (int32_t)r;
}

static void a_wrong_set_is_seen(void **state)
{
    struct den_kernels tables[8];
    size_t count = all_sets(tables), s;
    struct den_scan_kernels broken = tables[0].scan;

    (void)state;
    for (s = 0; s < count; s++)
        assert_true(den_scan_kernels_agree(&tables[0].scan, &tables[s].scan));
    broken.dot_i8 = wrong;
    assert_false(den_scan_kernels_agree(&tables[0].scan, &broken));
}

int kernels_test_scan(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_multiply_exactly),
        cmocka_unit_test(floats_multiply_nearly),
        cmocka_unit_test(a_wrong_set_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
