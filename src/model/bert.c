/* See bert.h. The forward pass, with post-LayerNorm as BERT has it (Devlin et al. 2018,
 * arXiv:1810.04805):
 *
 *     x = norm(word + position + type)
 *     for each layer:
 *         x = norm(x + output(attention(qkv(x))))
 *         x = norm(x + down(gelu(up(x))))
 *
 * Each `x +` is a product that adds to its output, each gelu happens while the product that reads
 * it prepares its input. The sums of the first line are made here on the host: a row of the file is
 * read for each token, and nothing would be gained by packing 45 MB of words for that. */
#include "model/bert.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "device/text_attention.h"
#include "device/text_stack.h"
#include "model/layout.h"

struct den_bert {
    struct den_bert_description description;
    struct den_device *device;
    struct den_arena *arena;
    const struct den_tensor *words; /* (width, vocabulary), in the file */
    const float *positions;         /* (positions, width), type 0 added */
    const float *second_type;       /* (width) what type 1 has beyond type 0 */
    struct den_norm embedding_norm;
    struct den_text_layer *layers;
    size_t rows_max;
    float *hidden;     /* (rows_max, width) */
    float *qkv;        /* (rows_max, 3 * width) */
    float *context;    /* (rows_max, width) */
    float *inner;      /* (rows_max, ffn_width) */
    size_t alone_rows; /* of a batch that one thread runs; 0: none does */
    size_t alone_bytes;
    unsigned char *alone; /* (threads, alone_bytes): hidden (alone_rows, width), scratch */
};

/* --- loading --- */

enum part {
    WORDS,
    POSITIONS,
    TYPES,
    EMBEDDING_NORM,
    QUERY,
    KEY,
    VALUE,
    OUTPUT,
    ATTENTION_NORM,
    UP,
    DOWN,
    FFN_NORM
};

/* Where a part is in a GGUF file and in a folder, behind "blk.N." and "encoder.layer.N." */
static const struct {
    const char *gguf;
    const char *folder;
    bool in_layer;
} names[] = {
    [WORDS] = { "token_embd", "embeddings.word_embeddings", false },
    [POSITIONS] = { "position_embd", "embeddings.position_embeddings", false },
    [TYPES] = { "token_types", "embeddings.token_type_embeddings", false },
    [EMBEDDING_NORM] = { "token_embd_norm", "embeddings.LayerNorm", false },
    [QUERY] = { "attn_q", "attention.self.query", true },
    [KEY] = { "attn_k", "attention.self.key", true },
    [VALUE] = { "attn_v", "attention.self.value", true },
    [OUTPUT] = { "attn_output", "attention.output.dense", true },
    [ATTENTION_NORM] = { "attn_output_norm", "attention.output.LayerNorm", true },
    [UP] = { "ffn_up", "intermediate.dense", true },
    [DOWN] = { "ffn_down", "output.dense", true },
    [FFN_NORM] = { "layer_output_norm", "output.LayerNorm", true },
};

enum {
    NAME_BYTES = 160,
    ALONE_ROWS = 512, /* at most: what texts need is 5 floats times width each, for each thread */
    ALONE_ROWS_LEAST = 256
};

struct loader {
    struct den_bert *bert;
    const struct den_weights *weights;
    const char *prefix; /* "", "bert." or "roberta."; of a folder */
    enum den_precision precision;
    struct den_error *err;
};

static void name_tensor(const struct loader *loader, enum part part, size_t layer, bool bias,
                        char out[NAME_BYTES])
{
    const char *last = bias ? "bias" : "weight";
    bool gguf = den_weights_gguf(loader->weights) != NULL;
    const char *name = gguf ? names[part].gguf : names[part].folder;

    if (!names[part].in_layer)
        snprintf(out, NAME_BYTES, "%s%s.%s", loader->prefix, name, last);
    else
        snprintf(out, NAME_BYTES, "%s%s%zu.%s.%s", loader->prefix, gguf ? "blk." : "encoder.layer.",
                 layer, name, last);
}

static enum den_status need(const struct loader *loader, enum part part, size_t layer, bool bias,
                            const size_t size[2], const struct den_tensor **out)
{
    const struct den_tensor *tensor;
    char name[NAME_BYTES];

    name_tensor(loader, part, layer, bias, name);
    tensor = den_weights_find(loader->weights, name);
    if (!tensor)
        return den_fail(loader->err, DEN_BAD_FILE, "tensor '%s' is missing", name);
    if (den_layout_check(tensor, size[0], size[1], loader->err) != DEN_OK)
        return loader->err->status;
    *out = tensor;
    return DEN_OK;
}

/* `count` tensors of `sizes` values each as f32, one behind the other. */
static enum den_status load_vectors(const struct loader *loader, const enum part *parts, int count,
                                    size_t layer, size_t size, bool bias, const float **out)
{
    const struct den_tensor *tensor = NULL;
    float *values = den_arena_array(loader->bert->arena, (size_t)count * size, sizeof *values);
    int i;

    if (!values)
        return den_fail(loader->err, DEN_NO_MEMORY, "out of memory while loading");
    for (i = 0; i < count; i++) {
        if (need(loader, parts[i], layer, bias, (size_t[]){ size, 1 }, &tensor) != DEN_OK)
            return loader->err->status;
        den_type_to_f32(tensor->type, tensor->data, values + (size_t)i * size, size);
    }
    *out = values;
    return DEN_OK;
}

static enum den_status load_norm(const struct loader *loader, enum part part, size_t layer,
                                 struct den_norm *out)
{
    size_t width = loader->bert->description.width;

    out->epsilon = loader->bert->description.epsilon;
    if (load_vectors(loader, &part, 1, layer, width, false, &out->weight) != DEN_OK)
        return loader->err->status;
    return load_vectors(loader, &part, 1, layer, width, true, &out->bias);
}

/* Stacks `count` parts of (in, out) each, with their biases. */
static enum den_status load_matrix(const struct loader *loader, const enum part *parts, int count,
                                   size_t layer, const size_t size[2], struct den_matrix **out,
                                   const float **out_bias)
{
    const struct den_tensor *tensors[3] = { NULL };
    int i;

    for (i = 0; i < count; i++)
        if (need(loader, parts[i], layer, false, size, &tensors[i]) != DEN_OK)
            return loader->err->status;
    if (den_matrix_create(loader->bert->device, tensors, count, loader->precision, out,
                          loader->err) != DEN_OK)
        return loader->err->status;
    return load_vectors(loader, parts, count, layer, size[1], true, out_bias);
}

static enum den_status load_layer(const struct loader *loader, size_t index)
{
    static const enum part qkv[] = { QUERY, KEY, VALUE }, output = OUTPUT, up = UP, down = DOWN;
    const struct den_bert_description *d = &loader->bert->description;
    struct den_text_layer *layer = &loader->bert->layers[index];
    const size_t square[] = { d->width, d->width };
    const size_t wider[] = { d->width, d->ffn_width }, narrower[] = { d->ffn_width, d->width };

    if (load_matrix(loader, qkv, 3, index, square, &layer->qkv, &layer->qkv_bias) != DEN_OK ||
        load_matrix(loader, &output, 1, index, square, &layer->output, &layer->output_bias) !=
            DEN_OK ||
        load_matrix(loader, &up, 1, index, wider, &layer->up, &layer->up_bias) != DEN_OK ||
        load_matrix(loader, &down, 1, index, narrower, &layer->down, &layer->down_bias) != DEN_OK ||
        load_norm(loader, ATTENTION_NORM, index, &layer->attention_norm) != DEN_OK)
        return loader->err->status;
    return load_norm(loader, FFN_NORM, index, &layer->ffn_norm);
}

/* Nearly all tokens are of type 0, so its vector is added to every position's. A second text's
 * type, where the model has one, is kept as the difference. */
static enum den_status load_positions(const struct loader *loader)
{
    struct den_bert *bert = loader->bert;
    const struct den_bert_description *d = &bert->description;
    const struct den_tensor *positions = NULL, *types = NULL;
    float *table = den_arena_array(bert->arena, d->positions + 2, d->width * sizeof *table);
    float *type = table ? table + d->positions * d->width : NULL;
    float *second = table ? type + d->width : NULL;
    size_t i, p;

    if (!table)
        return den_fail(loader->err, DEN_NO_MEMORY, "out of memory while loading");
    if (need(loader, POSITIONS, 0, false, (size_t[]){ d->width, d->positions }, &positions) !=
        DEN_OK)
        return loader->err->status;
    if (d->token_types > 0 &&
        need(loader, TYPES, 0, false, (size_t[]){ d->width, d->token_types }, &types) != DEN_OK)
        return loader->err->status;
    if (types)
        den_type_to_f32(types->type, types->data, type, d->width);
    if (d->token_types > 1) {
        den_type_to_f32(types->type, (const unsigned char *)types->data + types->row_bytes, second,
                        d->width);
        for (i = 0; i < d->width; i++)
            second[i] -= type[i];
    }
    for (p = 0; p < d->positions; p++) {
        float *row = table + p * d->width;

        den_type_to_f32(positions->type,
                        (const unsigned char *)positions->data + p * positions->row_bytes, row,
                        d->width);
        for (i = 0; i < d->width; i++)
            row[i] += type[i];
    }
    bert->positions = table;
    bert->second_type = second;
    return DEN_OK;
}

static void find_prefix(struct loader *loader)
{
    static const char *const prefixes[] = { "", "bert.", "roberta." };
    char name[NAME_BYTES];
    size_t i;

    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        loader->prefix = prefixes[i];
        name_tensor(loader, WORDS, 0, false, name);
        if (den_weights_find(loader->weights, name))
            return;
    }
    loader->prefix = "";
}

static enum den_status load(struct loader *loader)
{
    struct den_bert *bert = loader->bert;
    const struct den_bert_description *d = &bert->description;
    size_t i;

    find_prefix(loader);
    bert->layers = den_arena_array(bert->arena, d->layers, sizeof *bert->layers);
    if (!bert->layers)
        return den_fail(loader->err, DEN_NO_MEMORY, "out of memory while loading");
    if (need(loader, WORDS, 0, false, (size_t[]){ d->width, d->vocabulary }, &bert->words) !=
            DEN_OK ||
        load_positions(loader) != DEN_OK ||
        load_norm(loader, EMBEDDING_NORM, 0, &bert->embedding_norm) != DEN_OK)
        return loader->err->status;
    for (i = 0; i < d->layers; i++) {
        if (load_layer(loader, i) != DEN_OK)
            return loader->err->status;
        den_weights_release(loader->weights);
    }
    return DEN_OK;
}

/* What den_device_text_stack() is told of the model; texts and memory are the caller's. */
static struct den_text_stack stack_of(const struct den_bert *bert)
{
    const struct den_bert_description *d = &bert->description;

    return (struct den_text_stack){ .layers = bert->layers,
                                    .count = d->layers,
                                    .width = d->width,
                                    .ffn_width = d->ffn_width,
                                    .heads = d->heads,
                                    .activation = d->activation,
                                    .first_norm = bert->embedding_norm };
}

/* Memory for each thread to run a few texts alone. */
static enum den_status make_room_alone(struct den_bert *bert, struct den_error *err)
{
    size_t threads = (size_t)den_device_threads(bert->device), hidden, bytes;
    struct den_text_stack stack = stack_of(bert);
    unsigned char *memory;

    if (!den_device_text_stack_can(&stack))
        return DEN_OK;
    bert->alone_rows = bert->description.context_tokens < ALONE_ROWS
                           ? bert->description.context_tokens
                           : ALONE_ROWS;
    if (bert->alone_rows < ALONE_ROWS_LEAST)
        bert->alone_rows = ALONE_ROWS_LEAST;
    if (!den_checked_multiply(bert->alone_rows, bert->description.width * sizeof(float), &hidden) ||
        !den_checked_align(hidden, 64, &hidden) ||
        !den_device_text_stack_bytes(&stack, bert->alone_rows, &bytes) ||
        !den_checked_add(bytes, hidden, &bert->alone_bytes) ||
        !den_checked_multiply(bert->alone_bytes, threads, &bytes))
        return den_fail(err, DEN_TOO_LARGE, "batches of %zu tokens are too large",
                        bert->alone_rows);
    memory = den_arena_array(bert->arena, bytes + 64, 1);
    if (!memory)
        return den_fail(err, DEN_NO_MEMORY, "no memory for %zu threads' batches of %zu tokens",
                        threads, bert->alone_rows);
    bert->alone = memory + (64 - (uintptr_t)memory % 64) % 64;
    return DEN_OK;
}

static enum den_status make_room(struct den_bert *bert, struct den_error *err)
{
    const struct den_bert_description *d = &bert->description;
    size_t widest = d->width > d->ffn_width ? d->width : d->ffn_width;
    size_t rows = bert->rows_max;

    bert->hidden = den_arena_array(bert->arena, rows, d->width * sizeof(float));
    bert->qkv = den_arena_array(bert->arena, rows, 3 * d->width * sizeof(float));
    bert->context = den_arena_array(bert->arena, rows, d->width * sizeof(float));
    bert->inner = den_arena_array(bert->arena, rows, d->ffn_width * sizeof(float));
    if (!bert->hidden || !bert->qkv || !bert->context || !bert->inner)
        return den_fail(err, DEN_NO_MEMORY, "no memory for batches of %zu tokens", rows);
    if (den_device_workspace(bert->device, rows, widest, 1, 2, err) != DEN_OK)
        return err->status;
    if (den_device_text_workspace(bert->device, rows, d->width / d->heads, err) != DEN_OK)
        return err->status;
    return make_room_alone(bert, err);
}

enum den_status den_bert_create(const struct den_weights *weights, struct den_device *device,
                                enum den_precision precision, size_t rows_max,
                                struct den_bert **out, struct den_error *err)
{
    struct den_bert *bert = calloc(1, sizeof *bert);
    struct loader loader = { .bert = bert,
                             .weights = weights,
                             .prefix = "",
                             .precision = precision == DEN_PRECISION_FP32 ? DEN_PRECISION_FP32
                                                                          : DEN_PRECISION_INT16,
                             .err = err };

    if (!bert)
        return den_fail(err, DEN_NO_MEMORY, "model: out of memory");
    bert->device = device;
    if (den_bert_description_read(weights, &bert->description, err) != DEN_OK)
        goto fail;
    bert->rows_max =
        rows_max > bert->description.context_tokens ? rows_max : bert->description.context_tokens;
    bert->arena = den_arena_create(SIZE_MAX / 2);
    if (!bert->arena) {
        den_fail(err, DEN_NO_MEMORY, "model: out of memory");
        goto fail;
    }
    den_device_begin_weights(device, weights, loader.precision);
    if (load(&loader) != DEN_OK || make_room(bert, err) != DEN_OK) {
        den_fail_at(err, "model: %s", den_weights_path(weights));
        goto fail;
    }
    den_device_end_weights(device);
    *out = bert;
    return DEN_OK;
fail:
    den_bert_destroy(bert);
    return err->status;
}

void den_bert_destroy(struct den_bert *bert)
{
    size_t i;

    if (!bert)
        return;
    for (i = 0; bert->layers && i < bert->description.layers; i++) {
        den_matrix_destroy(bert->layers[i].qkv);
        den_matrix_destroy(bert->layers[i].output);
        den_matrix_destroy(bert->layers[i].up);
        den_matrix_destroy(bert->layers[i].down);
    }
    den_arena_destroy(bert->arena);
    free(bert);
}

const struct den_bert_description *den_bert_description(const struct den_bert *bert)
{
    return &bert->description;
}

/* --- forward --- */

static void embed(const struct den_bert *bert, const struct den_bert_batch *batch, float *rows)
{
    const struct den_bert_description *d = &bert->description;
    size_t text, row, i;

    for (text = 0; text < batch->texts; text++)
        for (row = batch->begin[text]; row < batch->begin[text + 1]; row++) {
            size_t token = (size_t)batch->tokens[row];
            size_t position = row - batch->begin[text] + d->position_offset;
            const float *from = bert->positions + position * d->width;
            float *hidden = rows + row * d->width;

            assert(token < d->vocabulary && position < d->positions);
            den_type_to_f32(bert->words->type,
                            (const unsigned char *)bert->words->data +
                                token * bert->words->row_bytes,
                            hidden, d->width);
            for (i = 0; i < d->width; i++)
                hidden[i] += from[i];
            if (batch->second && row >= batch->second[text])
                for (i = 0; i < d->width; i++)
                    hidden[i] += bert->second_type[i];
        }
}

static void normalize(struct den_bert *bert, const struct den_norm *norm, size_t rows)
{
    struct den_normalize op = { .norm = *norm,
                                .input = bert->hidden,
                                .rows = rows,
                                .width = bert->description.width,
                                .output = bert->hidden };

    den_device_norm(bert->device, &op);
}

static void attend(struct den_bert *bert, const struct den_text_layer *layer,
                   const struct den_bert_batch *batch, size_t rows)
{
    const struct den_bert_description *d = &bert->description;
    size_t head_width = d->width / d->heads;
    struct den_linear qkv = { .matrix = layer->qkv,
                              .rows = rows,
                              .input = bert->hidden,
                              .input_stride = d->width,
                              .bias = layer->qkv_bias,
                              .output = bert->qkv,
                              .output_stride = 3 * d->width };
    struct den_text_attention attention = { .qkv = bert->qkv,
                                            .stride = 3 * d->width,
                                            .heads = d->heads,
                                            .head_width = head_width,
                                            .scale = 1 / sqrtf((float)head_width),
                                            .begin = batch->begin,
                                            .texts = batch->texts,
                                            .output = bert->context };
    struct den_linear output = { .matrix = layer->output,
                                 .rows = rows,
                                 .input = bert->context,
                                 .input_stride = d->width,
                                 .bias = layer->output_bias,
                                 .output = bert->hidden,
                                 .output_stride = d->width,
                                 .accumulate = true };

    den_device_linear(bert->device, &qkv);
    den_device_text_attention(bert->device, &attention);
    den_device_linear(bert->device, &output);
    normalize(bert, &layer->attention_norm, rows);
}

static void feed_forward(struct den_bert *bert, const struct den_text_layer *layer, size_t rows)
{
    const struct den_bert_description *d = &bert->description;
    struct den_linear up = { .matrix = layer->up,
                             .rows = rows,
                             .input = bert->hidden,
                             .input_stride = d->width,
                             .bias = layer->up_bias,
                             .output = bert->inner,
                             .output_stride = d->ffn_width };
    struct den_linear down = { .matrix = layer->down,
                               .rows = rows,
                               .input = bert->inner,
                               .input_stride = d->ffn_width,
                               .activation = d->activation,
                               .bias = layer->down_bias,
                               .output = bert->hidden,
                               .output_stride = d->width,
                               .accumulate = true };

    den_device_linear(bert->device, &up);
    den_device_linear(bert->device, &down);
    normalize(bert, &layer->ffn_norm, rows);
}

const float *den_bert_run(struct den_bert *bert, const struct den_bert_batch *batch)
{
    size_t rows = batch->begin[batch->texts], i;

    assert(batch->begin[0] == 0 && rows <= bert->rows_max);
    embed(bert, batch, bert->hidden);
    normalize(bert, &bert->embedding_norm, rows);
    for (i = 0; i < bert->description.layers; i++) {
        attend(bert, &bert->layers[i], batch, rows);
        feed_forward(bert, &bert->layers[i], rows);
    }
    return bert->hidden;
}

size_t den_bert_alone_rows(const struct den_bert *bert)
{
    return bert->alone_rows;
}

const float *den_bert_run_alone(struct den_bert *bert, const struct den_bert_batch *batch,
                                int member)
{
    size_t rows = batch->begin[batch->texts];
    unsigned char *memory = bert->alone + (size_t)member * bert->alone_bytes;
    size_t hidden = (bert->alone_rows * bert->description.width * sizeof(float) + 63) / 64 * 64;
    struct den_text_stack stack = stack_of(bert);

    assert(batch->begin[0] == 0 && rows <= bert->alone_rows);
    (void)rows;
    stack.begin = batch->begin;
    stack.texts = batch->texts;
    stack.hidden = (float *)(void *)memory;
    stack.scratch = memory + hidden;
    embed(bert, batch, stack.hidden);
    den_device_text_stack(bert->device, &stack, member);
    return stack.hidden;
}
