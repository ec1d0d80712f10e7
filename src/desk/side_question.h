/* Side questions: short ones that Den itself asks a model (to reword a question, to word a fact),
 * waited for on the asker's own thread. They are small, held to a grammar by whoever asks, and can
 * be given up from another thread. */
#ifndef DEN_DESK_SIDE_QUESTION_H
#define DEN_DESK_SIDE_QUESTION_H

#include <pthread.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "worker/request.h"

struct den_answer_source;
struct den_ticket;
struct den_worker;

struct den_side_question {
    const struct den_answer_source *source;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* guarded by `lock` */
    struct den_ticket *ticket; /* NULL: nothing is asked now */
    struct den_buffer text;
    struct den_error error;
    bool has_ended, is_given_up;
};
/* `source` must outlive it. */
void den_side_question_init(struct den_side_question *question,
                            const struct den_answer_source *source);
/* Nothing may be asked any more. */
void den_side_question_deinit(struct den_side_question *question);

/* The whole answer, free() it. DEN_CANCELLED: it was given up. */
enum den_status den_side_question_ask(struct den_side_question *question, struct den_worker *worker,
                                      const struct den_worker_request *request, char **out,
                                      struct den_error *err);
/* From any thread: what is asked ends soon, and nothing is asked any more. */
void den_side_question_give_up(struct den_side_question *question);

#endif
