/* Vectors with AVX-512: vector_tmpl.h over lanes_avx512.h. */
#include "kernels/x86/lanes_avx512.h"

#define FILL den_vector_kernels_avx512
#include "kernels/x86/vector_tmpl.h"
