/* What ref/ offers to dispatch.c, on this room's side of the table. */
#ifndef DEN_KERNELS_REF_KERNELS_REF_H
#define DEN_KERNELS_REF_KERNELS_REF_H

#include "kernels/kernels.h"

void den_matmul_kernels_ref(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_quantize_kernels_ref(struct den_quantize_kernels *table);

#endif
