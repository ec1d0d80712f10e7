/* What the tests of the kernels share: the sets that this processor can run, random weights of
 * every type, packed, and a generator of numbers that is the same everywhere. */
#ifndef DEN_TESTS_KERNELS_FIXTURE_H
#define DEN_TESTS_KERNELS_FIXTURE_H

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "kernels/stand_ins.h"
#include "kernels/tiles_trap.h"

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003) */
static inline uint32_t random_u32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

/* Uniform in [-1, 1). */
static inline float random_unit(void)
{
    return (float)(int32_t)random_u32() / 2147483648.0f;
}

static inline void fill_random(float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = random_unit();
}

#if defined(__x86_64__)
#include <cpuid.h>

/* gcc 12 does not know its name. */
static inline bool has_avx_vnni(void)
{
    unsigned a = 0, b, c, d;

    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}
#endif

/* What this processor has, asked of the compiler's runtime and not of src/hardware; and AMX, if
 * need be by a trap, wherever the rest of that set runs. */
static inline uint32_t present_features(void)
{
    uint32_t features = 0;

#if defined(__x86_64__)
    features |= __builtin_cpu_supports("avx2") ? DEN_CPU_AVX2 : 0u;
    features |= __builtin_cpu_supports("fma") ? DEN_CPU_FMA : 0u;
    features |= __builtin_cpu_supports("avx2") ? DEN_CPU_F16C : 0u; /* every AVX2 has it */
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        features |= DEN_CPU_AVX512;
    features |= __builtin_cpu_supports("avx512vnni") ? DEN_CPU_VNNI : 0u;
    features |= has_avx_vnni() ? DEN_CPU_AVXVNNI : 0u;
    features |= (features & DEN_CPU_VNNI) && tiles_trap_install() ? DEN_CPU_AMX : 0u;
#endif
    return features;
}

/* Sets in forms that other processors run (stand_ins.h), tested behind those of the program. */
enum stand_in { STAND_IN_AVXVNNI, STAND_IN_AMX, STAND_INS };

static inline size_t set_count(void)
{
    size_t count;

    den_kernel_sets(&count);
    return count + STAND_INS;
}

static inline bool select_stand_in(enum stand_in which, struct den_kernels *out,
                                   const char **out_name)
{
    const uint32_t needs =
        DEN_CPU_AVX2 | DEN_CPU_FMA | DEN_CPU_F16C | DEN_CPU_AVX512 | DEN_CPU_VNNI;
    bool amx = which == STAND_IN_AMX;

    *out_name = amx ? "amx, emulated" : "avxvnni, in another encoding";
#if defined(__x86_64__)
    if ((present_features() & needs) != needs)
        return false;
    den_kernels_select(amx ? needs : needs & ~(uint32_t)(DEN_CPU_AVX512 | DEN_CPU_VNNI), out);
    if (amx) {
        den_matmul_kernels_amx_emulated(out->matmul);
    } else {
        den_matmul_kernels_avxvnni_evex(out->matmul);
        den_matmul_wide_kernels_avxvnni_evex(out->matmul);
    }
    return true;
#else
    (void)out;
    return false;
#endif
}

/* The table of set `index`; false where the processor can't run it. */
static inline bool select_set(size_t index, struct den_kernels *out, const char **out_name)
{
    size_t count;
    const struct den_kernel_set *sets = den_kernel_sets(&count);

    if (index >= count)
        return select_stand_in((enum stand_in)(index - count), out, out_name);
    *out_name = sets[index].name;
    if ((sets[index].features & present_features()) != sets[index].features)
        return false;
    den_kernels_select(sets[index].features, out);
    return true;
}

/* Every type that a matrix can have, and where its blocks have f16 scales (-1: none): random bytes
 * there would be infinities. */
static const struct weight_type {
    enum den_type type;
    int scale_at;
    int minimum_at;
} weight_types[] = {
    { DEN_TYPE_F32, -1, -1 },   { DEN_TYPE_F16, -1, -1 },   { DEN_TYPE_BF16, -1, -1 },
    { DEN_TYPE_Q4_0, 0, -1 },   { DEN_TYPE_Q4_1, 0, 2 },    { DEN_TYPE_Q5_0, 0, -1 },
    { DEN_TYPE_Q5_1, 0, 2 },    { DEN_TYPE_Q8_0, 0, -1 },   { DEN_TYPE_Q2_K, 80, 82 },
    { DEN_TYPE_Q3_K, 108, -1 }, { DEN_TYPE_Q4_K, 0, 2 },    { DEN_TYPE_Q5_K, 0, 2 },
    { DEN_TYPE_Q6_K, 208, -1 }, { DEN_TYPE_IQ4_NL, 0, -1 }, { DEN_TYPE_IQ4_XS, 0, -1 },
    { DEN_TYPE_MXFP4, -1, -1 },
};
enum { WEIGHT_TYPES = sizeof weight_types / sizeof weight_types[0] };

static inline void random_element(enum den_type type, unsigned char *block)
{
    float value = random_unit();
    uint16_t half = type == DEN_TYPE_F16 ? den_f32_to_f16(value) : den_f32_to_bf16(value);

    if (type == DEN_TYPE_F32)
        memcpy(block, &value, 4);
    else if (type == DEN_TYPE_MXFP4)
        block[0] = (unsigned char)(110 + random_u32() % 20); /* 2^-18 .. 2 */
    else
        memcpy(block, &half, 2);
}

/* `count` elements (whole blocks) of random weights around one; free() them. */
static inline unsigned char *random_weights(const struct weight_type *type, size_t count)
{
    const struct den_type_info *info = den_type_info(type->type);
    size_t blocks = count / info->elements, b, i;
    unsigned char *bytes = malloc(blocks * info->bytes);

    assert(bytes);
    for (b = 0; b < blocks; b++) {
        unsigned char *block = bytes + b * info->bytes;
        uint16_t scale = den_f32_to_f16(random_unit() / 16);
        uint16_t minimum = den_f32_to_f16(random_unit());

        for (i = 0; i < info->bytes; i++)
            block[i] = (unsigned char)random_u32();
        if (type->scale_at < 0)
            random_element(type->type, block);
        if (type->scale_at >= 0)
            memcpy(block + type->scale_at, &scale, 2);
        if (type->minimum_at >= 0)
            memcpy(block + type->minimum_at, &minimum, 2);
    }
    return bytes;
}

static inline void *aligned(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

    assert(memory);
    return memory;
}

/* How a type is packed: the reference mode, as its blocks are, or rounded to 13 bits. */
enum packing { PACK_FLOAT, PACK_INT8, PACK_WIDE, PACKINGS };

/* Packs (in, out) weights; free() data. */
static inline struct den_packed pack_weights(enum den_type type, const void *rows,
                                             enum packing packing, size_t in, size_t out)
{
    struct den_pack_source source = { .type = type, .rows = rows };
    struct den_error err = { 0 };
    enum den_pack_format format;
    struct den_packed packed;
    enum den_status status = den_pack_choose(type, packing == PACK_INT8, &format, &err);

    assert(status == DEN_OK);
    if (packing == PACK_WIDE)
        format = DEN_PACK_S16;
    status = den_pack_plan(format, in, out, &packed, &err);
    assert(status == DEN_OK);
    (void)status;
    den_type_row_bytes(type, in, &source.row_bytes);
    packed.data = aligned(packed.panels * packed.panel_bytes);
    den_pack_panels(&packed, &source, 0, packed.panels);
    return packed;
}

/* free() values. */
static inline struct den_activations make_activations(size_t rows, size_t in)
{
    size_t padded = (in + DEN_GROUP - 1) / DEN_GROUP * DEN_GROUP, bytes = 0;
    struct den_activations x;
    bool fits = den_activations_bytes(rows, padded, &bytes);

    assert(fits);
    (void)fits;
    den_activations_place(&x, aligned(bytes), rows, padded);
    return x;
}

/* free() values. */
static inline struct den_wide_activations make_wide_activations(size_t rows, size_t in)
{
    size_t padded = (in + DEN_GROUP - 1) / DEN_GROUP * DEN_GROUP, bytes = 0;
    struct den_wide_activations x;
    bool fits = den_wide_activations_bytes(rows, padded, &bytes);

    assert(fits);
    (void)fits;
    den_wide_activations_place(&x, aligned(bytes), rows, padded);
    return x;
}

#endif
