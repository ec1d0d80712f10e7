/* Packing: a tensor's rows, of whatever type, to panels (matmul.h), losslessly.
 *
 * den_pack_plan() fills everything but `data`; the caller allocates panels * panel_bytes there,
 * 64-byte aligned, and calls den_pack_panels() for ranges of panels, from as many threads as it
 * likes. Unpacking gives back, bit for bit, what den_type_to_f32() makes of the tensor; but for
 * S16, which rounds and which only den_pack_plan()'s caller can ask for. */
#ifndef DEN_KERNELS_PACK_H
#define DEN_KERNELS_PACK_H

#include "kernels/matmul.h"

/* Packed bytes are kept on disk. Raise this with every change of what a format's bytes mean, and of
 * the order of enum den_pack_format: files of another version are made anew. */
enum { DEN_PACK_VERSION = 2 };

/* The format for a type: where products are to be int8, the one that keeps its blocks; else (the
 * reference mode) f32. f16 and bf16 stay as they are in both: a kernel that widens them computes
 * the same products from half the memory. DEN_UNSUPPORTED for integer types. */
enum den_status den_pack_choose(enum den_type type, bool int8, enum den_pack_format *out_format,
                                struct den_error *err);
bool den_pack_is_quantized(enum den_pack_format format);
const char *den_pack_format_text(enum den_pack_format format);

/* For a matrix of `in` inputs and `out` outputs; DEN_INVALID where `in` is not whole blocks of the
 * format or a size does not fit. */
enum den_status den_pack_plan(enum den_pack_format format, size_t in, size_t out,
                              struct den_packed *plan, struct den_error *err);

/* Panels [panel_begin, panel_end) from `rows`: rows of `type`, row_bytes apart, the first one being
 * output 0. The type must be one for which den_pack_choose() gives the plan's format, or the format
 * F32 or S16. */
struct den_pack_source {
    enum den_type type;
    const void *rows;
    size_t row_bytes;
};
void den_pack_panels(const struct den_packed *packed, const struct den_pack_source *source,
                     size_t panel_begin, size_t panel_end);

/* Row `row` (an output: a token's embedding), `in` floats. */
void den_packed_row_to_f32(const struct den_packed *packed, size_t row, float *out);

#endif
