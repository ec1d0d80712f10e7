/* The inside of a worker process: one model, one wire.
 *
 * The first thread reads frames and does nothing else, so that the front never waits to be heard.
 * Work that takes milliseconds (rendering a conversation, compiling a schema, tokenizing) is done
 * by two clerks, so that a long one does not hold up a short one; embedding by a thread of its
 * own; answers are driven by the scheduler's. Each sends its own frames. Whoever finds the wire
 * broken ends the process: the front is gone, or has had enough. */
#ifndef DEN_WORKER_INSIDE_H
#define DEN_WORKER_INSIDE_H

#include <pthread.h>

#include "base/buffer.h"
#include "schedule/embedding.h"
#include "schedule/scheduler.h"
#include "schedule/turn.h"
#include "worker/wire.h"

enum { DEN_INSIDE_WIRE = 3, DEN_INSIDE_CLERKS = 2 };

/* A frame that waits for a clerk, with a payload of its own. */
struct den_inside_task {
    struct den_inside_task *next;
    struct den_wire_frame frame;
    unsigned char *copy; /* NULL: the payload is mapped */
};

struct den_inside_answer; /* inside_answers.c */

struct den_inside {
    /* one of the two */
    struct den_engine *engine;
    struct den_embedder *embedder;
    struct den_scheduler *scheduler;   /* of the engine */
    struct den_turn_model *turns;      /* likewise */
    struct den_embed_queue *embedding; /* of the embedder */
    size_t vocabulary;
    pthread_mutex_t lock;
    pthread_cond_t work;
    /* guarded by the lock */
    struct den_inside_task *first, *last;
    struct den_inside_answer *answers; /* not yet freed */
    struct den_inside_answer *ended;   /* to be freed by a clerk */
};

/* --- inside_wire.c --- */

/* Ends the process when the front is gone. */
void den_inside_send(enum den_wire_kind kind, uint64_t id, const struct den_buffer *payload);
void den_inside_refuse(uint64_t id, const struct den_error *error);
/* A buffer that stayed sound, or the end: there is no memory to say anything in. */
void den_inside_check(const struct den_buffer *payload);
const struct den_tokenizer *den_inside_tokenizer(const struct den_inside *inside);

/* --- inside_packed.c --- */

struct den_inside_packed {
    struct den_packed_store *store; /* lives as long as the process */
    int finished, unfinished;
};
enum den_status den_inside_packed_open(const json_t *load, size_t open_files,
                                       struct den_inside_packed *out, struct den_error *err);
/* Closes the descriptors; returns what became of them, for READY. */
const char *den_inside_packed_close(struct den_inside_packed *packed);

/* --- inside_load.c --- */

/* Takes the LOAD frame, locks the process in, loads. What READY says goes to `out_info`. */
enum den_status den_inside_load(struct den_inside *inside, const struct den_wire_frame *frame,
                                json_t **out_info, struct den_error *err);

/* --- inside_prefix.c --- */

struct den_inside_prefix {
    int descriptor; /* -1: none was given */
    uint64_t bytes;
};
enum den_status den_inside_prefix_read(const json_t *load, struct den_inside_prefix *out,
                                       struct den_error *err);
/* `open_files` model files follow the wire's descriptor. */
void den_inside_prefix_use(const struct den_inside_prefix *prefix, struct den_engine *engine,
                           size_t open_files);

/* --- inside_answers.c --- */

/* The reader's part: from here on a CANCEL finds it. False: out of memory. */
bool den_inside_expect(struct den_inside *inside, uint64_t id);
void den_inside_cancel(struct den_inside *inside, uint64_t id);
/* A clerk's parts. */
void den_inside_submit(struct den_inside *inside, const struct den_wire_frame *frame);
void den_inside_free_answer(struct den_inside_answer *answer);
struct den_inside_answer *den_inside_take_ended(struct den_inside *inside); /* lock held */

/* --- inside_questions.c: a clerk's --- */

void den_inside_tokenize(struct den_inside *inside, const struct den_wire_frame *frame);
void den_inside_detokenize(struct den_inside *inside, const struct den_wire_frame *frame);
void den_inside_template(struct den_inside *inside, const struct den_wire_frame *frame);
void den_inside_embed(struct den_inside *inside, const struct den_wire_frame *frame);

#endif
