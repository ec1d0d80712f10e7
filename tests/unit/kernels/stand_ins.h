/* Sets that this processor may lack, as it can run them: AVX-VNNI in another encoding, AMX with
 * emulated tiles. Both need what the set avx512vnni needs. */
#ifndef DEN_TESTS_KERNELS_STAND_INS_H
#define DEN_TESTS_KERNELS_STAND_INS_H

#include "kernels/matmul.h"

void den_matmul_kernels_amx_emulated(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_kernels_avxvnni_evex(den_matmul_kernel table[DEN_PACK_FORMATS]);
void den_matmul_wide_kernels_avxvnni_evex(den_matmul_kernel table[DEN_PACK_FORMATS]);

#endif
