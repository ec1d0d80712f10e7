/* The forward pass of a batch of rows, the same for every decoder.
 *
 *     hidden = embed(tokens)
 *     for each layer:
 *         qkv     = Wqkv · norm(hidden) + bias       one product, norm folded in
 *         rotate queries and keys, write keys and values to the cache
 *         hidden += Wo · attention(queries, cache)   or += norm(Wo · ...) with post norms
 *         up      = Wgate,up · norm(hidden)
 *         hidden += Wdown · (f(gate) * up)           or the mixture of experts, or += norm(...)
 *     logits = Whead · norm(hidden)                  only of the rows that are asked for
 *
 * In the last layer nothing but those rows is needed once the cache is written, so everything
 * behind it runs on them alone: a prompt chunk that wants no logits skips it altogether.
 *
 * All scratch memory is one anonymous mapping made at creation; what a run doesn't touch (logits of
 * 512 rows, say) costs nothing. A run allocates nothing. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "model/parts.h"

enum { ALIGNMENT = 64 };

/* One array of the mapping: count * columns elements of 4 bytes. */
struct span {
    void *pointer; /* to the field to set */
    size_t count;
    size_t columns;
};

static size_t up_floats(const struct den_description *d)
{
    size_t dense = 2 * d->ffn_width;
    size_t experts = 2 * d->experts_used * d->expert_width;

    return dense > experts ? dense : experts;
}

/* Adds up the spans' sizes; with `memory` also sets the fields. False: too large. */
static bool place(struct den_forward *forward, unsigned char *memory, size_t *out_bytes)
{
    const struct den_description *d = &forward->model->description;
    size_t rows = forward->rows;
    struct span spans[] = {
        { &forward->hidden, rows, d->width },
        { &forward->qkv, rows, den_description_qkv(d) },
        { &forward->attention, rows, d->heads * d->value_width },
        { &forward->up, rows, up_floats(d) },
        { &forward->branch, rows, d->width },
        { &forward->logits, forward->logit_rows, d->vocabulary },
        { &forward->router, rows, d->experts },
        { &forward->routed_rows, rows, d->experts_used },
        { &forward->routed_scales, rows, d->experts_used },
        { &forward->expert_first, d->experts + 1, 1 },
        { &forward->chosen, rows, d->experts_used },
        { &forward->chosen_scales, rows, d->experts_used },
    };
    size_t total = 0;
    size_t i;

    for (i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        size_t bytes;

        if (!den_checked_multiply(spans[i].count, spans[i].columns, &bytes) ||
            !den_checked_multiply(bytes, sizeof(float), &bytes) ||
            !den_checked_align(bytes, ALIGNMENT, &bytes))
            return false;
        if (memory)
            memcpy(spans[i].pointer, &(void *){ memory + total }, sizeof(void *));
        if (!den_checked_add(total, bytes, &total))
            return false;
    }
    *out_bytes = total;
    return true;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The widest input of any matrix. */
static size_t widest_input(const struct den_description *d)
{
    return larger(larger(d->width, d->heads * d->value_width),
                  larger(d->ffn_width, d->expert_width));
}

enum den_status den_forward_create(const struct den_model *model, size_t rows, size_t logit_rows,
                                   struct den_forward **out, struct den_error *err)
{
    const struct den_description *d = &model->description;
    struct den_forward *forward = calloc(1, sizeof *forward);
    size_t bytes;
    void *memory;

    if (!forward)
        return den_fail(err, DEN_NO_MEMORY, "model: out of memory");
    forward->model = model;
    forward->rows = rows;
    forward->logit_rows = logit_rows;
    if (!place(forward, NULL, &bytes)) {
        den_fail(err, DEN_TOO_LARGE, "model: %zu rows are too many for one batch", rows);
        goto fail;
    }
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    if (memory == MAP_FAILED) {
        den_fail_errno(err, DEN_NO_MEMORY, "model: %zu bytes of scratch memory", bytes);
        goto fail;
    }
    forward->memory = memory;
    forward->memory_bytes = bytes;
    place(forward, memory, &bytes);
    if (den_device_workspace(model->device, rows, widest_input(d), d->heads,
                             larger(d->head_width, d->value_width), err) != DEN_OK)
        goto fail;
    *out = forward;
    return DEN_OK;
fail:
    den_forward_destroy(forward);
    return err->status;
}

void den_forward_destroy(struct den_forward *forward)
{
    if (!forward)
        return;
    if (forward->memory)
        munmap(forward->memory, forward->memory_bytes);
    free(forward);
}

/* What one run passes from step to step. */
struct run {
    const struct den_model *model;
    struct den_forward *forward;
    struct den_kv_pool *pool;
    const struct den_batch *batch;
    /* rows that the steps after attention work on: all (rows NULL), or in the last layer those
     * whose logits are wanted */
    const int32_t *live_rows;
    size_t live_count;
};

static struct den_norm norm_of(const struct run *run, const float *weight)
{
    return (struct den_norm){ .weight = weight, .epsilon = run->model->description.norm_epsilon };
}

/* One product of `rows` rows of the residual stream, normalised on the way. The output is written,
 * not added to. Where weights are quantized, the input has 15 bits instead of 8: rounding these
 * inputs to int8 is most of what that mode loses (docs/internals/model.md has the figures), while
 * the inputs of the other two products, attention and the gated activation, matter little. */
struct product {
    const struct den_matrix *matrix;
    size_t rows;
    const float *norm;
    const float *bias; /* (output_width) or NULL */
    float *output;     /* (rows, output_width) */
    size_t output_width;
    const int32_t *input_rows; /* (rows) or NULL */
};

static void run_product(const struct run *run, const struct product *product)
{
    size_t width = run->model->description.width;

    den_device_linear(run->model->device, &(struct den_linear){
                                              .matrix = product->matrix,
                                              .rows = product->rows,
                                              .input = run->forward->hidden,
                                              .input_stride = width,
                                              .norm = norm_of(run, product->norm),
                                              .fine = true,
                                              .bias = product->bias,
                                              .output = product->output,
                                              .output_stride = product->output_width,
                                              .input_rows = product->input_rows,
                                          });
}

static void run_projection(const struct run *run, const struct den_layer *layer, size_t index)
{
    const struct den_description *d = &run->model->description;
    const struct den_rows *where = &run->batch->where;
    bool windowed = (d->layer_flags[index] & DEN_LAYER_WINDOWED) != 0;
    const struct den_rope_frequencies *rope =
        windowed ? &run->model->rope_local : &run->model->rope;
    size_t stride = den_description_qkv(d);

    if (d->rope_base_local <= 0)
        rope = &run->model->rope;
    run_product(run, &(struct product){ .matrix = layer->qkv,
                                        .rows = where->rows,
                                        .norm = layer->attention_norm,
                                        .bias = layer->qkv_bias,
                                        .output = run->forward->qkv,
                                        .output_width = stride });
    den_device_rope(
        run->model->device,
        &(struct den_rope){
            .where = where,
            .qkv = run->forward->qkv,
            .stride = stride,
            .heads = d->heads,
            .kv_heads = d->kv_heads,
            .head_width = d->head_width,
            .value_width = d->value_width,
            .query_norm = layer->query_norm,
            .key_norm = layer->key_norm,
            .norm_epsilon = d->norm_epsilon,
            .rotary_width = d->layer_flags[index] & DEN_LAYER_NO_ROPE ? 0 : d->rotary_width,
            .interleaved = d->rope_interleaved,
            .inverse_frequency = rope->inverse_frequency,
            .magnitude = rope->magnitude,
            .pool = run->pool,
            .layer = index,
        });
}

/* Adds `branch` (all rows), normalised, to the residual stream. */
static void add_branch(const struct run *run, const float *norm)
{
    const struct den_normalize post = { .norm = norm_of(run, norm),
                                        .input = run->forward->branch,
                                        .rows = run->batch->where.rows,
                                        .width = run->model->description.width,
                                        .output = run->forward->hidden,
                                        .accumulate = true };

    den_device_norm(run->model->device, &post);
}

static void run_attention(const struct run *run, const struct den_layer *layer, size_t index)
{
    const struct den_description *d = &run->model->description;
    struct den_forward *forward = run->forward;
    bool post = layer->post_attention_norm != NULL;

    den_device_attention(run->model->device, &(struct den_attention){
                                                 .where = &run->batch->where,
                                                 .queries = forward->qkv,
                                                 .stride = den_description_qkv(d),
                                                 .heads = d->heads,
                                                 .scale = d->attention_scale,
                                                 .softcap = d->attention_softcap,
                                                 .window = den_description_window(d, index),
                                                 .pool = run->pool,
                                                 .layer = index,
                                                 .output = forward->attention,
                                             });
    den_device_linear(run->model->device, &(struct den_linear){
                                              .matrix = layer->output,
                                              .rows = run->live_count,
                                              .input = forward->attention,
                                              .input_stride = d->heads * d->value_width,
                                              .bias = layer->output_bias,
                                              .output = post ? forward->branch : forward->hidden,
                                              .output_stride = d->width,
                                              .accumulate = !post,
                                              .input_rows = run->live_rows,
                                              .output_rows = run->live_rows,
                                          });
    if (post)
        add_branch(run, layer->post_attention_norm);
}

static void run_dense(const struct run *run, const struct den_layer *layer)
{
    const struct den_description *d = &run->model->description;
    struct den_forward *forward = run->forward;
    bool post = layer->post_ffn_norm != NULL;

    run_product(run, &(struct product){ .matrix = layer->gate_up,
                                        .rows = run->live_count,
                                        .norm = layer->ffn_norm,
                                        .bias = layer->gate_up_bias,
                                        .output = forward->up,
                                        .output_width = 2 * d->ffn_width,
                                        .input_rows = run->live_rows });
    den_device_linear(run->model->device, &(struct den_linear){
                                              .matrix = layer->down,
                                              .rows = run->live_count,
                                              .input = forward->up,
                                              .input_stride = 2 * d->ffn_width,
                                              .gate = d->activation,
                                              .bias = layer->down_bias,
                                              .output = post ? forward->branch : forward->hidden,
                                              .output_stride = d->width,
                                              .accumulate = !post,
                                              .output_rows = run->live_rows,
                                          });
    if (post)
        add_branch(run, layer->post_ffn_norm);
}

static void run_layer(struct run *run, size_t index)
{
    const struct den_model *model = run->model;
    const struct den_layer *layer = &model->layers[index];
    bool last = index + 1 == model->description.layers;
    bool simple = !layer->router && !model->description.post_norms;

    run_projection(run, layer, index);
    if (last && run->batch->logit_count == 0)
        return;
    if (last && simple && run->batch->logit_count < run->batch->where.rows) {
        run->live_rows = run->batch->logit_rows;
        run->live_count = run->batch->logit_count;
    }
    run_attention(run, layer, index);
    if (layer->router) {
        const struct den_norm norm = norm_of(run, layer->ffn_norm);

        den_experts_run(model, run->forward, layer, &norm, run->batch->where.rows,
                        run->forward->hidden);
    } else {
        run_dense(run, layer);
    }
}

static void run_head(const struct run *run)
{
    const struct den_description *d = &run->model->description;
    struct den_forward *forward = run->forward;
    size_t count = run->batch->logit_count;
    size_t i;

    run_product(run, &(struct product){ .matrix = run->model->head,
                                        .rows = count,
                                        .norm = run->model->final_norm,
                                        .output = forward->logits,
                                        .output_width = d->vocabulary,
                                        .input_rows = run->batch->logit_rows });
    if (d->logit_scale != 1)
        for (i = 0; i < count * d->vocabulary; i++)
            forward->logits[i] *= d->logit_scale;
    if (d->logit_softcap > 0)
        den_device_softcap(run->model->device, forward->logits, count, d->vocabulary,
                           d->logit_softcap);
}

enum den_status den_model_run(const struct den_model *model, struct den_forward *forward,
                              struct den_kv_pool *pool, const struct den_batch *batch,
                              const float **out_logits, struct den_error *err)
{
    const struct den_description *d = &model->description;
    struct run run = { model, forward, pool, batch, NULL, batch->where.rows };
    size_t layer;

    if (batch->where.rows > forward->rows || batch->logit_count > forward->logit_rows)
        return den_fail(err, DEN_INVALID, "model: a batch of %zu rows; this pass was made for %zu",
                        batch->where.rows, forward->rows);
    den_device_embed(model->device, &(struct den_embed){ .matrix = model->embedding,
                                                         .tokens = batch->tokens,
                                                         .rows = batch->where.rows,
                                                         .scale = d->embed_scale,
                                                         .output = forward->hidden,
                                                         .output_stride = d->width });
    for (layer = 0; layer < d->layers; layer++) {
        if (batch->cancel && atomic_load_explicit(batch->cancel, memory_order_relaxed))
            return den_fail(err, DEN_CANCELLED, "cancelled");
        run_layer(&run, layer);
    }
    if (batch->logit_count > 0)
        run_head(&run);
    *out_logits = forward->logits;
    return DEN_OK;
}
