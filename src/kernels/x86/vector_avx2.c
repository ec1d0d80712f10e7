/* Vectors with AVX2: vector_tmpl.h over lanes_avx2.h. */
#include "kernels/x86/lanes_avx2.h"

#define FILL den_vector_kernels_avx2
#include "kernels/x86/vector_tmpl.h"
