/* Quantized products with AVX-VNNI: matmul_tmpl.h over dots_avxvnni.h. */
#include "kernels/x86/dots_avxvnni.h"

#define FILL den_matmul_kernels_avxvnni
#include "kernels/x86/matmul_tmpl.h"
