/* Split: rows as a coarse and a fine part, so that products in int8 lose less. */
#ifndef DEN_MODEL_SPLIT_H
#define DEN_MODEL_SPLIT_H

#include <stddef.h>

/* Writes for each row of `input` (rows, width) two rows: coarse, fine (2 * rows, width), with
 * coarse + fine = input. A group of 32 of the coarse row holds whole multiples of its largest
 * magnitude / 127: the device's quantization of it (kernels/matmul.h) loses nothing. */
void den_split_rows(const float *input, size_t rows, size_t width, float *output);

#endif
