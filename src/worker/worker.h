/* Worker: runs models for the front. This header is all that desk/ sees of everything below it.
 *
 * A worker takes requests from any thread and runs them together on its own thread, one batch a
 * step (continuous batching). What comes back are events, delivered on the worker's thread in
 * order: progress while a prompt is read, text, and one end. Here it is a thread of this process;
 * the interface is made of plain data so that it can be a sandboxed process. */
#ifndef DEN_WORKER_WORKER_H
#define DEN_WORKER_WORKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct den_worker;

struct den_worker_options {
    const char *model_path;
    const char *model_name; /* what clients see */
    int threads;
    const char *cpu_features; /* NULL: all that the processor has */
    size_t context_tokens;
    size_t sequences; /* requests run together; more wait in line. 0: 8 */
    bool fp32;
};

enum den_status den_worker_start(const struct den_worker_options *options, struct den_worker **out,
                                 struct den_error *err);
/* Cancels what runs, joins the thread. */
void den_worker_stop(struct den_worker *worker);

struct den_worker_info {
    const char *model_name;
    const char *architecture;
    const char *description; /* "135M Q4_1" */
    size_t context_tokens;
    size_t vocabulary;
    size_t parameters;
    int threads;
    const char *cpu_features;
};
const struct den_worker_info *den_worker_info(const struct den_worker *worker);

/* What clients may set; fields left at their initial value (den_worker_request_defaults) take the
 * model's defaults. */
struct den_worker_request {
    const json_t *messages; /* chat: array of messages (if the last is an assistant's text, it is
                               continued) ... */
    const json_t *tools;
    const char *prompt; /* ... or a raw prompt, with no template */
    const char *preset; /* "creative", "factual", "classify" or NULL */
    double temperature, top_p, min_p, typical_p, frequency_penalty, presence_penalty,
        repeat_penalty;        /* NAN: unset */
    int64_t top_k, max_tokens; /* -1: unset */
    int64_t seed;              /* -1: random */
    int logprobs;              /* -1: none */
    const char *const *stops;
    size_t stop_count;
    const json_t *logit_bias; /* {"token id": bias} or NULL */
};
struct den_worker_request den_worker_request_defaults(void);

struct den_worker_logprob {
    const char *text; /* the token's bytes */
    size_t length;
    float logprob;
};

enum den_worker_event_kind { DEN_WORKER_PROGRESS, DEN_WORKER_TEXT, DEN_WORKER_END };
struct den_worker_event {
    enum den_worker_event_kind kind;
    size_t prompt_done, prompt_total; /* PROGRESS */
    const char *text;                 /* TEXT: valid UTF-8 */
    size_t text_length;
    const struct den_worker_logprob
        *logprob; /* TEXT, when asked for: the token and then `top_count` alternatives */
    const struct den_worker_logprob *top;
    size_t top_count;
    const char *finish; /* END: "stop", "length", "cancelled", "error" */
    const struct den_error *error;
    size_t prompt_tokens, cached_tokens, generated_tokens;
    double prompt_seconds, generate_seconds, wait_seconds;
    uint64_t seed;
};
typedef void (*den_worker_handler)(void *context, const struct den_worker_event *event);

struct den_ticket; /* a request in line or running */

/* Checks and enqueues; everything is copied. Errors of the request itself (a prompt beyond the
 * context, a bad message) come back here, not as events. DEN_BUSY when the line is full. After
 * DEN_OK exactly one END event follows. */
enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err);
/* From any thread; within one token an END with finish "cancelled" follows (unless it had ended).
 */
void den_ticket_cancel(struct den_ticket *ticket);
/* Gives the ticket up: cancels if needed and waits until no more events can come. Not from the
 * handler. */
void den_ticket_release(struct den_ticket *ticket);

#endif
