/* Chat options: the body of POST /v1/chat/completions, decoded and checked. */
#ifndef DEN_API_CHAT_OPTIONS_H
#define DEN_API_CHAT_OPTIONS_H

#include "base/json.h"
#include "desk/desk.h"

struct den_chat_options {
    struct den_worker *worker; /* taken from the roster; given back by who destroys the call */
    const char *unknown_model; /* set when decoding failed because of the model's name */
    bool stream;
    bool include_usage;
    bool wants_measures;               /* the request has a "den" object */
    bool wants_progress;               /* ... with "progress": true */
    size_t count;                      /* n */
    int64_t seed;                      /* -1: random */
    struct den_worker_request request; /* points into the body */
    const char *stops[DEN_STOP_STRINGS_MAX];
};

/* `body` must outlive the options. Fields that OpenAI knows and that change nothing here ("user",
 * "store" ...) are passed over; what would change the answer and is not there yet is refused. */
enum den_status den_chat_options_read(const json_t *body, struct den_roster *roster,
                                      struct den_chat_options *out, struct den_error *err);

#endif
