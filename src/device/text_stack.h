/* All layers of an encoder over a few texts, by one member of the team alone.
 *
 * device.h shares every operation out among all threads and waits for the last of them. With many
 * texts to embed nobody need wait: each thread takes texts of its own through all layers, what it
 * computes stays in its caches, and threads meet at the end of the request. A row's result is the
 * same to the bit as that of den_device_linear(), den_device_text_attention() and
 * den_device_norm(), one after the other, so that a caller may choose by the size of the work. */
#ifndef DEN_DEVICE_TEXT_STACK_H
#define DEN_DEVICE_TEXT_STACK_H

#include "device/device.h"

/* x = norm(x + output(attention(qkv(x)))); x = norm(x + down(activation(up(x)))) */
struct den_text_layer {
    struct den_matrix *qkv;    /* (width, 3 * width) */
    struct den_matrix *output; /* (width, width) */
    struct den_matrix *up;     /* (width, ffn_width) */
    struct den_matrix *down;   /* (ffn_width, width) */
    const float *qkv_bias;     /* (3 * width) */
    const float *output_bias;  /* (width) */
    const float *up_bias;      /* (ffn_width) */
    const float *down_bias;    /* (width) */
    struct den_norm attention_norm;
    struct den_norm ffn_norm;
};

struct den_text_stack {
    const struct den_text_layer *layers;
    size_t count;
    size_t width;
    size_t ffn_width;
    size_t heads;
    enum den_activation activation;
    struct den_norm first_norm; /* of the rows as they come, before the first layer */
    const size_t *begin;        /* (texts + 1): text t is rows [begin[t], begin[t + 1]) */
    size_t texts;
    float *hidden; /* (rows, width): what goes in, and what comes out */
    void *scratch; /* den_device_text_stack_bytes() of this member, 64-byte aligned */
};

/* Whether all matrices of the layers are of the precision that this runs in, INT16. */
bool den_device_text_stack_can(const struct den_text_stack *op);
/* Bytes of scratch for up to `rows` rows; false on overflow. */
bool den_device_text_stack_bytes(const struct den_text_stack *op, size_t rows, size_t *out_bytes);
/* den_device_text_workspace() has made room for the longest text. */
void den_device_text_stack(struct den_device *device, const struct den_text_stack *op, int member);

/* Does `items` pieces of work, each on whichever member is free: `work` with its number and the
 * member's. It must use nothing of the device but den_device_text_stack(). */
void den_device_share(struct den_device *device, size_t items,
                      void (*work)(void *context, size_t item, int member), void *context);

#endif
