/* Desk: what can be asked of Den, with no HTTP and no argv.
 *
 * For now the desk has one use case, a chat with the one model that is loaded. It knows the models'
 * names, checks a conversation before a worker sees it, and passes it on. A message that concerns a
 * field begins with the field's name in quotes ("'messages[2].role' is ..."), which is how the HTTP
 * interface tells clients which one it was. */
#ifndef DEN_DESK_DESK_H
#define DEN_DESK_DESK_H

#include "worker/worker.h"

struct den_desk;

/* The worker must outlive the desk. */
enum den_status den_desk_create(struct den_worker *worker, struct den_desk **out,
                                struct den_error *err);
void den_desk_destroy(struct den_desk *desk);

struct den_desk_model {
    const char *name;
    const struct den_worker_info *info;
    int64_t loaded_at; /* Unix time */
};
size_t den_desk_model_count(const struct den_desk *desk);
const struct den_desk_model *den_desk_model(const struct den_desk *desk, size_t index);
/* NULL or "": the default. DEN_NOT_FOUND names those there are. */
enum den_status den_desk_find_model(const struct den_desk *desk, const char *name,
                                    const struct den_desk_model **out, struct den_error *err);

/* Checks `messages` as clients send them. */
enum den_status den_desk_check_messages(const json_t *messages, struct den_error *err);

/* As den_worker_submit(), on the one model there is, with request->messages checked by
 * den_desk_check_messages(). */
enum den_status den_desk_chat(struct den_desk *desk, const struct den_worker_request *request,
                              den_worker_handler handler, void *context, struct den_ticket **out,
                              struct den_error *err);

#endif
