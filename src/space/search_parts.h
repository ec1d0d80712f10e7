/* The inside of a search: what is found on the way from two lists to one.
 *
 * vector_search.c and word_search.c each give a list; they meet in a pool (pool.c), in which each
 * item stands once with all that is known of it. fusion.c gives it its score, feedback.c lets its
 * neighbours have a say in it, diversity.c chooses from the best, confidence.c says how far to
 * believe them, and calibration.c what a model's cosines mean. */
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
    bool has_vector; /* den_pool_vector(), den_pool_halves() */
    size_t slot;     /* of its vectors; stays its own when the pool is sorted */
};

struct den_pool {
    struct den_found *found;
    size_t count, capacity;
    uint32_t *places; /* (place_count) index + 1 by the hash of the item, until it is sorted */
    size_t place_count;
    float *vectors;   /* (capacity, width) */
    uint16_t *halves; /* the same as they are stored */
    size_t width;
};
enum den_status den_pool_init(struct den_pool *pool, size_t capacity, size_t width,
                              struct den_error *err);
void den_pool_deinit(struct den_pool *pool);
/* NULL: it is not there. Neither may be called once the pool is sorted. */
struct den_found *den_pool_find(const struct den_pool *pool, int64_t item);
/* The one that is there, or a new one; the pool has room. */
struct den_found *den_pool_add(struct den_pool *pool, int64_t item);
/* By the fused score; of equals the earlier item first. */
void den_pool_sort(struct den_pool *pool);

static inline float *den_pool_vector(const struct den_pool *pool, const struct den_found *found)
{
    return pool->vectors + found->slot * pool->width;
}

static inline uint16_t *den_pool_halves(const struct den_pool *pool, const struct den_found *found)
{
    return pool->halves + found->slot * pool->width;
}

struct den_search {
    struct den_space *space;
    struct den_connection *connection;
    const struct den_space_query *query;
    int64_t embedder;
    double unrelated, related;      /* its cosines of the probes; both 0: not measured */
    const struct den_item_set *set; /* NULL: everything */
    size_t item_count;              /* that pass the filter */
    size_t all_count;               /* of all items */
    size_t candidates;
    struct den_words words;
    double rarity; /* of all words together */
    struct den_pool pool;
};

/* Adds the best `candidates` by words to the pool; what is in it already and matches at all gets
 * its bm25 as well. */
enum den_status den_search_words(struct den_search *search, struct den_error *err);

struct den_vector_hit {
    int64_t item;
    double cosine;
};
/* Exactly the best `count` of the products with `vector`. */
enum den_status den_search_vectors(const struct den_search *search, const float *vector,
                                   size_t count, struct den_vector_hit *out, size_t *out_count,
                                   struct den_error *err);
/* Fills in the vectors of the pool, and cosines that are not known yet. */
enum den_status den_search_read_vectors(struct den_search *search, struct den_error *err);

/* Gives everything in the pool its score, and sorts it by that. */
enum den_status den_search_fuse(struct den_search *search, struct den_error *err);
/* Scores of passages that say much the same are brought nearer to each other; sorts again. */
enum den_status den_search_smooth(struct den_search *search, struct den_error *err);
/* Moves `count` of the pool to its front so that they differ. */
void den_search_diversify(struct den_search *search, size_t count, double diversity);
/* What the cosine would be with the model that confidence was fitted for. */
double den_search_cosine_home(const struct den_search *search, double cosine);
/* Fills in what is known of how well the question is met; before the pool is cut. */
void den_search_judge(const struct den_search *search, struct den_space_result *out);

#endif
