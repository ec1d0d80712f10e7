/* See description.h. The table of architectures, the choice between the two forms of a model, and
 * the checks that both must pass. */
#include "model/description.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* In a GGUF file llama's own family has its query and key rows permuted, so that RoPE turns
 * neighbours (2i, 2i + 1); all others, and every Hugging Face folder, turn (i, i + half). */
static const struct den_architecture architectures[] = {
    { .gguf = "llama", .config = "llama", .rope_interleaved = true },
    { .gguf = "llama", .config = "mistral", .rope_interleaved = true },
    { .gguf = "llama", .config = "mixtral", .rope_interleaved = true },
    { .gguf = "smollm3", .config = "smollm3", .rope_interleaved = true, .no_rope_period = 4 },
    { .gguf = "qwen2", .config = "qwen2" },
    { .gguf = "qwen3", .config = "qwen3", .head_norms = true },
    { .gguf = "qwen3moe", .config = "qwen3_moe", .head_norms = true },
    { .gguf = "gemma2", .config = "gemma2", .gemma = true, .post_norms = true, .full_period = 2 },
    { .gguf = "gemma3",
      .config = "gemma3_text",
      .gemma = true,
      .post_norms = true,
      .head_norms = true,
      .full_period = 6 },
    { .gguf = "gemma3",
      .config = "gemma3",
      .gemma = true,
      .post_norms = true,
      .head_norms = true,
      .full_period = 6 },
    { .gguf = "phi3", .config = "phi3" },
};

enum { ARCHITECTURES = sizeof architectures / sizeof architectures[0] };

static const char *name_of(const struct den_architecture *architecture, bool gguf)
{
    return gguf ? architecture->gguf : architecture->config;
}

static const struct den_architecture *find_architecture(bool gguf, const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < ARCHITECTURES; i++) {
        const char *known = name_of(&architectures[i], gguf);

        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &architectures[i];
    }
    return NULL;
}

static enum den_status unknown_architecture(const struct den_weights *weights, bool gguf,
                                            const char *name, size_t length, struct den_error *err)
{
    char known[256] = "";
    size_t used = 0;
    size_t i;

    for (i = 0; i < ARCHITECTURES; i++) {
        const char *next = name_of(&architectures[i], gguf);
        int wrote;

        if (i > 0 && strcmp(next, name_of(&architectures[i - 1], gguf)) == 0)
            continue;
        wrote = snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", next);
        if (wrote < 0 || (size_t)wrote >= sizeof known - used)
            break;
        used += (size_t)wrote;
    }
    return den_fail(err, DEN_UNSUPPORTED,
                    "model: %s: architecture '%.*s' is not one that Den runs; these are: %s",
                    den_weights_path(weights), (int)(length < 64 ? length : 64), name, known);
}

/* The architecture's name: general.architecture, or model_type of config.json. */
static enum den_status read_architecture(const struct den_weights *weights,
                                         const struct den_architecture **out, struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);
    struct den_gguf_string name = { "", 0 };

    if (gguf) {
        enum den_status status = den_gguf_get_string(gguf, "general.architecture", &name, err);

        if (status == DEN_NOT_FOUND)
            return den_fail(err, DEN_BAD_FILE, "model: %s: key 'general.architecture' is missing",
                            den_weights_path(weights));
        if (status != DEN_OK)
            return status;
    } else {
        const json_t *type = json_object_get(den_weights_config(weights), "model_type");

        if (!json_is_string(type))
            return den_fail(err, DEN_BAD_FILE,
                            "model: %s: config.json has no 'model_type' (a text)",
                            den_weights_path(weights));
        name.text = json_string_value(type);
        name.length = json_string_length(type);
    }
    *out = find_architecture(gguf != NULL, name.text, name.length);
    if (!*out)
        return unknown_architecture(weights, gguf != NULL, name.text, name.length, err);
    return DEN_OK;
}

static size_t count_parameters(const struct den_weights *weights)
{
    size_t total = 0;
    size_t i;

    for (i = 0; i < den_weights_tensor_count(weights); i++)
        total += den_tensor_elements(den_weights_tensor(weights, i));
    return total;
}

/* What follows from the architecture and the sizes read; each form has filled the rest. */
static void derive(const struct den_architecture *architecture, struct den_description *out)
{
    if (architecture->gemma) {
        out->activation = DEN_ACTIVATION_GELU_TANH;
        out->embed_scale = sqrtf((float)out->width);
    }
    if (out->attention_scale <= 0)
        out->attention_scale = 1.0f / sqrtf((float)out->head_width);
}

enum den_status den_description_read(const struct den_weights *weights, struct den_description *out,
                                     struct den_error *err)
{
    const struct den_architecture *architecture = NULL;
    struct den_description made = { .embed_scale = 1,
                                    .logit_scale = 1,
                                    .activation = DEN_ACTIVATION_SILU,
                                    .expert_renormalise = true };
    bool gguf = den_weights_gguf(weights) != NULL;

    if (read_architecture(weights, &architecture, err) != DEN_OK)
        return err->status;
    snprintf(made.architecture, sizeof made.architecture, "%s", architecture->gguf);
    made.rope_interleaved = gguf && architecture->rope_interleaved;
    made.norm_plus_one = !gguf && architecture->gemma;
    made.post_norms = architecture->post_norms;
    made.head_norms = architecture->head_norms;
    if ((gguf ? den_description_read_gguf(weights, architecture, &made, err)
              : den_description_read_config(weights, architecture, &made, err)) != DEN_OK)
        return den_fail_at(err, "model: %s", den_weights_path(weights));
    made.parameters = count_parameters(weights);
    if (den_description_check(&made, err) != DEN_OK)
        return den_fail_at(err, "model: %s", den_weights_path(weights));
    derive(architecture, &made);
    *out = made;
    return DEN_OK;
}

struct bound {
    const char *what;
    size_t value;
    size_t minimum;
    size_t maximum;
};

static enum den_status check_bounds(const struct den_description *d, struct den_error *err)
{
    const struct bound bounds[] = {
        { "layers", d->layers, 1, DEN_LAYERS_MAX },
        { "width", d->width, 1, DEN_WIDTH_MAX },
        { "attention heads", d->heads, 1, DEN_HEADS_MAX },
        { "key/value heads", d->kv_heads, 1, DEN_HEADS_MAX },
        { "head width", d->head_width, 2, DEN_HEAD_WIDTH_MAX },
        { "value width", d->value_width, 1, DEN_HEAD_WIDTH_MAX },
        { "feed-forward width", d->ffn_width, d->experts ? 0 : 1, DEN_WIDTH_MAX },
        { "vocabulary", d->vocabulary, 1, DEN_VOCABULARY_MAX },
        { "context tokens", d->context_tokens, 1, DEN_CONTEXT_TOKENS_MAX },
        { "RoPE width", d->rotary_width, 0, d->head_width },
        { "experts", d->experts, 0, DEN_EXPERTS_MAX },
        { "experts used for a token", d->experts_used, d->experts ? 1 : 0, d->experts },
        { "expert width", d->expert_width, d->experts ? 1 : 0, DEN_WIDTH_MAX },
        { "attention window", d->window, 0, DEN_CONTEXT_TOKENS_MAX },
    };
    size_t i;

    for (i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (bounds[i].value < bounds[i].minimum || bounds[i].value > bounds[i].maximum)
            return den_fail(err, DEN_BAD_FILE, "%s: %zu; it must be between %zu and %zu",
                            bounds[i].what, bounds[i].value, bounds[i].minimum, bounds[i].maximum);
    return DEN_OK;
}

static bool is_within(double value, double minimum, double maximum)
{
    return value >= minimum && value <= maximum; /* false for NaN */
}

static enum den_status check_rope(const struct den_description *d, struct den_error *err)
{
    const struct den_rope_scaling *rope = &d->rope;

    if (!is_within(d->rope_base, 1, 1e12) ||
        (d->rope_base_local != 0 && !is_within(d->rope_base_local, 1, 1e12)))
        return den_fail(err, DEN_BAD_FILE, "RoPE base: %g; it must be between 1 and 1e12",
                        is_within(d->rope_base, 1, 1e12) ? d->rope_base_local : d->rope_base);
    if (rope->kind == DEN_ROPE_NONE)
        return DEN_OK;
    if (!is_within(rope->factor, 1e-3, 1e6))
        return den_fail(err, DEN_BAD_FILE, "RoPE scaling factor: %g; it must be positive",
                        rope->factor);
    if (rope->kind != DEN_ROPE_LINEAR &&
        !is_within(rope->original_context, 2, DEN_CONTEXT_TOKENS_MAX))
        return den_fail(err, DEN_BAD_FILE,
                        "RoPE scaling: the original context is %g tokens; it must be 2 to %d",
                        rope->original_context, DEN_CONTEXT_TOKENS_MAX);
    if (rope->kind == DEN_ROPE_LLAMA3 &&
        !(is_within(rope->low_frequency_factor, 1e-6, 1e6) &&
          rope->high_frequency_factor > rope->low_frequency_factor))
        return den_fail(err, DEN_BAD_FILE,
                        "RoPE scaling: low and high frequency factors are %g and %g; they must "
                        "be positive and rising",
                        rope->low_frequency_factor, rope->high_frequency_factor);
    if (rope->kind == DEN_ROPE_YARN &&
        !(is_within(rope->beta_fast, 1e-6, 1e6) && is_within(rope->beta_slow, 1e-6, 1e6)))
        return den_fail(err, DEN_BAD_FILE, "RoPE scaling: YaRN's betas are %g and %g",
                        rope->beta_fast, rope->beta_slow);
    if (!is_within(rope->magnitude, 0, 1e3))
        return den_fail(err, DEN_BAD_FILE, "RoPE scaling: attention factor %g", rope->magnitude);
    return DEN_OK;
}

enum den_status den_description_check(const struct den_description *d, struct den_error *err)
{
    if (check_bounds(d, err) != DEN_OK)
        return err->status;
    if (d->kv_heads > d->heads || d->heads % d->kv_heads != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "%zu attention heads can't share %zu key/value heads evenly", d->heads,
                        d->kv_heads);
    if (d->rotary_width % 2 != 0)
        return den_fail(err, DEN_BAD_FILE, "RoPE width: %zu; it must be even", d->rotary_width);
    if (!is_within(d->norm_epsilon, 0, 1))
        return den_fail(err, DEN_BAD_FILE, "norm epsilon: %g; it must be between 0 and 1",
                        (double)d->norm_epsilon);
    if (!is_within(d->attention_scale, 0, 1e6) || !is_within(d->attention_softcap, 0, 1e6) ||
        !is_within(d->logit_softcap, 0, 1e6) || !isfinite(d->logit_scale))
        return den_fail(err, DEN_BAD_FILE,
                        "attention scale %g, soft caps %g and %g, logit scale %g: each must be a "
                        "number, not negative, of reasonable size",
                        (double)d->attention_scale, (double)d->attention_softcap,
                        (double)d->logit_softcap, (double)d->logit_scale);
    return check_rope(d, err);
}

size_t den_description_window(const struct den_description *description, size_t layer)
{
    return description->layer_flags[layer] & DEN_LAYER_WINDOWED ? description->window : 0;
}
