/* The AVX-VNNI kernels by the very templates that kernels/x86/ compiles, with one difference: the
 * instructions have the encoding of AVX512_VNNI on 32 bytes, which is defined to do the same, and
 * which servers without AVX-VNNI run. Compiled with the flags of the set avx512vnni. */
#include <immintrin.h>

#include "kernels/stand_ins.h"

#define _mm256_dpbusd_avx_epi32 _mm256_dpbusd_epi32
#include "kernels/x86/dots_avxvnni.h"

#define FILL den_matmul_kernels_avxvnni_evex
#include "kernels/x86/matmul_tmpl.h"
