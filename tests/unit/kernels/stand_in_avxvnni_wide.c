/* As stand_in_avxvnni.c: the products of 16-bit weights. */
#include <immintrin.h>

#include "kernels/stand_ins.h"

#define _mm256_dpwssd_avx_epi32         _mm256_dpwssd_epi32
#define den_matmul_wide_kernels_avxvnni den_matmul_wide_kernels_avxvnni_evex
#include "kernels/x86/matmul_wide_avxvnni.c"
