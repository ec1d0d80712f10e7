/* See kernels.h. The order of the table is the order of overlaying; a set counts only where every
 * feature that its files are compiled with is allowed, so that `--cpu-features avx2` on a newer
 * machine runs what an older one would. */
#include "kernels/kernels.h"
#include "kernels/ref/kernels_ref.h"
#include "kernels/x86/kernels_x86.h"

static void fill_ref(struct den_kernels *table)
{
    den_matmul_kernels_ref(table->matmul);
    den_quantize_kernels_ref(&table->quantize);
    den_vector_kernels_ref(&table->vector);
    den_attention_kernels_ref(&table->attention);
    den_scan_kernels_ref(&table->scan);
}

#if defined(__x86_64__)

static void fill_avx2(struct den_kernels *table)
{
    den_matmul_kernels_avx2(table->matmul);
    den_matmul_wide_kernels_avx2(table->matmul);
    den_matmul_float_kernels_avx2(table->matmul);
    den_quantize_kernels_avx2(&table->quantize);
    den_vector_kernels_avx2(&table->vector);
    den_attention_kernels_avx2(&table->attention);
    den_scan_kernels_avx2(&table->scan);
}

static void fill_avxvnni(struct den_kernels *table)
{
    den_matmul_kernels_avxvnni(table->matmul);
    den_matmul_wide_kernels_avxvnni(table->matmul);
}

static void fill_avx512(struct den_kernels *table)
{
    den_matmul_kernels_avx512(table->matmul);
    den_matmul_wide_kernels_avx512(table->matmul);
    den_matmul_float_kernels_avx512(table->matmul);
    den_vector_kernels_avx512(&table->vector);
    den_attention_kernels_avx512(&table->attention);
    den_scan_kernels_avx512(&table->scan);
}

static void fill_avx512vnni(struct den_kernels *table)
{
    den_matmul_kernels_avx512vnni(table->matmul);
    den_matmul_wide_kernels_avx512vnni(table->matmul);
    den_scan_kernels_avx512vnni(&table->scan);
}

static void fill_amx(struct den_kernels *table)
{
    den_matmul_kernels_amx(table->matmul);
}

enum {
    NEEDS_AVX2 = DEN_CPU_AVX2 | DEN_CPU_FMA | DEN_CPU_F16C,
    NEEDS_AVX512 = NEEDS_AVX2 | DEN_CPU_AVX512,
    NEEDS_AVX512VNNI = NEEDS_AVX512 | DEN_CPU_VNNI
};

#endif

static const struct den_kernel_set sets[] = {
    { "ref", 0, fill_ref },
#if defined(__x86_64__)
    { "avx2", NEEDS_AVX2, fill_avx2 },
    { "avxvnni", NEEDS_AVX2 | DEN_CPU_AVXVNNI, fill_avxvnni },
    { "avx512", NEEDS_AVX512, fill_avx512 },
    { "avx512vnni", NEEDS_AVX512VNNI, fill_avx512vnni },
    { "amx", NEEDS_AVX512VNNI | DEN_CPU_AMX, fill_amx },
#endif
};

const struct den_kernel_set *den_kernel_sets(size_t *out_count)
{
    *out_count = sizeof sets / sizeof sets[0];
    return sets;
}

void den_kernels_select(uint32_t features, struct den_kernels *out)
{
    size_t i;

    *out = (struct den_kernels){ 0 };
    for (i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if ((sets[i].features & features) == sets[i].features) {
            sets[i].fill(out);
            out->features |= sets[i].features;
        }
}
