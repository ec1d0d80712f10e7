/* See worker.h. A worker is an engine, a scheduler that drives it, and this translation: messages
 * to a prompt's tokens (on the caller's thread, so that a long conversation being rendered delays
 * nobody), the scheduler's events to the plain data that the front may see. */
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "schedule/scheduler.h"
#include "worker/worker_request.h"

enum { SEQUENCES_DEFAULT = 8 };

struct den_worker {
    struct den_engine *engine;
    struct den_scheduler *scheduler;
    struct den_worker_info info;
    char *model_name;
    char description[64];
};

struct den_ticket {
    struct den_worker *worker;
    struct den_job *job;
    den_worker_handler handler;
    void *context;
    bool logprobs;
};

/* --- start and stop --- */

/* The type that most weights have: what people call a model's quantization. */
static const char *main_type(const char *path)
{
    size_t elements[DEN_TYPE_COUNT] = { 0 }, best = 0, i;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };

    if (den_weights_open(path, &weights, &err) != DEN_OK)
        return "";
    for (i = 0; i < den_weights_tensor_count(weights); i++) {
        const struct den_tensor *tensor = den_weights_tensor(weights, i);

        if (tensor->type < DEN_TYPE_COUNT)
            elements[tensor->type] += den_tensor_elements(tensor);
    }
    den_weights_close(weights);
    for (i = 0; i < DEN_TYPE_COUNT; i++)
        if (elements[i] > elements[best])
            best = i;
    return den_type_info((uint32_t)best)->text;
}

static void describe(struct den_worker *worker, const char *path)
{
    const struct den_description *model = den_engine_description(worker->engine);
    const struct den_device *device = den_engine_device(worker->engine);
    const char *type = main_type(path);
    double millions = (double)model->parameters / 1e6;

    if (!type)
        type = "";
    if (millions >= 999.5)
        snprintf(worker->description, sizeof worker->description, "%.1fB %s", millions / 1e3, type);
    else
        snprintf(worker->description, sizeof worker->description, "%.0fM %s", millions, type);
    worker->info = (struct den_worker_info){
        .model_name = worker->model_name,
        .architecture = model->architecture,
        .description = worker->description,
        .context_tokens = den_engine_context(worker->engine),
        .vocabulary = den_tokenizer_size(den_engine_tokenizer(worker->engine)),
        .parameters = model->parameters,
        .threads = den_device_threads(device),
        .cpu_features = den_device_features(device),
        .sandbox = "none",
        .chat_template = "",
    };
}

enum den_status den_worker_start(const struct den_worker_options *options, struct den_worker **out,
                                 struct den_error *err)
{
    const size_t sequences = options->sequences ? options->sequences : SEQUENCES_DEFAULT;
    const struct den_engine_options wanted = {
        .path = options->model_path,
        .threads = options->threads,
        .cpu_features = options->cpu_features,
        .precision = options->fp32 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8,
        .context_tokens = options->context_tokens,
        .sequences = sequences,
    };
    struct den_worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
    worker->model_name = strdup(options->model_name ? options->model_name : options->model_path);
    if (!worker->model_name) {
        den_fail(err, DEN_NO_MEMORY, "worker: out of memory");
        goto fail;
    }
    if (den_engine_open(&wanted, &worker->engine, err) != DEN_OK ||
        den_scheduler_create(worker->engine, sequences, &worker->scheduler, err) != DEN_OK)
        goto fail;
    describe(worker, options->model_path);
    *out = worker;
    return DEN_OK;
fail:
    den_worker_stop(worker);
    return err->status;
}

void den_worker_stop(struct den_worker *worker)
{
    if (!worker)
        return;
    den_scheduler_destroy(worker->scheduler);
    den_engine_close(worker->engine);
    free(worker->model_name);
    free(worker);
}

const struct den_worker_info *den_worker_info(const struct den_worker *worker)
{
    return &worker->info;
}

/* A thread is always awake. */
void den_worker_status(const struct den_worker *worker, struct den_worker_status *out)
{
    (void)worker;
    *out = (struct den_worker_status){ .state = DEN_WORKER_READY };
}

enum den_status den_worker_sleep(struct den_worker *worker, struct den_error *err)
{
    return den_fail(err, DEN_BUSY, "model '%s' can't be put to sleep", worker->info.model_name);
}

/* --- events --- */

/* Control tokens add no bytes to a text; their names stand for them in a list of alternatives. */
static struct den_worker_logprob show_token(const struct den_worker *worker, den_token token,
                                            float logprob)
{
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(worker->engine);
    struct den_token_text text = { .bytes = "", .length = 0 };

    if (token != DEN_TOKEN_NONE) {
        text = den_tokenizer_piece(tokenizer, token);
        if (text.length == 0)
            text = den_tokenizer_name(tokenizer, token);
    }
    return (struct den_worker_logprob){ .text = text.bytes ? text.bytes : "",
                                        .length = text.length,
                                        .logprob = logprob };
}

static void on_text(struct den_ticket *ticket, const struct den_generation_event *event)
{
    struct den_worker_logprob own, top[DEN_LOGPROBS_MAX];
    struct den_worker_event out = { .kind = DEN_WORKER_TEXT,
                                    .text = event->text ? event->text : "",
                                    .text_length = event->text_length,
                                    .prompt_done = event->prompt_done,
                                    .prompt_total = event->prompt_total };
    size_t i;

    if (ticket->logprobs && event->token != DEN_TOKEN_NONE) {
        own = show_token(ticket->worker, event->token, event->logprob);
        for (i = 0; i < event->top_count && i < DEN_LOGPROBS_MAX; i++)
            top[i] = show_token(ticket->worker, event->top[i].token, event->top[i].logprob);
        out.logprob = &own;
        out.top = top;
        out.top_count = i;
    }
    if (out.text_length > 0 || out.logprob)
        ticket->handler(ticket->context, &out);
}

static void on_event(void *context, const struct den_generation_event *event)
{
    struct den_ticket *ticket = context;
    const struct den_worker_event progress = { .kind = DEN_WORKER_PROGRESS,
                                               .prompt_done = event->prompt_done,
                                               .prompt_total = event->prompt_total,
                                               .text = "" };

    if (event->token == DEN_TOKEN_NONE && event->text_length == 0)
        ticket->handler(ticket->context, &progress);
    else
        on_text(ticket, event);
}

static void on_end(void *context, const struct den_job_end *end)
{
    struct den_ticket *ticket = context;
    struct den_worker_event out = { .kind = DEN_WORKER_END,
                                    .text = "",
                                    .finish = den_finish_text(end->finish),
                                    .error = end->error,
                                    .wait_seconds = end->wait_seconds };

    if (end->result) {
        out.prompt_tokens = end->result->prompt_tokens;
        out.cached_tokens = end->result->cached_tokens;
        out.generated_tokens = end->result->generated_tokens;
        out.prompt_seconds = end->result->prompt_seconds;
        out.generate_seconds = end->result->generate_seconds;
        out.seed = end->result->seed;
    }
    ticket->handler(ticket->context, &out);
}

/* --- requests --- */

/* A conversation that ends with an assistant's text asks for the rest of it, not for another turn;
 * one that ends with tool calls is the template's to judge. */
static bool ends_with_answer(const json_t *messages)
{
    const json_t *last = json_array_size(messages) > 0
                             ? json_array_get(messages, json_array_size(messages) - 1)
                             : NULL;
    const char *role = json_string_value(json_object_get(last, "role"));

    return role && strcmp(role, "assistant") == 0 &&
           json_array_size(json_object_get(last, "tool_calls")) == 0;
}

static enum den_status encode_prompt(const struct den_worker *worker,
                                     const struct den_worker_request *request,
                                     struct den_tokens *out, struct den_error *err)
{
    const struct den_chat_request chat = { .messages = request->messages,
                                           .tools = request->tools,
                                           .add_generation_prompt = true,
                                           .continue_last = ends_with_answer(request->messages),
                                           .now = den_clock_unix() };

    if (request->messages)
        return den_chat_encode(den_engine_chat(worker->engine), &chat, out, err);
    return den_tokenizer_encode(den_engine_tokenizer(worker->engine), request->prompt,
                                strlen(request->prompt),
                                DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL, out, err);
}

enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err)
{
    struct den_ticket *ticket = calloc(1, sizeof *ticket);
    struct den_sampler_options sampler = { 0 };
    struct den_tokens prompt = { 0 };
    struct den_job_options job = { .on_end = on_end };

    if (!ticket)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    *ticket = (struct den_ticket){
        .worker = worker, .handler = handler, .context = context, .logprobs = request->logprobs >= 0
    };
    if (den_worker_check(request, err) != DEN_OK ||
        den_worker_sampler(request, worker->info.vocabulary, &sampler, err) != DEN_OK ||
        encode_prompt(worker, request, &prompt, err) != DEN_OK)
        goto done;
    job.generation = (struct den_generation_options){
        .prompt = prompt.items,
        .prompt_count = prompt.count,
        .sampler = sampler,
        .stops = request->stops,
        .stop_count = request->stop_count,
        .max_tokens = request->max_tokens > 0 ? (size_t)request->max_tokens : 0,
        .logprobs = request->logprobs,
        .on_event = on_event,
        .context = ticket,
    };
    if (den_scheduler_submit(worker->scheduler, &job, &ticket->job, err) == DEN_OK)
        *out = ticket;
done:
    if (err->status != DEN_OK)
        free(ticket);
    if (sampler.logit_bias_count > 0)
        free((void *)sampler.logit_bias);
    den_tokens_deinit(&prompt);
    return err->status;
}

void den_ticket_cancel(struct den_ticket *ticket)
{
    den_job_cancel(ticket->job);
}

void den_ticket_release(struct den_ticket *ticket)
{
    if (!ticket)
        return;
    den_job_release(ticket->job);
    free(ticket);
}
