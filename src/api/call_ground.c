/* Workspaces as models: a client that knows nothing of documents asks "workspace:NAME", and the
 * answer stands on what the workspace holds. The last message of the user is the question. All of
 * it happens on the connection's thread, before the worker is asked and after it has ended. */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/fields.h"
#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/grounding.h"

enum { ANSWER_TOKENS = 512, ANSWER_SHARE = 4 };

static const char prefix[] = "workspace:";

/* The text of a message: a string, or the texts among its parts. A new reference. */
static json_t *text_of(const json_t *message)
{
    const json_t *content = json_object_get(message, "content"), *part;
    struct den_buffer text;
    json_t *joined;
    size_t i;

    if (json_is_string(content))
        return json_incref((json_t *)(uintptr_t)content);
    den_buffer_init(&text, DEN_CONTENT_BYTES_MAX);
    json_array_foreach(content, i, part)
    {
        const char *words = json_string_value(json_object_get(part, "text"));

        if (words)
            den_buffer_appendf(&text, "%s%s", text.length ? "\n" : "", words);
    }
    joined = json_stringn(text.data ? text.data : "", text.length);
    den_buffer_deinit(&text);
    return joined;
}

/* The place of the user's last message; the list's length where there is none. */
static size_t find_question(const json_t *messages)
{
    size_t i = json_array_size(messages);

    while (i-- > 0) {
        const char *role = json_string_value(json_object_get(json_array_get(messages, i), "role"));

        if (role && strcmp(role, "user") == 0)
            return i;
    }
    return json_array_size(messages);
}

/* A copy that may be changed, with the workspace's system prompt where the client has none. */
static json_t *copy_messages(const json_t *messages, size_t *question, const char *system)
{
    json_t *copy = json_deep_copy(messages);
    const char *role = json_string_value(json_object_get(json_array_get(copy, 0), "role"));

    json_object_set_new(json_array_get(copy, *question), "content",
                        text_of(json_array_get(messages, *question)));
    if (system && *system &&
        !(role && (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0))) {
        json_array_insert_new(copy, 0,
                              json_pack("{s:s, s:s}", "role", "system", "content", system));
        ++*question;
    }
    return copy;
}

static enum den_status search(struct den_call_options *options, struct den_desk *desk,
                              const json_t *workspace, json_t *messages, size_t question,
                              struct den_error *err)
{
    json_t *message = json_incref(json_array_get(messages, question));
    struct den_grounding_options wanted = {
        .workspace = json_string_value(json_object_get(workspace, "id")),
        .question = json_string_value(json_object_get(message, "content")),
        .conversation = messages,
        .model = json_string_value(json_object_get(workspace, "model")),
        .settings = den_retrieval_defaults(),
    };

    json_array_remove(messages, question);
    if (den_retrieval_settings_read(json_object_get(workspace, "retrieval"), &wanted.settings,
                                    err) == DEN_OK)
        den_grounding_begin(den_desk_retrieval(desk), den_desk_threads(desk), &wanted,
                            &options->grounding, err);
    json_array_insert_new(messages, question, message);
    return err->status;
}

/* Nothing was found, and nothing else may be said: the model has no choice. */
static enum den_status refuse(struct den_call_options *options, const char *text,
                              struct den_error *err)
{
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", text);

    if (den_body_keep(options, "den messages", messages, err) != DEN_OK ||
        den_body_keep(options, "den grammar", json_sprintf("root ::= \"%s\"\n", text), err) !=
            DEN_OK)
        return err->status;
    options->request.messages = messages;
    options->request.grammar = json_string_value(json_object_get(options->body, "den grammar"));
    options->request.schema = NULL;
    options->request.tools = NULL;
    options->request.tool_choice = NULL;
    return DEN_OK;
}

/* The workspace's own, where the client set none; their texts live as long as the body. */
static enum den_status take_parameters(struct den_call_options *options, const json_t *workspace,
                                       struct den_error *err)
{
    json_t *parameters = json_incref(json_object_get(workspace, "parameters"));

    if (den_body_keep(options, "den parameters", parameters, err) != DEN_OK)
        return err->status;
    return den_answer_parameters_fill(parameters, &options->request, options->stops, err);
}

static enum den_status fit(struct den_call_options *options, struct den_roster *roster,
                           json_t *messages, struct den_error *err)
{
    struct den_worker_request counted = den_worker_request_defaults();
    struct den_grounding_room room = { .counter.tokenize = den_worker_tokenize };
    json_t *applied = NULL;
    struct den_worker *worker;
    int64_t wanted = options->request.max_tokens > 0 ? options->request.max_tokens : ANSWER_TOKENS;

    if (den_roster_take(roster, options->model, DEN_WORKER_CHAT, &worker, err) != DEN_OK)
        return err->status;
    counted.messages = messages;
    counted.tools = options->request.tools;
    if (den_worker_apply_template(worker, &counted, &applied, err) == DEN_OK) {
        const struct den_worker_info *info = den_worker_info(worker);
        const size_t share = info->context_tokens / ANSWER_SHARE;

        room.counter.worker = worker;
        room.context_tokens = info->context_tokens;
        room.parameters = info->parameters;
        room.used_tokens = (size_t)json_integer_value(json_object_get(applied, "tokens"));
        room.answer_tokens = (size_t)wanted < share ? (size_t)wanted : share;
        den_grounding_fit(options->grounding, &room, messages, err);
    }
    json_decref(applied);
    den_roster_give_back(roster, worker);
    return err->status;
}

static enum den_status hold_to_form(struct den_call_options *options, struct den_error *err)
{
    const struct den_worker_request *request = &options->request;
    char *grammar;

    if (request->grammar || request->schema || request->tools)
        return DEN_OK;
    grammar = den_grounding_grammar(options->grounding);
    if (grammar && den_body_keep(options, "den grammar", json_string(grammar), err) == DEN_OK)
        options->request.grammar = json_string_value(json_object_get(options->body, "den grammar"));
    free(grammar);
    return err->status;
}

/* From the workspace to the request, which is changed in place. */
static enum den_status ask_workspace(struct den_call_options *options, struct den_desk *desk,
                                     const json_t *workspace, struct den_error *err)
{
    const char *model = json_string_value(json_object_get(workspace, "model"));
    const char *system = json_string_value(json_object_get(workspace, "system"));
    size_t question = find_question(options->request.messages);
    const char *refusal;
    json_t *messages;

    if (!options->request.messages || question == json_array_size(options->request.messages))
        return den_fail(err, DEN_INVALID,
                        "'model' is a workspace, which needs 'messages' with one of the user");
    messages = copy_messages(options->request.messages, &question, system);
    if (den_body_keep(options, "den model", json_string(model), err) != DEN_OK ||
        take_parameters(options, workspace, err) != DEN_OK ||
        search(options, desk, workspace, messages, question, err) != DEN_OK) {
        json_decref(messages);
        return err->status;
    }
    options->model = *model ? json_string_value(json_object_get(options->body, "den model")) : NULL;
    refusal = options->grounding ? den_grounding_refusal(options->grounding) : NULL;
    if (refusal) {
        json_decref(messages);
        return refuse(options, refusal, err);
    }
    if (options->grounding && fit(options, den_desk_roster(desk), messages, err) != DEN_OK) {
        json_decref(messages);
        return err->status;
    }
    if (options->grounding)
        den_grounding_sample(options->grounding, &options->request);
    if (den_body_keep(options, "den messages", messages, err) != DEN_OK)
        return err->status;
    options->request.messages = messages;
    return options->grounding ? hold_to_form(options, err) : DEN_OK;
}

enum den_status den_call_ground(struct den_call_options *options, struct den_desk *desk,
                                struct den_error *err)
{
    json_t *workspace = NULL;

    if (!options->model || strncmp(options->model, prefix, sizeof prefix - 1) != 0)
        return DEN_OK;
    if (den_workspace_by_name(den_desk_threads(desk), options->model + sizeof prefix - 1,
                              &workspace, err) == DEN_OK)
        ask_workspace(options, desk, workspace, err);
    json_decref(workspace);
    return err->status;
}

bool den_call_holds_ends(const struct den_call *call)
{
    return call->options.grounding && (call->options.stream || call->surface->tells_always);
}

void den_call_cite(struct den_call *call)
{
    struct den_choice *choice = &call->choices[0];
    struct den_error ignored = { 0 };
    char *marked = NULL;

    if (!call->options.grounding || call->is_cited || choice->text.length == 0)
        return;
    call->is_cited = true;
    if (den_grounding_cite(call->options.grounding, choice->text.data, &marked, &ignored) ==
        DEN_OK) {
        den_buffer_clear(&choice->text);
        den_buffer_append_text(&choice->text, marked);
    }
    free(marked);
}

/* object["den"], which is made where there is none. */
static json_t *den_of(json_t *object)
{
    json_t *den = json_object_get(object, "den");

    if (!den) {
        den = json_object();
        json_object_set_new(object, "den", den);
    }
    return den;
}

void den_call_add_sources(json_t *object, const struct den_call *call)
{
    if (call->options.grounding)
        json_object_set_new(den_of(object), "sources",
                            den_grounding_sources(call->options.grounding));
}

void den_call_add_citations(json_t *object, const struct den_call *call)
{
    const struct den_buffer *text = &call->choices[0].text;
    json_t *sources, *den;

    if (!call->options.grounding)
        return;
    den = den_of(object);
    sources = den_grounding_sources(call->options.grounding);
    json_object_set(den, "citations", json_object_get(sources, "citations"));
    json_object_set_new(den, "content", json_stringn(text->data, text->length));
    json_decref(sources);
}
