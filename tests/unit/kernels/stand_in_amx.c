/* The AMX kernels over emulated tiles, by the very template that kernels/x86/matmul_amx.c compiles;
 * all numbers of rows take the tiles. Compiled with the flags of the set avx512vnni. */
#include "kernels/stand_ins.h"
#include "kernels/tiles_emulated.h"
#include "kernels/x86/lines_avx512.h"

#define FILL           den_matmul_kernels_amx_emulated
#define TILES_ROWS_MIN 1
#include "kernels/x86/matmul_tiles_tmpl.h"
