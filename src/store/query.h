/* Query: a prepared statement with bound values. Text from outside reaches SQL in no other way.
 *
 *     struct den_query query;
 *
 *     if (den_query_start(&query, connection, err, "SELECT name FROM people WHERE age > ?", "i",
 *                         (int64_t)30) != DEN_OK)
 *         return err->status;
 *     while (den_query_next(&query, err))
 *         puts(den_query_text(&query, 0));
 *     den_query_end(&query);
 *
 * `types` has a letter for each value: t (const char *, NULL: null), b (const char *, size_t: a
 * text of that many bytes), x (const void *, size_t: a blob), i (int64_t), r (double), n (null;
 * takes no argument). SQL texts are static: a connection keeps them prepared, found again by their
 * address. */
#ifndef DEN_STORE_QUERY_H
#define DEN_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_connection;

struct den_query {
    struct den_connection *connection;
    void *statement; /* NULL: ended */
    bool is_kept;
};

/* Bound texts must live until the query ends. */
enum den_status den_query_start(struct den_query *query, struct den_connection *connection,
                                struct den_error *err, const char *sql, const char *types, ...);
/* Moves to the next row; false after the last and on failure, which `err` tells apart. Does nothing
 * where `err` holds a failure already. */
bool den_query_next(struct den_query *query, struct den_error *err);
/* May be called twice, and on a query whose start failed. */
void den_query_end(struct den_query *query);

/* Of the row; texts live until the next row. A null is 0 and "". */
int64_t den_query_integer(struct den_query *query, int column);
double den_query_real(struct den_query *query, int column);
const char *den_query_text(struct den_query *query, int column);
size_t den_query_bytes(struct den_query *query, int column);
const void *den_query_blob(struct den_query *query, int column); /* den_query_bytes() of them */
bool den_query_is_null(struct den_query *query, int column);

/* Runs a statement that gives no rows. Does nothing where `err` holds a failure already, so that
 * several can follow each other and be checked once. */
enum den_status den_execute(struct den_connection *connection, struct den_error *err,
                            const char *sql, const char *types, ...);
/* Rows that the last statement changed, and the number of the row last inserted. */
int64_t den_connection_changes(const struct den_connection *connection);
int64_t den_connection_last_row(const struct den_connection *connection);

#endif
