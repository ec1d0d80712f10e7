/* POST /v1/completions: a text goes on, with no conversation around it. The prompt is a text, a
 * list of token ids, or a list of either; each is answered `n` times. */
#include <stdlib.h>
#include <string.h>

#include "api/openai.h"
#include "base/utf8.h"

enum { TOKENS_DEFAULT = 16 }; /* as OpenAI has it */

struct state {
    struct den_openai_state openai;       /* first: den_openai_fields_read() fills it */
    size_t offsets[DEN_CALL_ANSWERS_MAX]; /* characters told so far: for logprobs.text_offset */
};

static struct state *state_of(const struct den_call *call)
{
    return call->options.state;
}

/* --- the body --- */

static bool is_token_list(const json_t *value)
{
    return json_array_size(value) > 0 && json_is_integer(json_array_get(value, 0));
}

static enum den_status check_prompt(const json_t *prompt, struct den_error *err)
{
    size_t i;

    if (json_is_string(prompt)) {
        if (strlen(json_string_value(prompt)) != json_string_length(prompt))
            return den_fail(err, DEN_INVALID, "'prompt' can't hold the character U+0000");
        return DEN_OK;
    }
    if (!is_token_list(prompt))
        return den_fail(err, DEN_INVALID,
                        "'prompt' must be a string, a list of strings, a list of token ids, or a "
                        "list of such lists");
    for (i = 0; i < json_array_size(prompt); i++)
        if (!json_is_integer(json_array_get(prompt, i)))
            return den_fail(err, DEN_INVALID, "'prompt' mixes token ids and other values");
    return DEN_OK;
}

/* One prompt or several become a list of prompts. */
static enum den_status read_prompts(struct den_call_options *options, struct den_error *err)
{
    struct den_openai_state *state = options->state;
    json_t *prompt = json_object_get(options->body, "prompt");
    size_t i;

    if (!prompt || json_is_null(prompt))
        return den_fail(err, DEN_INVALID, "'prompt' is missing");
    if (!json_is_array(prompt) || is_token_list(prompt)) {
        prompt = json_pack("[O]", prompt);
        json_object_set_new(options->body, "prompt", prompt);
    }
    if (json_array_size(prompt) == 0)
        return den_fail(err, DEN_INVALID, "'prompt' is empty");
    for (i = 0; i < json_array_size(prompt); i++)
        if (check_prompt(json_array_get(prompt, i), err) != DEN_OK)
            return err->status;
    if (json_array_size(prompt) > DEN_CALL_ANSWERS_MAX / options->count)
        return den_fail(err, DEN_INVALID, "'prompt' asks for %zu answers; at most %d are possible",
                        json_array_size(prompt) * options->count, DEN_CALL_ANSWERS_MAX);
    state->prompts = prompt;
    state->per_prompt = options->count;
    options->count *= json_array_size(prompt);
    return DEN_OK;
}

static enum den_status refuse_others(const struct den_call_options *options, struct den_error *err)
{
    const struct den_openai_state *state = options->state;
    const char *suffix = NULL;
    int64_t best_of = (int64_t)options->count;

    if (den_json_get_text(options->body, "suffix", &suffix, err) != DEN_OK ||
        den_json_get_integer(options->body, "best_of", 1, 20, &best_of, err) != DEN_OK)
        return err->status;
    if (suffix && *suffix)
        return den_fail(err, DEN_UNSUPPORTED, "'suffix' is not there: no model here fills gaps");
    if (best_of != (int64_t)options->count)
        return den_fail(err, DEN_UNSUPPORTED, "'best_of' must be the same as 'n'");
    if (state->echo && options->request.logprobs >= 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "'echo' and 'logprobs' can't be had together: a prompt's own tokens are "
                        "not scored");
    return DEN_OK;
}

static enum den_status read_options(struct den_call_options *options, struct den_error *err)
{
    struct den_openai_state *state = options->state;
    const json_t *format = NULL;
    int64_t logprobs = -1;

    options->request.max_tokens = TOKENS_DEFAULT;
    if (den_openai_fields_read(options, err) != DEN_OK ||
        den_json_get_bool(options->body, "echo", &state->echo, err) != DEN_OK ||
        den_json_get_integer(options->body, "logprobs", 0, 20, &logprobs, err) != DEN_OK ||
        den_json_get_object(options->body, "response_format", &format, err) != DEN_OK)
        return err->status;
    options->request.logprobs = (int)logprobs;
    if (format && den_format_read(options, format, "response_format", err) != DEN_OK)
        return err->status;
    if (refuse_others(options, err) != DEN_OK)
        return err->status;
    return read_prompts(options, err);
}

static const json_t *prompt_of(const struct den_call *call, size_t index)
{
    const struct den_openai_state *state = call->options.state;

    return json_array_get(state->prompts, index / state->per_prompt);
}

static enum den_status vary(struct den_call *call, size_t index, struct den_worker_request *request,
                            struct den_error *err)
{
    const json_t *prompt = prompt_of(call, index);

    (void)err;
    if (json_is_string(prompt))
        request->prompt = json_string_value(prompt);
    else
        request->prompt_tokens = prompt;
    return DEN_OK;
}

/* --- answers --- */

/* The prompt as text, for `echo`; "" where the worker can't tell. */
static json_t *echo_json(const struct den_call *call, size_t index)
{
    const json_t *prompt = prompt_of(call, index);
    struct den_error ignored = { 0 };
    json_t *text = NULL;

    if (json_is_string(prompt))
        return json_copy((json_t *)prompt);
    if (den_worker_detokenize(call->worker, prompt, &text, &ignored) != DEN_OK)
        return json_string("");
    return text;
}

/* The older shape of log-probabilities: lists side by side. Moves *offset on. */
static json_t *logprobs_json(const json_t *items, size_t *offset)
{
    json_t *tokens = json_array(), *values = json_array(), *tops = json_array();
    json_t *offsets = json_array(), *item, *alternative;
    size_t i, j;

    json_array_foreach((json_t *)items, i, item)
    {
        json_t *token = json_object_get(item, "token"), *top = json_object();

        json_array_append(tokens, token);
        json_array_append(values, json_object_get(item, "logprob"));
        json_array_foreach(json_object_get(item, "top_logprobs"), j, alternative)
            json_object_setn(top, json_string_value(json_object_get(alternative, "token")),
                             json_string_length(json_object_get(alternative, "token")),
                             json_object_get(alternative, "logprob"));
        json_array_append_new(tops, top);
        json_array_append_new(offsets, json_integer((json_int_t)*offset));
        *offset += den_utf8_count(json_string_value(token), json_string_length(token));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "tokens", tokens, "token_logprobs", values,
                     "top_logprobs", tops, "text_offset", offsets);
}

/* Takes over `text` and `logprobs`. */
static json_t *choice_json(const struct den_choice *choice, json_t *text, json_t *logprobs,
                           const char *finish)
{
    return json_pack("{s:o, s:I, s:o, s:s?}", "text", text, "index", (json_int_t)choice->index,
                     "logprobs", logprobs ? logprobs : json_null(), "finish_reason", finish);
}

/* Takes over `choices`. */
static json_t *object_json(const struct den_call *call, json_t *choices)
{
    return json_pack("{s:o, s:s, s:I, s:s, s:s, s:o}", "id", den_call_id_json(call, "cmpl-"),
                     "object", "text_completion", "created", (json_int_t)call->created, "model",
                     call->model->model_name, "system_fingerprint", "den-" DEN_VERSION, "choices",
                     choices);
}

static void send_choice(struct den_choice *choice, json_t *text, json_t *logprobs,
                        const char *finish)
{
    struct den_call *call = choice->call;
    json_t *chunk =
        object_json(call, json_pack("[o]", choice_json(choice, text, logprobs, finish)));

    if (state_of(call)->openai.include_usage)
        json_object_set_new(chunk, "usage", json_null());
    if (finish && state_of(call)->openai.wants_measures)
        json_object_set_new(chunk, "den", den_measures_json(choice));
    den_call_send_event(call, NULL, chunk);
}

static void begin(struct den_call *call)
{
    size_t i;

    for (i = 0; state_of(call)->openai.echo && i < call->count; i++)
        send_choice(&call->choices[i], echo_json(call, i), NULL, NULL);
}

static void send_text(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *logprobs = NULL;

    if (event->logprob) {
        json_t *items = json_pack("[o]", den_logprob_json(event));

        logprobs = logprobs_json(items, &state_of(choice->call)->offsets[choice->index]);
        json_decref(items);
    }
    send_choice(choice, json_stringn(event->text, event->text_length), logprobs, NULL);
}

static void send_end(struct den_choice *choice)
{
    send_choice(choice, json_string(""), NULL, choice->finish);
}

static void send_error(struct den_choice *choice)
{
    den_call_send_event(choice->call, NULL, den_error_json(&choice->error, NULL));
}

static void finish(struct den_call *call)
{
    if (state_of(call)->openai.include_usage) {
        json_t *chunk = object_json(call, json_array());

        json_object_set_new(chunk, "usage", den_openai_usage_json(call));
        den_call_send_event(call, NULL, chunk);
    }
    den_call_send_text(call, "data: [DONE]\n\n");
}

static json_t *whole(struct den_call *call)
{
    json_t *choices = json_array(), *object;
    size_t i;

    for (i = 0; i < call->count; i++) {
        const struct den_choice *choice = &call->choices[i];
        json_t *text = den_answer_text_json(&choice->text), *logprobs = NULL;
        size_t offset = 0;

        if (choice->logprobs)
            logprobs = logprobs_json(choice->logprobs, &offset);
        if (state_of(call)->openai.echo) {
            json_t *prompt = echo_json(call, i), *joined;

            joined = json_sprintf("%s%s", json_string_value(prompt), json_string_value(text));
            json_decref(prompt);
            json_decref(text);
            text = joined;
        }
        json_array_append_new(choices, choice_json(choice, text, logprobs, choice->finish));
    }
    object = object_json(call, choices);
    json_object_set_new(object, "usage", den_openai_usage_json(call));
    if (state_of(call)->openai.wants_measures)
        json_object_set_new(object, "den", den_measures_json(&call->choices[0]));
    return object;
}

static const struct den_surface surface = {
    .name = "openai.completions",
    .content_type = "text/event-stream; charset=utf-8",
    .sign_of_life = ": still working\n\n",
    .begin = begin,
    .text = send_text,
    .end = send_end,
    .error = send_error,
    .finish = finish,
    .whole = whole,
    .vary = vary,
    .free_state = free,
};

enum MHD_Result den_route_completions(struct den_request *request)
{
    struct den_call_options options = den_call_defaults(&surface);
    struct den_error err = { 0 };

    options.state = calloc(1, sizeof(struct state));
    if (!options.state)
        den_fail(&err, DEN_NO_MEMORY, "completion: out of memory");
    else if (den_request_json(request, &options.body, &err) == DEN_OK &&
             read_options(&options, &err) == DEN_OK)
        return den_call_answer(request, &options);
    den_call_options_deinit(&options);
    return den_reply_error(request, &err, NULL);
}
