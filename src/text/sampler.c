/* See sampler.h. A draw has a dense half over the vocabulary (copy, logit bias, penalties, DRY, top
 * n sigma, top-k) and a sparse half over the candidates that are left (typical, top-p, min-p, XTC,
 * temperature, the draw). Everything that a draw needs is allocated when the sampler is created;
 * only den_sampler_accept() may grow the history. */
#include "text/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/sampler_core.h"
#include "text/sampler_history.h"
#include "text/sampler_math.h"
#include "text/sampler_select.h"

struct den_sampler {
    struct den_sampler_options options; /* logit_bias points to our copy */
    struct den_logit_bias *bias;
    struct den_random random;
    struct den_history history;
    struct den_candidates candidates;
    size_t vocabulary;
    size_t padded; /* vocabulary rounded up to whole blocks */
    float *logits; /* (padded), the working copy */
};

static const struct preset {
    const char *name;
    float temperature;
    float top_p; /* negative: untouched */
} presets[] = {
    { "creative", 0.7f, 0.95f },
    { "factual", 0.7f, 0.85f },
    { "classify", 0.1f, -1 },
};

struct den_sampler_options den_sampler_defaults(void)
{
    return (struct den_sampler_options){
        .seed = DEN_SEED_RANDOM,
        .temperature = 0.8f,
        .top_k = 40,
        .top_p = 0.95f,
        .min_p = 0.05f,
        .typical_p = 1.0f,
        .top_n_sigma = -1.0f,
        .xtc_probability = 0.0f,
        .xtc_threshold = 0.1f,
        .penalty_last_n = 64,
        .repeat_penalty = 1.0f,
        .dry_base = 1.75f,
        .dry_allowed_length = 2,
        .dry_penalty_last_n = -1,
    };
}

enum den_status den_sampler_apply_preset(struct den_sampler_options *options, const char *preset,
                                         struct den_error *err)
{
    size_t i;

    for (i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(presets[i].name, preset) != 0)
            continue;
        options->temperature = presets[i].temperature;
        if (presets[i].top_p >= 0)
            options->top_p = presets[i].top_p;
        return DEN_OK;
    }
    return den_fail(err, DEN_INVALID,
                    "preset '%.64s' is unknown; there are 'creative', 'factual' and 'classify'",
                    preset);
}

static enum den_status check_range(const char *name, double value, double minimum, double maximum,
                                   struct den_error *err)
{
    if (value >= minimum && value <= maximum) /* false for NaN */
        return DEN_OK;
    return den_fail(err, DEN_INVALID, "sampler: %s is %g; it must be between %g and %g", name,
                    value, minimum, maximum);
}

static enum den_status check_options(const struct den_sampler_options *options, size_t vocabulary,
                                     struct den_error *err)
{
    const struct {
        const char *name;
        double value, minimum, maximum;
    } ranges[] = {
        { "temperature", options->temperature, -1e6, 1e6 },
        { "top_k", options->top_k, 0, INT32_MAX },
        { "top_p", options->top_p, 0, 1e6 },
        { "min_p", options->min_p, 0, 1 },
        { "typical_p", options->typical_p, 0, 1e6 },
        { "top_n_sigma", options->top_n_sigma, -1e6, 1e6 },
        { "xtc_probability", options->xtc_probability, 0, 1 },
        { "xtc_threshold", options->xtc_threshold, 0, 1 },
        { "penalty_last_n", options->penalty_last_n, -1, INT32_MAX },
        { "repeat_penalty", options->repeat_penalty, 1e-6, 1e6 },
        { "frequency_penalty", options->frequency_penalty, -1e6, 1e6 },
        { "presence_penalty", options->presence_penalty, -1e6, 1e6 },
        { "dry_multiplier", options->dry_multiplier, 0, 1e6 },
        { "dry_base", options->dry_base, 1, 1e6 },
        { "dry_allowed_length", options->dry_allowed_length, 0, INT32_MAX },
        { "dry_penalty_last_n", options->dry_penalty_last_n, -1, INT32_MAX },
        { "min_keep", options->min_keep, 0, INT32_MAX },
    };
    size_t i;

    for (i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (check_range(ranges[i].name, ranges[i].value, ranges[i].minimum, ranges[i].maximum,
                        err) != DEN_OK)
            return err->status;
    for (i = 0; i < options->logit_bias_count; i++) {
        const struct den_logit_bias *bias = &options->logit_bias[i];

        if (bias->token < 0 || (size_t)bias->token >= vocabulary)
            return den_fail(err, DEN_INVALID,
                            "sampler: logit bias for token %d, but the vocabulary ends at %zu",
                            bias->token, vocabulary - 1);
        if (isnan(bias->bias))
            return den_fail(err, DEN_INVALID, "sampler: logit bias of token %d is not a number",
                            bias->token);
    }
    return DEN_OK;
}

static enum den_status copy_bias(struct den_sampler *sampler, struct den_error *err)
{
    size_t count = sampler->options.logit_bias_count;

    if (count == 0)
        return DEN_OK;
    sampler->bias = calloc(count, sizeof *sampler->bias);
    if (!sampler->bias)
        return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for %zu logit biases", count);
    memcpy(sampler->bias, sampler->options.logit_bias, count * sizeof *sampler->bias);
    sampler->options.logit_bias = sampler->bias;
    return DEN_OK;
}

/* A greedy sampler draws nothing and so needs no candidates. */
static bool is_greedy(const struct den_sampler *sampler)
{
    return sampler->options.temperature <= 0;
}

static enum den_status allocate(struct den_sampler *sampler, struct den_error *err)
{
    size_t blocks = (sampler->vocabulary + DEN_SELECT_BLOCK - 1) / DEN_SELECT_BLOCK;
    size_t i;

    sampler->padded = blocks * DEN_SELECT_BLOCK;
    sampler->logits = calloc(sampler->padded, sizeof *sampler->logits);
    if (!is_greedy(sampler))
        sampler->candidates.items =
            calloc(den_select_capacity(&sampler->options, sampler->vocabulary),
                   sizeof *sampler->candidates.items);
    if (!sampler->logits || (!is_greedy(sampler) && !sampler->candidates.items))
        return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for a vocabulary of %zu",
                        sampler->vocabulary);
    for (i = sampler->vocabulary; i < sampler->padded; i++)
        sampler->logits[i] = -INFINITY;
    return DEN_OK;
}

enum den_status den_sampler_create_core(const struct den_sampler_options *options,
                                        size_t vocabulary, const uint8_t *breakers,
                                        struct den_sampler **out, struct den_error *err)
{
    struct den_sampler *sampler;

    if (vocabulary == 0 || vocabulary > DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_INVALID, "sampler: a vocabulary of %zu; 1 to %d is possible",
                        vocabulary, DEN_VOCABULARY_MAX);
    if (check_options(options, vocabulary, err) != DEN_OK)
        return err->status;
    sampler = calloc(1, sizeof *sampler);
    if (!sampler)
        return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory");
    sampler->options = *options;
    sampler->vocabulary = vocabulary;
    if (copy_bias(sampler, err) != DEN_OK || allocate(sampler, err) != DEN_OK ||
        den_history_init(&sampler->history, options, vocabulary, breakers, err) != DEN_OK)
        goto fail;
    if (options->seed == DEN_SEED_RANDOM && den_random_seed(&sampler->options.seed, err) != DEN_OK)
        goto fail;
    den_random_init(&sampler->random, sampler->options.seed);
    *out = sampler;
    return DEN_OK;
fail:
    den_sampler_destroy(sampler);
    return err->status;
}

void den_sampler_destroy(struct den_sampler *sampler)
{
    if (!sampler)
        return;
    den_history_deinit(&sampler->history);
    free(sampler->candidates.items);
    free(sampler->logits);
    free(sampler->bias);
    free(sampler);
}

uint64_t den_sampler_seed(const struct den_sampler *sampler)
{
    return sampler->options.seed;
}

uint64_t den_sampler_drawn(const struct den_sampler *sampler)
{
    return sampler->random.drawn;
}

void den_sampler_skip(struct den_sampler *sampler, uint64_t count)
{
    den_random_skip(&sampler->random, count);
}

enum den_status den_sampler_accept(struct den_sampler *sampler, den_token token,
                                   struct den_error *err)
{
    return den_history_accept(&sampler->history, token, err);
}

const struct den_candidates *den_sampler_candidates(const struct den_sampler *sampler)
{
    return &sampler->candidates;
}

/* Most words of a real mask allow all or nothing. */
static void apply_mask(float *logits, size_t vocabulary, const uint32_t *mask)
{
    size_t start, i;

    for (start = 0; start < vocabulary; start += 32) {
        uint32_t word = mask[start / 32];
        size_t count = vocabulary - start < 32 ? vocabulary - start : 32;

        if (word == UINT32_MAX)
            continue;
        for (i = 0; i < count; i++)
            logits[start + i] = word >> i & 1 ? logits[start + i] : -INFINITY;
    }
}

/* What may have become NaN on the way (an infinite bias on an infinite logit) is masked again. */
static void adjust(struct den_sampler *sampler, const float *logits)
{
    size_t i;

    den_values_copy_clean(sampler->logits, logits, sampler->vocabulary);
    for (i = 0; i < sampler->options.logit_bias_count; i++)
        sampler->logits[sampler->bias[i].token] += sampler->bias[i].bias;
    den_history_apply(&sampler->history, sampler->logits);
    if (sampler->options.logit_bias_count > 0 || sampler->history.window > 0 ||
        sampler->history.dry_window > 0)
        den_values_copy_clean(sampler->logits, sampler->logits, sampler->vocabulary);
}

den_token den_sampler_sample(struct den_sampler *sampler, const float *logits)
{
    return den_sampler_sample_masked(sampler, logits, NULL);
}

den_token den_sampler_sample_masked(struct den_sampler *sampler, const float *logits,
                                    const uint32_t *mask)
{
    const struct den_sampler_options *options = &sampler->options;
    struct den_candidates *candidates = &sampler->candidates;
    size_t min_keep = (size_t)options->min_keep;

    adjust(sampler, logits);
    if (mask)
        apply_mask(sampler->logits, sampler->vocabulary, mask);
    if (is_greedy(sampler))
        return den_select_greedy(sampler->logits, sampler->padded);
    den_select_gather(options, sampler->logits, sampler->padded, candidates);
    if (candidates->count == 0)
        return DEN_TOKEN_NONE;
    if (options->typical_p < 1)
        den_select_typical(candidates, options->typical_p, min_keep);
    if (options->top_p < 1)
        den_select_top_p(candidates, options->top_p, min_keep);
    if (options->min_p > 0)
        den_select_min_p(candidates, options->min_p, min_keep);
    if (options->xtc_probability > 0 && options->xtc_threshold <= 0.5f && candidates->count > 1 &&
        den_random_uniform(&sampler->random) <= options->xtc_probability)
        den_select_xtc(candidates, options->xtc_threshold, min_keep);
    return den_select_draw(candidates, options->temperature, &sampler->random);
}
