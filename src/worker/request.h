/* Request: what a client may ask of a worker, and the events that answer it. Plain data, so that
 * it can travel to another process (worker/wire.h) and back. */
#ifndef DEN_WORKER_REQUEST_H
#define DEN_WORKER_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* What clients may set; fields left at their initial value (den_worker_request_defaults) take the
 * model's defaults. */
struct den_worker_request {
    const json_t *messages; /* chat: array of messages (if the last is an assistant's text, it is
                               continued) ... */
    const char *prompt;     /* ... or a raw prompt, with no template ... */
    const json_t *prompt_tokens; /* ... or an array of token ids */
    const json_t *tools;         /* OpenAI's: [{"type": "function", "function": {...}}] */
    const json_t
        *tool_choice;      /* NULL or "auto", "none", "required", {"type": "function", "function":
                                  {"name"}}: calls are generated under constraint */
    bool single_tool_call; /* no parallel calls */
    const json_t *template_variables; /* object: enable_thinking and the like; NULL: none */
    const json_t *schema;             /* the answer is JSON that this JSON Schema accepts ... */
    const char *grammar;              /* ... or a text of this GBNF grammar; NULL: neither */
    /* What the answer will probably be: a text, or a list of objects with "text". Changes nothing
     * but the time that it takes; NULL: nobody knows. */
    const json_t *prediction;
    bool batch;          /* runs when no interactive request waits */
    const char *surface; /* who asks ("openai.chat"), for den_worker_activity(); NULL: "" */
    const char *preset;  /* "creative", "factual", "classify" or NULL */
    double temperature, top_p, min_p, typical_p, frequency_penalty, presence_penalty,
        repeat_penalty, top_n_sigma, xtc_probability, xtc_threshold, dry_multiplier,
        dry_base;              /* NAN: unset */
    int64_t top_k, max_tokens; /* -1: unset */
    int64_t repeat_last_n;     /* INT64_MIN: unset; 0: off; -1: the whole context */
    bool ignore_end;           /* go on past end tokens */
    int64_t seed;              /* -1: random */
    int logprobs;              /* -1: none */
    const char *const *stops;
    size_t stop_count;
    const json_t *logit_bias; /* {"token id": bias} or NULL */
};
struct den_worker_request den_worker_request_defaults(void);

struct den_worker_logprob {
    const char *text; /* the token's bytes */
    size_t length;
    float logprob;
};

enum den_worker_event_kind {
    DEN_WORKER_PROGRESS,       /* a part of the prompt has been read */
    DEN_WORKER_TEXT,           /* the next part of the answer */
    DEN_WORKER_REASONING,      /* the next part of what the model thinks before it answers */
    DEN_WORKER_TOOL_CALL,      /* a call begins: its place, id and name */
    DEN_WORKER_TOOL_ARGUMENTS, /* the next part of its arguments, JSON in the end */
    DEN_WORKER_END
};
struct den_worker_event {
    enum den_worker_event_kind kind;
    size_t prompt_done, prompt_total; /* PROGRESS */
    const char *text;                 /* TEXT, REASONING, TOOL_ARGUMENTS: valid UTF-8 */
    size_t text_length;
    const struct den_worker_logprob
        *logprob; /* TEXT, when asked for: the token and then `top_count` alternatives */
    const struct den_worker_logprob *top;
    size_t top_count;
    size_t tool_index; /* TOOL_CALL, TOOL_ARGUMENTS: 0, 1 ... */
    const char *tool_id;
    const char *tool_name;
    const char *finish;      /* END: "stop", "length", "tool_calls", "cancelled", "error" */
    const char *stop_string; /* END: the one that ended the answer, or NULL */
    const char
        *note; /* END: why what looks like a tool call came back as text; NULL: all is well */
    const struct den_error *error;
    size_t prompt_tokens, cached_tokens, generated_tokens, reasoning_tokens;
    size_t predicted_tokens, foretold_tokens; /* END: of the request's prediction, and those of them
                                                 that the answer has */
    const char *cache_miss; /* END: why no more was cached: "none", "first use", "ends" (what is
                               cached does), "differs", "evicted" ... */
    size_t cache_miss_at;   /* ... and the prompt's token that this is about */
    double prompt_seconds, generate_seconds, wait_seconds;
    uint64_t seed;
};
typedef void (*den_worker_handler)(void *context, const struct den_worker_event *event);

#endif
