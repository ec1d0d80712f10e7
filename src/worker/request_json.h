/* Requests as JSON, on their way to a worker process and, after its death, to the next one. */
#ifndef DEN_WORKER_REQUEST_JSON_H
#define DEN_WORKER_REQUEST_JSON_H

#include "worker/request.h"

/* What a request is told with besides what its client set. */
struct den_request_extra {
    int64_t now;           /* Unix time that templates see: the same after a replay */
    bool again;            /* it had a place in line before */
    const int32_t *tokens; /* of the answer so far */
    size_t token_count;
    uint64_t drawn; /* random numbers drawn for them */
};

/* A new object, or NULL when out of memory (or a number is infinite). */
json_t *den_request_to_json(const struct den_worker_request *request);
/* Sets "now", "again" and "resume" in it. False: out of memory. */
bool den_request_set_extra(json_t *object, const struct den_request_extra *extra);

/* A request that was sent, and what it points into. */
struct den_request_copy {
    struct den_worker_request request;
    struct den_request_extra extra;
    json_t *document;
    const char **stops;
    int32_t *tokens;
};
/* Takes the reference to `document`, also on failure. Types are checked, ranges are not (see
 * worker_request.h). */
enum den_status den_request_from_json(json_t *document, struct den_request_copy *out,
                                      struct den_error *err);
void den_request_copy_deinit(struct den_request_copy *copy);

#endif
