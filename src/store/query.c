/* See query.h. */
#include "store/query.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "store/sqlite_error.h"
#include "store/store_parts.h"

static enum den_status fail_here(struct den_error *err, const struct den_connection *connection,
                                 int code)
{
    return den_fail_sqlite(err, connection->handle, code, connection->database->path);
}

/* --- prepared statements, kept by the address of their text --- */

static struct den_prepared *find_place(struct den_connection *connection, const char *sql)
{
    struct den_prepared *free_place = NULL;
    size_t i;

    for (i = 0; i < DEN_DATABASE_STATEMENTS_MAX; i++) {
        struct den_prepared *place = &connection->prepared[i];

        if (place->sql == sql)
            return place;
        if (!place->sql && !free_place)
            free_place = place;
    }
    return free_place;
}

static enum den_status prepare(struct den_query *query, const char *sql, struct den_error *err)
{
    struct den_connection *connection = query->connection;
    struct den_prepared *place = find_place(connection, sql);
    sqlite3_stmt *statement;
    int code;

    if (place && place->statement && !place->is_lent) {
        place->is_lent = query->is_kept = true;
        query->statement = place->statement;
        return DEN_OK;
    }
    code = sqlite3_prepare_v3(connection->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                              NULL);
    if (code != SQLITE_OK)
        return fail_here(err, connection, code);
    query->statement = statement;
    if (place && !place->statement) {
        *place = (struct den_prepared){ .sql = sql, .statement = statement, .is_lent = true };
        query->is_kept = true;
    }
    return DEN_OK;
}

void den_query_end(struct den_query *query)
{
    size_t i;

    if (!query->statement)
        return;
    if (!query->is_kept) {
        sqlite3_finalize(query->statement);
    } else {
        sqlite3_reset(query->statement);
        sqlite3_clear_bindings(query->statement); /* the bound texts are about to go */
        for (i = 0; i < DEN_DATABASE_STATEMENTS_MAX; i++)
            if (query->connection->prepared[i].statement == query->statement)
                query->connection->prepared[i].is_lent = false;
    }
    query->statement = NULL;
}

/* --- values --- */

static int bind_text(sqlite3_stmt *statement, int place, const char *text, size_t length)
{
    if (!text)
        return sqlite3_bind_null(statement, place);
    return sqlite3_bind_text64(statement, place, text, length, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_values(sqlite3_stmt *statement, const char *types, va_list values)
{
    int place, code = SQLITE_OK;
    const char *text;
    const void *blob;

    for (place = 1; *types && code == SQLITE_OK; types++, place++) {
        switch (*types) {
        case 't':
            text = va_arg(values, const char *);
            code = bind_text(statement, place, text, text ? strlen(text) : 0);
            break;
        case 'b':
            text = va_arg(values, const char *);
            code = bind_text(statement, place, text, va_arg(values, size_t));
            break;
        case 'x':
            blob = va_arg(values, const void *);
            code = sqlite3_bind_blob64(statement, place, blob ? blob : "", va_arg(values, size_t),
                                       SQLITE_STATIC);
            break;
        case 'i':
            code = sqlite3_bind_int64(statement, place, va_arg(values, int64_t));
            break;
        case 'r':
            code = sqlite3_bind_double(statement, place, va_arg(values, double));
            break;
        default:
            assert(*types == 'n');
            code = sqlite3_bind_null(statement, place);
        }
    }
    return code;
}

static enum den_status start(struct den_query *query, const char *sql, const char *types,
                             va_list values, struct den_error *err)
{
    int code;

    if (prepare(query, sql, err) != DEN_OK)
        return err->status;
    assert((size_t)sqlite3_bind_parameter_count(query->statement) == strlen(types));
    code = bind_values(query->statement, types, values);
    if (code == SQLITE_OK)
        return DEN_OK;
    fail_here(err, query->connection, code);
    den_query_end(query);
    return err->status;
}

enum den_status den_query_start(struct den_query *query, struct den_connection *connection,
                                struct den_error *err, const char *sql, const char *types, ...)
{
    va_list values;

    *query = (struct den_query){ .connection = connection };
    if (err->status != DEN_OK)
        return err->status;
    va_start(values, types);
    start(query, sql, types, values, err);
    va_end(values);
    return err->status;
}

bool den_query_next(struct den_query *query, struct den_error *err)
{
    int code;

    if (err->status != DEN_OK)
        return false;
    code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        fail_here(err, query->connection, code);
    return false;
}

int64_t den_query_integer(struct den_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double den_query_real(struct den_query *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

const char *den_query_text(struct den_query *query, int column)
{
    const unsigned char *text = sqlite3_column_text(query->statement, column);

    return text ? (const char *)text : "";
}

const void *den_query_blob(struct den_query *query, int column)
{
    return sqlite3_column_blob(query->statement, column);
}

size_t den_query_bytes(struct den_query *query, int column)
{
    int bytes = sqlite3_column_bytes(query->statement, column);

    return bytes > 0 ? (size_t)bytes : 0;
}

bool den_query_is_null(struct den_query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

enum den_status den_execute(struct den_connection *connection, struct den_error *err,
                            const char *sql, const char *types, ...)
{
    struct den_query query = { .connection = connection };
    va_list values;

    if (err->status != DEN_OK)
        return err->status;
    va_start(values, types);
    start(&query, sql, types, values, err);
    va_end(values);
    while (den_query_next(&query, err))
        ; /* a row that nobody asked for */
    den_query_end(&query);
    return err->status;
}

int64_t den_connection_changes(const struct den_connection *connection)
{
    return sqlite3_changes64(connection->handle);
}

int64_t den_connection_last_row(const struct den_connection *connection)
{
    return sqlite3_last_insert_rowid(connection->handle);
}
