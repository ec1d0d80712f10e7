/* Quantized matrix products with matrix tiles; the contract is kernels/matmul.h. Included by
 * matmul_amx.c after the lines of AVX-512 and the tiles (tests: after emulated tiles).
 *
 * A tile product multiplies 16 rows of up to 64 i8 by 64 x 16 weights in 16 cycles, four to eight
 * times what vpdpbusd does, and leaves 16 x 16 integers. What it can't do is scale: weights and
 * activations have an f32 scale for every 32 k (some formats for every 16), so a product takes half
 * of a tile's depth, and its 16 x 16 integers go through memory to AVX-512, which converts, scales
 * and adds them. That is 3 instructions for every row (4 with a minimum, one more with fine
 * activations, another where a row of the 16 has fine codes) on two ports, 24 to 48 cycles for a
 * tile, and so the scaling is the limit, not the tiles. bf16 tiles with the scales folded into both
 * sides would need no scaling and take 16 cycles, but round every weight to 8 bits; then a row's
 * result would depend on how many rows are computed with it, which the contract rules out.
 * docs/internals/kernels.md has the account.
 *
 * Therefore all is done to keep the scaling fed. A panel's weights are taken apart once, to lines
 * of i8 and f32 scales, and meet up to ROW_BLOCK rows. The loop over k is a pipeline: the tiles of
 * unit u + 2 are started, then the integers of unit u, stored two turns earlier, are scaled into 16
 * registers. (A load that finds its store still under way waits for the cache; two units later it
 * does not.) Sums are computed by the same instructions in the same order as those of matmul_tmpl.h
 * and come out the same, bit for bit, so that few rows, for which taking a panel apart does not
 * pay, may go to the AVX-512 kernels.
 *
 * A "unit" is the k that one scale spans: a group of 32, or half of one. */
#include "kernels/pack_layout.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/store_tmpl.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

#ifndef TILES_ROWS_MIN
#define TILES_ROWS_MIN 16 /* fewer go to AVX-512; docs/adr has the measurement */
#endif

enum {
    TILE_ROWS = 16,
    CHUNK_GROUPS = 32, /* of k, taken apart at a time */
    CHUNK_UNITS = 2 * CHUNK_GROUPS,
    ROW_BLOCK = 256, /* rows that meet a chunk before the next one */
    RING = 4,        /* tiles of integers on their way to AVX-512 */
    GROUP_LINES = DEN_GROUP / 4
};

/* One chunk of a panel taken apart, and what its rows have so far: 50 KiB of stack. */
struct workshop {
    _Alignas(64) int8_t lines[CHUNK_GROUPS * GROUP_LINES][DEN_LINE_BYTES];
    float scales[CHUNK_UNITS][DEN_PANEL];
    float minima[CHUNK_UNITS][DEN_PANEL];
    float sums[ROW_BLOCK][DEN_PANEL];
    int32_t dots[RING][2][TILE_ROWS][DEN_PANEL]; /* of values, of `fine` */
};

/* What is known when a body is compiled. */
struct shape {
    enum den_pack_format format;
    bool fine;    /* activations have a second int8 (matmul.h) */
    bool refined; /* and in this unit a row of the tile makes use of it */
};

/* What is fixed for a chunk and a tile of rows. */
struct passage {
    const struct den_activations *x;
    size_t row;   /* first row */
    size_t group; /* first group of the chunk */
    size_t units; /* of the chunk */
};

ALWAYS_INLINE size_t units_of_group(const enum den_pack_format format)
{
    return format == DEN_PACK_Q8_K || format == DEN_PACK_Q8_16 ? 2 : 1;
}

ALWAYS_INLINE bool has_minima(const enum den_pack_format format)
{
    return format == DEN_PACK_Q4_MIN || format == DEN_PACK_Q4_K || format == DEN_PACK_Q8_16;
}

/* --- taking weights apart --- */

/* Four lines of nibbles to eight of bytes, less `offset`. */
ALWAYS_INLINE void take_nibbles(const unsigned char *from, const int offset, int8_t *lines)
{
    const codes less = _mm512_set1_epi8((char)offset);

#pragma GCC unroll 4
    for (int l = 0; l < 4; l++) {
        codes line = load_codes(from + l * DEN_LINE_BYTES);

        _mm512_store_si512(lines + l * DEN_LINE_BYTES, _mm512_sub_epi8(low_nibbles(line), less));
        _mm512_store_si512(lines + (l + 4) * DEN_LINE_BYTES,
                           _mm512_sub_epi8(high_nibbles(line), less));
    }
}

/* q + 128 to q */
ALWAYS_INLINE void take_bytes(const unsigned char *from, const int count, int8_t *lines)
{
    const codes sign = _mm512_set1_epi8(-128);

#pragma GCC unroll 8
    for (int l = 0; l < count; l++)
        _mm512_store_si512(lines + l * DEN_LINE_BYTES,
                           _mm512_xor_si512(load_codes(from + l * DEN_LINE_BYTES), sign));
}

ALWAYS_INLINE lanes halves_at(const unsigned char *at)
{
    return load_half((const uint16_t *)(const void *)at);
}

ALWAYS_INLINE lanes floats_at(const unsigned char *at)
{
    return load((const float *)(const void *)at);
}

/* Group g of the panel to the lines, scales and minima of the chunk's group i. */
ALWAYS_INLINE void take_group(const unsigned char *panel, size_t g, struct workshop *shop, size_t i,
                              const enum den_pack_format format)
{
    int8_t *lines = shop->lines[i * GROUP_LINES];
    const unsigned char *at;

    if (format == DEN_PACK_Q4 || format == DEN_PACK_Q4_MIN) {
        at = panel + g * (format == DEN_PACK_Q4 ? DEN_Q4_BYTES : DEN_Q4_MIN_BYTES);
        take_nibbles(at, format == DEN_PACK_Q4 ? 8 : 0, lines);
        store(shop->scales[i], halves_at(at + DEN_Q4_SCALES_AT));
        if (format == DEN_PACK_Q4_MIN)
            store(shop->minima[i], halves_at(at + DEN_Q4_MINIMA_AT));
    } else if (format == DEN_PACK_Q4_K) {
        at = panel + g / 8 * DEN_Q4_K_BYTES;
        take_nibbles(at + DEN_Q4_K_LINES_AT + g % 8 * DEN_Q4_LINES_BYTES, 0, lines);
        store(shop->scales[i], multiply(load_u8(at + DEN_Q4_K_SCALES_AT + g % 8 * DEN_PANEL),
                                        halves_at(at + DEN_Q4_K_D_AT)));
        store(shop->minima[i],
              subtract(all_of(0), multiply(load_u8(at + DEN_Q4_K_MINIMA_AT + g % 8 * DEN_PANEL),
                                           halves_at(at + DEN_Q4_K_DMIN_AT))));
    } else if (format == DEN_PACK_Q8) {
        at = panel + g * DEN_Q8_BYTES;
        take_bytes(at, GROUP_LINES, lines);
        store(shop->scales[i], halves_at(at + DEN_Q8_SCALES_AT));
    } else if (format == DEN_PACK_Q8_K) {
        at = panel + g / 8 * DEN_Q8_K_BYTES;
        take_bytes(at + DEN_Q8_K_LINES_AT + g % 8 * 2 * DEN_Q8_K_HALF_BYTES, GROUP_LINES, lines);
        for (size_t h = 0; h < 2; h++)
            store(shop->scales[2 * i + h],
                  multiply(halves_at(at + DEN_Q8_K_D_AT),
                           load_i8(at + DEN_Q8_K_SCALES_AT + (g % 8 * 2 + h) * DEN_PANEL)));
    } else {
        for (size_t h = 0; h < 2; h++) {
            at = panel + (2 * g + h) * DEN_Q8_16_HALF_BYTES;
            take_bytes(at, GROUP_LINES / 2, lines + h * GROUP_LINES / 2 * DEN_LINE_BYTES);
            store(shop->scales[2 * i + h], floats_at(at + DEN_Q8_16_SCALES_AT));
            store(shop->minima[2 * i + h], floats_at(at + DEN_Q8_16_MINIMA_AT));
        }
    }
}

/* --- scaling --- */

/* What minima multiply in a unit of half a group, for 16 rows from `at` on: the row's scale times
 * its sum over the half. (Over a whole group it is there ready-made.) */
ALWAYS_INLINE void scale_half_sums(const struct den_activations *x, size_t at, size_t half,
                                   float sums[TILE_ROWS])
{
    const __m512i evens =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const int32_t *biases = x->biases + 2 * at + half;
    integers low = _mm512_loadu_si512(biases), high = _mm512_maskz_loadu_epi32(0x7FFF, biases + 16);

    store(sums, multiply(multiply(load(x->scales + at), all_of(-0.125f)),
                         floats_of(_mm512_permutex2var_epi32(low, evens, high))));
}

/* Whether one of `rows` rows has fine codes in unit u: most have them in few. */
ALWAYS_INLINE bool has_fine(const struct passage *passage, size_t u, size_t rows,
                            const enum den_pack_format format)
{
    const struct den_activations *x = passage->x;
    const uint8_t *flags =
        x->has_fine + (passage->group + u / units_of_group(format)) * x->rows + passage->row;
    uint8_t any = 0;
    size_t r;

    if (rows == TILE_ROWS)
        return _mm_test_all_zeros(_mm_loadu_si128((const __m128i *)(const void *)flags),
                                  _mm_set1_epi8(-1)) == 0;
    for (r = 0; r < rows; r++)
        any |= flags[r];
    return any != 0;
}

/* Adds the integers of one row of a unit to its sum. */
ALWAYS_INLINE lanes add_row(const struct passage *passage, const struct workshop *shop, size_t u,
                            size_t r, lanes sum, const struct shape shape)
{
    const struct den_activations *x = passage->x;
    size_t at = (passage->group + u / units_of_group(shape.format)) * x->rows + passage->row + r;
    integers dots = load_codes(shop->dots[u % RING][0][r]);

    if (shape.fine)
        dots = times_256(dots);
    if (shape.refined)
        dots = add_i32(dots, load_codes(shop->dots[u % RING][1][r]));
    return fused(floats_of(dots), multiply(load(shop->scales[u]), all_of(x->scales[at])), sum);
}

/* The same for its minimum, which multiplies `scaled_sum`. */
ALWAYS_INLINE lanes add_minimum(const struct workshop *shop, size_t u, float scaled_sum, lanes sum)
{
    return fused(load(shop->minima[u]), all_of(scaled_sum), sum);
}

/* --- tiles: 0, 1 sums; 2, 3 rows; 4, 5 lines; 6 sums and 7 rows of less than 16 --- */

/* Where the first of the passage's rows begins, of `values` or of `fine`. */
ALWAYS_INLINE const int8_t *codes_at(const struct passage *passage, const int8_t *bytes, size_t u,
                                     const enum den_pack_format format)
{
    size_t of_group = units_of_group(format), g = passage->group + u / of_group;

    return bytes + (g * passage->x->rows + passage->row) * DEN_GROUP +
           u % of_group * DEN_HALF_GROUP;
}

ALWAYS_INLINE const int8_t *lines_at(const struct workshop *shop, size_t u,
                                     const enum den_pack_format format)
{
    return shop->lines[u * (GROUP_LINES / units_of_group(format))];
}

#define MULTIPLY_TILES(u, part, sums, rows, weights)                                               \
    do {                                                                                           \
        tile_zero(sums);                                                                           \
        tile_load(                                                                                 \
            rows,                                                                                  \
            codes_at(passage, part ? passage->x->fine : passage->x->values, u, shape.format),      \
            DEN_GROUP);                                                                            \
        tile_dot(sums, rows, weights);                                                             \
        tile_store(sums, shop->dots[(u) % RING][part], DEN_PANEL * sizeof(int32_t));               \
    } while (0)

/* Starts unit u, if there is one, on 16 rows: even and odd units on tiles of their own, or both
 * parts of fine activations. */
ALWAYS_INLINE void start_unit(const struct passage *passage, struct workshop *shop, size_t u,
                              const struct shape shape)
{
    if (u >= passage->units)
        return;
    if (shape.fine || u % 2 == 0) {
        tile_load(4, lines_at(shop, u, shape.format), DEN_LINE_BYTES);
        MULTIPLY_TILES(u, 0, 0, 2, 4);
        if (shape.fine && has_fine(passage, u, TILE_ROWS, shape.format))
            MULTIPLY_TILES(u, 1, 1, 3, 4);
    } else {
        tile_load(5, lines_at(shop, u, shape.format), DEN_LINE_BYTES);
        MULTIPLY_TILES(u, 0, 1, 3, 5);
    }
}

/* Adds unit u to the sums of 16 rows. */
ALWAYS_INLINE void scale_unit(const struct passage *passage, const struct workshop *shop, size_t u,
                              lanes sums[TILE_ROWS], const struct shape shape)
{
    const struct den_activations *x = passage->x;
    size_t at = (passage->group + u / units_of_group(shape.format)) * x->rows + passage->row;
    const struct shape refined = { shape.format, true, true };
    const float *scaled_sums = x->scaled_sums + at;
    float half_sums[TILE_ROWS];

    if (shape.fine && has_fine(passage, u, TILE_ROWS, shape.format)) {
#pragma GCC unroll 16
        for (size_t r = 0; r < TILE_ROWS; r++)
            sums[r] = add_row(passage, shop, u, r, sums[r], refined);
    } else {
#pragma GCC unroll 16
        for (size_t r = 0; r < TILE_ROWS; r++)
            sums[r] = add_row(passage, shop, u, r, sums[r], shape);
    }
    if (!has_minima(shape.format))
        return;
    if (units_of_group(shape.format) == 2) {
        scale_half_sums(x, at, u % 2, half_sums);
        scaled_sums = half_sums;
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < TILE_ROWS; r++)
        sums[r] = add_minimum(shop, u, scaled_sums[r], sums[r]);
}

/* 16 rows times a chunk. */
ALWAYS_INLINE void multiply_full(const struct passage *passage, struct workshop *shop,
                                 float sums_of[][DEN_PANEL], const struct shape shape)
{
    lanes sums[TILE_ROWS];

#pragma GCC unroll 16
    for (size_t r = 0; r < TILE_ROWS; r++)
        sums[r] = load(sums_of[r]);
    start_unit(passage, shop, 0, shape);
    start_unit(passage, shop, 1, shape);
    for (size_t u = 0; u < passage->units; u++) {
        start_unit(passage, shop, u + 2, shape);
        scale_unit(passage, shop, u, sums, shape);
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < TILE_ROWS; r++)
        store(sums_of[r], sums[r]);
}

/* Fewer rows: as many as the configuration says. */
ALWAYS_INLINE void multiply_rest(const struct passage *passage, struct workshop *shop, size_t rows,
                                 float sums_of[][DEN_PANEL], const struct shape shape)
{
    const struct shape second = { shape.format, true, true };
    const struct den_activations *x = passage->x;

    for (size_t u = 0; u < passage->units; u++) {
        size_t of_group = units_of_group(shape.format);
        size_t at = (passage->group + u / of_group) * x->rows + passage->row;
        bool refined = shape.fine && has_fine(passage, u, rows, shape.format);

        tile_load(4, lines_at(shop, u, shape.format), DEN_LINE_BYTES);
        MULTIPLY_TILES(u, 0, 6, 7, 4);
        if (refined)
            MULTIPLY_TILES(u, 1, 6, 7, 4);
        for (size_t r = 0; r < rows; r++, at++) {
            lanes sum = load(sums_of[r]);

            if (refined)
                sum = add_row(passage, shop, u, r, sum, second);
            else
                sum = add_row(passage, shop, u, r, sum, shape);
            if (has_minima(shape.format) && of_group == 1)
                sum = add_minimum(shop, u, x->scaled_sums[at], sum);
            else if (has_minima(shape.format))
                sum = add_minimum(shop, u,
                                  x->scales[at] * -0.125f * (float)x->biases[2 * at + u % 2], sum);
            store(sums_of[r], sum);
        }
    }
}

/* --- panels --- */

/* Rows [begin, end), at most ROW_BLOCK, times one panel. */
ALWAYS_INLINE void multiply_block(const struct den_matmul *op, size_t p, size_t begin, size_t end,
                                  struct workshop *shop, const struct shape shape)
{
    const struct den_packed *w = op->weights;
    const unsigned char *panel = w->data + p * w->panel_bytes;
    size_t groups = w->in / DEN_GROUP, g, i;

    for (i = 0; i < end - begin; i++)
        store(shop->sums[i], all_of(0));
    for (g = 0; g < groups; g += CHUNK_GROUPS) {
        size_t count = groups - g < CHUNK_GROUPS ? groups - g : (size_t)CHUNK_GROUPS;
        struct passage passage = { .x = op->quantized,
                                   .row = begin,
                                   .group = g,
                                   .units = count * units_of_group(shape.format) };

        for (i = 0; i < count; i++)
            take_group(panel, g + i, shop, i, shape.format);
        for (; passage.row + TILE_ROWS <= end; passage.row += TILE_ROWS)
            multiply_full(&passage, shop, shop->sums + (passage.row - begin), shape);
        if (passage.row < end)
            multiply_rest(&passage, shop, end - passage.row, shop->sums + (passage.row - begin),
                          shape);
    }
    for (i = 0; i < end - begin; i++)
        store_sums(op, begin + i, p * DEN_PANEL, load(shop->sums[i]));
}

/* Tiles 6 and 7 have as many rows as the last tile of all blocks. */
ALWAYS_INLINE void configure(size_t rows, const enum den_pack_format format)
{
    const uint16_t depth = format == DEN_PACK_Q8_K || format == DEN_PACK_Q8_16 ? 16 : 32;
    const uint8_t lines = (uint8_t)(depth / 4), rest = (uint8_t)(rows % TILE_ROWS);
    const uint8_t some = rest ? rest : TILE_ROWS; /* no tile may be empty */
    const struct tile_shapes shapes = {
        .palette = 1,
        .row_bytes = { 64, 64, depth, depth, 64, 64, 64, depth },
        .rows = { TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, lines, lines, some, some },
    };

    tiles_configure(&shapes);
}

ALWAYS_INLINE void multiply_panels(const struct den_matmul *op, size_t panel_begin,
                                   size_t panel_end, const struct shape shape)
{
    size_t begin, end, p;
    struct workshop shop;

    if (op->row_end - op->row_begin < TILES_ROWS_MIN) {
        den_matmul_kernel few[DEN_PACK_FORMATS];

        den_matmul_kernels_avx512vnni(few);
        few[shape.format](op, panel_begin, panel_end);
        return;
    }
    configure(op->row_end - op->row_begin, shape.format);
    for (begin = op->row_begin; begin < op->row_end; begin = end) {
        end = op->row_end - begin < ROW_BLOCK ? op->row_end : begin + ROW_BLOCK;
        for (p = panel_begin; p < panel_end; p++)
            multiply_block(op, p, begin, end, &shop, shape);
    }
    tiles_release();
}

#define DEFINE_MATMUL(name, format)                                                                \
    static void name(const struct den_matmul *op, size_t panel_begin, size_t panel_end)            \
    {                                                                                              \
        if (op->quantized->fine)                                                                   \
            multiply_panels(op, panel_begin, panel_end, (struct shape){ format, true, false });    \
        else                                                                                       \
            multiply_panels(op, panel_begin, panel_end, (struct shape){ format, false, false });   \
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
