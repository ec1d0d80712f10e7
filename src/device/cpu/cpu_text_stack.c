/* See text_stack.h. Between two attentions everything is done row by row: the attention's output
 * product, a norm, the two products of the feed-forward with the activation between them, a norm,
 * and the next layer's queries, keys and values. So rows pass through all of that in blocks: of a
 * block of 96 rows, the widest intermediate (1536 floats a row in MiniLM) is 576 KiB and stays in
 * the second-level cache until it has been read, where a batch of 1024 rows would write 6 MiB to
 * memory, a page for each row of each tile. The weights pass by once a block; at 96 rows that is
 * about 2 GB/s for each thread, a fraction of what the third level gives.
 *
 * What it gained on two threads of a Cascade Lake: docs/internals/encode.md. */
#include <math.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "device/cpu/cpu_text.h"
#include "device/text_stack.h"

enum { BLOCK_ROWS = 8 * DEN_WIDE_ROWS };

/* One member's memory. */
struct scratch {
    float *qkv;                         /* (rows, 3 * width) */
    float *context;                     /* (rows, width) */
    float *inner;                       /* (BLOCK_ROWS, ffn_width) */
    struct den_wide_activations narrow; /* (BLOCK_ROWS, width) */
    struct den_wide_activations wide;   /* (BLOCK_ROWS, ffn_width) */
};

/* Rows [first, first + count), at most BLOCK_ROWS. */
struct block {
    struct den_device *device;
    const struct den_text_stack *op;
    const struct scratch *scratch;
    size_t first;
    size_t count;
};

bool den_device_text_stack_can(const struct den_text_stack *op)
{
    size_t i;

    for (i = 0; i < op->count; i++)
        if (!op->layers[i].qkv->is_wide || !op->layers[i].output->is_wide ||
            !op->layers[i].up->is_wide || !op->layers[i].down->is_wide)
            return false;
    return true;
}

static size_t padded(size_t in)
{
    return (in + DEN_GROUP - 1) / DEN_GROUP * DEN_GROUP;
}

/* Adds (rows, width) floats to *total, in whole cache lines. */
static bool add_floats(size_t rows, size_t width, size_t *total)
{
    size_t bytes;

    return den_checked_multiply(rows, width, &bytes) &&
           den_checked_multiply(bytes, sizeof(float), &bytes) &&
           den_checked_align(bytes, 64, &bytes) && den_checked_add(*total, bytes, total);
}

bool den_device_text_stack_bytes(const struct den_text_stack *op, size_t rows, size_t *out_bytes)
{
    size_t total = 0, narrow, wide;

    if (!add_floats(rows, 4 * op->width, &total) || !add_floats(16, 4, &total) ||
        !add_floats(BLOCK_ROWS, op->ffn_width, &total) ||
        !den_wide_activations_bytes(BLOCK_ROWS, padded(op->width), &narrow) ||
        !den_wide_activations_bytes(BLOCK_ROWS, padded(op->ffn_width), &wide) ||
        !den_checked_add(total, narrow, &total) || !den_checked_add(total, wide, &total))
        return false;
    *out_bytes = total;
    return true;
}

static struct scratch place(const struct den_text_stack *op)
{
    size_t rows = op->begin[op->texts], narrow = 0;
    unsigned char *at = op->scratch;
    struct scratch scratch = { .inner = (float *)(void *)at };

    at += (BLOCK_ROWS * op->ffn_width * sizeof(float) + 63) / 64 * 64;
    den_wide_activations_bytes(BLOCK_ROWS, padded(op->width), &narrow);
    den_wide_activations_place(&scratch.narrow, at, BLOCK_ROWS, padded(op->width));
    at += narrow;
    den_wide_activations_bytes(BLOCK_ROWS, padded(op->ffn_width), &narrow);
    den_wide_activations_place(&scratch.wide, at, BLOCK_ROWS, padded(op->ffn_width));
    at += narrow;
    scratch.context = (float *)(void *)at;
    at += (rows * op->width * sizeof(float) + 63) / 64 * 64;
    scratch.qkv = (float *)(void *)at;
    return scratch;
}

static void quantize(const struct block *block, const float *rows, size_t width,
                     const struct den_wide_activations *out)
{
    size_t r;

    for (r = 0; r < block->count; r++)
        block->device->kernels.quantize.wide_row(rows + r * width, width, out, r);
}

/* A product with all of a block's rows, of one matrix. */
struct product {
    const struct den_matrix *matrix;
    const struct den_wide_activations *input;
    const float *bias;
    float *output; /* the block's first row */
    size_t stride;
    bool accumulate;
};

static void multiply(const struct block *block, const struct product *product)
{
    struct den_matmul op = { .wide = product->input,
                             .row_end = block->count,
                             .output_stride = product->stride,
                             .accumulate = product->accumulate };
    int i;

    for (i = 0; i < product->matrix->count; i++) {
        const struct den_matrix_part *part = &product->matrix->parts[i];

        op.weights = &part->packed;
        op.bias = product->bias + part->output;
        op.output = product->output + part->output;
        block->device->kernels.matmul[part->packed.format](&op, 0, part->packed.panels);
    }
}

static void normalize(const struct block *block, const struct den_norm *norm)
{
    size_t width = block->op->width, r;

    for (r = 0; r < block->count; r++) {
        float *row = block->op->hidden + (block->first + r) * width;

        block->device->kernels.vector.layer_norm(row, norm->weight, norm->bias, norm->epsilon,
                                                 width, row);
    }
}

static void start_layer(const struct block *block, const struct den_text_layer *layer)
{
    size_t width = block->op->width;

    quantize(block, block->op->hidden + block->first * width, width, &block->scratch->narrow);
    multiply(block, &(struct product){ .matrix = layer->qkv,
                                       .input = &block->scratch->narrow,
                                       .bias = layer->qkv_bias,
                                       .output = block->scratch->qkv + block->first * 3 * width,
                                       .stride = 3 * width });
}

static void activate(const struct block *block)
{
    const struct den_vector_kernels *vector = &block->device->kernels.vector;
    size_t width = block->op->ffn_width, r;

    for (r = 0; r < block->count; r++) {
        float *row = block->scratch->inner + r * width;

        if (block->op->activation == DEN_ACTIVATION_GELU_ERF)
            vector->gelu_erf(row, width, row);
        else
            vector->gelu_tanh(row, width, row);
        block->device->kernels.quantize.wide_row(row, width, &block->scratch->wide, r);
    }
}

/* What a layer does behind its attention. */
static void end_layer(const struct block *block, const struct den_text_layer *layer)
{
    const struct scratch *scratch = block->scratch;
    size_t width = block->op->width, ffn_width = block->op->ffn_width;
    float *hidden = block->op->hidden + block->first * width;

    quantize(block, scratch->context + block->first * width, width, &scratch->narrow);
    multiply(block, &(struct product){ .matrix = layer->output,
                                       .input = &scratch->narrow,
                                       .bias = layer->output_bias,
                                       .output = hidden,
                                       .stride = width,
                                       .accumulate = true });
    normalize(block, &layer->attention_norm);
    quantize(block, hidden, width, &scratch->narrow);
    multiply(block, &(struct product){ .matrix = layer->up,
                                       .input = &scratch->narrow,
                                       .bias = layer->up_bias,
                                       .output = scratch->inner,
                                       .stride = ffn_width });
    activate(block);
    multiply(block, &(struct product){ .matrix = layer->down,
                                       .input = &scratch->wide,
                                       .bias = layer->down_bias,
                                       .output = hidden,
                                       .stride = width,
                                       .accumulate = true });
    normalize(block, &layer->ffn_norm);
}

void den_device_text_stack(struct den_device *device, const struct den_text_stack *op, int member)
{
    struct scratch scratch = place(op);
    size_t rows = op->begin[op->texts], head_width = op->width / op->heads, i, unit;
    struct den_text_attention attention = { .qkv = scratch.qkv,
                                            .stride = 3 * op->width,
                                            .heads = op->heads,
                                            .head_width = head_width,
                                            .scale = 1 / sqrtf((float)head_width),
                                            .begin = op->begin,
                                            .texts = op->texts,
                                            .output = scratch.context };
    struct block block = { .device = device, .op = op, .scratch = &scratch };

    for (i = 0; i <= op->count; i++) {
        for (unit = 0; i > 0 && unit < op->texts * op->heads; unit++)
            den_cpu_attend_unit(device, &attention, unit, member);
        for (block.first = 0; block.first < rows; block.first += block.count) {
            block.count = rows - block.first < BLOCK_ROWS ? rows - block.first : BLOCK_ROWS;
            if (i == 0)
                normalize(&block, &op->first_norm);
            else
                end_layer(&block, &op->layers[i - 1]);
            if (i < op->count)
                start_layer(&block, &op->layers[i]);
        }
    }
}

struct shared {
    size_t items;
    void (*work)(void *context, size_t item, int member);
    void *context;
};

static void claim(void *context, struct den_team *team, int member)
{
    const struct shared *shared = context;
    size_t item;

    while ((item = den_team_claim(team, 1)) < shared->items)
        shared->work(shared->context, item, member);
}

void den_device_share(struct den_device *device, size_t items,
                      void (*work)(void *context, size_t item, int member), void *context)
{
    struct shared shared = { .items = items, .work = work, .context = context };

    den_team_share(device->team, claim, &shared);
}
