/* llama-server's POST /tokenize, /detokenize and /apply-template: text, tokens and prompts, with
 * nothing generated. `model` is Den's addition: which model's tokenizer is asked. */
#include <string.h>

#include "api/api_llama.h"
#include "api/fields.h"

json_t *den_llama_error(unsigned http, const struct den_error *error, const char *code)
{
    const char *type = "server_error";
    json_t *message;

    (void)code;
    if (error->status == DEN_CONTEXT_FULL)
        type = "exceed_context_size_error";
    else if (error->status == DEN_UNSUPPORTED)
        type = "not_supported_error";
    else if (http == 401)
        type = "authentication_error";
    else if (http == 403)
        type = "permission_error";
    else if (http == 404)
        type = "not_found_error";
    else if (http == 429 || http == 503)
        type = "unavailable_error";
    else if (http < 500)
        type = "invalid_request_error";
    message = json_string(error->message);
    if (!message) /* bytes from outside that are no UTF-8 */
        message = json_string(den_status_text(error->status));
    return json_pack("{s:{s:i, s:o, s:s}}", "error", "code", (int)http, "message", message, "type",
                     type);
}

/* A request that asks one model one question. */
struct question {
    json_t *body;
    struct den_roster *roster;
    struct den_worker *worker;
};

static enum den_status begin(struct question *out, struct den_request *request,
                             struct den_error *err)
{
    const char *model = NULL;

    out->roster = den_desk_roster(den_request_desk(request));
    if (den_request_json(request, &out->body, err) != DEN_OK ||
        den_json_get_text(out->body, "model", &model, err) != DEN_OK)
        return err->status;
    return den_roster_take(out->roster, model, DEN_WORKER_CHAT, &out->worker, err);
}

static enum MHD_Result answer(struct question *question, struct den_request *request, json_t *reply,
                              const struct den_error *err)
{
    if (question->worker)
        den_roster_give_back(question->roster, question->worker);
    json_decref(question->body);
    if (err->status == DEN_OK)
        return den_reply_json(request, MHD_HTTP_OK, reply);
    json_decref(reply);
    return den_reply_error(request, err, NULL);
}

static enum den_status tokenize(const struct question *question, json_t *out, struct den_error *err)
{
    const json_t *content = json_object_get(question->body, "content");
    bool add_special = false, parse_special = true, with_pieces = false;
    unsigned flags = 0;

    if (den_json_get_bool(question->body, "add_special", &add_special, err) != DEN_OK ||
        den_json_get_bool(question->body, "parse_special", &parse_special, err) != DEN_OK ||
        den_json_get_bool(question->body, "with_pieces", &with_pieces, err) != DEN_OK)
        return err->status;
    if (!content || json_is_null(content)) /* llama-server: no tokens */
        return DEN_OK;
    if (!json_is_string(content))
        return den_fail(err, DEN_INVALID, "'content' must be a string");
    flags |= add_special ? DEN_WORKER_ADD_SPECIAL : 0;
    flags |= parse_special ? DEN_WORKER_PARSE_SPECIAL : 0;
    flags |= with_pieces ? DEN_WORKER_PIECES : 0;
    return den_worker_tokenize(question->worker, json_string_value(content),
                               json_string_length(content), flags, out, err);
}

enum MHD_Result den_route_llama_tokenize(struct den_request *request)
{
    struct question question = { 0 };
    struct den_error err = { 0 };
    json_t *tokens = json_array();

    if (begin(&question, request, &err) == DEN_OK)
        tokenize(&question, tokens, &err);
    return answer(&question, request, json_pack("{s:o}", "tokens", tokens), &err);
}

enum MHD_Result den_route_llama_detokenize(struct den_request *request)
{
    struct question question = { 0 };
    struct den_error err = { 0 };
    json_t *text = NULL;

    if (begin(&question, request, &err) == DEN_OK) {
        const json_t *tokens = json_object_get(question.body, "tokens");

        if (!tokens || json_is_null(tokens))
            text = json_string("");
        else if (!json_is_array(tokens))
            den_fail(&err, DEN_INVALID, "'tokens' must be a list of token ids");
        else
            den_worker_detokenize(question.worker, tokens, &text, &err);
    }
    return answer(&question, request, text ? json_pack("{s:o}", "content", text) : NULL, &err);
}

enum MHD_Result den_route_llama_template(struct den_request *request)
{
    struct question question = { 0 };
    struct den_error err = { 0 };
    json_t *rendered = NULL, *reply = NULL;

    if (begin(&question, request, &err) == DEN_OK) {
        struct den_worker_request chat = den_worker_request_defaults();

        chat.messages = json_object_get(question.body, "messages");
        chat.tools = json_object_get(question.body, "tools");
        if (!chat.messages)
            den_fail(&err, DEN_INVALID, "'messages' is missing; it must be a list of messages");
        else if (den_json_get_object(question.body, "chat_template_kwargs",
                                     &chat.template_variables, &err) == DEN_OK &&
                 den_worker_apply_template(question.worker, &chat, &rendered, &err) == DEN_OK)
            reply = json_pack("{s:O}", "prompt", json_object_get(rendered, "prompt"));
        json_decref(rendered);
    }
    return answer(&question, request, reply, &err);
}
