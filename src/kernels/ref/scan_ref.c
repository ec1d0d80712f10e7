/* Scans, scalar and obvious; the contract is kernels/scan.h. */
#include "kernels/scan.h"

#include "tensor/half.h"

static void dot_i8(const int8_t *query, const int8_t *rows, size_t count, size_t stride,
                   int32_t *out)
{
    size_t r, i;

    for (r = 0; r < count; r++) {
        int32_t sum = 0;

        for (i = 0; i < stride; i++)
            sum += query[i] * rows[r * stride + i];
        out[r] = sum;
    }
}

static float dot_f32_i8(const float *query, const int8_t *codes, size_t stride)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < stride; i++)
        sum += (double)query[i] * codes[i];
    return (float)sum;
}

static float dot_f32_f16(const float *query, const uint16_t *row, size_t width)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < width; i++)
        sum += (double)query[i] * (double)den_half_to_f32(row[i]);
    return (float)sum;
}

void den_scan_kernels_ref(struct den_scan_kernels *table)
{
    *table = (struct den_scan_kernels){ dot_i8, dot_f32_i8, dot_f32_f16 };
}
