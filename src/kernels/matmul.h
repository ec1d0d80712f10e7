/* Matrix products: packed weights times rows of activations, the nine tenths of all work.
 *
 * Packing. A weight matrix (in, out) is stored in panels of 16 outputs, the last one padded with
 * zeros. Inside a panel k runs outermost, in groups of 32, and each line of 64 bytes holds
 * 16 outputs x 4 consecutive k: the order that vpdpbusd wants with outputs in lanes, and that an
 * AMX B tile wants, so one set of bytes serves every instruction set:
 *
 *     line l, byte 4 * o + j  =  weight of output o at k = 4 * l + j
 *
 * 4-bit formats put line l of a group into the low nibbles and line l + 4 into the high nibbles of
 * one line. Behind the lines of a group come its 16 scales and 16 minima, so that a panel is read
 * as one forward stream. Weights keep their file's exact values: a scale stays the f16 (or six-bit)
 * number that the file has. Formats byte by byte: docs/internals/kernels.md.
 *
 * Activations of quantized products are int8 with one f32 scale per group of 32. Products with
 * f32, f16 or bf16 weights take f32 activations. S16 is for encoders, whose files are f32 and whose
 * results int8 would blur: weights are rounded to 13 bits a value with one scale per output,
 * activations likewise with one scale per row, at twice the speed of f32. A line is 16 outputs x 2
 * k there.
 *
 * All kernels are pure functions over a range of panels: no allocation, no threads, no globals. A
 * row's result does not depend on how many other rows are computed with it, nor on how panels are
 * shared out. */
#ifndef DEN_KERNELS_MATMUL_H
#define DEN_KERNELS_MATMUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/tensor.h"

enum { DEN_PANEL = 16, DEN_GROUP = 32, DEN_HALF_GROUP = 16, DEN_SUPER_GROUP = 256 };

/* S16: the largest code, and how many k are summed in i32 before the sum becomes f32. Packing keeps
 * the magnitudes of an output's codes over each run below DEN_WIDE_SUM together, so that no sum
 * passes 2^31 whatever the activations: DEN_WIDE_SUM * 4095 is just below it. Weights as models
 * have them need no smaller codes for that in a run of 384, and lose half a bit in one of 768. */
enum { DEN_WIDE_MAX = 4095, DEN_WIDE_RUN = 768, DEN_WIDE_SUM = 524416, DEN_WIDE_ROWS = 12 };

/* Which groups of a row get fine codes (struct den_activations); docs/internals/kernels.md has what
 * other values cost and bring. */
#define DEN_FINE_ABOVE 2.0f

enum den_pack_format {
    DEN_PACK_F32,    /* [k][16] f32 */
    DEN_PACK_F16,    /* [k][16] f16 */
    DEN_PACK_BF16,   /* [k][16] bf16 */
    DEN_PACK_S16,    /* [k / 2][16][2] i16 in -4095 .. 4095, then 16 f32 scales; value q * d */
    DEN_PACK_Q4,     /* Q4_0: nibbles, f16 scale; value (q - 8) * d */
    DEN_PACK_Q4_MIN, /* Q4_1: nibbles, f16 scale, f16 minimum; value q * d + m */
    DEN_PACK_Q4_K,   /* Q4_K: super-groups of 256: f16 d and dmin, u8 scales and minima per 32,
                        nibbles; value d * s * q - dmin * m */
    DEN_PACK_Q8,     /* Q8_0: q + 128 as u8, f16 scale; value q * d */
    DEN_PACK_Q8_K,   /* Q6_K, Q3_K, IQ4_XS: super-groups of 256: f16 d, i8 scales per 16, q + 128 as
                        u8; value d * s * q */
    DEN_PACK_Q8_16,  /* the rest (Q5, Q2_K, IQ4_NL, MXFP4 ...): q + 128 as u8, f32 scale and
                        minimum per half group of 16; value q * d + m */
    DEN_PACK_FORMATS
};

struct den_packed {
    enum den_pack_format format;
    size_t in;           /* inputs: k */
    size_t out;          /* outputs, without padding */
    size_t in_padded;    /* k as the format stores it: activations are zero-padded to it */
    size_t panels;       /* out / 16, rounded up */
    size_t panel_bytes;  /* a multiple of 64 */
    unsigned char *data; /* 64-byte aligned, panels * panel_bytes */
};

/* int8 activations of `rows` rows: x[r][k] = values[..] * scales[..] of k's group. A group's rows
 * lie together, so that a kernel that takes several rows at a time reads on and addresses them by
 * constants. The two last arrays are what products with biased weights and with minima owe, summed
 * once here and used by every panel.
 *
 * Fine activations have a second int8 for what rounding to the first left, in steps of 1/256 of it:
 * x = (256 * values + fine) * scales. Products add the integers of both before they scale, so that
 * precision of 15 bits costs twice the multiplications and nothing else. Where a row's groups are
 * uneven, most of what rounding loses is lost in a few, and only those get fine codes: the others'
 * are zeros, are told apart by `has_fine`, and a product may leave them out. */
struct den_activations {
    size_t rows;        /* as many as a group has in memory; a product may use fewer */
    size_t in_padded;   /* inputs rounded up to a multiple of 32 */
    int8_t *values;     /* (in_padded / 32, rows, 32), in -127 .. 127, zero beyond the inputs */
    int8_t *fine;       /* as values, or NULL; below, a value is then 256 * value + fine */
    uint8_t *has_fine;  /* (in_padded / 32, rows), with `fine`: 0 where all of the 32 are zero */
    float *scales;      /* (in_padded / 32, rows) */
    float *scaled_sums; /* (in_padded / 32, rows): scale * sum of the group's values */
    int32_t *biases;    /* (in_padded / 32, rows, 2): -8 * sum of each half group's values */
};

/* i16 activations, for S16: x[r][k] = values[..] * scales[r]. Rows lie in blocks of 12, and in a
 * block by groups of 32 inputs: what a tile of rows reads is one forward stream. (With all rows in
 * one block, as int8 has them, groups lie 64 KiB apart in a batch of 1024 rows and fall on the same
 * few sets of the caches.) */
struct den_wide_activations {
    size_t rows;
    size_t in_padded; /* inputs rounded up to a multiple of 32 */
    int16_t *values;  /* (rows / 12 rounded up, in_padded / 32, 12, 32), in -4095 .. 4095, zero
                         beyond the inputs */
    float *scales;    /* (rows) */
};

/* Where the values of a row's first group begin; the next group's are 12 * 32 further. */
static inline size_t den_wide_row_at(const struct den_wide_activations *x, size_t row)
{
    return row / DEN_WIDE_ROWS * DEN_WIDE_ROWS * x->in_padded + row % DEN_WIDE_ROWS * DEN_GROUP;
}

/* output[to(r)][o] = [output[to(r)][o] +] scale[r] * (sum over k of W[o][k] * x[r][k] + bias[o])
 * for r in [row_begin, row_end), and to(r) = output_rows[r], or r where that is NULL. */
struct den_matmul {
    const struct den_packed *weights;
    const struct den_activations *quantized; /* formats Q*: the rows */
    const struct den_wide_activations *wide; /* format S16: the rows */
    const float *input;                      /* formats F32, F16, BF16: the rows, (row_end, in) */
    size_t input_stride;                     /* floats from one row to the next */
    size_t row_begin;
    size_t row_end;
    const float *bias;          /* (out) or NULL */
    const float *scales;        /* (row_end) or NULL: 1 */
    const int32_t *output_rows; /* (row_end) or NULL */
    float *output;              /* (rows, output_stride); columns >= out are not touched */
    size_t output_stride;
    bool accumulate; /* add to what the output holds */
};

/* Computes outputs [16 * panel_begin, 16 * panel_end), cut at `out`. */
typedef void (*den_matmul_kernel)(const struct den_matmul *op, size_t panel_begin,
                                  size_t panel_end);

/* f32 to int8, into row `row` of `out`: the largest magnitude of each group of 32 over 127 is its
 * scale, values round to nearest even. A group whose magnitudes are all below 1e-30 is zeros. Where
 * `out` has them, the scale is 1/256, and fine codes are the rest times 256, rounded, at most 127,
 * in groups whose largest magnitude is above DEN_FINE_ABOVE times the mean of those of the row's
 * groups; in others they are zero. (A piece does not know its row: all its groups have them.)
 * `width` values are read; the rest of the last group is zeros. */
struct den_quantize_kernels {
    void (*row)(const float *input, size_t width, const struct den_activations *out, size_t row);
    /* RMSNorm first: x / sqrt(mean(x^2) + epsilon) * weight, weight (width) */
    void (*norm_row)(const float *input, const float *weight, float epsilon, size_t width,
                     const struct den_activations *out, size_t row);
    /* `count` values of the row from column `column`, a multiple of 32: for producers that make a
     * row in pieces */
    void (*piece)(const float *input, size_t count, const struct den_activations *out, size_t row,
                  size_t column);
    /* to i16: the row's largest magnitude over 4095 is its scale, under the same rules */
    void (*wide_row)(const float *input, size_t width, const struct den_wide_activations *out,
                     size_t row);
};

/* How many rows to place for `rows`: a few more where groups would otherwise lie a multiple of many
 * cache lines apart, so that all that a tile of rows reads would fall on the same few sets. */
size_t den_activations_rows(size_t rows);
/* Bytes for the six arrays of `rows` rows, each 64-byte aligned; false on overflow. */
bool den_activations_bytes(size_t rows, size_t in_padded, size_t *out_bytes);
/* Lays them out in `memory` (64-byte aligned, den_activations_bytes() large), without `fine`; it
 * comes last, and what is never written costs no memory. */
void den_activations_place(struct den_activations *out, void *memory, size_t rows,
                           size_t in_padded);
/* The same with it. */
void den_activations_place_fine(struct den_activations *out, void *memory, size_t rows,
                                size_t in_padded);
/* The same for i16. */
bool den_wide_activations_bytes(size_t rows, size_t in_padded, size_t *out_bytes);
void den_wide_activations_place(struct den_wide_activations *out, void *memory, size_t rows,
                                size_t in_padded);

#endif
