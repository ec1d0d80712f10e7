/* Matrix products: packed weights times rows of activations, the nine tenths of all work.
 *
 * Packing. A weight matrix (in, out) is stored in panels of 16 outputs (the last one padded with
 * zeros). Inside a panel the k index runs outermost in groups, and each 64-byte line holds 16
 * outputs x 4 consecutive k, the order that vpdpbusd wants with outputs in lanes and that an AMX B
 * tile wants, so one set of bytes serves every instruction set: line l, byte 4 * o + j  =  weight
 * of output o at k = 4 * l + j 4-bit formats put line l of a group of 32 into the low nibbles and
 * line l + 4 into the high nibbles of one 64-byte line. Behind the lines of a group come its 16
 * scales (and 16 minima), so a panel is read as one forward stream. Weights keep their file's exact
 * values: a scale stays the f16 (or six-bit) number that the file has.
 *
 * Activations of quantized products are int8 with one f32 scale and one int32 sum per group of 32
 * (the sum pays for the weights' bias or minimum). Products with f32/f16/bf16 weights take f32
 * activations. All kernels are pure functions over a range of panels: no allocation, no threads, no
 * globals. */
#ifndef DEN_KERNELS_MATMUL_H
#define DEN_KERNELS_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/tensor.h"

enum { DEN_PANEL = 16, DEN_GROUP = 32 };

enum den_pack_format {
    DEN_PACK_F32,    /* [k][16] f32 */
    DEN_PACK_F16,    /* [k][16] f16 */
    DEN_PACK_BF16,   /* [k][16] bf16 */
    DEN_PACK_Q4,     /* Q4_0: nibbles, f16 scale; value (q - 8) * d */
    DEN_PACK_Q4_MIN, /* Q4_1: nibbles, f16 scale, f16 minimum; value q * d + m */
    DEN_PACK_Q4_K,   /* Q4_K: super-groups of 256: nibbles, u8 scales and minima per 32, f16 d and
                        dmin */
    DEN_PACK_Q8,     /* Q8_0: q + 128 as u8, f16 scale */
    DEN_PACK_Q8_16,  /* the rest (Q5, Q6_K, Q2_K, IQ4, MXFP4 ...): u8 with f32 scale (and minimum)
                        per group of 16 */
    DEN_PACK_FORMATS
};

struct den_packed {
    enum den_pack_format format;
    size_t in;        /* inputs: k */
    size_t out;       /* outputs, without padding */
    size_t in_padded; /* k rounded up to what the format's groups want; activations are zero-padded
                         to it */
    size_t panels;    /* out / 16, rounded up */
    size_t panel_bytes;  /* a multiple of 64 */
    unsigned char *data; /* 64-byte aligned, panels * panel_bytes */
};

/* int8 activations of `rows` rows; in_padded values a row. */
struct den_activations {
    size_t rows;
    size_t in_padded;
    int8_t *values; /* (rows, in_padded) */
    float *scales;  /* (rows, in_padded / 32) */
    int32_t *sums;  /* (rows, in_padded / 16): sum of the int8 values of each half group */
};

#endif
