/* Loading: from named tensors to matrices packed for a device, layer by layer.
 *
 * Every tensor's size is checked against the description before it is packed. Matrices that read
 * the same input are stacked into one (queries, keys and values; gate and up), so that the input is
 * normalised and quantized once and a barrier is saved. After each layer the file's pages are given
 * back to the kernel: the peak of memory is the packed model and one layer. */
#include "model/model.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/layout.h"
#include "model/parts.h"

struct loader {
    struct den_model *model;
    struct den_layout layout;
    struct den_error *err;
};

/* A tensor as f32 in the arena, with gemma's + 1 where the file leaves it out. */
static enum den_status read_vector(struct loader *loader, const struct den_tensor *tensor,
                                   float plus, float *out)
{
    size_t count = tensor->size[0];
    size_t i;

    den_type_to_f32(tensor->type, tensor->data, out, count);
    for (i = 0; i < count; i++)
        out[i] += plus;
    return loader->err->status;
}

static enum den_status no_memory(struct loader *loader)
{
    return den_fail(loader->err, DEN_NO_MEMORY, "out of memory while loading");
}

static enum den_status load_norm(struct loader *loader, enum den_part part, size_t layer,
                                 size_t width, const float **out)
{
    const struct den_tensor *tensor = NULL;
    float *values;

    if (den_layout_need(&loader->layout, part, layer, (size_t[]){ width, 1 }, &tensor,
                        loader->err) != DEN_OK)
        return loader->err->status;
    values = den_arena_array(loader->model->arena, width, sizeof *values);
    if (!values)
        return no_memory(loader);
    read_vector(loader, tensor, loader->model->description.norm_plus_one ? 1 : 0, values);
    *out = values;
    return DEN_OK;
}

struct piece {
    enum den_part part;
    size_t out;
};

/* The biases of stacked parts, one behind the other; NULL stays where none has one. */
static enum den_status load_bias(struct loader *loader, const struct piece *pieces, int count,
                                 size_t layer, const float **out)
{
    float *values = NULL;
    size_t total = 0;
    size_t at = 0;
    int i;

    for (i = 0; i < count; i++)
        total += pieces[i].out;
    for (i = 0; i < count; at += pieces[i].out, i++) {
        const struct den_tensor *tensor =
            den_layout_find(&loader->layout, pieces[i].part, layer, true);

        if (!tensor)
            continue;
        if (den_layout_check(tensor, pieces[i].out, 1, loader->err) != DEN_OK)
            return loader->err->status;
        if (!values)
            values = den_arena_array(loader->model->arena, total, sizeof *values);
        if (!values)
            return no_memory(loader);
        read_vector(loader, tensor, 0, values + at);
    }
    *out = values;
    return DEN_OK;
}

/* Stacks up to three parts, each (in, piece.out), into one matrix. */
static enum den_status load_matrix(struct loader *loader, const struct piece *pieces, int count,
                                   size_t layer, size_t in, struct den_matrix **out)
{
    const struct den_tensor *tensors[3] = { NULL };
    int i;

    for (i = 0; i < count; i++)
        if (den_layout_need(&loader->layout, pieces[i].part, layer, (size_t[]){ in, pieces[i].out },
                            &tensors[i], loader->err) != DEN_OK)
            return loader->err->status;
    return den_matrix_create(loader->model->device, tensors, count, loader->model->precision, out,
                             loader->err);
}

static enum den_status load_attention(struct loader *loader, size_t layer, struct den_layer *out)
{
    const struct den_description *d = &loader->model->description;
    size_t query = d->heads * d->head_width;
    size_t key = d->kv_heads * d->head_width;
    size_t value = d->kv_heads * d->value_width;
    const struct piece split[] = { { DEN_PART_QUERY, query },
                                   { DEN_PART_KEY, key },
                                   { DEN_PART_VALUE, value } };
    const struct piece fused[] = { { DEN_PART_QKV, query + key + value } };
    const struct piece output[] = { { DEN_PART_OUTPUT, d->width } };
    bool is_fused = den_layout_find(&loader->layout, DEN_PART_QKV, layer, false) != NULL;
    const struct piece *pieces = is_fused ? fused : split;
    int count = is_fused ? 1 : 3;

    if (load_norm(loader, DEN_PART_ATTENTION_NORM, layer, d->width, &out->attention_norm) != DEN_OK)
        return loader->err->status;
    if (load_matrix(loader, pieces, count, layer, d->width, &out->qkv) != DEN_OK ||
        load_bias(loader, pieces, count, layer, &out->qkv_bias) != DEN_OK)
        return loader->err->status;
    if (load_matrix(loader, output, 1, layer, d->heads * d->value_width, &out->output) != DEN_OK ||
        load_bias(loader, output, 1, layer, &out->output_bias) != DEN_OK)
        return loader->err->status;
    if (d->head_norms &&
        (load_norm(loader, DEN_PART_QUERY_NORM, layer, d->head_width, &out->query_norm) != DEN_OK ||
         load_norm(loader, DEN_PART_KEY_NORM, layer, d->head_width, &out->key_norm) != DEN_OK))
        return loader->err->status;
    if (d->post_norms)
        return load_norm(loader, DEN_PART_POST_ATTENTION_NORM, layer, d->width,
                         &out->post_attention_norm);
    return DEN_OK;
}

/* phi-3's GGUF files call the fused matrix ffn_up. */
static enum den_status load_dense(struct loader *loader, size_t layer, struct den_layer *out)
{
    const struct den_description *d = &loader->model->description;
    const struct den_layout *layout = &loader->layout;
    const struct piece split[] = { { DEN_PART_GATE, d->ffn_width }, { DEN_PART_UP, d->ffn_width } };
    const struct piece fused[] = { { DEN_PART_GATE_UP, 2 * d->ffn_width } };
    const struct piece fused_up[] = { { DEN_PART_UP, 2 * d->ffn_width } };
    const struct piece down[] = { { DEN_PART_DOWN, d->width } };
    const struct piece *pieces = fused;
    int count = 1;

    if (den_layout_find(layout, DEN_PART_GATE, layer, false)) {
        pieces = split;
        count = 2;
    } else if (den_layout_find(layout, DEN_PART_UP, layer, false)) {
        pieces = fused_up;
    }
    if (load_matrix(loader, pieces, count, layer, d->width, &out->gate_up) != DEN_OK ||
        load_bias(loader, pieces, count, layer, &out->gate_up_bias) != DEN_OK)
        return loader->err->status;
    if (load_matrix(loader, down, 1, layer, d->ffn_width, &out->down) != DEN_OK)
        return loader->err->status;
    return load_bias(loader, down, 1, layer, &out->down_bias);
}

static enum den_status load_expert(struct loader *loader, size_t layer, size_t expert,
                                   struct den_layer *out)
{
    const struct den_description *d = &loader->model->description;
    struct den_model *model = loader->model;
    struct den_tensor parts[3];
    const struct den_tensor *tensors[2] = { &parts[0], &parts[1] };
    const struct den_tensor *down = &parts[2];
    enum den_status status =
        den_layout_expert(&loader->layout, DEN_PART_GATE_UP, layer, expert, &parts[0], loader->err);
    int count = 1;

    if (status == DEN_NOT_FOUND) {
        count = 2;
        if (den_layout_expert(&loader->layout, DEN_PART_GATE, layer, expert, &parts[0],
                              loader->err) != DEN_OK ||
            den_layout_expert(&loader->layout, DEN_PART_UP, layer, expert, &parts[1],
                              loader->err) != DEN_OK ||
            den_layout_check(&parts[1], d->width, d->expert_width, loader->err) != DEN_OK)
            return loader->err->status;
    } else if (status != DEN_OK) {
        return status;
    }
    if (den_layout_check(&parts[0], d->width, (size_t)(3 - count) * d->expert_width, loader->err) !=
            DEN_OK ||
        den_layout_expert(&loader->layout, DEN_PART_DOWN, layer, expert, &parts[2], loader->err) !=
            DEN_OK ||
        den_layout_check(&parts[2], d->expert_width, d->width, loader->err) != DEN_OK)
        return loader->err->status;
    if (den_matrix_create(model->device, tensors, count, model->precision,
                          &out->expert_gate_up[expert], loader->err) != DEN_OK)
        return loader->err->status;
    return den_matrix_create(model->device, &down, 1, model->precision, &out->expert_down[expert],
                             loader->err);
}

/* The router decides which weights are read at all, so it is never rounded to int8. */
static enum den_status load_experts(struct loader *loader, size_t layer, struct den_layer *out)
{
    const struct den_description *d = &loader->model->description;
    struct den_model *model = loader->model;
    const struct den_tensor *router = NULL;
    size_t expert;

    out->expert_gate_up = den_arena_array(model->arena, d->experts, sizeof *out->expert_gate_up);
    out->expert_down = den_arena_array(model->arena, d->experts, sizeof *out->expert_down);
    if (!out->expert_gate_up || !out->expert_down)
        return no_memory(loader);
    if (den_layout_need(&loader->layout, DEN_PART_ROUTER, layer, (size_t[]){ d->width, d->experts },
                        &router, loader->err) != DEN_OK)
        return loader->err->status;
    if (den_matrix_create(model->device, &router, 1, DEN_PRECISION_FP32, &out->router,
                          loader->err) != DEN_OK)
        return loader->err->status;
    for (expert = 0; expert < d->experts; expert++)
        if (load_expert(loader, layer, expert, out) != DEN_OK)
            return loader->err->status;
    return DEN_OK;
}

static enum den_status load_layer(struct loader *loader, size_t layer)
{
    const struct den_description *d = &loader->model->description;
    struct den_layer *out = &loader->model->layers[layer];
    bool is_dense = d->experts == 0 || (d->layer_flags[layer] & DEN_LAYER_DENSE);

    if (load_attention(loader, layer, out) != DEN_OK)
        return loader->err->status;
    if (load_norm(loader, DEN_PART_FFN_NORM, layer, d->width, &out->ffn_norm) != DEN_OK)
        return loader->err->status;
    if (d->post_norms &&
        load_norm(loader, DEN_PART_POST_FFN_NORM, layer, d->width, &out->post_ffn_norm) != DEN_OK)
        return loader->err->status;
    if ((is_dense ? load_dense : load_experts)(loader, layer, out) != DEN_OK)
        return loader->err->status;
    den_weights_release(loader->layout.weights);
    return DEN_OK;
}

/* Tied: one packed matrix serves the look-up and the head. */
static enum den_status load_ends(struct loader *loader)
{
    struct den_model *model = loader->model;
    const struct den_description *d = &model->description;
    const struct piece embedding[] = { { DEN_PART_EMBEDDING, d->vocabulary } };
    const struct piece head[] = { { DEN_PART_HEAD, d->vocabulary } };

    if (load_matrix(loader, embedding, 1, 0, d->width, &model->embedding) != DEN_OK)
        return loader->err->status;
    den_weights_release(loader->layout.weights); /* half of a small model's bytes */
    if (d->tied_embeddings)
        model->head = model->embedding;
    else if (load_matrix(loader, head, 1, 0, d->width, &model->head) != DEN_OK)
        return loader->err->status;
    den_weights_release(loader->layout.weights);
    return load_norm(loader, DEN_PART_FINAL_NORM, 0, d->width, &model->final_norm);
}

static size_t matrix_bytes(const struct den_matrix *matrix)
{
    return matrix ? den_matrix_bytes(matrix) : 0;
}

static size_t count_bytes(const struct den_model *model)
{
    const struct den_description *d = &model->description;
    size_t total = matrix_bytes(model->head);
    size_t layer;

    for (layer = 0; layer < d->layers; layer++) {
        const struct den_layer *l = &model->layers[layer];

        total += matrix_bytes(l->qkv) + matrix_bytes(l->output) + matrix_bytes(l->gate_up) +
                 matrix_bytes(l->down) + matrix_bytes(l->router);
        if (l->router)
            total += d->experts_used *
                     (matrix_bytes(l->expert_gate_up[0]) + matrix_bytes(l->expert_down[0]));
    }
    return total;
}

static enum den_status load(struct loader *loader, size_t context_tokens)
{
    struct den_model *model = loader->model;
    const struct den_description *d = &model->description;
    const struct den_weights *weights = loader->layout.weights;
    size_t layer;

    if (den_rope_frequencies_make(weights, d, context_tokens, false, &model->rope, loader->err) !=
            DEN_OK ||
        den_rope_frequencies_make(weights, d, context_tokens, true, &model->rope_local,
                                  loader->err) != DEN_OK)
        return loader->err->status;
    model->layers = den_arena_array(model->arena, d->layers, sizeof *model->layers);
    if (!model->layers)
        return no_memory(loader);
    if (load_ends(loader) != DEN_OK)
        return den_fail_at(loader->err, "model: %s", den_weights_path(weights));
    for (layer = 0; layer < d->layers; layer++)
        if (load_layer(loader, layer) != DEN_OK)
            return den_fail_at(loader->err, "model: %s", den_weights_path(weights));
    model->bytes_per_token = count_bytes(model);
    return DEN_OK;
}

enum den_status den_model_create(const struct den_weights *weights, struct den_device *device,
                                 enum den_precision precision, size_t context_tokens,
                                 struct den_model **out, struct den_error *err)
{
    struct den_model *model = calloc(1, sizeof *model);
    struct loader loader = { .model = model, .err = err };

    if (!model)
        return den_fail(err, DEN_NO_MEMORY, "model: out of memory");
    model->device = device;
    model->precision = precision;
    model->arena = den_arena_create(SIZE_MAX / 2);
    if (!model->arena) {
        den_fail(err, DEN_NO_MEMORY, "model: out of memory");
        goto fail;
    }
    if (den_description_read(weights, &model->description, err) != DEN_OK)
        goto fail;
    den_layout_init(&loader.layout, weights, &model->description);
    den_device_begin_weights(device, weights, precision);
    if (load(&loader, context_tokens) != DEN_OK)
        goto fail;
    den_device_end_weights(device);
    *out = model;
    return DEN_OK;
fail:
    den_model_destroy(model);
    return err->status;
}

static void destroy_layer(const struct den_layer *layer, size_t experts)
{
    size_t expert;

    den_matrix_destroy(layer->qkv);
    den_matrix_destroy(layer->output);
    den_matrix_destroy(layer->gate_up);
    den_matrix_destroy(layer->down);
    den_matrix_destroy(layer->router);
    for (expert = 0; layer->expert_gate_up && layer->expert_down && expert < experts; expert++) {
        den_matrix_destroy(layer->expert_gate_up[expert]);
        den_matrix_destroy(layer->expert_down[expert]);
    }
}

void den_model_destroy(struct den_model *model)
{
    size_t layer;

    if (!model)
        return;
    for (layer = 0; model->layers && layer < model->description.layers; layer++)
        destroy_layer(&model->layers[layer], model->description.experts);
    if (model->head != model->embedding)
        den_matrix_destroy(model->head);
    den_matrix_destroy(model->embedding);
    den_arena_destroy(model->arena);
    free(model);
}

const struct den_description *den_model_description(const struct den_model *model)
{
    return &model->description;
}

enum den_precision den_model_precision(const struct den_model *model)
{
    return model->precision;
}

size_t den_model_bytes_per_token(const struct den_model *model)
{
    return model->bytes_per_token;
}
