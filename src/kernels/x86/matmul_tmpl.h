/* Quantized matrix products for one x86 instruction set; the contract is kernels/matmul.h. Included
 * by matmul_avx2.c and its kin after their dots.
 *
 * A tile is `rows` rows of activations times the 16 outputs of a panel, in PARTS vectors: two for
 * AVX2, one for AVX-512. Per group of 32 inputs, each packed line is loaded and taken apart once
 * and multiplied by four activations of each row, broadcast once for both vectors; the integer sums
 * stay in registers, are scaled once a group and added to the tile's f32 sums. With one row this
 * reads weights as fast as memory gives them; with ROWS_MAX rows the multipliers are busy.
 *
 * Panels run outermost, then chunks of k: a chunk (20 KiB) stays in the first cache while up to
 * ROW_BLOCK rows pass over it. Activations lie (groups, rows, 32), so that all that a tile reads of
 * a group is contiguous and addressed by constants from one pointer; groups are far apart, and what
 * is next is fetched early.
 *
 * Fine activations (matmul.h) are a second walk over the group's lines with the same integer sums:
 * 256 times those of the first, then the fine codes' added. Scaling, which is a third of a group's
 * work, is done once for both. Where no row of the tile has fine codes the walk is left out, which
 * changes no bit.
 *
 * The tile function is one inlined body with constant rows and format, which the compiler unrolls
 * into registers. Every sum runs over k in the same order whatever the tile's height. */
#include <string.h>

#include "kernels/pack_layout.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/store_tmpl.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

/* Or gcc would keep what the first walk took apart for a second walk that is rare: on the stack,
 * for want of registers, which costs more than taking it apart again. */
#define TAKE_APART_AGAIN(lines) __asm__("" : "+r"(lines))

enum {
    PARTS = DEN_PANEL / LANES,
    PART_BYTES = DEN_LINE_BYTES / PARTS,
    PREFETCH_BYTES = 2048,   /* ahead of the weights, where rows are few and memory the limit */
    CHUNK_BYTES = 20 * 1024, /* of a panel that stay in the first-level cache */
    ROW_BLOCK = 192,         /* rows that meet a chunk before the next one */
    GROUPS_AHEAD = 4,        /* rows are fetched so much earlier */
    SUMS_MAX = ROWS_MAX * PARTS
};

/* Where a tile reads. */
struct tile {
    const unsigned char *weights; /* the panel's first group */
    const struct den_activations *x;
    size_t row;
    size_t column;     /* the panel's first output */
    size_t begin, end; /* groups */
    bool last;         /* these are the last groups */
    float *kept;       /* (rows, 16): the sums of the groups before */
};

/* What is constant in a tile's code: only ever built of constants. */
struct shape {
    int rows;
    bool fine; /* activations are */
    enum den_pack_format format;
};

/* One group of 32 of the tile's rows. */
struct group {
    const int8_t *values;    /* (rows, 32) */
    const int8_t *fine;      /* (rows, 32); never read where activations have none */
    const uint8_t *has_fine; /* (rows); the same */
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
                           .has_fine = x->has_fine + (x->fine ? at : 0),
                           .scales = x->scales + at,
                           .scaled_sums = x->scaled_sums + at,
                           .biases = x->biases + 2 * at };
}

/* --- integer sums of a group: [row * PARTS + part] --- */

/* Two lines of nibbles' worth of k, low or high, times four activations of each row. */
ALWAYS_INLINE void dot_line(const codes line[PARTS], const int8_t *values, const int rows,
                            partial partials[SUMS_MAX])
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        codes x = four_of(values + r * DEN_GROUP);

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            partials[r * PARTS + v] = dot_nibbles(partials[r * PARTS + v], line[v], x);
    }
}

/* 32 k in the nibbles of four lines, `times` 1 or 256, added to `sums`. */
ALWAYS_INLINE void walk_nibbles(const unsigned char *lines, const int8_t *values, const int rows,
                                const int times, integers sums[SUMS_MAX])
{
    partial partials[SUMS_MAX];

#pragma GCC unroll 16
    for (int i = 0; i < rows * PARTS; i++)
        partials[i] = partial_on(sums[i]);
#pragma GCC unroll 4
    for (int l = 0; l < 4; l++) {
        codes low[PARTS], high[PARTS];

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++) {
            codes line = load_codes(lines + l * DEN_LINE_BYTES + v * PART_BYTES);

            low[v] = low_nibbles(line);
            high[v] = high_nibbles(line);
        }
        dot_line(low, values + 4 * l, rows, partials);
        dot_line(high, values + 16 + 4 * l, rows, partials);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows * PARTS; i++)
        sums[i] = sum_of_partial(sums[i], partials[i], times);
}

/* `count` lines of bytes, added to `sums`. */
ALWAYS_INLINE void walk_bytes(const unsigned char *lines, const int8_t *values, const int count,
                              const int rows, integers sums[SUMS_MAX])
{
#pragma GCC unroll 8
    for (int l = 0; l < count; l++) {
        signed_codes line[PARTS];

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            line[v] = signed_of(load_codes(lines + l * DEN_LINE_BYTES + v * PART_BYTES));
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            codes x = four_of(values + r * DEN_GROUP + 4 * l);

#pragma GCC unroll 2
            for (int v = 0; v < PARTS; v++)
                sums[r * PARTS + v] = dot_bytes(sums[r * PARTS + v], line[v], x);
        }
    }
}

ALWAYS_INLINE void clear_sums(integers sums[SUMS_MAX], const int rows)
{
#pragma GCC unroll 16
    for (int i = 0; i < rows * PARTS; i++)
        sums[i] = all_of_i32(0);
}

ALWAYS_INLINE void raise_sums(integers sums[SUMS_MAX], const int rows)
{
#pragma GCC unroll 16
    for (int i = 0; i < rows * PARTS; i++)
        sums[i] = times_256(sums[i]);
}

/* sums[r] += biases[r] */
ALWAYS_INLINE void add_biases(integers sums[SUMS_MAX], const int32_t *biases, const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        integers bias = all_of_i32(biases[r]);

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            sums[r * PARTS + v] = add_i32(sums[r * PARTS + v], bias);
    }
}

/* Whether one of `rows` flags is set. */
ALWAYS_INLINE bool any_of(const uint8_t *flags, const int rows)
{
    uint64_t first = 0;
    uint32_t rest = 0;

    memcpy(&first, flags, rows < 8 ? (size_t)rows : 8);
    if (rows > 8)
        memcpy(&rest, flags + 8, (size_t)rows - 8);
    return (first | rest) != 0;
}

ALWAYS_INLINE void dot_group_nibbles(const unsigned char *lines, const struct group *x,
                                     const struct shape shape, integers sums[SUMS_MAX])
{
    clear_sums(sums, shape.rows);
    walk_nibbles(lines, x->values, shape.rows, shape.fine ? 256 : 1, sums);
    if (shape.fine && any_of(x->has_fine, shape.rows)) {
        TAKE_APART_AGAIN(lines);
        walk_nibbles(lines, x->fine, shape.rows, 1, sums);
    }
}

/* `count` lines, which meet the group's activations from `first` on. */
ALWAYS_INLINE void dot_group_bytes(const unsigned char *lines, const struct group *x,
                                   const int first, const int count, const struct shape shape,
                                   integers sums[SUMS_MAX])
{
    clear_sums(sums, shape.rows);
    walk_bytes(lines, x->values + first, count, shape.rows, sums);
    if (!shape.fine)
        return;
    raise_sums(sums, shape.rows);
    if (any_of(x->has_fine, shape.rows)) {
        TAKE_APART_AGAIN(lines);
        walk_bytes(lines, x->fine + first, count, shape.rows, sums);
    }
}

/* --- one group of each format, scaled and added to the tile's sums --- */

/* sums[r] += dots[r] * (scale * scale of the row) */
ALWAYS_INLINE void add_scaled(lanes sums[SUMS_MAX], const integers dots[SUMS_MAX],
                              const lanes scale[PARTS], const float *scales, const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        lanes of_row = all_of(scales[r]);

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            sums[r * PARTS + v] = fused(floats_of(dots[r * PARTS + v]), multiply(scale[v], of_row),
                                        sums[r * PARTS + v]);
    }
}

/* sums[r] += minimum * scaled sum of the row */
ALWAYS_INLINE void add_minimum(lanes sums[SUMS_MAX], const lanes minimum[PARTS],
                               const float *scaled_sums, const int rows)
{
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        lanes of_row = all_of(scaled_sums[r]);

#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            sums[r * PARTS + v] = fused(minimum[v], of_row, sums[r * PARTS + v]);
    }
}

ALWAYS_INLINE void prefetch_lines(const unsigned char *at, const int bytes, const int rows)
{
    if (rows > 2)
        return;
#pragma GCC unroll 16
    for (int i = 0; i < bytes; i += DEN_LINE_BYTES)
        _mm_prefetch((const char *)at + PREFETCH_BYTES + i, _MM_HINT_T0);
}

/* A tile's rows of one group lie together, those of the next one far away, where the processor's
 * own prefetching does not look. */
ALWAYS_INLINE void prefetch_rows(const struct tile *tile, size_t g, const struct shape shape)
{
    const int8_t *values = tile->x->values + (g * tile->x->rows + tile->row) * DEN_GROUP;

    if (shape.rows < ROWS_MAX)
        return;
#pragma GCC unroll 8
    for (int i = 0; i < shape.rows * DEN_GROUP; i += DEN_LINE_BYTES)
        _mm_prefetch((const char *)values + i, _MM_HINT_T0);
}

/* 16 f16 or f32 of a group, by parts. */
ALWAYS_INLINE void load_halves(const unsigned char *at, lanes out[PARTS])
{
#pragma GCC unroll 2
    for (int v = 0; v < PARTS; v++)
        out[v] = load_half((const uint16_t *)(const void *)at + v * LANES);
}

ALWAYS_INLINE void load_floats(const unsigned char *at, lanes out[PARTS])
{
#pragma GCC unroll 2
    for (int v = 0; v < PARTS; v++)
        out[v] = load((const float *)(const void *)at + v * LANES);
}

ALWAYS_INLINE void add_q4(const struct tile *tile, size_t g, const struct shape shape,
                          lanes sums[SUMS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q4_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];
    int32_t biases[ROWS_MAX];
    lanes scale[PARTS];

    prefetch_lines(group, DEN_Q4_BYTES, shape.rows);
    dot_group_nibbles(group, &x, shape, dots);
#pragma GCC unroll 16
    for (int r = 0; r < shape.rows; r++)
        biases[r] = x.biases[2 * r] + x.biases[2 * r + 1];
    add_biases(dots, biases, shape.rows);
    load_halves(group + DEN_Q4_SCALES_AT, scale);
    add_scaled(sums, dots, scale, x.scales, shape.rows);
}

ALWAYS_INLINE void add_q4_min(const struct tile *tile, size_t g, const struct shape shape,
                              lanes sums[SUMS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q4_MIN_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];
    lanes scale[PARTS], minimum[PARTS];

    prefetch_lines(group, DEN_Q4_MIN_BYTES, shape.rows);
    dot_group_nibbles(group, &x, shape, dots);
    load_halves(group + DEN_Q4_SCALES_AT, scale);
    add_scaled(sums, dots, scale, x.scales, shape.rows);
    load_halves(group + DEN_Q4_MINIMA_AT, minimum);
    add_minimum(sums, minimum, x.scaled_sums, shape.rows);
}

ALWAYS_INLINE void add_q4_k(const struct tile *tile, size_t g, const struct shape shape,
                            lanes sums[SUMS_MAX])
{
    const unsigned char *unit = tile->weights + g / 8 * DEN_Q4_K_BYTES;
    const unsigned char *lines = unit + DEN_Q4_K_LINES_AT + g % 8 * DEN_Q4_LINES_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];
    lanes scale[PARTS], minimum[PARTS];

    prefetch_lines(lines, DEN_Q4_LINES_BYTES + DEN_LINE_BYTES, shape.rows);
    dot_group_nibbles(lines, &x, shape, dots);
    load_halves(unit + DEN_Q4_K_D_AT, scale);
    load_halves(unit + DEN_Q4_K_DMIN_AT, minimum);
#pragma GCC unroll 2
    for (int v = 0; v < PARTS; v++) {
        const unsigned char *column = unit + g % 8 * DEN_PANEL + v * LANES;

        scale[v] = multiply(load_u8(column + DEN_Q4_K_SCALES_AT), scale[v]);
        minimum[v] =
            subtract(all_of(0), multiply(load_u8(column + DEN_Q4_K_MINIMA_AT), minimum[v]));
    }
    add_scaled(sums, dots, scale, x.scales, shape.rows);
    add_minimum(sums, minimum, x.scaled_sums, shape.rows);
}

ALWAYS_INLINE void add_q8(const struct tile *tile, size_t g, const struct shape shape,
                          lanes sums[SUMS_MAX])
{
    const unsigned char *group = tile->weights + g * DEN_Q8_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];
    int32_t biases[ROWS_MAX];
    lanes scale[PARTS];

    prefetch_lines(group, DEN_Q8_BYTES, shape.rows);
    dot_group_bytes(group, &x, 0, 8, shape, dots);
#pragma GCC unroll 16
    for (int r = 0; DOT_BYTES_BIAS && r < shape.rows; r++)
        biases[r] = 16 * (x.biases[2 * r] + x.biases[2 * r + 1]);
    if (DOT_BYTES_BIAS)
        add_biases(dots, biases, shape.rows);
    load_halves(group + DEN_Q8_SCALES_AT, scale);
    add_scaled(sums, dots, scale, x.scales, shape.rows);
}

/* What bytes owe for half `h` of a group. */
ALWAYS_INLINE void add_half_biases(integers dots[SUMS_MAX], const struct group *x, const int h,
                                   const int rows)
{
    int32_t biases[ROWS_MAX];

    if (!DOT_BYTES_BIAS)
        return;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        biases[r] = 16 * x->biases[2 * r + h];
    add_biases(dots, biases, rows);
}

ALWAYS_INLINE void add_q8_k(const struct tile *tile, size_t g, const struct shape shape,
                            lanes sums[SUMS_MAX])
{
    const unsigned char *unit = tile->weights + g / 8 * DEN_Q8_K_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];

#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        size_t i = g % 8 * 2 + (size_t)h;
        const unsigned char *lines = unit + DEN_Q8_K_LINES_AT + i * DEN_Q8_K_HALF_BYTES;
        const unsigned char *steps = unit + DEN_Q8_K_SCALES_AT + i * DEN_PANEL;
        lanes scale[PARTS];

        prefetch_lines(lines, DEN_Q8_K_HALF_BYTES, shape.rows);
        dot_group_bytes(lines, &x, h * DEN_HALF_GROUP, 4, shape, dots);
        add_half_biases(dots, &x, h, shape.rows);
        load_halves(unit + DEN_Q8_K_D_AT, scale);
#pragma GCC unroll 2
        for (int v = 0; v < PARTS; v++)
            scale[v] = multiply(scale[v], load_i8(steps + v * LANES));
        add_scaled(sums, dots, scale, x.scales, shape.rows);
    }
}

ALWAYS_INLINE void add_q8_16(const struct tile *tile, size_t g, const struct shape shape,
                             lanes sums[SUMS_MAX])
{
    const unsigned char *half = tile->weights + 2 * g * DEN_Q8_16_HALF_BYTES;
    struct group x = group_of(tile, g);
    integers dots[SUMS_MAX];

#pragma GCC unroll 2
    for (int h = 0; h < 2; h++, half += DEN_Q8_16_HALF_BYTES) {
        float scaled_sums[ROWS_MAX];
        lanes scale[PARTS], minimum[PARTS];

        prefetch_lines(half, DEN_Q8_16_HALF_BYTES, shape.rows);
        dot_group_bytes(half, &x, h * DEN_HALF_GROUP, 4, shape, dots);
        add_half_biases(dots, &x, h, shape.rows);
        load_floats(half + DEN_Q8_16_SCALES_AT, scale);
        add_scaled(sums, dots, scale, x.scales, shape.rows);
        load_floats(half + DEN_Q8_16_MINIMA_AT, minimum);
#pragma GCC unroll 16
        for (int r = 0; r < shape.rows; r++)
            scaled_sums[r] = x.scales[r] * -0.125f * (float)x.biases[2 * r + h];
        add_minimum(sums, minimum, scaled_sums, shape.rows);
    }
}

/* --- tiles --- */

/* Groups [begin, end) of the tile's rows, added to `kept`, or (the last ones) stored. */
ALWAYS_INLINE void multiply_tile(const struct den_matmul *op, const struct tile *tile,
                                 const struct shape shape)
{
    lanes sums[SUMS_MAX];
    lanes done[SUMS_MAX]; /* indexed by a variable, which would keep `sums` out of registers */

#pragma GCC unroll 16
    for (int i = 0; i < shape.rows * PARTS; i++)
        sums[i] = tile->begin ? load(tile->kept + i * LANES) : all_of(0);
    for (size_t g = tile->begin; g < tile->end; g++) {
        prefetch_rows(tile, g + GROUPS_AHEAD, shape);
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
    }
#pragma GCC unroll 16
    for (int i = 0; i < shape.rows * PARTS; i++)
        done[i] = sums[i];
#pragma GCC unroll 1
    for (int i = 0; i < shape.rows * PARTS; i++) {
        size_t at = tile->column + (size_t)(i % PARTS) * LANES;

        if (!tile->last)
            store(tile->kept + i * LANES, done[i]);
        else if (at < op->weights->out)
            store_sums(op, tile->row + (size_t)(i / PARTS), at, done[i]);
    }
}

/* A tile's height is a constant of its code; none is made that the set has no registers for. */
#define TAKE_TILE(height)                                                                          \
    if (height <= ROWS_MAX && rows >= height) {                                                    \
        const struct shape shape = { height <= ROWS_MAX ? height : 1, fine, format };              \
                                                                                                   \
        multiply_tile(op, tile, shape);                                                            \
        return height;                                                                             \
    }

/* How many groups of a panel pass over the rows before the next ones: what stays in the first-level
 * cache, and all of them for a few rows, which read on from memory. Q*_K: a multiple of 8. */
static size_t chunk_of(const struct den_packed *w, size_t rows)
{
    size_t groups = w->in / DEN_GROUP, most = CHUNK_BYTES * groups / w->panel_bytes / 8 * 8;

    if (rows <= 2 * ROWS_MAX || groups <= most)
        return groups;
    return most ? most : 8;
}

/* As many rows as one tile takes; returns how many. */
ALWAYS_INLINE size_t multiply_some(const struct den_matmul *op, const struct tile *tile,
                                   size_t rows, const bool fine, const enum den_pack_format format)
{
    TAKE_TILE(12)
    TAKE_TILE(8)
    TAKE_TILE(6)
    TAKE_TILE(4)
    TAKE_TILE(2)
    TAKE_TILE(1)
    return 0;
}

/* Rows [begin, end), at most ROW_BLOCK, times one panel, chunk by chunk of k. */
ALWAYS_INLINE void multiply_block(const struct den_matmul *op, size_t p, size_t begin, size_t end,
                                  const bool fine, const enum den_pack_format format)
{
    const struct den_packed *w = op->weights;
    size_t groups = w->in / DEN_GROUP, chunk = chunk_of(w, end - begin);
    float kept[ROW_BLOCK * DEN_PANEL];
    struct tile tile = { .weights = w->data + p * w->panel_bytes,
                         .x = op->quantized,
                         .column = p * DEN_PANEL };

    for (; tile.begin < groups; tile.begin = tile.end) {
        tile.end = groups - tile.begin < chunk ? groups : tile.begin + chunk;
        tile.last = tile.end == groups;
        for (tile.row = begin; tile.row < end;) {
            tile.kept = kept + (tile.row - begin) * DEN_PANEL;
            tile.row += multiply_some(op, &tile, end - tile.row, fine, format);
        }
    }
}

ALWAYS_INLINE void multiply_panels(const struct den_matmul *op, size_t panel_begin,
                                   size_t panel_end, const bool fine,
                                   const enum den_pack_format format)
{
    size_t begin, end, p;

    for (begin = op->row_begin; begin < op->row_end; begin = end) {
        end = op->row_end - begin < ROW_BLOCK ? op->row_end : begin + ROW_BLOCK;
        for (p = panel_begin; p < panel_end; p++)
            multiply_block(op, p, begin, end, fine, format);
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
