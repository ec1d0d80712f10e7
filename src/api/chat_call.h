/* Chat call: one POST /v1/chat/completions while its answers are made.
 *
 * Two threads meet here. The worker's delivers events and must never wait: it appends to bounded
 * buffers under a short lock and rings an eventfd. The connection's sleeps on that eventfd and on
 * its client's socket, and sends. A reader who is so slow that the buffer is full loses its
 * generation, and nobody else notices. `n` answers are `n` requests to the worker. */
#ifndef DEN_API_CHAT_CALL_H
#define DEN_API_CHAT_CALL_H

#include <pthread.h>

#include "api/chat_options.h"
#include "base/buffer.h"

struct den_chat_call;

struct den_chat_choice {
    struct den_chat_call *call;
    size_t index;
    struct den_ticket *ticket;
    /* guarded by the call's lock */
    struct den_buffer text; /* of an answer that is not streamed */
    json_t *logprobs;       /* array, of an answer that is not streamed; NULL: not asked for */
    bool has_ended;
    const char *finish; /* "stop", "length", ... */
    struct den_error error;
    size_t prompt_tokens, cached_tokens, generated_tokens;
    double prompt_seconds, generate_seconds, wait_seconds;
    uint64_t seed;
};

struct den_chat_call {
    struct den_chat_options options;
    struct den_roster *roster;
    char id[40];
    int64_t created; /* Unix time */
    int event_fd;
    pthread_mutex_t lock;
    /* guarded by `lock` */
    struct den_buffer queue; /* of a stream: bytes not yet sent, from `sent` on */
    size_t sent;
    size_t ended;   /* choices that have */
    bool is_broken; /* the queue is full, or memory is */
    struct den_chat_choice choices[DEN_CHOICES_MAX];
};

/* Submits all answers. `body` is what the options were read from; it is not needed afterwards. */
enum den_status den_chat_call_start(const struct den_chat_options *options, struct den_roster *roster,
                                    struct den_chat_call **out, struct den_error *err);
/* Cancels what still runs. */
void den_chat_call_destroy(struct den_chat_call *call);

/* Takes up to `capacity` bytes of the stream into `out`; 0: nothing there now. *out_done: nothing
 * will come any more. */
size_t den_chat_call_take(struct den_chat_call *call, char *out, size_t capacity, bool *out_done);
bool den_chat_call_has_ended(struct den_chat_call *call);
bool den_chat_call_is_broken(struct den_chat_call *call);
/* Makes the eventfd unreadable until the next event. */
void den_chat_call_quiet(struct den_chat_call *call);

#endif
