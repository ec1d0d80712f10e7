/* Quantized matrix products for one x86 instruction set; the contract is kernels/matmul.h. Included
 * by matmul_avx2.c and its kin after their dots.
 *
 * A tile is `rows` rows of activations times the LANES outputs of one part of a panel (a panel is
 * 16 outputs: two parts for AVX2, one for AVX-512). Per group of 32 inputs, each packed line is
 * loaded and taken apart once and multiplied by four activations of each row, broadcast; the
 * integer sums stay in registers, are scaled once a group and added to the tile's f32 sums, which
 * stay in registers over all of k. With one row this reads weights as fast as memory gives them;
 * with ROWS_MAX rows the taking apart costs a tenth and the multipliers are busy.
 *
 * Activations lie (groups, rows, 32), so that all that a tile reads of a group is contiguous and
 * addressed by constants from one pointer. Panels run outermost: a panel (6 to 40 KiB) stays in
 * the first or second cache while the rows pass over it; rows are taken in blocks that leave the
 * second cache room for both.
 *
 * Fine activations (matmul.h) are a second walk over the group's lines with the same integer sums:
 * 256 times those of the first, then the fine codes' added. Scaling, which is a third of a group's
 * work, is done once for both.
 *
 * The tile function is one inlined body with constant rows and format, which the compiler unrolls
 * into registers. Every sum runs over k in the same order whatever the tile's height. */
#include "kernels/pack_layout.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/store_tmpl.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum {
    PARTS = DEN_PANEL / LANES,
    PART_BYTES = DEN_LINE_BYTES / PARTS,
    PREFETCH_BYTES = 2048,       /* ahead of the weights, where rows are few and memory the limit */
    ROW_BLOCK_BYTES = 384 * 1024 /* of activations that pass over a panel before the next panel */
};

/* Where a tile reads. */
struct tile {
    const unsigned char *weights; /* the panel's first group, at the tile's part */
    const struct den_activations *x;
    size_t row;
    size_t part; /* 0 .. PARTS - 1 */
};

/* What is constant in a tile's code: only ever built of constants. */
struct shape {
    int rows;
    bool fine; /* activations are */
    enum den_pack_format format;
};

/* One group of 32 of the tile's rows. */
struct group {
    const int8_t *values; /* (rows, 32) */
    const int8_t *fine;   /* (rows, 32); never read where activations have none */
    const float *scales;
    const float *scaled_sums;
    const int32_t *biases; /* (rows, 2) */
};

ALWAYS_INLINE struct group group_of(const struct tile *tile, size_t g)
{
    const struct den_activations *x = tile->x;
    size_t at = g * x->rows + tile->row;

    return (struct group){ .values = x->values + at * DEN_GROUP,
                           .fine = x->fine + (x->fine ? at * DEN_GROUP : 0),
                           .scales = x->scales + at,
                           .scaled_sums = x->scaled_sums + at,
                           .biases = x->biases + 2 * at };
}

/* --- integer sums of a group --- */

/* 32 k in the nibbles of four lines, added to `sums`. */
ALWAYS_INLINE void walk_nibbles(const unsigned char *lines, const int8_t *values, const int rows,
                                integers sums[ROWS_MAX])
{
    partial partials[ROWS_MAX];

#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        partials[r] = partial_on(sums[r]);
#pragma GCC unroll 4
    for (int l = 0; l < 4; l++) {
        codes line = load_codes(lines + l * DEN_LINE_BYTES);
        codes low = low_nibbles(line), high = high_nibbles(line);

#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
            partials[r] = dot_nibbles(partials[r], low, four_of(values + r * DEN_GROUP + 4 * l));
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
            partials[r] =
                dot_nibbles(partials[r], high, four_of(values + r * DEN_GROUP + 16 + 4 * l));
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        sums[r] = sum_of_partial(sums[r], partials[r]);
}

/* `count` lines of bytes, added to `sums`. */
ALWAYS_INLINE void walk_bytes(const unsigned char *lines, const int8_t *values, const int count,
                              const int rows, integers sums[ROWS_MAX])
{
#pragma GCC unroll 8
    for (int l = 0; l < count; l++) {
        signed_codes line = signed_of(load_codes(lines + l * DEN_LINE_BYTES));

#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
            sums[r] = dot_bytes(sums[r], line, four_of(values + r * DEN_GROUP + 4 * l));
    }
}

ALWAYS_INLINE void clear_sums(integers sums[ROWS_MAX], const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        sums[r] = all_of_i32(0);
}

ALWAYS_INLINE void raise_sums(integers sums[ROWS_MAX], const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        sums[r] = times_256(sums[r]);
}

ALWAYS_INLINE void dot_group_nibbles(const unsigned char *lines, const struct group *x,
                                     const struct shape shape, integers sums[ROWS_MAX])
{
    clear_sums(sums, shape.rows);
    walk_nibbles(lines, x->values, shape.rows, sums);
    if (!shape.fine)
        return;
    raise_sums(sums, shape.rows);
    walk_nibbles(lines, x->fine, shape.rows, sums);
}

/* `count` lines, which meet the group's activations from `first` on. */
ALWAYS_INLINE void dot_group_bytes(const unsigned char *lines, const struct group *x,
                                   const int first, const int count, const struct shape shape,
                                   integers sums[ROWS_MAX])
{
    clear_sums(sums, shape.rows);
    walk_bytes(lines, x->values + first, count, shape.rows, sums);
    if (!shape.fine)
        return;
    raise_sums(sums, shape.rows);
    walk_bytes(lines, x->fine + first, count, shape.rows, sums);
}

/* --- one group of each format, scaled and added to the tile's sums --- */

/* sums[r] += dots[r] * (scale * scale of the row) */
ALWAYS_INLINE void add_scaled(lanes sums[ROWS_MAX], const integers dots[ROWS_MAX], lanes scale,
                              const float *scales, const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        sums[r] = fused(floats_of(dots[r]), multiply(scale, all_of(scales[r])), sums[r]);
}

/* sums[r] += minimum * scaled sum of the row */
ALWAYS_INLINE void add_minimum(lanes sums[ROWS_MAX], lanes minimum, const float *scaled_sums,
                               const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        sums[r] = fused(minimum, all_of(scaled_sums[r]), sums[r]);
}

ALWAYS_INLINE void prefetch_lines(const unsigned char *at, const int bytes, const int rows)
{
    if (rows > 4)
        return;
#pragma GCC unroll 16
    for (int i = 0; i < bytes; i += DEN_LINE_BYTES)
        _mm_prefetch((const char *)at + PREFETCH_BYTES + i, _MM_HINT_T0);
}

ALWAYS_INLINE const uint16_t *halves_at(const unsigned char *group, size_t offset, size_t part)
{
    return (const uint16_t *)(const void *)(group + offset) + part * LANES;
}

ALWAYS_INLINE const float *floats_at(const unsigned char *group, size_t offset, size_t part)
{
    return (const float *)(const void *)(group + offset) + part * LANES;
}

ALWAYS_INLINE void add_q4(const struct tile *tile, size_t g, const struct shape shape,
                          lanes sums[ROWS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q4_BYTES;
    struct group x = group_of(tile, g);
    integers dots[ROWS_MAX];

    prefetch_lines(group, DEN_Q4_BYTES, shape.rows);
    dot_group_nibbles(group + tile->part * PART_BYTES, &x, shape, dots);
#pragma GCC unroll 16
    for (int r = 0; r < shape.rows; r++)
        dots[r] = add_i32(dots[r], all_of_i32(x.biases[2 * r] + x.biases[2 * r + 1]));
    add_scaled(sums, dots, load_half(halves_at(group, DEN_Q4_SCALES_AT, tile->part)), x.scales,
               shape.rows);
}

ALWAYS_INLINE void add_q4_min(const struct tile *tile, size_t g, const struct shape shape,
                              lanes sums[ROWS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q4_MIN_BYTES;
    struct group x = group_of(tile, g);
    integers dots[ROWS_MAX];

    prefetch_lines(group, DEN_Q4_MIN_BYTES, shape.rows);
    dot_group_nibbles(group + tile->part * PART_BYTES, &x, shape, dots);
    add_scaled(sums, dots, load_half(halves_at(group, DEN_Q4_SCALES_AT, tile->part)), x.scales,
               shape.rows);
    add_minimum(sums, load_half(halves_at(group, DEN_Q4_MINIMA_AT, tile->part)), x.scaled_sums,
                shape.rows);
}

ALWAYS_INLINE void add_q4_k(const struct tile *tile, size_t g, const struct shape shape,
                            lanes sums[ROWS_MAX])
{
    const unsigned char *unit = tile->weights + g / 8 * DEN_Q4_K_BYTES;
    const unsigned char *lines = unit + DEN_Q4_K_LINES_AT + g % 8 * DEN_Q4_LINES_BYTES;
    size_t column = g % 8 * DEN_PANEL + tile->part * LANES;
    struct group x = group_of(tile, g);
    integers dots[ROWS_MAX];
    lanes scale = load_u8(unit + DEN_Q4_K_SCALES_AT + column);
    lanes minimum = load_u8(unit + DEN_Q4_K_MINIMA_AT + column);

    prefetch_lines(lines, DEN_Q4_LINES_BYTES + DEN_LINE_BYTES, shape.rows);
    scale = multiply(scale, load_half(halves_at(unit, DEN_Q4_K_D_AT, tile->part)));
    minimum = multiply(minimum, load_half(halves_at(unit, DEN_Q4_K_DMIN_AT, tile->part)));
    dot_group_nibbles(lines + tile->part * PART_BYTES, &x, shape, dots);
    add_scaled(sums, dots, scale, x.scales, shape.rows);
    add_minimum(sums, subtract(all_of(0), minimum), x.scaled_sums, shape.rows);
}

ALWAYS_INLINE void add_q8(const struct tile *tile, size_t g, const struct shape shape,
                          lanes sums[ROWS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q8_BYTES;
    struct group x = group_of(tile, g);
    integers dots[ROWS_MAX];

    prefetch_lines(group, DEN_Q8_BYTES, shape.rows);
    dot_group_bytes(group + tile->part * PART_BYTES, &x, 0, 8, shape, dots);
#pragma GCC unroll 16
    for (int r = 0; DOT_BYTES_BIAS && r < shape.rows; r++)
        dots[r] = add_i32(dots[r], all_of_i32(16 * (x.biases[2 * r] + x.biases[2 * r + 1])));
    add_scaled(sums, dots, load_half(halves_at(group, DEN_Q8_SCALES_AT, tile->part)), x.scales,
               shape.rows);
}

ALWAYS_INLINE void add_q8_k(const struct tile *tile, size_t g, const struct shape shape,
                            lanes sums[ROWS_MAX])
{
    const unsigned char *unit = tile->weights + g / 8 * DEN_Q8_K_BYTES;
    struct group x = group_of(tile, g);
    lanes d = load_half(halves_at(unit, DEN_Q8_K_D_AT, tile->part));
    integers dots[ROWS_MAX];

#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        size_t i = g % 8 * 2 + (size_t)h;
        const unsigned char *lines = unit + DEN_Q8_K_LINES_AT + i * DEN_Q8_K_HALF_BYTES;
        lanes step = load_i8(unit + DEN_Q8_K_SCALES_AT + i * DEN_PANEL + tile->part * LANES);

        prefetch_lines(lines, DEN_Q8_K_HALF_BYTES, shape.rows);
        dot_group_bytes(lines + tile->part * PART_BYTES, &x, h * DEN_HALF_GROUP, 4, shape, dots);
#pragma GCC unroll 16
        for (int r = 0; DOT_BYTES_BIAS && r < shape.rows; r++)
            dots[r] = add_i32(dots[r], all_of_i32(16 * x.biases[2 * r + h]));
        add_scaled(sums, dots, multiply(d, step), x.scales, shape.rows);
    }
}

ALWAYS_INLINE void add_q8_16(const struct tile *tile, size_t g, const struct shape shape,
                             lanes sums[ROWS_MAX])
{
    const unsigned char *half = tile->weights + 2 * g * DEN_Q8_16_HALF_BYTES;
    struct group x = group_of(tile, g);
    integers dots[ROWS_MAX];

#pragma GCC unroll 2
    for (int h = 0; h < 2; h++, half += DEN_Q8_16_HALF_BYTES) {
        prefetch_lines(half, DEN_Q8_16_HALF_BYTES, shape.rows);
        dot_group_bytes(half + tile->part * PART_BYTES, &x, h * DEN_HALF_GROUP, 4, shape, dots);
#pragma GCC unroll 16
        for (int r = 0; DOT_BYTES_BIAS && r < shape.rows; r++)
            dots[r] = add_i32(dots[r], all_of_i32(16 * x.biases[2 * r + h]));
        add_scaled(sums, dots, load(floats_at(half, DEN_Q8_16_SCALES_AT, tile->part)), x.scales,
                   shape.rows);
        lanes minimum = load(floats_at(half, DEN_Q8_16_MINIMA_AT, tile->part));
#pragma GCC unroll 16
        for (int r = 0; r < shape.rows; r++)
            sums[r] =
                fused(minimum, all_of(x.scales[r] * -0.125f * (float)x.biases[2 * r + h]), sums[r]);
    }
}

/* --- tiles --- */

ALWAYS_INLINE void multiply_tile(const struct den_matmul *op, const struct tile *tile,
                                 size_t column, const struct shape shape)
{
    lanes sums[ROWS_MAX];
    lanes done[ROWS_MAX]; /* indexed by a variable, which would keep `sums` out of registers */
    size_t groups = op->weights->in / DEN_GROUP;

#pragma GCC unroll 16
    for (int r = 0; r < shape.rows; r++)
        sums[r] = all_of(0);
    for (size_t g = 0; g < groups; g++)
        switch (shape.format) {
        case DEN_PACK_Q4:
            add_q4(tile, g, shape, sums);
            break;
        case DEN_PACK_Q4_MIN:
            add_q4_min(tile, g, shape, sums);
            break;
        case DEN_PACK_Q4_K:
            add_q4_k(tile, g, shape, sums);
            break;
        case DEN_PACK_Q8:
            add_q8(tile, g, shape, sums);
            break;
        case DEN_PACK_Q8_K:
            add_q8_k(tile, g, shape, sums);
            break;
        default:
            add_q8_16(tile, g, shape, sums);
        }
#pragma GCC unroll 16
    for (int r = 0; r < shape.rows; r++)
        done[r] = sums[r];
#pragma GCC unroll 1
    for (int r = 0; r < shape.rows; r++)
        store_sums(op, tile->row + (size_t)r, column, done[r]);
}

/* A tile's height is a constant of its code; none is made that the set has no registers for. */
#define TAKE_TILE(height)                                                                          \
    if (height <= ROWS_MAX && rows >= height) {                                                    \
        const struct shape shape = { height <= ROWS_MAX ? height : 1, fine, format };              \
                                                                                                   \
        multiply_tile(op, tile, column, shape);                                                    \
        return height;                                                                             \
    }

/* As many rows as one tile takes; returns how many. */
ALWAYS_INLINE size_t multiply_some(const struct den_matmul *op, const struct tile *tile,
                                   size_t column, size_t rows, const bool fine,
                                   const enum den_pack_format format)
{
    TAKE_TILE(12)
    TAKE_TILE(8)
    TAKE_TILE(6)
    TAKE_TILE(4)
    TAKE_TILE(2)
    TAKE_TILE(1)
    return 0;
}

ALWAYS_INLINE void multiply_panels(const struct den_matmul *op, size_t panel_begin,
                                   size_t panel_end, const bool fine,
                                   const enum den_pack_format format)
{
    const struct den_packed *w = op->weights;
    size_t block = ROW_BLOCK_BYTES / (w->in + (fine ? w->in : 0)) / ROWS_MAX * ROWS_MAX;
    size_t begin, end, p;

    if (block < 2 * ROWS_MAX)
        block = 2 * ROWS_MAX;
    for (begin = op->row_begin; begin < op->row_end; begin = end) {
        end = op->row_end - begin < block ? op->row_end : begin + block;
        for (p = panel_begin; p < panel_end; p++)
            for (size_t part = 0; part < PARTS; part++) {
                struct tile tile = { .weights = w->data + p * w->panel_bytes,
                                     .x = op->quantized,
                                     .row = begin,
                                     .part = part };
                size_t column = p * DEN_PANEL + part * LANES;

                while (column < w->out && tile.row < end)
                    tile.row += multiply_some(op, &tile, column, end - tile.row, fine, format);
            }
    }
}

#define DEFINE_MATMUL(name, format)                                                                \
    static void name(const struct den_matmul *op, size_t panel_begin, size_t panel_end)            \
    {                                                                                              \
        if (op->quantized->fine)                                                                   \
            multiply_panels(op, panel_begin, panel_end, true, format);                             \
        else                                                                                       \
            multiply_panels(op, panel_begin, panel_end, false, format);                            \
    }

DEFINE_MATMUL(matmul_q4, DEN_PACK_Q4)
DEFINE_MATMUL(matmul_q4_min, DEN_PACK_Q4_MIN)
DEFINE_MATMUL(matmul_q4_k, DEN_PACK_Q4_K)
DEFINE_MATMUL(matmul_q8, DEN_PACK_Q8)
DEFINE_MATMUL(matmul_q8_k, DEN_PACK_Q8_K)
DEFINE_MATMUL(matmul_q8_16, DEN_PACK_Q8_16)

void FILL(den_matmul_kernel table[DEN_PACK_FORMATS])
{
    table[DEN_PACK_Q4] = matmul_q4;
    table[DEN_PACK_Q4_MIN] = matmul_q4_min;
    table[DEN_PACK_Q4_K] = matmul_q4_k;
    table[DEN_PACK_Q8] = matmul_q8;
    table[DEN_PACK_Q8_K] = matmul_q8_k;
    table[DEN_PACK_Q8_16] = matmul_q8_16;
}
