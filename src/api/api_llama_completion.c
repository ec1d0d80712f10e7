/* POST /completion, llama-server's own: a prompt goes on, as a stream of objects or as one. The
 * stream has no [DONE]; its last object has "stop": true. Fields that steer llama-server's cache
 * and slots (cache_prompt, id_slot, n_keep ...) are passed over: prefixes are always reused. */
#include <stdlib.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/openai.h"

#define PLACE(member) offsetof(struct den_worker_request, member)

enum { PROBABILITIES_MAX = 20 };

/* --- the body --- */

static enum den_status read_prompt(struct den_call_options *options, struct den_error *err)
{
    const json_t *prompt = json_object_get(options->body, "prompt");
    size_t i;

    if (json_is_string(prompt)) {
        if (strlen(json_string_value(prompt)) != json_string_length(prompt))
            return den_fail(err, DEN_INVALID, "'prompt' can't hold the character U+0000");
        options->request.prompt = json_string_value(prompt);
        return DEN_OK;
    }
    if (json_array_size(prompt) == 0)
        return den_fail(err, DEN_INVALID, "'prompt' must be a string or a list of token ids");
    for (i = 0; i < json_array_size(prompt); i++)
        if (!json_is_integer(json_array_get(prompt, i)))
            return den_fail(err, DEN_UNSUPPORTED,
                            "'prompt' must be one string or one list of token ids");
    options->request.prompt_tokens = prompt;
    return DEN_OK;
}

static enum den_status read_options(struct den_call_options *options, struct den_error *err)
{
    static const struct den_field fields[] = {
        { "temperature", DEN_FIELD_NUMBER, PLACE(temperature), 0, 100 },
        { "top_p", DEN_FIELD_NUMBER, PLACE(top_p), 0, 1 },
        { "frequency_penalty", DEN_FIELD_NUMBER, PLACE(frequency_penalty), -2, 2 },
        { "presence_penalty", DEN_FIELD_NUMBER, PLACE(presence_penalty), -2, 2 },
        { "logit_bias", DEN_FIELD_OBJECT, PLACE(logit_bias), 0, 0 },
        { "json_schema", DEN_FIELD_OBJECT, PLACE(schema), 0, 0 },
        { "grammar", DEN_FIELD_TEXT, PLACE(grammar), 0, 0 },
    };
    const json_t *body = options->body;
    int64_t predict = -1, probabilities = 0;

    if (den_fields_read(body, fields, sizeof fields / sizeof fields[0], &options->request, err) !=
            DEN_OK ||
        den_extras_read(body, &options->request, err) != DEN_OK ||
        den_seed_read(body, "seed", &options->request, err) != DEN_OK ||
        den_stops_read(body, "stop", options, err) != DEN_OK ||
        den_json_get_text(body, "model", &options->model, err) != DEN_OK ||
        den_json_get_bool(body, "stream", &options->stream, err) != DEN_OK ||
        den_json_get_integer(body, "n_predict", -2, 1LL << 52, &predict, err) != DEN_OK ||
        den_json_get_integer(body, "n_probs", 0, PROBABILITIES_MAX, &probabilities, err) != DEN_OK)
        return err->status;
    if (predict == 0)
        return den_fail(err, DEN_UNSUPPORTED, "'n_predict' must be at least 1, or -1 for no limit");
    if (options->request.grammar && !*options->request.grammar)
        options->request.grammar = NULL; /* how clients say: none */
    if (options->request.grammar && options->request.schema)
        return den_fail(err, DEN_INVALID, "'grammar' and 'json_schema' exclude each other");
    options->request.max_tokens = predict > 0 ? predict : -1;
    options->request.logprobs = probabilities > 0 ? (int)probabilities : -1;
    return read_prompt(options, err);
}

/* --- the reply --- */

static json_t *timings_json(const struct den_worker_event *end)
{
    const double read_ms = end->prompt_seconds * 1000, write_ms = end->generate_seconds * 1000;
    const size_t read = end->prompt_tokens - end->cached_tokens, written = end->generated_tokens;

    return json_pack("{s:I, s:f, s:f, s:f, s:I, s:f, s:f, s:f}", "prompt_n", (json_int_t)read,
                     "prompt_ms", read_ms, "prompt_per_token_ms",
                     read > 0 ? read_ms / (double)read : 0.0, "prompt_per_second",
                     read_ms > 0 ? (double)read * 1000 / read_ms : 0.0, "predicted_n",
                     (json_int_t)written, "predicted_ms", write_ms, "predicted_per_token_ms",
                     written > 0 ? write_ms / (double)written : 0.0, "predicted_per_second",
                     write_ms > 0 ? (double)written * 1000 / write_ms : 0.0);
}

static const char *stop_type(const struct den_choice *choice)
{
    if (choice->stop_string)
        return "word";
    return strcmp(choice->finish, "length") == 0 ? "limit" : "eos";
}

/* What ends a stream, and the whole answer; takes over `content`. */
static json_t *end_json(const struct den_choice *choice, json_t *content)
{
    const struct den_call *call = choice->call;
    const struct den_worker_event *end = &choice->end;
    json_t *prompt = json_object_get(call->options.body, "prompt");

    return json_pack(
        "{s:i, s:o, s:[], s:i, s:b, s:s, s:I, s:I, s:O, s:b, s:b, s:s, s:s, s:I, s:o, s:{s:I}}",
        "index", 0, "content", content, "tokens", "id_slot", 0, "stop", 1, "model",
        call->model->model_name, "tokens_predicted", (json_int_t)end->generated_tokens,
        "tokens_evaluated", (json_int_t)end->prompt_tokens, "prompt", prompt, "has_new_line",
        memchr(choice->text.data, '\n', choice->text.length) != NULL, "truncated", 0, "stop_type",
        stop_type(choice), "stopping_word", choice->stop_string ? choice->stop_string : "",
        "tokens_cached", (json_int_t)(end->prompt_tokens + end->generated_tokens), "timings",
        timings_json(end), "generation_settings", "seed", (json_int_t)end->seed);
}

/* OpenAI's logprob objects under llama-server's name. */
static void add_probabilities(json_t *object, json_t *logprobs)
{
    if (logprobs)
        json_object_set_new(object, "completion_probabilities", logprobs);
}

static void send_text(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *object = json_pack("{s:i, s:s%, s:[], s:b, s:i}", "index", 0, "content", event->text,
                               event->text_length, "tokens", "stop", 0, "id_slot", 0);

    add_probabilities(object, event->logprob ? json_pack("[o]", den_logprob_json(event)) : NULL);
    den_call_send_event(choice->call, NULL, object);
}

static void send_end(struct den_choice *choice)
{
    den_call_send_event(choice->call, NULL, end_json(choice, json_string("")));
}

static void send_error(struct den_choice *choice)
{
    den_call_send_event(
        choice->call, NULL,
        den_llama_error((unsigned)den_status_http(choice->error.status), &choice->error, NULL));
}

static json_t *whole(struct den_call *call)
{
    struct den_choice *choice = &call->choices[0];
    json_t *object = end_json(choice, den_answer_text_json(&choice->text));

    add_probabilities(object, json_incref(choice->logprobs));
    return object;
}

static const struct den_surface surface = {
    .name = "llama.completion",
    .content_type = "text/event-stream; charset=utf-8",
    .sign_of_life = ": still working\n\n",
    .text = send_text,
    .end = send_end,
    .error = send_error,
    .whole = whole,
};

enum MHD_Result den_route_llama_completion(struct den_request *request)
{
    struct den_call_options options = den_call_defaults(&surface);
    struct den_error err = { 0 };

    if (den_request_json(request, &options.body, &err) == DEN_OK &&
        read_options(&options, &err) == DEN_OK)
        return den_call_answer(request, &options);
    den_call_options_deinit(&options);
    return den_reply_error(request, &err, NULL);
}
