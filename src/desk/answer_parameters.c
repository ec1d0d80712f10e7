/* See answer_parameters.h. */
#include "desk/answer_parameters.h"

#include <math.h>
#include <string.h>

#include "base/json.h"

static enum den_status check_names(const json_t *parameters, struct den_error *err)
{
    static const char *const known[] = { "preset", "temperature",     "top_p",
                                         "top_k",  "min_p",           "max_tokens",
                                         "seed",   "repeat_penalty",  "frequency_penalty",
                                         "stop",   "presence_penalty" };
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)parameters, name, value)
    {
        for (i = 0; i < sizeof known / sizeof known[0]; i++)
            if (strcmp(known[i], name) == 0)
                break;
        if (i == sizeof known / sizeof known[0])
            return den_fail(err, DEN_INVALID, "'parameters' has no field '%.64s'", name);
    }
    return DEN_OK;
}

static enum den_status read_stops(const json_t *parameters, struct den_worker_request *request,
                                  const char **stops, struct den_error *err)
{
    const json_t *list = json_object_get(parameters, "stop");
    size_t i;

    if (!list || json_is_null(list))
        return DEN_OK;
    if (!json_is_array(list) || json_array_size(list) > DEN_STOP_STRINGS_MAX)
        return den_fail(err, DEN_INVALID, "'stop' must be a list of at most %d strings",
                        DEN_STOP_STRINGS_MAX);
    for (i = 0; i < json_array_size(list); i++) {
        const json_t *stop = json_array_get(list, i);

        if (json_string_length(stop) == 0 || json_string_length(stop) > DEN_STOP_STRING_BYTES_MAX ||
            strlen(json_string_value(stop)) != json_string_length(stop))
            return den_fail(err, DEN_INVALID, "'stop[%zu]' must be a string of 1 to %d bytes", i,
                            DEN_STOP_STRING_BYTES_MAX);
        stops[i] = json_string_value(stop);
    }
    request->stops = stops;
    request->stop_count = json_array_size(list);
    return DEN_OK;
}

static enum den_status read_preset(const json_t *parameters, struct den_worker_request *request,
                                   struct den_error *err)
{
    static const char *const presets[] = { "creative", "factual", "classify" };
    const char *preset = NULL;
    size_t i;

    if (den_json_get_text(parameters, "preset", &preset, err) != DEN_OK || !preset || !*preset)
        return err->status;
    for (i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i], preset) == 0) {
            request->preset = preset;
            return DEN_OK;
        }
    return den_fail(err, DEN_INVALID,
                    "'preset' is '%.64s'; it must be one of 'creative', 'factual', 'classify'",
                    preset);
}

enum den_status den_answer_parameters_read(const json_t *parameters,
                                           struct den_worker_request *request, const char **stops,
                                           struct den_error *err)
{
    const struct {
        const char *name;
        double minimum, maximum;
        double *value;
    } numbers[] = {
        { "temperature", 0, 100, &request->temperature },
        { "top_p", 0, 1, &request->top_p },
        { "min_p", 0, 1, &request->min_p },
        { "repeat_penalty", 0, 100, &request->repeat_penalty },
        { "frequency_penalty", -100, 100, &request->frequency_penalty },
        { "presence_penalty", -100, 100, &request->presence_penalty },
    };
    size_t i;

    if (!parameters || json_is_null(parameters))
        return DEN_OK;
    if (!json_is_object(parameters))
        return den_fail(err, DEN_INVALID, "'parameters' must be an object");
    if (check_names(parameters, err) != DEN_OK || read_preset(parameters, request, err) != DEN_OK)
        return err->status;
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (den_json_get_number(parameters, numbers[i].name, numbers[i].minimum, numbers[i].maximum,
                                numbers[i].value, err) != DEN_OK)
            return err->status;
    if (den_json_get_integer(parameters, "top_k", 0, INT32_MAX, &request->top_k, err) != DEN_OK ||
        den_json_get_integer(parameters, "max_tokens", 1, DEN_CONTEXT_TOKENS_MAX,
                             &request->max_tokens, err) != DEN_OK ||
        den_json_get_integer(parameters, "seed", -1, INT64_MAX, &request->seed, err) != DEN_OK)
        return err->status;
    return read_stops(parameters, request, stops, err);
}

static void fill_number(double *value, double other)
{
    if (isnan(*value))
        *value = other;
}

static void fill_integer(int64_t *value, int64_t other)
{
    if (*value < 0)
        *value = other;
}

enum den_status den_answer_parameters_fill(const json_t *parameters,
                                           struct den_worker_request *request, const char **stops,
                                           struct den_error *err)
{
    struct den_worker_request other = den_worker_request_defaults();
    const char *other_stops[DEN_STOP_STRINGS_MAX];
    size_t i;

    if (den_answer_parameters_read(parameters, &other, other_stops, err) != DEN_OK)
        return err->status;
    if (!request->preset) {
        if (isnan(request->temperature) && isnan(request->top_p))
            request->preset = other.preset;
        fill_number(&request->temperature, other.temperature);
        fill_number(&request->top_p, other.top_p);
    }
    fill_number(&request->min_p, other.min_p);
    fill_number(&request->repeat_penalty, other.repeat_penalty);
    fill_number(&request->frequency_penalty, other.frequency_penalty);
    fill_number(&request->presence_penalty, other.presence_penalty);
    fill_integer(&request->top_k, other.top_k);
    fill_integer(&request->max_tokens, other.max_tokens);
    fill_integer(&request->seed, other.seed);
    for (i = 0; request->stop_count == 0 && i < other.stop_count; i++)
        stops[i] = other_stops[i];
    if (request->stop_count == 0)
        request->stop_count = other.stop_count;
    return DEN_OK;
}

enum den_status den_answer_parameters_check(const json_t *parameters, struct den_error *err)
{
    const char *stops[DEN_STOP_STRINGS_MAX];
    struct den_worker_request request = { 0 };

    return den_answer_parameters_read(parameters, &request, stops, err);
}
