/* den_type_to_f32() of type.h: the meaning of every block format, one small function each.
 *
 * These are written to be read beside the layouts in docs/internals/tensor.md; kernels are checked
 * against them. Loading a model decodes every weight once, so scales are hoisted and the inner
 * loops are plain enough for the compiler to vectorize, but no more is done for speed. The order of
 * the float operations is part of the contract (scale times sub-scale first, then times the value,
 * then minus the minimum), because it decides the last bit, and the fixtures of
 * tests/fixtures/make_tensor_types.py demand the gguf package's bits. Blocks are read bytewise:
 * they need no alignment, so a source may start anywhere.
 *
 * In every format of 32 elements with nibbles, byte j holds element j in its low half and element
 * j + 16 in its high half. Formats of 256 (the K-quants) have sub-blocks of 16 or 32 whose scales
 * are themselves small integers in units of the block's f16 scale d. */
#include <assert.h>
#include <string.h>

#include "tensor/half.h"
#include "tensor/type.h"

/* The codebook of IQ4_NL and IQ4_XS. */
static const int8_t non_linear[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
                                       1,    13,   25,  38,  53,  69,  89,  113 };

/* FP4 (E2M1) times two, so that they are integers (OCP Microscaling Formats 1.0, table 5). */
static const int8_t fp4_doubled[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return (uint32_t)u16_at(bytes) | (uint32_t)u16_at(bytes + 2) << 16;
}

static float f16_at(const uint8_t *bytes)
{
    return den_half_to_f32(u16_at(bytes));
}

/* --- blocks of 32 --- */

/* f16 d | 16 B nibbles */
static void decode_q4_0(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    int j;

    for (j = 0; j < 16; j++) {
        out[j] = d * (float)((block[2 + j] & 15) - 8);
        out[j + 16] = d * (float)((block[2 + j] >> 4) - 8);
    }
}

/* f16 d | f16 m | 16 B nibbles */
static void decode_q4_1(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    float m = f16_at(block + 2);
    int j;

    for (j = 0; j < 16; j++) {
        out[j] = d * (float)(block[4 + j] & 15) + m;
        out[j + 16] = d * (float)(block[4 + j] >> 4) + m;
    }
}

/* The nibble `low` of element `j` with bit j of `high` above it. */
static int fifth_bit(int low, uint32_t high, int j)
{
    return low | (int)(high >> j & 1) << 4;
}

/* f16 d | u32 fifth bits | 16 B nibbles */
static void decode_q5_0(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    uint32_t high = u32_at(block + 2);
    int j;

    for (j = 0; j < 16; j++) {
        out[j] = d * (float)(fifth_bit(block[6 + j] & 15, high, j) - 16);
        out[j + 16] = d * (float)(fifth_bit(block[6 + j] >> 4, high, j + 16) - 16);
    }
}

/* f16 d | f16 m | u32 fifth bits | 16 B nibbles */
static void decode_q5_1(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    float m = f16_at(block + 2);
    uint32_t high = u32_at(block + 4);
    int j;

    for (j = 0; j < 16; j++) {
        out[j] = d * (float)fifth_bit(block[8 + j] & 15, high, j) + m;
        out[j + 16] = d * (float)fifth_bit(block[8 + j] >> 4, high, j + 16) + m;
    }
}

/* f16 d | 32 i8 */
static void decode_q8_0(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    int j;

    for (j = 0; j < 32; j++)
        out[j] = d * (float)(int8_t)block[2 + j];
}

/* f16 d | 16 B nibbles */
static void decode_iq4_nl(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    int j;

    for (j = 0; j < 16; j++) {
        out[j] = d * (float)non_linear[block[2 + j] & 15];
        out[j + 16] = d * (float)non_linear[block[2 + j] >> 4];
    }
}

/* u8 e (power-of-two scale, bias 127) | 16 B nibbles. The table is doubled, so the scale is 2^(e -
 * 128), which for e < 2 is a denormal. */
static void decode_mxfp4(const uint8_t *block, float *out)
{
    uint32_t bits =
        block[0] < 2 ? (uint32_t)0x00200000 << block[0] : (uint32_t)(block[0] - 1) << 23;
    float d;
    int j;

    memcpy(&d, &bits, sizeof d);
    for (j = 0; j < 16; j++) {
        out[j] = d * (float)fp4_doubled[block[1 + j] & 15];
        out[j + 16] = d * (float)fp4_doubled[block[1 + j] >> 4];
    }
}

/* --- super-blocks of 256 --- */

/* 16 B scales (low half) and mins (high half) | 64 B of two-bit values | f16 d | f16 dmin.
 * Each 32 B of values hold 4 x 32 elements, one bit pair after the other; sub-blocks are of 16. */
static void decode_q2_k(const uint8_t *block, float *out)
{
    float d = f16_at(block + 80);
    float dmin = f16_at(block + 82);
    int s, j;

    for (s = 0; s < 16; s++) {
        const uint8_t *values = block + 16 + s / 8 * 32 + s % 2 * 16;
        float scale = d * (float)(block[s] & 15);
        float minimum = dmin * (float)(block[s] >> 4);
        int shift = s / 2 % 4 * 2;

        for (j = 0; j < 16; j++)
            *out++ = scale * (float)(values[j] >> shift & 3) - minimum;
    }
}

/* 32 B third bits | 64 B of two-bit values as in Q2_K | 12 B: 16 six-bit scales | f16 d.
 * Scale s: four bits from byte s % 8 (low half for s < 8), two from byte 8 + s % 4 at 2 * (s / 4).
 * A third bit that is clear subtracts 4. */
static void decode_q3_k(const uint8_t *block, float *out)
{
    const uint8_t *packed = block + 96;
    float d = f16_at(block + 108);
    int s, j;

    for (s = 0; s < 16; s++) {
        const uint8_t *values = block + 32 + s / 8 * 32 + s % 2 * 16;
        const uint8_t *thirds = block + s % 2 * 16;
        int low = packed[s % 8] >> (s / 8 * 4) & 15;
        int high = packed[8 + s % 4] >> (s / 4 * 2) & 3;
        float scale = d * (float)((low | high << 4) - 32);
        int shift = s / 2 % 4 * 2;

        for (j = 0; j < 16; j++) {
            int third = thirds[j] >> (s / 2) & 1;

            *out++ = scale * (float)((values[j] >> shift & 3) + 4 * third - 4);
        }
    }
}

/* Sub-block `j` of 8: six-bit scale and minimum out of the 12 bytes that Q4_K and Q5_K share. */
static void unpack_scale(const uint8_t *packed, int j, float *out_scale, float *out_minimum)
{
    int scale = packed[j] & 63;
    int minimum = packed[j + 4] & 63;

    if (j >= 4) {
        scale = (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
        minimum = packed[j + 4] >> 4 | packed[j] >> 6 << 4;
    }
    *out_scale = (float)scale;
    *out_minimum = (float)minimum;
}

/* f16 d | f16 dmin | 12 B scales and mins | 128 B nibbles. Each 32 B of nibbles hold sub-block 2k
 * (low) and 2k + 1 (high). */
static void decode_q4_k(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    float dmin = f16_at(block + 2);
    int s, j;

    for (s = 0; s < 8; s++) {
        const uint8_t *nibbles = block + 16 + s / 2 * 32;
        int shift = s % 2 * 4;
        float scale;
        float minimum;

        unpack_scale(block + 4, s, &scale, &minimum);
        scale = d * scale;
        minimum = dmin * minimum;
        for (j = 0; j < 32; j++)
            *out++ = scale * (float)(nibbles[j] >> shift & 15) - minimum;
    }
}

/* As Q4_K, with 32 B of fifth bits before the nibbles: bit s of byte j for element j of sub-block
 * s. */
static void decode_q5_k(const uint8_t *block, float *out)
{
    const uint8_t *fifths = block + 16;
    float d = f16_at(block);
    float dmin = f16_at(block + 2);
    int s, j;

    for (s = 0; s < 8; s++) {
        const uint8_t *nibbles = block + 48 + s / 2 * 32;
        int shift = s % 2 * 4;
        float scale;
        float minimum;

        unpack_scale(block + 4, s, &scale, &minimum);
        scale = d * scale;
        minimum = dmin * minimum;
        for (j = 0; j < 32; j++) {
            int q = (nibbles[j] >> shift & 15) | (fifths[j] >> s & 1) << 4;

            *out++ = scale * (float)q - minimum;
        }
    }
}

/* 128 B low nibbles | 64 B upper bit pairs | 16 i8 scales | f16 d. Each half of 128 elements has 64
 * B of nibbles (its first 64 elements low, the others high) and 32 B of pairs. */
static void decode_q6_k(const uint8_t *block, float *out)
{
    float d = f16_at(block + 208);
    int s, j;

    for (s = 0; s < 16; s++) {
        const uint8_t *nibbles = block + s / 8 * 64 + s % 4 * 16;
        const uint8_t *pairs = block + 128 + s / 8 * 32 + s % 2 * 16;
        float scale = d * (float)(int8_t)block[192 + s];
        int low_shift = s / 4 % 2 * 4;
        int high_shift = s / 2 % 4 * 2;

        for (j = 0; j < 16; j++) {
            int q = (nibbles[j] >> low_shift & 15) | (pairs[j] >> high_shift & 3) << 4;

            *out++ = scale * (float)(q - 32);
        }
    }
}

/* f16 d | u16 upper scale bits | 4 B lower scale nibbles | 128 B nibbles, each 16 B as IQ4_NL. */
static void decode_iq4_xs(const uint8_t *block, float *out)
{
    float d = f16_at(block);
    unsigned upper = u16_at(block + 2);
    int s, j;

    for (s = 0; s < 8; s++) {
        const uint8_t *nibbles = block + 8 + s * 16;
        int low = block[4 + s / 2] >> (s % 2 * 4) & 15;
        int high = (int)(upper >> (s * 2) & 3);
        float scale = d * (float)((low | high << 4) - 32);

        for (j = 0; j < 16; j++) {
            out[j] = scale * (float)non_linear[nibbles[j] & 15];
            out[j + 16] = scale * (float)non_linear[nibbles[j] >> 4];
        }
        out += 32;
    }
}

/* --- rows --- */

static void decode_blocks(enum den_type type, const uint8_t *source, float *out, size_t count,
                          void (*decode)(const uint8_t *block, float *out))
{
    const struct den_type_info *info = den_type_info((uint32_t)type);
    size_t i;

    assert(count % info->elements == 0);
    for (i = 0; i < count / info->elements; i++)
        decode(source + i * info->bytes, out + i * info->elements);
}

static void decode_f16(const uint8_t *source, float *out, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        out[i] = f16_at(source + 2 * i);
}

static void decode_bf16(const uint8_t *source, float *out, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        out[i] = den_bf16_to_f32(u16_at(source + 2 * i));
}

void den_type_to_f32(enum den_type type, const void *source, float *out, size_t count)
{
    static void (*const decoders[DEN_TYPE_COUNT])(const uint8_t *block, float *out) = {
        [DEN_TYPE_Q4_0] = decode_q4_0,     [DEN_TYPE_Q4_1] = decode_q4_1,
        [DEN_TYPE_Q5_0] = decode_q5_0,     [DEN_TYPE_Q5_1] = decode_q5_1,
        [DEN_TYPE_Q8_0] = decode_q8_0,     [DEN_TYPE_Q2_K] = decode_q2_k,
        [DEN_TYPE_Q3_K] = decode_q3_k,     [DEN_TYPE_Q4_K] = decode_q4_k,
        [DEN_TYPE_Q5_K] = decode_q5_k,     [DEN_TYPE_Q6_K] = decode_q6_k,
        [DEN_TYPE_IQ4_NL] = decode_iq4_nl, [DEN_TYPE_IQ4_XS] = decode_iq4_xs,
        [DEN_TYPE_MXFP4] = decode_mxfp4,
    };

    assert((unsigned)type < DEN_TYPE_COUNT && den_type_info((uint32_t)type)->text);
    if (count == 0)
        return;
    if (type == DEN_TYPE_F32)
        memcpy(out, source, count * sizeof *out);
    else if (type == DEN_TYPE_F16)
        decode_f16(source, out, count);
    else if (type == DEN_TYPE_BF16)
        decode_bf16(source, out, count);
    else if (decoders[type]) /* integers are no weights: nothing is written */
        decode_blocks(type, source, out, count, decoders[type]);
}
