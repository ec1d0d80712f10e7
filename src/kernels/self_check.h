/* Self-check: a set of kernels is used only after it has computed the right numbers here.
 *
 * Compilers, emulators and virtual machines have been wrong about new instructions, and a wrong
 * product is not seen: the model merely talks nonsense. So a device lays a set over its table only
 * after a small product in every format, and a quantized row, have come out as those of the sets
 * before it, the first of which is ref, the oracle. It takes well under a millisecond. */
#ifndef DEN_KERNELS_SELF_CHECK_H
#define DEN_KERNELS_SELF_CHECK_H

#include "kernels/kernels.h"

/* As den_kernels_select(), for features that this processor has: each set is run. One whose results
 * differ is left out and named in out->left_out: bit i for set i. */
void den_kernels_select_proven(uint32_t features, struct den_kernels *out);

/* The same for any list of sets, of which the first needs nothing and is believed. */
void den_kernels_prove_sets(const struct den_kernel_set *sets, size_t count, uint32_t features,
                            struct den_kernels *out);

/* Whether the candidate's matrix products and quantization are those of the trusted table. */
bool den_kernels_agree(const struct den_kernels *trusted, const struct den_kernels *candidate);

#endif
