/* A worker without a model, for tests of the HTTP interface: it defines worker.h's functions, which
 * the linker then prefers to the real ones. Each request is a thread. What it does is what the last
 * message says: "slow" takes 20 ms a token, "flood" sends a kilobyte a token without end, "error",
 * "busy", "context" fail. Other messages are answered with max_tokens (else 4) times "word ". The
 * one file that defines FAKE_WORKER_HERE before it includes this gets the definitions. */
#ifndef DEN_TESTS_UNIT_API_FAKE_WORKER_H
#define DEN_TESTS_UNIT_API_FAKE_WORKER_H

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "desk/desk.h"

struct den_worker {
    struct den_worker_info info;
};

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

atomic_int fake_running, fake_cancelled;
atomic_long fake_tokens;

const struct den_worker_info fake_info = { .model_name = "fake",
                                           .architecture = "llama",
                                           .description = "1M F32",
                                           .context_tokens = 4096,
                                           .vocabulary = 100,
                                           .parameters = 1000000,
                                           .threads = 2,
                                           .cpu_features = "" };

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

static void *fake_answer(void *context)
{
    struct den_ticket *ticket = context;
    struct den_error error = { 0 };
    struct den_worker_event progress = { .kind = DEN_WORKER_PROGRESS, .prompt_total = 20 };
    struct den_worker_event end = { .kind = DEN_WORKER_END,
                                    .finish = "length",
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

enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err)
{
    const json_t *last = json_array_get(request->messages, json_array_size(request->messages) - 1);
    const char *text = json_string_value(json_object_get(last, "content"));
    struct den_ticket *ticket;

    (void)worker;
    text = text ? text : "";
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
