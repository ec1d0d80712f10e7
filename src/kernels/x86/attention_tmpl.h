/* Attention for one x86 instruction set; the contract is kernels/attention.h. Included by
 * attention_avx2.c and attention_avx512.c after their lanes, with FILL and TILE_VECTORS.
 *
 * The product keeps a tile of up to 6 queries x TILE_VECTORS vectors of columns in registers: for
 * each k it loads the vectors of one row of the right matrix (widening f16) and multiplies them by
 * one broadcast element of each query. AVX2 has room for 6 x 2, AVX-512 for 6 x 4: 12 and 24
 * independent sums, enough to hide the latency of the multiplier. Tiles are one inlined body with
 * constant bounds, unrolled by pragma: rolled, gcc keeps the sums in memory, at a sixth of the
 * speed. Columns that are left over go one vector at a time, the last one partial. Widening costs
 * nothing measurable beside six multiplications, so nobody widens a page beforehand. */
#include "kernels/attention.h"

#include <math.h>

#include "kernels/x86/functions_tmpl.h"

enum { TILE_QUERIES = 6 };
enum kind { IS_F16, IS_F32, IS_I8 };

static inline lanes load_right(const void *right, size_t index, size_t count, enum kind kind)
{
    if (kind == IS_I8) {
        const int8_t *from = (const int8_t *)right + index;

        return count == LANES ? load_bytes(from) : load_bytes_some(from, count);
    }
    if (kind == IS_F16) {
        const uint16_t *from = (const uint16_t *)right + index;

        return count == LANES ? load_half(from) : load_half_some(from, count);
    }
    if (count == LANES)
        return load((const float *)right + index);
    return load_some((const float *)right + index, count, all_of(0));
}

/* The first tile of a product fetches what the next product reads, some lines for each k, so that
 * memory delivers evenly while the multipliers are busy. */
struct fetching {
    const unsigned char *at, *end;
    size_t step; /* bytes a k */
};

static inline struct fetching fetching_of(const struct den_small_product *product)
{
    size_t lines = (product->ahead_bytes + 63) / 64;

    return (struct fetching){ .at = product->ahead,
                              .end = product->ahead + lines * 64,
                              .step = (lines + product->depth - 1) / product->depth * 64 };
}

static inline void fetch_some(struct fetching *fetching)
{
    const unsigned char *stop = fetching->at + fetching->step;

    for (; fetching->at < stop; fetching->at += 64)
        if (fetching->at < fetching->end)
            _mm_prefetch((const char *)fetching->at, _MM_HINT_T0);
}

/* Queries [query, query + queries) x columns [column, column + vectors * LANES), where only `count`
 * lanes of the last vector exist; `fetching`, or NULL: on the way. */
__attribute__((always_inline)) static inline void multiply_tile(
    const struct den_small_product *product, size_t query, size_t queries, size_t column,
    size_t vectors, size_t count, enum kind kind, struct fetching *fetching)
{
    lanes sums[TILE_QUERIES][TILE_VECTORS], right[TILE_VECTORS];
    const float *left = product->left + query * product->left_stride;
    float *output = product->output + query * product->output_stride + column;
    size_t stride = product->left_stride, k, q, v;

#pragma GCC unroll 8
    for (q = 0; q < queries; q++)
#pragma GCC unroll 8
        for (v = 0; v < vectors; v++) {
            const float *from = output + q * product->output_stride + v * LANES;

            if (!product->accumulate)
                sums[q][v] = all_of(0);
            else
                sums[q][v] = count == LANES ? load(from) : load_some(from, count, all_of(0));
        }
    for (k = 0; k < product->depth; k++) {
        if (fetching)
            fetch_some(fetching);
#pragma GCC unroll 8
        for (v = 0; v < vectors; v++)
            right[v] = load_right(product->right, k * product->right_stride + column + v * LANES,
                                  count, kind);
#pragma GCC unroll 8
        for (q = 0; q < queries; q++) {
            lanes factor = all_of(left[q * stride + k]);

#pragma GCC unroll 8
            for (v = 0; v < vectors; v++)
                sums[q][v] = fused(factor, right[v], sums[q][v]);
        }
    }
#pragma GCC unroll 8
    for (q = 0; q < queries; q++)
#pragma GCC unroll 8
        for (v = 0; v < vectors; v++) {
            float *to = output + q * product->output_stride + v * LANES;

            if (count == LANES)
                store(to, sums[q][v]);
            else
                store_some(to, count, sums[q][v]);
        }
}

/* All columns of `queries` queries, a constant. */
__attribute__((always_inline)) static inline void multiply_queries(
    const struct den_small_product *product, size_t query, size_t queries, enum kind kind)
{
    size_t column = 0;

    if (query == 0 && product->ahead && product->depth > 0 &&
        product->columns >= TILE_VECTORS * LANES) {
        struct fetching fetching = fetching_of(product);

        multiply_tile(product, 0, queries, 0, TILE_VECTORS, LANES, kind, &fetching);
        column = TILE_VECTORS * LANES;
    }
    for (; column + TILE_VECTORS * LANES <= product->columns; column += TILE_VECTORS * LANES)
        multiply_tile(product, query, queries, column, TILE_VECTORS, LANES, kind, NULL);
    for (; TILE_VECTORS > 2 && column + 2 * LANES <= product->columns; column += 2 * LANES)
        multiply_tile(product, query, queries, column, 2, LANES, kind, NULL);
    for (; column + LANES <= product->columns; column += LANES)
        multiply_tile(product, query, queries, column, 1, LANES, kind, NULL);
    if (column < product->columns)
        multiply_tile(product, query, queries, column, 1, product->columns - column, kind, NULL);
}

__attribute__((always_inline)) static inline void multiply_all(
    const struct den_small_product *product, enum kind kind)
{
    size_t query = 0;

    for (; query + TILE_QUERIES <= product->queries; query += TILE_QUERIES)
        multiply_queries(product, query, TILE_QUERIES, kind);
    switch (product->queries - query) {
    case 5:
        multiply_queries(product, query, 5, kind);
        break;
    case 4:
        multiply_queries(product, query, 4, kind);
        break;
    case 3:
        multiply_queries(product, query, 3, kind);
        break;
    case 2:
        multiply_queries(product, query, 2, kind);
        break;
    case 1:
        multiply_queries(product, query, 1, kind);
        break;
    default:
        break;
    }
}

static void multiply_f16(const struct den_small_product *product)
{
    multiply_all(product, IS_F16);
}

static void multiply_f32(const struct den_small_product *product)
{
    multiply_all(product, IS_F32);
}

static void multiply_i8(const struct den_small_product *product)
{
    multiply_all(product, IS_I8);
}

static void scale_columns(float *values, size_t stride, size_t rows, size_t columns,
                          const float *scale)
{
    size_t row, i;

    for (row = 0; row < rows; row++, values += stride) {
        for (i = 0; i + LANES <= columns; i += LANES)
            store(values + i, multiply(load(values + i), load(scale + i)));
        for (; i < columns; i++)
            values[i] *= scale[i];
    }
}

static float quantize(const float *values, size_t count, int8_t *codes)
{
    lanes most = all_of(0), factor;
    float largest, one[LANES];
    size_t i, j;

    for (i = 0; i + LANES <= count; i += LANES)
        most = larger_of(most, magnitude_of(load(values + i)));
    if (i < count)
        most = larger_of(most, magnitude_of(load_some(values + i, count - i, all_of(0))));
    largest = largest_of(most);
    factor = all_of(largest > DEN_CODES_LARGEST_MIN ? 127 / largest : 0);
    for (i = 0; i < count; i += LANES) {
        size_t length = count - i < LANES ? count - i : LANES;
        lanes x = length == LANES ? load(values + i) : load_some(values + i, length, all_of(0));

        store(one, rounded(multiply(x, factor)));
        for (j = 0; j < length; j++)
            codes[i + j] = (int8_t)one[j];
    }
    return largest / 127;
}

/* Scales and caps the scores. */
static void cap_scores(float *scores, size_t count, float scale, float softcap)
{
    const lanes factor = all_of(scale), cap = all_of(softcap);
    lanes x;
    size_t i;

    for (i = 0; i + LANES <= count; i += LANES) {
        x = multiply(load(scores + i), factor);
        store(scores + i, multiply(cap, tanh_lanes(divide(x, cap))));
    }
    if (i == count)
        return;
    x = multiply(load_some(scores + i, count - i, all_of(0)), factor);
    store_some(scores + i, count - i, multiply(cap, tanh_lanes(divide(x, cap))));
}

static float largest_score(const float *scores, size_t count)
{
    const lanes lowest = all_of(-INFINITY);
    lanes most[2] = { lowest, lowest };
    size_t i;

    for (i = 0; i + 2 * LANES <= count; i += 2 * LANES) {
        most[0] = larger_of(most[0], load(scores + i));
        most[1] = larger_of(most[1], load(scores + i + LANES));
    }
    if (i + LANES <= count) {
        most[0] = larger_of(most[0], load(scores + i));
        i += LANES;
    }
    if (i < count)
        most[1] = larger_of(most[1], load_some(scores + i, count - i, lowest));
    return largest_of(larger_of(most[0], most[1]));
}

/* Scaling happens on the way into exp: scale * score - maximum is one instruction there. */
static float softmax(float *scores, size_t count, float scale, float softcap,
                     struct den_softmax *state)
{
    lanes factor, most, sums[2] = { all_of(0), all_of(0) }, x, y;
    float maximum, shrink = 1;
    size_t i;

    if (softcap > 0) {
        cap_scores(scores, count, scale, softcap);
        scale = 1;
    }
    factor = all_of(scale);
    maximum = scale * largest_score(scores, count);
    maximum = maximum > state->maximum ? maximum : state->maximum;
    most = all_of(-maximum);
    for (i = 0; i + 2 * LANES <= count; i += 2 * LANES) {
        x = exp_lanes(fused(load(scores + i), factor, most));
        y = exp_lanes(fused(load(scores + i + LANES), factor, most));
        store(scores + i, x);
        store(scores + i + LANES, y);
        sums[0] = add(sums[0], x);
        sums[1] = add(sums[1], y);
    }
    if (i + LANES <= count) {
        x = exp_lanes(fused(load(scores + i), factor, most));
        store(scores + i, x);
        sums[0] = add(sums[0], x);
        i += LANES;
    }
    if (i < count) {
        x = exp_lanes(fused(load_some(scores + i, count - i, all_of(0)), factor, most));
        store_some(scores + i, count - i, x);
        sums[1] = add(sums[1], load_some(scores + i, count - i, all_of(0)));
    }
    if (maximum > state->maximum)
        shrink = expf(state->maximum - maximum);
    state->sum = state->sum * shrink + sum_of(add(sums[0], sums[1]));
    state->maximum = maximum;
    return shrink;
}

void FILL(struct den_attention_kernels *table)
{
    *table = (struct den_attention_kernels){
        .multiply_f16 = multiply_f16,
        .multiply_f32 = multiply_f32,
        .multiply_i8 = multiply_i8,
        .scale_columns = scale_columns,
        .quantize = quantize,
        .softmax = softmax,
    };
}
