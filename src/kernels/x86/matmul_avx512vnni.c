/* Quantized products with AVX-512 and VNNI: matmul_tmpl.h over dots_avx512vnni.h. */
#include "kernels/x86/dots_avx512vnni.h"

#define FILL den_matmul_kernels_avx512vnni
#include "kernels/x86/matmul_tmpl.h"
