/* The inside of an engine, shared by the files of this room. */
#ifndef DEN_ENGINE_ENGINE_PARTS_H
#define DEN_ENGINE_ENGINE_PARTS_H

#include "engine/engine.h"
#include "engine/prefix_reuse.h"
#include "engine/prefix_tree.h"

struct den_draft_model;
struct den_draft_wish;
struct den_generation;

struct den_engine {
    struct den_device *device;
    struct den_weights *weights;
    struct den_tokenizer *tokenizer;
    struct den_chat *chat;
    struct den_model *model;
    struct den_forward *forward;
    struct den_kv_pool *pool;
    size_t context_tokens;
    size_t batch_rows;
    bool no_prefix_reuse;
    size_t sequences;
    size_t sequences_open;
    double load_seconds;
    struct den_prefix_tree *tree;        /* whose each page of the pool is */
    struct den_prefix_file *prefix_file; /* what outlives the process; NULL: nothing does */
    int32_t *found; /* (pages of a context): scratch of prefix_reuse.c and prefix_keep.c */
    /* one batch, filled by den_engine_step() */
    int32_t *tokens;       /* (batch_rows) */
    int32_t *positions;    /* (batch_rows) */
    int32_t *row_sequence; /* (batch_rows) */
    int32_t *logit_rows;   /* (batch_rows) */
    const int32_t **pages; /* (sequences): page table of each session in the batch */
    /* what den_generations_step() gathers */
    struct den_step *steps;         /* (sequences) */
    struct den_generation **owners; /* (sequences) */
    enum den_speculation_mode speculation;
    struct den_step_costs costs;           /* of steps that decode */
    struct den_speculation **speculations; /* (sequences): scratch of generation_draft.c */
    struct den_draft_model *draft;         /* NULL: none */
    struct den_draft_wish *wishes;         /* (sequences): likewise */
    struct den_error draft_error;          /* why the draft model was left out */
};

struct den_session {
    struct den_engine *engine;
    size_t length;        /* tokens whose keys and values are cached */
    den_token *tokens;    /* (context_tokens) */
    int32_t *pages;       /* (context_tokens / DEN_PAGE_TOKENS, rounded up) */
    size_t page_count;    /* pages held: enough for `length`, more only inside a step */
    size_t shared;        /* the first so many pages are full and in the tree */
    size_t pages_to_file; /* of these, so many are worth a place in the prefix file */
    bool in_step;
};

/* Puts the session's full pages into the tree. */
void den_session_share(struct den_session *session);

#endif
