/* S16 products with AVX-VNNI: matmul_wide_tmpl.h over vpdpwssd, which multiplies i16, adds pairs
 * and adds them to the sum. */
#include "kernels/x86/lanes_avx2.h"

typedef __m256i pairs; /* LANES pairs of i16, or LANES i32 */

enum { TILE_ROWS = 6 };

static inline pairs no_pairs(void)
{
    return _mm256_setzero_si256();
}

static inline pairs load_pairs(const void *from)
{
    return _mm256_loadu_si256(from);
}

/* Two activations, for every lane. */
static inline pairs both_of(const int16_t *values)
{
    int32_t both;

    memcpy(&both, values, sizeof both);
    return _mm256_set1_epi32(both);
}

static inline pairs add_pairs(pairs sum, pairs a, pairs b)
{
    sum = _mm256_dpwssd_avx_epi32(sum, a, b);
    __asm__("" : "+x"(sum)); /* or gcc 12 makes a tree of the chain, for which registers lack */
    return sum;
}

static inline lanes to_floats(pairs sum)
{
    return _mm256_cvtepi32_ps(sum);
}

#define FILL den_matmul_wide_kernels_avxvnni
#include "kernels/x86/matmul_wide_tmpl.h"
