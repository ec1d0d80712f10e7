/* Attention: the two small products around a softmax, over one page of the key/value cache.
 *
 * Both products have the same form. With keys stored transposed in the page, scores of a block of
 * queries are Q (queries, head_width) times K (head_width, tokens); the weighted values are
 * P (queries, tokens) times V (tokens, value_width): row-major times row-major, with the cache's
 * element type on the right, and no horizontal sum anywhere. So one kernel serves both. Queries of
 * all heads that share a key head are rows of the same left matrix, and each loaded cache line
 * serves them all.
 *
 * Between them runs the online softmax of Milakov and Gimelshein (arXiv:1805.02867), as in flash
 * attention: a row keeps the largest score seen and the sum of exponentials relative to it; when a
 * page raises the maximum, what was summed before shrinks by one factor.
 *
 * For every element the sum runs over `depth` in rising order, whatever the number of queries:
 * a row's result does not depend on its neighbours in the block. */
#ifndef DEN_KERNELS_ATTENTION_H
#define DEN_KERNELS_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

/* A row of smaller magnitudes is a row of zeros: 127 over them is no f32. */
#define DEN_CODES_LARGEST_MIN 1e-30f

/* output[q][c] = (accumulate ? output[q][c] : 0) + sum over k of left[q][k] * right[k][c] */
struct den_small_product {
    const float *left;
    size_t left_stride; /* floats from one row to the next */
    size_t queries;     /* rows of left and output */
    size_t depth;       /* k: columns of left, rows of right */
    const void *right;  /* f16, f32 or i8 by kernel */
    size_t right_stride;
    size_t columns; /* any number; nothing beyond it is read or written */
    float *output;
    size_t output_stride;
    int accumulate;
    /* What is read after this product, fetched while it runs, as no processor does on its own where
     * pages of the cache lie apart. A hint: nothing is computed from it. NULL: nothing is known. */
    const unsigned char *ahead;
    size_t ahead_bytes;
};

/* A row's softmax so far. Start: maximum -INFINITY, sum 0. */
struct den_softmax {
    float maximum; /* of the scaled, capped scores */
    float sum;     /* of exp(score - maximum) */
};

struct den_attention_kernels {
    void (*multiply_f16)(const struct den_small_product *product);
    void (*multiply_f32)(const struct den_small_product *product);
    /* An int8 cache has one scale a key and one a value, so both are scales of tokens, and the
     * product itself runs on the codes: scores are scaled after it, weights before it. */
    void (*multiply_i8)(const struct den_small_product *product);
    /* values[r][c] *= scale[c] for (rows, columns) values, `stride` floats from row to row */
    void (*scale_columns)(float *values, size_t stride, size_t rows, size_t columns,
                          const float *scale);
    /* codes[i] = values[i] / scale rounded to even, with scale, which is returned, the largest
     * magnitude / 127; a row of zeros has scale 0 */
    float (*quantize)(const float *values, size_t count, int8_t *codes);

    /* One more run of scores of a row: s = scale * score, capped to softcap * tanh(s / softcap)
     * where softcap > 0; scores[i] becomes exp(s - maximum) with the new maximum, and the state is
     * brought up to date. Returns the factor by which earlier weighted values shrink (1 where the
     * maximum stands, 0 on a first run). count > 0. */
    float (*softmax)(float *scores, size_t count, float scale, float softcap,
                     struct den_softmax *state);
};

void den_attention_kernels_ref(struct den_attention_kernels *table);
void den_attention_kernels_avx2(struct den_attention_kernels *table);
void den_attention_kernels_avx512(struct den_attention_kernels *table);

#endif
