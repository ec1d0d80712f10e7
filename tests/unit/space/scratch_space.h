/* A space in a scratch folder, with documents of one part each, whose items are given as texts. */
#ifndef DEN_TESTS_UNIT_SPACE_SCRATCH_SPACE_H
#define DEN_TESTS_UNIT_SPACE_SCRATCH_SPACE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "space/space.h"
#include "store/database.h"
#include "store/query.h"

static char scratch_folder[64];
static struct den_database *database;
static struct den_space *space;

static inline void succeed(const struct den_error *err)
{
    if (err->status != DEN_OK)
        print_error("%s\n", err->message);
    assert_int_equal(err->status, DEN_OK);
}

static inline int open_space(void **state)
{
    struct den_error err = { 0 };
    char path[128];

    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/den-space-XXXXXX");
    if (!mkdtemp(scratch_folder))
        return 1;
    snprintf(path, sizeof path, "%s/den.db", scratch_folder);
    den_database_open(path, &database, &err);
    if (err.status == DEN_OK)
        den_space_open(database, &space, &err);
    return err.status != DEN_OK;
}

static inline int close_space(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[256];
    size_t i;

    (void)state;
    den_space_close(space);
    den_database_close(database);
    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/den.db%s", scratch_folder, ends[i]);
        unlink(path);
    }
    return rmdir(scratch_folder);
}

static inline void run_sql(const char *sql)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    den_database_write(database, &connection, &err);
    succeed(&err);
    den_execute(connection, &err, sql, "");
    den_connection_end(connection, &err);
    succeed(&err);
}

static inline int64_t ask_number(const char *sql)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;
    int64_t number = -1;

    den_database_read(database, &connection, &err);
    succeed(&err);
    den_query_start(&query, connection, &err, sql, "");
    if (den_query_next(&query, &err))
        number = den_query_integer(&query, 0);
    den_query_end(&query);
    den_connection_end(connection, &err);
    succeed(&err);
    return number;
}

static inline int64_t add_document(const char *id, const char *format, const char *tags,
                                   int64_t modified)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    int64_t document;

    den_database_write(database, &connection, &err);
    succeed(&err);
    den_execute(connection, &err, "INSERT OR IGNORE INTO originals VALUES ('00', 1, 1)", "");
    den_execute(connection, &err,
                "INSERT INTO documents (id, original, name, origin, format, title, tags, bytes, "
                "modified, created, updated, state) VALUES (?1, '00', ?1 || '.txt', 'upload', ?2, "
                "'Title of ' || ?1, ?3, 1, ?4, 1, 1, 'ready')",
                "ttti", id, format, tags, modified);
    document = den_connection_last_row(connection);
    den_execute(connection, &err,
                "INSERT INTO parts (document, ordinal, kind, number, label, text) "
                "VALUES (?, 0, 'page', 1, 'i', '')",
                "i", document);
    den_connection_end(connection, &err);
    succeed(&err);
    return document;
}

/* An item at the end of the document's part; its vector where one is given. */
static inline int64_t add_item(int64_t document, const char *heading, const char *text,
                               const struct den_space_embedder *embedder, const float *vector)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_space_item item = { .vector = vector };

    den_database_write(database, &connection, &err);
    succeed(&err);
    den_execute(connection, &err,
                "INSERT INTO items (document, part, ordinal, start, stop, heading, text, tokens) "
                "SELECT ?1, p.row, (SELECT count(*) FROM items WHERE document = ?1), "
                "length(CAST(p.text AS BLOB)), length(CAST(p.text || ?3 AS BLOB)), ?2, ?3, 1 "
                "FROM parts p WHERE p.document = ?1",
                "itt", document, heading, text);
    item.row = den_connection_last_row(connection);
    den_execute(connection, &err, "UPDATE parts SET text = text || ?2 WHERE document = ?1", "it",
                document, text);
    if (vector)
        den_space_put_vectors(connection, embedder, &item, 1, &err);
    den_connection_end(connection, &err);
    succeed(&err);
    return item.row;
}

/* Reproducible numbers in [-1, 1). */
static inline float noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / (1 << 23) - 1);
}

static inline void make_unit(float *vector, size_t width)
{
    double squares = 0;
    size_t i;

    for (i = 0; i < width; i++)
        squares += (double)vector[i] * (double)vector[i];
    for (i = 0; i < width; i++)
        vector[i] = (float)((double)vector[i] / sqrt(squares));
}

#endif
