/* Products of S16 weights with i16 activations, for one x86 instruction set; the contract is
 * kernels/matmul.h. Included by matmul_wide_*.c after their lanes, with what differs: `pairs`
 * (LANES i32), add_pairs(), to_floats(), TILE_ROWS and FILL.
 *
 * A tile is TILE_ROWS rows times two vectors of outputs (half a panel each with AVX2, a panel
 * each with AVX-512), so that a broadcast pair of activations meets two lines of weights. Integer
 * sums of a run of 768 k stay in registers; what runs before the last one came to is kept as f32 in
 * memory, because there are no registers left for it, and the last run's sums go straight to the
 * output. (Runs of 128 and sums that went by memory cost a quarter of the time at 384 inputs.) All
 * sums of one output run over k in the same order whatever the tile. */
#include <stdbool.h>
#include <string.h>

#include "kernels/pack_layout.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/store_tmpl.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum {
    TILE_VECTORS = 2,
    TILE_PANELS = TILE_VECTORS * LANES / DEN_PANEL, /* 1 with AVX2, 2 with AVX-512 */
    PARTS = DEN_PANEL / LANES,
    PART_BYTES = DEN_LINE_BYTES / PARTS,
    GROUP_LINES = DEN_GROUP / 2,
    ROW_BLOCK_BYTES = 384 * 1024 /* of activations that pass over a panel before the next panel */
};

/* Where the integer sums of one run read. */
struct run {
    const unsigned char *weights; /* its first line of the tile's first panel */
    size_t panel_bytes;
    const int16_t *values; /* its first group of the tile's first row */
    size_t lines;
    size_t ahead; /* bytes from a line to the one to fetch for later, or 0 */
};

ALWAYS_INLINE void sum_run(struct run run, const int rows, const int vectors,
                           pairs sums[][TILE_VECTORS])
{
#pragma GCC unroll 24
    for (int i = 0; i < rows * vectors; i++)
        sums[i / vectors][i % vectors] = no_pairs();
    while (run.lines) {
        size_t count = run.lines < GROUP_LINES ? run.lines : (size_t)GROUP_LINES;

        for (size_t l = 0; l < count; l++) {
            pairs line[TILE_VECTORS];

            __builtin_prefetch(run.weights + run.ahead, 0, 2);
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                line[v] = load_pairs(run.weights + (size_t)(v / PARTS) * run.panel_bytes +
                                     (size_t)(v % PARTS) * PART_BYTES);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                pairs x = both_of(run.values + r * DEN_GROUP + 2 * l);

#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++)
                    sums[r][v] = add_pairs(sums[r][v], line[v], x);
            }
            run.weights += DEN_LINE_BYTES;
        }
        run.values += DEN_WIDE_ROWS * DEN_GROUP;
        run.lines -= count;
    }
}

/* Brings the sums of a run into f32: the first run's are stored, the others' added. */
ALWAYS_INLINE void keep_run(pairs sums[][TILE_VECTORS], const int rows, const int vectors,
                            float totals[][LANES], const bool first)
{
#pragma GCC unroll 24
    for (int i = 0; i < rows * vectors; i++) {
        lanes sum = to_floats(sums[i / vectors][i % vectors]);

        store(totals[i], first ? sum : add(load(totals[i]), sum));
    }
}

/* One vector of outputs of a tile. */
struct column {
    const float (*totals)[LANES]; /* of its first row; those of other rows are `step` further */
    size_t step;
    bool has_totals;      /* of runs before the last one */
    size_t at;            /* its first output */
    const float *weights; /* its scales */
};

/* Scales and stores rows [row, row + rows) of a column whose sums are in memory. */
static void store_column(const struct den_matmul *op, const struct column *column, size_t row,
                         size_t rows)
{
    const float *scales = op->wide->scales + row;
    lanes weights = load(column->weights);
    size_t r;

    for (r = 0; r < rows; r++)
        store_sums(
            op, row + r, column->at,
            multiply(load(column->totals[r * column->step]), multiply(weights, all_of(scales[r]))));
}

/* The same for whole columns whose last run is still in registers, without scales of rows: what
 * encoders do. */
ALWAYS_INLINE void store_tile(const struct den_matmul *op, const struct column *column, size_t row,
                              const int rows, pairs sums[][TILE_VECTORS], const int v)
{
    const float *scales = op->wide->scales + row;
    float *output = op->output + row * op->output_stride + column->at;
    lanes weights = load(column->weights);
    lanes bias = op->bias ? load(op->bias + column->at) : all_of(0);

#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        lanes sum = to_floats(sums[r][v]);

        if (column->has_totals)
            sum = add(load(column->totals[(size_t)r * column->step]), sum);
        sum = fused(sum, multiply(weights, all_of(scales[r])), bias);
        store(output, op->accumulate ? add(load(output), sum) : sum);
        output += op->output_stride;
    }
}

/* Rows [row, row + rows) times `panels` panels from `p` on. */
ALWAYS_INLINE void multiply_tile(const struct den_matmul *op, size_t p, size_t row, const int rows,
                                 const int panels, size_t ahead)
{
    const struct den_packed *w = op->weights;
    const unsigned char *panel = w->data + p * w->panel_bytes;
    const unsigned char *scales = panel + w->in / 2 * DEN_LINE_BYTES;
    const int vectors = panels * PARTS;
    const int16_t *values = op->wide->values + den_wide_row_at(op->wide, row);
    float totals[TILE_ROWS * TILE_VECTORS][LANES];
    pairs sums[TILE_ROWS][TILE_VECTORS];
    struct run run = { .weights = panel,
                       .panel_bytes = w->panel_bytes,
                       .values = values,
                       .lines = DEN_WIDE_RUN / 2,
                       .ahead = ahead };
    size_t rest = w->in / 2;
    bool has_totals = false;
    bool whole =
        !op->scales && !op->output_rows && w->out >= p * DEN_PANEL + (size_t)vectors * LANES;

    for (; rest > DEN_WIDE_RUN / 2; rest -= DEN_WIDE_RUN / 2) {
        sum_run(run, rows, vectors, sums);
        if (has_totals)
            keep_run(sums, rows, vectors, totals, false);
        else
            keep_run(sums, rows, vectors, totals, true);
        has_totals = true;
        run.weights += DEN_WIDE_RUN / 2 * DEN_LINE_BYTES;
        run.values += DEN_WIDE_RUN * DEN_WIDE_ROWS;
    }
    run.lines = rest;
    sum_run(run, rows, vectors, sums);
    if (!whole) {
        if (has_totals)
            keep_run(sums, rows, vectors, totals, false);
        else
            keep_run(sums, rows, vectors, totals, true);
    }
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        size_t part = (size_t)v;
        const unsigned char *at =
            scales + part / PARTS * w->panel_bytes + part % PARTS * LANES * sizeof(float);
        struct column column = { .totals = (const float(*)[LANES])totals + v,
                                 .step = (size_t)vectors,
                                 .has_totals = has_totals,
                                 .at = p * DEN_PANEL + part * LANES,
                                 .weights = (const float *)(const void *)at };

        if (!whole && column.at < w->out)
            store_column(op, &column, row, (size_t)rows);
        else if (whole)
            store_tile(op, &column, row, rows, sums, v);
    }
}

#define TAKE_TILE(height)                                                                          \
    if (height <= TILE_ROWS && rows >= height) {                                                   \
        multiply_tile(op, p, row, height <= TILE_ROWS ? height : 1, panels, ahead);                \
        return height;                                                                             \
    }

/* As many rows as one tile takes, all of one block; returns how many. */
ALWAYS_INLINE size_t multiply_some(const struct den_matmul *op, size_t p, size_t row, size_t rows,
                                   const int panels, size_t ahead)
{
    size_t of_block = DEN_WIDE_ROWS - row % DEN_WIDE_ROWS;

    if (rows > of_block)
        rows = of_block;
    TAKE_TILE(12)
    TAKE_TILE(8)
    TAKE_TILE(6)
    TAKE_TILE(4)
    TAKE_TILE(2)
    multiply_tile(op, p, row, 1, panels, ahead);
    return 1;
}

/* How far ahead tile number `tile` of a panel fetches: it passes over a panel's lines once, and so
 * the first tile fetches one of the next tile's panels, the second the other one. Weights come from
 * the third level or from memory, in pages of 4 KiB at whose ends the processor's own prefetcher
 * stops: without this, a quarter of the time went by waiting for them. */
static size_t fetch_ahead(const struct den_matmul *op, size_t panels, size_t tile)
{
    size_t ahead = TILE_PANELS + tile;

    return tile < TILE_PANELS && ahead < panels ? ahead * op->weights->panel_bytes : 0;
}

static void matmul_s16(const struct den_matmul *op, size_t panel_begin, size_t panel_end)
{
    size_t block = ROW_BLOCK_BYTES / sizeof(int16_t) / op->wide->in_padded / TILE_ROWS * TILE_ROWS;
    size_t begin, end, row, p, tile;

    if (block < 2 * TILE_ROWS)
        block = 2 * TILE_ROWS;
    for (begin = op->row_begin; begin < op->row_end; begin = end) {
        end = op->row_end - begin < block ? op->row_end : begin + block;
        for (p = panel_begin; p + TILE_PANELS <= panel_end; p += TILE_PANELS)
            for (row = begin, tile = 0; row < end; tile++)
                row += multiply_some(op, p, row, end - row, TILE_PANELS,
                                     fetch_ahead(op, panel_end - p, tile));
        for (row = begin; p < panel_end && row < end;) /* an odd last panel */
            row += multiply_some(op, p, row, end - row, 1, 0);
    }
}

void FILL(den_matmul_kernel table[DEN_PACK_FORMATS])
{
    table[DEN_PACK_S16] = matmul_s16;
}
