/* See layout.h. */
#include "model/layout.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 160 };

/* Names without ".weight" and ".bias", inside a layer but for the first three. */
static const struct {
    const char *gguf;
    const char *config;
    const char *config_mixtral; /* the older name, for the parts of a mixture */
} names[DEN_PARTS] = {
    [DEN_PART_EMBEDDING] = { "token_embd", "embed_tokens", NULL },
    [DEN_PART_HEAD] = { "output", "lm_head", NULL },
    [DEN_PART_FINAL_NORM] = { "output_norm", "norm", NULL },
    [DEN_PART_ATTENTION_NORM] = { "attn_norm", "input_layernorm", NULL },
    [DEN_PART_QKV] = { "attn_qkv", "self_attn.qkv_proj", NULL },
    [DEN_PART_QUERY] = { "attn_q", "self_attn.q_proj", NULL },
    [DEN_PART_KEY] = { "attn_k", "self_attn.k_proj", NULL },
    [DEN_PART_VALUE] = { "attn_v", "self_attn.v_proj", NULL },
    [DEN_PART_OUTPUT] = { "attn_output", "self_attn.o_proj", NULL },
    [DEN_PART_QUERY_NORM] = { "attn_q_norm", "self_attn.q_norm", NULL },
    [DEN_PART_KEY_NORM] = { "attn_k_norm", "self_attn.k_norm", NULL },
    [DEN_PART_POST_ATTENTION_NORM] = { "post_attention_norm", "post_attention_layernorm", NULL },
    [DEN_PART_FFN_NORM] = { "ffn_norm", "post_attention_layernorm", NULL },
    [DEN_PART_POST_FFN_NORM] = { "post_ffw_norm", "post_feedforward_layernorm", NULL },
    [DEN_PART_GATE] = { "ffn_gate", "mlp.gate_proj", NULL },
    [DEN_PART_UP] = { "ffn_up", "mlp.up_proj", NULL },
    [DEN_PART_GATE_UP] = { "ffn_gate_up", "mlp.gate_up_proj", NULL },
    [DEN_PART_DOWN] = { "ffn_down", "mlp.down_proj", NULL },
    [DEN_PART_ROUTER] = { "ffn_gate_inp", "mlp.gate", "block_sparse_moe.gate" },
};

/* One expert's matrices: stacked in one tensor of three dimensions, or numbered. */
static const struct {
    enum den_part part;
    bool stacked;
    const char *form; /* takes the expert's number where not stacked */
} gguf_experts[] = {
    { DEN_PART_GATE, true, "ffn_gate_exps.weight" },
    { DEN_PART_UP, true, "ffn_up_exps.weight" },
    { DEN_PART_DOWN, true, "ffn_down_exps.weight" },
    { DEN_PART_GATE, false, "ffn_gate.%zu.weight" },
    { DEN_PART_UP, false, "ffn_up.%zu.weight" },
    { DEN_PART_DOWN, false, "ffn_down.%zu.weight" },
}, config_experts[] = {
    { DEN_PART_GATE_UP, true, "mlp.experts.gate_up_proj" },
    { DEN_PART_DOWN, true, "mlp.experts.down_proj" },
    { DEN_PART_GATE, false, "mlp.experts.%zu.gate_proj.weight" },
    { DEN_PART_UP, false, "mlp.experts.%zu.up_proj.weight" },
    { DEN_PART_DOWN, false, "mlp.experts.%zu.down_proj.weight" },
    { DEN_PART_GATE_UP, true, "block_sparse_moe.experts.gate_up_proj" },
    { DEN_PART_DOWN, true, "block_sparse_moe.experts.down_proj" },
    { DEN_PART_GATE, false, "block_sparse_moe.experts.%zu.w1.weight" },
    { DEN_PART_UP, false, "block_sparse_moe.experts.%zu.w3.weight" },
    { DEN_PART_DOWN, false, "block_sparse_moe.experts.%zu.w2.weight" },
};

enum {
    GGUF_EXPERTS = sizeof gguf_experts / sizeof gguf_experts[0],
    CONFIG_EXPERTS = sizeof config_experts / sizeof config_experts[0]
};

void den_layout_init(struct den_layout *layout, const struct den_weights *weights,
                     const struct den_description *description)
{
    static const char *const prefixes[] = { "model.", "language_model.model.",
                                            "model.language_model.", "" };
    size_t i;

    layout->weights = weights;
    layout->description = description;
    layout->prefix = NULL;
    if (den_weights_gguf(weights))
        return;
    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof name, "%sembed_tokens.weight", prefixes[i]);
        layout->prefix = prefixes[i];
        if (den_weights_find(weights, name))
            return;
    }
}

static bool is_outside_layers(enum den_part part)
{
    return part <= DEN_PART_FINAL_NORM;
}

static void make_name(const struct den_layout *layout, enum den_part part, size_t layer,
                      const char *suffix, char out[NAME_BYTES])
{
    const char *inner = names[part].config;

    if (!layout->prefix) {
        if (is_outside_layers(part))
            snprintf(out, NAME_BYTES, "%s.%s", names[part].gguf, suffix);
        else
            snprintf(out, NAME_BYTES, "blk.%zu.%s.%s", layer, names[part].gguf, suffix);
        return;
    }
    /* gemma has four norms a layer, and "post attention" means what it says */
    if (part == DEN_PART_FFN_NORM && layout->description->post_norms)
        inner = "pre_feedforward_layernorm";
    if (part == DEN_PART_HEAD)
        snprintf(out, NAME_BYTES, "%s%s.%s",
                 strcmp(layout->prefix, "language_model.model.") == 0 ? "language_model." : "",
                 inner, suffix);
    else if (is_outside_layers(part))
        snprintf(out, NAME_BYTES, "%s%s.%s", layout->prefix, inner, suffix);
    else
        snprintf(out, NAME_BYTES, "%slayers.%zu.%s.%s", layout->prefix, layer, inner, suffix);
}

const struct den_tensor *den_layout_find(const struct den_layout *layout, enum den_part part,
                                         size_t layer, bool bias)
{
    const char *suffix = bias ? "bias" : "weight";
    const struct den_tensor *found;
    char name[NAME_BYTES];

    make_name(layout, part, layer, suffix, name);
    found = den_weights_find(layout->weights, name);
    if (found || !layout->prefix || !names[part].config_mixtral)
        return found;
    snprintf(name, sizeof name, "%slayers.%zu.%s.%s", layout->prefix, layer,
             names[part].config_mixtral, suffix);
    return den_weights_find(layout->weights, name);
}

enum den_status den_layout_check(const struct den_tensor *tensor, size_t in, size_t out_size,
                                 struct den_error *err)
{
    if (tensor->type == DEN_TYPE_I8 || tensor->type == DEN_TYPE_I32 || tensor->type == DEN_TYPE_I64)
        return den_fail(err, DEN_UNSUPPORTED, "tensor '%s' is of type %s; weights are floating",
                        tensor->name, den_type_info(tensor->type)->text);
    if (tensor->size[0] != in || den_tensor_rows(tensor) != out_size)
        return den_fail(err, DEN_BAD_FILE,
                        "tensor '%s' has %zu inputs and %zu outputs; the model's sizes call for "
                        "%zu and %zu",
                        tensor->name, tensor->size[0], den_tensor_rows(tensor), in, out_size);
    return DEN_OK;
}

enum den_status den_layout_need(const struct den_layout *layout, enum den_part part, size_t layer,
                                const size_t size[2], const struct den_tensor **out,
                                struct den_error *err)
{
    const struct den_tensor *tensor = den_layout_find(layout, part, layer, false);

    if (!tensor) {
        char name[NAME_BYTES];

        make_name(layout, part, layer, "weight", name);
        return den_fail(err, DEN_BAD_FILE, "tensor '%s' is missing", name);
    }
    if (den_layout_check(tensor, size[0], size[1], err) != DEN_OK)
        return err->status;
    *out = tensor;
    return DEN_OK;
}

/* Cuts expert number `expert` out of (in, out, experts). */
static enum den_status slice(const struct den_tensor *stack, size_t experts, size_t expert,
                             struct den_tensor *out, struct den_error *err)
{
    if (stack->dims != 3 || stack->size[2] != experts)
        return den_fail(err, DEN_BAD_FILE, "tensor '%s' does not stack %zu experts", stack->name,
                        experts);
    *out = *stack;
    out->dims = 2;
    out->size[2] = 1;
    out->bytes = stack->row_bytes * stack->size[1];
    out->data = (const unsigned char *)stack->data + expert * out->bytes;
    return DEN_OK;
}

enum den_status den_layout_expert(const struct den_layout *layout, enum den_part part, size_t layer,
                                  size_t expert, struct den_tensor *out, struct den_error *err)
{
    size_t count = layout->prefix ? CONFIG_EXPERTS : GGUF_EXPERTS;
    size_t i;

    for (i = 0; i < count; i++) {
        const char *form = layout->prefix ? config_experts[i].form : gguf_experts[i].form;
        bool stacked = layout->prefix ? config_experts[i].stacked : gguf_experts[i].stacked;
        const struct den_tensor *found;
        char inner[NAME_BYTES / 2];
        char name[NAME_BYTES];
        const char *number = strstr(form, "%zu");

        if ((layout->prefix ? config_experts[i].part : gguf_experts[i].part) != part)
            continue;
        if (stacked)
            snprintf(inner, sizeof inner, "%s", form);
        else
            snprintf(inner, sizeof inner, "%.*s%zu%s", (int)(number - form), form, expert,
                     number + strlen("%zu"));
        snprintf(name, sizeof name, "%s%s%zu.%s", layout->prefix ? layout->prefix : "",
                 layout->prefix ? "layers." : "blk.", layer, inner);
        found = den_weights_find(layout->weights, name);
        if (!found)
            continue;
        if (stacked)
            return slice(found, layout->description->experts, expert, out, err);
        *out = *found;
        return DEN_OK;
    }
    if (part == DEN_PART_GATE_UP)
        return DEN_NOT_FOUND;
    return den_fail(err, DEN_BAD_FILE, "layer %zu: expert %zu has no %s matrix", layer, expert,
                    names[part].gguf);
}
