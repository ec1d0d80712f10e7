/* The inside of a space, shared by the files of this room.
 *
 * Locks, taken in this order: a transaction of the database, then `index_lock`, then `cache_lock`.
 * A search reads one settled state of the database and holds `index_lock` for reading while it
 * scans; who finds changes that the index lacks takes it for writing and brings them in. The index
 * may be ahead of a search's state, or of a few rows that are gone meanwhile: what it proposes is
 * read from the database before it is a hit, and what is not there is none. */
#ifndef DEN_SPACE_SPACE_PARTS_H
#define DEN_SPACE_SPACE_PARTS_H

#include <pthread.h>

#include "base/limits.h"
#include "kernels/kernels.h"
#include "space/space.h"
#include "space/vector_index.h"

struct den_connection;
struct den_team;

/* A filter's items, kept for the next search with the same filter. */
struct den_kept_set {
    char *key; /* the filter as JSON; NULL: free */
    struct den_item_set *set;
    int users;
    uint64_t state; /* of the database, by den_space.state */
    uint64_t used;
};

/* Which commits of others a connection has seen: PRAGMA data_version means something on the
 * connection it was asked on only. */
struct den_seen {
    const struct den_connection *connection;
    int64_t version;
};

struct den_space {
    struct den_database *database;
    struct den_kernels kernels;
    struct den_team *team; /* NULL: one core */
    pthread_mutex_t team_lock;

    pthread_rwlock_t index_lock;
    struct den_vector_index index;
    int64_t embedder;    /* whose vectors are in it; 0: none */
    int64_t change_seen; /* row of vector_changes */

    pthread_mutex_t cache_lock; /* guards what follows */
    uint64_t state;             /* counts states of the database that were seen */
    struct den_seen seen[DEN_DATABASE_READERS_MAX];
    struct den_kept_set kept[DEN_SPACE_FILTERS_KEPT];
    uint64_t uses;
    size_t item_count; /* of all items, in `item_count_state` */
    uint64_t item_count_state;
};

/* --- index_sync.c --- */

/* Brings the index to the state that `connection` reads. */
enum den_status den_space_sync(struct den_space *space, struct den_connection *connection,
                               struct den_error *err);

/* --- embedders.c --- */

enum den_status den_space_read_current(struct den_connection *connection,
                                       struct den_space_embedder *out, struct den_error *err);

/* --- filter.c --- */

/* What `filter` lets through in the state that `connection` reads: *out_set is NULL where that is
 * everything; *out_all counts all items. Given back with den_space_return_set(). */
enum den_status den_space_take_set(struct den_space *space, struct den_connection *connection,
                                   const struct den_space_filter *filter,
                                   struct den_item_set **out_set, size_t *out_all,
                                   struct den_error *err);
void den_space_return_set(struct den_space *space, struct den_item_set *set);
void den_space_drop_sets(struct den_space *space);

#endif
