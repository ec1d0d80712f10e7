/* Scans with AVX-512: scan_tmpl.h over lanes_avx512.h. Products of codes stay AVX2's until VNNI. */
#include "kernels/x86/lanes_avx512.h"

#include "kernels/scan.h"
#include "kernels/x86/scan_tmpl.h"

void den_scan_kernels_avx512(struct den_scan_kernels *table)
{
    table->dot_f32_i8 = dot_f32_i8;
    table->dot_f32_f16 = dot_f32_f16;
}
