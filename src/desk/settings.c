/* See settings.h. */
#include "desk/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/events.h"
#include "desk/threads_parts.h"

static enum den_status read_all(struct den_connection *connection, json_t **out,
                                struct den_error *err)
{
    json_t *settings = json_object();
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT key, value FROM settings ORDER BY key", "");
    while (den_query_next(&query, err))
        if (json_object_set_new(settings, den_query_text(&query, 0), den_value_json(&query, 1)) !=
            0)
            den_fail(err, DEN_NO_MEMORY, "settings: out of memory");
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = settings;
    else
        json_decref(settings);
    return err->status;
}

static enum den_status write_one(struct den_connection *connection, const char *key,
                                 const json_t *value, struct den_error *err)
{
    char *text = NULL;

    if (!*key || strlen(key) > DEN_NAME_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "the name of a setting has 1 to %d bytes",
                        DEN_NAME_BYTES_MAX);
    if (json_is_null(value))
        return den_execute(connection, err, "DELETE FROM settings WHERE key = ?", "t", key);
    if (den_json_text(value, &text, err) == DEN_OK)
        den_execute(connection, err,
                    "INSERT INTO settings (key, value) VALUES (?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    "tt", key, text);
    free(text);
    return err->status;
}

static enum den_status check_size(const json_t *settings, struct den_error *err)
{
    size_t bytes = json_dumpb(settings, NULL, 0, JSON_COMPACT);

    if (bytes <= DEN_SETTINGS_BYTES_MAX)
        return DEN_OK;
    return den_fail(err, DEN_TOO_LARGE, "the settings would have %zu bytes; at most %d are kept",
                    bytes, DEN_SETTINGS_BYTES_MAX);
}

enum den_status den_settings_get(struct den_threads *threads, json_t **out, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    read_all(connection, out, err);
    return den_connection_end(connection, err);
}

enum den_status den_settings_change(struct den_threads *threads, const json_t *changes,
                                    json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    json_t *settings = NULL, *value;
    const char *key;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    json_object_foreach((json_t *)(uintptr_t)changes, key, value)
    {
        if (err->status == DEN_OK)
            write_one(connection, key, value, err);
    }
    if (err->status == DEN_OK && read_all(connection, &settings, err) == DEN_OK)
        check_size(settings, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(settings);
        return err->status;
    }
    if (threads->events)
        den_events_publish(threads->events, NULL, "settings",
                           json_pack("{s:O}", "settings", settings));
    *out = settings;
    return DEN_OK;
}
