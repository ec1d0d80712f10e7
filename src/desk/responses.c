/* See responses.h. */
#include "desk/responses.h"

#include "base/clock.h"
#include "base/json.h"
#include "store/database.h"
#include "store/query.h"

enum { DAYS_KEPT = 30 };

enum den_status den_response_keep(struct den_database *database, const char *id,
                                  const json_t *content, struct den_error *err)
{
    const int64_t now = den_clock_unix();
    struct den_connection *connection;
    struct den_buffer text;

    den_buffer_init(&text, DEN_RESPONSE_BYTES_MAX);
    if (den_json_write(content, &text, err) != DEN_OK ||
        den_database_write(database, &connection, err) != DEN_OK)
        goto done;
    den_execute(connection, err, "DELETE FROM responses WHERE created < ?", "i",
                now - DAYS_KEPT * (int64_t)86400);
    den_execute(
        connection, err,
        "DELETE FROM responses WHERE id IN (SELECT id FROM responses ORDER BY created DESC, "
        "rowid DESC LIMIT -1 OFFSET ?)",
        "i", (int64_t)(DEN_RESPONSES_MAX - 1));
    den_execute(connection, err,
                "INSERT OR REPLACE INTO responses (id, created, content) VALUES (?, ?, ?)", "tib",
                id, now, text.data, text.length);
    den_connection_end(connection, err);
done:
    den_buffer_deinit(&text);
    return err->status;
}

enum den_status den_response_find(struct den_database *database, const char *id, json_t **out,
                                  struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    json_t *content = NULL;

    if (den_database_read(database, &connection, err) != DEN_OK)
        return err->status;
    if (den_query_start(&query, connection, err, "SELECT content FROM responses WHERE id = ?", "t",
                        id) == DEN_OK &&
        den_query_next(&query, err))
        den_json_parse(den_query_text(&query, 0), den_query_bytes(&query, 0), "response", &content,
                       err);
    den_query_end(&query);
    if (den_connection_end(connection, err) == DEN_OK && !content)
        den_fail(err, DEN_NOT_FOUND, "there is no response with the id '%.64s'", id);
    if (err->status == DEN_OK)
        *out = content;
    else
        json_decref(content);
    return err->status;
}

enum den_status den_response_forget(struct den_database *database, const char *id,
                                    struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(database, &connection, err) != DEN_OK)
        return err->status;
    if (den_execute(connection, err, "DELETE FROM responses WHERE id = ?", "t", id) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_NOT_FOUND, "there is no response with the id '%.64s'", id);
    return den_connection_end(connection, err);
}
