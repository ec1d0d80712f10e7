/* Products with float weights with AVX-512: matmul_float_tmpl.h. */
#include "kernels/x86/lines_avx512.h"

#define FILL den_matmul_float_kernels_avx512
#include "kernels/x86/matmul_float_tmpl.h"
