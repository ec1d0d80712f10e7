/* OpenAI's objects for chat completions, built from a call. */
#ifndef DEN_API_CHAT_JSON_H
#define DEN_API_CHAT_JSON_H

#include "api/chat_call.h"

/* The whole answer: "chat.completion". */
json_t *den_chat_completion_json(const struct den_chat_call *call);

/* "chat.completion.chunk" with one choice; takes over `delta` and `logprobs` (NULL: null). `finish`
 * NULL: null. */
json_t *den_chat_chunk_json(const struct den_chat_call *call, size_t index, json_t *delta,
                            json_t *logprobs, const char *finish);
/* The chunk that has the usage and no choice. */
json_t *den_chat_usage_chunk_json(const struct den_chat_call *call);
/* One item of logprobs.content. */
json_t *den_chat_logprob_json(const struct den_worker_event *event);
/* Den's own field: what was measured. */
json_t *den_chat_measures_json(const struct den_chat_choice *choice);

#endif
