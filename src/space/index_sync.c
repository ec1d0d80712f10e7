/* Keeping the index in memory at the state of the database.
 *
 * Triggers note every vector of the current embedder that is written or removed in the table
 * vector_changes, whichever program does it (store/migrations/0004_vector_changes.sql). A search
 * asks for the highest number there, one step down a tree, and reads what is above the one it
 * knows. Where the embedder is another one, or more has changed than is noted, everything is read
 * again. */
#include "space/space_parts.h"

#include <stdlib.h>

#include "store/database.h"
#include "store/query.h"

/* What a state of the database has. */
struct extent {
    struct den_space_embedder embedder;
    int64_t first, last; /* of vector_changes; 0: it is empty */
};

static enum den_status read_extent(struct den_connection *connection, struct extent *out,
                                   struct den_error *err)
{
    struct den_query query;

    *out = (struct extent){ 0 };
    if (den_space_read_current(connection, &out->embedder, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT (SELECT min(row) FROM vector_changes), "
                    "(SELECT max(row) FROM vector_changes)",
                    "");
    if (den_query_next(&query, err)) {
        out->first = den_query_integer(&query, 0);
        out->last = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    return err->status;
}

static bool is_current(const struct den_space *space, const struct extent *extent)
{
    return space->embedder == extent->embedder.row && space->change_seen >= extent->last;
}

static enum den_status put_row(struct den_space *space, int64_t item, const void *half,
                               size_t bytes, float *scratch)
{
    struct den_error ignored = { 0 };
    size_t width = space->index.width;

    if (bytes != width * sizeof(uint16_t))
        return DEN_BAD_FILE;
    space->kernels.vector.from_f16(half, width, scratch);
    return den_vector_index_put(&space->index, item, scratch, &ignored);
}

static enum den_status take_row(struct den_space *space, struct den_query *query, float *scratch,
                                struct den_error *err)
{
    int64_t item = den_query_integer(query, 0);
    enum den_status status;

    if (den_query_is_null(query, 1)) {
        den_vector_index_remove(&space->index, item);
        return DEN_OK;
    }
    status = put_row(space, item, den_query_blob(query, 1), den_query_bytes(query, 1), scratch);
    if (status == DEN_BAD_FILE)
        return den_fail(err, DEN_BAD_FILE,
                        "space: the vector of item %lld has %zu bytes, not %zu; run den doctor",
                        (long long)item, den_query_bytes(query, 1),
                        space->index.width * sizeof(uint16_t));
    if (status != DEN_OK)
        return den_fail(err, status, "space: no room for the vectors of this database");
    return DEN_OK;
}

static enum den_status read_all(struct den_space *space, struct den_connection *connection,
                                const struct extent *extent, struct den_error *err)
{
    float *scratch = malloc((extent->embedder.width + 1) * sizeof *scratch);
    struct den_query query;

    if (!scratch)
        return den_fail(err, DEN_NO_MEMORY, "space: out of memory");
    den_vector_index_deinit(&space->index);
    den_vector_index_init(&space->index, extent->embedder.width);
    space->embedder = 0; /* until all is there */
    den_query_start(&query, connection, err,
                    "SELECT item, vector FROM vectors WHERE embedder = ? ORDER BY item", "i",
                    extent->embedder.row);
    while (den_query_next(&query, err) && take_row(space, &query, scratch, err) == DEN_OK)
        ;
    den_query_end(&query);
    free(scratch);
    if (err->status == DEN_OK) {
        space->embedder = extent->embedder.row;
        space->change_seen = extent->last;
    }
    return err->status;
}

static enum den_status read_changes(struct den_space *space, struct den_connection *connection,
                                    const struct extent *extent, struct den_error *err)
{
    float *scratch = malloc((extent->embedder.width + 1) * sizeof *scratch);
    struct den_query query;

    if (!scratch)
        return den_fail(err, DEN_NO_MEMORY, "space: out of memory");
    den_query_start(&query, connection, err,
                    "SELECT c.item, v.vector FROM (SELECT DISTINCT item FROM vector_changes "
                    "WHERE row > ?) c LEFT JOIN vectors v ON v.embedder = ? AND v.item = c.item",
                    "ii", space->change_seen, extent->embedder.row);
    while (den_query_next(&query, err) && take_row(space, &query, scratch, err) == DEN_OK)
        ;
    den_query_end(&query);
    free(scratch);
    if (err->status == DEN_OK)
        space->change_seen = extent->last;
    if (space->index.holes > space->index.rows / 4 + DEN_INDEX_BLOCK_ROWS)
        den_vector_index_compact(&space->index);
    return err->status;
}

enum den_status den_space_sync(struct den_space *space, struct den_connection *connection,
                               struct den_error *err)
{
    struct extent extent;
    bool current;

    if (read_extent(connection, &extent, err) != DEN_OK)
        return err->status;
    pthread_rwlock_rdlock(&space->index_lock);
    current = is_current(space, &extent);
    pthread_rwlock_unlock(&space->index_lock);
    if (current)
        return DEN_OK;
    pthread_rwlock_wrlock(&space->index_lock);
    if (!is_current(space, &extent)) {
        if (space->embedder != extent.embedder.row || extent.first > space->change_seen + 1)
            read_all(space, connection, &extent, err);
        else
            read_changes(space, connection, &extent, err);
    }
    pthread_rwlock_unlock(&space->index_lock);
    return err->status;
}
