/* See self_check.h. The product: 17 rows (tiles of every height and one that is left over) of 256
 * inputs (one unit of the largest blocks) by 18 outputs (a panel and a cut one). The older kernels
 * compute only four of the rows, since ref is slow: the first, one in the middle, the last of 16
 * and the one left over. Everything is on the stack, 120 KiB. */
#include "kernels/self_check.h"

#include <math.h>
#include <string.h>

#include "kernels/pack.h"
#include "kernels/pack_layout.h"

enum {
    ROWS = 17,
    IN = 256,
    OUT = 18,
    PANELS = 2,
    PANEL_BYTES_MAX = IN * DEN_PANEL * sizeof(float) + DEN_LINE_BYTES,
    WIDE_PANEL_BYTES = IN / 2 * DEN_LINE_BYTES + DEN_S16_SCALES_BYTES,
    GROUPS = IN / DEN_GROUP,
    /* as den_activations_bytes() and den_wide_activations_bytes() count, or more */
    ACTIVATION_BYTES = 2 * ROWS * IN + 5 * 64 + ROWS * GROUPS * 16,
    WIDE_BYTES = 2 * DEN_WIDE_ROWS * IN * sizeof(int16_t) + ROWS * sizeof(float) + 2 * 64
};

/* Relative to the largest output: orders of addition differ by a few millionths of it, a wrong
 * code or scale by thousandths. */
static const float TOLERANCE = 3e-5f;

struct bench {
    _Alignas(64) unsigned char weights[PANELS * PANEL_BYTES_MAX];
    _Alignas(64) unsigned char wide_weights[PANELS * WIDE_PANEL_BYTES];
    _Alignas(64) unsigned char quantized[ACTIVATION_BYTES];
    _Alignas(64) unsigned char quantized_fine[ACTIVATION_BYTES];
    _Alignas(64) unsigned char wide_bytes[WIDE_BYTES];
    float input[ROWS][IN];
    float expected[ROWS][OUT];
    float found[ROWS][OUT];
    struct den_activations x;
    struct den_activations fine;
    struct den_wide_activations wide;
};

/* A generator of no great quality (Knuth's MMIX); the same numbers each time. */
static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void fill_input(struct bench *bench, const struct den_kernels *trusted)
{
    uint64_t state = 1;
    size_t r, k;

    den_activations_place(&bench->x, bench->quantized, ROWS, IN);
    den_activations_place_fine(&bench->fine, bench->quantized_fine, ROWS, IN);
    den_wide_activations_place(&bench->wide, bench->wide_bytes, ROWS, IN);
    for (r = 0; r < ROWS; r++) {
        for (k = 0; k < IN; k++) {
            float loud = (k / DEN_GROUP + r) % 4 == 0 ? 1 : 0.125f; /* has fine codes */

            bench->input[r][k] = loud * (float)((int32_t)(next(&state) % 2001) - 1000) / 1000;
        }
        trusted->quantize.row(bench->input[r], IN, &bench->x, r);
        trusted->quantize.row(bench->input[r], IN, &bench->fine, r);
        trusted->quantize.wide_row(bench->input[r], IN, &bench->wide, r);
    }
}

/* Any byte is a code. Scales are two or four bytes of which the last decides the magnitude; all
 * bytes at odd places are such that it is small and finite. The high bytes of 13-bit codes are
 * smaller. */
static void fill_weights(struct bench *bench)
{
    uint64_t state = 2;
    size_t i;

    for (i = 0; i < sizeof bench->weights; i += 2) {
        uint32_t r = next(&state);

        bench->weights[i] = (unsigned char)r;
        bench->weights[i + 1] = (unsigned char)(0x28 | (r >> 8 & 0x87));
        if (i < sizeof bench->wide_weights) {
            bench->wide_weights[i] = (unsigned char)(r | 2); /* not -4096 */
            bench->wide_weights[i + 1] = (unsigned char)(r & 1 ? 0xF0 | r >> 16 : r >> 16 & 15);
        }
    }
}

static void place_wide_scales(struct bench *bench, const struct den_packed *packed)
{
    size_t p, i;

    for (p = 1; p <= packed->panels; p++)
        for (i = 0; i < DEN_PANEL; i++) {
            float scale = 1.0f / (float)(i + 1);

            memcpy(bench->wide_weights + p * packed->panel_bytes - DEN_S16_SCALES_BYTES +
                       i * sizeof scale,
                   &scale, sizeof scale);
        }
}

static bool outputs_agree(const struct bench *bench, size_t begin, size_t end)
{
    float largest = 0;
    size_t r, o;

    for (r = begin; r < end; r++)
        for (o = 0; o < OUT; o++)
            largest = fmaxf(largest, fabsf(bench->expected[r][o]));
    for (r = begin; r < end; r++)
        for (o = 0; o < OUT; o++)
            if (!(fabsf(bench->found[r][o] - bench->expected[r][o]) <= TOLERANCE * largest))
                return false;
    return largest > 0;
}

/* With the one or the other activations. */
static bool product_agrees(struct bench *bench, enum den_pack_format format, bool fine,
                           den_matmul_kernel trusted, den_matmul_kernel candidate)
{
    static const size_t rows[][2] = { { 0, 1 }, { 8, 9 }, { 15, 17 } };
    struct den_matmul op = { .quantized = fine ? &bench->fine : &bench->x,
                             .wide = &bench->wide,
                             .input = bench->input[0],
                             .input_stride = IN,
                             .output_stride = OUT };
    struct den_error ignored = { 0 };
    struct den_packed packed;
    size_t i;

    if (den_pack_plan(format, IN, OUT, &packed, &ignored) != DEN_OK ||
        packed.panels * packed.panel_bytes > sizeof bench->weights)
        return false;
    packed.data = format == DEN_PACK_S16 ? bench->wide_weights : bench->weights;
    op.weights = &packed;
    if (format == DEN_PACK_S16)
        place_wide_scales(bench, &packed);
    op.row_end = ROWS;
    op.output = bench->found[0];
    candidate(&op, 0, packed.panels);
    op.output = bench->expected[0];
    for (i = fine ? 2 : 0; i < sizeof rows / sizeof rows[0]; i++) { /* fine: the last two */
        op.row_begin = rows[i][0];
        op.row_end = rows[i][1];
        trusted(&op, 0, packed.panels);
        if (!outputs_agree(bench, op.row_begin, op.row_end))
            return false;
    }
    return true;
}

/* Quantizes all rows anew and compares; a code may be off by one where a value lies between two. */
static bool quantization_agrees(struct bench *bench, const struct den_kernels *candidate)
{
    _Alignas(64) unsigned char memory[ACTIVATION_BYTES];
    const struct den_activations *x = &bench->x;
    struct den_activations y;
    size_t i;

    memset(memory, 0, sizeof memory);
    den_activations_place(&y, memory, ROWS, IN);
    for (i = 0; i < ROWS; i++)
        candidate->quantize.row(bench->input[i], IN, &y, i);
    for (i = 0; i < ROWS * IN; i++)
        if (x->values[i] - y.values[i] > 1 || y.values[i] - x->values[i] > 1)
            return false;
    for (i = 0; i < ROWS * GROUPS; i++) {
        int64_t sum = 0;
        size_t k;

        for (k = 0; k < DEN_GROUP; k++)
            sum += y.values[i * DEN_GROUP + k];
        if (!(fabsf(x->scales[i] - y.scales[i]) <= TOLERANCE * x->scales[i]) ||
            !(fabsf(y.scaled_sums[i] - y.scales[i] * (float)sum) <= TOLERANCE) ||
            y.biases[2 * i] + y.biases[2 * i + 1] != -8 * sum)
            return false;
    }
    return true;
}

static void prepare(struct bench *bench, const struct den_kernels *trusted)
{
    memset(bench, 0, sizeof *bench);
    fill_input(bench, trusted);
    fill_weights(bench);
}

static bool agree(struct bench *bench, const struct den_kernels *trusted,
                  const struct den_kernels *candidate)
{
    int format, fine;

    if (candidate->quantize.row != trusted->quantize.row && !quantization_agrees(bench, candidate))
        return false;
    if (!den_scan_kernels_agree(&trusted->scan, &candidate->scan))
        return false;
    for (format = 0; format < DEN_PACK_FORMATS; format++) {
        if (candidate->matmul[format] == trusted->matmul[format])
            continue;
        for (fine = 0; fine <= den_pack_is_quantized((enum den_pack_format)format); fine++)
            if (!product_agrees(bench, (enum den_pack_format)format, fine, trusted->matmul[format],
                                candidate->matmul[format]))
                return false;
    }
    return true;
}

bool den_kernels_agree(const struct den_kernels *trusted, const struct den_kernels *candidate)
{
    struct bench bench;

    prepare(&bench, trusted);
    return agree(&bench, trusted, candidate);
}

void den_kernels_prove_sets(const struct den_kernel_set *sets, size_t count, uint32_t features,
                            struct den_kernels *out)
{
    struct den_kernels proven = { 0 };
    uint32_t left_out = 0;
    struct bench bench;
    size_t i;

    sets[0].fill(&proven);
    prepare(&bench, &proven);
    for (i = 1; i < count; i++) {
        struct den_kernels candidate = proven;

        if ((sets[i].features & features) != sets[i].features)
            continue;
        sets[i].fill(&candidate);
        candidate.features |= sets[i].features;
        if (agree(&bench, &proven, &candidate))
            proven = candidate;
        else
            left_out |= 1u << i;
    }
    *out = proven;
    out->left_out = left_out;
}

void den_kernels_select_proven(uint32_t features, struct den_kernels *out)
{
    size_t count;
    const struct den_kernel_set *sets = den_kernel_sets(&count);

    den_kernels_prove_sets(sets, count, features, out);
}
