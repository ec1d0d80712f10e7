/* Space: everything that can be found, side by side: passages of text today, pictures and sounds
 * later. One table of items, their vectors for each embedder, and the words of their texts.
 *
 * The database is the truth. Beside it the vectors of the current embedder lie in memory in 8 bits,
 * so that a search reads few bytes: those that can be among the best by a bound on the rounding are
 * computed again exactly. What is added or removed is in
 * the next search. A space is used from any thread: searches run beside each other and beside
 * writers.
 *
 * Who embeds is not the space's business: vectors come from its callers, as does the question's. */
#ifndef DEN_SPACE_SPACE_H
#define DEN_SPACE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_connection;
struct den_database;
struct den_space;

/* `database` must outlive the space. Reads the current embedder's vectors: about a second for a
 * million. */
enum den_status den_space_open(struct den_database *database, struct den_space **out,
                               struct den_error *err);
void den_space_close(struct den_space *space);

/* --- embedders --- */

struct den_space_embedder {
    int64_t row; /* 0: none */
    char name[128];
    size_t width;
    bool current;
    bool is_calibrated;
    double unrelated, related; /* cosines of the probes: see den_space_calibrate() */
};
/* The row of the embedder `name`, made if it is new; the first one becomes the current one. */
enum den_status den_space_embedder(struct den_space *space, const char *name, size_t width,
                                   struct den_space_embedder *out, struct den_error *err);
/* All zero where there is none yet. */
enum den_status den_space_current_embedder(struct den_space *space, struct den_space_embedder *out,
                                           struct den_error *err);
/* Cosines of one model are not those of another: where one gives 0.1 to texts that have nothing to
 * do with each other, the next gives 0.7, and what is believed of a search would be wrong. So each
 * embedder is measured once with a few questions and the sentences that answer them, whose vectors
 * its caller makes: question i is den_space_probes[2 i], its answer den_space_probes[2 i + 1]. */
enum { DEN_SPACE_PROBES = 48 };
extern const char *const den_space_probes[DEN_SPACE_PROBES];
/* `vectors` (DEN_SPACE_PROBES, embedder->width) of unit length. */
enum den_status den_space_calibrate(struct den_space *space,
                                    const struct den_space_embedder *embedder, const float *vectors,
                                    struct den_error *err);
/* Items that lack a vector of `embedder`: up to `capacity` rows, ascending. */
enum den_status den_space_missing(struct den_space *space, int64_t embedder, int64_t *out_items,
                                  size_t capacity, size_t *out_count, struct den_error *err);
/* Searches ask `embedder` from now on; vectors of others are removed. DEN_INVALID while it lacks
 * some. */
enum den_status den_space_switch(struct den_space *space, int64_t embedder, struct den_error *err);

/* --- writing: inside the caller's transaction --- */

struct den_space_item {
    int64_t row;
    const float *vector; /* (width) unit length */
};
/* Vectors of items (rows of the table `items`, which their caller has inserted). Nobody has to be
 * told: the next search looks at what changed since the last one. */
enum den_status den_space_put_vectors(struct den_connection *connection,
                                      const struct den_space_embedder *embedder,
                                      const struct den_space_item *items, size_t count,
                                      struct den_error *err);

/* --- searching --- */

/* Fields that are NULL or 0 do not filter. */
struct den_space_filter {
    const char *workspace;        /* id */
    const char *thread;           /* id: its own documents, besides those of the workspace */
    const char *const *documents; /* (document_count) ids */
    size_t document_count;
    const char *const *formats; /* (format_count) "pdf" ... */
    size_t format_count;
    const char *const *tags; /* (tag_count): documents that have one of them */
    size_t tag_count;
    int64_t modified_from, modified_until; /* Unix milliseconds */
    bool skip_pinned;                      /* of `workspace`: their text is in the prompt anyway */
};

struct den_space_query {
    const char *words;   /* what BM25 looks for: plain words, no query language; NULL: none */
    const float *vector; /* (width) unit length, of the current embedder; NULL: none */
    size_t width;
    struct den_space_filter filter;
    size_t candidates; /* that each of the two lists gives; 0: 100 */
    size_t count;      /* hits wanted; 0: 10 */
    double diversity;  /* maximal marginal relevance: 0 none, 1 only diversity; NAN: the default */
    bool no_feedback;  /* without pseudo-relevance feedback */
};

struct den_space_hit {
    int64_t item;
    int64_t document;
    int word_rank;   /* 1 ...; 0: not found by words */
    double bm25;     /* higher is better */
    int vector_rank; /* 1 ...; 0: not among the candidates */
    double cosine;   /* NAN: without a vector */
    double fused;    /* what orders the hits */
};

struct den_space_result {
    struct den_space_hit *hits;
    size_t count;
    double words_seconds, vectors_seconds, fuse_seconds;
    size_t searched;    /* items that passed the filter */
    double cosine_top;  /* the highest; 0: there is none */
    double cosine_tail; /* that of the hundredth, or of the last */
    double words_share; /* of what the question's words can earn, what the best by words has */
    double confidence;  /* 0 to 1: that anything here answers the question; calibrated on judged
                          questions (docs/internals/space.md) */
};
enum den_status den_space_search(struct den_space *space, const struct den_space_query *query,
                                 struct den_space_result *out, struct den_error *err);
void den_space_result_free(struct den_space_result *result);

/* What a space keeps in memory beside SQLite's own pages. */
struct den_space_memory {
    size_t vectors;     /* in the index, holes with them */
    size_t codes_bytes; /* of the vectors: a byte a dimension */
    size_t rows_bytes;  /* what stands beside each code: scale, remainder, item */
    size_t find_bytes;  /* the hash from item to row */
    size_t sets_bytes;  /* filters that are kept */
};
void den_space_memory(struct den_space *space, struct den_space_memory *out);

/* What a hit is, for people and prompts. Freed by den_passage_free(). */
struct den_passage {
    int64_t item;
    char *document;      /* id */
    char *name, *title;  /* the document's */
    char *format;        /* "pdf" ... */
    char *part_kind;     /* "page" ... */
    size_t part, number; /* ordinal from 0; as people count */
    char *label;         /* the part's */
    char *heading;
    size_t start, end;  /* bytes of the part's text */
    char *text;         /* the item's, or with its neighbours' */
    size_t first, last; /* ordinals of the items that are in `text` */
};
/* The item with up to `before` and `after` neighbours of the same part. DEN_NOT_FOUND where the
 * item is gone. */
enum den_status den_space_passage(struct den_space *space, int64_t item, size_t before,
                                  size_t after, struct den_passage *out, struct den_error *err);
void den_passage_free(struct den_passage *passage);

#endif
