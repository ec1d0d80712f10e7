/* Vectors: every set against the formulas in double, on widths around whole vectors and on the
 * arguments where polynomials change over. */
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/vector.h"
#include "tensor/type.h"

enum { WIDTH_MAX = 640 };
static const size_t widths[] = { 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 576, 601 };

struct set {
    const char *name;
    struct den_vector_kernels table;
};

static size_t all_sets(struct set sets[3])
{
    size_t count = 0;

    sets[count].name = "ref";
    den_vector_kernels_ref(&sets[count++].table);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        sets[count].name = "avx2";
        den_vector_kernels_avx2(&sets[count++].table);
    }
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        sets[count].name = "avx512";
        den_vector_kernels_avx512(&sets[count++].table);
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

static void fill(float *values, size_t count, float low, float high)
{
    size_t i;

    for (i = 0; i < count; i++)
        values[i] = uniform(low, high);
}

/* Fails unless |value - want| <= relative * |want| + absolute. */
static void near(const struct set *set, const char *what, size_t width, float value, double want,
                 double relative, double absolute)
{
    if (fabs(value - want) <= relative * fabs(want) + absolute)
        return;
    fail_msg("%s %s, width %zu: %.9g where %.9g is right", set->name, what, width, value, want);
}

static double rms_want(const float *x, size_t width, double mean, double epsilon)
{
    double squares = 0;
    size_t i;

    for (i = 0; i < width; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return 1 / sqrt(squares / (double)width + epsilon);
}

static void norms(void **state)
{
    float x[WIDTH_MAX], w[WIDTH_MAX], b[WIDTH_MAX], y[WIDTH_MAX + 1];
    struct set sets[3];
    size_t count = all_sets(sets), s, n, i;

    for (s = 0; s < count; s++)
        for (n = 0; n < sizeof widths / sizeof widths[0]; n++) {
            size_t width = widths[n];
            double mean = 0, scale;

            fill(x, width, -3, 4);
            fill(w, width, -2, 2);
            fill(b, width, -1, 1);
            y[width] = 77;
            scale = rms_want(x, width, 0, 1e-5f);
            sets[s].table.rms_norm(x, w, 1e-5f, width, y);
            for (i = 0; i < width; i++)
                near(&sets[s], "rms_norm", width, y[i], x[i] * scale * w[i], 2e-6, 0);
            for (i = 0; i < width; i++)
                mean += x[i] / (double)width;
            scale = rms_want(x, width, mean, 1e-5f);
            sets[s].table.layer_norm(x, w, b, 1e-5f, width, y);
            for (i = 0; i < width && width > 2; i++)
                near(&sets[s], "layer_norm", width, y[i], (x[i] - mean) * scale * w[i] + b[i], 4e-6,
                     4e-6);
            assert_true(y[width] == 77);
            memcpy(y, x, width * sizeof *x); /* in place */
            sets[s].table.rms_norm(y, w, 1e-5f, width, y);
            scale = rms_want(x, width, 0, 1e-5f);
            for (i = 0; i < width; i++)
                near(&sets[s], "rms_norm in place", width, y[i], x[i] * scale * w[i], 2e-6, 0);
        }
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double gelu_tanh(double x)
{
    double u = sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);

    return x / (1 + exp(-2 * u)); /* the same function, well conditioned */
}

static double gelu_erf(double x)
{
    return x / 2 * erfc(-x / sqrt(2));
}

static void gates(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
        double (*want)(double x);
    } kinds[] = {
        { "silu", offsetof(struct den_vector_kernels, gate_silu), silu },
        { "gelu_tanh", offsetof(struct den_vector_kernels, gate_gelu_tanh), gelu_tanh },
        { "gelu_erf", offsetof(struct den_vector_kernels, gate_gelu_erf), gelu_erf },
    };
    float x[WIDTH_MAX], up[WIDTH_MAX], y[WIDTH_MAX + 1];
    struct set sets[3];
    size_t count = all_sets(sets), s, k, i, round;

    for (s = 0; s < count; s++)
        for (k = 0; k < 3; k++)
            for (round = 0; round < 60; round++) {
                size_t width = widths[round % (sizeof widths / sizeof widths[0])];
                float reach = round < 20 ? 1 : round < 40 ? 10 : 200;
                den_gate_kernel gate;

                memcpy(&gate, (const char *)&sets[s].table + kinds[k].offset, sizeof gate);
                fill(x, width, -reach, reach);
                fill(up, width, -2, 2);
                x[0] = round % 2 ? 0 : -0.0f;
                y[width] = 77;
                gate(x, up, width, y);
                for (i = 0; i < width; i++) {
                    double want = kinds[k].want(x[i]);

                    /* far out in the negative tail results are negligible beside the rest */
                    near(&sets[s], kinds[k].name, width, y[i], want * up[i],
                         k && s == 0 ? 1e-5 : 2e-6, x[i] < -5 ? 1e-6 : 1e-12);
                }
                assert_true(y[width] == 77);
            }
}

static void activations(void **state)
{
    float x[WIDTH_MAX], y[WIDTH_MAX + 1];
    struct set sets[3];
    size_t count = all_sets(sets), s, n, i;

    for (s = 0; s < count; s++)
        for (n = 0; n < sizeof widths / sizeof widths[0]; n++) {
            size_t width = widths[n];
            double slack = s == 0 ? 1e-5 : 2e-6;

            fill(x, width, -8, 8);
            y[width] = 77;
            sets[s].table.gelu_erf(x, width, y);
            for (i = 0; i < width; i++)
                near(&sets[s], "gelu_erf alone", width, y[i], gelu_erf(x[i]), slack,
                     x[i] < -5 ? 1e-6 : 1e-12);
            sets[s].table.gelu_tanh(x, width, y);
            for (i = 0; i < width; i++)
                near(&sets[s], "gelu_tanh alone", width, y[i], gelu_tanh(x[i]), slack,
                     x[i] < -5 ? 1e-6 : 1e-12);
            assert_true(y[width] == 77);
            memcpy(y, x, width * sizeof *x); /* in place */
            sets[s].table.gelu_tanh(y, width, y);
            near(&sets[s], "gelu_tanh in place", width, y[0], gelu_tanh(x[0]), slack, 1e-6);
        }
}

static void caps(void **state)
{
    float x[WIDTH_MAX], y[WIDTH_MAX + 1];
    struct set sets[3];
    size_t count = all_sets(sets), s, n, i;

    for (s = 0; s < count; s++)
        for (n = 0; n < sizeof widths / sizeof widths[0]; n++) {
            size_t width = widths[n];
            float cap = n % 2 ? 30 : 50;

            fill(x, width, n % 3 ? -40.f : -600.f, n % 3 ? 40 : 600);
            memcpy(y, x, sizeof x);
            y[width] = 77;
            sets[s].table.softcap(y, width, cap);
            for (i = 0; i < width; i++)
                near(&sets[s], "softcap", width, y[i], cap * tanh(x[i] / (double)cap), 1e-6, 0);
            assert_true(y[width] == 77);
        }
}

static void sums(void **state)
{
    float x[WIDTH_MAX], y[WIDTH_MAX + 1], z[WIDTH_MAX];
    struct set sets[3];
    size_t count = all_sets(sets), s, n, i;

    for (s = 0; s < count; s++)
        for (n = 0; n < sizeof widths / sizeof widths[0]; n++) {
            size_t width = widths[n];

            fill(x, width, -1, 1);
            fill(z, width, -1, 1);
            memcpy(y, z, sizeof z);
            y[width] = 77;
            sets[s].table.add_scaled(x, 0.3f, width, y);
            for (i = 0; i < width; i++)
                near(&sets[s], "add_scaled", width, y[i], z[i] + 0.3f * (double)x[i], 1e-6, 1e-7);
            sets[s].table.scale(x, -1.7f, width, y);
            for (i = 0; i < width; i++)
                assert_true(y[i] == x[i] * -1.7f);
            assert_true(y[width] == 77);
        }
}

static void rotations(void **state)
{
    float x[WIDTH_MAX], y[WIDTH_MAX + 1], c[WIDTH_MAX], d[WIDTH_MAX];
    struct set sets[3];
    size_t count = all_sets(sets), s, half, i;

    for (s = 0; s < count; s++)
        for (half = 1; half <= 70; half++) {
            fill(x, 2 * half, -1, 1);
            for (i = 0; i < half; i++) {
                c[i] = cosf((float)i);
                d[i] = sinf((float)i);
            }
            memcpy(y, x, sizeof x);
            y[2 * half] = 77;
            sets[s].table.rotate_split(y, c, d, half);
            for (i = 0; i < half; i++) {
                double a = x[i], b = x[i + half];

                near(&sets[s], "rotate_split", half, y[i], a * c[i] - b * d[i], 1e-6, 2e-7);
                near(&sets[s], "rotate_split", half, y[i + half], a * d[i] + b * c[i], 1e-6, 2e-7);
            }
            memcpy(y, x, 2 * half * sizeof *x);
            sets[s].table.rotate_interleaved(y, c, d, half);
            for (i = 0; i < half; i++) {
                double a = x[2 * i], b = x[2 * i + 1];

                near(&sets[s], "rotate_interleaved", half, y[2 * i], a * c[i] - b * d[i], 1e-6,
                     2e-7);
                near(&sets[s], "rotate_interleaved", half, y[2 * i + 1], a * d[i] + b * c[i], 1e-6,
                     2e-7);
            }
            assert_true(y[2 * half] == 77);
        }
}

static void halves(void **state)
{
    float x[WIDTH_MAX], y[WIDTH_MAX];
    uint16_t h[WIDTH_MAX + 1];
    struct set sets[3];
    size_t count = all_sets(sets), s, n, i;

    for (s = 0; s < count; s++)
        for (n = 0; n < sizeof widths / sizeof widths[0]; n++) {
            size_t width = widths[n];

            fill(x, width, -2, 2);
            x[0] = n % 2 ? 65519.9f : 65520; /* rounds to 65504, overflows */
            x[width - 1] = n % 3 ? 5.9e-8f : 1e-9f;
            h[width] = 7777;
            sets[s].table.to_f16(x, width, h);
            for (i = 0; i < width; i++)
                assert_int_equal(h[i], den_f32_to_f16(x[i]));
            assert_int_equal(h[width], 7777);
            sets[s].table.from_f16(h, width, y);
            for (i = 0; i < width; i++)
                assert_true(y[i] == den_f16_to_f32(h[i]));
        }
}

int kernels_test_vector(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms),  cmocka_unit_test(gates), cmocka_unit_test(activations),
        cmocka_unit_test(caps),   cmocka_unit_test(sums),  cmocka_unit_test(rotations),
        cmocka_unit_test(halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
