/* Matrix products: the scalar oracle (matmul.h has the contract, pack_layout.h the bytes).
 *
 * A quantized product of one group of 32 (of 16 in Q8_16) is an exact integer, which is then scaled
 * and added in f32, group after group in rising k:
 *
 *     sum += integer * (weight scale * activation scale)  [+ minimum * scaled sum]
 *
 * Other sets compute the same integers and may fuse or reorder the f32 part. */
#include <string.h>

#include "kernels/pack_layout.h"
#include "kernels/ref/kernels_ref.h"

/* One row of int8 activations from a group on. */
struct group {
    const int8_t *values;
    const int8_t *fine; /* or NULL */
    float scale;
    float scaled_sum;
    const int32_t *biases;
};

static struct group group_of(const struct den_matmul *op, size_t row, size_t g)
{
    const struct den_activations *x = op->quantized;
    size_t at = g * x->rows + row;

    return (struct group){ .values = x->values + at * DEN_GROUP,
                           .fine = x->fine ? x->fine + at * DEN_GROUP : NULL,
                           .scale = x->scales[at],
                           .scaled_sum = x->scaled_sums[at],
                           .biases = x->biases + 2 * at };
}

static float f16_at(const unsigned char *bytes)
{
    uint16_t half;

    memcpy(&half, bytes, sizeof half);
    return den_f16_to_f32(half);
}

static float f32_at(const unsigned char *bytes)
{
    float value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

/* The value that a nibble or byte of k meets. */
static int32_t value_of(const struct group *x, size_t k)
{
    return x->fine ? 256 * x->values[k] + x->fine[k] : x->values[k];
}

/* Sum over 32 k of nibble times activation, for output o of the panel. */
static int32_t dot_nibbles(const unsigned char *lines, const struct group *x, size_t o)
{
    int32_t sum = 0;
    size_t l, j;

    for (l = 0; l < 4; l++)
        for (j = 0; j < 4; j++) {
            int byte = lines[l * DEN_LINE_BYTES + 4 * o + j];

            sum += (byte & 15) * value_of(x, 4 * l + j);
            sum += (byte >> 4) * value_of(x, 16 + 4 * l + j);
        }
    return sum;
}

/* Sum over `count` lines of u8 times activation, from `first` of the group on. */
static int32_t dot_bytes(const unsigned char *lines, const struct group *x, size_t first,
                         size_t count, size_t o)
{
    int32_t sum = 0;
    size_t l, j;

    for (l = 0; l < count; l++)
        for (j = 0; j < 4; j++)
            sum += lines[l * DEN_LINE_BYTES + 4 * o + j] * value_of(x, first + 4 * l + j);
    return sum;
}

/* The integers of a run of 128 k are summed exactly, the runs in f32. */
static void multiply_s16(const struct den_matmul *op, const unsigned char *panel, size_t row,
                         float sums[DEN_PANEL])
{
    const int16_t *x = op->wide->values + den_wide_row_at(op->wide, row);
    size_t in = op->weights->in, o, run, k;

    for (o = 0; o < DEN_PANEL; o++) {
        for (run = 0; run < in; run += DEN_WIDE_RUN) {
            int32_t sum = 0;

            for (k = run; k < in && k < run + DEN_WIDE_RUN; k++) {
                int16_t code;

                memcpy(&code, panel + k / 2 * DEN_LINE_BYTES + 4 * o + 2 * (k % 2), sizeof code);
                sum += code * x[k / DEN_GROUP * DEN_WIDE_ROWS * DEN_GROUP + k % DEN_GROUP];
            }
            sums[o] += (float)sum;
        }
        sums[o] *=
            f32_at(panel + in / 2 * DEN_LINE_BYTES + o * sizeof(float)) * op->wide->scales[row];
    }
}

static void multiply_q4(const struct den_matmul *op, const unsigned char *panel, size_t row,
                        float sums[DEN_PANEL])
{
    size_t g, o;

    for (g = 0; g < op->weights->in / DEN_GROUP; g++, panel += DEN_Q4_BYTES) {
        struct group x = group_of(op, row, g);

        for (o = 0; o < DEN_PANEL; o++)
            sums[o] += (float)(dot_nibbles(panel, &x, o) + x.biases[0] + x.biases[1]) *
                       (f16_at(panel + DEN_Q4_SCALES_AT + 2 * o) * x.scale);
    }
}

static void multiply_q4_min(const struct den_matmul *op, const unsigned char *panel, size_t row,
                            float sums[DEN_PANEL])
{
    size_t g, o;

    for (g = 0; g < op->weights->in / DEN_GROUP; g++, panel += DEN_Q4_MIN_BYTES) {
        struct group x = group_of(op, row, g);

        for (o = 0; o < DEN_PANEL; o++) {
            sums[o] += (float)dot_nibbles(panel, &x, o) *
                       (f16_at(panel + DEN_Q4_SCALES_AT + 2 * o) * x.scale);
            sums[o] += f16_at(panel + DEN_Q4_MINIMA_AT + 2 * o) * x.scaled_sum;
        }
    }
}

static void multiply_q4_k(const struct den_matmul *op, const unsigned char *panel, size_t row,
                          float sums[DEN_PANEL])
{
    size_t g, o;

    for (g = 0; g < op->weights->in / DEN_GROUP; g++) {
        const unsigned char *unit = panel + g / 8 * DEN_Q4_K_BYTES;
        const unsigned char *lines = unit + DEN_Q4_K_LINES_AT + g % 8 * DEN_Q4_LINES_BYTES;
        struct group x = group_of(op, row, g);

        for (o = 0; o < DEN_PANEL; o++) {
            float scale = f16_at(unit + DEN_Q4_K_D_AT + 2 * o) *
                          (float)unit[DEN_Q4_K_SCALES_AT + g % 8 * DEN_PANEL + o];
            float minimum = f16_at(unit + DEN_Q4_K_DMIN_AT + 2 * o) *
                            (float)unit[DEN_Q4_K_MINIMA_AT + g % 8 * DEN_PANEL + o];

            sums[o] += (float)dot_nibbles(lines, &x, o) * (scale * x.scale);
            sums[o] -= minimum * x.scaled_sum;
        }
    }
}

static void multiply_q8(const struct den_matmul *op, const unsigned char *panel, size_t row,
                        float sums[DEN_PANEL])
{
    size_t g, o;

    for (g = 0; g < op->weights->in / DEN_GROUP; g++, panel += DEN_Q8_BYTES) {
        struct group x = group_of(op, row, g);

        for (o = 0; o < DEN_PANEL; o++)
            sums[o] += (float)(dot_bytes(panel, &x, 0, 8, o) + 16 * (x.biases[0] + x.biases[1])) *
                       (f16_at(panel + DEN_Q8_SCALES_AT + 2 * o) * x.scale);
    }
}

static void multiply_q8_k(const struct den_matmul *op, const unsigned char *panel, size_t row,
                          float sums[DEN_PANEL])
{
    size_t h, o;

    for (h = 0; h < op->weights->in / DEN_HALF_GROUP; h++) {
        const unsigned char *unit = panel + h / 16 * DEN_Q8_K_BYTES;
        const unsigned char *lines = unit + DEN_Q8_K_LINES_AT + h % 16 * DEN_Q8_K_HALF_BYTES;
        struct group x = group_of(op, row, h / 2);
        size_t first = h % 2 * DEN_HALF_GROUP;

        for (o = 0; o < DEN_PANEL; o++) {
            float step = (int8_t)unit[DEN_Q8_K_SCALES_AT + h % 16 * DEN_PANEL + o];

            sums[o] += (float)(dot_bytes(lines, &x, first, 4, o) + 16 * x.biases[h % 2]) *
                       (f16_at(unit + DEN_Q8_K_D_AT + 2 * o) * step * x.scale);
        }
    }
}

static void multiply_q8_16(const struct den_matmul *op, const unsigned char *panel, size_t row,
                           float sums[DEN_PANEL])
{
    size_t h, o;

    for (h = 0; h < op->weights->in / DEN_HALF_GROUP; h++, panel += DEN_Q8_16_HALF_BYTES) {
        struct group x = group_of(op, row, h / 2);
        size_t first = h % 2 * DEN_HALF_GROUP;
        float scaled_sum = x.scale * -0.125f * (float)x.biases[h % 2];

        for (o = 0; o < DEN_PANEL; o++) {
            sums[o] += (float)(dot_bytes(panel, &x, first, 4, o) + 16 * x.biases[h % 2]) *
                       (f32_at(panel + DEN_Q8_16_SCALES_AT + 4 * o) * x.scale);
            sums[o] += f32_at(panel + DEN_Q8_16_MINIMA_AT + 4 * o) * scaled_sum;
        }
    }
}

static void multiply_f32(const struct den_matmul *op, const unsigned char *panel, size_t row,
                         float sums[DEN_PANEL])
{
    const float *x = op->input + row * op->input_stride;
    const float *weights = (const float *)(const void *)panel;
    size_t k, o;

    for (k = 0; k < op->weights->in; k++)
        for (o = 0; o < DEN_PANEL; o++)
            sums[o] += weights[k * DEN_PANEL + o] * x[k];
}

static void multiply_f16(const struct den_matmul *op, const unsigned char *panel, size_t row,
                         float sums[DEN_PANEL])
{
    const float *x = op->input + row * op->input_stride;
    size_t k, o;

    for (k = 0; k < op->weights->in; k++)
        for (o = 0; o < DEN_PANEL; o++)
            sums[o] += f16_at(panel + 2 * (k * DEN_PANEL + o)) * x[k];
}

static void multiply_bf16(const struct den_matmul *op, const unsigned char *panel, size_t row,
                          float sums[DEN_PANEL])
{
    const float *x = op->input + row * op->input_stride;
    const uint16_t *weights = (const uint16_t *)(const void *)panel;
    size_t k, o;

    for (k = 0; k < op->weights->in; k++)
        for (o = 0; o < DEN_PANEL; o++)
            sums[o] += den_bf16_to_f32(weights[k * DEN_PANEL + o]) * x[k];
}

static void store(const struct den_matmul *op, size_t p, size_t row, const float sums[DEN_PANEL])
{
    size_t to = op->output_rows ? (size_t)op->output_rows[row] : row;
    float scale = op->scales ? op->scales[row] : 1;
    size_t o;

    for (o = 0; o < DEN_PANEL && p * DEN_PANEL + o < op->weights->out; o++) {
        size_t column = p * DEN_PANEL + o;
        float *output = op->output + to * op->output_stride + column;
        float value = scale * (sums[o] + (op->bias ? op->bias[column] : 0));

        *output = op->accumulate ? *output + value : value;
    }
}

#define DEFINE_MATMUL(format)                                                                      \
    static void matmul_##format(const struct den_matmul *op, size_t panel_begin, size_t panel_end) \
    {                                                                                              \
        size_t p, row;                                                                             \
                                                                                                   \
        for (p = panel_begin; p < panel_end; p++)                                                  \
            for (row = op->row_begin; row < op->row_end; row++) {                                  \
                float sums[DEN_PANEL] = { 0 };                                                     \
                                                                                                   \
                multiply_##format(op, op->weights->data + p * op->weights->panel_bytes, row,       \
                                  sums);                                                           \
                store(op, p, row, sums);                                                           \
            }                                                                                      \
    }

DEFINE_MATMUL(f32)
DEFINE_MATMUL(f16)
DEFINE_MATMUL(bf16)
DEFINE_MATMUL(s16)
DEFINE_MATMUL(q4)
DEFINE_MATMUL(q4_min)
DEFINE_MATMUL(q4_k)
DEFINE_MATMUL(q8)
DEFINE_MATMUL(q8_k)
DEFINE_MATMUL(q8_16)

void den_matmul_kernels_ref(den_matmul_kernel table[DEN_PACK_FORMATS])
{
    table[DEN_PACK_F32] = matmul_f32;
    table[DEN_PACK_F16] = matmul_f16;
    table[DEN_PACK_BF16] = matmul_bf16;
    table[DEN_PACK_S16] = matmul_s16;
    table[DEN_PACK_Q4] = matmul_q4;
    table[DEN_PACK_Q4_MIN] = matmul_q4_min;
    table[DEN_PACK_Q4_K] = matmul_q4_k;
    table[DEN_PACK_Q8] = matmul_q8;
    table[DEN_PACK_Q8_K] = matmul_q8_k;
    table[DEN_PACK_Q8_16] = matmul_q8_16;
}
