/* Attention of encoders: every token of a text sees the whole text, before and behind it. Unlike
 * a decoder's (device.h) it needs no cache: queries, keys and values of all texts lie in one
 * batch. */
#ifndef DEN_DEVICE_TEXT_ATTENTION_H
#define DEN_DEVICE_TEXT_ATTENTION_H

#include "device/device.h"

/* Texts lie one behind the other with no padding. */
struct den_text_attention {
    const float *qkv; /* (rows, stride): query heads, key heads, value heads */
    size_t stride;
    size_t heads;
    size_t head_width;
    float scale;         /* of the scores */
    const size_t *begin; /* (texts + 1): text t is rows [begin[t], begin[t + 1]) */
    size_t texts;
    float *output; /* (rows, heads * head_width) */
};
/* Makes room for texts of up to `rows` rows and heads up to `head_width` wide. */
enum den_status den_device_text_workspace(struct den_device *device, size_t rows, size_t head_width,
                                          struct den_error *err);
void den_device_text_attention(struct den_device *device, const struct den_text_attention *op);

#endif
