/* den ask: one question to a workspace, answered from its documents, with the sources below. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "cli/answer_marks.h"
#include "cli/asked_documents.h"
#include "cli/model_options.h"
#include "desk/answer_parameters.h"
#include "desk/grounding.h"

enum { ANSWER_TOKENS = 512, ANSWER_SHARE = 4 };

/* What the worker's thread gathers. */
struct answer {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct den_buffer text;
    struct den_error error;
    bool has_ended;
};

static void on_event(void *context, const struct den_worker_event *event)
{
    struct answer *answer = context;

    pthread_mutex_lock(&answer->lock);
    if (event->kind == DEN_WORKER_TEXT)
        den_buffer_append(&answer->text, event->text, event->text_length);
    if (event->kind == DEN_WORKER_END) {
        if (event->error)
            answer->error = *event->error;
        answer->has_ended = true;
        pthread_cond_signal(&answer->ended);
    }
    pthread_mutex_unlock(&answer->lock);
}

/* The whole answer to a request; free() it. */
static enum den_status ask_worker(struct den_worker *worker,
                                  const struct den_worker_request *request, char **out,
                                  struct den_error *err)
{
    struct answer answer = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    struct den_ticket *ticket = NULL;

    den_buffer_init(&answer.text, DEN_ANSWER_BYTES_MAX);
    if (den_worker_submit(worker, request, on_event, &answer, &ticket, err) == DEN_OK) {
        pthread_mutex_lock(&answer.lock);
        while (!answer.has_ended)
            pthread_cond_wait(&answer.ended, &answer.lock);
        pthread_mutex_unlock(&answer.lock);
        den_ticket_release(ticket);
        *err = answer.error;
    }
    if (err->status == DEN_OK) {
        *out = answer.text.length > 0 ? den_buffer_take(&answer.text) : strdup("");
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "ask: out of memory");
    }
    den_buffer_deinit(&answer.text);
    return err->status;
}

/* What one question is made of. */
struct question {
    json_t *workspace, *messages;
    struct den_grounding *grounding; /* NULL: the workspace has no documents */
    struct den_worker_request request;
    const char *stops[DEN_STOP_STRINGS_MAX];
    char *grammar;
};

static enum den_status fit(struct question *question, struct den_worker *worker,
                           struct den_error *err)
{
    const struct den_worker_info *info = den_worker_info(worker);
    struct den_grounding_room room = { .counter = { worker, den_worker_tokenize },
                                       .context_tokens = info->context_tokens,
                                       .parameters = info->parameters };
    json_t *applied = NULL;

    if (!question->grounding)
        return DEN_OK;
    if (den_worker_apply_template(worker, &question->request, &applied, err) == DEN_OK) {
        room.used_tokens = (size_t)json_integer_value(json_object_get(applied, "tokens"));
        room.answer_tokens = info->context_tokens / ANSWER_SHARE < ANSWER_TOKENS
                                 ? info->context_tokens / ANSWER_SHARE
                                 : ANSWER_TOKENS;
        den_grounding_fit(question->grounding, &room, question->messages, err);
        question->grammar = den_grounding_grammar(question->grounding);
        question->request.grammar = question->grammar;
        den_grounding_sample(question->grounding, &question->request);
    }
    json_decref(applied);
    return err->status;
}

static enum den_status answer_by_model(struct question *question, struct den_roster *roster,
                                       const char *model, char **out, struct den_error *err)
{
    struct den_worker *worker;
    char *text = NULL;

    if (den_roster_take(roster, model, DEN_WORKER_CHAT, &worker, err) != DEN_OK)
        return err->status;
    if (fit(question, worker, err) == DEN_OK &&
        ask_worker(worker, &question->request, &text, err) == DEN_OK) {
        if (question->grounding)
            den_grounding_cite(question->grounding, text, out, err);
        else
            *out = strdup(text);
    }
    free(text);
    den_roster_give_back(roster, worker);
    return err->status;
}

static void print_sources(const json_t *sources)
{
    json_t *passage;
    size_t i;

    if (!json_is_true(json_object_get(sources, "found")))
        printf("\nNothing in the documents matches the question (%lld passages were searched).\n",
               (long long)json_integer_value(json_object_get(sources, "searched")));
    json_array_foreach(json_object_get(sources, "passages"), i, passage)
    {
        const json_t *part = json_object_get(passage, "part");

        printf("%s[%lld] %s, %s %lld\n", i == 0 ? "\n" : "",
               (long long)json_integer_value(json_object_get(passage, "number")),
               json_string_value(json_object_get(passage, "name")),
               json_string_value(json_object_get(part, "kind")),
               (long long)json_integer_value(json_object_get(part, "number")));
    }
}

static enum den_status print_answer(const struct den_arguments *arguments,
                                    const struct question *question, const char *text,
                                    struct den_error *err)
{
    json_t *sources = question->grounding ? den_grounding_sources(question->grounding) : NULL;

    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(json_pack("{s:s, s:o?}", "answer", text, "sources", sources),
                                  err);
    den_cli_answer_print(stdout, text, json_object_get(sources, "citations"),
                         den_cli_takes_styles());
    if (sources)
        print_sources(sources);
    den_cli_doubts_print(stdout, text, json_object_get(sources, "citations"));
    json_decref(sources);
    return DEN_OK;
}

static enum den_status prepare(const struct den_arguments *arguments,
                               struct den_cli_documents *open, struct question *out,
                               struct den_error *err)
{
    struct den_grounding_options options = { .question = den_operand(arguments, 0),
                                             .settings = den_retrieval_defaults() };
    const char *system;

    if (den_workspace_by_name(open->files.threads, den_argument_text(arguments, "workspace"),
                              &out->workspace, err) != DEN_OK ||
        den_retrieval_settings_read(json_object_get(out->workspace, "retrieval"), &options.settings,
                                    err) != DEN_OK)
        return err->status;
    options.settings.only_documents = !den_argument_flag(arguments, "own-knowledge");
    options.workspace = json_string_value(json_object_get(out->workspace, "id"));
    system = json_string_value(json_object_get(out->workspace, "system"));
    out->messages = json_array();
    if (system && *system)
        json_array_append_new(out->messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", system));
    if (json_array_append_new(out->messages, json_pack("{s:s, s:s}", "role", "user", "content",
                                                       options.question)) != 0)
        return den_fail(err, DEN_INVALID, "the question is not valid UTF-8");
    out->request = den_worker_request_defaults();
    out->request.messages = out->messages;
    if (den_answer_parameters_read(json_object_get(out->workspace, "parameters"), &out->request,
                                   out->stops, err) != DEN_OK)
        return err->status;
    return den_grounding_begin(open->retrieval, open->files.threads, &options, &out->grounding,
                               err);
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *model = den_argument_text(arguments, "model"), *refusal;
    struct question question = { 0 };
    struct den_cli_documents open;
    char *text = NULL;

    if (!den_argument_text(arguments, "workspace"))
        return den_fail(err, DEN_INVALID, "--workspace is missing; it says whose documents to ask");
    if (den_cli_documents_open(NULL, &open, err) != DEN_OK)
        return err->status;
    if (prepare(arguments, &open, &question, err) == DEN_OK) {
        if (!model)
            model = json_string_value(json_object_get(question.workspace, "model"));
        refusal = question.grounding ? den_grounding_refusal(question.grounding) : NULL;
        if (refusal)
            text = strdup(refusal);
        else
            answer_by_model(&question, open.roster, model, &text, err);
        if (err->status == DEN_OK && text)
            print_answer(arguments, &question, text, err);
    }
    free(text);
    free(question.grammar);
    den_grounding_destroy(question.grounding);
    json_decref(question.messages);
    json_decref(question.workspace);
    den_cli_documents_close(&open);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "workspace",
      .letter = 'w',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "whose documents are asked" },
    { .name = "model",
      .letter = 'm',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "the model that answers; without it, the workspace's, else the default" },
    { .name = "own-knowledge",
      .kind = DEN_OPTION_FLAG,
      .help = "what is not in the documents the model may answer from what it knows itself" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_ask = {
    .name = "ask",
    .summary = "ask your documents and see the sources of the answer",
    .operands = "QUESTION",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Searches the workspace's documents, lets the model answer from what was found, "
                   "and marks each sentence that a passage supports with its number; the passages "
                   "follow, with the page or sheet they are from. A sentence that its passage does "
                   "not clearly say is underlined in a terminal and named below; with --json its "
                   "citation has \"supported\": false. Where nothing in them answers the question, "
                   "that is the answer.",
    .examples = "den ask --workspace House \"What is the notice period of the lease?\"\n"
                "den ask -w House --own-knowledge \"What does usufruct mean?\"\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
