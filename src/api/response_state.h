/* OpenAI's responses: what one POST /v1/responses carries from its body to its last event.
 *
 * A conversation is a list of items: messages, reasoning, calls of functions and their outputs. The
 * request's `input` is such a list; the answer's `output` goes on with it. A response that is kept
 * (desk/responses.h) holds its own items and all before them, and `previous_response_id` begins
 * with those. */
#ifndef DEN_API_RESPONSE_STATE_H
#define DEN_API_RESPONSE_STATE_H

#include "api/openai.h"

struct den_database;

enum den_response_item {
    DEN_RESPONSE_NOTHING,
    DEN_RESPONSE_REASONING,
    DEN_RESPONSE_MESSAGE,
    DEN_RESPONSE_CALL
};

struct den_response_state {
    struct den_openai_state openai; /* first: the readers of tools use it */
    struct den_database *database;
    json_t *object;  /* the response, as far as it is known */
    json_t *input;   /* this request's items, with ids */
    json_t *history; /* all items: those of earlier responses, then `input` */
    bool is_stored, truncates, wants_logprobs;
    json_int_t sequence;         /* of the next event */
    enum den_response_item open; /* the item that is being written ... */
    json_t *item;                /* ... */
    struct den_buffer text;      /* ... its text or arguments so far ... */
    json_t *logprobs;            /* ... and their log-probabilities */
};

/* Reads options->body and what it refers to; `state` must be there, with its database. */
enum den_status den_response_options_read(struct den_call_options *options, struct den_error *err);
void den_response_state_free(void *state);

/* The client's input (a text or a list of items) as a list of checked items with ids. */
enum den_status den_response_items_read(const json_t *input, json_t **out, struct den_error *err);
/* Items as chat messages; `instructions` NULL: none. */
enum den_status den_response_messages(const json_t *items, const char *instructions, json_t **out,
                                      struct den_error *err);

/* response_events.c: encodes the stream and gathers the output. */
extern const struct den_surface den_surface_responses;

#endif
