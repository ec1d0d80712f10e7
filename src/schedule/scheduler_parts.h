/* The inside of a scheduler, shared by scheduler.c, scheduler_job.c and session_choice.c. */
#ifndef DEN_SCHEDULE_SCHEDULER_PARTS_H
#define DEN_SCHEDULE_SCHEDULER_PARTS_H

#include <pthread.h>

#include "schedule/scheduler.h"

struct den_job {
    struct den_scheduler *scheduler;
    struct den_job_options options; /* points into what follows */
    den_token *prompt;
    den_token *resume;
    den_token *predicted;
    char **stops;
    struct den_logit_bias *logit_bias;
    double submitted_at, started_at;
    size_t slot; /* of its session, while it runs */
    /* guarded by the scheduler's lock */
    struct den_job *next;              /* in line */
    struct den_generation *generation; /* while it runs */
    bool cancelled;
    bool ended; /* on_end() has returned */
};

/* A session and who has it. */
struct slot {
    struct den_session *session; /* NULL: not opened yet */
    bool busy;
    uint64_t used_at; /* the scheduler's count of jobs begun when it was last taken */
};

/* Locks and the thread live apart from the engine so that a job can be released after the
 * scheduler has gone: the last of both frees this. */
struct den_scheduler {
    struct den_engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;  /* something to do, or stop */
    pthread_cond_t ended; /* some job has ended */
    /* guarded by `lock` */
    struct den_job *first, *last; /* in line, interactive and batch ones as they came */
    size_t waiting;
    size_t jobs; /* not yet released */
    bool stop;
    bool gone; /* den_scheduler_destroy() has run */
    /* of the thread alone */
    struct slot *slots;                  /* (sequences) */
    struct den_job **running;            /* (sequences), the first running_count used */
    struct den_generation **generations; /* (sequences), likewise */
    size_t sequences, running_count;
    uint64_t begun, steps;
};

enum den_status den_job_create(struct den_scheduler *scheduler,
                               const struct den_job_options *options, struct den_job **out,
                               struct den_error *err);
void den_job_free(struct den_job *job);

/* The slot that a job with this prompt should have: among those not busy, or SIZE_MAX. */
size_t den_slots_choose(const struct slot *slots, size_t count, const den_token *prompt,
                        size_t prompt_count);

#endif
