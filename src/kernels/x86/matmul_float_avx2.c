/* Products with float weights with AVX2: matmul_float_tmpl.h. */
#include "kernels/x86/dots_avx2.h"

#define FILL den_matmul_float_kernels_avx2
#include "kernels/x86/matmul_float_tmpl.h"
