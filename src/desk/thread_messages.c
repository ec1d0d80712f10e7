/* See thread_messages.h. */
#include "desk/thread_messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/events.h"
#include "desk/threads_parts.h"

void den_message_added_deinit(struct den_message_added *added)
{
    json_decref(added->message);
    json_decref(added->answer);
    *added = (struct den_message_added){ 0 };
}

/* --- what a client sent --- */

struct question {
    char id[DEN_ID_LENGTH_MAX + 1];
    char answer_id[DEN_ID_LENGTH_MAX + 1];
    const char *parent; /* NULL: none */
    const char *content;
    char *attachments; /* JSON, owned */
};

static enum den_status read_attachment(const json_t *item, size_t index, json_t *list,
                                       struct den_error *err)
{
    const char *name = NULL, *text = NULL;

    if (!json_is_object(item))
        return den_fail(err, DEN_INVALID, "'attachments[%zu]' must be an object", index);
    if (den_text_get(item, "name", DEN_NAME_BYTES_MAX, &name, err) != DEN_OK ||
        den_text_get(item, "text", DEN_CONTENT_BYTES_MAX, &text, err) != DEN_OK)
        return err->status;
    if (!name || !text)
        return den_fail(err, DEN_INVALID, "'attachments[%zu]' needs a 'name' and a 'text'", index);
    if (json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "text", text)) != 0)
        return den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    return DEN_OK;
}

static enum den_status read_attachments(const json_t *fields, char **out, struct den_error *err)
{
    const json_t *given = json_object_get(fields, "attachments");
    json_t *list = json_array();
    size_t i, count = json_array_size(given);

    if (given && !json_is_null(given) && (!json_is_array(given) || count > DEN_ATTACHMENTS_MAX))
        den_fail(err, DEN_INVALID, "'attachments' must be a list of at most %d",
                 DEN_ATTACHMENTS_MAX);
    for (i = 0; i < count && err->status == DEN_OK; i++)
        read_attachment(json_array_get(given, i), i, list, err);
    if (err->status == DEN_OK)
        den_json_text(list, out, err);
    json_decref(list);
    return err->status;
}

static enum den_status read_question(const json_t *fields, struct question *out,
                                     struct den_error *err)
{
    const char *role = "user";

    if (den_id_choose(fields, "id", out->id, err) != DEN_OK ||
        den_id_choose(fields, "answer_id", out->answer_id, err) != DEN_OK ||
        den_text_get(fields, "parent", DEN_ID_LENGTH_MAX, &out->parent, err) != DEN_OK ||
        den_text_get(fields, "role", DEN_NAME_BYTES_MAX, &role, err) != DEN_OK ||
        den_text_get(fields, "content", DEN_CONTENT_BYTES_MAX, &out->content, err) != DEN_OK)
        return err->status;
    if (strcmp(role, "user") != 0)
        return den_fail(err, DEN_INVALID, "'role' must be 'user'; a model writes the answers");
    if (!out->content)
        return den_fail(err, DEN_INVALID, "'content' is missing; it must be a string");
    if (strcmp(out->id, out->answer_id) == 0)
        return den_fail(err, DEN_INVALID, "'answer_id' must differ from 'id'");
    return read_attachments(fields, &out->attachments, err);
}

/* --- rows --- */

static enum den_status find_parent(struct den_connection *connection, int64_t thread,
                                   const char *id, int64_t *out, struct den_error *err)
{
    *out = 0;
    if (id && den_message_find(connection, thread, id, out, err) != DEN_OK)
        return den_fail_at(err, "'parent'");
    return err->status;
}

/* *out_row: a message with this id that is what would be made; 0: there is none. */
static enum den_status match_message(struct den_connection *connection,
                                     const struct den_message_row *wanted, int64_t *out_row,
                                     struct den_error *err)
{
    struct den_query query;

    *out_row = 0;
    den_query_start(&query, connection, err,
                    "SELECT row, role = ?3 AND coalesce(parent, 0) = ?4 AND (?5 IS NULL OR "
                    "(content = ?5 AND attachments = ?6)) FROM messages WHERE thread = ?1 AND id = "
                    "?2",
                    "ittitt", wanted->thread, wanted->id, wanted->role, wanted->parent,
                    wanted->content, wanted->attachments);
    if (den_query_next(&query, err)) {
        *out_row = den_query_integer(&query, 0);
        if (den_query_integer(&query, 1) == 0)
            den_fail(err, DEN_IN_USE, "'id': the thread has another message '%s'", wanted->id);
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status check_room(struct den_connection *connection, int64_t thread,
                                  struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT count(*) FROM messages WHERE thread = ?", "i",
                    thread);
    if (den_query_next(&query, err) && den_query_integer(&query, 0) >= DEN_THREAD_MESSAGES_MAX)
        den_fail(err, DEN_TOO_LARGE, "a thread holds %d messages at most; begin another",
                 DEN_THREAD_MESSAGES_MAX);
    den_query_end(&query);
    return err->status;
}

static enum den_status insert_answer(struct den_connection *connection, int64_t thread,
                                     const char *id, int64_t parent, struct den_message_added *out,
                                     struct den_error *err)
{
    const struct den_message_row row = { .thread = thread,
                                         .id = id,
                                         .parent = parent,
                                         .role = "assistant",
                                         .created = den_clock_unix_ms() };

    if (den_message_insert(connection, &row, &out->answer_row, err) != DEN_OK)
        return err->status;
    return den_message_read(connection, out->answer_row, &out->answer, err);
}

/* A question that was sent before: the answer with it is the one asked for, or the newest. */
static enum den_status read_known(struct den_connection *connection, int64_t row,
                                  const json_t *fields, struct den_message_added *out,
                                  struct den_error *err)
{
    const char *answer_id = json_string_value(json_object_get(fields, "answer_id"));
    struct den_query query;
    int64_t answer = 0;

    out->existed = true;
    den_message_read(connection, row, &out->message, err);
    den_query_start(&query, connection, err,
                    "SELECT row FROM messages WHERE parent = ? AND role = 'assistant' "
                    "ORDER BY id = ? DESC, row DESC LIMIT 1",
                    "it", row, answer_id);
    if (den_query_next(&query, err))
        answer = den_query_integer(&query, 0);
    den_query_end(&query);
    if (answer > 0 && err->status == DEN_OK)
        den_message_read(connection, answer, &out->answer, err);
    return err->status;
}

static enum den_status add_question(struct den_connection *connection, int64_t thread,
                                    const struct question *question, bool with_answer,
                                    struct den_message_added *out, struct den_error *err)
{
    struct den_message_row row = { .thread = thread,
                                   .id = question->id,
                                   .role = "user",
                                   .content = question->content,
                                   .attachments = question->attachments,
                                   .finish = "stop",
                                   .created = den_clock_unix_ms() };
    int64_t known = 0, inserted = 0;

    if (find_parent(connection, thread, question->parent, &row.parent, err) != DEN_OK ||
        match_message(connection, &row, &known, err) != DEN_OK)
        return err->status;
    if (known > 0) {
        out->existed = true;
        out->answer_row = known; /* the caller reads it */
        return DEN_OK;
    }
    if (check_room(connection, thread, err) != DEN_OK ||
        den_message_insert(connection, &row, &inserted, err) != DEN_OK ||
        den_message_read(connection, inserted, &out->message, err) != DEN_OK)
        return err->status;
    if (with_answer)
        insert_answer(connection, thread, question->answer_id, inserted, out, err);
    return den_thread_touch(connection, thread, with_answer ? question->answer_id : question->id,
                            question->content, err);
}

/* --- what the header promises --- */

/* Ends the transaction and tells; on failure `out` is emptied. */
static enum den_status conclude(struct den_threads *threads, struct den_connection *connection,
                                const char *thread, struct den_message_added *out,
                                struct den_error *err)
{
    int64_t row = 0;

    if (err->status == DEN_OK)
        den_thread_find(connection, thread, &row, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        den_message_added_deinit(out);
        return err->status;
    }
    if (out->existed)
        return DEN_OK;
    den_threads_tell_message(threads, thread, out->message);
    den_threads_tell_message(threads, thread, out->answer);
    den_threads_tell_row(threads, row);
    return DEN_OK;
}

enum den_status den_message_add(struct den_threads *threads, const char *thread,
                                const json_t *fields, bool with_answer,
                                struct den_message_added *out, struct den_error *err)
{
    struct den_message_added added = { 0 };
    struct den_connection *connection;
    struct question question = { 0 };
    int64_t row;

    if (read_question(fields, &question, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK) {
        free(question.attachments);
        return err->status;
    }
    if (den_thread_find(connection, thread, &row, err) == DEN_OK)
        add_question(connection, row, &question, with_answer, &added, err);
    if (err->status == DEN_OK && added.existed) {
        row = added.answer_row;
        added.answer_row = 0;
        read_known(connection, row, fields, &added, err);
    }
    free(question.attachments);
    if (conclude(threads, connection, thread, &added, err) == DEN_OK)
        *out = added;
    return err->status;
}

enum den_status den_message_add_answer(struct den_threads *threads, const char *thread,
                                       const json_t *fields, struct den_message_added *out,
                                       struct den_error *err)
{
    struct den_message_row row = { .role = "assistant" };
    struct den_message_added added = { 0 };
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    const char *parent = NULL;
    int64_t known = 0;

    if (den_id_choose(fields, "id", id, err) != DEN_OK ||
        den_text_get(fields, "parent", DEN_ID_LENGTH_MAX, &parent, err) != DEN_OK)
        return err->status;
    if (!parent)
        return den_fail(err, DEN_INVALID, "'parent' is missing; it must be the question's id");
    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    row.id = id;
    if (den_thread_find(connection, thread, &row.thread, err) == DEN_OK &&
        find_parent(connection, row.thread, parent, &row.parent, err) == DEN_OK)
        match_message(connection, &row, &known, err);
    if (err->status == DEN_OK && known > 0) {
        added.existed = true;
        den_message_read(connection, known, &added.answer, err);
    } else if (err->status == DEN_OK && check_room(connection, row.thread, err) == DEN_OK &&
               insert_answer(connection, row.thread, id, row.parent, &added, err) == DEN_OK) {
        den_thread_touch(connection, row.thread, id, "", err);
    }
    if (conclude(threads, connection, thread, &added, err) == DEN_OK)
        *out = added;
    return err->status;
}

enum den_status den_message_reopen(struct den_threads *threads, const char *thread,
                                   const char *message, struct den_message_added *out,
                                   struct den_error *err)
{
    struct den_message_added added = { 0 };
    struct den_connection *connection;
    int64_t row;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, thread, &row, err) == DEN_OK &&
        den_message_find(connection, row, message, &added.answer_row, err) == DEN_OK &&
        den_execute(connection, err,
                    "UPDATE messages SET finish = NULL, error_code = NULL, error_message = NULL "
                    "WHERE row = ? AND role = 'assistant' AND finish IN ('stopped', 'length', "
                    "'error') AND content <> ''",
                    "i", added.answer_row) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_INVALID,
                 "'continue' must be an answer that was stopped or cut and has some text");
    if (err->status == DEN_OK)
        den_message_read(connection, added.answer_row, &added.answer, err);
    if (conclude(threads, connection, thread, &added, err) == DEN_OK)
        *out = added;
    return err->status;
}

enum den_status den_message_change(struct den_threads *threads, const char *thread,
                                   const char *message, const json_t *fields, json_t **out,
                                   struct den_error *err)
{
    struct den_message_added changed = { 0 };
    struct den_connection *connection;
    const char *content = NULL;
    int64_t row, place;

    if (den_text_get(fields, "content", DEN_CONTENT_BYTES_MAX, &content, err) != DEN_OK)
        return err->status;
    if (!content)
        return den_fail(err, DEN_INVALID, "'content' is missing; it must be a string");
    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, thread, &row, err) == DEN_OK &&
        den_message_find(connection, row, message, &place, err) == DEN_OK &&
        den_execute(connection, err,
                    "UPDATE messages SET content = ?, seq = seq + 1 WHERE row = ? AND "
                    "finish IS NOT NULL",
                    "ti", content, place) == DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_IN_USE, "the answer is still being written; stop it first");
    if (err->status == DEN_OK)
        den_message_read(connection, place, &changed.message, err);
    if (conclude(threads, connection, thread, &changed, err) == DEN_OK)
        *out = changed.message;
    return err->status;
}

/* --- removing --- */

#define BELOW                                                                                      \
    "WITH RECURSIVE below (row) AS (SELECT ?1 UNION ALL "                                          \
    "SELECT c.row FROM below JOIN messages c ON c.parent = below.row) "

static enum den_status list_below(struct den_connection *connection, int64_t row, json_t *ids,
                                  struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    BELOW "SELECT m.id FROM below JOIN messages m ON m.row = below.row", "i", row);
    while (den_query_next(&query, err))
        json_array_append_new(ids, den_text_json(&query, 0));
    den_query_end(&query);
    return err->status;
}

/* Where the head goes with it, it moves to what was above. */
static enum den_status delete_below(struct den_connection *connection, int64_t thread, int64_t row,
                                    struct den_error *err)
{
    den_execute(connection, err,
                BELOW "UPDATE threads SET head = (SELECT p.id FROM messages m JOIN messages p ON "
                      "p.row = m.parent WHERE m.row = ?1) WHERE row = ?2 AND head IN (SELECT m.id "
                      "FROM below JOIN messages m ON m.row = below.row)",
                "ii", row, thread);
    return den_execute(connection, err,
                       BELOW "DELETE FROM messages WHERE row IN (SELECT row FROM below)", "i", row);
}

enum den_status den_message_delete(struct den_threads *threads, const char *thread,
                                   const char *message, struct den_error *err)
{
    struct den_connection *connection;
    json_t *ids = json_array();
    int64_t row, place;

    if (den_database_write(threads->database, &connection, err) != DEN_OK) {
        json_decref(ids);
        return err->status;
    }
    if (den_thread_find(connection, thread, &row, err) == DEN_OK &&
        den_message_find(connection, row, message, &place, err) == DEN_OK &&
        list_below(connection, place, ids, err) == DEN_OK)
        delete_below(connection, row, place, err);
    if (den_connection_end(connection, err) == DEN_OK) {
        if (threads->events)
            den_events_publish(threads->events, thread, "message.deleted",
                               json_pack("{s:s, s:O}", "thread", thread, "ids", ids));
        den_threads_tell_row(threads, row);
    }
    json_decref(ids);
    return err->status;
}
