/* Embedders: whose vectors there are, which of them searches ask, and what each still lacks. */
#include "space/space_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/query.h"

static void read_row(struct den_query *query, struct den_space_embedder *out)
{
    *out = (struct den_space_embedder){ .row = den_query_integer(query, 0),
                                        .width = (size_t)den_query_integer(query, 2),
                                        .current = den_query_integer(query, 3) != 0,
                                        .is_calibrated = !den_query_is_null(query, 4),
                                        .unrelated = den_query_real(query, 4),
                                        .related = den_query_real(query, 5) };
    snprintf(out->name, sizeof out->name, "%s", den_query_text(query, 1));
}

enum den_status den_space_read_current(struct den_connection *connection,
                                       struct den_space_embedder *out, struct den_error *err)
{
    struct den_query query;

    *out = (struct den_space_embedder){ 0 };
    den_query_start(&query, connection, err,
                    "SELECT row, name, width, current, unrelated, related FROM embedders "
                    "WHERE current = 1",
                    "");
    if (den_query_next(&query, err))
        read_row(&query, out);
    den_query_end(&query);
    return err->status;
}

static enum den_status read_named(struct den_connection *connection, const char *name,
                                  struct den_space_embedder *out, struct den_error *err)
{
    struct den_query query;

    *out = (struct den_space_embedder){ 0 };
    den_query_start(&query, connection, err,
                    "SELECT row, name, width, current, unrelated, related FROM embedders "
                    "WHERE name = ?",
                    "t", name);
    if (den_query_next(&query, err))
        read_row(&query, out);
    den_query_end(&query);
    return err->status;
}

enum den_status den_space_current_embedder(struct den_space *space, struct den_space_embedder *out,
                                           struct den_error *err)
{
    struct den_connection *connection;
    struct den_space_embedder found;

    if (den_database_read(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_space_read_current(connection, &found, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = found;
    return err->status;
}

static enum den_status add_embedder(struct den_space *space, const char *name, size_t width,
                                    struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err,
                "INSERT INTO embedders (name, width, created, current) VALUES (?, ?, ?, NOT EXISTS "
                "(SELECT 1 FROM embedders WHERE current = 1)) ON CONFLICT (name) DO NOTHING",
                "tii", name, (int64_t)width, den_clock_unix_ms());
    return den_connection_end(connection, err);
}

static enum den_status find_embedder(struct den_space *space, const char *name,
                                     struct den_space_embedder *out, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_read(space->database, &connection, err) != DEN_OK)
        return err->status;
    read_named(connection, name, out, err);
    return den_connection_end(connection, err);
}

enum den_status den_space_embedder(struct den_space *space, const char *name, size_t width,
                                   struct den_space_embedder *out, struct den_error *err)
{
    struct den_space_embedder found;

    if (!*name || strlen(name) >= sizeof found.name)
        return den_fail(err, DEN_INVALID, "space: an embedder's name has 1 to %zu bytes",
                        sizeof found.name - 1);
    if (width == 0 || width > DEN_SPACE_WIDTH_MAX)
        return den_fail(err, DEN_INVALID, "space: vectors have 1 to %d dimensions, not %zu",
                        DEN_SPACE_WIDTH_MAX, width);
    if (find_embedder(space, name, &found, err) != DEN_OK)
        return err->status;
    if (!found.row && (add_embedder(space, name, width, err) != DEN_OK ||
                       find_embedder(space, name, &found, err) != DEN_OK))
        return err->status;
    if (found.width != width)
        return den_fail(err, DEN_INVALID, "space: the vectors of '%s' have %zu dimensions, not %zu",
                        name, found.width, width);
    *out = found;
    return DEN_OK;
}

enum den_status den_space_missing(struct den_space *space, int64_t embedder, int64_t *out_items,
                                  size_t capacity, size_t *out_count, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    size_t count = 0;

    if (den_database_read(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT row FROM items WHERE NOT EXISTS (SELECT 1 FROM vectors "
                    "WHERE embedder = ? AND item = items.row) ORDER BY row LIMIT ?",
                    "ii", embedder, (int64_t)capacity);
    while (count < capacity && den_query_next(&query, err))
        out_items[count++] = den_query_integer(&query, 0);
    den_query_end(&query);
    if (den_connection_end(connection, err) == DEN_OK)
        *out_count = count;
    return err->status;
}

/* The flag moves first: the triggers that note changes look at it, and so say nothing about the
 * vectors that are removed; the index reads everything anew when it sees another embedder. */
enum den_status den_space_switch(struct den_space *space, int64_t embedder, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t missing = 0;
    bool is_there = false;

    if (den_database_write(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(
        &query, connection, err,
        "SELECT (SELECT count(*) FROM items WHERE NOT EXISTS (SELECT 1 FROM vectors "
        "WHERE embedder = e.row AND item = items.row)) FROM embedders e WHERE e.row = ?",
        "i", embedder);
    is_there = den_query_next(&query, err);
    if (is_there)
        missing = den_query_integer(&query, 0);
    den_query_end(&query);
    if (err->status == DEN_OK && !is_there)
        den_fail(err, DEN_NOT_FOUND, "space: there is no embedder %lld", (long long)embedder);
    if (missing > 0)
        den_fail(err, DEN_INVALID, "space: %lld items have no vector of that embedder yet",
                 (long long)missing);
    den_execute(connection, err, "UPDATE embedders SET current = (row = ?)", "i", embedder);
    den_execute(connection, err, "DELETE FROM vectors WHERE embedder <> ?", "i", embedder);
    den_execute(connection, err, "DELETE FROM embedders WHERE row <> ?", "i", embedder);
    return den_connection_end(connection, err);
}

/* --- vectors --- */

static enum den_status code_vector(const struct den_space_item *item, size_t width, float *scratch,
                                   uint16_t *out, struct den_error *err)
{
    struct den_vector_kernels vector;
    double squares = 0;
    size_t i;

    for (i = 0; i < width; i++)
        squares += (double)item->vector[i] * (double)item->vector[i];
    if (!isfinite(squares) || squares < 1e-20)
        return den_fail(err, DEN_INVALID, "space: the vector of item %lld has no direction",
                        (long long)item->row);
    for (i = 0; i < width; i++)
        scratch[i] = (float)((double)item->vector[i] / sqrt(squares));
    den_vector_kernels_ref(&vector);
    vector.to_f16(scratch, width, out);
    return DEN_OK;
}

/* Readers that are further behind than what is kept read everything again. */
static void forget_changes(struct den_connection *connection, struct den_error *err)
{
    den_execute(connection, err,
                "DELETE FROM vector_changes WHERE row <= (SELECT max(row) FROM vector_changes) - ?",
                "i", (int64_t)DEN_SPACE_CHANGES_KEPT);
}

enum den_status den_space_put_vectors(struct den_connection *connection,
                                      const struct den_space_embedder *embedder,
                                      const struct den_space_item *items, size_t count,
                                      struct den_error *err)
{
    size_t width = embedder->width, i;
    float *scratch = malloc((width + 1) * sizeof *scratch);
    uint16_t *half = malloc((width + 1) * sizeof *half);

    if (!scratch || !half) {
        den_fail(err, DEN_NO_MEMORY, "space: out of memory");
        goto end;
    }
    for (i = 0; i < count; i++) {
        if (code_vector(&items[i], width, scratch, half, err) != DEN_OK)
            goto end;
        den_execute(connection, err,
                    "INSERT INTO vectors (embedder, item, vector) VALUES (?, ?, ?) "
                    "ON CONFLICT (embedder, item) DO UPDATE SET vector = excluded.vector",
                    "iix", embedder->row, items[i].row, (const void *)half, width * sizeof *half);
        if (err->status != DEN_OK)
            goto end;
    }
    forget_changes(connection, err);
end:
    free(scratch);
    free(half);
    return err->status;
}
