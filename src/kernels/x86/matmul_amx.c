/* Quantized products with AMX: matmul_tiles_tmpl.h over tiles_amx.h. */
#include "kernels/x86/lines_avx512.h"
#include "kernels/x86/tiles_amx.h"

#define FILL den_matmul_kernels_amx
#include "kernels/x86/matmul_tiles_tmpl.h"
