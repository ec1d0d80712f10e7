/* See chat_json.h. json_pack() gives NULL without memory, and each of these passes that on. */
#include "api/chat_json.h"

#include "base/utf8.h"

static json_t *usage_json(const struct den_chat_call *call)
{
    json_int_t generated = 0, prompt = (json_int_t)call->choices[0].prompt_tokens;
    size_t i;

    for (i = 0; i < call->options.count; i++)
        generated += (json_int_t)call->choices[i].generated_tokens;
    return json_pack("{s:I, s:I, s:I, s:{s:I}}", "prompt_tokens", prompt, "completion_tokens",
                     generated, "total_tokens", prompt + generated, "prompt_tokens_details",
                     "cached_tokens", (json_int_t)call->choices[0].cached_tokens);
}

json_t *den_chat_measures_json(const struct den_chat_choice *choice)
{
    double speed = choice->generate_seconds > 0
                       ? (double)choice->generated_tokens / choice->generate_seconds
                       : 0;

    return json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:I, s:I}", "prompt_seconds",
                     choice->prompt_seconds, "generate_seconds", choice->generate_seconds,
                     "wait_seconds", choice->wait_seconds, "prompt_tokens",
                     (json_int_t)choice->prompt_tokens, "cached_tokens",
                     (json_int_t)choice->cached_tokens, "generated_tokens",
                     (json_int_t)choice->generated_tokens, "tokens_per_s", speed, "context_tokens",
                     (json_int_t)choice->den_worker_info(call->options.worker)->context_tokens,
                     "seed", (json_int_t)choice->seed);
}

/* The token as text, ill-formed bytes replaced, and its exact bytes. */
static json_t *token_json(const struct den_worker_logprob *token)
{
    struct den_buffer text;
    json_t *bytes = json_array(), *object;
    size_t at, i;

    den_buffer_init(&text, 4 * DEN_TOKEN_BYTES_MAX);
    for (at = 0; at < token->length;) {
        char character[4];
        uint32_t code;

        at += den_utf8_decode(token->text + at, token->length - at, &code);
        den_buffer_append(&text, character, den_utf8_encode(code, character));
    }
    for (i = 0; i < token->length; i++)
        json_array_append_new(bytes, json_integer((unsigned char)token->text[i]));
    /* JSON has no infinity; -9999 is what OpenAI writes for "never" */
    object =
        json_pack("{s:s%, s:f, s:o}", "token", text.data, text.length, "logprob",
                  token->logprob > -9999.0f ? (double)token->logprob : -9999.0, "bytes", bytes);
    den_buffer_deinit(&text);
    return object;
}

json_t *den_chat_logprob_json(const struct den_worker_event *event)
{
    json_t *object = token_json(event->logprob), *top = json_array();
    size_t i;

    for (i = 0; i < event->top_count; i++)
        json_array_append_new(top, token_json(&event->top[i]));
    json_object_set_new(object, "top_logprobs", top);
    return object;
}

static json_t *logprobs_json(json_t *content)
{
    return content ? json_pack("{s:o, s:n}", "content", content, "refusal") : json_null();
}

json_t *den_chat_completion_json(const struct den_chat_call *call)
{
    json_t *choices = json_array(), *object;
    size_t i;

    for (i = 0; i < call->options.count; i++) {
        const struct den_chat_choice *choice = &call->choices[i];

        json_array_append_new(choices, json_pack("{s:I, s:{s:s, s:s%, s:n}, s:o, s:s}", "index",
                                                 (json_int_t)choice->index, "message", "role",
                                                 "assistant", "content", choice->text.data,
                                                 choice->text.length, "refusal", "logprobs",
                                                 logprobs_json(json_incref(choice->logprobs)),
                                                 "finish_reason", choice->finish));
    }
    object = json_pack("{s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "id", call->id, "object",
                       "chat.completion", "created", (json_int_t)call->created, "model",
                       den_worker_info(call->options.worker)->model_name, "system_fingerprint",
                       "den-" DEN_VERSION, "choices", choices, "usage", usage_json(call));
    if (call->options.wants_measures)
        json_object_set_new(object, "den", den_chat_measures_json(&call->choices[0]));
    return object;
}

/* Takes over `choices` and `usage`. */
static json_t *chunk_json(const struct den_chat_call *call, json_t *choices, json_t *usage)
{
    json_t *object = json_pack("{s:s, s:s, s:I, s:s, s:s, s:o}", "id", call->id, "object",
                               "chat.completion.chunk", "created", (json_int_t)call->created,
                               "model", den_worker_info(call->options.worker)->model_name,
                               "system_fingerprint", "den-" DEN_VERSION, "choices", choices);

    if (call->options.include_usage)
        json_object_set_new(object, "usage", usage);
    else
        json_decref(usage);
    return object;
}

json_t *den_chat_chunk_json(const struct den_chat_call *call, size_t index, json_t *delta,
                            json_t *logprobs, const char *finish)
{
    json_t *choices =
        json_pack("[{s:I, s:o, s:o, s:s?}]", "index", (json_int_t)index, "delta", delta, "logprobs",
                  logprobs_json(logprobs), "finish_reason", finish);

    return chunk_json(call, choices, json_null());
}

json_t *den_chat_usage_chunk_json(const struct den_chat_call *call)
{
    return chunk_json(call, json_array(), usage_json(call));
}
