/* Grounding: an answer that stands on documents, from the question to the citations.
 *
 *     den_grounding_begin()   searches: what is pinned, and what the question finds
 *     den_grounding_fit()     puts as much of it into the prompt as the model has room for
 *     (the model writes)
 *     den_grounding_cite()    marks the sentences that a passage supports
 *
 * den_grounding_sources() says at any time what there is, as messages keep it: {"found",
 * "confidence", "query", "passages": [{"number", "document", "name", "title", "format", "part",
 * "heading", "start", "end", "text", "cosine", "bm25"}], "citations"}.
 *
 * Passages are quoted as data (prompt_block.h) before the last question; pinned documents, which
 * are the same each time, stand at the very beginning, where the model's cache keeps them. Pinned
 * text is never cut: where there is no room for it, the error says how much is needed. */
#ifndef DEN_DESK_GROUNDING_H
#define DEN_DESK_GROUNDING_H

#include "desk/prompt_block.h"
#include "desk/retrieval.h"

struct den_grounding;
struct den_worker_request;

struct den_grounding_options {
    const char *workspace;      /* id; NULL: none */
    const char *thread;         /* id; NULL: none */
    const char *question;       /* borrowed until begin() returns */
    const json_t *conversation; /* messages before the question; NULL: none */
    const char *model;          /* that will answer; NULL: the default */
    struct den_retrieval_settings settings;
};
/* Without any document to be searched, there is no grounding: *out is NULL, unless only documents
 * may answer. */
enum den_status den_grounding_begin(struct den_retrieval *retrieval, struct den_threads *threads,
                                    const struct den_grounding_options *options,
                                    struct den_grounding **out, struct den_error *err);
void den_grounding_destroy(struct den_grounding *grounding);

/* What is to be answered without asking a model: that it is not in the documents, in the question's
 * language. NULL: a model is asked. */
const char *den_grounding_refusal(const struct den_grounding *grounding);

struct den_grounding_room {
    struct den_token_counter counter;
    size_t context_tokens; /* of the model */
    size_t parameters;     /* of the model; 0: not known */
    size_t used_tokens;    /* by the conversation without passages */
    size_t answer_tokens;  /* kept free */
};
/* Changes `messages`, whose last one is the question. DEN_CONTEXT_FULL: the pinned documents have
 * no room. */
enum den_status den_grounding_fit(struct den_grounding *grounding,
                                  const struct den_grounding_room *room, json_t *messages,
                                  struct den_error *err);

/* The grammar (GBNF) that the answer is to be held to, free() it; NULL: none, or no memory. Small
 * models, left alone, write no markers, list their sources and repeat themselves; held to a few
 * whole sentences, each with a marker of a passage that is there, they answer. */
char *den_grounding_grammar(const struct den_grounding *grounding);

/* How an answer that stands on passages is sampled where nobody said: close to them. */
void den_grounding_sample(const struct den_grounding *grounding,
                          struct den_worker_request *request);

/* A new reference. */
json_t *den_grounding_sources(const struct den_grounding *grounding);
/* `content` with markers, free() it; sources have the citations from here on. */
enum den_status den_grounding_cite(struct den_grounding *grounding, const char *content, char **out,
                                   struct den_error *err);

#endif
