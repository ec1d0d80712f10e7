/* S16 products with AVX-512 and VNNI: matmul_wide_tmpl.h over vpdpwssd, which adds to the sum as
 * well. */
#include "kernels/x86/lanes_avx512.h"

#include <string.h>

typedef __m512i pairs; /* LANES pairs of i16, or LANES i32 */

enum { TILE_ROWS = 12 };

static inline pairs no_pairs(void)
{
    return _mm512_setzero_si512();
}

static inline pairs load_pairs(const void *from)
{
    return _mm512_loadu_si512(from);
}

/* Two activations, for every lane. */
static inline pairs both_of(const int16_t *values)
{
    int32_t both;

    memcpy(&both, values, sizeof both);
    return _mm512_set1_epi32(both);
}

static inline pairs add_pairs(pairs sum, pairs a, pairs b)
{
    sum = _mm512_dpwssd_epi32(sum, a, b);
    __asm__("" : "+v"(sum)); /* or gcc 12 makes a tree of the chain, for which registers lack */
    return sum;
}

static inline lanes to_floats(pairs sum)
{
    return _mm512_cvtepi32_ps(sum);
}

#define FILL den_matmul_wide_kernels_avx512vnni
#include "kernels/x86/matmul_wide_tmpl.h"
