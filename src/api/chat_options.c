/* See chat_options.h. */
#include "api/chat_options.h"

#include <math.h>
#include <string.h>

/* --- sampling --- */

/* OpenAI's ranges for OpenAI's fields; the others are Den's. */
static enum den_status read_numbers(const json_t *body, struct den_worker_request *request,
                                    struct den_error *err)
{
    const struct {
        const char *key;
        double minimum, maximum;
        double *out;
    } fields[] = {
        { "temperature", 0, 2, &request->temperature },
        { "top_p", 0, 1, &request->top_p },
        { "frequency_penalty", -2, 2, &request->frequency_penalty },
        { "presence_penalty", -2, 2, &request->presence_penalty },
        { "min_p", 0, 1, &request->min_p },
        { "typical_p", 0, 1, &request->typical_p },
        { "repeat_penalty", 0.01, 100, &request->repeat_penalty },
    };
    size_t i;

    for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (den_json_get_number(body, fields[i].key, fields[i].minimum, fields[i].maximum,
                                fields[i].out, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static enum den_status read_integers(const json_t *body, struct den_chat_options *out,
                                     struct den_error *err)
{
    struct den_worker_request *request = &out->request;
    const json_t *seed = json_object_get(body, "seed");
    int64_t count = 1;

    if (den_json_get_integer(body, "max_tokens", 1, INT64_MAX, &request->max_tokens, err) !=
            DEN_OK ||
        den_json_get_integer(body, "max_completion_tokens", 1, INT64_MAX, &request->max_tokens,
                             err) != DEN_OK ||
        den_json_get_integer(body, "top_k", 0, DEN_VOCABULARY_MAX, &request->top_k, err) !=
            DEN_OK ||
        den_json_get_integer(body, "seed", INT64_MIN, INT64_MAX, &out->seed, err) != DEN_OK ||
        den_json_get_integer(body, "n", 1, DEN_CHOICES_MAX, &count, err) != DEN_OK)
        return err->status;
    if (seed && !json_is_null(seed)) /* negative ones are seeds, too */
        out->seed &= INT64_MAX;
    out->count = (size_t)count;
    return DEN_OK;
}

static enum den_status read_logprobs(const json_t *body, struct den_worker_request *request,
                                     struct den_error *err)
{
    bool wanted = false;
    int64_t top = -1;

    if (den_json_get_bool(body, "logprobs", &wanted, err) != DEN_OK ||
        den_json_get_integer(body, "top_logprobs", 0, 20, &top, err) != DEN_OK)
        return err->status;
    if (top >= 0 && !wanted)
        return den_fail(err, DEN_INVALID, "'top_logprobs' is only allowed when 'logprobs' is true");
    request->logprobs = !wanted ? -1 : top < 0 ? 0 : (int)top;
    return DEN_OK;
}

/* --- stop strings --- */

static enum den_status add_stop(struct den_chat_options *out, const json_t *value,
                                struct den_error *err)
{
    size_t length = json_string_length(value);

    if (!json_is_string(value))
        return den_fail(err, DEN_INVALID, "'stop' must be a string or a list of strings");
    if (length != strlen(json_string_value(value)))
        return den_fail(err, DEN_INVALID, "'stop' strings can't hold the character U+0000");
    out->stops[out->request.stop_count++] = json_string_value(value);
    return DEN_OK;
}

static enum den_status read_stops(const json_t *body, struct den_chat_options *out,
                                  struct den_error *err)
{
    const json_t *stop = json_object_get(body, "stop");
    size_t i;

    out->request.stops = out->stops;
    if (!stop || json_is_null(stop))
        return DEN_OK;
    if (!json_is_array(stop))
        return add_stop(out, stop, err);
    if (json_array_size(stop) > DEN_STOP_STRINGS_MAX)
        return den_fail(err, DEN_INVALID, "'stop' has %zu strings; at most %d are possible",
                        json_array_size(stop), DEN_STOP_STRINGS_MAX);
    for (i = 0; i < json_array_size(stop); i++)
        if (add_stop(out, json_array_get(stop, i), err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* --- what kind of answer --- */

/* NULL when absent or null. */
static enum den_status get_object(const json_t *body, const char *key, const json_t **out,
                                  struct den_error *err)
{
    const json_t *value = json_object_get(body, key);

    if (value && !json_is_null(value) && !json_is_object(value))
        return den_fail(err, DEN_INVALID, "'%s' must be an object", key);
    *out = json_is_object(value) ? value : NULL;
    return DEN_OK;
}

static enum den_status read_stream(const json_t *body, struct den_chat_options *out,
                                   struct den_error *err)
{
    const json_t *options = NULL, *den = NULL;

    if (den_json_get_bool(body, "stream", &out->stream, err) != DEN_OK ||
        get_object(body, "stream_options", &options, err) != DEN_OK ||
        get_object(body, "den", &den, err) != DEN_OK)
        return err->status;
    if (options && !out->stream)
        return den_fail(err, DEN_INVALID, "'stream_options' is only allowed when 'stream' is true");
    if (options && den_json_get_bool(options, "include_usage", &out->include_usage, err) != DEN_OK)
        return err->status;
    if (den && den_json_get_bool(den, "progress", &out->wants_progress, err) != DEN_OK)
        return err->status;
    out->wants_measures = den != NULL;
    return DEN_OK;
}

static enum den_status read_tools(const json_t *body, struct den_worker_request *request,
                                  struct den_error *err)
{
    const json_t *tools = json_object_get(body, "tools");
    const json_t *choice = json_object_get(body, "tool_choice");
    const char *name = json_string_value(choice);

    if (tools && !json_is_null(tools) && !json_is_array(tools))
        return den_fail(err, DEN_INVALID, "'tools' must be a list");
    if (choice && !json_is_null(choice) &&
        (!name || (strcmp(name, "auto") != 0 && strcmp(name, "none") != 0)))
        return den_fail(err, DEN_UNSUPPORTED, "'tool_choice' must be 'auto' or 'none'");
    if (json_array_size(tools) > 0 && !(name && strcmp(name, "none") == 0))
        request->tools = tools;
    return DEN_OK;
}

static enum den_status read_format(const json_t *body, struct den_error *err)
{
    const json_t *format = NULL;
    const char *type = NULL;

    if (get_object(body, "response_format", &format, err) != DEN_OK)
        return err->status;
    if (!format)
        return DEN_OK;
    type = json_string_value(json_object_get(format, "type"));
    if (!type || strcmp(type, "text") != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "'response_format' must have the type 'text'; others are not there yet");
    return DEN_OK;
}

enum den_status den_chat_options_read(const json_t *body, struct den_roster *roster,
                                      struct den_chat_options *out, struct den_error *err)
{
    const json_t *bias = NULL;
    const char *model = NULL;

    *out = (struct den_chat_options){ .request = den_worker_request_defaults(),
                                      .count = 1,
                                      .seed = -1 };
    out->request.messages = json_object_get(body, "messages");
    if (den_json_get_text(body, "model", &model, err) != DEN_OK ||
        den_json_get_text(body, "preset", &out->request.preset, err) != DEN_OK ||
        read_numbers(body, &out->request, err) != DEN_OK ||
        read_integers(body, out, err) != DEN_OK ||
        read_logprobs(body, &out->request, err) != DEN_OK || read_stops(body, out, err) != DEN_OK ||
        read_stream(body, out, err) != DEN_OK || read_tools(body, &out->request, err) != DEN_OK ||
        read_format(body, err) != DEN_OK || get_object(body, "logit_bias", &bias, err) != DEN_OK)
        return err->status;
    out->request.logit_bias = bias;
    if (den_roster_take(roster, model, DEN_WORKER_CHAT, &out->worker, err) == DEN_NOT_FOUND)
        out->unknown_model = model;
    return err->status;
}
