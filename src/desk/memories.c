/* See memories.h. */
#include "desk/memories.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/events.h"
#include "desk/memory_rules.h"
#include "desk/threads_parts.h"
#include "desk/workspaces_parts.h"

#define COLUMNS                                                                                    \
    "m.id, m.text, m.state, (SELECT w.id FROM workspaces w WHERE w.row = m.workspace), "           \
    "(SELECT t.id FROM threads t WHERE t.row = m.thread), m.created"

/* --- rows --- */

static json_t *memory_json(struct den_query *query)
{
    const json_int_t created = (json_int_t)den_query_integer(query, 5);
    json_t *workspace = den_query_is_null(query, 3) ? json_null() : den_text_json(query, 3);
    json_t *thread = den_query_is_null(query, 4) ? json_null() : den_text_json(query, 4);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "id", den_text_json(query, 0), "text",
                     den_text_json(query, 1), "state", den_text_json(query, 2), "workspace",
                     workspace, "thread", thread, "created", created);
}

static enum den_status read_one(struct den_connection *connection, const char *id, json_t **out,
                                struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT " COLUMNS " FROM memories m WHERE m.id = ?",
                    "t", id);
    if (den_query_next(&query, err)) {
        *out = memory_json(&query);
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "memories: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "there is no memory '%.64s'", den_id_is_valid(id) ? id : "");
    }
    den_query_end(&query);
    return err->status;
}

/* The id of the memory with these words, in any case, of the same workspace; "": there is none. */
static enum den_status find_same(struct den_connection *connection, const char *text,
                                 int64_t workspace, char out[DEN_ID_LENGTH_MAX + 1],
                                 struct den_error *err)
{
    struct den_query query;

    out[0] = '\0';
    den_query_start(&query, connection, err,
                    "SELECT id FROM memories WHERE text = ? COLLATE NOCASE AND "
                    "coalesce(workspace, 0) = ?",
                    "ti", text, workspace);
    if (den_query_next(&query, err))
        strncpy(out, den_query_text(&query, 0), DEN_ID_LENGTH_MAX);
    out[DEN_ID_LENGTH_MAX] = '\0';
    den_query_end(&query);
    return err->status;
}

static enum den_status count_all(struct den_connection *connection, int64_t *out,
                                 struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT count(*) FROM memories", "");
    *out = den_query_next(&query, err) ? den_query_integer(&query, 0) : 0;
    den_query_end(&query);
    return err->status;
}

/* --- telling; takes over `memory` --- */

static void tell(struct den_threads *threads, json_t *memory)
{
    if (threads->events && memory)
        den_events_publish(threads->events, NULL, "memory", json_pack("{s:o}", "memory", memory));
    else
        json_decref(memory);
}

static void tell_deleted(struct den_threads *threads, const char *id)
{
    if (threads->events)
        den_events_publish(threads->events, NULL, "memory_deleted", json_pack("{s:s}", "id", id));
}

/* --- reading --- */

enum den_status den_memories_enabled(struct den_connection *connection, bool *out,
                                     struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT value = 'true' FROM settings WHERE key = ?",
                    "t", "memory");
    *out = den_query_next(&query, err) && den_query_integer(&query, 0) != 0;
    den_query_end(&query);
    return err->status;
}

enum den_status den_memories_list(struct den_threads *threads, json_t **out, struct den_error *err)
{
    json_t *list = json_array();
    struct den_connection *connection;
    struct den_query query;
    bool enabled = false;

    if (den_database_read(threads->database, &connection, err) != DEN_OK) {
        json_decref(list);
        return err->status;
    }
    den_memories_enabled(connection, &enabled, err);
    den_query_start(&query, connection, err,
                    "SELECT " COLUMNS " FROM memories m ORDER BY m.row DESC", "");
    while (den_query_next(&query, err))
        if (json_array_append_new(list, memory_json(&query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "memories: out of memory");
    den_query_end(&query);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = json_pack("{s:b, s:O}", "enabled", (int)enabled, "memories", list);
    json_decref(list);
    return err->status;
}

enum den_status den_memories_of(struct den_connection *connection, int64_t workspace,
                                bool any_state, json_t **out, struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT id, text FROM memories WHERE (state = 'kept' OR ?) AND "
                    "(workspace IS NULL OR workspace = ?) ORDER BY row DESC",
                    "ii", (int64_t)any_state, workspace);
    while (den_query_next(&query, err))
        if (json_array_append_new(list, json_pack("{s:o, s:o}", "id", den_text_json(&query, 0),
                                                  "text", den_text_json(&query, 1))) != 0)
            den_fail(err, DEN_NO_MEMORY, "memories: out of memory");
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = list;
    else
        json_decref(list);
    return err->status;
}

/* --- adding --- */

/* "text" with its white space made single blanks; one line, no secret. */
static enum den_status read_text(const json_t *fields, bool is_needed, char *out, size_t capacity,
                                 struct den_error *err)
{
    const char *text = NULL;
    size_t used = 0;

    out[0] = '\0';
    if (den_text_get(fields, "text", DEN_MEMORY_BYTES_MAX, &text, err) != DEN_OK)
        return err->status;
    if (!text)
        return is_needed ? den_fail(err, DEN_INVALID, "'text' is missing; it must be a sentence")
                         : DEN_OK;
    for (; *text && used + 1 < capacity; text++) {
        if (!isspace((unsigned char)*text))
            out[used++] = *text;
        else if (used > 0 && out[used - 1] != ' ')
            out[used++] = ' ';
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    if (used == 0)
        return den_fail(err, DEN_INVALID, "'text' must not be empty");
    if (den_memory_is_secret(out))
        return den_fail(err, DEN_INVALID,
                        "'text' looks like a password or the number of a card or account, which "
                        "are not remembered");
    return DEN_OK;
}

/* A memory to be inserted. */
struct row {
    const char *text, *state;
    int64_t workspace, thread; /* rows; 0: none */
};

static enum den_status insert(struct den_connection *connection, const struct row *row,
                              json_t **out, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];
    int64_t count;

    if (count_all(connection, &count, err) != DEN_OK)
        return err->status;
    if (count >= DEN_MEMORIES_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "there are %d memories, and no more are kept; remove "
                        "some",
                        DEN_MEMORIES_MAX);
    if (den_id_make(id, err) == DEN_OK &&
        den_execute(connection, err,
                    "INSERT INTO memories (id, workspace, text, state, thread, created) "
                    "VALUES (?, nullif(?, 0), ?, ?, nullif(?, 0), ?)",
                    "tittii", id, row->workspace, row->text, row->state, row->thread,
                    den_clock_unix_ms()) == DEN_OK)
        read_one(connection, id, out, err);
    return err->status;
}

static enum den_status check_enabled(struct den_connection *connection, struct den_error *err)
{
    bool enabled;

    if (den_memories_enabled(connection, &enabled, err) == DEN_OK && !enabled)
        den_fail(err, DEN_FORBIDDEN,
                 "memory is off, and nothing is remembered; the setting 'memory' switches it on");
    return err->status;
}

static enum den_status keep(struct den_connection *connection, const char *id, json_t **out,
                            struct den_error *err)
{
    den_execute(connection, err, "UPDATE memories SET state = 'kept' WHERE id = ?", "t", id);
    return err->status == DEN_OK ? read_one(connection, id, out, err) : err->status;
}

enum den_status den_memory_add(struct den_threads *threads, const json_t *fields, json_t **out,
                               bool *out_existed, struct den_error *err)
{
    char text[DEN_MEMORY_BYTES_MAX + 1], same[DEN_ID_LENGTH_MAX + 1];
    struct row row = { .text = text, .state = "kept" };
    struct den_connection *connection;
    json_t *memory = NULL;

    if (read_text(fields, true, text, sizeof text, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (check_enabled(connection, err) == DEN_OK &&
        den_workspace_choose(connection, fields, &row.workspace, err) == DEN_OK &&
        find_same(connection, text, row.workspace, same, err) == DEN_OK) {
        *out_existed = same[0] != '\0';
        if (same[0])
            keep(connection, same, &memory, err);
        else
            insert(connection, &row, &memory, err);
    }
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(memory);
        return err->status;
    }
    tell(threads, json_incref(memory));
    *out = memory;
    return DEN_OK;
}

enum den_status den_memory_propose(struct den_threads *threads, const char *thread,
                                   const char *text, struct den_error *err)
{
    struct row row = { .text = text, .state = "proposed" };
    char same[DEN_ID_LENGTH_MAX + 1], everywhere[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    struct den_query query;
    json_t *memory = NULL;
    bool enabled = false;
    int64_t count = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_memories_enabled(connection, &enabled, err);
    count_all(connection, &count, err);
    den_query_start(&query, connection, err,
                    "SELECT row, coalesce(workspace, 0) FROM threads WHERE id = ? AND deleted IS "
                    "NULL",
                    "t", thread);
    if (den_query_next(&query, err)) {
        row.thread = den_query_integer(&query, 0);
        row.workspace = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    if (err->status == DEN_OK && enabled && row.thread > 0 && count < DEN_MEMORIES_MAX &&
        find_same(connection, text, row.workspace, same, err) == DEN_OK &&
        find_same(connection, text, 0, everywhere, err) == DEN_OK && !same[0] && !everywhere[0])
        insert(connection, &row, &memory, err);
    if (den_connection_end(connection, err) == DEN_OK)
        tell(threads, json_incref(memory));
    json_decref(memory);
    return err->status;
}

/* --- changing and removing --- */

static enum den_status read_state(const json_t *fields, struct den_error *err)
{
    const char *state = NULL;

    if (den_json_get_text(fields, "state", &state, err) != DEN_OK || !state)
        return err->status;
    if (strcmp(state, "kept") != 0)
        return den_fail(err, DEN_INVALID,
                        "'state' is '%.64s'; it can only become 'kept' (DELETE removes one)",
                        state);
    return DEN_OK;
}

static enum den_status write_change(struct den_connection *connection, const char *id,
                                    const json_t *fields, const char *text, struct den_error *err)
{
    int64_t workspace = 0;

    if (text[0])
        den_execute(connection, err, "UPDATE memories SET text = ? WHERE id = ?", "tt", text, id);
    if (json_is_string(json_object_get(fields, "state")))
        den_execute(connection, err, "UPDATE memories SET state = 'kept' WHERE id = ?", "t", id);
    if (json_object_get(fields, "workspace") &&
        den_workspace_choose(connection, fields, &workspace, err) == DEN_OK)
        den_execute(connection, err, "UPDATE memories SET workspace = nullif(?, 0) WHERE id = ?",
                    "it", workspace, id);
    return err->status;
}

enum den_status den_memory_change(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    char text[DEN_MEMORY_BYTES_MAX + 1];
    json_t *before = NULL, *memory = NULL;

    if (read_text(fields, false, text, sizeof text, err) != DEN_OK ||
        read_state(fields, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (read_one(connection, id, &before, err) == DEN_OK &&
        write_change(connection, id, fields, text, err) == DEN_OK)
        read_one(connection, id, &memory, err);
    json_decref(before);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(memory);
        return err->status;
    }
    tell(threads, json_incref(memory));
    *out = memory;
    return DEN_OK;
}

/* What answers were told leaves their rows, too. */
#define FORGET_IN_ANSWERS                                                                          \
    "UPDATE messages SET memories = (SELECT nullif(json_group_array(json(e.value)), '[]') FROM "   \
    "json_each(messages.memories) e WHERE json_extract(e.value, '$.id') IS NOT ?1) "               \
    "WHERE memories IS NOT NULL AND instr(memories, ?1) > 0"

enum den_status den_memory_delete(struct den_threads *threads, const char *id,
                                  struct den_error *err)
{
    struct den_connection *connection;
    json_t *memory = NULL;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (read_one(connection, id, &memory, err) == DEN_OK) {
        den_execute(connection, err, "DELETE FROM memories WHERE id = ?", "t", id);
        den_execute(connection, err, FORGET_IN_ANSWERS, "t", id);
    }
    json_decref(memory);
    if (den_connection_end(connection, err) == DEN_OK)
        tell_deleted(threads, id);
    return err->status;
}

enum den_status den_memories_delete_all(struct den_threads *threads, struct den_error *err)
{
    json_t *ids = json_array(), *id;
    struct den_connection *connection;
    struct den_query query;
    size_t i;

    if (den_database_write(threads->database, &connection, err) != DEN_OK) {
        json_decref(ids);
        return err->status;
    }
    den_query_start(&query, connection, err, "SELECT id FROM memories ORDER BY row", "");
    while (den_query_next(&query, err))
        json_array_append_new(ids, den_text_json(&query, 0));
    den_query_end(&query);
    den_execute(connection, err, "DELETE FROM memories", "");
    den_execute(connection, err, "UPDATE messages SET memories = NULL WHERE memories IS NOT NULL",
                "");
    if (den_connection_end(connection, err) == DEN_OK)
        json_array_foreach(ids, i, id) tell_deleted(threads, json_string_value(id));
    json_decref(ids);
    return err->status;
}
