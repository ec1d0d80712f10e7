/* The tiles of kernels/x86/tiles_amx.h in plain C: the same names over arrays, for processors
 * without the unit. What the unit would refuse with a fault (no configuration, shapes that don't
 * fit) ends the test; what it would read, and no more, is read, so that a sanitizer sees it. */
#ifndef DEN_TESTS_TILES_EMULATED_H
#define DEN_TESTS_TILES_EMULATED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tile_shapes {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

static struct {
    struct tile_shapes shapes;
    int8_t bytes[8][16][64];
} tiles;

static inline void tile_demand(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "tiles: %s\n", what);
    abort();
}

static inline void tiles_configure(const struct tile_shapes *shapes)
{
    int t;

    tile_demand(shapes->palette == 1 && shapes->start_row == 0, "palette 1, from row 0");
    for (t = 0; t < 8; t++)
        tile_demand(shapes->rows[t] >= 1 && shapes->rows[t] <= 16 && shapes->row_bytes[t] >= 4 &&
                        shapes->row_bytes[t] <= 64 && shapes->row_bytes[t] % 4 == 0,
                    "1 to 16 rows of 4 to 64 bytes");
    for (; t < 16; t++)
        tile_demand(shapes->rows[t] == 0 && shapes->row_bytes[t] == 0, "there are eight tiles");
    memset(&tiles, 0, sizeof tiles);
    tiles.shapes = *shapes;
}

static inline void tiles_release(void)
{
    memset(&tiles, 0xA5, sizeof tiles);
    tiles.shapes.palette = 0;
}

static inline void tile_ready(int tile)
{
    tile_demand(tiles.shapes.palette == 1, "used without a configuration");
    tile_demand(tile >= 0 && tile < 8, "there are eight tiles");
}

static inline void tile_zero(int tile)
{
    tile_ready(tile);
    memset(tiles.bytes[tile], 0, sizeof tiles.bytes[tile]);
}

static inline void tile_load(int tile, const void *from, long stride)
{
    int r;

    tile_ready(tile);
    for (r = 0; r < tiles.shapes.rows[tile]; r++)
        memcpy(tiles.bytes[tile][r], (const char *)from + r * stride, tiles.shapes.row_bytes[tile]);
}

static inline void tile_store(int tile, void *to, long stride)
{
    int r;

    tile_ready(tile);
    for (r = 0; r < tiles.shapes.rows[tile]; r++)
        memcpy((char *)to + r * stride, tiles.bytes[tile][r], tiles.shapes.row_bytes[tile]);
}

static inline void tile_dot(int sums, int rows, int lines)
{
    const struct tile_shapes *s = &tiles.shapes;
    int r, l, o, j;

    tile_ready(sums);
    tile_demand(s->rows[sums] == s->rows[rows] && s->row_bytes[rows] == 4 * s->rows[lines] &&
                    s->row_bytes[sums] == s->row_bytes[lines],
                "the three shapes of a product fit");
    for (r = 0; r < s->rows[sums]; r++)
        for (l = 0; l < s->rows[lines]; l++)
            for (o = 0; o < s->row_bytes[sums] / 4; o++) {
                int32_t sum;

                memcpy(&sum, tiles.bytes[sums][r] + 4 * o, sizeof sum);
                for (j = 0; j < 4; j++)
                    sum += tiles.bytes[rows][r][4 * l + j] * tiles.bytes[lines][l][4 * o + j];
                memcpy(tiles.bytes[sums][r] + 4 * o, &sum, sizeof sum);
            }
}

#endif
