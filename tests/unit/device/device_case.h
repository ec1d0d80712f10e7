/* What the device's tests share: random data, tensors of any type, devices of some threads. */
#ifndef DEN_TESTS_UNIT_DEVICE_CASE_H
#define DEN_TESTS_UNIT_DEVICE_CASE_H

#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/cpu/cpu_device.h"
#include "device/device.h"
#include "kernels/kernels.h"

static uint64_t case_seed = 1;

static inline uint32_t random_bits(void)
{
    case_seed = case_seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(case_seed >> 32);
}

static inline float uniform(float low, float high)
{
    return low + (high - low) * (float)(random_bits() >> 8) / (float)(1 << 24);
}

static inline float *random_floats(size_t count, float low, float high)
{
    float *values = malloc((count ? count : 1) * sizeof *values);
    size_t i;

    assert_non_null(values);
    for (i = 0; i < count; i++)
        values[i] = uniform(low, high);
    return values;
}

/* A tensor of random blocks; free its data. */
static inline struct den_tensor random_tensor(enum den_type type, size_t in, size_t out)
{
    struct den_tensor tensor = { .name = "t", .type = type, .dims = 2, .size = { in, out, 1, 1 } };
    const struct den_type_info *info = den_type_info(type);
    unsigned char *data;
    size_t i, j;

    assert_true(den_type_row_bytes(type, in, &tensor.row_bytes));
    tensor.bytes = tensor.row_bytes * out;
    data = malloc(tensor.bytes);
    assert_non_null(data);
    for (i = 0; i < tensor.bytes / info->bytes; i++) {
        unsigned char *block = data + i * info->bytes;
        float value = uniform(-1, 1);
        uint16_t half = den_f32_to_f16(value);

        for (j = 0; j < info->bytes; j++)
            block[j] = (unsigned char)random_bits();
        if (type == DEN_TYPE_F32) {
            memcpy(block, &value, sizeof value);
        } else if (type == DEN_TYPE_F16) {
            memcpy(block, &half, sizeof half);
        } else if (type == DEN_TYPE_BF16) {
            half = den_f32_to_bf16(value);
            memcpy(block, &half, sizeof half);
        } else { /* Q4_0, Q4_1, Q8_0: f16 scale first, Q4_1's minimum next */
            half = den_f32_to_f16(type == DEN_TYPE_Q8_0 ? value / 127 : value / 8);
            memcpy(block, &half, sizeof half);
            half = den_f32_to_f16(uniform(-1, 1));
            if (type == DEN_TYPE_Q4_1)
                memcpy(block + 2, &half, sizeof half);
        }
    }
    tensor.data = data;
    return tensor;
}

static inline struct den_device *device_of(int threads, const char *features)
{
    struct den_device_options options = { .threads = threads, .cpu_features = features };
    struct den_device *device = NULL;
    struct den_error err = { 0 };

    if (den_device_create(&options, &device, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return device;
}

static inline void workspace_of(struct den_device *device, size_t rows, size_t width, size_t heads,
                                size_t head_width)
{
    struct den_error err = { 0 };

    if (den_device_workspace(device, rows, width, heads, head_width, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

#endif
