/* A worker without a model, for tests of the HTTP interface: it defines worker.h's functions, which
 * the linker then prefers to the real ones, so that the real roster hands out fakes. Each request
 * is a thread. What it does is what the last message (or the prompt) says: "slow" takes 20 ms a
 * token, "flood" sends a kilobyte a token without end, "error", "busy", "context" fail, "think"
 * begins with reasoning, "call" makes a tool call and "calls" two, "broken" comes back with a note.
 * Other messages are answered with max_tokens (else 4) times "word ". A chat model is called
 * "fake", an embedding model "fake-embed". The one file that defines FAKE_WORKER_HERE before it
 * includes this gets the definitions. */
#ifndef DEN_TESTS_UNIT_API_FAKE_WORKER_H
#define DEN_TESTS_UNIT_API_FAKE_WORKER_H

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "desk/desk.h"

struct den_worker {
    struct den_worker_info info;
};

/* What the last request looked like, as JSON: for tests of what arrives. */
extern char fake_seen[4096];

extern atomic_int fake_running, fake_cancelled;
extern atomic_long fake_tokens;
extern const struct den_worker_info fake_info;

#ifdef FAKE_WORKER_HERE

struct den_ticket {
    pthread_t thread;
    den_worker_handler handler;
    void *context;
    char text[32];
    int64_t max_tokens;
    int64_t seed;
    int logprobs;
    atomic_bool cancelled;
};

char fake_seen[4096];
atomic_int fake_running, fake_cancelled;
atomic_long fake_tokens;

const struct den_worker_info fake_info = { .model_name = "fake",
                                           .architecture = "llama",
                                           .description = "1M F32",
                                           .context_tokens = 4096,
                                           .vocabulary = 100,
                                           .width = 4,
                                           .parameters = 1000000,
                                           .threads = 2,
                                           .cpu_features = "" };

enum den_status den_worker_start(const struct den_worker_options *options, struct den_worker **out,
                                 struct den_error *err)
{
    struct den_worker *worker = calloc(1, sizeof *worker);

    (void)err;
    worker->info = fake_info;
    worker->info.model_name = strdup(options->model_name);
    if (strcmp(options->model_name, "fake-embed") == 0)
        worker->info.role = DEN_WORKER_EMBEDDING;
    if (strcmp(options->model_name, "fake-rerank") == 0)
        worker->info.role = DEN_WORKER_RERANKER;
    *out = worker;
    return DEN_OK;
}

void den_worker_stop(struct den_worker *worker)
{
    if (!worker)
        return;
    free((void *)worker->info.model_name);
    free(worker);
}

void den_worker_status(const struct den_worker *worker, struct den_worker_status *out)
{
    (void)worker;
    *out = (struct den_worker_status){ .state = DEN_WORKER_READY };
}

size_t den_worker_activity(struct den_worker *worker, struct den_worker_activity *out,
                           size_t capacity)
{
    (void)worker;
    if (capacity == 0 || fake_running == 0)
        return 0;
    *out = (struct den_worker_activity){ .id = 7,
                                         .surface = "openai.chat",
                                         .state = DEN_ACTIVITY_WRITING,
                                         .age_seconds = 2,
                                         .prompt_done = 20,
                                         .prompt_tokens = 20,
                                         .generated_tokens = 3,
                                         .tokens_per_s = 1.5 };
    return 1;
}

enum den_status den_worker_sleep(struct den_worker *worker, struct den_error *err)
{
    (void)worker, (void)err;
    return DEN_OK;
}

/* A token a byte. */
enum den_status den_worker_tokenize(struct den_worker *worker, const char *text, size_t length,
                                    unsigned flags, json_t *out_ids, struct den_error *err)
{
    size_t i;

    (void)worker, (void)flags, (void)err;
    for (i = 0; i < length; i++)
        json_array_append_new(out_ids, json_integer((unsigned char)text[i]));
    return DEN_OK;
}

enum den_status den_worker_detokenize(struct den_worker *worker, const json_t *ids,
                                      json_t **out_text, struct den_error *err)
{
    char text[256] = "";
    size_t i;

    (void)worker, (void)err;
    for (i = 0; i < json_array_size(ids) && i < sizeof text - 1; i++)
        text[i] = (char)json_integer_value(json_array_get(ids, i));
    *out_text = json_string(text);
    return DEN_OK;
}

enum den_status den_worker_apply_template(struct den_worker *worker,
                                          const struct den_worker_request *request, json_t **out,
                                          struct den_error *err)
{
    (void)worker, (void)request, (void)err;
    *out = json_pack("{s:s, s:i}", "prompt", "prompt", "tokens", 1);
    return DEN_OK;
}

/* The first number of a vector is the text's length, the others 0.5. */
enum den_status den_worker_embed(struct den_worker *worker,
                                 const struct den_worker_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err)
{
    const size_t width = request->dimensions ? request->dimensions : worker->info.width;
    size_t i, j;

    if (worker->info.role != DEN_WORKER_EMBEDDING)
        return den_fail(err, DEN_UNSUPPORTED, "not an embedding model");
    for (i = 0; i < request->count; i++) {
        for (j = 0; j < width; j++)
            out_vectors[i * width + j] = j == 0 ? (float)request->lengths[i] : 0.5f;
        if (out_tokens)
            out_tokens[i] = request->lengths[i];
    }
    return DEN_OK;
}

/* The score is the number of the query's first letters that the text begins with. */
enum den_status den_worker_rerank(struct den_worker *worker, const char *query,
                                  const struct den_worker_embed_request *request, float *out_scores,
                                  size_t *out_tokens, struct den_error *err)
{
    size_t i;

    if (worker->info.role != DEN_WORKER_RERANKER)
        return den_fail(err, DEN_UNSUPPORTED, "not a reranker");
    for (i = 0; i < request->count; i++) {
        size_t same = 0;

        while (query[same] && query[same] == request->texts[i][same])
            same++;
        out_scores[i] = (float)same;
        if (out_tokens)
            out_tokens[i] = request->lengths[i];
    }
    return DEN_OK;
}

const struct den_worker_info *den_worker_info(const struct den_worker *worker)
{
    return &worker->info;
}

struct den_worker_request den_worker_request_defaults(void)
{
    return (struct den_worker_request){ .temperature = NAN,
                                        .top_p = NAN,
                                        .min_p = NAN,
                                        .typical_p = NAN,
                                        .frequency_penalty = NAN,
                                        .presence_penalty = NAN,
                                        .repeat_penalty = NAN,
                                        .top_n_sigma = NAN,
                                        .xtc_probability = NAN,
                                        .xtc_threshold = NAN,
                                        .dry_multiplier = NAN,
                                        .dry_base = NAN,
                                        .repeat_last_n = INT64_MIN,
                                        .top_k = -1,
                                        .max_tokens = -1,
                                        .seed = -1,
                                        .logprobs = -1 };
}

static void fake_send_text(struct den_ticket *ticket, const char *text, size_t length)
{
    const struct den_worker_logprob own = { .text = "w\xC3", .length = 2, .logprob = -0.5f };
    const struct den_worker_logprob top[2] = { own,
                                               { .text = "x", .length = 1, .logprob = -INFINITY } };
    struct den_worker_event event = { .kind = DEN_WORKER_TEXT,
                                      .text = text,
                                      .text_length = length };

    if (ticket->logprobs >= 0) {
        event.logprob = &own;
        event.top = top;
        event.top_count = (size_t)ticket->logprobs;
    }
    fake_tokens++;
    ticket->handler(ticket->context, &event);
}

static void fake_send(struct den_ticket *ticket, enum den_worker_event_kind kind, size_t index,
                      const char *text)
{
    static const char *const ids[] = { "call_a", "call_b" };
    const struct den_worker_event event = { .kind = kind,
                                            .text = text,
                                            .text_length = strlen(text),
                                            .tool_index = index,
                                            .tool_id = ids[index],
                                            .tool_name = "weather" };

    ticket->handler(ticket->context, &event);
}

/* Returns the finish. */
static const char *fake_extras(struct den_ticket *ticket, struct den_worker_event *end)
{
    size_t i, calls = strcmp(ticket->text, "calls") == 0  ? 2
                      : strcmp(ticket->text, "call") == 0 ? 1
                                                          : 0;

    if (strcmp(ticket->text, "think") == 0) {
        fake_send(ticket, DEN_WORKER_REASONING, 0, "Hm, ");
        fake_send(ticket, DEN_WORKER_REASONING, 0, "well.");
        end->reasoning_tokens = 3;
    }
    if (strcmp(ticket->text, "broken") == 0)
        end->note = "the call has no name";
    for (i = 0; i < calls; i++) {
        fake_send(ticket, DEN_WORKER_TOOL_CALL, i, "");
        fake_send(ticket, DEN_WORKER_TOOL_ARGUMENTS, i, "{\"city\":");
        fake_send(ticket, DEN_WORKER_TOOL_ARGUMENTS, i, "\"Paris\"}");
    }
    if (calls > 0)
        ticket->max_tokens = 0;
    return calls > 0 ? "tool_calls" : "length";
}

static void *fake_answer(void *context)
{
    struct den_ticket *ticket = context;
    struct den_error error = { 0 };
    struct den_worker_event progress = { .kind = DEN_WORKER_PROGRESS, .prompt_total = 20 };
    struct den_worker_event end = { .kind = DEN_WORKER_END,
                                    .prompt_tokens = 20,
                                    .cached_tokens = 5,
                                    .prompt_seconds = 0.5,
                                    .generate_seconds = 0.25 };
    char flood[1000];
    int64_t made = 0;
    bool is_flood = strcmp(ticket->text, "flood") == 0;

    memset(flood, 'f', sizeof flood);
    for (; progress.prompt_done <= 20; progress.prompt_done += 10)
        ticket->handler(ticket->context, &progress);
    end.finish = fake_extras(ticket, &end);
    while (!ticket->cancelled && strcmp(ticket->text, "error") != 0 &&
           (is_flood || made < ticket->max_tokens)) {
        if (is_flood)
            fake_send_text(ticket, flood, sizeof flood);
        else
            fake_send_text(ticket, "word ", 5);
        made++;
        if (strcmp(ticket->text, "slow") == 0)
            usleep(20000);
    }
    if (strcmp(ticket->text, "error") == 0) {
        den_fail(&error, DEN_INTERNAL, "the fake broke");
        end.finish = "error";
        end.error = &error;
    } else if (ticket->cancelled) {
        end.finish = "cancelled";
        fake_cancelled++;
    }
    end.generated_tokens = (size_t)made;
    end.seed = (uint64_t)ticket->seed;
    fake_running--;
    ticket->handler(ticket->context, &end);
    return NULL;
}

static void fake_see(const struct den_worker_request *request)
{
    json_t *seen =
        json_pack("{s:O*, s:O*, s:O*, s:O*, s:O*, s:O*, s:s*, s:s*, s:b, s:b, s:I}", "messages",
                  request->messages, "tools", request->tools, "tool_choice", request->tool_choice,
                  "variables", request->template_variables, "schema", request->schema,
                  "prompt_tokens", request->prompt_tokens, "grammar", request->grammar, "prompt",
                  request->prompt, "single", request->single_tool_call, "ignore_end",
                  request->ignore_end, "max_tokens", (json_int_t)request->max_tokens);
    char *text = json_dumps(seen, JSON_SORT_KEYS | JSON_COMPACT);
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    snprintf(fake_seen, sizeof fake_seen, "%s", text ? text : "");
    pthread_mutex_unlock(&lock);
    free(text);
    json_decref(seen);
}

enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err)
{
    const json_t *last = json_array_get(request->messages, json_array_size(request->messages) - 1);
    const char *text = json_string_value(json_object_get(last, "content"));
    struct den_ticket *ticket;

    (void)worker;
    fake_see(request);
    text = request->prompt ? request->prompt : text ? text : "";
    if (strcmp(text, "busy") == 0)
        return den_fail(err, DEN_BUSY, "256 requests are waiting already; try again later");
    if (strcmp(text, "context") == 0)
        return den_fail(err, DEN_CONTEXT_FULL, "the prompt has 5000 tokens, the context 4096");
    ticket = calloc(1, sizeof *ticket);
    ticket->handler = handler;
    ticket->context = context;
    ticket->max_tokens = request->max_tokens > 0 ? request->max_tokens : 4;
    ticket->seed = request->seed;
    ticket->logprobs = request->logprobs;
    strncpy(ticket->text, text, sizeof ticket->text - 1);
    fake_running++;
    *out = ticket;
    pthread_create(&ticket->thread, NULL, fake_answer, ticket);
    return DEN_OK;
}

void den_ticket_cancel(struct den_ticket *ticket)
{
    ticket->cancelled = true;
}

void den_ticket_release(struct den_ticket *ticket)
{
    if (!ticket)
        return;
    ticket->cancelled = true;
    pthread_join(ticket->thread, NULL);
    free(ticket);
}

#endif
#endif
