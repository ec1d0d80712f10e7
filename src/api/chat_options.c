/* The body of POST /v1/chat/completions, decoded and checked. Fields that OpenAI knows and that
 * change nothing here ("user", "store" ...) are passed over, and so are unknown ones,
 * which OpenAI refuses but local servers' clients send; what would change the answer and can't be
 * had is refused. */
#include "api/openai.h"

#include <string.h>

static enum den_status read_logprobs(const json_t *body, struct den_worker_request *request,
                                     struct den_error *err)
{
    bool wanted = false;
    int64_t top = -1;

    if (den_json_get_bool(body, "logprobs", &wanted, err) != DEN_OK ||
        den_json_get_integer(body, "top_logprobs", 0, 20, &top, err) != DEN_OK)
        return err->status;
    if (top > 0 && !wanted)
        return den_fail(err, DEN_INVALID, "'top_logprobs' is only allowed when 'logprobs' is true");
    request->logprobs = !wanted ? -1 : top < 0 ? 0 : (int)top;
    return DEN_OK;
}

static enum den_status refuse_others(const json_t *body, struct den_error *err)
{
    static const char *const refused[] = { "audio", "web_search_options" };
    const json_t *modalities = json_object_get(body, "modalities");
    size_t i;

    for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (json_object_get(body, refused[i]) && !json_is_null(json_object_get(body, refused[i])))
            return den_fail(err, DEN_UNSUPPORTED,
                            "'%s' is not there: Den answers with text, "
                            "from this machine alone",
                            refused[i]);
    for (i = 0; i < json_array_size(modalities); i++) {
        const char *name = json_string_value(json_array_get(modalities, i));

        if (!name || strcmp(name, "text") != 0)
            return den_fail(err, DEN_UNSUPPORTED, "'modalities' can only be ['text']");
    }
    return DEN_OK;
}

static enum den_status read_shape(struct den_call_options *options, struct den_error *err)
{
    const json_t *format = NULL, *variables = NULL;

    if (den_json_get_object(options->body, "response_format", &format, err) != DEN_OK ||
        den_json_get_object(options->body, "chat_template_kwargs", &variables, err) != DEN_OK)
        return err->status;
    options->request.template_variables = variables;
    if (format && den_format_read(options, format, "response_format", err) != DEN_OK)
        return err->status;
    if (options->request.schema && options->request.grammar)
        return den_fail(err, DEN_INVALID, "'grammar' and 'response_format' exclude each other");
    return den_effort_read(options->body, "reasoning_effort", options, err);
}

/* {"type": "content", "content": text or parts} */
static enum den_status read_prediction(struct den_call_options *options, struct den_error *err)
{
    const json_t *prediction = NULL, *content;

    if (den_json_get_object(options->body, "prediction", &prediction, err) != DEN_OK)
        return err->status;
    content = json_object_get(prediction, "content");
    if (prediction && !json_is_string(content) && !json_is_array(content))
        return den_fail(err, DEN_INVALID,
                        "'prediction.content' must be a text or a list of text parts");
    options->request.prediction = content;
    return DEN_OK;
}

enum den_status den_chat_options_read(struct den_call_options *options, struct den_error *err)
{
    const json_t *body = options->body;

    if (den_openai_fields_read(options, err) != DEN_OK ||
        read_logprobs(body, &options->request, err) != DEN_OK ||
        refuse_others(body, err) != DEN_OK || den_openai_tools_read(options, err) != DEN_OK ||
        read_shape(options, err) != DEN_OK || read_prediction(options, err) != DEN_OK)
        return err->status;
    options->request.messages = json_object_get(body, "messages"); /* the worker reads the rest */
    if (!options->request.messages || json_is_null(options->request.messages))
        return den_fail(err, DEN_INVALID, "'messages' is missing; it must be a list of messages");
    return DEN_OK;
}
