/* Scans: one query against many rows of a vector index (space/vector_index.h), rounded or not.
 *
 * Rows of codes lie `stride` bytes apart, a multiple of DEN_SCAN_ALIGNMENT, and are filled with
 * zeros up to it, as is the query; they need no alignment in memory. Codes are in [-127, 127]: -128
 * is no code, so that AVX2 can multiply magnitudes in pairs without passing 16 bits. Integer sums
 * are exact and the same in every set; the two f32 products differ by the order of additions. */
#ifndef DEN_KERNELS_SCAN_H
#define DEN_KERNELS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEN_SCAN_ALIGNMENT 64

struct den_scan_kernels {
    /* out[r] = sum over i of query[i] * rows[r * stride + i], r < count */
    void (*dot_i8)(const int8_t *query, const int8_t *rows, size_t count, size_t stride,
                   int32_t *out);
    /* sum of query[i] * codes[i]; the query is filled up to `stride` with zeros as well */
    float (*dot_f32_i8)(const float *query, const int8_t *codes, size_t stride);
    /* sum of query[i] * row[i], row in IEEE half precision; any width */
    float (*dot_f32_f16)(const float *query, const uint16_t *row, size_t width);
};

/* Each fills members that it has; the x86 ones only where the processor has the set. */
void den_scan_kernels_ref(struct den_scan_kernels *table);
void den_scan_kernels_avx2(struct den_scan_kernels *table);
void den_scan_kernels_avx512(struct den_scan_kernels *table);
void den_scan_kernels_avx512vnni(struct den_scan_kernels *table);

/* Whether those of the two that differ compute the same here. */
bool den_scan_kernels_agree(const struct den_scan_kernels *trusted,
                            const struct den_scan_kernels *candidate);

#endif
