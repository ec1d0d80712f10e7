/* Quantized products with AVX-512: matmul_tmpl.h over dots_avx512.h. */
#include "kernels/x86/dots_avx512.h"

#define FILL den_matmul_kernels_avx512
#include "kernels/x86/matmul_tmpl.h"
