/* Attention with AVX-512: attention_tmpl.h over lanes_avx512.h. */
#include "kernels/x86/lanes_avx512.h"

enum { TILE_VECTORS = 4 };
#define FILL den_attention_kernels_avx512
#include "kernels/x86/attention_tmpl.h"
