/* Packed bytes: where what is, in a unit of a panel. The one place that knows; docs/internals/
 * kernels.md draws it. Not for users of the room. */
#ifndef DEN_KERNELS_PACK_LAYOUT_H
#define DEN_KERNELS_PACK_LAYOUT_H

enum {
    DEN_LINE_BYTES = 64, /* 16 outputs x 4 k as bytes; or x 4 + 4 as nibbles */

    DEN_S16_SCALES_BYTES = 64, /* behind the in / 2 lines of a panel: 16 f32 */

    /* Q4, Q4_MIN: a group of 32 */
    DEN_Q4_LINES_BYTES = 4 * DEN_LINE_BYTES,
    DEN_Q4_SCALES_AT = DEN_Q4_LINES_BYTES,    /* 16 f16 */
    DEN_Q4_MINIMA_AT = DEN_Q4_SCALES_AT + 32, /* 16 f16, Q4_MIN only */
    DEN_Q4_BYTES = DEN_Q4_SCALES_AT + 32,
    DEN_Q4_MIN_BYTES = DEN_Q4_MINIMA_AT + 32,

    /* Q4_K: a super-group of 256 */
    DEN_Q4_K_D_AT = 0,                                /* 16 f16 */
    DEN_Q4_K_DMIN_AT = 32,                            /* 16 f16 */
    DEN_Q4_K_SCALES_AT = 64,                          /* 8 groups x 16 u8 */
    DEN_Q4_K_MINIMA_AT = DEN_Q4_K_SCALES_AT + 8 * 16, /* 8 groups x 16 u8 */
    DEN_Q4_K_LINES_AT = DEN_Q4_K_MINIMA_AT + 8 * 16,  /* 8 groups x 4 lines */
    DEN_Q4_K_BYTES = DEN_Q4_K_LINES_AT + 8 * DEN_Q4_LINES_BYTES,

    /* Q8: a group of 32 */
    DEN_Q8_SCALES_AT = 8 * DEN_LINE_BYTES, /* 16 f16 */
    DEN_Q8_BYTES = DEN_Q8_SCALES_AT + 32,

    /* Q8_K: a super-group of 256 */
    DEN_Q8_K_D_AT = 0,                                /* 16 f16, and as many bytes unused */
    DEN_Q8_K_SCALES_AT = 64,                          /* 16 half groups x 16 i8 */
    DEN_Q8_K_LINES_AT = DEN_Q8_K_SCALES_AT + 16 * 16, /* 16 half groups x 4 lines */
    DEN_Q8_K_HALF_BYTES = 4 * DEN_LINE_BYTES,
    DEN_Q8_K_BYTES = DEN_Q8_K_LINES_AT + 16 * DEN_Q8_K_HALF_BYTES,

    /* Q8_16: a half group of 16 */
    DEN_Q8_16_SCALES_AT = 4 * DEN_LINE_BYTES,       /* 16 f32 */
    DEN_Q8_16_MINIMA_AT = DEN_Q8_16_SCALES_AT + 64, /* 16 f32 */
    DEN_Q8_16_HALF_BYTES = DEN_Q8_16_MINIMA_AT + 64
};

#endif
