/* Tensor: a named, typed view of memory that somebody else owns (a mapped file or an arena).
 *
 * Sizes are in GGUF's order: size[0] is the contiguous one, so a linear layer with `in` inputs and
 * `out` outputs is (size[0] = in, size[1] = out) and row r of it is the weights of output r.
 * PyTorch writes the same tensor (out, in). */
#ifndef DEN_TENSOR_TENSOR_H
#define DEN_TENSOR_TENSOR_H

#include "base/limits.h"
#include "tensor/type.h"

struct den_tensor {
    const char *name; /* terminated */
    enum den_type type;
    unsigned dims;                    /* 1 to 4 */
    size_t size[DEN_TENSOR_DIMS_MAX]; /* unused ones are 1; none is 0 */
    size_t row_bytes;                 /* of one run of size[0] elements */
    size_t bytes;                     /* row_bytes x the other sizes */
    const void *data;
};

/* size[1] * size[2] * size[3] */
size_t den_tensor_rows(const struct den_tensor *tensor);
size_t den_tensor_elements(const struct den_tensor *tensor);

#endif
