/* Half: binary16 to binary32, inline for the loops that decode weights.
 *
 * Shifted into an f32's place the exponent is only off by the difference of the biases. Infinity
 * and NaN need that difference twice, to reach the upper end of the range. A denormal is given the
 * exponent of the smallest normal number, and the one that this puts before its fraction is taken
 * off again by a subtraction, which is exact and meets no f32 denormal, so that it does not matter
 * whether the processor flushes those. */
#ifndef DEN_TENSOR_HALF_H
#define DEN_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline float den_float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float den_half_to_f32(uint16_t half)
{
    const uint32_t bias = (uint32_t)(127 - 15) << 23;
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t shifted = (uint32_t)(half & 0x7FFF) << 13;
    uint32_t magnitude = shifted + bias;

    if (shifted < 0x00800000) { /* zero and denormals, 0x1p-14f being the smallest normal */
        float value = den_float_of_bits(magnitude + 0x00800000) - 0x1p-14f;

        memcpy(&magnitude, &value, sizeof magnitude);
    } else if (shifted >= 0x0F800000) { /* infinity; NaN, made quiet as F16C does */
        magnitude += bias;
        if (magnitude > 0x7F800000)
            magnitude |= 0x00400000;
    }
    return den_float_of_bits(sign | magnitude);
}

#endif
