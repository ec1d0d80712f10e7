/* Attention with AVX2: attention_tmpl.h over lanes_avx2.h. */
#include "kernels/x86/lanes_avx2.h"

enum { TILE_VECTORS = 2 };
#define FILL den_attention_kernels_avx2
#include "kernels/x86/attention_tmpl.h"
