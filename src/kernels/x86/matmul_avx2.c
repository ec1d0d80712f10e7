/* Quantized products with AVX2: matmul_tmpl.h over dots_avx2.h. */
#include "kernels/x86/dots_avx2.h"

#define FILL den_matmul_kernels_avx2
#include "kernels/x86/matmul_tmpl.h"
