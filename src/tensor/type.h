/* Element types: the numbers a tensor is made of, plain or in quantized blocks.
 *
 * A block type packs `elements` consecutive values of a row into `bytes` bytes with shared scales;
 * a row is a whole number of blocks. The numeric values are those of GGUF version 3, so that a
 * file's type field needs a range check and no translation. Layouts: ENGINE table in
 * docs/internals/tensor.md. */
#ifndef DEN_TENSOR_TYPE_H
#define DEN_TENSOR_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, GGUF number, text, elements in a block, bytes in a block) */
#define DEN_TYPE_TABLE(X)                                                                          \
    X(F32, 0, "F32", 1, 4)                                                                         \
    X(F16, 1, "F16", 1, 2)                                                                         \
    X(Q4_0, 2, "Q4_0", 32, 18)                                                                     \
    X(Q4_1, 3, "Q4_1", 32, 20)                                                                     \
    X(Q5_0, 6, "Q5_0", 32, 22)                                                                     \
    X(Q5_1, 7, "Q5_1", 32, 24)                                                                     \
    X(Q8_0, 8, "Q8_0", 32, 34)                                                                     \
    X(Q2_K, 10, "Q2_K", 256, 84)                                                                   \
    X(Q3_K, 11, "Q3_K", 256, 110)                                                                  \
    X(Q4_K, 12, "Q4_K", 256, 144)                                                                  \
    X(Q5_K, 13, "Q5_K", 256, 176)                                                                  \
    X(Q6_K, 14, "Q6_K", 256, 210)                                                                  \
    X(IQ4_NL, 20, "IQ4_NL", 32, 18)                                                                \
    X(IQ4_XS, 23, "IQ4_XS", 256, 136)                                                              \
    X(I8, 24, "I8", 1, 1)                                                                          \
    X(I32, 26, "I32", 1, 4)                                                                        \
    X(I64, 27, "I64", 1, 8)                                                                        \
    X(BF16, 30, "BF16", 1, 2)                                                                      \
    X(MXFP4, 39, "MXFP4", 32, 17)

enum den_type {
#define DEN_TYPE_ENUM(name, number, text, elements, bytes) DEN_TYPE_##name = number,
    DEN_TYPE_TABLE(DEN_TYPE_ENUM)
#undef DEN_TYPE_ENUM
        DEN_TYPE_COUNT = 40
};

struct den_type_info {
    const char *text; /* NULL: not a type we read */
    unsigned elements;
    unsigned bytes;
};

/* Never NULL; `text` is NULL for a number that is no known type. */
const struct den_type_info *den_type_info(uint32_t number);
bool den_type_is_quantized(enum den_type type);
/* Bytes of a row of `elements`; false unless it is a whole number of blocks and fits size_t. */
bool den_type_row_bytes(enum den_type type, size_t elements, size_t *out_bytes);

/* Writes `count` values as f32 (count a multiple of the block's elements). I8, I32, I64 are not
 * accepted. This is the reference that kernels are checked against; it agrees with the gguf package
 * bit for bit. */
void den_type_to_f32(enum den_type type, const void *source, float *out, size_t count);

float den_f16_to_f32(uint16_t half);
uint16_t den_f32_to_f16(float value); /* round to nearest even */
float den_bf16_to_f32(uint16_t brain);
uint16_t den_f32_to_bf16(float value); /* round to nearest even */

#endif
