/* Products of f32, f16 and bf16 weights with f32 activations, for one x86 instruction set; the
 * contract is kernels/matmul.h. Included by matmul_float_avx2.c and matmul_float_avx512.c after
 * their lanes.
 *
 * A tile is 6 rows times 2 vectors of outputs: the two halves of a panel with AVX2, two panels with
 * AVX-512. Twelve independent sums hide the multiplier's latency; for each k two vectors of weights
 * are loaded (and widened) and six activations are broadcast. A sum runs over k in rising order,
 * one fused step each, whatever the tile. */
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/store_tmpl.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum {
    TILE_ROWS = 6,
    TILE_VECTORS = 2,
    TILE_PANELS = TILE_VECTORS * LANES / DEN_PANEL, /* 1 with AVX2, 2 with AVX-512 */
    PARTS = DEN_PANEL / LANES,
    ROW_BLOCK_BYTES = 384 * 1024 /* of activations that pass over a panel before the next panel */
};

/* LANES outputs at `k` of a panel's part. */
ALWAYS_INLINE lanes load_weights(const unsigned char *panel, size_t k, size_t part,
                                 const enum den_pack_format format)
{
    size_t at = k * DEN_PANEL + part * LANES;

    if (format == DEN_PACK_F32)
        return load((const float *)(const void *)panel + at);
    if (format == DEN_PACK_F16)
        return load_half((const uint16_t *)(const void *)panel + at);
    return load_brain((const uint16_t *)(const void *)panel + at);
}

/* Rows [row, row + rows) times `panels` panels from `p` on. */
ALWAYS_INLINE void multiply_tile(const struct den_matmul *op, size_t p, size_t row, const int rows,
                                 const int panels, const enum den_pack_format format)
{
    const struct den_packed *w = op->weights;
    const unsigned char *panel = w->data + p * w->panel_bytes;
    const float *x = op->input + row * op->input_stride;
    const int vectors = panels * PARTS;
    lanes sums[TILE_ROWS][TILE_VECTORS], done[TILE_ROWS * TILE_VECTORS];
    size_t stride = op->input_stride;

#pragma GCC unroll 12
    for (int i = 0; i < rows * vectors; i++)
        sums[i / vectors][i % vectors] = all_of(0);
    for (size_t k = 0; k < w->in; k++) {
        lanes weights[TILE_VECTORS];

#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            weights[v] = load_weights(panel + (size_t)(v / PARTS) * w->panel_bytes, k,
                                      (size_t)(v % PARTS), format);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            lanes factor = all_of(x[(size_t)r * stride + k]);

#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                sums[r][v] = fused(factor, weights[v], sums[r][v]);
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows * vectors; i++)
        done[i] = sums[i / vectors][i % vectors];
#pragma GCC unroll 1
    for (int i = 0; i < rows * vectors; i++) {
        size_t column = p * DEN_PANEL + (size_t)(i % vectors) * LANES;

        if (column < w->out)
            store_sums(op, row + (size_t)(i / vectors), column, done[i]);
    }
}

/* As many rows as one tile takes; returns how many. */
ALWAYS_INLINE size_t multiply_some(const struct den_matmul *op, size_t p, size_t row, size_t rows,
                                   const int panels, const enum den_pack_format format)
{
    if (rows >= 6) {
        multiply_tile(op, p, row, 6, panels, format);
        return 6;
    }
    if (rows >= 4) {
        multiply_tile(op, p, row, 4, panels, format);
        return 4;
    }
    if (rows >= 2) {
        multiply_tile(op, p, row, 2, panels, format);
        return 2;
    }
    multiply_tile(op, p, row, 1, panels, format);
    return 1;
}

ALWAYS_INLINE void multiply_panels(const struct den_matmul *op, size_t panel_begin,
                                   size_t panel_end, const enum den_pack_format format)
{
    size_t block = ROW_BLOCK_BYTES / sizeof(float) / op->weights->in / TILE_ROWS * TILE_ROWS;
    size_t begin, end, row, p;

    if (block < 2 * TILE_ROWS)
        block = 2 * TILE_ROWS;
    for (begin = op->row_begin; begin < op->row_end; begin = end) {
        end = op->row_end - begin < block ? op->row_end : begin + block;
        for (p = panel_begin; p + TILE_PANELS <= panel_end; p += TILE_PANELS)
            for (row = begin; row < end;)
                row += multiply_some(op, p, row, end - row, TILE_PANELS, format);
        for (row = begin; p < panel_end && row < end;) /* an odd last panel */
            row += multiply_some(op, p, row, end - row, 1, format);
    }
}

static void matmul_f32(const struct den_matmul *op, size_t panel_begin, size_t panel_end)
{
    multiply_panels(op, panel_begin, panel_end, DEN_PACK_F32);
}

static void matmul_f16(const struct den_matmul *op, size_t panel_begin, size_t panel_end)
{
    multiply_panels(op, panel_begin, panel_end, DEN_PACK_F16);
}

static void matmul_bf16(const struct den_matmul *op, size_t panel_begin, size_t panel_end)
{
    multiply_panels(op, panel_begin, panel_end, DEN_PACK_BF16);
}

void FILL(den_matmul_kernel table[DEN_PACK_FORMATS])
{
    table[DEN_PACK_F32] = matmul_f32;
    table[DEN_PACK_F16] = matmul_f16;
    table[DEN_PACK_BF16] = matmul_bf16;
}
