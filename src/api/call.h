/* Call: one client's question while its answers are made, for every surface that asks a model.
 *
 * Two threads meet here. The worker's delivers events and must never wait: under a short lock it
 * lets the surface encode into a bounded queue and rings an eventfd. The connection's sleeps on
 * that eventfd and on its client's socket, and sends. A reader who is so slow that the queue is
 * full loses its generation, and nobody else notices. Several answers are several requests to the
 * worker.
 *
 * A surface (OpenAI's chat, its responses, Ollama's chat, ...) is a table of functions that only
 * encode: what begins a stream, what a piece of text becomes, what ends it, and what a whole answer
 * looks like. All are called with the call's lock held, never two at a time. Any may be NULL: then
 * that event is not told. Reading the client's body into a struct den_call_options is the other
 * half of a surface; fields.h has what bodies share. */
#ifndef DEN_API_CALL_H
#define DEN_API_CALL_H

#include <pthread.h>

#include "api/reply.h"
#include "base/buffer.h"
#include "desk/desk.h"

struct den_call;
struct den_grounding;

struct den_call_tool {
    char *id, *name;
    struct den_buffer arguments; /* JSON */
};

/* One answer. Text, reasoning, logprobs and tools are gathered for an answer that is not streamed,
 * and for streams whose surface wants them at the end (`gathers`). */
struct den_choice {
    struct den_call *call;
    size_t index;
    struct den_ticket *ticket;
    struct den_buffer text, reasoning;
    json_t *logprobs; /* array of den_logprob_json(); NULL: not asked for */
    struct den_call_tool *tools;
    size_t tool_count;
    size_t tools_begun; /* also where they are not gathered */
    size_t prompt_done, prompt_total;
    bool has_ended;
    const char *finish;          /* "stop", "length", "tool_calls" */
    char *stop_string, *note;    /* NULL: none */
    struct den_error error;      /* not DEN_OK: there is no answer */
    struct den_worker_event end; /* counts and times of the END event; its texts are not kept */
};

struct den_surface {
    const char *name;         /* "openai.chat" */
    const char *content_type; /* of a stream */
    const char *sign_of_life; /* sent when a stream is silent for long; NULL: nothing */
    bool gathers;
    bool tells_always; /* the functions below are called for answers that are not streamed, too */
    /* A stream: before the first event (the worker has not been asked yet), ... */
    void (*begin)(struct den_call *call);
    void (*progress)(struct den_choice *choice, const struct den_worker_event *event);
    void (*text)(struct den_choice *choice, const struct den_worker_event *event);
    void (*reasoning)(struct den_choice *choice, const struct den_worker_event *event);
    void (*tool_call)(struct den_choice *choice, const struct den_worker_event *event);
    void (*tool_arguments)(struct den_choice *choice, const struct den_worker_event *event);
    void (*end)(struct den_choice *choice);   /* one answer is whole */
    void (*error)(struct den_choice *choice); /* or failed: choice->error */
    void (*finish)(struct den_call *call);    /* all have ended, well or not */
    /* On the connection's thread, when all have ended and before `whole`: may wait for the disk,
     * and send more. */
    void (*settle)(struct den_call *call);
    /* Not a stream: the body of the reply. */
    json_t *(*whole)(struct den_call *call);
    /* Changes the request of answer `index`; NULL: only the seeds differ. */
    enum den_status (*vary)(struct den_call *call, size_t index, struct den_worker_request *request,
                            struct den_error *err);
    void (*free_state)(void *state);
};

struct den_call_options {
    const struct den_surface *surface;
    void *state;       /* the surface's own; the call takes it over, as it does `body` */
    json_t *body;      /* what `request` points into; kept as long as the call */
    const char *model; /* NULL: the one that serves the role */
    bool stream;
    size_t count; /* answers, 1 to DEN_CALL_ANSWERS_MAX */
    const char *stops[DEN_STOP_STRINGS_MAX];
    struct den_worker_request request; /* its `stops` are set by the call */
    struct den_grounding *grounding;   /* of "workspace:NAME"; NULL: the model alone answers */
};

struct den_call {
    const struct den_surface *surface;
    struct den_call_options options;
    struct den_roster *roster;
    struct den_worker *worker;
    const struct den_worker_info *model;
    char id[25];     /* random hexadecimal digits; surfaces put their own prefix before it */
    int64_t created; /* Unix time */
    int event_fd;
    bool is_settled, is_cited; /* of the connection's thread */
    pthread_mutex_t lock;
    /* guarded by `lock` */
    struct den_buffer queue; /* of a stream: bytes not yet sent, from `sent` on */
    size_t sent;
    size_t ended;   /* answers that have */
    bool is_broken; /* the queue is full, or memory is */
    size_t count;
    struct den_choice *choices; /* (count) */
};

/* The initial values: nothing asked for, one answer. */
struct den_call_options den_call_defaults(const struct den_surface *surface);

/* Takes a worker and submits all answers. State and body are the call's from here on, also when it
 * fails. */
enum den_status den_call_start(struct den_call_options *options, struct den_roster *roster,
                               struct den_call **out, struct den_error *err);
/* Cancels what still runs. */
void den_call_destroy(struct den_call *call);
/* Frees state and body of options that no call was started with. */
void den_call_options_deinit(struct den_call_options *options);

/* --- for surfaces, under the lock --- */

/* Put into the queue and free `value`: one server-sent event (`name` NULL: without `event:`), or
 * one line of JSON. */
void den_call_send_event(struct den_call *call, const char *name, json_t *value);
void den_call_send_line(struct den_call *call, json_t *value);
void den_call_send_text(struct den_call *call, const char *text);
/* Nothing more can be told this client: stops working for it. */
void den_call_break(struct den_call *call);
/* A token and its alternatives as OpenAI has them: {token, logprob, bytes, top_logprobs}. */
json_t *den_logprob_json(const struct den_worker_event *event);
/* Den's own "den" object: what was measured. */
json_t *den_measures_json(const struct den_choice *choice);
/* object["den"] = {"note"}: what was wrong with the answer, where something was. */
void den_note_add(json_t *object, const struct den_choice *choice);
/* Sum over the answers, and of the first prompt. */
size_t den_call_generated_tokens(const struct den_call *call);
/* `prefix` and the call's id. */
json_t *den_call_id_json(const struct den_call *call, const char *prefix);

/* --- for the connection's thread --- */

/* Takes up to `capacity` bytes of the stream into `out`; 0: nothing there now. *out_done: nothing
 * will come any more. */
size_t den_call_take(struct den_call *call, char *out, size_t capacity, bool *out_done);
bool den_call_has_ended(struct den_call *call);
bool den_call_is_broken(struct den_call *call);
/* What is left to do when all answers have ended, once: an answer that stands on documents is
 * marked and its end told, and the surface settles. False: there was nothing to do. */
bool den_call_settle(struct den_call *call);
/* Makes the eventfd unreadable until the next event. */
void den_call_quiet(struct den_call *call);
/* 24 random hexadecimal digits and a terminator. */
enum den_status den_random_id(char out[25], struct den_error *err);

/* --- models that are workspaces (call_ground.c) --- */

/* "workspace:NAME" as the model: its documents are searched, what is found goes into the messages,
 * and the workspace's own model answers. Other names: nothing happens. */
enum den_status den_call_ground(struct den_call_options *options, struct den_desk *desk,
                                struct den_error *err);
/* Whether the ends of the answers wait until the first of them has been marked, which embeds its
 * sentences: not on a worker's thread. */
bool den_call_holds_ends(const struct den_call *call);
/* Marks what the passages support in the first answer, which is whole; once. */
void den_call_cite(struct den_call *call);
/* object["den"]["sources"], where there are any. */
void den_call_add_sources(json_t *object, const struct den_call *call);
/* At the end of a stream: object["den"]["citations"], and ["content"] with the markers that they
 * are about, which the deltas did not have. */
void den_call_add_citations(json_t *object, const struct den_call *call);

/* Starts the call and answers the request, whole or as a stream. */
enum MHD_Result den_call_answer(struct den_request *request, struct den_call_options *options);

#endif
