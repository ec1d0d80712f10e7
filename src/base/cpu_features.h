/* Names for what a processor can do: the instruction sets that Den has kernels for, one bit each.
 *
 * hardware/cpu.h finds out which of them this machine has, kernels/dispatch.c chooses kernels by
 * them; neither room may see the other, so the names live here. A set that builds on others brings
 * them along (the last column): asking for "vnni" asks for AVX-512 and AVX2 as well. */
#ifndef DEN_BASE_CPU_FEATURES_H
#define DEN_BASE_CPU_FEATURES_H

#include <stdint.h>

/* X(name, bit, text, bits that it brings along) */
#define DEN_CPU_TABLE(X)                                                                           \
    X(SSE4, 0, "sse4", 0)                                                                          \
    X(AVX, 1, "avx", 0x1)                                                                          \
    X(F16C, 2, "f16c", 0x3)                                                                        \
    X(FMA, 3, "fma", 0x3)                                                                          \
    X(AVX2, 4, "avx2", 0xf)                                                                        \
    X(AVXVNNI, 5, "avxvnni", 0x1f)                                                                 \
    X(AVX512, 6, "avx512", 0x1f) /* F, BW, VL and DQ */                                            \
    X(VNNI, 7, "vnni", 0x5f)     /* AVX512_VNNI */                                                 \
    X(BF16, 8, "bf16", 0x5f)     /* AVX512_BF16 */                                                 \
    X(FP16, 9, "fp16", 0x5f)     /* AVX512_FP16 */                                                 \
    X(AMX, 10, "amx", 0xdf)      /* tiles with int8 and bf16 */                                    \
    X(NEON, 11, "neon", 0)                                                                         \
    X(DOTPROD, 12, "dotprod", 0x800)

enum den_cpu_feature {
#define DEN_CPU_ENUM(name, bit, text, brings) DEN_CPU_##name = 1 << bit,
    DEN_CPU_TABLE(DEN_CPU_ENUM)
#undef DEN_CPU_ENUM
        DEN_CPU_NONE = 0
};

#endif
