/* The inside of a search: what is found on the way from two lists to one.
 *
 * word_search.c and vector_search.c each give a list; search.c joins them to a pool, in which each
 * item stands once with all that is known of it; fusion.c gives it its score, diversity.c chooses
 * from the best, confidence.c says how far to believe it. */
#ifndef DEN_SPACE_SEARCH_PARTS_H
#define DEN_SPACE_SEARCH_PARTS_H

#include "space/space_parts.h"
#include "space/words.h"

struct den_found {
    int64_t item;
    int64_t document;
    int word_rank, vector_rank; /* from 1; 0: not in that list */
    double bm25;
    double cosine; /* NAN: it has no vector */
    double fused;
    float *vector; /* (width); NULL: none */
};

struct den_pool {
    struct den_found *found;
    size_t count, capacity;
    float *vectors; /* (capacity, width) */
    size_t width;
};

struct den_search {
    struct den_space *space;
    struct den_connection *connection;
    const struct den_space_query *query;
    int64_t embedder;
    const struct den_item_set *set; /* NULL: everything */
    size_t item_count;              /* that pass the filter */
    size_t candidates;
    struct den_words words;
    struct den_pool pool;
};

struct den_word_hit {
    int64_t item;
    double bm25;
};
/* The best `count` of those that match `expression`, best first; `out` has room for them. */
enum den_status den_search_words(const struct den_search *search, const char *expression,
                                 size_t count, struct den_word_hit *out, size_t *out_count,
                                 struct den_error *err);

struct den_vector_hit {
    int64_t item;
    double cosine;
};
/* Exactly the best `count` of the products with `vector`. */
enum den_status den_search_vectors(const struct den_search *search, const float *vector,
                                   size_t count, struct den_vector_hit *out, size_t *out_count,
                                   struct den_error *err);
/* The item's vector, as it is stored; *out_is_there is false where it has none. */
enum den_status den_search_read_vector(const struct den_search *search, int64_t item, float *out,
                                       bool *out_is_there, struct den_error *err);

/* Gives everything in the pool its score, and sorts it by that. */
void den_search_fuse(struct den_search *search);
/* Moves `count` of the pool to its front so that they differ. */
void den_search_diversify(struct den_search *search, size_t count, double diversity);
double den_search_confidence(const struct den_search *search);

#endif
