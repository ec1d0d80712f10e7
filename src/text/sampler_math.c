/* See sampler_math.h. The loops run over whole groups of four and pad the last group with values
 * that change nothing. */
#include "text/sampler_math.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float vec4 __attribute__((vector_size(16)));
typedef int32_t mask4 __attribute__((vector_size(16)));

static inline vec4 splat(float x)
{
    return (vec4){ x, x, x, x };
}

/* Lanes of `a` where the mask is set, of `b` elsewhere. */
static inline vec4 choose(mask4 mask, vec4 a, vec4 b)
{
    return (vec4)((mask & (mask4)a) | (~mask & (mask4)b));
}

/* Up to four values; missing lanes are -INFINITY. */
static inline vec4 load(const float *values, size_t count)
{
    vec4 lanes = splat(-INFINITY);

    memcpy(&lanes, values, (count < 4 ? count : 4) * sizeof *values);
    return lanes;
}

static inline vec4 exp_negative(vec4 x)
{
    const vec4 round = splat(12582912.0f); /* 1.5 * 2^23: adding it leaves the nearest integer */
    mask4 live = x >= splat(-87.0f);
    vec4 clamped = choose(live, x, splat(0.0f));
    vec4 n = (clamped * splat(1.44269504f) + round) - round;
    vec4 r = (clamped - n * splat(0.693359375f)) - n * splat(-2.12194440e-4f);
    vec4 p = splat(1.0f / 5040);
    mask4 power = (__builtin_convertvector(n, mask4) + 127) << 23;

    p = p * r + splat(1.0f / 720);
    p = p * r + splat(1.0f / 120);
    p = p * r + splat(1.0f / 24);
    p = p * r + splat(1.0f / 6);
    p = p * r + splat(0.5f);
    p = p * r + splat(1.0f);
    p = p * r + splat(1.0f);
    return choose(live, p * (vec4)power, splat(0.0f));
}

float den_exp_negative(float x)
{
    return exp_negative(splat(x))[0];
}

float den_values_max(const float *values, size_t count)
{
    vec4 best = splat(-INFINITY);
    float lanes[4];
    size_t i;

    for (i = 0; i + 4 <= count; i += 4) {
        vec4 x = load(values + i, 4);

        best = choose(x > best, x, best);
    }
    if (i < count) {
        vec4 x = load(values + i, count - i);

        best = choose(x > best, x, best);
    }
    memcpy(lanes, &best, sizeof lanes);
    return fmaxf(fmaxf(lanes[0], lanes[1]), fmaxf(lanes[2], lanes[3]));
}

static double add_lanes(vec4 x)
{
    return ((double)x[0] + (double)x[1]) + ((double)x[2] + (double)x[3]);
}

/* Sixteen groups are added in single precision before they join the double total: enough to hide
 * the conversions, few enough to keep six digits. */
double den_values_exp_sum(const float *values, size_t count, float maximum, float floor)
{
    double total = 0;
    size_t i = 0;

    while (i < count) {
        vec4 sum = splat(0.0f);
        size_t end = count - i > 64 ? i + 64 : count;

        for (; i + 4 <= end; i += 4) {
            vec4 x = load(values + i, 4);

            sum += choose(x >= splat(floor), exp_negative(x - splat(maximum)), splat(0.0f));
        }
        if (i < end) {
            vec4 x = load(values + i, end - i);

            sum += choose(x >= splat(floor), exp_negative(x - splat(maximum)), splat(0.0f));
            i = end;
        }
        total += add_lanes(sum);
    }
    return total;
}

static inline vec4 clean(vec4 x)
{
    x = choose(x == x, x, splat(-INFINITY));
    return choose(x > splat(FLT_MAX), splat(FLT_MAX), x);
}

void den_values_copy_clean(float *to, const float *from, size_t count)
{
    vec4 x;
    size_t i;

    for (i = 0; i + 4 <= count; i += 4) {
        x = clean(load(from + i, 4));
        memcpy(to + i, &x, sizeof x);
    }
    if (i < count) {
        x = clean(load(from + i, count - i));
        memcpy(to + i, &x, (count - i) * sizeof *to);
    }
}
