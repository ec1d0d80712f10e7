/* See type.h. The table of types, and the two 16-bit floats that every block format builds on.
 *
 * f16 is IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits), bf16 the upper half of a
 * binary32. Both conversions work on bits alone, so that the result does not depend on the
 * processor's rounding mode or on denormals being flushed; they agree with the F16C instructions,
 * which also turn a signalling NaN into a quiet one. Whole blocks: dequantize.c. */
#include "tensor/type.h"

#include <string.h>

#include "base/checked.h"
#include "tensor/half.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are little-endian and used in place: no big-endian host yet"
#endif

enum {
    F16_EXPONENT = 0x7C00,
    F16_FRACTION = 0x03FF,
    F16_QUIET = 0x0200,
    F32_BIAS_MINUS_F16_BIAS = 127 - 15
};

static const struct den_type_info type_table[DEN_TYPE_COUNT] = {
#define DEN_TYPE_ROW(name, number, text, elements, bytes) [number] = { text, elements, bytes },
    DEN_TYPE_TABLE(DEN_TYPE_ROW)
#undef DEN_TYPE_ROW
};

const struct den_type_info *den_type_info(uint32_t number)
{
    static const struct den_type_info unknown = { 0 };

    return number < DEN_TYPE_COUNT ? &type_table[number] : &unknown;
}

bool den_type_is_quantized(enum den_type type)
{
    return den_type_info((uint32_t)type)->elements > 1;
}

bool den_type_row_bytes(enum den_type type, size_t elements, size_t *out_bytes)
{
    const struct den_type_info *info = den_type_info((uint32_t)type);

    if (!info->text || elements % info->elements != 0)
        return false;
    return den_checked_multiply(elements / info->elements, info->bytes, out_bytes);
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float den_f16_to_f32(uint16_t half)
{
    return den_half_to_f32(half);
}

/* value >> shift, rounded to nearest, ties to even; shift is 1 to 31. */
static uint32_t shift_rounding(uint32_t value, unsigned shift)
{
    uint32_t kept = value >> shift;
    uint32_t lost = value & ((1u << shift) - 1);
    uint32_t half = 1u << (shift - 1);

    return kept + (lost > half || (lost == half && (kept & 1)));
}

uint16_t den_f32_to_f16(float value)
{
    uint32_t bits = bits_of_float(value);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7FFFFFFF;
    uint32_t exponent = magnitude >> 23;

    if (magnitude > 0x7F800000) /* NaN: keep the upper payload, make it quiet */
        return (uint16_t)(sign | F16_EXPONENT | F16_QUIET | (magnitude >> 13 & F16_FRACTION));
    if (exponent >= 127 + 16) /* 65536 and up, infinity */
        return (uint16_t)(sign | F16_EXPONENT);
    if (exponent >= 127 - 14) /* normal; a carry out of the fraction rightly bumps the exponent */
        return (uint16_t)(sign | shift_rounding(magnitude - (F32_BIAS_MINUS_F16_BIAS << 23), 13));
    if (exponent < 127 - 25) /* below half the least denormal */
        return (uint16_t)sign;
    return (uint16_t)(sign | shift_rounding((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent));
}

float den_bf16_to_f32(uint16_t brain)
{
    return den_float_of_bits((uint32_t)brain << 16);
}

uint16_t den_f32_to_bf16(float value)
{
    uint32_t bits = bits_of_float(value);

    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)shift_rounding(bits, 16);
}
