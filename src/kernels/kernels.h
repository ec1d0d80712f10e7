/* Kernels: the one table of functions through which all arithmetic goes.
 *
 * den_kernels_select() fills a table for a set of processor features: first ref/, which can
 * everything, then each newer set lays its own functions over it. A device holds one table and
 * never asks again. ref/ is the oracle: for quantized products every set computes the same integer
 * sums and differs from it only in the order of f32 additions. */
#ifndef DEN_KERNELS_KERNELS_H
#define DEN_KERNELS_KERNELS_H

#include "base/cpu_features.h"
#include "kernels/attention.h"
#include "kernels/matmul.h"
#include "kernels/scan.h"
#include "kernels/vector.h"

struct den_kernels {
    uint32_t features; /* those that the table makes use of */
    uint32_t left_out; /* sets that computed wrong numbers here: self_check.h */
    den_matmul_kernel matmul[DEN_PACK_FORMATS];
    struct den_quantize_kernels quantize;
    struct den_vector_kernels vector;
    struct den_attention_kernels attention;
    struct den_scan_kernels scan;
};

/* An instruction set that has kernels. */
struct den_kernel_set {
    const char *name;  /* "ref", "avx2", "avxvnni", "avx512", "avx512vnni", "amx" */
    uint32_t features; /* all of these are needed */
    void (*fill)(struct den_kernels *table); /* lays its functions over the table */
};

/* All that were compiled in, oldest ("ref") first. */
const struct den_kernel_set *den_kernel_sets(size_t *out_count);

/* `features` as hardware/cpu.h reports or parses them. */
void den_kernels_select(uint32_t features, struct den_kernels *out);

/* A gated activation and its quantization in one pass, pieces of the row staying in the first-level
 * cache between the two. `gated` is gate (width), then up (width). */
void den_gate_quantize_row(const struct den_kernels *kernels, den_gate_kernel activation,
                           const float *gated, size_t width, const struct den_activations *out,
                           size_t row);

#endif
