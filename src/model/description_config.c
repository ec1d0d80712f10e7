/* A description from a Hugging Face folder's config.json. Two generations of that file are read:
 * the older one has rope_theta and rope_scaling at the top, the newer (transformers 5) has
 * rope_parameters, for gemma 3 one for each kind of layer. A model with pictures keeps its language
 * model's keys under text_config. */
#include "model/description.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* A number that must be there unless `fallback` is not 0. */
static void read_size(const json_t *config, const char *key, size_t fallback, size_t *out,
                      struct den_error *err)
{
    int64_t value = (int64_t)fallback;

    if (err->status != DEN_OK)
        return;
    if (den_json_get_integer(config, key, 0, INT32_MAX, &value, err) != DEN_OK)
        return;
    if (value == 0 && fallback == 0)
        den_fail(err, DEN_BAD_FILE, "'%s' is missing or zero", key);
    *out = (size_t)value;
}

static bool read_number(const json_t *config, const char *key, double *out, struct den_error *err)
{
    const json_t *value = json_object_get(config, key);

    if (err->status != DEN_OK || !value || json_is_null(value))
        return false;
    return den_json_get_number(config, key, -1e30, 1e30, out, err) == DEN_OK;
}

static bool read_flag(const json_t *config, const char *key, bool fallback, struct den_error *err)
{
    bool value = fallback;

    if (err->status == DEN_OK)
        den_json_get_bool(config, key, &value, err);
    return value;
}

static void read_sizes(const json_t *config, bool gemma, struct den_description *out,
                       struct den_error *err)
{
    size_t head_default;

    read_size(config, "num_hidden_layers", 0, &out->layers, err);
    read_size(config, "hidden_size", 0, &out->width, err);
    /* gemma 3's files leave out what equals transformers' defaults: 8, 4 and 256 */
    read_size(config, "num_attention_heads", gemma ? 8 : 0, &out->heads, err);
    read_size(config, "num_key_value_heads", gemma ? 4 : out->heads, &out->kv_heads, err);
    head_default = gemma ? 256 : out->heads ? out->width / out->heads : 0;
    read_size(config, "head_dim", head_default, &out->head_width, err);
    if (err->status == DEN_OK && !json_is_integer(json_object_get(config, "head_dim")) && !gemma &&
        out->heads && out->width % out->heads != 0)
        den_fail(err, DEN_BAD_FILE, "hidden_size %zu is not a multiple of %zu attention heads",
                 out->width, out->heads);
    out->value_width = out->head_width;
    read_size(config, "intermediate_size", 0, &out->ffn_width, err);
    read_size(config, "max_position_embeddings", gemma ? 131072 : 0, &out->context_tokens, err);
}

static void read_experts(const json_t *config, struct den_description *out, struct den_error *err)
{
    const char *count =
        json_object_get(config, "num_local_experts") ? "num_local_experts" : "num_experts";
    bool is_qwen = strcmp(out->architecture, "qwen3moe") == 0;

    if (!json_object_get(config, count))
        return;
    read_size(config, count, 0, &out->experts, err);
    read_size(config, "num_experts_per_tok", 0, &out->experts_used, err);
    read_size(config, "moe_intermediate_size", out->ffn_width, &out->expert_width, err);
    /* mixtral always renormalises, qwen3 where it says so */
    out->expert_renormalise = read_flag(config, "norm_topk_prob", !is_qwen, err);
}

/* Which layers of a mixture are dense: those listed, and all but each decoder_sparse_step-th. */
static void read_dense_layers(const json_t *config, struct den_description *out,
                              struct den_error *err)
{
    const json_t *dense = json_object_get(config, "mlp_only_layers");
    size_t step = 1;
    size_t i;

    if (!out->experts)
        return;
    read_size(config, "decoder_sparse_step", 1, &step, err);
    for (i = 0; i < out->layers; i++)
        if (step > 1 && (i + 1) % step != 0)
            out->layer_flags[i] |= DEN_LAYER_DENSE;
    for (i = 0; i < json_array_size(dense); i++) {
        json_int_t layer = json_integer_value(json_array_get(dense, i));

        if (layer >= 0 && (size_t)layer < out->layers)
            out->layer_flags[layer] |= DEN_LAYER_DENSE;
    }
}

/* layer_types lists each layer's kind; older files have a period or a first windowed layer. */
static void read_windows(const json_t *config, const struct den_architecture *architecture,
                         struct den_description *out, struct den_error *err)
{
    const json_t *types = json_object_get(config, "layer_types");
    size_t period = architecture->full_period;
    size_t first = 0;
    size_t layer;
    int64_t window = 0;

    if (err->status != DEN_OK ||
        den_json_get_integer(config, "sliding_window", 0, INT32_MAX, &window, err) != DEN_OK)
        return;
    if (json_object_get(config, "use_sliding_window")) {
        if (!read_flag(config, "use_sliding_window", false, err))
            window = 0;
        if (strcmp(out->architecture, "qwen3moe") != 0)
            read_size(config, "max_window_layers", out->layers, &first, err);
    }
    read_size(config, "sliding_window_pattern", period ? period : SIZE_MAX >> 1, &period, err);
    if (!architecture->full_period)
        period = 0;
    if (json_is_array(types) && json_array_size(types) != out->layers)
        den_fail(err, DEN_BAD_FILE, "'layer_types' has %zu items for %zu layers",
                 json_array_size(types), out->layers);
    out->window = (size_t)window;
    for (layer = 0; layer < out->layers && window > 0; layer++) {
        const char *type = json_string_value(json_array_get(types, layer));
        bool windowed = type ? strcmp(type, "sliding_attention") == 0
                             : layer >= first && (period == 0 || (layer + 1) % period != 0);

        if (windowed)
            out->layer_flags[layer] |= DEN_LAYER_WINDOWED;
    }
}

/* no_rope_layers has a 1 where a layer does use RoPE. */
static void read_rope_layers(const json_t *config, const struct den_architecture *architecture,
                             struct den_description *out, struct den_error *err)
{
    const json_t *uses = json_object_get(config, "no_rope_layers");
    size_t period = architecture->no_rope_period;
    size_t layer;

    if (!period)
        return;
    read_size(config, "no_rope_layer_interval", period, &period, err);
    if (period == 0 || (json_is_array(uses) && json_array_size(uses) < out->layers)) {
        den_fail(err, DEN_BAD_FILE, "'no_rope_layers' must list all %zu layers", out->layers);
        return;
    }
    for (layer = 0; layer < out->layers; layer++)
        if (json_is_array(uses) ? json_integer_value(json_array_get(uses, layer)) == 0
                                : (layer + 1) % period == 0)
            out->layer_flags[layer] |= DEN_LAYER_NO_ROPE;
}

static void read_scaling_kind(const json_t *scaling, struct den_rope_scaling *rope,
                              struct den_error *err)
{
    static const struct {
        const char *text;
        enum den_rope_kind kind;
    } kinds[] = { { "default", DEN_ROPE_NONE },  { "dynamic", DEN_ROPE_NONE },
                  { "linear", DEN_ROPE_LINEAR }, { "llama3", DEN_ROPE_LLAMA3 },
                  { "yarn", DEN_ROPE_YARN },     { "longrope", DEN_ROPE_LONGROPE },
                  { "su", DEN_ROPE_LONGROPE } };
    const char *text = "default";
    size_t i;

    if (json_is_string(json_object_get(scaling, "type")))
        text = json_string_value(json_object_get(scaling, "type"));
    if (json_is_string(json_object_get(scaling, "rope_type")))
        text = json_string_value(json_object_get(scaling, "rope_type"));
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].text, text) == 0) {
            rope->kind = kinds[i].kind;
            return;
        }
    if (err->status == DEN_OK)
        den_fail(err, DEN_UNSUPPORTED,
                 "RoPE scaling '%.64s'; Den knows default, dynamic, linear, llama3, yarn, longrope",
                 text);
}

static void read_magnitude(const json_t *scaling, struct den_rope_scaling *rope,
                           struct den_error *err)
{
    double numerator = 0;
    double denominator = 0;

    if (read_number(scaling, "attention_factor", &rope->magnitude, err))
        return;
    if (rope->kind == DEN_ROPE_YARN && rope->factor > 1 &&
        read_number(scaling, "mscale", &numerator, err) && numerator != 0 &&
        read_number(scaling, "mscale_all_dim", &denominator, err) && denominator != 0)
        rope->magnitude =
            (0.1 * numerator * log(rope->factor) + 1) / (0.1 * denominator * log(rope->factor) + 1);
}

static void read_scaling(const json_t *config, const json_t *scaling, struct den_description *out,
                         struct den_error *err)
{
    struct den_rope_scaling *rope = &out->rope;
    bool has_factor;

    rope->factor = 1;
    rope->low_frequency_factor = 1;
    rope->high_frequency_factor = 4;
    rope->beta_fast = 32;
    rope->beta_slow = 1;
    read_scaling_kind(scaling, rope, err);
    rope->original_context = (double)out->context_tokens;
    read_number(scaling, "original_max_position_embeddings", &rope->original_context, err);
    read_number(config, "original_max_position_embeddings", &rope->original_context, err);
    has_factor = read_number(scaling, "factor", &rope->factor, err);
    if (!has_factor && rope->original_context > 0)
        rope->factor = (double)out->context_tokens / rope->original_context;
    read_number(scaling, "low_freq_factor", &rope->low_frequency_factor, err);
    read_number(scaling, "high_freq_factor", &rope->high_frequency_factor, err);
    read_number(scaling, "beta_fast", &rope->beta_fast, err);
    read_number(scaling, "beta_slow", &rope->beta_slow, err);
    rope->exact_range = !read_flag(scaling, "truncate", true, err);
    read_magnitude(scaling, rope, err);
}

static void read_rope(const json_t *config, struct den_description *out, struct den_error *err)
{
    const json_t *scaling = json_object_get(config, "rope_parameters");
    const json_t *full = json_object_get(scaling, "full_attention");
    bool is_gemma3 = strcmp(out->architecture, "gemma3") == 0;
    double share = 1;

    out->rope_base = is_gemma3 ? 1e6 : strcmp(out->architecture, "smollm3") == 0 ? 2e6 : 1e4;
    out->rope_base_local = is_gemma3 ? 1e4 : 0;
    read_number(json_object_get(scaling, "sliding_attention"), "rope_theta", &out->rope_base_local,
                err);
    read_number(config, "rope_local_base_freq", &out->rope_base_local, err);
    if (full)
        scaling = full;
    else if (!json_is_object(scaling))
        scaling = json_object_get(config, "rope_scaling");
    read_number(config, "rope_theta", &out->rope_base, err);
    read_number(scaling, "rope_theta", &out->rope_base, err);
    read_number(config, "partial_rotary_factor", &share, err);
    read_number(scaling, "partial_rotary_factor", &share, err);
    read_scaling(config, scaling, out, err);
    if (err->status == DEN_OK && !(share > 0 && share <= 1))
        den_fail(err, DEN_BAD_FILE, "'partial_rotary_factor' is %g; it must be in (0, 1]", share);
    else
        out->rotary_width = (size_t)((double)out->head_width * share);
}

static void read_activation(const json_t *config, struct den_description *out,
                            struct den_error *err)
{
    static const struct {
        const char *text;
        enum den_activation activation;
    } known[] = {
        { "silu", DEN_ACTIVATION_SILU },           { "swish", DEN_ACTIVATION_SILU },
        { "gelu", DEN_ACTIVATION_GELU_ERF },       { "gelu_new", DEN_ACTIVATION_GELU_TANH },
        { "gelu_fast", DEN_ACTIVATION_GELU_TANH }, { "gelu_pytorch_tanh", DEN_ACTIVATION_GELU_TANH }
    };
    const char *text = json_string_value(json_object_get(config, "hidden_act"));
    size_t i;

    for (i = 0; text && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].text, text) == 0) {
            out->activation = known[i].activation;
            return;
        }
    if (text && err->status == DEN_OK)
        den_fail(err, DEN_UNSUPPORTED, "activation '%.64s'; Den knows silu and the kinds of gelu",
                 text);
}

static void read_scales(const json_t *config, bool gemma, struct den_description *out,
                        struct den_error *err)
{
    double epsilon = 1e-6;
    double attention_cap = strcmp(out->architecture, "gemma2") == 0 ? 50 : 0;
    double logit_cap = strcmp(out->architecture, "gemma2") == 0 ? 30 : 0;
    double query_scalar = 256;

    read_number(config, "rms_norm_eps", &epsilon, err);
    out->norm_epsilon = (float)epsilon;
    read_number(config, "attn_logit_softcapping", &attention_cap, err);
    read_number(config, "final_logit_softcapping", &logit_cap, err);
    out->attention_softcap = (float)attention_cap;
    out->logit_softcap = (float)logit_cap;
    if (!gemma)
        return;
    read_number(config, "query_pre_attn_scalar", &query_scalar, err);
    if (err->status == DEN_OK && !(query_scalar > 0))
        den_fail(err, DEN_BAD_FILE, "'query_pre_attn_scalar' is %g; it must be positive",
                 query_scalar);
    else
        out->attention_scale = (float)(1 / sqrt(query_scalar));
}

/* The embedding's own size counts: config.json's vocab_size is absent in some files. */
static void read_vocabulary(const struct den_weights *weights, struct den_description *out,
                            struct den_error *err)
{
    static const char *const prefixes[] = { "model.", "language_model.model.",
                                            "model.language_model.", "" };
    size_t i;

    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char name[96];
        const struct den_tensor *embed;

        snprintf(name, sizeof name, "%sembed_tokens.weight", prefixes[i]);
        embed = den_weights_find(weights, name);
        if (embed) {
            out->vocabulary = embed->size[1];
            return;
        }
    }
    if (err->status == DEN_OK)
        den_fail(err, DEN_BAD_FILE, "tensor 'model.embed_tokens.weight' is missing");
}

static void read_name(const struct den_weights *weights, struct den_description *out)
{
    const char *path = den_weights_path(weights);
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(end - start < 127 ? end - start : 127),
             path + start);
}

enum den_status den_description_read_config(const struct den_weights *weights,
                                            const struct den_architecture *architecture,
                                            struct den_description *out, struct den_error *err)
{
    const json_t *config = den_weights_config(weights);
    bool tied = architecture->gemma;

    if (json_is_object(json_object_get(config, "text_config")))
        config = json_object_get(config, "text_config");
    read_name(weights, out);
    read_sizes(config, architecture->gemma, out, err);
    if (err->status == DEN_OK && out->layers > DEN_LAYERS_MAX)
        den_fail(err, DEN_BAD_FILE, "'num_hidden_layers' is %zu; at most %d are read", out->layers,
                 DEN_LAYERS_MAX);
    if (err->status == DEN_OK) {
        read_experts(config, out, err);
        read_dense_layers(config, out, err);
        read_windows(config, architecture, out, err);
        read_rope_layers(config, architecture, out, err);
        read_rope(config, out, err);
        read_activation(config, out, err);
        read_scales(config, architecture->gemma, out, err);
        read_vocabulary(weights, out, err);
    }
    out->tied_embeddings = read_flag(config, "tie_word_embeddings", tied, err) ||
                           !(den_weights_find(weights, "lm_head.weight") ||
                             den_weights_find(weights, "language_model.lm_head.weight"));
    out->attention_bias = den_weights_find(weights, "model.layers.0.self_attn.q_proj.bias") != NULL;
    if (err->status == DEN_INVALID)
        err->status = DEN_BAD_FILE; /* a value of the wrong type is the file's fault here */
    return err->status == DEN_OK ? DEN_OK : den_fail_at(err, "config.json");
}
