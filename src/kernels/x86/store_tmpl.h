/* The end of every matrix product, for one x86 instruction set: sums of LANES outputs of one row,
 * with bias, scale and what was there before (matmul.h). Included after a set's lanes. */
#ifndef DEN_KERNELS_X86_STORE_TMPL_H
#define DEN_KERNELS_X86_STORE_TMPL_H

#include "kernels/matmul.h"

/* Outputs [column, column + LANES), cut at the matrix's. */
static inline void store_sums(const struct den_matmul *op, size_t row, size_t column, lanes sum)
{
    size_t to = op->output_rows ? (size_t)op->output_rows[row] : row;
    float *output = op->output + to * op->output_stride + column;
    size_t count = op->weights->out - column;

    if (count >= LANES) {
        if (op->bias)
            sum = add(sum, load(op->bias + column));
        if (op->scales)
            sum = multiply(sum, all_of(op->scales[row]));
        store(output, op->accumulate ? add(load(output), sum) : sum);
        return;
    }
    if (op->bias)
        sum = add(sum, load_some(op->bias + column, count, all_of(0)));
    if (op->scales)
        sum = multiply(sum, all_of(op->scales[row]));
    if (op->accumulate)
        sum = add(load_some(output, count, all_of(0)), sum);
    store_some(output, count, sum);
}

#endif
