/* Memory of int8 activations (matmul.h), and the gated activation that is quantized piece by piece.
 * The pieces are of 256 values: the 1 KiB between the two kernels never leaves the first-level
 * cache, and the cost of two calls is spread over enough work not to show. */
#include "base/checked.h"
#include "kernels/kernels.h"

enum { PIECE = 256 };

struct sizes {
    size_t values;
    size_t scales; /* of one of the two arrays of f32 */
    size_t biases;
    size_t flags;
};

static bool size_arrays(size_t rows, size_t in_padded, struct sizes *out)
{
    size_t values;

    return den_checked_multiply(rows, in_padded, &values) &&
           den_checked_align(values, 64, &out->values) &&
           den_checked_align(values / DEN_GROUP * sizeof(float), 64, &out->scales) &&
           den_checked_align(values / DEN_HALF_GROUP * sizeof(int32_t), 64, &out->biases) &&
           den_checked_align(values / DEN_GROUP, 64, &out->flags);
}

/* A row of a group is half a cache line; an odd number of lines from group to group meets every
 * set in turn. Few rows lie in few lines in any case. */
size_t den_activations_rows(size_t rows)
{
    return rows < 32 || rows > SIZE_MAX - 4 ? rows : rows + (6 - rows % 4) % 4;
}

bool den_activations_bytes(size_t rows, size_t in_padded, size_t *out_bytes)
{
    struct sizes sizes;
    size_t bytes;

    if (!size_arrays(rows, in_padded, &sizes) ||
        !den_checked_add(sizes.values, sizes.scales, &bytes) ||
        !den_checked_add(bytes, sizes.scales, &bytes) ||
        !den_checked_add(bytes, sizes.biases, &bytes) ||
        !den_checked_add(bytes, sizes.values, &bytes) ||
        !den_checked_add(bytes, sizes.flags, &bytes))
        return false;
    *out_bytes = bytes;
    return true;
}

/* values | scales | scaled_sums | biases | fine | has_fine */
void den_activations_place(struct den_activations *out, void *memory, size_t rows, size_t in_padded)
{
    unsigned char *at = memory;
    struct sizes sizes = { 0 };

    size_arrays(rows, in_padded, &sizes);
    *out = (struct den_activations){
        .rows = rows,
        .in_padded = in_padded,
        .values = (int8_t *)at,
        .scales = (float *)(void *)(at + sizes.values),
        .scaled_sums = (float *)(void *)(at + sizes.values + sizes.scales),
        .biases = (int32_t *)(void *)(at + sizes.values + 2 * sizes.scales),
    };
}

void den_activations_place_fine(struct den_activations *out, void *memory, size_t rows,
                                size_t in_padded)
{
    struct sizes sizes = { 0 };

    den_activations_place(out, memory, rows, in_padded);
    size_arrays(rows, in_padded, &sizes);
    out->fine = (int8_t *)out->biases + sizes.biases;
    out->has_fine = (uint8_t *)out->fine + sizes.values;
}

bool den_wide_activations_bytes(size_t rows, size_t in_padded, size_t *out_bytes)
{
    size_t values, scales;

    if (!den_checked_add(rows, DEN_WIDE_ROWS - 1, &values) ||
        !den_checked_multiply(values / DEN_WIDE_ROWS * DEN_WIDE_ROWS, in_padded, &values) ||
        !den_checked_multiply(values, sizeof(int16_t), &values) ||
        !den_checked_align(values, 64, &values) ||
        !den_checked_multiply(rows, sizeof(float), &scales) ||
        !den_checked_align(scales, 64, &scales))
        return false;
    return den_checked_add(values, scales, out_bytes);
}

/* values | scales */
void den_wide_activations_place(struct den_wide_activations *out, void *memory, size_t rows,
                                size_t in_padded)
{
    size_t padded = (rows + DEN_WIDE_ROWS - 1) / DEN_WIDE_ROWS * DEN_WIDE_ROWS;
    size_t bytes = (padded * in_padded * sizeof(int16_t) + 63) / 64 * 64;

    *out = (struct den_wide_activations){
        .rows = rows,
        .in_padded = in_padded,
        .values = memory,
        .scales = (float *)(void *)((unsigned char *)memory + bytes),
    };
}

void den_gate_quantize_row(const struct den_kernels *kernels, den_gate_kernel activation,
                           const float *gated, size_t width, const struct den_activations *out,
                           size_t row)
{
    _Alignas(64) float piece[PIECE];
    size_t begin;

    for (begin = 0; begin < width; begin += PIECE) {
        size_t count = width - begin < PIECE ? width - begin : (size_t)PIECE;

        activation(gated + begin, gated + width + begin, count, piece);
        kernels->quantize.piece(piece, count, out, row, begin);
    }
}
