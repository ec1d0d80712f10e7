/* Codes: blocks of the less common types as signed bytes with scales, for the Q8_K and Q8_16
 * formats.
 *
 * value[i] = codes[i] * scales[i / 16] + minima[i / 16], which rounds exactly as den_type_to_f32()
 * does: scale times sub-scale was rounded first there too (it is exact in f32 anyway). The minimum
 * of a type that has none is -0, the one number that changes nothing when added, not even the sign
 * of a zero. */
#ifndef DEN_KERNELS_PACK_CODES_H
#define DEN_KERNELS_PACK_CODES_H

#include "kernels/matmul.h"

struct den_codes {
    int8_t codes[DEN_SUPER_GROUP];
    float scales[DEN_SUPER_GROUP / DEN_HALF_GROUP];
    float minima[DEN_SUPER_GROUP / DEN_HALF_GROUP];
    /* types of which den_codes_has_steps() is true: scales[i] = d * steps[i], d an f16 */
    int8_t steps[DEN_SUPER_GROUP / DEN_HALF_GROUP];
    uint16_t d;
};

/* Scale and minimum of sub-block `j` (0 to 7) out of the 12 bytes that Q4_K and Q5_K share. */
static inline void den_six_bits(const uint8_t packed[12], int j, uint8_t *out_scale,
                                uint8_t *out_minimum)
{
    if (j < 4) {
        *out_scale = packed[j] & 63;
        *out_minimum = packed[j + 4] & 63;
        return;
    }
    *out_scale = (uint8_t)((packed[j + 4] & 15) | packed[j - 4] >> 6 << 4);
    *out_minimum = (uint8_t)(packed[j + 4] >> 4 | packed[j] >> 6 << 4);
}

/* True for the types that den_codes_read() knows. */
bool den_codes_has(enum den_type type);
bool den_codes_has_steps(enum den_type type);
/* One block of `type`, of 32 or 256 elements; as many codes are written. */
void den_codes_read(enum den_type type, const void *block, struct den_codes *out);

#endif
