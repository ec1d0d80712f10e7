/* Embed queue: many clients, one embedder, one thread.
 *
 * Requests are served one after the other, interactive ones before batch ones. They should be small
 * (the front cuts large ones into slices), so that each client's turn comes soon. */
#ifndef DEN_SCHEDULE_EMBEDDING_H
#define DEN_SCHEDULE_EMBEDDING_H

#include "encode/embedder.h"

struct den_embed_queue;
/* The embedder must outlive the queue and be driven by nobody else. */
enum den_status den_embed_queue_create(struct den_embedder *embedder, struct den_embed_queue **out,
                                       struct den_error *err);
/* Serves what waits, then ends. */
void den_embed_queue_destroy(struct den_embed_queue *queue);

/* A request, owned by the caller until `on_done` has been called (on the queue's thread), which may
 * free it. */
struct den_embed_job {
    struct den_embed_job *next; /* the queue's */
    struct den_embed_request request;
    bool batch;
    float *vectors;         /* (count, width) */
    size_t *tokens;         /* (count) */
    struct den_error error; /* out */
    void (*on_done)(struct den_embed_job *job);
    void *context;
};
void den_embed_queue_add(struct den_embed_queue *queue, struct den_embed_job *job);

#endif
