/* A description from GGUF keys. Keys are named `ARCHITECTURE.topic.name`, so that "llama.rope.
 * freq_base" and "qwen3.rope.freq_base" mean the same; reader() holds the prefix. What llama.cpp's
 * converter leaves out because its own source code knows it (gemma's query scale, which layers are
 * windowed) is filled in here. Source: github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
#include "model/description.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct reader {
    const struct den_gguf *gguf;
    const char *prefix;
    struct den_error *err; /* its first failure ends all further reading */
};

enum { KEY_BYTES = 128 };

static const char *full_key(const struct reader *reader, const char *key, char out[KEY_BYTES])
{
    snprintf(out, KEY_BYTES, "%s.%s", reader->prefix, key);
    return out;
}

/* True where the key is there and good. A required one that isn't there is a failure. */
static bool read_size(const struct reader *reader, const char *key, bool required, size_t *out)
{
    char full[KEY_BYTES];
    uint64_t value;
    enum den_status status;

    if (reader->err->status != DEN_OK)
        return false;
    status = den_gguf_get_u64(reader->gguf, full_key(reader, key, full), &value, reader->err);
    if (status == DEN_OK)
        *out = (size_t)value;
    else if (status == DEN_NOT_FOUND && required)
        den_fail(reader->err, DEN_BAD_FILE, "key '%s' is missing", full);
    return status == DEN_OK;
}

static bool read_number(const struct reader *reader, const char *key, double *out)
{
    char full[KEY_BYTES];

    if (reader->err->status != DEN_OK)
        return false;
    return den_gguf_get_f64(reader->gguf, full_key(reader, key, full), out, reader->err) == DEN_OK;
}

static void read_float(const struct reader *reader, const char *key, float *out)
{
    double value;

    if (read_number(reader, key, &value))
        *out = (float)value;
}

/* Where no key speaks, the chosen experts' weights add up to 1: mixtral and qwen3. */
static void read_experts(const struct reader *reader, struct den_description *out)
{
    char full[KEY_BYTES];

    read_size(reader, "expert_count", false, &out->experts);
    read_size(reader, "expert_used_count", out->experts > 0, &out->experts_used);
    read_size(reader, "feed_forward_length", out->experts == 0, &out->ffn_width);
    if (out->experts == 0)
        return;
    /* mixtral's files have only feed_forward_length, for the experts' width */
    out->expert_width = out->ffn_width;
    read_size(reader, "expert_feed_forward_length", false, &out->expert_width);
    if (reader->err->status == DEN_OK)
        den_gguf_get_bool(reader->gguf, full_key(reader, "expert_weights_norm", full),
                          &out->expert_renormalise, reader->err);
}

static void read_sizes(const struct reader *reader, struct den_description *out)
{
    const struct den_tensor *embed = den_gguf_find_tensor(reader->gguf, "token_embd.weight");

    read_size(reader, "block_count", true, &out->layers);
    read_size(reader, "embedding_length", true, &out->width);
    read_size(reader, "context_length", true, &out->context_tokens);
    read_size(reader, "attention.head_count", true, &out->heads);
    out->kv_heads = out->heads;
    read_size(reader, "attention.head_count_kv", false, &out->kv_heads);
    out->head_width = out->heads ? out->width / out->heads : 0;
    if (!read_size(reader, "attention.key_length", false, &out->head_width) && out->heads &&
        out->width % out->heads != 0 && reader->err->status == DEN_OK)
        den_fail(reader->err, DEN_BAD_FILE, "width %zu is not a multiple of %zu attention heads",
                 out->width, out->heads);
    out->value_width = out->head_width;
    read_size(reader, "attention.value_length", false, &out->value_width);
    read_experts(reader, out);
    if (embed)
        out->vocabulary = embed->size[1];
    else if (reader->err->status == DEN_OK)
        den_fail(reader->err, DEN_BAD_FILE, "tensor 'token_embd.weight' is missing");
    out->tied_embeddings = !den_gguf_find_tensor(reader->gguf, "output.weight");
    out->attention_bias = den_gguf_find_tensor(reader->gguf, "blk.0.attn_q.bias") ||
                          den_gguf_find_tensor(reader->gguf, "blk.0.attn_qkv.bias");
}

static bool text_is(const struct den_gguf_string *text, const char *wanted)
{
    return text->length == strlen(wanted) && memcmp(text->text, wanted, text->length) == 0;
}

static void read_scaling_kind(const struct reader *reader, struct den_rope_scaling *rope)
{
    char full[KEY_BYTES];
    struct den_gguf_string kind = { "none", 4 };

    if (reader->err->status != DEN_OK ||
        den_gguf_get_string(reader->gguf, full_key(reader, "rope.scaling.type", full), &kind,
                            reader->err) != DEN_OK)
        return;
    if (text_is(&kind, "linear"))
        rope->kind = DEN_ROPE_LINEAR;
    else if (text_is(&kind, "yarn"))
        rope->kind = DEN_ROPE_YARN;
    else if (text_is(&kind, "longrope"))
        rope->kind = DEN_ROPE_LONGROPE;
    else if (!text_is(&kind, "none"))
        den_fail(reader->err, DEN_UNSUPPORTED,
                 "RoPE scaling '%.*s'; Den knows none, linear, yarn and longrope",
                 (int)(kind.length < 64 ? kind.length : 64), kind.text);
}

/* llama 3's scaling is not in the keys: it comes as the tensor rope_freqs.weight (rope.c). */
static void read_rope(const struct reader *reader, struct den_description *out)
{
    struct den_rope_scaling *rope = &out->rope;

    out->rotary_width = out->head_width;
    read_size(reader, "rope.dimension_count", false, &out->rotary_width);
    out->rope_base = 10000;
    read_number(reader, "rope.freq_base", &out->rope_base);
    if (strcmp(out->architecture, "gemma3") == 0)
        out->rope_base_local = 10000;
    read_number(reader, "rope.freq_base_swa", &out->rope_base_local);
    rope->factor = 1;
    read_scaling_kind(reader, rope);
    if (!read_number(reader, "rope.scaling.factor", &rope->factor) &&
        read_number(reader, "rope.scale_linear", &rope->factor))
        rope->kind = DEN_ROPE_LINEAR;
    rope->original_context = (double)out->context_tokens;
    read_number(reader, "rope.scaling.original_context_length", &rope->original_context);
    rope->beta_fast = 32;
    rope->beta_slow = 1;
    read_number(reader, "rope.scaling.yarn_beta_fast", &rope->beta_fast);
    read_number(reader, "rope.scaling.yarn_beta_slow", &rope->beta_slow);
    rope->magnitude = 1;
    read_number(reader, "rope.scaling.attn_factor", &rope->magnitude);
    /* for YaRN the key multiplies the formula instead of replacing it */
    if (rope->kind == DEN_ROPE_YARN && rope->factor > 1)
        rope->magnitude *= 0.1 * log(rope->factor) + 1;
}

/* The period of windowed layers as a number, or one flag a layer. */
static void read_window_pattern(const struct reader *reader, struct den_description *out,
                                size_t period)
{
    char full[KEY_BYTES];
    const struct den_gguf_key *windows;
    enum den_gguf_kind kind;
    size_t length = 0;
    size_t layer;

    full_key(reader, "attention.sliding_window_pattern", full);
    if (reader->err->status != DEN_OK)
        return;
    if (den_gguf_has(reader->gguf, full) &&
        den_gguf_get_array(reader->gguf, full, &kind, &length, reader->err) != DEN_OK) {
        reader->err->status = DEN_OK; /* not an array: then it is the period */
        read_size(reader, "attention.sliding_window_pattern", true, &period);
        length = 0;
    }
    if (length > 0 && length < out->layers) {
        den_fail(reader->err, DEN_BAD_FILE, "'%s' has %zu items for %zu layers", full, length,
                 out->layers);
        return;
    }
    windows = den_gguf_array(reader->gguf, full);
    for (layer = 0; layer < out->layers; layer++) {
        bool windowed = length > 0    ? den_gguf_array_integer(windows, layer) != 0
                        : period == 0 ? true
                                      : (layer + 1) % period != 0;

        if (windowed)
            out->layer_flags[layer] |= DEN_LAYER_WINDOWED;
    }
}

static void read_layers(const struct reader *reader, const struct den_architecture *architecture,
                        struct den_description *out)
{
    size_t layer;

    read_size(reader, "attention.sliding_window", false, &out->window);
    if (reader->err->status != DEN_OK || out->layers > DEN_LAYERS_MAX)
        return;
    if (out->window > 0)
        read_window_pattern(reader, out, architecture->full_period);
    for (layer = 0; layer < out->layers; layer++) {
        char name[DEN_TENSOR_NAME_MAX];

        if (architecture->no_rope_period && (layer + 1) % architecture->no_rope_period == 0)
            out->layer_flags[layer] |= DEN_LAYER_NO_ROPE;
        snprintf(name, sizeof name, "blk.%zu.ffn_gate_inp.weight", layer);
        if (out->experts && !den_gguf_find_tensor(reader->gguf, name))
            out->layer_flags[layer] |= DEN_LAYER_DENSE;
    }
}

/* The largest gemma 2 and 3 (27B) scale queries by width / heads instead of the head's width. No
 * key says so; the count of layers tells them. */
static void read_scales(const struct reader *reader, struct den_description *out)
{
    bool is_gemma2 = strcmp(out->architecture, "gemma2") == 0;
    bool is_gemma3 = strcmp(out->architecture, "gemma3") == 0;

    read_float(reader, "attention.scale", &out->attention_scale);
    if (out->attention_scale <= 0 && out->heads &&
        ((is_gemma2 && out->layers == 46) || (is_gemma3 && out->layers == 62)))
        out->attention_scale = 1.0f / sqrtf((float)out->width / (float)out->heads);
    out->norm_epsilon = -1;
    read_float(reader, "attention.layer_norm_rms_epsilon", &out->norm_epsilon);
    if (is_gemma2) {
        out->attention_softcap = 50;
        out->logit_softcap = 30;
    }
    read_float(reader, "attn_logit_softcapping", &out->attention_softcap);
    read_float(reader, "final_logit_softcapping", &out->logit_softcap);
    read_float(reader, "logit_scale", &out->logit_scale);
}

enum den_status den_description_read_gguf(const struct den_weights *weights,
                                          const struct den_architecture *architecture,
                                          struct den_description *out, struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);
    const struct reader reader = { gguf, architecture->gguf, err };
    struct den_gguf_string name = { "", 0 };

    if (den_gguf_get_string(gguf, "general.name", &name, err) == DEN_BAD_FILE)
        return err->status;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(name.length < 127 ? name.length : 127),
             name.text);
    read_sizes(&reader, out);
    read_rope(&reader, out);
    read_layers(&reader, architecture, out);
    read_scales(&reader, out);
    return err->status;
}
