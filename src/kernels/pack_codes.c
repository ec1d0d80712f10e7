/* See pack_codes.h. Layouts: docs/internals/tensor.md; src/tensor/dequantize.c decodes the same
 * blocks to f32 and is what the tests compare with. */
#include "kernels/pack_codes.h"

#include <assert.h>
#include <string.h>

static const int8_t non_linear[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
                                       1,    13,   25,  38,  53,  69,  89,  113 };
static const int8_t fp4_doubled[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static float f16_at(const uint8_t *bytes)
{
    return den_f16_to_f32(u16_at(bytes));
}

/* The same scale and minimum for `count` half groups from `first` on. */
static void set_scales(struct den_codes *out, int first, int count, float scale, float minimum)
{
    int i;

    for (i = first; i < first + count; i++) {
        out->scales[i] = scale;
        out->minima[i] = minimum;
    }
}

/* The same whole step of d for `count` half groups. */
static void set_steps(struct den_codes *out, int first, int count, int step)
{
    int i;

    for (i = first; i < first + count; i++)
        out->steps[i] = (int8_t)step;
    set_scales(out, first, count, den_f16_to_f32(out->d) * (float)step, -0.0f);
}

/* f16 d | [f16 m] | u32 fifth bits | 16 B nibbles */
static void read_q5(const uint8_t *block, bool has_minimum, struct den_codes *out)
{
    const uint8_t *fifths = block + (has_minimum ? 4 : 2);
    const uint8_t *nibbles = fifths + 4;
    int j;

    for (j = 0; j < 32; j++) {
        int q = nibbles[j % 16] >> (j / 16 * 4) & 15;

        q |= (fifths[j / 8] >> (j % 8) & 1) << 4;
        out->codes[j] = (int8_t)(has_minimum ? q : q - 16);
    }
    set_scales(out, 0, 2, f16_at(block), has_minimum ? f16_at(block + 2) : -0.0f);
}

/* 16 nibbles, low halves first, through a table of sixteen values. */
static void read_table(const uint8_t *nibbles, const int8_t table[16], int8_t *codes)
{
    int j;

    for (j = 0; j < 16; j++) {
        codes[j] = table[nibbles[j] & 15];
        codes[j + 16] = table[nibbles[j] >> 4];
    }
}

/* u8 exponent | 16 B nibbles; the doubled table makes the scale 2^(e - 128) */
static void read_mxfp4(const uint8_t *block, struct den_codes *out)
{
    uint32_t bits = block[0] < 2 ? 0x00200000u << block[0] : (uint32_t)(block[0] - 1) << 23;
    float scale;

    memcpy(&scale, &bits, sizeof scale);
    read_table(block + 1, fp4_doubled, out->codes);
    set_scales(out, 0, 2, scale, -0.0f);
}

/* 16 B scales and mins | 64 B bit pairs | f16 d | f16 dmin */
static void read_q2_k(const uint8_t *block, struct den_codes *out)
{
    float d = f16_at(block + 80);
    float dmin = f16_at(block + 82);
    int i;

    for (i = 0; i < DEN_SUPER_GROUP; i++)
        out->codes[i] = (int8_t)(block[16 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3);
    for (i = 0; i < 16; i++)
        set_scales(out, i, 1, d * (float)(block[i] & 15), -(dmin * (float)(block[i] >> 4)));
}

/* 32 B third bits | 64 B bit pairs | 12 B six-bit scales | f16 d */
static void read_q3_k(const uint8_t *block, struct den_codes *out)
{
    const uint8_t *packed = block + 96;
    int i;

    out->d = u16_at(block + 108);
    for (i = 0; i < DEN_SUPER_GROUP; i++) {
        int q = block[32 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
        int third = block[i % 32] >> (i / 32) & 1;

        out->codes[i] = (int8_t)(q - 4 * !third);
    }
    for (i = 0; i < 16; i++) {
        int low = packed[i % 8] >> (i / 8 * 4) & 15;
        int high = packed[8 + i % 4] >> (i / 4 * 2) & 3;

        set_steps(out, i, 1, (low | high << 4) - 32);
    }
}

/* f16 d | f16 dmin | 12 B six-bit scales and mins | 32 B fifth bits | 128 B nibbles */
static void read_q5_k(const uint8_t *block, struct den_codes *out)
{
    const uint8_t *packed = block + 4;
    float d = f16_at(block);
    float dmin = f16_at(block + 2);
    int i;

    for (i = 0; i < DEN_SUPER_GROUP; i++) {
        int low = block[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
        int fifth = block[16 + i % 32] >> (i / 32) & 1;

        out->codes[i] = (int8_t)(low | fifth << 4);
    }
    for (i = 0; i < 8; i++) {
        uint8_t scale;
        uint8_t minimum;

        den_six_bits(packed, i, &scale, &minimum);
        set_scales(out, 2 * i, 2, d * (float)scale, -(dmin * (float)minimum));
    }
}

/* 128 B low nibbles | 64 B upper bit pairs | 16 i8 scales | f16 d */
static void read_q6_k(const uint8_t *block, struct den_codes *out)
{
    int i;

    out->d = u16_at(block + 208);
    for (i = 0; i < DEN_SUPER_GROUP; i++) {
        int low = block[i / 128 * 64 + i % 64] >> (i / 64 % 2 * 4) & 15;
        int high = block[128 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;

        out->codes[i] = (int8_t)((low | high << 4) - 32);
    }
    for (i = 0; i < 16; i++)
        set_steps(out, i, 1, (int8_t)block[192 + i]);
}

/* f16 d | u16 upper scale bits | 4 B lower scale nibbles | 8 x 16 B nibbles */
static void read_iq4_xs(const uint8_t *block, struct den_codes *out)
{
    unsigned upper = (unsigned)(block[2] | block[3] << 8);
    int i;

    out->d = u16_at(block);
    for (i = 0; i < 8; i++) {
        int scale = (block[4 + i / 2] >> (i % 2 * 4) & 15) | (int)(upper >> (2 * i) & 3) << 4;

        read_table(block + 8 + 16 * i, non_linear, out->codes + 32 * i);
        set_steps(out, 2 * i, 2, scale - 32);
    }
}

bool den_codes_has(enum den_type type)
{
    switch (type) {
    case DEN_TYPE_Q5_0:
    case DEN_TYPE_Q5_1:
    case DEN_TYPE_Q2_K:
    case DEN_TYPE_Q3_K:
    case DEN_TYPE_Q5_K:
    case DEN_TYPE_Q6_K:
    case DEN_TYPE_IQ4_NL:
    case DEN_TYPE_IQ4_XS:
    case DEN_TYPE_MXFP4:
        return true;
    default:
        return false;
    }
}

bool den_codes_has_steps(enum den_type type)
{
    return type == DEN_TYPE_Q6_K || type == DEN_TYPE_Q3_K || type == DEN_TYPE_IQ4_XS;
}

void den_codes_read(enum den_type type, const void *block, struct den_codes *out)
{
    switch (type) {
    case DEN_TYPE_Q5_0:
        read_q5(block, false, out);
        break;
    case DEN_TYPE_Q5_1:
        read_q5(block, true, out);
        break;
    case DEN_TYPE_Q2_K:
        read_q2_k(block, out);
        break;
    case DEN_TYPE_Q3_K:
        read_q3_k(block, out);
        break;
    case DEN_TYPE_Q5_K:
        read_q5_k(block, out);
        break;
    case DEN_TYPE_Q6_K:
        read_q6_k(block, out);
        break;
    case DEN_TYPE_IQ4_NL:
        read_table((const uint8_t *)block + 2, non_linear, out->codes);
        set_scales(out, 0, 2, f16_at(block), -0.0f);
        break;
    case DEN_TYPE_IQ4_XS:
        read_iq4_xs(block, out);
        break;
    case DEN_TYPE_MXFP4:
        read_mxfp4(block, out);
        break;
    default:
        assert(false && "a type that den_codes_has() denies");
    }
}
