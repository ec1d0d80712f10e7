/* See rope.h. Position p turns pair i by p * base^(-2i / width). Models trained on short contexts
 * are stretched by slowing the turning: all pairs alike (linear), only the slow ones (llama3:
 * Meta's llama-models, apply_scaling; YaRN: arXiv 2309.00071), or each by a factor that was
 * searched for (longrope: arXiv 2402.13753). YaRN and longrope also enlarge cos and sin, which
 * sharpens the attention. All of it is done once, at load time, in double precision. */
#include "model/rope.h"

#include <math.h>
#include <string.h>

#include "base/json.h"

static const double two_pi = 6.283185307179586;

static void scale_llama3(const struct den_rope_scaling *rope, double *frequency, size_t count)
{
    double low_wavelength = rope->original_context / rope->low_frequency_factor;
    double high_wavelength = rope->original_context / rope->high_frequency_factor;
    size_t i;

    for (i = 0; i < count; i++) {
        double wavelength = two_pi / frequency[i];
        double smooth;

        if (wavelength < high_wavelength)
            continue;
        smooth = (rope->original_context / wavelength - rope->low_frequency_factor) /
                 (rope->high_frequency_factor - rope->low_frequency_factor);
        if (wavelength > low_wavelength)
            smooth = 0;
        frequency[i] *= (1 - smooth) / rope->factor + smooth;
    }
}

/* The (fractional) pair that makes `rotations` full turns over the original context. */
static double yarn_pair(const struct den_description *d, double rotations)
{
    return (double)d->rotary_width * log(d->rope.original_context / (rotations * two_pi)) /
           (2 * log(d->rope_base));
}

static void scale_yarn(const struct den_description *d, double *frequency, size_t count)
{
    double low = yarn_pair(d, d->rope.beta_fast);
    double high = yarn_pair(d, d->rope.beta_slow);
    size_t i;

    if (!d->rope.exact_range) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, (double)d->rotary_width - 1);
    if (high == low)
        high += 0.001;
    for (i = 0; i < count; i++) {
        double ramp = fmin(fmax(((double)i - low) / (high - low), 0), 1);

        frequency[i] *= ramp / d->rope.factor + (1 - ramp);
    }
}

/* Divides by the factors of a GGUF tensor (f32, one a pair). */
static enum den_status divide_by_tensor(const struct den_tensor *tensor, double *frequency,
                                        size_t count, struct den_error *err)
{
    const float *factors = tensor->data;
    size_t i;

    if (tensor->type != DEN_TYPE_F32 || den_tensor_elements(tensor) != count)
        return den_fail(err, DEN_BAD_FILE, "tensor '%s' must hold %zu values of type F32",
                        tensor->name, count);
    for (i = 0; i < count; i++) {
        float factor;

        memcpy(&factor, &factors[i], sizeof factor);
        if (!(factor > 0) || !isfinite(factor))
            return den_fail(err, DEN_BAD_FILE, "tensor '%s' holds %g; factors are positive",
                            tensor->name, (double)factor);
        frequency[i] /= (double)factor;
    }
    return DEN_OK;
}

static const json_t *config_factors(const json_t *config, const char *key)
{
    const json_t *found = json_object_get(json_object_get(config, "rope_parameters"), key);

    return found ? found : json_object_get(json_object_get(config, "rope_scaling"), key);
}

static enum den_status scale_longrope(const struct den_weights *weights, bool is_long,
                                      double *frequency, size_t count, struct den_error *err)
{
    const char *tensor_name = is_long ? "rope_factors_long.weight" : "rope_factors_short.weight";
    const char *key = is_long ? "long_factor" : "short_factor";
    const json_t *factors;
    size_t i;

    if (den_weights_gguf(weights)) {
        const struct den_tensor *tensor = den_weights_find(weights, tensor_name);

        if (!tensor)
            return den_fail(err, DEN_BAD_FILE, "longrope's tensor '%s' is missing", tensor_name);
        return divide_by_tensor(tensor, frequency, count, err);
    }
    factors = config_factors(den_weights_config(weights), key);
    if (json_array_size(factors) != count)
        return den_fail(err, DEN_BAD_FILE, "config.json: longrope's '%s' has %zu items, not %zu",
                        key, json_array_size(factors), count);
    for (i = 0; i < count; i++) {
        double factor = json_number_value(json_array_get(factors, i));

        if (!(factor > 0))
            return den_fail(err, DEN_BAD_FILE, "config.json: '%s' holds %g; factors are positive",
                            key, factor);
        frequency[i] /= factor;
    }
    return DEN_OK;
}

static double magnitude(const struct den_rope_scaling *rope)
{
    if (rope->magnitude > 0)
        return rope->magnitude;
    if (rope->kind == DEN_ROPE_YARN && rope->factor > 1)
        return 0.1 * log(rope->factor) + 1;
    if (rope->kind == DEN_ROPE_LONGROPE && rope->factor > 1)
        return sqrt(1 + log(rope->factor) / log(rope->original_context));
    return 1;
}

static enum den_status scale(const struct den_weights *weights, const struct den_description *d,
                             size_t context_tokens, double *frequency, struct den_error *err)
{
    const struct den_tensor *divisors =
        den_weights_gguf(weights) ? den_weights_find(weights, "rope_freqs.weight") : NULL;
    size_t count = d->rotary_width / 2;
    size_t i;

    switch (d->rope.kind) {
    case DEN_ROPE_NONE:
        break;
    case DEN_ROPE_LINEAR:
        for (i = 0; i < count; i++)
            frequency[i] /= d->rope.factor;
        break;
    case DEN_ROPE_LLAMA3:
        scale_llama3(&d->rope, frequency, count);
        break;
    case DEN_ROPE_YARN:
        scale_yarn(d, frequency, count);
        break;
    case DEN_ROPE_LONGROPE:
        if (scale_longrope(weights, (double)context_tokens > d->rope.original_context, frequency,
                           count, err) != DEN_OK)
            return err->status;
        break;
    }
    return divisors ? divide_by_tensor(divisors, frequency, count, err) : DEN_OK;
}

enum den_status den_rope_frequencies_make(const struct den_weights *weights,
                                          const struct den_description *description,
                                          size_t context_tokens, bool local,
                                          struct den_rope_frequencies *out, struct den_error *err)
{
    bool is_local = local && description->rope_base_local > 0;
    double base = is_local ? description->rope_base_local : description->rope_base;
    double frequency[DEN_HEAD_WIDTH_MAX / 2];
    size_t count = description->rotary_width / 2;
    size_t i;

    for (i = 0; i < count; i++)
        frequency[i] = pow(base, -2.0 * (double)i / (double)description->rotary_width);
    if (!is_local && scale(weights, description, context_tokens, frequency, err) != DEN_OK)
        return den_fail_at(err, "model: %s", den_weights_path(weights));
    for (i = 0; i < count; i++)
        out->inverse_frequency[i] = (float)frequency[i];
    out->magnitude = is_local || description->rope.kind == DEN_ROPE_NONE
                         ? 1
                         : (float)magnitude(&description->rope);
    return DEN_OK;
}
