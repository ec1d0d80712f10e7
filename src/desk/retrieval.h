/* Retrieval: from a question to the passages that may answer it.
 *
 * A question is completed by the conversation that it stands in (query_rewrite.h), embedded with
 * the model that the space's vectors were made by, and searched for by words and by meaning at
 * once. Where no embedding model is installed words alone decide. What is found comes with all that
 * led to it (ranks, BM25, cosine), so that a page can show why. */
#ifndef DEN_DESK_RETRIEVAL_H
#define DEN_DESK_RETRIEVAL_H

#include <jansson.h>

#include "desk/rerank.h"
#include "desk/workspaces.h"
#include "space/space.h"

struct den_retrieval;
struct den_roster;

/* Of a search's confidence, from which on something is held to be found: calibrated on judged
 * questions (docs/internals/space.md). */
#define DEN_CONFIDENCE_FOUND 0.5

/* What embeds; tests put one of their own here. */
struct den_embed_source {
    void *context;
    /* Vectors of unit length, (count, width), by the model `name`; DEN_NOT_FOUND where it is not
     * installed, DEN_INVALID where its width is another. */
    enum den_status (*embed)(void *context, const char *name, const char *const *texts,
                             size_t count, float *out, size_t width, struct den_error *err);
    /* The question, completed by the model `model` ("": the default); free() it. NULL: it can't, or
     * not well. The function may be NULL, too. */
    char *(*rewrite)(void *context, const char *model, const json_t *conversation,
                     const char *question);
};
struct den_embed_source den_embed_source_of(struct den_roster *roster);

/* Both must outlive it. */
enum den_status den_retrieval_open(struct den_space *space, const struct den_embed_source *source,
                                   struct den_retrieval **out, struct den_error *err);
/* Before the first search; until then nothing is reranked. */
void den_retrieval_rerank_with(struct den_retrieval *retrieval,
                               const struct den_rerank_source *source);
void den_retrieval_close(struct den_retrieval *retrieval);
struct den_space *den_retrieval_space(const struct den_retrieval *retrieval);

/* What is asked. Texts are borrowed. */
struct den_retrieval_query {
    const char *query;
    struct den_space_filter filter;
    const json_t *conversation; /* messages before the question, oldest first; NULL: none */
    enum den_rewrite rewrite;   /* whether it is completed by them, and how */
    const char *model;          /* that completes it; NULL: the default */
    size_t count;               /* hits wanted */
    double diversity;           /* NAN: the space's own */
    enum den_rerank_way rerank; /* AUTO unless somebody says otherwise */
};

struct den_found {
    char *query; /* as it was asked, after rewriting */
    struct den_space_result result;
    struct den_passage *passages; /* (result.count), of each hit */
    double embed_seconds;
    bool has_vectors;      /* meaning was asked, too */
    double *rerank_scores; /* (result.count), NAN where the model did not read it; NULL: none did */
    double rerank_seconds;
    char reranked_by[DEN_RERANK_MODEL_BYTES]; /* the model; "": none */
    bool found;                               /* the confidence is above the threshold */
};
/* DEN_INVALID: the question is empty or too long. */
enum den_status den_retrieval_search(struct den_retrieval *retrieval,
                                     const struct den_retrieval_query *query, struct den_found *out,
                                     struct den_error *err);
void den_found_deinit(struct den_found *found);
/* {"document", "name", "title", "format", "part", "heading", "start", "end", "text"}. */
json_t *den_passage_json(const struct den_passage *passage);
/* A hit as JSON: "document", "name", ..., "fused", "in_prompt". */
json_t *den_found_hit_json(const struct den_found *found, size_t index, bool in_prompt);

/* {"query", "hits", "confidence", "found", "searched", "reranked_by", "seconds"}: what POST
 * /api/search answers; `fields` is its body. */
enum den_status den_retrieval_answer(struct den_retrieval *retrieval, struct den_threads *threads,
                                     const json_t *fields, json_t **out, struct den_error *err);

/* Vectors of texts by the space's current model, (count, *out_width), free() them. DEN_NOT_FOUND
 * where there is none. */
enum den_status den_retrieval_embed(struct den_retrieval *retrieval, const char *const *texts,
                                    size_t count, float **out, size_t *out_width,
                                    struct den_error *err);

#endif
