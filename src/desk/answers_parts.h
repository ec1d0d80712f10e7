/* The inside of the answers, shared by answers.c and answer_job.c. */
#ifndef DEN_DESK_ANSWERS_PARTS_H
#define DEN_DESK_ANSWERS_PARTS_H

#include <pthread.h>

#include "base/buffer.h"
#include "desk/answers.h"
#include "desk/grounding.h"
#include "desk/side_question.h"
#include "desk/threads_parts.h"

/* One answer while it is written. */
struct den_answer_job {
    struct den_answers *answers;
    struct den_answer_job *next; /* guarded by the answers' lock */
    char thread[DEN_ID_LENGTH_MAX + 1];
    char message[DEN_ID_LENGTH_MAX + 1];
    int64_t row;
    char *model;        /* asked for; "": the default */
    json_t *messages;   /* the conversation, as workers take it */
    json_t *parameters; /* object */
    /* What its documents are: of the workspace, of the thread. */
    char workspace[DEN_ID_LENGTH_MAX + 1]; /* "": none */
    bool has_documents;                    /* the thread has some of its own */
    struct den_retrieval_settings retrieval;
    char *question;                  /* without what was attached to it */
    struct den_grounding *grounding; /* of the job's own thread; NULL: none */
    char *grammar;                   /* that the answer is held to; NULL: none */
    int64_t answer_tokens;           /* that one without a grammar may take; 0: no limit */
    struct den_side_question side;   /* what Den itself asks the model */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* guarded by `lock` */
    struct den_buffer content, reasoning;
    int64_t seq;
    bool is_new;                /* there is text that the database lacks */
    bool is_broken;             /* no memory, or the answer is longer than may be */
    bool wants_stop, wants_end; /* by a user; by the program, which ends */
    bool has_ended;             /* the worker is done */
    bool is_settled;            /* the end is in the database and was told */
    struct den_ticket *ticket;
    char model_name[DEN_NAME_BYTES_MAX];
    size_t context_tokens;
    char finish[32];
    struct den_error error;
    json_t *measures;
    json_t *sources; /* NULL: it stands on no documents */
};

struct den_answers {
    struct den_threads *threads;
    struct den_answer_source source;
    int lock_fd; /* of the lock that says a Den is serving; -1: another has it */
    pthread_mutex_t lock;
    pthread_cond_t less; /* `count` has fallen */
    /* guarded by `lock` */
    struct den_answer_job *jobs;
    size_t count; /* jobs and reserved places */
    bool is_closing;
};

/* Takes over `job`, whose `answers` has a place reserved for it, and writes the answer on a thread
 * of its own. */
void den_answer_job_start(struct den_answer_job *job);
/* Asks it to end; `by_user` makes it "stopped" rather than "interrupted". */
void den_answer_job_stop(struct den_answer_job *job, bool by_user);
void den_answer_job_destroy(struct den_answer_job *job);

/* --- the answer's documents (answer_ground.c), on the job's own thread --- */

/* Searches, and tells so. *out_refused: the answer is there already, without a model: that nothing
 * was found. */
enum den_status den_answer_ground_begin(struct den_answer_job *job, bool *out_refused,
                                        struct den_error *err);
/* Puts what was found into the conversation, keeps it as the message's sources, and tells. */
enum den_status den_answer_ground_fit(struct den_answer_job *job, struct den_worker *worker,
                                      struct den_error *err);
/* Marks the sentences that are supported, once the answer is whole. */
void den_answer_ground_cite(struct den_answer_job *job);

/* --- what it is told about the user (answer_memory.c), on the job's own thread --- */

/* Puts what is remembered into the conversation, and keeps on the row what that was. */
enum den_status den_answer_recall(struct den_answer_job *job, struct den_worker *worker,
                                  struct den_error *err);
/* Proposes what the question says about its writer, where memory is on. Failures are nobody's. */
void den_answer_remember(struct den_answer_job *job);

/* The conversation from the root to row `message`, as workers take it: a system message first, then
 * texts in which attachments come before the question. */
enum den_status den_answer_prompt(struct den_connection *connection, int64_t thread,
                                  int64_t message, json_t **out, struct den_error *err);

#endif
