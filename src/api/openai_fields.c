/* See openai.h: the fields that chat and plain completions have in common, and their usage object.
 * OpenAI's ranges hold for OpenAI's fields; the others are llama-server's or Den's. */
#include "api/openai.h"

#include <string.h>

#define PLACE(member) offsetof(struct den_worker_request, member)

static enum den_status read_request(struct den_call_options *options, struct den_error *err)
{
    static const struct den_field fields[] = {
        { "temperature", DEN_FIELD_NUMBER, PLACE(temperature), 0, 2 },
        { "top_p", DEN_FIELD_NUMBER, PLACE(top_p), 0, 1 },
        { "frequency_penalty", DEN_FIELD_NUMBER, PLACE(frequency_penalty), -2, 2 },
        { "presence_penalty", DEN_FIELD_NUMBER, PLACE(presence_penalty), -2, 2 },
        { "max_tokens", DEN_FIELD_INTEGER, PLACE(max_tokens), 1, 1LL << 52 },
        { "max_completion_tokens", DEN_FIELD_INTEGER, PLACE(max_tokens), 1, 1LL << 52 },
        { "logit_bias", DEN_FIELD_OBJECT, PLACE(logit_bias), 0, 0 },
        { "preset", DEN_FIELD_TEXT, PLACE(preset), 0, 0 },
        { "grammar", DEN_FIELD_TEXT, PLACE(grammar), 0, 0 },
    };

    if (den_fields_read(options->body, fields, sizeof fields / sizeof fields[0], &options->request,
                        err) != DEN_OK ||
        den_extras_read(options->body, &options->request, err) != DEN_OK ||
        den_seed_read(options->body, "seed", &options->request, err) != DEN_OK)
        return err->status;
    return den_stops_read(options->body, "stop", options, err);
}

static enum den_status read_stream(struct den_call_options *options, struct den_error *err)
{
    struct den_openai_state *state = options->state;
    const json_t *stream = NULL, *den = NULL;

    if (den_json_get_bool(options->body, "stream", &options->stream, err) != DEN_OK ||
        den_json_get_object(options->body, "stream_options", &stream, err) != DEN_OK ||
        den_json_get_object(options->body, "den", &den, err) != DEN_OK)
        return err->status;
    if (stream && !options->stream)
        return den_fail(err, DEN_INVALID, "'stream_options' is only allowed when 'stream' is true");
    if (stream && den_json_get_bool(stream, "include_usage", &state->include_usage, err) != DEN_OK)
        return err->status;
    if (den && den_json_get_bool(den, "progress", &state->wants_progress, err) != DEN_OK)
        return err->status;
    state->wants_measures = den != NULL;
    return DEN_OK;
}

enum den_status den_openai_fields_read(struct den_call_options *options, struct den_error *err)
{
    const char *tier = NULL;
    int64_t count = 1;

    if (den_json_get_text(options->body, "model", &options->model, err) != DEN_OK ||
        den_json_get_text(options->body, "service_tier", &tier, err) != DEN_OK ||
        read_request(options, err) != DEN_OK ||
        den_json_get_integer(options->body, "n", 1, DEN_CHOICES_MAX, &count, err) != DEN_OK)
        return err->status;
    options->request.batch = tier && strcmp(tier, "flex") == 0;
    options->count = (size_t)count;
    return read_stream(options, err);
}

json_t *den_openai_usage_json(const struct den_call *call)
{
    json_int_t generated = (json_int_t)den_call_generated_tokens(call), prompt = 0, cached = 0;
    json_int_t reasoning = 0, foretold = 0, missed = 0;
    const struct den_openai_state *state = call->options.state;
    size_t step = state && state->per_prompt > 0 ? state->per_prompt : call->count, i;

    for (i = 0; i < call->count; i++) {
        const struct den_worker_event *end = &call->choices[i].end;

        reasoning += (json_int_t)end->reasoning_tokens;
        foretold += (json_int_t)end->foretold_tokens;
        missed += (json_int_t)(end->predicted_tokens - end->foretold_tokens);
        if (i % step != 0) /* the answers to one prompt share it */
            continue;
        prompt += (json_int_t)end->prompt_tokens;
        cached += (json_int_t)end->cached_tokens;
    }
    return json_pack("{s:I, s:I, s:I, s:{s:I}, s:{s:I, s:I, s:I}}", "prompt_tokens", prompt,
                     "completion_tokens", generated, "total_tokens", prompt + generated,
                     "prompt_tokens_details", "cached_tokens", cached, "completion_tokens_details",
                     "reasoning_tokens", reasoning, "accepted_prediction_tokens", foretold,
                     "rejected_prediction_tokens", missed);
}

json_t *den_answer_text_json(const struct den_buffer *text)
{
    return json_stringn(text->data, text->length);
}
