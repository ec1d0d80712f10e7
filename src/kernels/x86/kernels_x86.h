/* What the x86 sets offer to dispatch.c, on this room's side of the table. Each fills what it has a
 * better kernel for and leaves the rest. */
#ifndef DEN_KERNELS_X86_KERNELS_X86_H
#define DEN_KERNELS_X86_KERNELS_X86_H

#include "kernels/kernels.h"

void den_quantize_kernels_avx2(struct den_quantize_kernels *table);

void den_matmul_float_kernels_avx2(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_float_kernels_avx512(den_matmul_kernel table[DEN_PACK_FORMATS]);

void den_matmul_kernels_avx2(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_kernels_avxvnni(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_kernels_avx512(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_kernels_avx512vnni(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_kernels_amx(den_matmul_kernel table[DEN_PACK_FORMATS]);

void den_matmul_wide_kernels_avx2(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_wide_kernels_avxvnni(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_wide_kernels_avx512(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_wide_kernels_avx512vnni(den_matmul_kernel table[DEN_PACK_FORMATS]);

#endif
