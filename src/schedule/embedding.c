/* See embedding.h. */
#include "schedule/embedding.h"

#include <pthread.h>
#include <stdlib.h>

struct line {
    struct den_embed_job *first, *last;
};

struct den_embed_queue {
    struct den_embedder *embedder;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    /* guarded by the lock */
    struct line interactive, batch;
    bool stop;
};

static struct den_embed_job *take(struct line *line)
{
    struct den_embed_job *job = line->first;

    if (!job)
        return NULL;
    line->first = job->next;
    if (!line->first)
        line->last = NULL;
    return job;
}

/* NULL: the queue is empty and ends. */
static struct den_embed_job *next(struct den_embed_queue *queue)
{
    struct den_embed_job *job;

    pthread_mutex_lock(&queue->lock);
    while (!queue->stop && !queue->interactive.first && !queue->batch.first)
        pthread_cond_wait(&queue->work, &queue->lock);
    job = take(&queue->interactive);
    if (!job)
        job = take(&queue->batch);
    pthread_mutex_unlock(&queue->lock);
    return job;
}

static void *run(void *context)
{
    struct den_embed_queue *queue = context;
    struct den_embed_job *job;

    while ((job = next(queue)) != NULL) {
        den_embedder_run(queue->embedder, &job->request, job->vectors, job->tokens, &job->error);
        job->on_done(job);
    }
    return NULL;
}

enum den_status den_embed_queue_create(struct den_embedder *embedder, struct den_embed_queue **out,
                                       struct den_error *err)
{
    struct den_embed_queue *queue = calloc(1, sizeof *queue);

    if (!queue)
        return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    queue->embedder = embedder;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->work, NULL);
    if (pthread_create(&queue->thread, NULL, run, queue) != 0) {
        pthread_cond_destroy(&queue->work);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
        return den_fail(err, DEN_NO_MEMORY, "embedding: the system gives no thread");
    }
    *out = queue;
    return DEN_OK;
}

void den_embed_queue_destroy(struct den_embed_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->stop = true;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void den_embed_queue_add(struct den_embed_queue *queue, struct den_embed_job *job)
{
    struct line *line = job->batch ? &queue->batch : &queue->interactive;

    pthread_mutex_lock(&queue->lock);
    job->next = NULL;
    if (line->last)
        line->last->next = job;
    else
        line->first = job;
    line->last = job;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}
