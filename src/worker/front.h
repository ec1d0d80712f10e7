/* The inside of a worker handle: what the front's half of worker/ shares. See worker.h.
 *
 * Two threads belong to a handle. The keeper starts the process, sends and receives every frame,
 * and, when the process dies, starts the next one; it alone touches the socket. The teller calls
 * the handlers of requests with what the keeper received, so that a handler that waits for another
 * request's answer does not wait for itself. Everybody else only changes the lists below and wakes
 * the keeper.
 *
 * A ticket is a request or a question. It lives in the list of unfinished ones, in the order in
 * which they came, until its last frame has been received; a request then has its END delivered
 * and is freed by den_ticket_release(), a question is freed by who asked. One lock guards
 * everything; it is never held while a handler runs or a frame is sent that may block. */
#ifndef DEN_WORKER_FRONT_H
#define DEN_WORKER_FRONT_H

#include <pthread.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "schedule/scheduler.h"
#include "worker/message.h"
#include "worker/packed_files.h"
#include "worker/wire.h"
#include "worker/worker.h"

struct den_ticket {
    struct den_worker *worker;
    struct den_ticket *before, *after; /* unfinished ones */
    uint64_t id;
    enum den_wire_kind kind; /* DEN_WIRE_SUBMIT, or a question's */
    /* a request */
    den_worker_handler handler;
    void *context;
    json_t *request; /* our copy, with all that a replay needs but for the tokens */
    /* for den_worker_activity() */
    char surface[32];
    double submitted_at, first_token_at;
    size_t prompt_done, prompt_tokens;
    int64_t now;
    struct den_ticket **out; /* where the submitter wants it, until it is accepted */
    /* a question */
    const unsigned char *question; /* the asker's */
    size_t question_length;
    struct den_buffer reply;
    /* of the process that runs now */
    bool is_sent, is_accepted, is_begun, is_cancel_sent;
    /* ever */
    bool was_accepted; /* the submitter has been told */
    bool is_cancelled;
    bool is_finished;       /* out of the list */
    bool is_ended;          /* a request: its END has been delivered */
    struct den_error error; /* of a refusal, or of a question */
    /* the answer so far */
    int32_t *tokens;
    size_t token_count, token_capacity;
    uint64_t drawn;
    size_t reasoning_tokens, quiet_tokens; /* quiet: since the last one that added text */
    char (*tool_ids)[32];                  /* (tool_count) */
    size_t tool_count;
    /* deaths that it was there at */
    unsigned deaths, deaths_in_row; /* in a row: without a token between them */
    bool got_on;                    /* a token came since it was sent */
    bool is_suspect;                /* to be tried alone */
};

/* What the teller is to deliver: a frame's payload. */
struct den_told_event {
    struct den_told_event *next;
    struct den_ticket *ticket;
    enum den_wire_kind kind;
    size_t length;
    unsigned char payload[];
};

/* The packed weights of the process in hand. */
struct den_front_packed {
    struct den_packed_files files; /* open while it loads */
    bool has_asked;                /* for room */
    enum den_packed_state state;   /* as READY told it */
    uint64_t trusted_stamp;        /* of a finished file whose sums a process found right */
    bool is_finishing;
    pthread_t finisher;
    struct den_packed_files finishing; /* the finisher's */
};

struct den_worker {
    /* set at the start */
    char *model_path, *model_name, *cpu_features, *prefix_folder, *draft_path;
    struct den_worker_options options; /* points to those */
    pthread_t keeper, teller;
    int wake; /* eventfd that the keeper polls */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a state, an acceptance, a reply, an end */
    pthread_cond_t told;    /* an event for the teller, or its end */
    /* guarded by the lock */
    size_t holders; /* the handle and every ticket not released */
    bool stop, sleep;
    bool wanted; /* a process, also without a request */
    enum den_worker_state state;
    struct den_error error; /* of FAILED */
    double failed_at;
    pid_t pid; /* 0: none */
    unsigned load_deaths;
    uint64_t next_id;
    struct den_ticket *first, *last; /* unfinished */
    size_t unfinished;
    double idle_since;
    double busy_since; /* while anything is unfinished */
    bool is_known;     /* info is set */
    struct den_worker_info info;
    json_t *info_document;
    struct den_worker_status sums; /* restarts and what comes after it */
    struct den_told_event *first_event, *last_event;
    size_t event_bytes;
    bool teller_stop;
    /* of the keeper alone, but for the state */
    struct den_front_packed packed;
    int socket;           /* -1: none */
    int prefix_file;      /* while a process is started; -1: none */
    int prefix_place;     /* its number in the process */
    double quiet_since;   /* the last frame, or the last tick without one */
    unsigned quiet_ticks; /* in a row */
    bool is_pinged;
    struct den_wire_inbox *inbox;
};

/* --- front_keeper.c --- */

void *den_front_keep(void *worker);
void den_front_wake(struct den_worker *worker);

/* --- front_prefix.c: the keeper's --- */

/* Opens the model's prefix file; without one the process starts all the same. */
void den_front_prefix_open(struct den_worker *worker);
/* Adds it to the descriptors for the process, of which there are `count`; returns 0 or 1. */
size_t den_front_prefix_place(struct den_worker *worker, int *descriptors, size_t count);
/* What LOAD says of it; JSON's null: there is none. */
json_t *den_front_prefix_describe(const struct den_worker *worker);
void den_front_prefix_close(struct den_worker *worker);

/* --- front_tickets.c; the lock is held --- */

void den_front_add(struct den_worker *worker, struct den_ticket *ticket);
/* What a death means for the unfinished; `why` is for those that end by it. */
void den_front_count_death(struct den_worker *worker, const char *why);
/* All unfinished end with the error; as cancelled without one. */
void den_front_end_all(struct den_worker *worker, const struct den_error *error);
/* True where the ticket may be sent now: suspects go one at a time. */
bool den_front_may_send(const struct den_worker *worker, const struct den_ticket *ticket);
/* Takes it out of the list. */
void den_front_finish(struct den_ticket *ticket);
/* Ends a request or a question from this side. */
void den_front_end_ticket(struct den_ticket *ticket, const struct den_error *error);
void den_front_free_ticket(struct den_ticket *ticket);

/* --- front_frames.c; the lock is held --- */

/* False: the frame is none that could come now, and the process is not to be trusted any more. */
bool den_front_take_frame(struct den_worker *worker, const struct den_wire_frame *frame);
/* Queues an event; false when there are too many. */
bool den_front_queue(struct den_ticket *ticket, enum den_wire_kind kind, const void *payload,
                     size_t length);

/* --- front_packed.c: the keeper's --- */

/* Waits for a file that is being finished. */
void den_front_packed_open(struct den_worker *worker, const struct den_model_files *files);
size_t den_front_packed_descriptors(const struct den_worker *worker, int out[2]);
json_t *den_front_packed_describe(const struct den_worker *worker);
/* NEED_ROOM; false: it could not come now. The lock is held, here and with READY. */
bool den_front_packed_take_room(struct den_worker *worker, const struct den_wire_frame *frame);
void den_front_packed_ready(struct den_worker *worker, const char *state);
/* The process has ended. */
void den_front_packed_close(struct den_worker *worker);
void den_front_packed_wait(struct den_worker *worker);

/* --- front_teller.c --- */

void *den_front_tell(void *worker);

/* --- worker.c --- */

/* The last holder frees. The lock is held and released. */
void den_front_let_go(struct den_worker *worker);

/* --- front_questions.c --- */

/* Sends a question and waits for its reply, which goes to `out`. */
enum den_status den_front_ask(struct den_worker *worker, enum den_wire_kind kind,
                              const struct den_buffer *question, struct den_buffer *out,
                              struct den_error *err);

#endif
