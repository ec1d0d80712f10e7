/* See worker_request.h. */
#include "worker/worker_request.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A NAN leaves *out as it is. */
static enum den_status set_number(const char *name, double value, double minimum, double maximum,
                                  float *out, struct den_error *err)
{
    if (isnan(value))
        return DEN_OK;
    if (value < minimum || value > maximum)
        return den_fail(err, DEN_INVALID, "'%s' is %g; it must be between %g and %g", name, value,
                        minimum, maximum);
    *out = (float)value;
    return DEN_OK;
}

static enum den_status set_numbers(const struct den_worker_request *request,
                                   struct den_sampler_options *options, struct den_error *err)
{
    const struct {
        const char *name;
        double value, minimum, maximum;
        float *out;
    } fields[] = {
        { "temperature", request->temperature, 0, 100, &options->temperature },
        { "top_p", request->top_p, 0, 1, &options->top_p },
        { "min_p", request->min_p, 0, 1, &options->min_p },
        { "typical_p", request->typical_p, 0, 1, &options->typical_p },
        { "frequency_penalty", request->frequency_penalty, -100, 100, &options->frequency_penalty },
        { "presence_penalty", request->presence_penalty, -100, 100, &options->presence_penalty },
        { "repeat_penalty", request->repeat_penalty, 0.01, 100, &options->repeat_penalty },
        { "top_n_sigma", request->top_n_sigma, -1, 1000, &options->top_n_sigma },
        { "xtc_probability", request->xtc_probability, 0, 1, &options->xtc_probability },
        { "xtc_threshold", request->xtc_threshold, 0, 1, &options->xtc_threshold },
        { "dry_multiplier", request->dry_multiplier, 0, 100, &options->dry_multiplier },
        { "dry_base", request->dry_base, 1, 100, &options->dry_base },
    };
    size_t i;

    for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (set_number(fields[i].name, fields[i].value, fields[i].minimum, fields[i].maximum,
                       fields[i].out, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* A key of logit_bias: a token id in decimal, nothing else. */
static bool read_token(const char *text, size_t vocabulary, den_token *out_token)
{
    char *end;
    unsigned long long number;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number >= vocabulary)
        return false;
    *out_token = (den_token)number;
    return true;
}

static enum den_status set_bias(const json_t *object, size_t vocabulary,
                                struct den_sampler_options *options, struct den_error *err)
{
    struct den_logit_bias *items;
    const char *key;
    json_t *value;
    size_t count = 0;

    if (!object || json_is_null(object))
        return DEN_OK;
    if (!json_is_object(object))
        return den_fail(err, DEN_INVALID,
                        "'logit_bias' must be an object of token ids and numbers");
    if (json_object_size(object) == 0)
        return DEN_OK;
    items = calloc(json_object_size(object), sizeof *items);
    if (!items)
        return den_fail(err, DEN_NO_MEMORY, "'logit_bias': out of memory");
    json_object_foreach((json_t *)object, key, value)
    {
        double bias = json_number_value(value);

        if (!read_token(key, vocabulary, &items[count].token)) {
            den_fail(err, DEN_INVALID,
                     "'logit_bias' has the key '%.40s'; keys are token ids from 0 to %zu", key,
                     vocabulary - 1);
            goto fail;
        }
        if (!json_is_number(value) || !(bias >= -100 && bias <= 100)) {
            den_fail(err, DEN_INVALID,
                     "'logit_bias' of token %s must be a number between -100 and 100", key);
            goto fail;
        }
        items[count++].bias = (float)bias;
    }
    options->logit_bias = items;
    options->logit_bias_count = count;
    return DEN_OK;
fail:
    free(items);
    return err->status;
}

enum den_status den_worker_sampler(const struct den_worker_request *request, size_t vocabulary,
                                   struct den_sampler_options *out, struct den_error *err)
{
    struct den_sampler_options options = den_sampler_defaults();

    if (request->preset && den_sampler_apply_preset(&options, request->preset, err) != DEN_OK)
        return err->status;
    if (set_numbers(request, &options, err) != DEN_OK)
        return err->status;
    if (request->top_k != -1) {
        if (request->top_k < 0 || request->top_k > DEN_VOCABULARY_MAX)
            return den_fail(err, DEN_INVALID, "'top_k' is %lld; it must be between 0 and %d",
                            (long long)request->top_k, DEN_VOCABULARY_MAX);
        options.top_k = (int)request->top_k;
    }
    if (request->repeat_last_n != INT64_MIN) {
        if (request->repeat_last_n < -1 || request->repeat_last_n > DEN_CONTEXT_TOKENS_MAX)
            return den_fail(err, DEN_INVALID,
                            "'repeat_last_n' is %lld; it must be between -1 (all) and %d",
                            (long long)request->repeat_last_n, DEN_CONTEXT_TOKENS_MAX);
        options.penalty_last_n = (int)request->repeat_last_n;
    }
    if (request->seed >= 0)
        options.seed = (uint64_t)request->seed;
    if (set_bias(request->logit_bias, vocabulary, &options, err) != DEN_OK)
        return err->status;
    *out = options;
    return DEN_OK;
}

enum den_status den_worker_check(const struct den_worker_request *request, struct den_error *err)
{
    int prompts =
        (request->messages != NULL) + (request->prompt != NULL) + (request->prompt_tokens != NULL);
    size_t i;

    if (prompts != 1)
        return den_fail(err, DEN_INVALID,
                        "a request has either messages, or a prompt, or a prompt's tokens");
    if (request->schema && request->grammar)
        return den_fail(err, DEN_INVALID, "a request has either a schema or a grammar");
    if (request->max_tokens < -1 || request->max_tokens == 0)
        return den_fail(err, DEN_INVALID, "'max_tokens' is %lld; it must be at least 1",
                        (long long)request->max_tokens);
    if (request->logprobs < -1 || request->logprobs > DEN_LOGPROBS_MAX)
        return den_fail(err, DEN_INVALID, "'top_logprobs' is %d; it must be between 0 and %d",
                        request->logprobs, DEN_LOGPROBS_MAX);
    if (request->stop_count > DEN_STOP_STRINGS_MAX)
        return den_fail(err, DEN_INVALID, "'stop' has %zu strings; at most %d are possible",
                        request->stop_count, DEN_STOP_STRINGS_MAX);
    for (i = 0; i < request->stop_count; i++) {
        size_t length = strlen(request->stops[i]);

        if (length == 0 || length > DEN_STOP_STRING_BYTES_MAX)
            return den_fail(err, DEN_INVALID,
                            "'stop' string %zu has %zu bytes; it must have between 1 and %d", i,
                            length, DEN_STOP_STRING_BYTES_MAX);
    }
    return DEN_OK;
}
